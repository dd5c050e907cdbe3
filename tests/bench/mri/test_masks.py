import numpy as np
import pytest

from bench.mri.masks import central, gaussian_1d, poisson_2d


def test_the_poisson_mask_has_its_acceleration_and_its_centre():
    mask = poisson_2d((84, 70), 4.0, 12, seed=0)
    assert mask.size / mask.sum() == pytest.approx(4.0, rel=0.05)
    assert mask[central((84, 70), (12, 12))].all()
    assert np.array_equal(mask, poisson_2d((84, 70), 4.0, 12, seed=0))


def test_the_poisson_mask_thins_out_towards_the_edge():
    mask = poisson_2d((84, 70), 4.0, 12, seed=0)
    inner = mask[central((84, 70), (42, 35))].mean()
    assert inner > 2 * mask[~central((84, 70), (42, 35))].mean()


def test_making_a_mask_leaves_numpys_global_generator_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    poisson_2d((40, 36), 4.0, 8, seed=0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_the_gaussian_mask_has_exactly_its_lines():
    mask = gaussian_1d((128, 116), 2.5, 16, seed=0)
    assert mask[0].sum() == int(116 / 2.5)
    assert (mask == mask[:1]).all()
    assert mask[0, 50:66].all()
    assert not np.array_equal(mask, gaussian_1d((128, 116), 2.5, 16, seed=1))
