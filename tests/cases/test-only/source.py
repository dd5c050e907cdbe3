"""A single person, for testing."""

from ellipses import Ellipses

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    def subjects(self) -> dict[bench.Split, tuple[str, ...]]:
        """Nobody to train on."""
        return {"test": ("c1",)}
