"""What is found in people's k-space, and what of it is mended."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.data.dataset import make_source
from bench.data.inspection import doubles, look
from bench.data.readers.records import Scan, Volume


def scan(kspace, **traits):
    given = Scan(
        (Path("mine.npy"),), "NumPy", None, "raw", kspace.shape, str(kspace.dtype), (1.0, 1.0), (True, True), (),
        lambda i: kspace[i],
    )  # fmt: skip
    return replace(given, **traits)


def found(kspace, **traits):
    return look(scan(kspace, **traits), "anna")


def all_of(found_):
    return np.stack([found_.read(n) for n in found_.slices]) * found_.scale


def test_k_space_as_it_should_be_is_taken_as_it_is(kspace):
    k = kspace(1)
    seen = found(k)
    assert (seen.refusal, seen.centre, seen.size, seen.voxel_mm, seen.measured) == (
        None,
        "middle",
        (48, 40),
        (1.0, 1.0),
        (48, 40),
    )
    np.testing.assert_allclose(all_of(seen), k, atol=1e-6 * abs(k).max())
    assert seen.kept_by_maps > 0.98
    assert not seen.remarks


def test_the_scale_makes_the_brightest_slice_one(kspace):
    seen = found(1e4 * kspace(1))
    images = np.fft.ifft2(np.fft.ifftshift(seen.read(0), (-2, -1)), norm="ortho")
    assert 0.5 < np.percentile(np.sqrt((abs(images) ** 2).sum(0)), 99.9) <= 1.001
    assert seen.scale == pytest.approx(1e4 * found(kspace(1)).scale, rel=1e-5)


@pytest.mark.parametrize("image_too", [True, False])
def test_dc_in_the_corner_is_shifted_to_the_middle(kspace, image_too):
    k, axes = kspace(1), (-2, -1)
    image = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(k, axes)), axes)
    corner = np.fft.fft2(np.fft.ifftshift(image, axes) if image_too else image).astype(np.complex64)
    seen = found(corner)
    assert seen.centre == ("corner" if image_too else "corner, image centred")
    assert any(remark.startswith("DC lay in the corner") for remark in seen.remarks)
    np.testing.assert_allclose(all_of(seen), k, atol=1e-5 * abs(k).max())


def test_dc_elsewhere_is_refused(kspace):
    assert (
        found(np.roll(kspace(1), 9, -1)).refusal
        == "the maximum lies at (24, 29), neither in the middle nor in a corner"
    )


def test_margins_of_zeros_are_cut_off_and_the_voxel_grows(kspace):
    k = kspace(1)
    wide = np.zeros((3, 4, 64, 60), np.complex64)
    wide[:, :, 8:56, 10:50] = k
    seen = found(wide, voxel_mm=(0.75, 1.0))
    assert (seen.refusal, seen.size, seen.measured) == (None, (48, 40), (48, 40))
    assert seen.voxel_mm == pytest.approx((1.0, 1.5))
    np.testing.assert_allclose(all_of(seen), k, atol=1e-6 * abs(k).max())
    assert [r for r in seen.remarks if "8 + 8 of 64 rows" in r and "interpolated by the scanner" in r]
    assert [r for r in seen.remarks if "10 + 10 of 60 columns" in r and "cropped to 40" in r]


def test_partial_fourier_is_cropped_to_what_was_measured_on_both_sides(kspace):
    k = kspace(1)
    k[..., 34:] = 0
    seen = found(k)
    assert (seen.refusal, seen.size, seen.measured) == (None, (48, 28), (48, 34))
    assert [r for r in seen.remarks if "0 + 6 of 40 columns" in r and "partial Fourier" in r]
    k[..., 25:] = 0
    assert "partial Fourier, too little is left" in found(k).refusal


def test_a_line_added_to_make_a_number_even_is_let_be(kspace):
    k = kspace(1)
    k[..., 0] = 0
    assert (found(k).size, found(k).refusal) == ((48, 40), None)


@pytest.mark.parametrize("axis", [-2, -1])
def test_undersampled_k_space_is_no_truth(kspace, axis):
    k = np.moveaxis(kspace(1), axis, -1)
    k[..., 3::4] = 0
    assert found(np.moveaxis(k, -1, axis)).refusal.endswith("are zero between measured ones: undersampled")


def test_samples_left_out_at_random_are_no_truth(kspace):
    k = kspace(1)
    k *= np.random.default_rng(0).random(k.shape[-2:]) < 0.5
    assert "undersampled" in found(k).refusal


def test_nan_is_named_by_slice_and_place(kspace):
    k = kspace(1)
    k[1, 2, 7, 9] = np.nan
    assert found(k).refusal == "slice 1: NaN or infinity (1 samples, first (coil, y, x) (2, 7, 9))"


def test_empty_and_repeated_slices_are_left_out(kspace):
    k = kspace(1, slices=5)
    k[0], k[3] = 0, k[2]
    seen = found(k)
    assert seen.slices == (1, 2, 4)
    assert seen.remarks == (
        "slice 0 holds nothing but zeros: left out",
        "slice 3 has the same samples as slice 2: left out",
    )
    assert found(0 * k).refusal == "nothing but zeros"


def test_an_image_for_k_space_is_refused(kspace):
    k = kspace(1)
    image = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(k, (-2, -1)), norm="ortho"), (-2, -1)).astype(np.complex64)
    assert found(image).refusal is not None


def test_one_person_under_two_names_and_a_scan_twice_are_told(kspace):
    first, second = found(kspace(1)), look(scan(kspace(1)), "berta")
    assert "'anna, raw' (mine.npy) and 'berta, raw' (mine.npy)" in doubles([first, second])[0]
    assert doubles([first, second])[0].endswith("are the same person under two names")
    assert doubles([first, found(kspace(1))])[0].endswith("are there twice")
    assert not doubles([first, found(kspace(2))])


def volume(array):
    return Volume((Path("t1.nii"),), "NIfTI", None, "t1w", array.shape, "float32", (1.0, 1.0, 1.0), (), lambda: array)


def test_a_head_is_scaled_and_looked_at_by_the_door(cache):
    head = make_source("phantom").load("phantom-0")
    given = replace(volume(400 * head.volume), voxel_mm=head.voxel_mm)
    seen = look(given, "anna")
    assert seen.refusal is None
    assert np.percentile(seen.head.volume, 99.9) == pytest.approx(1)
    upside_down = replace(given, read=lambda: 400 * head.volume[::-1])
    assert "upside down" in look(upside_down, "anna").refusal
    holes = head.volume.copy()
    holes[50, 50, 50] = np.nan
    assert "NaN" in look(replace(given, read=lambda: holes), "anna").refusal
