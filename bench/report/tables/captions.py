"""The words around a table: what the figures are of, and what is missing and why."""

from collections.abc import Callable, Iterable, Sequence

from bench.report.read.results import Block, Run
from bench.report.statistics import FEWEST_SUBJECTS, WITHIN
from bench.report.tables.main import ALPHA, MAIN, NAMES, TIED, Line
from bench.store.files import ROW_KEY, SCORES


def counted(n: int, noun: str) -> str:
    """ "1 slice", "2 slices"."""
    return f"{n} {noun}" + ("" if n == 1 else "s")


def about(block: Block, contrast: str | None = None) -> str:
    """What the figures are of: data, n, seeds. Simulated data is called so here."""
    rows = block.rows if contrast is None else block.rows[block.rows["contrast"] == contrast]
    of = f"{block.dataset}, contrast {contrast}" if contrast else block.dataset
    slices, people = len(rows.drop_duplicates(ROW_KEY)), rows["subject"].nunique()
    seeds, folds = (len({run.record[key] for run in block.done}) for key in ("seed", "fold"))
    replicates = counted(seeds, "training seed") + (f", {folds} folds" if folds > 1 else "")
    counts = f"{counted(slices, 'slice')} of {counted(people, 'test subject')}, {replicates}"
    return f"{of}, profile {block.profile}: {block.label}; {counts}."


def caption(block: Block, contrast: str | None = None) -> str:
    """What the main table's figures are of, and how to read its marks."""
    people = block.rows["subject"].nunique()
    across = people >= FEWEST_SUBJECTS
    how = f"bootstrap over {people} subjects" if across else f"bootstrap over slices, {WITHIN}"
    unit = "subjects" if across else "slices"
    return (
        f"{about(block, contrast)} Mean ± standard deviation over slices (not over people) [95 % interval of the mean: "
        f"{how}]. Best in bold; {TIED} not told apart from the best (paired t-test over {unit}, Holm over the methods, "
        f"p ≥ {ALPHA:g}); bounds see the truth and are not ranked."
    )


def notes(block: Block, table: Sequence[Line]) -> list[str]:
    """Metric identities, caveats, reasons of what is missing, cost, provenance."""
    return [*identities(block, MAIN), *caveats(block), *_unequal(block), *unfinished(block), *_cost(block)]


def identities(block: Block, scores: Iterable[str]) -> list[str]:
    """What each column is: once each; with the methods' names where they are not all the same."""
    said = []
    for score in scores:
        users = _by(block.done, lambda run, score=score: str(run.record["metrics"].get(score, "not said")))  # type: ignore[misc]
        for identity, methods in users.items():
            said.append(f"{NAMES.get(score, score)}{_only(methods, users)}: {identity}")
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


def caveats(block: Block) -> list[str]:
    """What the data do not tell, and whether slices were left out."""
    said = dict.fromkeys(str(caveat) for run in block.runs for caveat in run.record.get("caveats", []))
    limits = {int(run.record["limit"]) for run in block.done if run.record.get("limit")}
    return [*said, *(f"Cut to the first {counted(limit, 'test slice')} (--limit)." for limit in sorted(limits))]


def _unequal(block: Block) -> list[str]:
    """Means over other slices are not to be compared."""
    said: list[str] = []
    if not block.done:
        return said
    everything = len(block.rows.drop_duplicates(ROW_KEY))
    for method, rows in block.rows.groupby("method"):
        own = len(rows.drop_duplicates(ROW_KEY))
        if own != everything:
            people = rows["subject"].nunique()
            label = f"; {counted(people, 'subject')}: its interval is {WITHIN}" if people < FEWEST_SUBJECTS else ""
            said.append(f"{method}: only {own} of {everything} slices; its means do not compare with others'{label}.")
        for score in SCORES:
            filled = int(rows[score].notna().sum())
            if 0 < filled < len(rows):
                said.append(f"{method}: {NAMES[score]} is the mean over {filled} of {len(rows)} rows.")
    return said


def unfinished(block: Block) -> list[str]:
    """Runs without rows, and why."""
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
    commits = _by(block.done, lambda run: _short(str(run.record["provenance"].get("commit", "unknown"))))
    said += [f"GMAC{note.removeprefix('gmac')}." for note in identities(block, ("gmac",)) if "not said" not in note]
    return said + [f"Rows{_only(methods, commits)} made at commit {commit}." for commit, methods in commits.items()]


def _short(commit: str) -> str:
    """A commit's first digits, and whether files were changed since."""
    return commit[:12] + (" with changes" if commit.endswith("+") else "")
