import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bench.report.figures import drawing


def test_pdf_beside_png_the_same_bytes_twice(tmp_path):
    files = []
    for name in "ab":
        figure = Figure(figsize=(1, 1))
        figure.text(0, 0, "words")
        files.append(drawing.save(figure, tmp_path / name / "figure", True))
    assert [path.name for path in files[0]] == ["figure.png", "figure.pdf"]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert b"CreationDate" not in files[0][1].read_bytes()


def test_png_keeps_greys_grey_and_colours_apart():
    grey = np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 40, 3))
    coloured = np.tile(np.uint8([[213, 94, 0], [0, 114, 178]])[None], (256, 20, 1))
    image = Image.fromarray(np.concatenate([grey, coloured], axis=1))
    read = np.asarray(Image.open(io.BytesIO(drawing.small_png(image))).convert("RGB")).astype(int)
    assert np.abs(read - np.asarray(image).astype(int)).max() <= 1
    assert np.ptp(read[:, :40], axis=-1).max() == 0


@pytest.mark.parametrize(("cells", "columns"), [(3, 6), (7, 7), (8, 8), (9, 6), (14, 7), (25, 7), (24, 8)])
def test_balanced_leaves_few_cells_empty(cells, columns):
    assert drawing.balanced(cells, 6, 8) == columns
