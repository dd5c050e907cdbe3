"""The table as Markdown, CSV and LaTeX. Same results, same bytes."""

from collections.abc import Sequence

import pandas as pd

from bench.metrics.scores import BY_ID, MAIN
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import caption, notes
from bench.report.tables.main import HEADER, IDLE, MISSING, TIED, Line, Table, body, interval, lines

LATEX = str.maketrans(
    {"±": r"$\pm$", MISSING: "--", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "≥": r"$\geq$", TIED: r"$^\dagger$",
     IDLE: r"$^\ddagger$",
     "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
     **{c: f"\\{c}" for c in "_%&#${}"}}
)  # fmt: skip


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2) -> str:
    """A GitHub table; the first `left` columns are text."""
    rule = ["---"] * left + ["---:"] * (len(header) - left)
    cells = [[cell.replace("|", r"\|") for cell in row] for row in (header, rule, *rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells) + "\n"


def markdown(results: DatasetResults, contrast: str | None = None) -> str:
    """Caption, table, notes."""
    table = lines(results, contrast)
    said = "\n".join(f"- {note}" for note in notes(results, table))
    return f"{caption(results, contrast)}\n\n{markdown_table(HEADER, body(table, '**{}**'.format), 3)}\n{said}\n"


def contrasts(results: DatasetResults) -> str:
    """A table for each contrast."""
    parts = []
    for contrast in results.contrasts():
        table = markdown_table(HEADER, body(lines(results, contrast), "**{}**".format), 3)
        parts.append(f"{caption(results, contrast)}\n\n{table}")
    return "\n".join(parts)


def csv(results: DatasetResults) -> str:
    """Plain numbers; the contrast "all" is every slice."""
    records = []
    several = results.contrasts() if len(results.contrasts()) > 1 else []
    for contrast in [None, *several]:
        for line in lines(results, contrast):
            scores = {f"{s}_{kind}": getattr(line, f"{kind}s")[s] for s in BY_ID for kind in ("mean", "std")}
            records.append(
                {"dataset": results.dataset, "profile": results.profile, "source": results.label,
                 "contrast": contrast or "all", "method": line.method, "group": line.group, "class": line.loss,
                 "status": line.status,
                 **scores, **_bounds(line), "slices": line.slices, "subjects": line.subjects, "seconds": line.seconds,
                 "peak_memory_mb": line.memory_mb, "parameters": line.parameters,
                 "gmac": line.gmac, "reason": line.reason}
            )  # fmt: skip
    return pd.DataFrame(records).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _bounds(line: Line) -> dict[str, float | str]:
    """Ends of the intervals of the main scores, and what they speak of."""
    found = {score: interval(line, score) for score in MAIN}
    ends = {f"{s}_{end}": getattr(i, end) if i else float("nan") for s, i in found.items() for end in ("low", "high")}
    return {**ends, "interval_scope": next((i.scope for i in found.values() if i), "")}


def latex(results: DatasetResults) -> str:
    """A table as wide as the text; needs booktabs and graphicx."""

    rows = body(lines(results), lambda text: rf"\textbf{{{clean(text)}}}", clean)
    return _latex(caption(results), HEADER, rows, notes(results, lines(results)))


def clean(text: str) -> str:
    """Plain text for LaTeX."""
    return text.translate(LATEX)


def _latex(said: str, header: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    """Rows are LaTeX already; the rest is plain text."""
    content = "\n".join(" & ".join(row) + r" \\" for row in rows)
    comments = "\n".join(["% \\usepackage{booktabs,graphicx}", *(f"% {remark}" for remark in remarks)])
    return rf"""{comments}
\begin{{table*}}
\caption{{{clean(said)}}}
\resizebox{{\textwidth}}{{!}}{{%
\begin{{tabular}}{{ll{"r" * (len(header) - 2)}}}
\toprule
{" & ".join(map(clean, header))} \\
\midrule
{content}
\bottomrule
\end{{tabular}}}}
\end{{table*}}
"""


def files(table: Table) -> dict[str, str]:
    """A table beside the main one as `name.md`, `name.csv` and `name.tex`; a dash is an empty cell of the CSV."""
    said = "".join(f"- {note}\n" for note in table.notes)
    text = f"{table.caption}\n\n{markdown_table(table.header, table.rows)}" + (f"\n{said}" if said else "")
    rows = [[clean(cell) for cell in row] for row in table.rows]
    return {
        f"{table.name}.md": text,
        f"{table.name}.csv": plain_csv(table),
        f"{table.name}.tex": _latex(table.caption, table.header, rows, table.notes),
    }


def plain_csv(table: Table) -> str:
    """Its cells; a dash is an empty one."""
    plain = pd.DataFrame(table.rows, columns=table.header).replace(MISSING, "")
    return plain.to_csv(index=False, lineterminator="\n")
