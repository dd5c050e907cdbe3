"""Tables, figures and a verdict made from results on disk. Reads only what runs wrote."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.report.read.results import collect
from bench.store.files import atomic_write

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from bench.report.page.html import Section


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
    from bench.report.figures import every as figures
    from bench.report.page import html as page
    from bench.report.read.images import read_stored
    from bench.report.tables import extras, verdict

    blocks = collect(results)
    written: list[Path] = []
    sections = []
    for block in blocks:
        folder = out / block.dataset / block.profile
        stored, found = read_stored(block), verdict.compare_groups(block)
        pictures = figures.of_block(block, stored, found, folder, pdf)
        section = page.Section(block, found, stored, pictures, extras.tables(block))
        written += [*_write_texts(section, folder), *(file for picture in pictures for file in picture.files)]
        sections.append(section)
    overview = figures.overview([(section.block, section.stored) for section in sections], out, pdf)
    written += overview.files if overview else ()
    atomic_write(out / "index.md", page.index(sections, overview, out))
    atomic_write(out / "index.html", page.html(sections, overview))
    return [*written, out / "index.md", out / "index.html"]


def _write_texts(section: "Section", folder: Path) -> list[Path]:
    from bench.report.tables import formats, verdict

    block = section.block
    texts = {
        "main.md": formats.markdown(block),
        "main.csv": formats.csv(block),
        "main.tex": formats.latex(block),
        "verdict.md": verdict.markdown(block, section.comparisons),
    }
    if len(block.contrasts()) > 1:
        texts["contrasts.md"] = formats.contrasts(block)
    for table in section.extras:
        texts |= formats.files(table)
    for name, text in texts.items():
        atomic_write(folder / name, text)
    return [folder / name for name in texts]


def summary(results: Path, dataset: str, profile: str, beside: Path | None = None) -> "Table | Group":
    """The table for the terminal; `beside`: other results whose means stand beside these."""
    from bench.report.tables import comparison

    return comparison.summary(results, dataset, profile, beside)
