"""Cells of one anatomy, and that they differ in what their name says and in nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench import config, registry
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare
from bench.data.protocol import SPLITS
from bench.metrics.image import psnr, unit_range
from bench.mri.resample import sinc
from bench.mri.sense import Sense

CELLS = 18


def dataset(profile="smoke", source="phantom", fold=0, limit=None, overrides=()):
    return Dataset.of(registry.datasets()["regimes"].made_by(), source, config.load(profile, overrides), fold, limit)


@pytest.fixture(scope="module")
def data(cache):
    """One position a test person, every cell."""
    found = dataset(overrides=("data.slices=[2, 4, 1]",))
    prepare(found, SPLITS, 1, lambda *_: None)
    return found


def test_every_position_of_the_test_split_stands_in_every_cell():
    data = dataset("laptop", "heads")
    rows = list(data.slices("test"))
    assert data.count("test") == len(rows) == 2 * 10 * CELLS
    for view in data.protocol.views:
        assert sum(cell == view for *_, cell in rows) == 20
    assert len({(series.path, index) for series, index, _ in rows}) == 2 * 10 * 6  # a file per coils and noise


def test_each_position_of_validation_stands_in_one_cell_and_cells_take_turns():
    rows = list(dataset("laptop", "heads").slices("validation"))
    assert len({index for _, index, _ in rows}) == len(rows) == 40
    counts = [sum(cell == view for *_, cell in rows) for view in dataset().protocol.views]
    assert set(counts) <= {2, 3}


def test_training_draws_from_every_cell_of_every_position():
    data = dataset("laptop", "heads")
    assert data.count("train") == 300 * CELLS
    assert sum(series.count for series in data.series("train")) == 300 * 6


@pytest.mark.parametrize("profile", ["smoke", "laptop", "workstation", "paper"])
@pytest.mark.parametrize("limit", [None, 1])
def test_every_profile_scores_at_least_one_slice_a_cell_whose_coils_are_its_own(profile, limit):
    data = dataset(profile, limit=limit)
    tested = {view.contrast for _, _, view in data.slices("test")}
    assert tested == {view.contrast for view in data.protocol.views}
    for series, _, view in data.slices("test"):
        assert series.protocol.coils == view.coils
        assert series.protocol.noise == view.noise


def test_cells_differ_in_what_their_name_says_and_in_nothing_else(data):
    slices = open_split(data, "test")
    assert len(slices) == CELLS
    found = {}
    for i, (subject, cell, number) in enumerate(slices.rows):
        acquisition, target = slices.batch([i])
        found[cell] = (acquisition, target, slices.foreground(i), subject, number)
        acceleration, coils = (int(part[1:]) for part in cell.split("-")[:2])
        assert acquisition.kspace.shape[1] == coils
        assert acquisition.mask.numel() / acquisition.mask.sum() == pytest.approx(acceleration, rel=0.05)
    first = found["r4-c8-n01"]
    for _, target, inside, *where in found.values():
        assert where == list(first[3:])
        assert np.array_equal(inside, first[2])
        for name in ("image_hr", "image_lr"):
            one, other = (getattr(t, name) * t.scale for t in (target, first[1]))
            assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)
    masks = {cell.split("-")[0]: acquisition.mask for cell, (acquisition, *_) in found.items()}
    assert all(torch.equal(acquisition.mask, masks[cell.split("-")[0]]) for cell, (acquisition, *_) in found.items())


def test_the_bound_is_the_same_in_every_cell(data):
    slices = open_split(data, "test")
    bound = {}
    for i, (_, cell, _) in enumerate(slices.rows):
        _, target = slices.batch([i])
        image = sinc(target.image_lr.abs(), tuple(target.image_hr.shape[1:])).abs()[0].numpy()
        truth = target.image_hr[0].abs().numpy()
        bound[cell] = psnr(*unit_range(image, truth))
    assert np.ptp(list(bound.values())) < 0.01


def test_fewer_coils_in_a_batch_are_filled_up_with_empty_ones(data):
    slices = open_split(data, "test")
    of_4, of_8 = (next(i for i, row in enumerate(slices.rows) if coils in row[1]) for coils in ("c4", "c8"))
    acquisition, target = slices.batch([of_4, of_8])
    alone, alone_target = slices.batch([of_4])
    assert acquisition.kspace.shape[:2] == acquisition.maps_hr.shape[:2] == (2, 8)
    assert not acquisition.kspace[0, 4:].any()
    assert not acquisition.maps_lr[0, 4:].any()
    assert torch.allclose(acquisition.zero_filled[0], alone.zero_filled[0])
    assert torch.equal(target.image_hr[0], alone_target.image_hr[0])
    sense = Sense(acquisition.maps_lr, acquisition.mask)
    assert torch.allclose(sense.adjoint(acquisition.kspace), acquisition.zero_filled, atol=1e-5)


def test_a_person_of_vwi_is_acquired_alike(data):
    vwi = registry.datasets()["vwi"].made_by()
    axial = replace(vwi, coils=8, noise=0.07, views=vwi.views[:1], slices=(2, 4, 1))
    other = Dataset.of(axial, "phantom", config.load("smoke", ("data.coils=8",)), 0, None)
    prepare(other, ["test"], 1, lambda *_: None)
    ours, theirs = open_split(data, "test"), open_split(other, "test")
    i = next(i for i, row in enumerate(ours.rows) if row[1] == "r4-c8-n07")
    assert torch.equal(ours.batch([i])[0].kspace, theirs.batch([0])[0].kspace)


def test_keys_name_the_cells_and_their_masks(data):
    fewer = replace(data, protocol=replace(data.protocol, views=data.protocol.views[:3]))
    other = replace(data, protocol=replace(data.protocol, centre=5))
    for split in SPLITS:
        assert len({d.key(split) for d in (data, fewer, other)}) == 3
    assert [s.key for s in other.series("test")] == [s.key for s in data.series("test")]
