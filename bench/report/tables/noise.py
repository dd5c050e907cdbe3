"""How far the noise of a measured truth bounds every score against it."""

import numpy as np
from numpy.typing import NDArray

from bench.metrics.scores import BY_ID
from bench.report.read.images import KeptImages, example
from bench.report.read.results import DatasetResults

SCORE = BY_ID["psnr_fg"]
NORMAL = 0.6745  # median of |x| of a standard normal x


def spread(truth: NDArray[np.floating], inside: NDArray[np.bool_]) -> float:
    """Standard deviation of the noise, in units of the truth's maximum, from its finest diagonal detail.

    That is the highest band of the Haar wavelet, in which anatomy has least; the median of its size, over 0.6745, is the
    noise's standard deviation were all of it normal noise (Donoho and Johnstone 1994). Anatomy makes it larger.

    Parameters
    ----------
    truth, inside
        (Y, X) magnitude, and where it counts; nan where no four pixels do.
    """
    detail = (truth[:-1, :-1] - truth[1:, :-1] - truth[:-1, 1:] + truth[1:, 1:]) / 2
    counts = inside[:-1, :-1] & inside[1:, :-1] & inside[:-1, 1:] & inside[1:, 1:]
    if not counts.any():
        return float("nan")
    return float(np.median(np.abs(detail[counts]))) / NORMAL / float(truth.max())


def said(results: DatasetResults, images: KeptImages) -> list[str]:
    """A sentence for measured data of which a slice was kept; nothing for simulated ones, whose truth is the anatomy."""
    name = example(results, images)
    if results.simulated or name is None:
        return []
    noise = spread(images.part(name, "truth").astype(float), images.inside(name))
    if not noise > 0:
        return []
    return [
        f"The truth is measured, so it is noisy: in {name.contrast}, {name.subject}, slice {name.number} by about "
        f"{100 * noise:.1f} % of its maximum. No image, however right, would score much above "
        f"{-20 * np.log10(noise):.1f} {SCORE.unit} {SCORE.name} against it."
    ]
