import numpy as np
import pytest

from bench.errors import UserError
from bench.store.images import SliceName, read_images, write_images

NAME = str(SliceName("t1w", "a", 0))


@pytest.mark.parametrize("seed", range(20))
def test_small_images_are_within_half_a_percent_and_the_same_bytes_when_written_again(tmp_path, seed):
    generator = np.random.default_rng(seed)
    image = (10.0 ** generator.uniform(-6, 4) * generator.random((30, 20)) ** 2).astype(np.float32)
    images = {NAME: image, f"{NAME}/mask": image > image.mean(), "nothing": np.zeros((3, 3), np.float32)}
    write_images(tmp_path / "once.npz", images, small=True)
    read = read_images(tmp_path / "once.npz")
    assert np.abs(read[NAME] - image).max() <= 0.004 * image.max()
    assert np.array_equal(read[f"{NAME}/mask"], images[f"{NAME}/mask"])
    assert not read["nothing"].any()
    write_images(tmp_path / "twice.npz", read, small=True)
    assert (tmp_path / "once.npz").read_bytes() == (tmp_path / "twice.npz").read_bytes()


@pytest.mark.parametrize("text", ["plain", "sub-01/ses-2", "a [b]", "50 %", "%2F", "ü", "..", ""])
def test_a_name_of_any_text_comes_back(text):
    name = SliceName(text, f"{text}/{text}", 12)
    assert SliceName.parse(str(name)) == name
    assert str(name).count("/") == 2


def test_images_come_back_within_a_step_of_sixteen_bits(tmp_path):
    image = np.random.default_rng(0).random((5, 4)).astype(np.float32) * 300
    mask = image > 100
    write_images(tmp_path / "images.npz", {"a/b/0": image, "a/b/0/mask": mask})
    read = read_images(tmp_path / "images.npz")
    assert np.abs(read["a/b/0"] - image).max() <= image.max() / 65535
    assert np.array_equal(read["a/b/0/mask"], mask)


def test_a_truncated_image_file_is_refused(tmp_path):
    path = tmp_path / "images.npz"
    write_images(path, {"a": np.ones((4, 4), np.float32)})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=r"images\.npz"):
        read_images(path)
