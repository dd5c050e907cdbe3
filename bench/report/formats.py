"""The table as Markdown, CSV and LaTeX. Same results, same bytes."""

from collections.abc import Sequence

import pandas as pd

from bench.report.captions import caption, notes
from bench.report.collect import Block
from bench.report.tables import HEADER, HIGHER, MISSING, body, lines

LATEX = str.maketrans(
    {"±": r"$\pm$", MISSING: "--", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "\\": r"\textbackslash{}",
     "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", **{c: f"\\{c}" for c in "_%&#${}"}}
)  # fmt: skip


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2) -> str:
    """A GitHub table; the first `left` columns are text."""
    rule = ["---"] * left + ["---:"] * (len(header) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *rows)) + "\n"


def markdown(block: Block, contrast: str | None = None) -> str:
    """Caption, table, notes."""
    table = lines(block, contrast)
    said = "\n".join(f"- {note}" for note in notes(block, table))
    return f"{caption(block, contrast)}\n\n{markdown_table(HEADER, body(table, '**{}**'.format))}\n{said}\n"


def contrasts(block: Block) -> str:
    """A table for each contrast."""
    parts = []
    for contrast in block.contrasts():
        table = markdown_table(HEADER, body(lines(block, contrast), "**{}**".format))
        parts.append(f"{caption(block, contrast)}\n\n{table}")
    return "\n".join(parts)


def csv(block: Block) -> str:
    """Plain numbers; the contrast "all" is every slice."""
    records = []
    several = block.contrasts() if len(block.contrasts()) > 1 else []
    for contrast in [None, *several]:
        for line in lines(block, contrast):
            scores = {f"{s}_{kind}": getattr(line, f"{kind}s")[s] for s in HIGHER for kind in ("mean", "std")}
            records.append(
                {"dataset": block.dataset, "profile": block.profile, "source": block.label,
                 "contrast": contrast or "all", "method": line.method, "group": line.group, "status": line.status,
                 **scores, "slices": line.slices, "subjects": line.subjects, "seconds": line.seconds,
                 "peak_memory_mb": line.memory_mb, "parameters": line.parameters, "reason": line.reason}
            )  # fmt: skip
    return pd.DataFrame(records).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def latex(block: Block) -> str:
    """A table as wide as the text; needs booktabs and graphicx."""

    def clean(text: str) -> str:
        return text.translate(LATEX)

    table = lines(block)
    rows = body(table, lambda text: rf"\textbf{{{clean(text)}}}", clean)
    content = "\n".join(" & ".join(row) + r" \\" for row in rows)
    said = "\n".join(f"% {note}" for note in notes(block, table))
    return rf"""% \usepackage{{booktabs,graphicx}}
{said}
\begin{{table*}}
\caption{{{clean(caption(block))}}}
\resizebox{{\textwidth}}{{!}}{{%
\begin{{tabular}}{{ll{"r" * (len(HEADER) - 2)}}}
\toprule
{" & ".join(map(clean, HEADER))} \\
\midrule
{content}
\bottomrule
\end{{tabular}}}}
\end{{table*}}
"""
