"""Keep what README and page need of the images of committed results: `python tools/thin.py results`.

Of each dataset and profile that is the middle slice of each contrast, in 8 bits; of cells those at the corners of the map. A
second run changes nothing.
"""

import sys
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from bench.report.read.cells import Cell, cells
from bench.report.read.images import read_kept
from bench.report.read.results import DatasetResults, collect
from bench.store.images import SliceName, read_images, write_images

ONE_CONTRAST = ("vfa",)  # whose contrasts are flip angles of one slice


def thin(folder: Path) -> None:
    """Write all images below a folder of results again."""
    for results in collect(folder):
        kept = slices(results)
        references = results.folder.references(results.dataset, results.profile)
        for path in (*references, *(run.folder.images for run in results.done if run.folder.images.exists())):
            found = read_images(path)
            write_images(path, {text: found[text] for text in found if slice_of(text) in kept}, small=True)


def slices(results: DatasetResults) -> set[SliceName]:
    """Those that stay: the ones that the report shows."""
    images = read_kept(results)
    middle = [name for contrast in corners(results.contrasts()) if (name := images.median(contrast))]
    return set(middle[:1] if results.dataset in ONE_CONTRAST else middle)


def corners(contrasts: Sequence[str]) -> Sequence[str]:
    """Of cells those of the least or most aliasing, with the least or most noise; all contrasts where they are no cells."""
    kept = cells(contrasts)
    if not kept:
        return contrasts
    for axis in (aliasing, attrgetter("noise")):
        ends = min(map(axis, kept)), max(map(axis, kept))
        kept = [cell for cell in kept if axis(cell) in ends]
    return [cell.contrast for cell in kept]


def aliasing(cell: Cell) -> float:
    """Acceleration by coils."""
    return cell.acceleration / cell.coils


def slice_of(text: str) -> SliceName:
    """The slice of an image, or of a part of the reference, which is called "slice/part"."""
    return SliceName.parse("/".join(text.split("/")[:3]))


def megabytes(folder: Path) -> float:
    """Of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    """Say how large the folder was and is."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/thin.py RESULTS")
    folder = Path(sys.argv[1])
    before = megabytes(folder)
    thin(folder)
    print(f"{folder}: {before:.1f} MB before, {megabytes(folder):.1f} MB after")


if __name__ == "__main__":
    main()
