import numpy as np
import pytest

from bench.mri import simulate


def test_a_generator_depends_on_all_its_names():
    draws = {simulate.generator(*names).random() for names in (("a", "b", 1), ("a", "b", 2), ("a", "b1"))}
    assert len(draws) == 3
    assert simulate.generator("a", 1).random() == simulate.generator("a", 1).random()


def test_regridding_keeps_the_intensity_and_the_field_of_view():
    image, voxel = simulate.regrid(np.full((100, 100), 2.0, np.float32), (1.0, 1.0), (50, 50), (40, 32), (2.0, 2.0))
    assert image.shape == (40, 32)
    assert voxel == (2.0, 2.0)
    assert image[20, 16] == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(
    ("voxel", "true"), [((2.0, 2.0), (2.0, 2.0)), ((0.6, 0.7), (1.0, 1.0)), ((1.5, 2.5), (1.5, 2.5))]
)
def test_a_blob_lies_where_regridding_says_it_does(voxel, true):
    y, x = np.mgrid[:100, :90]
    blob = np.exp(-((y - 57.25) ** 2 + (x - 38.5) ** 2) / (2 * 4**2)).astype(np.float32)
    grid = ((1.0, 1.0), (50.6, 44.2), (60, 56), voxel)
    image, measured = simulate.regrid(blob, *grid)
    weights = image / image.sum()
    mean = [(np.arange(n) * weights.sum(1 - axis)).sum() for axis, n in enumerate(image.shape)]
    assert measured == true
    assert simulate.regridded(np.array([57.25, 38.5]), *grid) == pytest.approx(mean, abs=0.05)


def test_a_head_is_never_gridded_finer_than_it_was_acquired():
    image, voxel = simulate.regrid(np.ones((20, 20), np.float32), (1.0, 1.0), (10, 10), (40, 40), (0.6, 0.6))
    assert voxel == (1.0, 1.0)
    assert np.abs(image[:9]).max() < 1e-5
    assert image[20, 20] == pytest.approx(1.0, rel=1e-3)


def test_a_cut_head_fades_out():
    image, _ = simulate.regrid(np.ones((60, 60), np.float32), (1.0, 1.0), (30, 30), (40, 40), (1.0, 1.0))
    assert image[0, 20] < 0.05
    assert image[20, 20] == pytest.approx(1.0, rel=1e-3)


def test_the_phase_is_smooth_and_within_pi():
    phase = simulate.smooth_phase((84, 70), np.random.default_rng(0))
    assert np.abs(phase).max() <= np.pi + 1e-5
    assert np.abs(np.diff(phase, axis=0)).max() < 0.4


def test_the_field_of_a_loop_on_its_axis_is_biot_savarts():
    centres, normals = np.zeros((1, 3)), np.array([[1.0, 0.0, 0.0]])
    points = np.array([[10.0, 0, 0], [60.0, 0, 0]])
    field = simulate.fields(centres, normals, points)[0]
    radius2 = simulate.LOOP_MM**2
    expected = [radius2 / (radius2 + simulate.WIRE_MM**2 + z**2) ** 1.5 for z in (10, 60)]
    assert abs(field[0] / field[1]) == pytest.approx(expected[0] / expected[1], rel=1e-6)


def test_interpolated_maps_equal_the_field_and_move_with_the_slice():
    places = simulate.helmet(4, np.random.default_rng(0))
    axes = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0))
    low, high = (simulate.coil_maps(*places, (0, 0, z), axes, (48, 40), (4.0, 4.0)) for z in (0.0, 40.0))
    exact = simulate.fields(*places, np.array([0.0, 0.0, 0.0]))
    exact /= np.sqrt((np.abs(exact) ** 2).sum())
    np.testing.assert_allclose(low[:, 24, 20], exact, atol=0.02)
    assert np.abs(low - high).max() > 0.1


def test_noise_has_its_covariance():
    random = np.random.default_rng(0)
    mixing = simulate.noise_mixing(3, random)
    noise = simulate.noise((3, 200, 200), 0.5, mixing, random).reshape(3, -1)
    covariance = noise @ noise.conj().T / noise.shape[1]
    np.testing.assert_allclose(covariance, 0.25 * mixing @ mixing.conj().T, atol=0.01)
    assert np.trace(covariance).real / 3 == pytest.approx(0.25, rel=0.02)


def test_a_remap_keeps_air_dark_and_turns_fluid_bright():
    tissue = np.array([0.0, 0.12, 0.62], np.float32)  # air, fluid, white matter
    t2 = simulate.remap(tissue, "t2w-synth")
    assert t2[0] < 0.05
    assert t2[1] > 2 * t2[2]
    assert np.array_equal(simulate.remap(tissue, "t1w"), tissue)
