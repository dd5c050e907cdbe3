import numpy as np
import pytest

from bench import config, registry
from bench.data.dataset import Dataset
from bench.data.geometry import Frame
from bench.datasets import heads
from bench.errors import UserError

HEADS = heads.Heads()


def dataset(id, fold=0, profile="laptop"):
    return Dataset.of(registry.datasets()[id].made_by(), "heads", config.load(profile), fold, None)


def test_ten_people_are_tested_once_in_five_folds_by_two():
    folds = [HEADS.split(fold) for fold in range(HEADS.folds())]
    assert [s for split in folds for s in split["test"]] == list(heads.PEOPLE)
    for fold, split in enumerate(folds):
        assert split["validation"] == (heads.PEOPLE[(2 * fold + 2) % 10],)
        assert {len(ids) for ids in split.values()} == {7, 1, 2}
        assert sorted(s for ids in split.values() for s in ids) == sorted(heads.PEOPLE)


@pytest.mark.parametrize("id", ["vwi", "brain"])
@pytest.mark.parametrize("fold", range(5))
def test_counts_are_shared_evenly_and_contrasts_of_a_person_lie_at_the_same_positions(id, fold):
    data = dataset(id, fold)
    assert data.count("train") == 300
    assert (data.count("validation"), data.count("test")) == (40, {"vwi": 60, "brain": 64}[id])
    assert {series.count for series in data.series("test")} == {{"vwi": 15, "brain": 8}[id]}
    if id == "brain":
        for subject in data.subjects["train"]:
            assert len({series.count for series in data.series("train") if series.subject == subject}) == 1


def test_the_volumes_in_this_package_are_whole_and_need_no_download():
    for name in heads.SHA256:
        assert heads.Heads().assets(name) == ()
        frame = Frame(HEADS.load(name))
        assert frame.head.voxel_mm[1:] == pytest.approx((1.0, 1.0), abs=0.11)
        assert np.percentile(frame.head.volume, 99.9) == pytest.approx(1, rel=0.01)
        assert frame.vertex < 12
    sums = dict(line.split()[::-1] for line in (heads.FOLDER / "SHA256SUMS").read_text().splitlines())
    assert sums == {f"{name}.nii.gz": digest for name, digest in heads.SHA256.items()}


def test_a_volume_that_was_altered_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(heads, "FOLDER", tmp_path)
    (tmp_path / "n2d.nii.gz").write_bytes(b"something else")
    for name in ("n2d", "philips"):
        with pytest.raises(UserError, match=f"{name}.nii.gz is missing or not the file"):
            HEADS.load(name)


def test_positions_stop_where_a_volume_ends_and_the_plan_says_so():
    assert dataset("brain").remarks() == []  # its slices lie higher
    (remark,) = dataset("vwi").remarks()
    assert remark == "seg3d: axial slices from 0.15 to 0.7 of the head, not 0.15 to 0.75: there its volume ends."
    frame, view = Frame(HEADS.load("seg3d")), dataset("vwi").protocol.views[0]
    last = frame.slices(view, 20, HEADS.within("seg3d", "axial"))[-1]
    assert last < 0.7 * 190 / frame.head.voxel_mm[0]
    assert (frame.head.volume[last] > 0.15).mean() > 0.3
