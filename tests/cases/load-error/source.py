"""The folder with the data is not mounted."""

from ellipses import Ellipses

import bench


@bench.source("mine")
class Mine(Ellipses):
    """See above."""

    def load(self, subject: str) -> bench.RawSubject:
        """Fails."""
        raise FileNotFoundError(2, "No such file or directory", f"/data/{subject}/kspace.h5")
