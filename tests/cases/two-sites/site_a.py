"""Site A, first release."""

from ellipses import Ellipses

import bench


@bench.source("site-a")
class Mine(Ellipses):
    """See above."""
