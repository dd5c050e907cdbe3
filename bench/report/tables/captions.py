"""The words around a table: what the figures are of, and what is missing and why."""

from collections.abc import Callable, Iterable, Sequence

from bench.metrics.scores import BY_ID, MAIN, SCORES
from bench.report.read.results import DatasetResults, Run
from bench.report.statistics import FEWEST_PEOPLE, WITHIN
from bench.report.tables.main import ALPHA, AT_WORK, AT_WORK_SHARE, BUSY, IDLE, TAKEN, TIED, Line
from bench.store.tables import ROW_KEY

NOT_RECORDED = "not recorded"
JOINT_SAID = (
    "joint: the loss on the HR image reaches everything that is learned, or one network does both; sequential: the "
    "super-resolver learns with the reconstructor frozen, or apart from it"
)
GROUPS_SAID = f"Groups: {JOINT_SAID}; single: only one of the two tasks is done; bound: sees the truth, never ranked."
NAMES_SAID = (
    "Names: A+B, super-resolver B learns on the images of the finished reconstructor A; A~B, both learn together; oracle, "
    "images without a reconstruction error. Class l1: pixel losses; gan: adversarial ones too. fg: inside the head."
)
CLASSES_SAID = "Class: l1, pixel losses only; gan, perceptual or adversarial terms too; none, nothing learned."


def counted(n: int, noun: str) -> str:
    """ "1 slice", "2 slices"."""
    return f"{n} {noun}" + ("" if n == 1 else "s")


def people_said(n: int) -> str:
    """ "one person", "2 people"."""
    return "one person" if n == 1 else f"{n} people"


def about(results: DatasetResults, contrast: str | None = None) -> str:
    """What the figures are of: data, n, seeds. Simulated data is called so here."""
    rows = results.rows if contrast is None else results.rows[results.rows["contrast"] == contrast]
    slices, people = len(rows.drop_duplicates(ROW_KEY)), rows["subject"].nunique()
    seeds, folds = len({run.record.seed for run in results.done}), len({run.record.fold for run in results.done})
    replicates = counted(seeds, "training seed") + (f", {folds} folds" if folds > 1 else "")
    counts = f"{counted(slices, 'slice')} of {counted(people, 'test subject')}, {replicates}"
    return f"{title(results, contrast)}: {results.label}; {counts}."


def about_data(results: DatasetResults) -> str:
    """Which data, and whether they are simulated: "vwi, profile laptop: simulated acquisition"."""
    return f"{results.title}: {results.label}"


def about_means(results: DatasetResults) -> str:
    """The same, and over how many people a mean goes: "vwi, profile laptop: simulated acquisition, 10 people"."""
    people = people_said(results.rows["subject"].nunique())
    said = about_data(results)
    return said if said.endswith(people) else f"{said}, {people}"


def title(results: DatasetResults, contrast: str | None = None) -> str:
    """ "vwi, contrast t1w, profile laptop"."""
    return f"{results.dataset}, contrast {contrast}, profile {results.profile}" if contrast else results.title


def caption(results: DatasetResults, contrast: str | None = None) -> str:
    """What the main table's figures are of, and how to read its marks."""
    return f"{about(results, contrast)} {reading(results)}"


def reading(results: DatasetResults) -> str:
    """How to read the main table's marks."""
    people = results.rows["subject"].nunique()
    across = people >= FEWEST_PEOPLE
    how = f"Student's t over {people} people{corrected(results)}" if across else f"blocks of positions drawn, {WITHIN}"
    told = f"; {TIED} not told apart from the best (paired t-test over people, Holm over the methods, p ≥ {ALPHA:g})"
    return (
        "Inside of the head (fg) first, then the whole image as the paper scores it. Mean over people ± standard deviation "
        f"over slices [95 % interval of the mean: {how}]. Best mean in bold{told if across else ''}; bounds see the truth and "
        f"are not ranked. {GROUPS_SAID} {CLASSES_SAID}"
    )


def corrected(results: DatasetResults) -> str:
    """That folds share training people, where they do: how the variance takes that into account."""
    if not results.test_share:
        return ""
    return (
        f", variance (1/n + {results.test_share:.3g}) s² as {counted(len(results.folds), 'fold')} share training people"
    )


def caption_without_intervals(results: DatasetResults) -> str:
    """That of a table of means and standard deviations only, in which the best are bold."""
    return f"{about(results)} Mean over people ± standard deviation over slices; best in bold; bounds are not ranked."


def caption_of_means(results: DatasetResults) -> str:
    """That of a table of means only, in which the best are bold."""
    return f"{about(results)} Mean over people; best in bold; bounds see the truth and are not ranked."


def notes(results: DatasetResults, table: Sequence[Line]) -> list[str]:
    """Metric identities, caveats, reasons of what is missing, idle discriminators, cost, provenance."""
    return [
        *identities(results, MAIN),
        *caveats(results),
        *unequal(results),
        *unfinished(results),
        *_idle(table),
        *timed_busy(table),
        *_cost(results),
    ]


def identities(results: DatasetResults, scores: Iterable[str]) -> list[str]:
    """What each column is: once each; with the methods' names where they are not all the same."""
    said = []
    for score in scores:
        name = BY_ID[score].name if score in BY_ID else score
        users = _users(results, score)
        said += [f"{name}{_only(methods, users)}: {identity}" for identity, methods in users.items()]
    return said


def _users(results: DatasetResults, score: str) -> dict[str, list[str]]:
    """Methods by what they record that a column is."""
    return _by(results.done, lambda run: run.record.metrics.get(score, NOT_RECORDED))


def not_computed(results: DatasetResults) -> list[str]:
    """Which of the main scores were skipped, and why."""
    found = [score for score in MAIN if any(text.startswith("skipped") for text in _users(results, score))]
    return identities(results, found)


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


def caveats(results: DatasetResults) -> list[str]:
    """What the data cannot show, and whether slices were left out."""
    said = dict.fromkeys(caveat for run in results.runs for caveat in run.record.caveats)
    limits = {run.record.limit for run in results.done if run.record.limit}
    return [*said, *(f"Cut to the first {counted(limit, 'test slice')} (--limit)." for limit in sorted(limits))]


def unequal(results: DatasetResults) -> list[str]:
    """Which means are over fewer slices than others, and do not compare with them."""
    said: list[str] = []
    if not results.done:
        return said
    everything = len(results.rows.drop_duplicates(ROW_KEY))
    for method, rows in results.rows.groupby("method"):
        own = len(rows.drop_duplicates(ROW_KEY))
        if own != everything:
            people = rows["subject"].nunique()
            label = f"; {counted(people, 'subject')}: its interval is {WITHIN}" if people < FEWEST_PEOPLE else ""
            said.append(f"{method}: only {own} of {everything} slices; its means do not compare with others'{label}.")
        for score in SCORES:
            filled = int(rows[score].notna().sum())
            if 0 < filled < len(rows):
                said.append(f"{method}: {BY_ID[score].name} is the mean over {filled} of {len(rows)} rows.")
    return said


def unfinished(results: DatasetResults) -> list[str]:
    """Runs without rows, and why."""
    several = len({run.record.seed for run in results.runs}) > 1
    return [
        run.method + (f" seed {run.record.seed}" if several else "") + f": {run.record.outcome}"
        for method in results.methods()
        for run in results.of(method)
        if run.rows is None
    ]


def _idle(table: Sequence[Line]) -> list[str]:
    """Which methods were trained with a discriminator that taught little."""
    found = [line.method for line in table if line.idle]
    between = f"{AT_WORK[0]:g} to {AT_WORK[1]:g}"
    said = f"{IDLE} discriminator's accuracy outside {between} at the end: it guesses, or is always right"
    return [f"{said}: {', '.join(found)}."] if found else []


def timed_busy(table: Sequence[Line]) -> list[str]:
    """Whose seconds mean little."""
    found = [line.method for line in table if line.busy]
    signs = (
        f"less than {AT_WORK_SHARE:.0%} of the seconds were at work on it, or cores were taken {TAKEN:g} times a second"
    )
    said = f"{BUSY} timed while the machine was busy: {signs}"
    return [f"{said}: {', '.join(found)}."] if found else []


def _cost(results: DatasetResults) -> list[str]:
    def machine(run: Run) -> str:
        assert run.timing is not None
        threads, device = run.timing["threads"].iloc[0], run.timing["device"].iloc[0]
        on = counted(int(threads), "thread") if device == "cpu" else str(device)
        return f"{on}, {run.record.provenance.get('hardware', 'unknown hardware')}"

    machines = _by([run for run in results.done if run.timing is not None], machine)
    said = [f"Time{_only(m, machines)}: whole method, batch 1, median; {name}." for name, m in machines.items()]
    said += [f"GMAC{n.removeprefix('gmac')}." for n in identities(results, ("gmac",)) if NOT_RECORDED not in n]
    commits = _by(results.done, lambda run: _short(str(run.record.provenance.get("commit", "unknown"))))
    return said + [f"Rows{_only(methods, commits)} made at commit {commit}." for commit, methods in commits.items()]


def _short(commit: str) -> str:
    """A commit's first digits, and whether files were changed since."""
    return commit[:12] + (" with changes" if commit.endswith("+") else "")
