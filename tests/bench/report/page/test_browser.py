import base64
import io

import numpy as np
from PIL import Image

from bench.report.page import browser
from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.store.images import read_images


def test_browser_has_the_kept_slices_in_units_of_the_truths_maximum(full):
    collected = collect(full.folder, "vwi")[0]
    data = browser.data([(collected, read_kept(collected))])
    found = data["sections"][0]
    assert found["groups"] == {
        "proposed": "joint",
        "t2net": "joint",
        "ablation-end-to-end": "joint",
        "ablation-sr": "single",
        "modl+sinc": "sequential",
        "oracle+sinc": "bound",
    }
    assert [s["name"] for s in found["slices"]] == ["s0, slice 0", "s0, slice 1", "s0, slice 2"]
    shown = found["slices"][1]
    assert list(shown["images"]) == [
        "truth",
        "LR input, zero-filled",
        "ablation-end-to-end",
        "proposed",
        "modl+sinc",
        "ablation-sr",
        "oracle+sinc",
    ]
    assert shown["missing"] == {"t2net": "out-of-memory"}
    assert shown["scores"]["modl+sinc"] == "31.10 dB, LPIPS 0.050"
    truth = read_images(full.layout.reference("vwi", "laptop"))["t1w/s0/1/truth"]
    image = read_images(full.layout.run("vwi", "laptop", "modl+sinc", 0).images)["t1w/s0/1"]
    opened = Image.open(io.BytesIO(base64.b64decode(shown["images"]["modl+sinc"])))
    assert opened.mode == "L"
    assert opened.size == tuple(shown["size"]) == (40, 48)
    assert np.abs(np.asarray(opened) / 255 - np.clip(image / truth.max(), 0, 1)).max() <= 0.5 / 255 + 1e-6
