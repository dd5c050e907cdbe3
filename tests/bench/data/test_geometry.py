from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from bench import config, registry
from bench.data.dataset import Dataset
from bench.data.geometry import HEAD_MM, Frame
from bench.datasets.phantom import Phantom
from bench.metrics.image import foreground


@pytest.fixture(scope="module")
def frame():
    return Frame(Phantom().load("phantom-5"))


@pytest.fixture(scope="module")
def protocol():
    return Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", config.load("laptop"), 0, None).protocol


@pytest.mark.parametrize("view", [0, 1])
def test_the_foreground_is_within_the_head_and_unmoved_by_shading(frame, protocol, view):
    view = protocol.views[view]
    for number in frame.slices(view, 4):
        plane = frame.plane(view, number, protocol)
        anatomy, voxel = np.abs(plane.anatomy), plane.voxel_mm
        inside = foreground(anatomy, voxel)
        whole = np.pad(binary_fill_holes(anatomy > 0.15), 1)
        eroded = np.asarray(distance_transform_edt(whole, sampling=voxel))[1:-1, 1:-1] > 8
        assert inside.sum() > eroded.sum() / 3
        assert (inside & ~eroded).sum() < 0.01 * inside.sum()
        y, x = np.mgrid[tuple(slice(-1, 1, n * 1j) for n in anatomy.shape)]
        for shade in (x, y, (x + y) / 2, 1 - x**2 - y**2):
            shaded = foreground(anatomy * np.exp(np.log(4) / 2 * shade), voxel)
            assert 2 * (inside & shaded).sum() >= 0.95 * (inside.sum() + shaded.sum())


def test_positions_are_parts_of_the_head_and_stop_where_its_volume_does(frame, protocol):
    view = protocol.views[0]
    numbers = frame.slices(view, 20)
    parts = (np.array(numbers) - frame.vertex) * frame.head.voxel_mm[0] / HEAD_MM
    assert view.extent[0] < parts[0] < parts[-1] < view.extent[1]
    assert np.ptp(np.diff(numbers)) <= 1
    fewer = frame.slices(view, 20, (0.0, 0.5))
    assert fewer[0] <= numbers[0]
    assert (fewer[-1] - frame.vertex) * frame.head.voxel_mm[0] < 0.5 * HEAD_MM


def test_a_remap_changes_the_image_and_not_the_anatomy(frame, protocol):
    view = protocol.views[0]
    plain, remapped = (frame.plane(replace(view, remap=name), 80, protocol) for name in ("t1w", "t2w-synth"))
    assert plain.magnitude is plain.anatomy
    assert np.array_equal(remapped.anatomy, plain.anatomy)
    assert np.abs(remapped.magnitude - plain.magnitude).max() > 0.1
