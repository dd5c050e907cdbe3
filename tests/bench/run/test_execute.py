"""The whole road on the phantom: plan, train, evaluate, time, report."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bench import terminal
from bench.authoring.new import render
from bench.errors import UserError
from bench.report import make_report, summary
from bench.report.read.results import collect
from bench.run.execute import Callbacks, execute
from bench.run.plan import make_plan
from bench.run.request import Request
from bench.store.images import SliceName, read_images
from bench.store.records import RunRecord
from bench.store.tables import read_rows

CALLBACKS = Callbacks(*[lambda *_: None] * 5)
FAST = ("training.iterations=3", "training.validate_every=3", "data.slices=[4, 2, 4]")


@pytest.fixture(scope="module")
def request_(tmp_path_factory, cache):
    return Request(
        ("vwi",), "cg-sense+bicubic,proposed,oracle+bicubic", "smoke", "phantom", overrides=FAST,
        results=tmp_path_factory.mktemp("results"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(request_):
    return execute(request_, make_plan(request_), CALLBACKS)


@pytest.fixture(scope="module")
def folder(request_, outcomes):
    return request_.results / "vwi" / "smoke"


def test_every_row_is_done(outcomes, folder):
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    for method in ("cg-sense+bicubic", "proposed", "oracle+bicubic"):
        rows = read_rows(folder / method / "seed0" / "slices.csv")
        assert len(rows) == 4
        assert rows["lpips"].isna().all()
        record = RunRecord.read(folder / method / "seed0" / "run.json")
        assert record.source_label.startswith("simulated")
        assert (
            record.slices_sha256 == hashlib.sha256((folder / method / "seed0" / "slices.csv").read_bytes()).hexdigest()
        )


def test_the_bound_is_above_what_it_bounds(outcomes, folder):
    oracle, cg = (read_rows(folder / m / "seed0" / "slices.csv") for m in ("oracle+bicubic", "cg-sense+bicubic"))
    assert (oracle["psnr_lr"] == 100).all()
    assert oracle["psnr"].mean() > cg["psnr"].mean()


def test_where_the_error_lies_is_written_too(outcomes, folder):
    for method in ("cg-sense+bicubic", "proposed", "oracle+bicubic"):
        run = folder / method / "seed0"
        rows, spectrum, radial = (pd.read_csv(run / f"{n}.csv") for n in ("slices", "spectrum", "radial"))
        assert spectrum.groupby(["contrast", "slice"])["region"].nunique().eq(3).all()
        assert len(spectrum) == 3 * len(rows)
        total = spectrum.groupby("slice")[["error_energy", "truth_energy"]].sum()
        unclipped = (total["error_energy"] / total["truth_energy"]).loc[rows["slice"]].to_numpy()
        assert (unclipped >= rows["nmse"] * 0.999).all()  # clipping can but bring an image nearer to the truth
        assert unclipped == pytest.approx(rows["nmse"], rel=0.2)
        assert rows[["psnr_boundary", "psnr_flat"]].notna().all(axis=None)
        assert rows[["wall_mm_error", "lumen_contrast_error_percent"]].isna().all(axis=None)  # no wall shows at 4.2 mm
        assert len(radial) == 24 * rows["contrast"].nunique()
        assert radial["slices"].iloc[0] == 2
        assert "spectrum" in RunRecord.read(run / "run.json").metrics


def test_a_super_resolver_is_also_fed_the_truth(outcomes, folder):
    cg, proposed, oracle = (
        read_rows(folder / m / "seed0" / "slices.csv") for m in ("cg-sense+bicubic", "proposed", "oracle+bicubic")
    )
    assert proposed["psnr_oracle_fed"].isna().all()
    assert oracle["psnr_oracle_fed"].equals(oracle["psnr"])
    assert cg["psnr_oracle_fed"].equals(oracle["psnr"])  # bicubic is the same whoever comes before it
    assert (cg["psnr_oracle_fed"] > cg["psnr"]).all()


def test_images_are_those_that_were_scored(outcomes, folder):
    images = read_images(folder / "proposed" / "seed0" / "images.npz")
    reference = read_images(folder / "reference.npz")
    rows = read_rows(folder / "proposed" / "seed0" / "slices.csv")
    for name, image in images.items():
        contrast, subject, number = SliceName.parse(name)
        row = rows[(rows.contrast == contrast) & (rows.subject == subject) & (rows.slice == number)].iloc[0]
        truth = reference[f"{name}/truth"]
        error = ((image.clip(max=truth.max()) - truth) ** 2).sum() / (truth**2).sum()
        assert error == pytest.approx(row.nmse, rel=1e-2)
        assert reference[f"{name}/mask"].shape == (24, 20)
        assert 0.1 < reference[f"{name}/foreground"].mean() < 0.8


def test_timing_has_its_own_file(outcomes, folder):
    timing = pd.read_csv(folder / "proposed" / "seed0" / "timing.csv")
    assert (timing["seconds"] > 0).all()
    assert (timing["threads"] == 2).all()
    assert (timing["gmac"] > 0).all()
    assert (timing["switches"] >= 0).all()


def test_what_is_done_is_not_done_again(request_, outcomes):
    (plan,) = make_plan(request_)
    assert not plan.to_evaluate
    assert not plan.to_train
    (again,) = make_plan(replace(request_, rerun=True))
    assert len(again.to_evaluate) == 3
    assert not again.to_train


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"limit": 1}, "limit None, now 1"),
        ({"overrides": (*FAST, "training.batch=1")}, "training.batch 2, now 1"),
    ],
)
def test_rows_of_other_settings_are_never_overwritten(request_, outcomes, change, words):
    with pytest.raises(UserError, match=words) as error:
        make_plan(replace(request_, **change))
    assert "\n" not in str(error.value)


def test_damaged_rows_are_computed_again(request_, outcomes, folder):
    path = folder / "oracle+bicubic" / "seed0" / "slices.csv"
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    (plan,) = make_plan(request_)
    assert [row.method.id for row in plan.to_evaluate] == ["oracle+bicubic"]
    path.write_bytes(content)


def test_the_same_request_gives_the_same_bytes(request_, outcomes, folder, tmp_path):
    again = replace(request_, results=tmp_path, methods="proposed", timing=False)
    execute(again, make_plan(again), CALLBACKS)
    for name in ("proposed/seed0/slices.csv", "proposed/seed0/images.npz", "stages/proposed/seed0/weights.safetensors"):
        assert (tmp_path / "vwi" / "smoke" / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_plugin_of_ones_own_stands_in_the_table(request_, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(render("mine", "reconstructor"))
    own = replace(request_, methods="mine+bicubic", plugin_files=(path,), results=tmp_path / "results", timing=False)
    outcomes = execute(own, make_plan(own), CALLBACKS)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert "mine+bicubic" in (
        make_report(own.results, tmp_path / "out") and (tmp_path / "out/vwi/smoke/main.md").read_text()
    )


BREAKS = {
    "wild": 'output.image.mean() * (float("nan") if self._seen else 1)',
    "greedy": 'self._full(torch.OutOfMemoryError("CUDA out of memory: 1 GiB\\nand how to mend it"))',
    "large": "self._full(MemoryError())",
}
BROKEN = """
    _seen = 0  # steps

    def _full(self, error):
        raise error

    def losses(self, phase, acquisition, output, target):
        import torch
        loss = {loss}
        self._seen += 1
        return {{"nothing": loss}}
"""


def test_what_breaks_is_said_by_its_status_and_the_others_go_on(request_, tmp_path):
    paths = tuple(tmp_path / f"{id}.py" for id in BREAKS)
    for path in paths:
        text = render(path.stem, "pipeline")
        path.write_text(text[: text.index("    def losses")] + BROKEN.format(loss=BREAKS[path.stem]).lstrip("\n"))
    results = tmp_path / "results"
    breaking = replace(
        request_,
        methods=f"{','.join(BREAKS)},oracle+bicubic",
        plugin_files=paths,
        results=results,
        limit=1,
        timing=False,
    )
    assert terminal.run(breaking, False, None) == 1
    records = {id: RunRecord.read(results / f"vwi/smoke/{id}/seed0/run.json") for id in (*BREAKS, "oracle+bicubic")}
    assert {id: record.status for id, record in records.items()} == {
        "wild": "diverged", "greedy": "out-of-memory", "large": "out-of-memory", "oracle+bicubic": "done",
    }  # fmt: skip
    assert "the nothing loss of stage wild is nan at step 1" in records["wild"].reason
    assert records["greedy"].reason == "needs vwi stage greedy seed0: CUDA out of memory: 1 GiB"
    assert records["large"].reason == "needs vwi stage large seed0: no memory left"
    table = (make_report(results, tmp_path / "out") and (tmp_path / "out/vwi/smoke/main.md")).read_text()
    assert "nan at step 1" in table


def test_a_row_says_what_its_first_stage_died_of(request_, tmp_path):
    path = tmp_path / "rough.py"
    text = render("rough", "reconstructor")
    path.write_text(
        text[: text.index("    def losses")] + BROKEN.format(loss='output.image.mean() * float("nan")').lstrip("\n")
    )
    rough = replace(
        request_, methods="rough+rrdb", plugin_files=(path,), results=tmp_path / "results", limit=1, timing=False
    )
    outcomes = execute(rough, make_plan(rough), CALLBACKS)
    assert {id: outcome.status for id, outcome in outcomes.items()} == {
        "vwi stage rough seed0": "diverged", "vwi stage rough+rrdb seed0": "skipped", "vwi rough+rrdb seed0": "diverged",
    }  # fmt: skip
    record = RunRecord.read(rough.results / "vwi/smoke/rough+rrdb/seed0/run.json")
    assert record.status == "diverged"
    assert "of stage rough is nan at step 0" in record.reason


def test_an_interruption_keeps_the_rows_that_are_done(request_, tmp_path):
    request = replace(request_, methods="oracle+bicubic,oracle+sinc", jobs=1, results=tmp_path)

    def interrupt(id, *_):
        if "sinc" in id:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(request, make_plan(request), replace(CALLBACKS, working=interrupt))
    found = {
        id: RunRecord.read(tmp_path / f"vwi/smoke/{id}/seed0/run.json") for id in ("oracle+bicubic", "oracle+sinc")
    }
    assert [record.status for record in found.values()] == ["done", "interrupted"]
    (plan,) = make_plan(request)
    assert [row.method.id for row in plan.to_evaluate] == ["oracle+sinc"]
    assert [row.method.id for row in plan.to_time] == ["oracle+bicubic"]
    assert {outcome.status for outcome in execute(request, [plan], CALLBACKS).values()} == {"done"}
    assert (tmp_path / "vwi/smoke/oracle+bicubic/seed0/timing.csv").exists()


def test_a_super_resolver_is_trained_on_its_reconstructors_outputs(request_, cache, tmp_path):
    request = replace(request_, methods="modl+rrdb", results=tmp_path, timing=False)
    (plan,) = make_plan(request)
    assert [stage.stage.id for stage in plan.to_train] == ["modl", "modl+rrdb"]
    assert plan.stages["modl+rrdb"].stage.needs == ("modl",)
    outcomes = execute(request, [plan], CALLBACKS)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert len(list((cache / "reconstructions").glob("modl-*.npz"))) >= 2


def test_a_fold_has_a_folder_of_its_own(request_):
    (plan,) = make_plan(replace(request_, folds=(1,)))
    assert {row.folder.path.name for row in plan.rows} == {"seed0-fold1"}
    assert plan.test.subjects["test"] != make_plan(request_)[0].test.subjects["test"]


def test_vfa_uses_the_stages_of_vwi(request_, tmp_path):
    (plan,) = make_plan(replace(request_, datasets=("vfa",), source=None, results=tmp_path))
    assert plan.training.protocol.id == "vwi"
    assert plan.test.protocol.id == "vfa"


def test_the_report_is_the_same_bytes_twice(request_, outcomes, tmp_path):
    first, second = (make_report(request_.results, tmp_path / name, pdf=True) for name in ("a", "b"))
    assert [p.relative_to(tmp_path / "a") for p in first] == [p.relative_to(tmp_path / "b") for p in second]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    names = {p.name for p in first}
    assert {"main.md", "main.csv", "main.tex", "index.html", "examples.png", "grid-t1w-axial.png"} <= names


def test_the_table_says_simulated_and_ranks_no_bound(request_, outcomes, tmp_path):
    make_report(request_.results, tmp_path)
    text = (tmp_path / "vwi/smoke/main.md").read_text()
    assert "simulated acquisition" in text
    assert "1 test subject," in text
    bound = next(line for line in text.splitlines() if line.startswith("| oracle+bicubic"))
    assert "**" not in bound
    block = collect(request_.results)[0]
    mean = block.done[0].rows["psnr"].mean()
    assert f"{mean:.2f} ±" in text


def test_figures_stand_beside_the_references(request_, outcomes):
    *_, beside = summary(request_.results, "vwi", "smoke", request_.results).renderables
    assert "diff." in " ".join(str(column.header) for column in beside.columns)


def test_a_report_of_nothing_says_what_to_type(tmp_path):
    with pytest.raises(UserError, match="bench run"):
        make_report(Path(tmp_path), tmp_path / "out")


def test_a_network_is_trained_over_all_cells_and_scored_in_each(request_, tmp_path):
    small = ("training.iterations=2", "training.validate_every=2", "data.slices=[1, 2, 1]")
    request = replace(
        request_, datasets=("regimes",), methods="dl-espirit+rrdb", overrides=small, results=tmp_path, timing=False
    )
    outcomes = execute(request, make_plan(request), CALLBACKS)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    rows = read_rows(tmp_path / "regimes" / "smoke" / "dl-espirit+rrdb" / "seed0" / "slices.csv")
    assert rows["contrast"].nunique() == len(rows) == 18
    assert rows.groupby(["subject", "slice"]).size().tolist() == [18]
    assert rows["psnr_fg"].notna().all()


def test_the_last_lines_say_what_failed_and_what_to_type(request_, tmp_path, capsys):
    path = tmp_path / "negative.py"
    text = render("negative", "super_resolver").replace(
        "return bench.bicubic(magnitude)", "return -bench.bicubic(magnitude)"
    )
    assert "return -bench" in text
    path.write_text(text)
    asked = replace(
        request_, methods="oracle+negative,oracle+bicubic", plugin_files=(path,), results=tmp_path, timing=False
    )
    assert terminal.run(asked, False, None) == 1
    *_, failed, last = capsys.readouterr().out.splitlines()
    assert failed.startswith("failed vwi oracle+negative seed0: phantom-5, t1w-axial, slice ")
    assert "the clause 'place' is broken: image goes down to -" in failed
    assert last == "1 of 3 are not done: mend that and type the same command again; what is done, stays."
    assert RunRecord.read(tmp_path / "vwi/smoke/oracle+bicubic/seed0/run.json").done
