"""One page that holds everything, and a plain index."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from PIL import Image

from bench.report.figures.drawing import Picture, small_png
from bench.report.page import browser
from bench.report.read import provenance as records
from bench.report.read.images import Stored
from bench.report.read.results import Block
from bench.report.tables import verdict
from bench.report.tables.captions import caption, notes
from bench.report.tables.main import HEADER, Table, body, lines

WIDTH = 1300  # pixels


@dataclass(frozen=True)
class Section:
    """A block with what was made of it."""

    block: Block
    comparisons: list[verdict.Comparison]
    stored: Stored
    pictures: list[Picture]
    extras: Sequence[Table]


def html(sections: Sequence[Section], overview: Picture | None) -> str:
    """A self-contained page: tables, figures, a slice browser, provenance; nothing is loaded from elsewhere."""
    environment = Environment(
        loader=PackageLoader("bench.report", "page"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["inline"] = _inline
    stored = browser.data([(section.block, section.stored) for section in sections])
    page = environment.get_template("page.html.j2").render(
        sections=[_content(section) for section in sections],
        overview=overview,
        browsable=bool(stored["blocks"]),
        data=_script(json.dumps(stored, separators=(",", ":"))),
        style=Markup(_own("page.css")),  # noqa: S704 - a file of this package
        script=Markup(_own("page.js")),  # noqa: S704
    )
    return page + "\n"


def _own(name: str) -> str:
    return (files("bench.report.page") / name).read_text(encoding="utf-8")


def _script(text: str) -> Markup:
    """JSON that cannot end the element it stands in."""
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _content(section: Section) -> dict[str, object]:
    block, found = section.block, section.comparisons
    common, own = records.provenance(block)
    return {
        "id": f"{block.dataset}-{block.profile}",
        "folder": f"{block.dataset}/{block.profile}",
        "title": f"{block.dataset}, profile {block.profile}",
        "label": block.label,
        "headline": verdict.headline(block, found),
        "verdict_header": verdict.HEADER,
        "verdicts": [(c.joint, c.cells()) for c in found],
        "remarks": verdict.remarks(block, found),
        "header": HEADER,
        "main": _table(block, None),
        "contrasts": [_table(block, c) for c in block.contrasts()] if len(block.contrasts()) > 1 else [],
        "notes": notes(block, lines(block)),
        "extras": section.extras,
        "pictures": section.pictures,
        "common": common,
        "runs": [
            (method, records.anchor(block, method), [(run, said) for run, said in own if run.method == method])
            for method in block.methods()
        ],
    }


def _table(block: Block, contrast: str | None) -> dict[str, object]:
    def bold(text: str) -> str:
        return Markup("<b>{}</b>").format(text)

    table = lines(block, contrast)
    rows = body(table, bold, escape)
    for line, row in zip(table, rows, strict=True):
        row[0] = Markup('<a href="#{}">{}</a>').format(records.anchor(block, line.method), row[0])
    return {"caption": caption(block, contrast), "rows": rows}


def _inline(path: Path) -> str:
    """The file, or half its size where it is wider than the page can show."""
    content = path.read_bytes()
    with Image.open(path) as image:
        if image.width > WIDTH:
            content = small_png(image.convert("RGB").reduce(2))
    return "data:image/png;base64," + base64.b64encode(content).decode()


def index(sections: Sequence[Section], overview: Picture | None, out: Path) -> str:
    """A Markdown page with links to the files."""
    parts = ["# Joint against sequential reconstruction and super-resolution\n"]
    parts += _pictures([overview] if overview else [], out)
    for section in sections:
        block = section.block
        folder = f"{block.dataset}/{block.profile}"
        several = f", [by contrast]({folder}/contrasts.md)" if len(block.contrasts()) > 1 else ""
        parts += [
            f"## {block.dataset}, profile {block.profile}\n",
            f"{caption(block)}\n",
            *(f"{sentence}\n" for sentence in verdict.headline(block, section.comparisons)),
            f"[Table]({folder}/main.md) ([CSV]({folder}/main.csv), [LaTeX]({folder}/main.tex)){several}"
            f"{''.join(f', [{table.name}]({folder}/{table.name}.md)' for table in section.extras)}, "
            f"[verdict]({folder}/verdict.md)\n",
            *_pictures(section.pictures, out),
        ]
    return "\n".join(parts)


def _pictures(pictures: Iterable[Picture], out: Path) -> list[str]:
    return [f"![{p.alt}]({p.png.relative_to(out).as_posix()})\n\n{p.caption}\n" for p in pictures]
