"""People of your own as a source: here three made-up heads, in whose place you read yours.

    bench check my-heads --plugin examples/your_data.py
    bench run --plugin examples/your_data.py --source my-heads --profile smoke --methods "cg-sense+bicubic"

The second line simulates the acquisition of `vwi` from these heads and prints a table. For measured, fully sampled k-space
return `bench.RawSubject` instead of `bench.Head`.
"""

import numpy as np
from numpy.typing import NDArray

import bench

PEOPLE = {"anna": 0.95, "ben": 1.0, "carla": 1.05}  # the size of each head


@bench.source("my-heads")
class MyHeads(bench.Source):
    """Ellipsoids with a bright scalp, for the sake of the example."""

    label = "simulated acquisition of made-up heads"  # said in every table and figure
    datasets = ("vwi", "brain")  # whose protocols suit these data

    def subjects(self) -> dict[bench.Split, tuple[str, ...]]:
        """Nobody is in two splits; test people are never trained on."""
        return {"train": ("anna",), "validation": ("ben",), "test": ("carla",)}

    def digests(self, subject: str) -> tuple[str, ...]:
        """What the numbers depend on. For files: `hashlib.sha256(path.read_bytes()).hexdigest()`."""
        return (f"ellipsoids of size {PEOPLE[subject]}",)

    def load(self, subject: str) -> bench.Head:
        """(z, y, x) from the top of the head, its front and its left; the 99.9th percentile is 1."""
        z, y, x = np.meshgrid(*(np.arange(n) - n / 2 for n in (96, 110, 90)), indexing="ij", sparse=True)
        radius = np.sqrt((z / 44) ** 2 + (y / 48) ** 2 + (x / 38) ** 2) / PEOPLE[subject]
        folds: NDArray[np.float64] = 0.1 * np.sin(z / 3) * np.sin(y / 4) * np.sin(x / 3)
        head = np.where(radius < 0.8, 0.55 + folds, 0.1) * (radius < 1)
        head[(radius > 0.93) & (radius < 1)] = 1.0
        return bench.Head(head.astype(np.float32), voxel_mm=(2.0, 2.0, 2.0))
