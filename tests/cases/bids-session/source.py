"""Subjects named as BIDS folders, sub-01/ses-01."""

from ellipses import Ellipses

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    def subjects(self) -> dict[bench.Split, tuple[str, ...]]:
        """The test person has two parts to the name."""
        return {"train": ("a1", "a2"), "validation": ("b1",), "test": ("sub-01/ses-01",)}
