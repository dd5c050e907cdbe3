"""Images that runs keep: which there are, and one to show of each contrast."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.errors import UserError
from bench.report.read.results import DatasetResults
from bench.store.images import SliceName, read_images
from bench.store.tables import AGAIN

WINDOW_PERCENTILE = (
    99.5  # of the truth inside of the head, the top of the grey scale: bright scalp would leave the brain dark
)
PARTS = ("truth", "lr", "mask", "foreground")  # of a slice in the reference

Image = NDArray[Any]
Scores = dict[str, float]


@dataclass(frozen=True)
class KeptImages:
    """The images of a dataset that were kept, each in its own units; any number of slices, none included."""

    reference: dict[SliceName, dict[str, Image]]
    """By slice, its `PARTS`."""
    methods: dict[str, dict[SliceName, tuple[Scores, Image]]]
    """By method and slice, the image of the first seed and fold that has the slice, with its PSNR and LPIPS."""

    def names(self, contrast: str) -> list[SliceName]:
        """Slices of a contrast, from the smallest zero-filled error to the largest: the rule they were chosen by."""
        return sorted(sorted(name for name in self.reference if name.contrast == contrast), key=self._error)

    def median(self, contrast: str) -> SliceName | None:
        """The middle one of a contrast; None where it has none."""
        names = self.names(contrast)
        return names[len(names) // 2] if names else None

    def _error(self, name: SliceName) -> float:
        truth, low = self.part(name, "truth")[::2, ::2], self.part(name, "lr")
        return float(((low - truth) ** 2).sum() / (truth**2).sum())

    def part(self, name: SliceName, part: str) -> Image:
        """The `truth`, `lr`, `mask` or `foreground` of a slice."""
        return self.reference[name][part]

    def image(self, method: str, name: SliceName) -> Image | None:
        """What a method made of a slice, if that was kept."""
        found = self.methods[method].get(name)
        return None if found is None else found[1]

    def scores(self, method: str, name: SliceName) -> Scores:
        """PSNR, and LPIPS if any, of the image that is shown; empty without one."""
        found = self.methods[method].get(name)
        return {} if found is None else found[0]

    def window(self, name: SliceName) -> float:
        """Top of the grey scale."""
        return float(np.percentile(self.part(name, "truth")[self.inside(name)], WINDOW_PERCENTILE))

    def inside(self, name: SliceName) -> NDArray[np.bool_]:
        """The foreground; everything where it is empty."""
        foreground: NDArray[np.bool_] = self.part(name, "foreground").astype(bool)
        return foreground if foreground.any() else np.ones_like(foreground)


def read_kept(results: DatasetResults) -> KeptImages:
    """Read every image of a dataset that was kept, of all folds.

    Raises
    ------
    UserError
        If a file is damaged.
    """
    reference: dict[SliceName, dict[str, Image]] = {}
    for path in results.folder.references(results.dataset, results.profile):
        reference |= _read_reference(path)
    methods: dict[str, dict[SliceName, tuple[Scores, Image]]] = {}
    for method in results.methods():
        own = methods.setdefault(method, {})
        for run in results.of(method):
            if run.rows is not None and run.folder.images.exists():
                scores = _scores(run.rows)
                for text, image in read_images(run.folder.images).items():
                    name = _parse(text, run.folder.images)
                    own.setdefault(name, (scores.get((name.contrast, name.subject, name.number), {}), image))
    return KeptImages(reference, methods)


def example(results: DatasetResults, images: KeptImages) -> SliceName | None:
    """The slice that stands for a dataset: the middle one of the first contrast that has any."""
    return next((name for contrast in results.contrasts() if (name := images.median(contrast))), None)


def _read_reference(path: Path) -> dict[SliceName, dict[str, Image]]:
    found: dict[SliceName, dict[str, Image]] = {}
    for text, image in read_images(path).items():
        slice_, _, part = text.rpartition("/")
        found.setdefault(_parse(slice_, path), {})[part] = image
    for name, parts in found.items():
        for part in PARTS:
            if part not in parts:
                raise UserError(f"{path} lacks '{name}/{part}': {AGAIN}.")
    return found


def _parse(text: str, path: Path) -> SliceName:
    try:
        return SliceName.parse(text)
    except ValueError:
        raise UserError(f"{path} holds '{text}', which is no slice's name: {AGAIN}.") from None


def _scores(rows: pd.DataFrame) -> dict[tuple[str, str, int], Scores]:
    """PSNR, and LPIPS if any, by contrast, subject and slice."""
    places = zip(rows["contrast"], rows["subject"], rows["slice"].astype(int), strict=True)
    values = zip(rows["psnr"], rows["lpips"], strict=True)
    return {
        place: {name: float(value) for name, value in zip(("psnr", "lpips"), pair, strict=True) if not np.isnan(value)}
        for place, pair in zip(places, values, strict=True)
    }
