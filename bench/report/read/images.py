"""Images that runs keep: which there are, and one to show of each contrast."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report.read.results import Block, Run
from bench.store.files import read_images

WINDOW_PERCENTILE = 99.5  # of the truth, the top of the grey scale: bright scalp would leave the brain dark


@dataclass(frozen=True)
class Stored:
    """Images of a block, each in its own units; slices are named "contrast/subject/number"."""

    reference: dict[str, NDArray[Any]]
    methods: dict[str, dict[str, tuple[Run, NDArray[Any]]]]  # of the first seed and fold that has the slice

    def names(self, contrast: str) -> list[str]:
        """Slices of a contrast, from the smallest zero-filled error to the largest: the rule they were stored by."""
        found = {name.rsplit("/", 1)[0] for name in self.reference if name.startswith(f"{contrast}/")}
        return sorted(sorted(found), key=self._error)

    def median(self, contrast: str) -> str | None:
        """The middle one."""
        names = self.names(contrast)
        return names[len(names) // 2] if names else None

    def _error(self, name: str) -> float:
        truth, low = self.part(name, "truth")[::2, ::2], self.part(name, "lr")
        return float(((low - truth) ** 2).sum() / (truth**2).sum())

    def part(self, name: str, part: str) -> NDArray[Any]:
        """The `truth`, `lr`, `mask` or `foreground` of a slice."""
        return self.reference[f"{name}/{part}"]

    def image(self, method: str, name: str) -> NDArray[Any] | None:
        """What a method made of a slice, if that was kept."""
        found = self.methods[method].get(name)
        return None if found is None else found[1]

    def scores(self, method: str, name: str) -> str:
        """PSNR, and LPIPS if any, of the image that is shown."""
        found = self.methods[method].get(name)
        return "" if found is None else _scores(found[0], name)

    def window(self, name: str) -> float:
        """Top of the grey scale."""
        return float(np.percentile(self.part(name, "truth"), WINDOW_PERCENTILE))


def read_stored(block: Block) -> Stored:
    """Read every stored image of a block, of all folds."""
    files = sorted(block.folder.glob("reference*.npz"))
    reference = {name: image for file in files for name, image in read_images(file).items()}
    methods: dict[str, dict[str, tuple[Run, NDArray[Any]]]] = {}
    for method in block.methods():
        own = methods.setdefault(method, {})
        for run in block.of(method):
            if run.rows is not None and (run.folder / "images.npz").exists():
                own |= {n: (run, i) for n, i in read_images(run.folder / "images.npz").items() if n not in own}
    return Stored(reference, methods)


def _scores(run: Run, name: str) -> str:
    contrast, subject, number = name.split("/")
    assert run.rows is not None
    rows = run.rows
    row = rows[(rows["contrast"] == contrast) & (rows["subject"] == subject) & (rows["slice"] == int(number))]
    if row.empty:
        return ""
    lpips = row["lpips"].iloc[0]
    return f"{row['psnr'].iloc[0]:.2f} dB" + ("" if np.isnan(lpips) else f"  {lpips:.3f}")
