"""Which parts there are, and how to time them."""

from collections.abc import Callable, Mapping

from bench import registry
from bench.speed import growth, learning, physics, whole
from bench.speed.compare import Part, Row, chosen, compare
from bench.speed.scene import Scene

Progress = Callable[[int, int, str], None]
Keep = Callable[[list[Row]], object]
MAKERS: Mapping[tuple[str, ...], Callable[[Scene], list[Part]]] = {
    ("forward", "adjoint", "normal"): physics.operators,
    ("cg-sense", "cg-sense-2d"): physics.cg_sense,
    ("espirit",): physics.espirit,
    ("gcc",): physics.gcc,
    ("modl-forward",): learning.forward("modl"),
    ("modl-step",): learning.step("modl"),
    ("proposed-forward",): learning.forward("proposed-l1"),
    ("proposed-step",): learning.step("proposed-l1"),
    ("transformer",): learning.transformer,
    ("loader",): learning.loader,
    ("ssim",): whole.similarity,
    ("preparation",): whole.preparation,
    ("run", "run-again"): whole.whole_run,
    ("cg-sense-by-matrix", "cg-sense-by-coils", "cg-sense-by-slices", "espirit-by-matrix"): growth.physics,
    ("step-by-matrix", "step-by-batch", "step-by-iterations"): growth.training,
    ("run-by-slices",): growth.runs,
}
"""Names of parts, and what makes them."""
NAMES = [name for names in MAKERS for name in names]


def measure(only: str | None, device: str, threads: int, progress: Progress, keep: Keep) -> list[Row]:
    """Time these parts, all by default.

    Parameters
    ----------
    only
        Names, with commas.
    threads
        The most that a contender is given.
    keep
        Takes all rows so far, after those parts that are made together.

    Raises
    ------
    UserError
        If there is no such part.
    """
    registry.discover()
    wanted, scene, rows = chosen(only, NAMES), Scene(device, threads), list[Row]()
    for names, make in MAKERS.items():
        if not any(name in wanted for name in names):
            continue
        for part in make(scene):
            if part.name in wanted:
                progress(len({row.part for row in rows}), len(wanted), part.name)
                rows += compare(part, device)
        keep(rows)
    progress(len(wanted), len(wanted), "done")
    return rows
