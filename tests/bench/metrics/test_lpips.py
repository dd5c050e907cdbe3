import pickle
from pathlib import Path

import numpy as np
import pytest
from skimage import data, filters

from bench.data import assets
from bench.errors import UserError
from bench.metrics.lpips import Lpips, alexnet_convolutions
from bench.store.arrays import KeptArrays


class Malicious:
    def __reduce__(self):
        return (Path.touch, (Path("touched"),))


@pytest.mark.parametrize("content", [pickle.dumps(Malicious()), b"", pickle.dumps({"other": 1})])
def test_a_foreign_pickle_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"alexnet\.ckpt"):
        alexnet_convolutions(path)
    assert not (tmp_path / "touched").exists()


@pytest.mark.network
def test_lpips_is_the_official_value():
    lpips = Lpips(assets.fetch("lpips"))
    astronaut, camera, coffee = (getattr(data, name)() / 255.0 for name in ("astronaut", "camera", "coffee"))
    blurred = [filters.gaussian(i, s, channel_axis=-1) for i, s in ((astronaut, 2), (coffee, 1))]
    second = np.repeat(np.repeat(camera[::2, ::2], 2, 0), 2, 1)
    values = [
        lpips(astronaut, blurred[0]), lpips(astronaut, astronaut[:, ::-1]), lpips(camera, filters.gaussian(camera, 2)),
        lpips(camera, second), lpips(camera, 1 - camera), lpips(coffee, np.clip(blurred[1], 0, 1)),
    ]  # fmt: skip
    assert values == pytest.approx([0.32342, 0.72573, 0.41935, 0.11833, 0.34628, 0.17133], abs=1e-4)
    assert lpips(camera, camera) == 0
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        lpips(2 * camera, camera)


@pytest.fixture
def alexnet(tmp_path):
    """Weights of AlexNet's shape, drawn at random."""
    random = np.random.default_rng(0)
    shapes = [(11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256), (3, 3, 256, 256)]
    layers = {
        f"Conv_{i}": {
            "kernel": (random.standard_normal(shape) / 30).astype(np.float32),
            "bias": np.zeros(shape[-1], np.float32),
        }
        for i, shape in enumerate(shapes)
    }
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(pickle.dumps({"AlexNet_0": layers}))
    return path


def test_features_of_a_truth_are_made_once_and_a_damaged_file_anew(alexnet, tmp_path):
    kept = KeptArrays(tmp_path / "kept")
    image, other, truth = np.random.default_rng(1).uniform(size=(3, 64, 70))
    expected = [Lpips(alexnet)(x, truth) for x in (image, other)]
    assert expected[0] != expected[1]
    first = Lpips(alexnet, memory=kept)
    assert first(image, truth) == expected[0]
    (file,) = kept.folder.iterdir()
    later = Lpips(alexnet, memory=kept)
    passes = []
    later.trunk.network.register_forward_hook(lambda *_: passes.append(1))
    assert later(other, truth) == expected[1]
    assert len(passes) == 1
    file.write_bytes(file.read_bytes()[:-2000])
    assert later(image, truth) == expected[0]
    assert len(passes) == 3
    assert later(truth, truth) == 0
