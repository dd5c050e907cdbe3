"""Write the reference results into the README: `python tools/readme.py`; `make reference` does."""

from dataclasses import replace
from pathlib import Path

from bench.metrics.scores import BY_ID
from bench.report.claims import judge
from bench.report.figures.drawing import save
from bench.report.figures.grids import method_grid
from bench.report.read.images import example, read_kept
from bench.report.read.results import DatasetResults, collect
from bench.report.tables import verdict
from bench.report.tables.captions import caption_without_intervals
from bench.report.tables.formats import markdown_table
from bench.report.tables.main import best, cell, lines, number
from bench.store.layout import path_part

SHOWN = ("psnr_fg", "lpips_fg", "psnr", "ssim", "lpips")
BEGIN, END = "<!-- results -->\n", "<!-- /results -->"


def table(results: DatasetResults) -> str:
    """Every method's PSNR, SSIM, LPIPS and time."""
    rows, found = [], lines(results)
    winners = {score: best(found, score) for score in SHOWN}
    for line in found:
        scores = [f"**{cell(line, s)}**" if line.method in winners[s] else cell(line, s) for s in SHOWN]
        rows.append([f"`{line.method}`", line.group, line.loss, *scores, number(line.seconds, 2)])
    return markdown_table(["method", "group", "class", *(BY_ID[score].title for score in SHOWN), "s / slice"], rows)


def parts(results: DatasetResults) -> list[DatasetResults]:
    """What one table can compare: the methods that have rows of every fold; all of them in the first fold."""
    if results.same_people is results:
        return [results]
    whole = results.with_every_fold()
    return [
        replace(results, runs=tuple(run for run in results.runs if run.record.method in whole)),
        results.same_people,
    ]


def picture(results: DatasetResults, folder: Path) -> Path | None:
    """Write every method on one slice; None where no slice was kept."""
    images = read_kept(results)
    name = example(results, images)
    return save(method_grid(results, images, name), folder / path_part(results.dataset), False)[0] if name else None


def section(results: DatasetResults, pictures: Path, readme: Path) -> str:
    """Verdict, captions and tables, picture of one dataset."""
    said = "\n".join(f"- {sentence}" for sentence in verdict.headline(results, judge(results)))
    tables = "\n".join(f"{caption_without_intervals(part)}\n\n{table(part)}" for part in parts(results))
    png = picture(results.same_people, pictures)
    shown = (
        f"![Every method on one slice, with error maps]({png.relative_to(readme.parent).as_posix()})\n" if png else ""
    )
    return f"### `{results.dataset}`: {results.label}\n\n{said}\n\n{tables}\n{shown}"


def write(results: Path, pictures: Path, readme: Path) -> None:
    """Replace what stands between the markers, and the pictures that it shows."""
    text = "\n".join(section(found, pictures, readme) for found in collect(results) if found.done)
    made = (
        f"Written by `make reference`. `bench report --results {results.name}` makes the page with all figures, and all "
        "tables as Markdown, CSV and LaTeX."
    )
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{made}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write(Path("results"), Path("reports"), Path("README.md"))
