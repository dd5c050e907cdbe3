"""Try three learning rates for each method of the declared comparisons that learns by pixel losses alone.

`tools/tries.py FOLDER`: on validation of fold 0 of `vwi`, laptop, seed 0; nothing is scored on the test person. In `A+B` A's
rate is tried first, then B's. FOLDER/won then holds the stages at their best rates, each with its tries in `stage.json`; what
belongs into the profile is printed. Stages that are there are not made again.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

from bench import registry
from bench.config import load
from bench.data.prepare import prepare
from bench.run.execute import stage_job
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.layout import StageFolder
from bench.store.records import StageRecord
from bench.train.stage import make_stage
from bench.workers import Task, carry_out

PROFILE = "laptop"
RATES = (1e-3, 5e-4, 2e-3)
STAGES = {
    "dl-espirit": ("dl-espirit+sinc", "dl-espirit"),
    "dl-espirit+rrdb": ("dl-espirit+rrdb", "dl-espirit+rrdb"),
    "dl-espirit~rrdb": ("dl-espirit~rrdb", "dl-espirit~rrdb"),
    "proposed-l1": ("proposed-l1", "proposed"),
    "hr-refined": ("hr-refined", "hr-refined"),
    "hr-unrolled": ("hr-unrolled", "hr-unrolled"),
    "hr-refined-frozen": ("hr-refined-frozen", "hr-refined-frozen"),
}
"""By stage: a method that has it, and the table of the profile that its rate stands in."""


def main() -> None:
    """Try them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    (given.folder / "won").mkdir(parents=True, exist_ok=True)
    registry.discover()
    settings: list[str] = []
    for stage in STAGES:
        won = try_rates(given.folder, stage, settings, given.jobs)
        settings += won
        print(f"profile: {' '.join(won) or 'as it is'}", flush=True)


def setting(stage: str, rate: float) -> str:
    """What `--set` takes."""
    return f"methods.{STAGES[stage][1]}.learning_rate={rate}"


def to_set(stage: str, rate: float, settings: list[str]) -> list[str]:
    """What has to be set for the stage to have this rate: nothing where it has it anyway."""
    plugin = registry.method(stage.rpartition("+")[2])
    now = load(PROFILE, settings).training_of(stage, plugin).learning_rate
    return [] if now == rate else [setting(stage, rate)]


def try_rates(folder: Path, stage: str, settings: list[str], jobs: int) -> list[str]:
    """Train a stage at each rate that is not there yet; keep the best. Returns what has to be set for it."""
    places: dict[float, StageFolder] = {}
    set_for: dict[float, list[str]] = {}
    tasks = []
    for rate in RATES:
        own = set_for[rate] = to_set(stage, rate, settings)
        request = Request(
            ("vwi",),
            STAGES[stage][0],
            PROFILE,
            results=folder / f"{rate:g}",
            weights=folder / "won",
            overrides=(*settings, *own),
        )
        (plan,) = make_plan(request)
        prepare(plan.training, ["train", "validation"], jobs, lambda *_: None)
        found = plan.stages[stage]
        places[rate] = found.place
        if not found.found:
            tasks.append(Task(f"{stage} {rate:g}", make_stage, (stage_job(request, plan, found),)))
    outcomes = carry_out(tasks, jobs, 1, lambda *_: None)
    failed = {id: outcome for id, outcome in outcomes.items() if outcome.status != "done"}
    if failed:
        raise SystemExit(f"failed: {failed}")
    records = {rate: StageRecord.read(place.record) for rate, place in places.items()}
    tries = tuple({"learning_rate": rate, "psnr_fg": round(r.validation["psnr_fg"], 4)} for rate, r in records.items())
    best = max(records, key=lambda rate: records[rate].validation["psnr_fg"])
    print(f"{stage}: {best:g} of {tries}", flush=True)
    kept = StageFolder(folder / "won" / places[best].path.relative_to(folder / f"{best:g}"))
    if kept.path != places[best].path:
        shutil.copytree(places[best].path, kept.path, dirs_exist_ok=True)
        replace(records[best], tries=tries).write(kept.record)
    return set_for[best]


if __name__ == "__main__":
    main()
