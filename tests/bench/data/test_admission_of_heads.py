from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import rotate

from bench import registry
from bench.data.admission import admit
from bench.data.dataset import make_source
from bench.data.protocol import Head
from bench.errors import UserError


@pytest.fixture(scope="module")
def phantom():
    registry.discover()
    return make_source("phantom").load("phantom-5")


HEADS = {
    "complex": (lambda v: v + 0j, "volume is complex64 (180, 180, 150), not float32 with 3 axes"),
    "one slice": (lambda v: v[90], "volume is float32 (180, 150), not float32 with 3 axes"),
    "NaN": (lambda v: np.where(v > 0.05, v, np.nan), "volume holds NaN or infinity ("),
    "negative": (lambda v: v - 0.5, "give a magnitude"),
    "upside down": (lambda v: v[::-1], "'ann' is upside down: z runs from superior to inferior"),
    "x first": (lambda v: v.transpose(2, 1, 0), "'ann' is less like its mirror image along the last axis"),
    "a slab": (lambda v: v[:30], "mm below its vertex, at least 60 are needed: give a head"),
    "nothing": (lambda v: 0 * v, "volume holds nothing but zeros"),
    "a small thing": (
        lambda v: v * 0 + (np.indices(v.shape) < np.reshape((40, 13, 13), (3, 1, 1, 1))).all(0),
        "'ann' has no slice along z with more than 400 mm2",
    ),
    "one bright voxel": (
        lambda v: np.where(v == v.max(), 1, 0),
        "'ann' has a volume of which less than a thousandth is not zero",
    ),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head_that_is_not_one_is_refused(phantom, case):
    change, words = HEADS[case]
    with pytest.raises(UserError) as error:
        admit("ann", replace(phantom, volume=change(phantom.volume)))
    assert words in str(error.value)


PLACED = {
    "padded": lambda v: np.pad(v, ((30, 40), (5, 60), (40, 0))),
    "shifted": lambda v: np.roll(np.pad(v, ((0, 0), (40, 40), (40, 40))), (30, -25), axis=(1, 2)),
    "turned": lambda v: rotate(v, 8, (1, 2), reshape=False, order=1),
    "turned the other way and padded": lambda v: np.pad(
        rotate(v, -8, (1, 2), reshape=False, order=1), ((9, 50), (0, 9), (0, 50))
    ),
    "rolled": lambda v: rotate(v, 8, (0, 2), reshape=False, order=1),
}


@pytest.mark.parametrize("case", PLACED)
def test_wherever_a_head_lies_in_its_volume_its_axes_are_told(phantom, case):
    volume = PLACED[case](phantom.volume)
    assert all("99.9th percentile" in remark for remark in admit("ann", replace(phantom, volume=volume)).remarks)
    if case != "rolled":
        with pytest.raises(UserError, match="'ann' is upside down: z runs from superior to inferior"):
            admit("ann", replace(phantom, volume=volume[::-1]))
    with pytest.raises(UserError, match="'ann' is less like its mirror image along the last axis"):
        admit("ann", replace(phantom, volume=volume.transpose(2, 1, 0)))


@pytest.mark.parametrize("case", [case for case in PLACED if case != "rolled"])
def test_of_a_real_head_rows_and_columns_are_told_apart_too(case):
    head = make_source("heads").load("uih-b")
    volume = PLACED[case](head.volume)
    assert admit("ann", replace(head, volume=volume)).subject
    for wrong, words in ((volume[::-1], "is upside down"), (volume.transpose(0, 2, 1), "than along axis 1")):
        with pytest.raises(UserError, match=words):
            admit("ann", replace(head, volume=wrong))


def test_a_head_without_a_neck_is_not_upside_down_either_way(phantom):
    z, y, x = np.meshgrid(*(np.arange(n) - n / 2 for n in (30, 100, 80)), indexing="ij", sparse=True)
    for thick, offset in ((6.0, 0.0), (6.0, 0.4), (9.0, 0.8)):
        ball = (((z + offset) * thick / 80) ** 2 + (y / 46) ** 2 + (x / 36) ** 2 < 1).astype(np.float32)
        assert admit("ann", Head(ball, (thick, 2.0, 2.0))).subject
        assert admit("ann", Head(ball[::-1], (thick, 2.0, 2.0))).subject


def test_a_head_of_another_scale_and_type_is_mended_and_said(phantom):
    found = admit("ann", replace(phantom, volume=(4095 * phantom.volume).astype(np.int16)))
    assert [remark.partition(":")[0] for remark in found.remarks] == ["'ann'", "'ann'"]
    assert "volume is int16 (180, 180, 150), not float32: converted." in found.remarks[0]
    assert "the 99.9th percentile of the volume must be 1, it was" in found.remarks[1]
    assert np.percentile(found.subject.head.volume, 99.9) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_head_of_half_or_twice_the_scale_is_mended_too(phantom, factor):
    found = admit("ann", replace(phantom, volume=phantom.volume * np.float32(factor)))
    assert found.remarks[0].startswith("'ann': the 99.9th percentile of the volume must be 1, it was")
    assert np.percentile(found.subject.head.volume, 99.9) == pytest.approx(1, rel=1e-3)


def test_every_head_that_is_shipped_passes_unchanged(phantom):
    found = admit("ann", phantom)
    assert found.remarks == ()
    assert np.array_equal(found.subject.head.volume, phantom.volume)
    assert admit("uih-b", make_source("heads").load("uih-b")).remarks == ()
