"""One page that holds everything: tables, figures, a slice browser, provenance."""

import base64
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from PIL import Image

from bench.report.figures.drawing import Picture, small_png
from bench.report.page import Answer, Section, browser, forest
from bench.report.read.provenance import read_provenance
from bench.report.read.results import DatasetResults
from bench.report.tables import folds, noise, verdict
from bench.report.tables.captions import JOINT_SAID, NAMES_SAID, about, notes, reading, title
from bench.report.tables.main import HEADER, Line, Table, body, lines, ranked

SCRIPTS = ("tables.js", "pixels.js", "browser.js", "grids.js")
WIDTH = 1300  # pixels
IN_SIGHT = ("grid-", "zoom-", "regimes", "pairs", "frequencies", "quality-time")
"""What the names of figures begin with of which the first is in sight; the others are folded."""

SUMMARIES = {
    "differences": "Differences between methods, person by person",
    "propagation": "What becomes of the reconstruction's error",
    "spectrum": "Where in k-space the error lies",
    "details": "Further scores: edges, flat parts, detail, vessels",
    "stages": "What was chosen before training",
    "paper": "The paper's figures beside these",
}
"""What is said of a table that is folded, by its name."""


def page(
    answer: Answer,
    sections: Sequence[Section],
    overview: Picture | None,
    out: Path,
    speed: Table | None = None,
    growth: Picture | None = None,
) -> str:
    """A self-contained page, to be written into the folder `out`; nothing is loaded from elsewhere."""
    environment = Environment(
        loader=PackageLoader("bench.report", "page"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["inline"] = _inline
    browsable = browser.data([(section.results, section.images) for section in sections])
    text = environment.get_template("page.html.j2").render(
        answer=answer,
        definition=JOINT_SAID,
        names=NAMES_SAID,
        forest=forest.panels(answer.claims),
        sections=[_content(section, out) for section in sections],
        overview=overview,
        speed=speed,
        growth=growth,
        browsable=bool(browsable["sections"]),
        data=_script(json.dumps(browsable, separators=(",", ":"))),
        style=Markup(_own("page.css")),  # noqa: S704 - a file of this package
        script=Markup("\n".join(map(_own, SCRIPTS))),  # noqa: S704
    )
    return text + "\n"


def _own(name: str) -> str:
    return (files("bench.report.page") / name).read_text(encoding="utf-8")


def _script(text: str) -> Markup:
    """JSON that cannot end the element it stands in."""
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _content(section: Section, out: Path) -> dict[str, object]:
    results = section.results.same_people  # but for the verdict and the provenance
    apart = results is not section.results
    common, own = read_provenance(section.results)
    firsts = (next((p for p in section.pictures if p.png.stem.startswith(kind)), None) for kind in IN_SIGHT)
    in_sight = [picture for picture in firsts if picture]
    several = results.contrasts() if len(results.contrasts()) > 1 else []
    return {
        "id": browser.section_id(results),
        "folder": section.folder.relative_to(out).as_posix(),
        "title": results.title,
        "label": results.label,
        "headline": [
            *verdict.headline(section.results, section.verdict),
            *noise.said(results, section.images),
        ],
        "verdicts": verdict.as_tables(section.results, section.verdict),
        "remarks": verdict.remarks(section.results, section.verdict),
        "header": HEADER,
        "main": _filled(section.results, None, folds.shown(section.results)) if apart else _table(results, None),
        "fewer": _table(results, None) if apart else None,
        "reading": reading(section.results),
        "contrasts": [_table(results, contrast) for contrast in several],
        "notes": notes(results, lines(results)),
        "tables": [(SUMMARIES.get(t.name, t.name), t) for t in section.tables if t.name != folds.NAME],
        "pictures": in_sight,
        "further": [picture for picture in section.pictures if picture not in in_sight],
        "common": common,
        "runs": [
            (method, _anchor(results, method), [(run, said) for run, said in own if run.method == method])
            for method in section.results.methods()
        ],
    }


def _anchor(results: DatasetResults, method: str) -> str:
    """The page's id of a method's provenance."""
    return f"run-{browser.section_id(results)}-{method}"


def _table(results: DatasetResults, contrast: str | None) -> dict[str, object]:
    return _filled(results, contrast, lines(results, contrast))


def _filled(results: DatasetResults, contrast: str | None, shown: Sequence[Line]) -> dict[str, object]:
    def bold(text: str) -> str:
        return Markup("<b>{}</b>").format(text)

    table = ranked(shown)
    rows = body(table, bold, escape)
    for line, row in zip(table, rows, strict=True):
        row[0] = Markup('<a href="#{}">{}</a>').format(_anchor(results, line.method), row[0])
    return {"title": title(results, contrast), "caption": about(results, contrast), "rows": rows}


def _inline(path: Path) -> dict[str, str | int]:
    """The file, or half its size where it is wider than the page can show; how large a page shows it in CSS pixels."""
    content = path.read_bytes()
    with Image.open(path) as image:
        width, height = image.size
        if width > WIDTH:
            small = image.convert("RGB").reduce(2)
            content, (width, height) = small_png(small), small.size
    return {"source": "data:image/png;base64," + base64.b64encode(content).decode(), "width": width, "height": height}
