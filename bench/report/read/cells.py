"""Contrasts that are cells of acceleration, coils and noise, as those of `regimes` are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

CELL = re.compile(r"r(\d+)-c(\d+)-n(\d+)")


@dataclass(frozen=True, order=True)
class Cell:
    """A regime, named like `r8-c4-n03`."""

    coils: int
    acceleration: int
    noise: int
    """In hundredths."""
    contrast: str
    """Its name."""

    def __str__(self) -> str:
        """ "8×, 4 coils, noise .03"."""
        return f"{self.acceleration}×, {self.coils} coils, noise .{self.noise:02d}"


def cells(contrasts: Sequence[str]) -> list[Cell]:
    """Those contrasts that are cells, by coils, acceleration and noise."""
    found = [(name, match) for name in contrasts if (match := CELL.fullmatch(name))]
    return sorted(Cell(int(m[2]), int(m[1]), int(m[3]), name) for name, m in found)
