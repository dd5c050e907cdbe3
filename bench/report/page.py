"""One page that holds everything, and a plain index."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from bench.report import verdict
from bench.report.captions import caption, notes
from bench.report.collect import Block
from bench.report.tables import HEADER, body, lines


@dataclass(frozen=True)
class Section:
    """A block with the figures that were made of it."""

    block: Block
    comparisons: list[verdict.Comparison]
    pictures: list[Path]


def html(sections: Sequence[Section], overview: Sequence[Path]) -> str:
    """A self-contained page: tables, and images inside it; nothing is loaded from elsewhere."""
    environment = Environment(
        loader=PackageLoader("bench", "report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    content = [_content(section) for section in sections]
    page = environment.get_template("page.html.j2")
    return page.render(sections=content, overview=[_inline(p) for p in overview if p.suffix == ".png"]) + "\n"


def _content(section: Section) -> dict[str, object]:
    block = section.block
    table, found = lines(block), section.comparisons
    return {
        "id": f"{block.dataset}-{block.profile}",
        "title": f"{block.dataset}, profile {block.profile}",
        "label": block.label,
        "headline": verdict.headline(block, found),
        "verdict_header": verdict.HEADER,
        "verdicts": [(c.joint, c.cells()) for c in found],
        "remarks": verdict.remarks(block, found),
        "header": HEADER,
        "main": _table(block, None),
        "contrasts": [_table(block, c) for c in block.contrasts()] if len(block.contrasts()) > 1 else [],
        "notes": notes(block, table),
        "pictures": [(p.stem.removeprefix("grid-"), _inline(p)) for p in section.pictures if p.suffix == ".png"],
    }


def _table(block: Block, contrast: str | None) -> dict[str, object]:
    def bold(text: str) -> str:
        return Markup("<b>{}</b>").format(text)

    return {"caption": caption(block, contrast), "rows": body(lines(block, contrast), bold, escape)}


def _inline(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def index(sections: Sequence[Section], overview: Sequence[Path], out: Path) -> str:
    """A Markdown page with links to the files."""
    parts = ["# Joint against sequential reconstruction and super-resolution\n"]
    parts += [f"![Masks and examples]({path.name})\n" for path in overview if path.suffix == ".png"]
    for section in sections:
        block = section.block
        folder = f"{block.dataset}/{block.profile}"
        several = f", [by contrast]({folder}/contrasts.md)" if len(block.contrasts()) > 1 else ""
        parts += [
            f"## {block.dataset}, profile {block.profile}\n",
            f"{caption(block)}\n",
            *(f"{sentence}\n" for sentence in verdict.headline(block, section.comparisons)),
            f"[Table]({folder}/main.md) ([CSV]({folder}/main.csv), [LaTeX]({folder}/main.tex)){several}, "
            f"[verdict]({folder}/verdict.md)\n",
            *(f"![{p.stem}]({p.relative_to(out).as_posix()})\n" for p in section.pictures if p.suffix == ".png"),
        ]
    return "\n".join(parts)
