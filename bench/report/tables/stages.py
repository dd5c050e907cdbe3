"""What was chosen for each stage before it was made: rates that were tried, settings that were tuned, and a watched critic."""

from bench.metrics.scores import BY_ID
from bench.report.read.results import DatasetResults
from bench.report.tables.captions import about_data
from bench.report.tables.main import AT_WORK, IDLE, MISSING, Table, at_work, number
from bench.store.records import StageRecord, at_edge

JUDGED_BY = "psnr_fg"


def table(results: DatasetResults) -> Table | None:
    """A row a stage that was tuned, had tries, or has a discriminator; None without any."""
    used = {stage.key for run in results.done for stage in run.record.stages}
    records = [record for key, record in results.stages.items() if key in used]
    rows = [row for record in sorted(records, key=lambda r: (r.id, r.seed, r.fold)) if any((row := _row(record))[3:])]
    if not rows:
        return None
    said = (
        f"{about_data(results)}. Rates tried, with the {BY_ID[JUDGED_BY].label} of validation and the best in front; what "
        "shows none learns at the profile's rate or, with an adversary, at that of its twin without; settings that were "
        "tuned, and whether the best lies at the edge of its grid, beyond which nobody looked; accuracy of the "
        "discriminator over the last quarter of the adversarial phase."
    )
    notes = [
        f"{IDLE} discriminator outside {AT_WORK[0]:g} to {AT_WORK[1]:g}: it guesses, or is always right, and teaches little."
    ]
    header = ["stage", "seed", "fold", "tries", "tuned", "discriminator"]
    return Table("stages", said, header, rows, notes if any(row[5] for row in rows) else [])


def _row(record: StageRecord) -> list[str]:
    marks = dict.fromkeys(record.at_edge, " (edge of its grid)")
    tuned = ", ".join(f"{name} {value:g}{marks.get(name, '')}" for name, value in (record.choice or {}).items())
    return [record.id, str(record.seed), str(record.fold), _tries(record), tuned, critic(record)]


def _tries(record: StageRecord) -> str:
    ordered = sorted(record.tries, key=lambda found: -found.get(JUDGED_BY, float("-inf")))
    said = [f"{_rates(found)}: {number(found.get(JUDGED_BY, float('nan')), 2)}" for found in ordered]
    if ordered and at_edge({name: value for name, value in ordered[0].items() if name != JUDGED_BY}, record.tries):
        said[0] += " (edge of what was tried)"
    return "; ".join(said)


def _rates(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in found.items() if name != JUDGED_BY) or MISSING


def critic(record: StageRecord) -> str:
    """ "0.71", and a mark where it is not at work; empty without a discriminator."""
    if record.critic_accuracy is None:
        return ""
    return f"{record.critic_accuracy:.2f}" + ("" if at_work(record.critic_accuracy) else f" {IDLE}")
