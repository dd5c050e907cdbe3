"""Tables, figures and a verdict made from results on disk. Reads only what runs wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UserError
from bench.report.read.results import collect
from bench.store.files import atomic_write
from bench.store.layout import ResultsFolder

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from bench.report.page import Section


def make_report(
    results: Path, out: Path, pdf: bool = False, progress: Callable[[str, int, int], None] = lambda *_: None
) -> list[Path]:
    """Write tables, figures, a verdict of each dataset and profile, and a page of all.

    Parameters
    ----------
    progress
        Called with what is made, how many parts are done, and of how many.

    Returns
    -------
    list of Path
        Every file written; the page `index.html` is the last.

    Raises
    ------
    UserError
        If `results` holds no runs or a file is damaged.
    """
    from bench.report import claims, figures, tables
    from bench.report.page import Answer, Section, html, index
    from bench.report.read.images import read_kept
    from bench.report.tables import formats

    _check_out(out)
    written: list[Path] = []
    sections: list[Section] = []
    everything = collect(results)
    parts = 3 * len(everything) + 1

    def told(done: int) -> None:
        progress("report", 3 * len(sections) + done, parts)

    told(0)
    for found in everything:
        folder = ResultsFolder(out).table(found.dataset, found.profile)  # laid out as the results are
        images, verdict = read_kept(found.same_people), claims.judge(found)
        told(1)
        pictures = figures.of_dataset(found, images, verdict, folder, pdf)
        told(2)
        section = Section(found, verdict, images, pictures, tables.beside_main(found), folder)
        written += [*_write_texts(section), *(file for picture in pictures for file in picture.files)]
        sections.append(section)
    overview = figures.overview([(section.results, section.images) for section in sections], out, pdf)
    written += overview.files if overview else ()
    judged = [(section.results, section.verdict) for section in sections]
    dots = figures.answer.claims(judged)
    answer = Answer(
        tables.answer.in_a_sentence(judged), tables.answer.where(judged), tables.answer.by_comparison(judged),
        tables.answer.limits(judged), tables.answer.few_rows(judged), figures.declared(dots, out, pdf),
        dots,
    )  # fmt: skip
    written += answer.picture.files if answer.picture else ()
    speeds = ResultsFolder(results).speeds()
    fast, grown = tables.speed.table(speeds), figures.growth_plot(speeds, out, pdf)
    written += grown.files if grown else ()
    pages = {out / name: text for name, text in (formats.files(fast) if fast else {}).items()}
    pages |= {
        out / "index.md": index.index(answer, sections, overview, out, fast),
        out / "index.html": html.page(answer, sections, overview, out, fast, grown),
    }
    for path, text in pages.items():
        atomic_write(path, text)
    told(1)
    return [*written, *pages]


def _check_out(out: Path) -> None:
    """Refuse a file, and a folder with a page that is not a report."""
    page = out / "index.html"
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out} is a file: name a folder.")
    if (
        page.exists()
        and "mri reconstruction" not in page.read_text(encoding="utf-8", errors="replace")[:20_000].lower()
    ):
        raise UserError(f"{page} is no report and would be overwritten: name another folder with --out.")


def _write_texts(section: "Section") -> list[Path]:
    from bench.report.tables import formats, verdict

    results, everything = section.results.same_people, section.results
    texts = {
        "main.md": formats.markdown(results),
        "main.csv": formats.csv(results),
        "main.tex": formats.latex(results),
        "verdict.md": verdict.markdown(everything, section.verdict),
    }
    if len(results.contrasts()) > 1:
        texts["contrasts.md"] = formats.contrasts(results)
    for table in section.tables:
        texts |= formats.files(table)
    for name, text in texts.items():
        atomic_write(section.folder / name, text)
    return [section.folder / name for name in texts]


def summary(results: Path, dataset: str, profile: str, beside: Path | None = None) -> "Table | Group":
    """The table for the terminal; `beside`: other results whose means stand beside these."""
    from bench.report.tables import terminal

    return terminal.summary(results, dataset, profile, beside)
