"""Write the reference results into the README and `docs/results.md`: `python tools/readme.py`; `make reference` does."""

import os
from dataclasses import replace
from pathlib import Path

from bench.metrics.scores import BY_ID
from bench.report.claims import judge
from bench.report.figures.answer import DOTS_SAID, answer_plot, claims
from bench.report.figures.drawing import save
from bench.report.figures.grids import method_grid
from bench.report.read.images import example, read_kept
from bench.report.read.results import DatasetResults, collect
from bench.report.tables import answer, verdict
from bench.report.tables.captions import JOINT_SAID, NAMES_SAID, caption_without_intervals
from bench.report.tables.chosen import few
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
    """Write methods on one slice, of many those of the answer; None where no slice was kept."""
    images = read_kept(results.same_people)
    name = example(results.same_people, images)
    if name is None:
        return None
    shown = results.same_people
    chosen = few(shown, judge(results))
    shown = replace(shown, runs=tuple(run for run in shown.runs if run.method in chosen))
    return save(method_grid(shown, images, name), folder / path_part(results.dataset), False)[0]


def section(results: DatasetResults, pictures: Path, page: Path) -> str:
    """Verdict, captions and tables, picture of one dataset."""
    said = "\n".join(f"- {sentence}" for sentence in verdict.headline(results, judge(results)))
    tables = "\n".join(f"{caption_without_intervals(part)}\n\n{table(part)}" for part in parts(results))
    png = picture(results, pictures)
    shown = f"![Methods on one slice, with error maps]({_link(png, page)})\n" if png else ""
    return f"### `{results.dataset}`: {results.label}\n\n{said}\n\n{tables}\n{shown}"


def first_screen(found: list[DatasetResults], pictures: Path, page: Path) -> str:
    """The answer, a figure, a few rows, the limits."""
    judged = [(results, judge(results)) for results in found]
    said = [f"**{answer.in_a_sentence(judged)}**", f"{JOINT_SAID[0].upper()}{JOINT_SAID[1:]}.", NAMES_SAID]
    said += answer.where(judged)
    figure = answer_plot(claims(judged))
    if figure:
        png = save(figure, pictures / "declared", False)[0]
        said.append(f"![Every person's difference in each declared comparison]({_link(png, page)})")
        said.append(f"{DOTS_SAID[0].upper()}{DOTS_SAID[1:]}")
    rows = answer.few_rows(judged)
    if rows:
        said.append(f"{rows.caption}\n\n{markdown_table(rows.header, rows.rows, 2)}".rstrip())
    said.append("\n".join(f"- {sentence}" for sentence in answer.limits(judged)))
    return "\n\n".join(said)


def _link(png: Path, page: Path) -> str:
    return Path(os.path.relpath(png, page.parent)).as_posix()


def write(results: Path, pictures: Path, readme: Path, everything: Path) -> None:
    """Replace what stands between the markers of README and the page of every row, and the pictures that they show."""
    found = [part for part in collect(results) if part.done]
    made = (
        f"Written by `make reference`. `bench report --results {results.name}` makes the page with all figures, and all "
        "tables as Markdown, CSV and LaTeX."
    )
    _replace(readme, f"{first_screen(found, pictures, readme)}\n\n{made}")
    _replace(everything, f"{made}\n\n" + "\n".join(section(part, pictures, everything) for part in found))


def _replace(page: Path, text: str) -> None:
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write(Path("results"), Path("reports"), Path("README.md"), Path("docs/results.md"))
