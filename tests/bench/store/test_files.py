import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.store import files as store


def rows(n=2, **changes):
    identity = {"dataset": "vwi", "source": "phantom", "profile": "smoke", "method": "m", "seed": 0, "fold": 0}
    scores = dict.fromkeys(store.SCORES, 0.5)
    return pd.DataFrame(
        [{**identity, "subject": "a", "contrast": "t1w", "slice": i, **scores, **changes} for i in range(n)]
    )


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    store.atomic_write(path, "before")

    def write_half():
        with store.atomic_path(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_rows_come_back(tmp_path):
    store.write_rows(tmp_path / "slices.csv", rows(3))
    pd.testing.assert_frame_equal(store.read_rows(tmp_path / "slices.csv"), rows(3), check_dtype=False)


def test_a_slice_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not unique"):
        store.write_rows(tmp_path / "slices.csv", pd.concat([rows(1), rows(1)]))


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (lambda text: text.replace("psnr,", "snr,", 1), "'psnr'"),
        (lambda text: text.replace("0.5", "half", 1), "'psnr'"),
        (lambda text: "", "slices.csv"),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_field(tmp_path, damage, field):
    path = tmp_path / "slices.csv"
    store.write_rows(path, rows())
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError, match=field) as error:
        store.read_rows(path)
    assert "slices.csv" in str(error.value)


def test_images_come_back_within_a_step_of_sixteen_bits(tmp_path):
    image = np.random.default_rng(0).random((5, 4)).astype(np.float32) * 300
    mask = image > 100
    store.write_images(tmp_path / "images.npz", {"a/b/0": image, "a/b/0/mask": mask})
    read = store.read_images(tmp_path / "images.npz")
    assert np.abs(read["a/b/0"] - image).max() <= image.max() / 65535
    assert np.array_equal(read["a/b/0/mask"], mask)


def test_a_truncated_image_file_is_refused(tmp_path):
    path = tmp_path / "images.npz"
    store.write_images(path, {"a": np.ones((4, 4), np.float32)})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=r"images\.npz"):
        store.read_images(path)
