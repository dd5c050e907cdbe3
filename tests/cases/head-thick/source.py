"""A 2-D scan with slices of 6 mm."""

from ellipses import Ellipses, head

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    def load(self, subject: str) -> bench.Head:
        """A head of 30 slices."""
        return bench.Head(head((30, 220, 190), (6.0, 1.0, 1.0), sum(subject.encode())), (6.0, 1.0, 1.0))
