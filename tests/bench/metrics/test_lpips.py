import pickle
from pathlib import Path

import numpy as np
import pytest
from skimage import data, filters

from bench.data import assets
from bench.errors import UserError
from bench.metrics.lpips import Lpips, alexnet_convolutions


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
