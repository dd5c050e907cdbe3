"""The main table: one row a method, as Markdown, CSV, LaTeX and for the terminal."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.report.collect import Block, Run

HIGHER = {"psnr": True, "ssim": True, "lpips": False, "nmse": False, "psnr_fg": True, "ssim_fg": True, "psnr_lr": True}
DIGITS = {"psnr": 2, "ssim": 4, "lpips": 4, "nmse": 4, "psnr_fg": 2, "ssim_fg": 4, "psnr_lr": 2}
TITLES = {
    "psnr": "PSNR, dB", "ssim": "SSIM", "lpips": "LPIPS", "nmse": "NMSE",
    "psnr_fg": "PSNR fg, dB", "ssim_fg": "SSIM fg", "psnr_lr": "LR PSNR, dB",
}  # fmt: skip
MISSING = "–"


@dataclass(frozen=True)
class Line:
    """One method."""

    method: str
    group: str
    means: dict[str, float]
    stds: dict[str, float]
    slices: int
    subjects: int
    seconds: float
    memory_mb: float
    parameters: int
    status: str
    reason: str | None


def lines(block: Block, contrast: str | None = None) -> list[Line]:
    """Rows in table order; slices of all seeds and folds together."""
    return [_line([run for run in block.runs if run.method == id], contrast) for id in block.methods()]


def _line(runs: list[Run], contrast: str | None) -> Line:
    done = [run for run in runs if run.rows is not None]
    last = (done or runs)[-1]
    identity = (last.method, str(last.record["group"]))
    if not done:
        nothing = dict.fromkeys(HIGHER, float("nan"))
        status, reason = str(last.record["status"]), last.record.get("reason")
        return Line(*identity, nothing, nothing, 0, 0, float("nan"), float("nan"), 0, status, reason)
    rows = pd.concat([run.rows for run in done if run.rows is not None])
    if contrast:
        rows = rows[rows["contrast"] == contrast]
    timing = [run.timing for run in done if run.timing is not None]
    times = pd.concat(timing) if timing else pd.DataFrame({"seconds": [np.nan], "peak_memory_mb": [np.nan]})
    return Line(
        *identity,
        {score: float(rows[score].mean()) for score in HIGHER},
        {score: float(rows[score].std(ddof=0)) for score in HIGHER},
        len(rows),
        rows["subject"].nunique(),
        float(times["seconds"].median()),
        float(times["peak_memory_mb"].max()),
        last.parameters,
        "done",
        None,
    )


def best(table: list[Line], score: str) -> set[str]:
    """Methods with the best printed mean; bounds are not ranked."""
    ranked = {line.method: round(line.means[score], DIGITS[score]) for line in table if line.group != "bound"}
    ranked = {method: mean for method, mean in ranked.items() if not np.isnan(mean)}
    if not ranked:
        return set()
    top = max(ranked.values()) if HIGHER[score] else min(ranked.values())
    return {method for method, mean in ranked.items() if mean == top}


def cell(line: Line, score: str) -> str:
    """Mean ± std over slices."""
    if np.isnan(line.means[score]):
        return MISSING
    return f"{line.means[score]:.{DIGITS[score]}f} ± {line.stds[score]:.{DIGITS[score]}f}"


def number(value: float, digits: int) -> str:
    """Fixed digits, or a dash."""
    return MISSING if np.isnan(value) else f"{value:.{digits}f}"


def caption(block: Block, table: list[Line]) -> str:
    """What the figures are of. Simulated data is called so here."""
    done = [line for line in table if line.status == "done"]
    people = max((line.subjects for line in done), default=0)
    slices = max((line.slices for line in done), default=0)
    plural = "" if people == 1 else "s"
    return (
        f"{block.dataset}, profile {block.profile}: {block.label}; {slices} slices of {people} test subject{plural}. "
        "Mean ± standard deviation over slices (not over people). Best in bold; bounds see the truth and are not ranked."
    )


HEADER = ["method", "group", *TITLES.values(), "n slices", "n subjects", "s / slice", "peak MB", "parameters"]


def body(table: list[Line], bold: Callable[[str], str]) -> list[list[str]]:
    """Cells of every row."""
    winners = {score: best(table, score) for score in HIGHER}
    rows = []
    for line in table:
        if line.status != "done":
            rows.append([line.method, line.group, line.status, *[MISSING] * (len(HEADER) - 3)])
            continue
        scores = [bold(cell(line, s)) if line.method in winners[s] else cell(line, s) for s in HIGHER]
        tail = [str(line.slices), str(line.subjects), number(line.seconds, 3), number(line.memory_mb, 0)]
        rows.append([line.method, line.group, *scores, *tail, f"{line.parameters:,}"])
    return rows


def notes(block: Block, table: list[Line]) -> list[str]:
    """Metric identities, caveats, reasons of what is missing."""
    said = [f"{TITLES[name]}: {identity}" for name, identity in _metrics(block).items() if name in TITLES]
    said += [str(caveat) for caveat in block.runs[0].record.get("caveats", [])]
    said += [f"{line.method}: {line.status}: {line.reason}" for line in table if line.status != "done"]
    done = [run for run in block.done if run.timing is not None]
    if done:
        record = done[0].record["provenance"]
        said.append(f"Time: whole method, batch 1, {done[0].timing['threads'].iloc[0]} threads, {record['hardware']}.")  # type: ignore[index]
    return said


def _metrics(block: Block) -> dict[str, str]:
    return dict(block.done[0].record["metrics"]) if block.done else {}


def markdown(block: Block, contrast: str | None = None) -> str:
    """A GitHub table with caption and notes."""
    table = lines(block, contrast)
    rows = [HEADER, ["---", "---", *["---:"] * (len(HEADER) - 2)], *body(table, lambda text: f"**{text}**")]
    text = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    title = caption(block, table) + (f" Contrast {contrast} only." if contrast else "")
    return f"{title}\n\n{text}\n\n" + "\n".join(f"- {note}" for note in notes(block, table)) + "\n"


def csv(block: Block) -> str:
    """Plain numbers."""
    records = []
    for line in lines(block):
        scores = {f"{s}_{kind}": getattr(line, f"{kind}s")[s] for s in HIGHER for kind in ("mean", "std")}
        records.append(
            {"dataset": block.dataset, "profile": block.profile, "source": block.label, "method": line.method,
             "group": line.group, "status": line.status, **scores, "slices": line.slices, "subjects": line.subjects,
             "seconds": line.seconds, "peak_memory_mb": line.memory_mb, "parameters": line.parameters}
        )  # fmt: skip
    return pd.DataFrame(records).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def latex(block: Block) -> str:
    """A booktabs table."""
    table = lines(block)
    escape = {"±": r"$\pm$", MISSING: "--", "_": r"\_", "%": r"\%", "&": r"\&"}

    def clean(text: str) -> str:
        for old, new in escape.items():
            text = text.replace(old, new)
        return text

    rows = [[clean(c) for c in row] for row in body(table, lambda text: rf"\textbf{{{text}}}")]
    head = " & ".join(clean(title) for title in HEADER)
    content = " \\\\\n".join(" & ".join(row) for row in rows)
    return (
        f"% {caption(block, table)}\n"
        f"\\begin{{tabular}}{{ll{'r' * (len(HEADER) - 2)}}}\n\\toprule\n{head} \\\\\n\\midrule\n{content} \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )
