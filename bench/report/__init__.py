"""Tables and figures made from results on disk. Reads only what runs wrote."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report.collect import Block, collect
from bench.store import atomic_write

if TYPE_CHECKING:
    from rich.table import Table


def make_report(results: Path, out: Path, pdf: bool = False) -> list[Path]:
    """Write tables, figures and a page of all blocks.

    Returns
    -------
    list of Path
        Every file written.

    Raises
    ------
    UserError
        If `results` holds no runs or a file is damaged.
    """
    from bench.report import figures, tables

    blocks = collect(results)
    written: list[Path] = []
    sections = []
    for block in blocks:
        folder = out / block.dataset / block.profile
        texts = {"main.md": tables.markdown(block), "main.csv": tables.csv(block), "main.tex": tables.latex(block)}
        contrasts = sorted({c for run in block.done if run.rows is not None for c in run.rows["contrast"]})
        if len(contrasts) > 1:
            texts["contrasts.md"] = "\n".join(tables.markdown(block, contrast) for contrast in contrasts)
        for name, text in texts.items():
            atomic_write(folder / name, text)
            written.append(folder / name)
        pictures = []
        for contrast in contrasts:
            chosen = figures.median_slice(block, contrast)
            if chosen:
                pictures += figures.save(figures.method_grid(block, chosen), folder / f"grid-{contrast}", pdf)
        written += pictures
        sections.append((block, [p for p in pictures if p.suffix == ".png"]))
    shown = [block for block in blocks if block.done]
    overview = figures.save(figures.examples(shown), out / "examples", pdf) if shown else []
    written += overview
    atomic_write(out / "index.html", _page(sections, overview, out))
    return [*written, out / "index.html"]


def _page(sections: list[tuple[Block, list[Path]]], overview: list[Path], out: Path) -> str:
    """One self-contained page."""
    from jinja2 import Environment, PackageLoader

    from bench.report import tables

    content = []
    for block, pictures in sections:
        table = tables.lines(block)
        content.append(
            {
                "title": f"{block.dataset}, profile {block.profile}",
                "caption": tables.caption(block, table),
                "header": tables.HEADER,
                "rows": tables.body(table, lambda text: f"*{text}"),
                "notes": tables.notes(block, table),
                "pictures": [(path.stem.removeprefix("grid-"), _inline(path)) for path in pictures],
            }
        )
    environment = Environment(
        loader=PackageLoader("bench", "report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("page.html.j2")
    return page.render(sections=content, overview=[_inline(path) for path in overview if path.suffix == ".png"]) + "\n"


def _inline(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def summary(results: Path, dataset: str, profile: str, beside: Path | None = None) -> "Table":
    """The table for the terminal; `beside`: other results whose means stand beside these."""
    from rich.table import Table

    from bench.errors import UserError
    from bench.report import tables

    block = collect(results, dataset, profile)[0]
    rows = tables.lines(block)
    others = {}
    if beside:
        try:
            others = {line.method: line for line in tables.lines(collect(beside, dataset, profile)[0])}
        except UserError:
            beside = None
    table = Table(title=tables.caption(block, rows), title_justify="left")
    for title in ("method", "PSNR", "SSIM", "LPIPS", "LR PSNR", "s / slice"):
        table.add_column(title, justify="left" if title == "method" else "right")
    if beside:
        table.add_column(f"PSNR in {beside}", justify="right")
        table.add_column("difference", justify="right")
    for line in rows:
        digits = (("psnr", 2), ("ssim", 4), ("lpips", 4), ("psnr_lr", 2))
        cells = [line.method, *(tables.number(line.means[s], n) for s, n in digits), tables.number(line.seconds, 3)]
        if line.status != "done":
            cells[1] = line.status
        if beside and line.method in others:
            theirs = others[line.method].means["psnr"]
            cells += [tables.number(theirs, 2), tables.number(line.means["psnr"] - theirs, 2)]
        table.add_row(*cells)
    return table
