"""Tables, figures and a verdict made from results on disk. Reads only what runs wrote."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report.collect import Block, collect
from bench.store import atomic_write

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from bench.report.page import Section


def make_report(results: Path, out: Path, pdf: bool = False) -> list[Path]:
    """Write tables, figures, a verdict of each dataset and profile, and a page of all.

    Returns
    -------
    list of Path
        Every file written; the page `index.html` is the last.

    Raises
    ------
    UserError
        If `results` holds no runs or a file is damaged.
    """
    from bench.report import figures, page, verdict

    blocks = collect(results)
    written: list[Path] = []
    sections = []
    for block in blocks:
        folder = out / block.dataset / block.profile
        section = page.Section(block, verdict.compare_groups(block), _write_grids(block, folder, pdf))
        written += [*_write_texts(section, folder), *section.pictures]
        sections.append(section)
    shown = [block for block in blocks if block.done]
    overview = figures.save(figures.examples(shown), out / "examples", pdf) if shown else []
    atomic_write(out / "index.md", page.index(sections, overview, out))
    atomic_write(out / "index.html", page.html(sections, overview))
    return [*written, *overview, out / "index.md", out / "index.html"]


def _write_texts(section: "Section", folder: Path) -> list[Path]:
    from bench.report import extras, formats, verdict

    block = section.block
    texts = {
        "main.md": formats.markdown(block),
        "main.csv": formats.csv(block),
        "main.tex": formats.latex(block),
        "verdict.md": verdict.markdown(block, section.comparisons),
    }
    if len(block.contrasts()) > 1:
        texts["contrasts.md"] = formats.contrasts(block)
    for table in extras.tables(block):
        texts |= formats.files(table)
    for name, text in texts.items():
        atomic_write(folder / name, text)
    return [folder / name for name in texts]


def _write_grids(block: Block, folder: Path, pdf: bool) -> list[Path]:
    from bench.report import figures

    written = []
    for contrast in block.contrasts():
        chosen = figures.median_slice(block, contrast)
        if chosen:
            name = re.sub(r"[^A-Za-z0-9-]+", "-", contrast)
            written += figures.save(figures.method_grid(block, chosen), folder / f"grid-{name}", pdf)
    return written


def summary(results: Path, dataset: str, profile: str, beside: Path | None = None) -> "Table | Group":
    """The table for the terminal; `beside`: other results whose means stand beside these."""
    from bench.report import comparison

    return comparison.summary(results, dataset, profile, beside)
