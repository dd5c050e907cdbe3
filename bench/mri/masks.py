"""Sampling masks on the LR grid. One fixed mask an experiment, made from a seed."""

import warnings

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.05  # relative, of the acceleration
SEEDS_TRIED = 100


def central(shape: tuple[int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """True in the central box of `size`, N // 2 of the one on N // 2 of the other."""
    if any(s > n for n, s in zip(shape, size, strict=True)):
        raise ValueError(f"a box of {size} does not fit {shape}")
    box = np.zeros(shape, bool)
    start = [n // 2 - s // 2 for n, s in zip(shape, size, strict=True)]
    box[start[0] : start[0] + size[0], start[1] : start[1] + size[1]] = True
    return box


def poisson_2d(shape: tuple[int, int], acceleration: float, centre: int, seed: int) -> NDArray[np.bool_]:
    """Variable-density Poisson disc by sigpy with a fully sampled centre^2; corners are not cut.

    Takes the first seed, from `seed` on, whose true acceleration is within 5 % (some seeds of sigpy's fail).

    Raises
    ------
    ValueError
        If none of a hundred seeds is.
    """
    from sigpy.mri import poisson

    box = central(shape, (centre, centre))
    for attempt in range(seed, seed + SEEDS_TRIED):
        state = np.random.get_state()  # noqa: NPY002 - sigpy seeds the global generator
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mask = poisson(
                    shape,
                    acceleration,
                    calib=(centre, centre),
                    crop_corner=False,
                    seed=attempt,
                    tol=TOLERANCE * acceleration,
                )
        except ValueError:
            continue
        finally:
            np.random.set_state(state)  # noqa: NPY002
        mask = (np.abs(mask) > 0) | box
        if abs(mask.size / mask.sum() - acceleration) <= TOLERANCE * acceleration:
            result: NDArray[np.bool_] = mask
            return result
    raise ValueError(f"no Poisson mask of {shape} reaches {acceleration}x with a centre of {centre}")


def gaussian_1d(shape: tuple[int, int], acceleration: float, lines: int, seed: int) -> NDArray[np.bool_]:
    """floor(N / acceleration) of the N columns: `lines` in the centre, the rest drawn without replacement.

    Density exp(-((i - N/2) / (N/10))^2 / 2) + 1 / (2 acceleration), a common variable-density choice (Schlemper 2018);
    the paper says "1D Gaussian" only.
    """
    width = shape[1]
    index = np.arange(width)
    density = np.exp(-0.5 * ((index - width / 2) / (width / 10)) ** 2) + 0.5 / acceleration
    middle = central((1, width), (1, lines))[0]
    density[middle] = 0
    drawn = np.random.default_rng(seed).choice(
        width, int(width / acceleration) - lines, replace=False, p=density / density.sum()
    )
    chosen = middle.copy()
    chosen[drawn] = True
    return np.broadcast_to(chosen, shape).copy()
