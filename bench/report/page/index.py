"""A plain index in Markdown, with links to the files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from bench.report.figures.drawing import Picture
from bench.report.page import Answer, Section
from bench.report.tables import verdict
from bench.report.tables.captions import caption
from bench.report.tables.formats import markdown_table
from bench.report.tables.main import Table


def index(
    answer: Answer, sections: Sequence[Section], overview: Picture | None, out: Path, speed: Table | None = None
) -> str:
    """The index, to be written into the folder `out`."""
    parts = ["# Joint against sequential reconstruction and super-resolution\n", f"**{answer.sentence}**\n"]
    parts += [f"{sentence}\n" for sentence in answer.where]
    parts += _pictures([answer.picture] if answer.picture else [], out)
    parts += [f"- {sentence}" for sentence in answer.comparisons]
    if answer.rows:
        parts.append(f"\n{answer.rows.caption}\n\n{markdown_table(answer.rows.header, answer.rows.rows, 2)}")
    parts += [*(f"- {sentence}" for sentence in answer.limits), ""]
    parts += _pictures([overview] if overview else [], out)
    for section in sections:
        results = section.results.same_people

        def link(text: str, file: str, folder: Path = section.folder) -> str:
            return f"[{text}]({_url(folder / file, out)})"

        several = [link("by contrast", "contrasts.md")] if len(results.contrasts()) > 1 else []
        tables = [link(table.name, f"{table.name}.md") for table in section.tables]
        first = f"{link('Table', 'main.md')} ({link('CSV', 'main.csv')}, {link('LaTeX', 'main.tex')})"
        parts += [
            f"## {results.title}\n",
            f"{caption(results)}\n",
            *(f"{sentence}\n" for sentence in verdict.headline(section.results, section.verdict)),
            f"{', '.join([first, *several, *tables, link('verdict', 'verdict.md')])}\n",
            *_pictures(section.pictures, out),
        ]
    if speed:
        parts.append(f"## Speed beside others\n\n[{speed.name}]({_url(out / f'{speed.name}.md', out)})\n")
    return "\n".join(parts)


def _pictures(pictures: Iterable[Picture], out: Path) -> list[str]:
    return [f"![{_escaped(p.alt)}]({_url(p.png, out)})\n\n{p.caption}{_numbers(p, out)}\n" for p in pictures]


def _numbers(picture: Picture, out: Path) -> str:
    """A link to them."""
    return f" [Its numbers]({_url(picture.csv, out)})." if picture.csv else ""


def _url(path: Path, out: Path) -> str:
    return quote(path.relative_to(out).as_posix(), safe="/+@=,~")


def _escaped(text: str) -> str:
    """Words that may hold brackets, for a place between brackets."""
    return text.replace("[", r"\[").replace("]", r"\]")
