"""The words around a table: what the figures are of, and what is missing and why."""

from collections.abc import Callable, Iterable

import numpy as np

from bench.report.collect import Block, Run
from bench.report.tables import HIGHER, MISSING, NAMES, Line
from bench.store import ROW_KEY


def counted(n: int, noun: str) -> str:
    """ "1 slice", "2 slices"."""
    return f"{n} {noun}" + ("" if n == 1 else "s")


def caption(block: Block, contrast: str | None = None) -> str:
    """What the figures are of. Simulated data is called so here."""
    rows = block.rows if contrast is None else block.rows[block.rows["contrast"] == contrast]
    of = f"{block.dataset}, contrast {contrast}" if contrast else block.dataset
    slices, people = len(rows.drop_duplicates(ROW_KEY)), rows["subject"].nunique()
    seeds, folds = (len({run.record[key] for run in block.done}) for key in ("seed", "fold"))
    replicates = counted(seeds, "training seed") + (f", {folds} folds" if folds > 1 else "")
    return (
        f"{of}, profile {block.profile}: {block.label}; {counted(slices, 'slice')} of {counted(people, 'test subject')}, "
        f"{replicates}. Mean ± standard deviation over slices (not over people). "
        "Best in bold; bounds see the truth and are not ranked."
    )


def notes(block: Block, table: list[Line]) -> list[str]:
    """Metric identities, caveats, reasons of what is missing, cost, provenance."""
    return [*_metrics(block), *_caveats(block), *_missing(table), *_unequal(block), *_unfinished(block), *_cost(block)]


def _metrics(block: Block) -> list[str]:
    """Once each; with the methods' names where they are not all the same."""
    said = []
    for score in HIGHER:
        users = _by(block.done, lambda run, score=score: str(run.record["metrics"].get(score, "not said")))  # type: ignore[misc]
        for identity, methods in users.items():
            said.append(f"{NAMES[score]}{_only(methods, users)}: {identity}")
    return said


def _by(runs: Iterable[Run], key: Callable[[Run], str]) -> dict[str, list[str]]:
    """Methods that share a key, by key."""
    groups: dict[str, list[str]] = {}
    for run in runs:
        methods = groups.setdefault(key(run), [])
        if run.method not in methods:
            methods.append(run.method)
    return groups


def _only(methods: list[str], groups: dict[str, list[str]]) -> str:
    return f" ({', '.join(methods)})" if len(groups) > 1 else ""


def _caveats(block: Block) -> list[str]:
    said = dict.fromkeys(str(caveat) for run in block.runs for caveat in run.record.get("caveats", []))
    limits = {int(run.record["limit"]) for run in block.done if run.record.get("limit")}
    return [*said, *(f"Cut to the first {counted(limit, 'test slice')} (--limit)." for limit in sorted(limits))]


def _missing(table: list[Line]) -> list[str]:
    without = [line.method for line in table if line.status == "done" and np.isnan(line.means["psnr_lr"])]
    return [f"LR PSNR {MISSING}: no LR image on the way ({', '.join(without)})."] if without else []


def _unequal(block: Block) -> list[str]:
    """Means over other slices are not to be compared."""
    said: list[str] = []
    if not block.done:
        return said
    everything = len(block.rows.drop_duplicates(ROW_KEY))
    for method, rows in block.rows.groupby("method"):
        own = len(rows.drop_duplicates(ROW_KEY))
        if own != everything:
            said.append(f"{method}: only {own} of {everything} slices; its means do not compare with others'.")
        for score in HIGHER:
            filled = int(rows[score].notna().sum())
            if 0 < filled < len(rows):
                said.append(f"{method}: {NAMES[score]} is the mean over {filled} of {len(rows)} rows.")
    return said


def _unfinished(block: Block) -> list[str]:
    several = len({run.record["seed"] for run in block.runs}) > 1
    return [
        run.method + (f" seed {run.record['seed']}" if several else "") + f": {run.outcome}"
        for method in block.methods()
        for run in block.of(method)
        if run.rows is None
    ]


def _cost(block: Block) -> list[str]:
    def machine(run: Run) -> str:
        assert run.timing is not None
        threads, device = run.timing["threads"].iloc[0], run.timing["device"].iloc[0]
        on = counted(int(threads), "thread") if device == "cpu" else str(device)
        return f"{on}, {run.record['provenance'].get('hardware', 'unknown hardware')}"

    machines = _by([run for run in block.done if run.timing is not None], machine)
    said = [f"Time{_only(m, machines)}: whole method, batch 1, median; {name}." for name, m in machines.items()]
    commits = _by(block.done, lambda run: str(run.record["provenance"].get("commit", "unknown"))[:12])
    return said + [f"Rows{_only(methods, commits)} made at commit {commit}." for commit, methods in commits.items()]
