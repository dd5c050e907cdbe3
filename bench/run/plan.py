"""What is found and what is to do: stages and rows of every dataset, seed and fold."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from bench import config, registry
from bench.composition import skeleton
from bench.config import Settings
from bench.data import assets
from bench.data.dataset import Dataset, make_source
from bench.data.prepare import missing_assets
from bench.data.protocol import Split
from bench.data.sampling import sampling_mask
from bench.errors import UserError
from bench.method import Trained
from bench.metrics.scores import VERSION
from bench.registry import MethodPlugin, Plugin, check_text, foreign_files
from bench.run.methods import Method, Sketch, Stage, select, stages_of
from bench.run.request import Request, check, check_writable
from bench.store import layout
from bench.store.keys import key_of, sha256_of
from bench.store.layout import ResultsFolder, RunFolder, StageFolder
from bench.store.records import RunRecord, StageRecord
from bench.train.stage import find_stage, unfinished

LEARNED: tuple[Split, ...] = ("train", "validation")
TO_DO = Literal["nothing", "time", "evaluate"]


@dataclass(frozen=True)
class StagePlan:
    """A stage, where it is written and where it was found."""

    stage: Stage
    folder: StageFolder
    """Where it is written if it has to be made."""
    found: StageFolder | None
    """Where it lies, finished, under its key."""
    foreign: dict[str, str]
    """sha256 by id of the plugins it depends on that are not part of this package."""

    @cached_property
    def record(self) -> StageRecord | None:
        """What is known of it, where it was found."""
        return StageRecord.read(self.found.record) if self.found else None

    @property
    def place(self) -> StageFolder:
        """Where it lies, or will."""
        return self.found or self.folder


@dataclass(frozen=True)
class RowPlan:
    """A method's rows: where they lie, what they are made of, and whether they have to be."""

    method: Method
    folder: RunFolder
    key: str
    stages: tuple[StagePlan | None, ...]
    """A half each; None where it has nothing to learn."""
    foreign: dict[str, str]
    """sha256 by id of the plugins it depends on that are not part of this package."""
    to_do: TO_DO

    @property
    def own_stages(self) -> list[StagePlan]:
        """Those that there are."""
        return [stage for stage in self.stages if stage]


@dataclass
class DatasetPlan:
    """What one dataset, seed and fold need."""

    dataset: str
    seed: int
    fold: int
    settings: Settings
    test: Dataset
    """What rows are made of."""
    training: Dataset
    """What stages are made of: another dataset's where it says `train_on`."""
    stages: dict[str, StagePlan] = field(default_factory=dict)
    rows: list[RowPlan] = field(default_factory=list)

    @property
    def with_lpips(self) -> bool:
        """Whether LPIPS is measured: not where the profile downloads no weights."""
        return self.settings.training.perceptual_weight > 0

    @property
    def to_evaluate(self) -> list[RowPlan]:
        """Rows to compute."""
        return [row for row in self.rows if row.to_do == "evaluate"]

    @property
    def to_time(self) -> list[RowPlan]:
        """Rows that are there, but whose run ended before it timed them."""
        return [row for row in self.rows if row.to_do == "time"]

    @property
    def to_train(self) -> list[StagePlan]:
        """Stages that rows to be computed need and nobody has made."""
        needed: set[str] = set()
        asked = [stage.stage.id for row in self.to_evaluate for stage in row.own_stages]
        while asked:
            plan = self.stages[asked.pop()]
            if not plan.found:
                needed.add(plan.stage.id)
                asked += plan.stage.needs
        return [plan for id, plan in self.stages.items() if id in needed]


def make_plan(request: Request) -> list[DatasetPlan]:
    """Check the whole request, before anything is fetched or written, and say what is to do.

    Raises
    ------
    UserError
        For anything unknown, an unwritable results folder, or a folder that holds rows or stages of other settings.
    """
    registry.discover(request.plugin_files)
    settings = config.load(request.profile, request.overrides)
    methods = select(request.methods, settings)
    check(request)
    tests = [test for dataset in request.datasets for test in _tests(request, dataset, settings)]
    return [_plan_dataset(request, test, seed, settings, methods) for test in tests for seed in range(request.seeds)]


def _tests(request: Request, dataset: str, settings: Settings) -> list[Dataset]:
    """What is scored: a dataset in each of its folds that were asked for."""
    protocol = registry.find(registry.datasets(), dataset, "dataset").made_by()
    first = Dataset.of(protocol, request.source, settings, 0, request.limit)
    folds = range(make_source(first.source).folds()) if request.folds is None else request.folds
    return [Dataset.of(protocol, request.source, settings, fold, request.limit) for fold in folds]


def _plan_dataset(request: Request, test: Dataset, seed: int, settings: Settings, methods: list[Method]) -> DatasetPlan:
    training, trained_on = test, request.stages_of or test.protocol.train_on
    if trained_on:
        protocol = registry.find(registry.datasets(), trained_on, "dataset").made_by()
        while protocol.train_on:
            protocol = registry.datasets()[protocol.train_on].made_by()
        training = Dataset.of(protocol, None, settings, 0, None)
        _check_strangers(test, training)
    batch = min(settings.training.batch, training.count("train"))
    if batch % request.devices:
        raise UserError(
            f"A batch of {batch} cannot be shared equally by --devices {request.devices}: set training.batch to a multiple."
        )
    plan = DatasetPlan(test.name, seed, test.fold, settings, test, training)
    stages = stages_of(methods, settings, seed, training.fold, lambda: training.key("train", "validation"))
    plan.stages = {id: _plan_stage(request, plan, stage) for id, stage in stages.items()}
    _check_table(request, plan, methods)
    plan.rows = [_plan_row(request, plan, method) for method in methods]
    _check_people(plan)
    _check_masks(plan)
    return plan


def _check_strangers(test: Dataset, training: Dataset) -> None:
    """Nobody is tested by stages that they trained, whether by one name or by one data."""
    people = [id for ids in training.subjects.values() for id in ids]
    often = Counter(digest for id in people for digest in {*training.digests(id)})  # what all share tells of nobody
    learned = [id for split in LEARNED for id in training.subjects[split]]
    whose = {digest: id for id in learned for digest in training.digests(id) if often[digest] == 1}
    for id in test.subjects["test"]:
        same = [whose[digest] for digest in test.digests(id) if digest in whose]
        if same or (test.source == training.source and id in learned):
            known = f" (there '{same[0]}')" if same and same[0] != id else ""
            raise UserError(
                f"'{id}' of '{test.name}' trained the stages of '{training.name}'{known}, and cannot be tested by them: "
                "name other stages, or other people."
            )


def _check_people(plan: DatasetPlan) -> None:
    """Somebody is tested, and there is somebody to learn from for what has to learn."""
    if not plan.test.count("test"):
        raise UserError(f"Source '{plan.test.source}' of dataset '{plan.dataset}' has nobody in 'test'.")
    lacking = [split for split in ("train", "validation") if not plan.training.count(split)]
    for stage in plan.to_train:
        needed = lacking if stage.stage.plugin.trained else [split for split in lacking if split == "validation"]
        if needed:
            raise UserError(
                f"Source '{plan.training.source}' has nobody in '{needed[0]}', which '{stage.stage.id}' needs to learn from: "
                "score with other stages, e.g. --stages-of vwi, name methods that learn nothing, e.g. --methods "
                f"'cg-sense-plain+*,!*+medsrgan,!*+bebygan,!*+rrdb', or people for '{needed[0]}'."
            )


def _check_masks(plan: DatasetPlan) -> None:
    """Every view's mask can be made, and what is made can be kept."""
    at_work = [plan.training] if plan.to_train else []
    at_work += [plan.test] if plan.to_evaluate or plan.to_time else []
    if at_work:
        check_writable("cache", layout.cache_folder(), "BENCH_CACHE")
    for data in at_work:
        for view in data.protocol.views:
            sampling_mask(data.protocol.of(view))


def _data_plugins(data: Dataset) -> list[Plugin]:
    return [registry.datasets()[data.protocol.id], registry.sources()[data.source]]


def _plan_stage(request: Request, plan: DatasetPlan, stage: Stage) -> StagePlan:
    data, profile = plan.training, plan.settings.profile
    own, *elsewhere = [root.stage(data.name, profile, stage.id, plan.seed, data.fold) for root in request.stage_folders]
    upstream = [stage.upstream] if stage.upstream else []
    plugins: list[Plugin] = [*stage.plugin.authored, *upstream, *_data_plugins(data)]
    foreign = foreign_files(plugins)
    if request.retrain:
        return StagePlan(stage, own, None, foreign)
    # an unfinished training here is completed rather than replaced by weights from elsewhere
    found = find_stage(own, () if unfinished(own, stage.key) else elsewhere, stage.key)
    if found:
        before = StageRecord.read(found.record).plugin_files
        check_text(found.record, "stage was trained", before, plugins, "--retrain")
    elif own.record.exists():
        before, now = StageRecord.read(own.record).settings, plan.settings.to_dict((stage.plugin,))
        what = _difference(before, now) or ("another version of the method, its data or what it is trained on", "", "")
        raise UserError(_refusal(str(own.path), what, "--retrain"))
    return StagePlan(stage, own, found, foreign)


def _plan_row(request: Request, plan: DatasetPlan, method: Method) -> RowPlan:
    folder = request.folder.run(plan.dataset, plan.settings.profile, method.id, plan.seed, plan.fold)
    stages = tuple(plan.stages.get(id) for id in method.stage_ids)
    plugins: list[Plugin] = [*method.authored, *_data_plugins(plan.test)]
    foreign = foreign_files(plugins)
    key = key_of(
        {
            "method": method.id,
            "halves": [half_key(p, s, plan.settings) for p, s in zip(method.halves, stages, strict=True)],
            "test": plan.test.key("test"),
            "lpips": plan.with_lpips,
            "scores": VERSION,
        }
    )
    found = RowPlan(method, folder, key, stages, foreign, "nothing")
    if not folder.record.exists() or request.rerun or request.retrain:
        return RowPlan(method, folder, key, stages, foreign, "evaluate")
    record = RunRecord.read(folder.record)
    if record.done:
        check_text(folder.record, "row was made", record.plugin_files, plugins, "--rerun or --retrain")
    if record.done and record.keys.method != key:
        what = _difference(record.settings, plan.settings.to_dict(method.halves))
        raise UserError(
            _refusal(str(folder.path), what, "--rerun")
            if what
            else f"{folder.path} holds rows of another version of the method or data: use --rerun, or another --results."
        )
    if not finished(folder, key) or _stale(record, found):
        return RowPlan(method, folder, key, stages, foreign, "evaluate")
    if request.timing and not folder.timing.exists() and all(stage.found for stage in found.own_stages):
        return RowPlan(method, folder, key, stages, foreign, "time")
    return found


def half_key(plugin: MethodPlugin, stage: StagePlan | None, settings: Settings) -> str:
    """What a half of a method depends on: its stage's key, or that of its declarations where it has none."""
    return stage.stage.key if stage else key_of(Sketch.of(plugin, settings).declarations)


def _stale(record: RunRecord, row: RowPlan) -> bool:
    """Whether a stage was made again since, with other weights under the same key."""
    used = {stage.id: stage.digest for stage in record.stages}
    return any(stage.record and stage.record.digest != used.get(stage.stage.id) for stage in row.own_stages)


def finished(folder: RunFolder, key: str) -> bool:
    """Whether rows of this key lie there, whole."""
    if not folder.record.exists():
        return False
    record = RunRecord.read(folder.record)
    if not record.done or record.keys.method != key:
        return False
    return folder.slices.exists() and sha256_of(folder.slices) == record.slices_sha256


def _check_table(request: Request, plan: DatasetPlan, methods: list[Method]) -> None:
    asked = {method.id for method in methods} if request.rerun or request.retrain else set()
    now = {"source": plan.test.source, "limit": request.limit, "stages_of": request.stages_of}
    check_beside(request.folder, plan.dataset, plan.settings, now, asked)


def check_beside(
    folder: ResultsFolder, dataset: str, settings: Settings, now: Mapping[str, Any], asked: Collection[str] = ()
) -> None:
    """Refuse to put rows beside others of another source, limit, data or training: one table would compare them.

    Parameters
    ----------
    now
        Fields of a `RunRecord`. Of images that were made elsewhere, `stages_of` and the training settings do not count.
    asked
        Methods whose rows are made again.

    Raises
    ------
    UserError
        If a row there differs: which, and in what.
    """
    plain = settings.to_dict()
    for run in folder.runs(dataset, settings.profile):
        if run.path.parent.name in asked:
            continue
        record = RunRecord.read(run.record)
        elsewhere = record.images_sha256 is not None or "images_sha256" in now
        names = [name for name in now if name not in ("images_sha256", *(("stages_of",) if elsewhere else ()))]
        different = ((name, getattr(record, name), now[name]) for name in names if getattr(record, name) != now[name])
        what = next(different, None)
        what = what or _difference(record.settings, {"data": plain["data"]} if elsewhere else plain)
        if what:
            raise UserError(_refusal(str(run.path), what, "--rerun"))


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """The first setting that differs, with both values; what either side does not name is left out."""
    pairs = [(name, before.get(name, {}), now.get(name, {})) for name in ("data", "training")]
    methods = now.get("methods", {})
    pairs += [(f"methods.{id}", before.get("methods", {}).get(id, {}), own) for id, own in methods.items()]
    for section, old, new in pairs:
        for key, value in new.items():
            if key in old and old[key] != value:
                return f"{section}.{key}", old[key], value
    return None


def _refusal(folder: str, what: tuple[str, Any, Any], remedy: str) -> str:
    name, old, new = what
    values = f"{name} {old}, now {new}" if (old, new) != ("", "") else name
    return f"{folder} was made with {values}: name another --results, or use {remedy}."


def needed_assets(plans: list[DatasetPlan]) -> list[str]:
    """Files to download that are not cached yet."""
    wanted: list[str] = []
    for plan in plans:
        if plan.to_evaluate or plan.to_time:
            wanted += missing_assets(plan.test, "test")
        if plan.to_train:
            wanted += missing_assets(plan.training, "train", "validation")
            for stage in plan.to_train:
                network, _ = skeleton(stage.stage.plugin, plan.settings)
                wanted += network.assets() if isinstance(network, Trained) else ()
        if plan.to_evaluate and plan.with_lpips:
            wanted.append("lpips")
    return [name for name in dict.fromkeys(wanted) if not assets.cached(name)]
