"""Write the reference results into the README: `python tools/readme.py`; `make reference` does."""

from pathlib import Path

from bench.report.read.results import Block, collect
from bench.report.tables import verdict
from bench.report.tables.captions import caption
from bench.report.tables.formats import markdown_table
from bench.report.tables.main import TITLES, best, cell, lines, number

SHOWN = ("psnr", "ssim", "lpips")
BEGIN, END = "<!-- results -->\n", "<!-- /results -->"


def table(block: Block) -> str:
    """Every method's PSNR, SSIM, LPIPS and time."""
    rows, found = [], lines(block)
    winners = {score: best(found, score) for score in SHOWN}
    for line in found:
        scores = [f"**{cell(line, s)}**" if line.method in winners[s] else cell(line, s) for s in SHOWN]
        rows.append([f"`{line.method}`", line.group, *scores, number(line.seconds, 2)])
    return markdown_table(["method", "group", *(TITLES[s] for s in SHOWN), "s / slice"], rows)


def section(block: Block) -> str:
    """Verdict, caption, table, figure of one dataset."""
    said = " ".join(verdict.headline(block, verdict.compare_groups(block)))
    folder = f"reports/{block.dataset}/{block.profile}"
    figures = sorted(path.name for path in Path(folder).glob("grid-*.png"))
    picture = f"![Every method on one slice, with error maps]({folder}/{figures[0]})\n" if figures else ""
    of = caption(block).split(" Mean ±")[0]  # the table here has neither intervals nor marks
    shown = f"{of} Mean ± standard deviation over slices (not over people); best in bold; bounds are not ranked."
    return f"### `{block.dataset}`: {block.label}\n\n{said}\n\n{shown}\n\n{table(block)}\n{picture}"


def main() -> None:
    """Replace what stands between the markers."""
    blocks = [block for block in collect(Path("results")) if block.done]
    text = "\n".join(section(block) for block in blocks)
    made = "Written by `make reference`; all tables and figures: [reports/index.md](reports/index.md), `reports/index.html`."
    readme = Path("README.md").read_text()
    before, rest = readme.split(BEGIN)
    Path("README.md").write_text(f"{before}{BEGIN}\n{made}\n\n{text}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
