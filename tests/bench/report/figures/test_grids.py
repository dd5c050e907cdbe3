import numpy as np
import pytest

from bench.mri.masks import central
from bench.report.figures import grids
from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.store.images import SliceName, read_images

MIDDLE = SliceName("t1w", "s0", 1)


def only(results):
    (collected,) = collect(results.folder)
    return collected


def words(figure):
    found = [text.get_text() for text in figure.texts]
    return found + [text.get_text() for axis in figure.axes for text in (*axis.texts, axis.title)]


def test_a_pixel_becomes_whole_pixels(collected, images):
    figure = grids.method_grid(collected, images, MIDDLE)
    boxes = [axis.get_window_extent() for axis in figure.axes if axis.images]
    width = images.part(MIDDLE, "truth").shape[1]
    assert all(box.width / width == pytest.approx(round(box.width / width)) for box in boxes)
    assert all(box.x0 == pytest.approx(round(box.x0), abs=1e-6) for box in boxes)


def test_errors_share_one_scale(collected, images):
    figure = grids.method_grid(collected, images, MIDDLE)
    maps = [image for axis in figure.axes for image in axis.images if image.get_cmap().name == "inferno"]
    panels = [p for p in grids.grid_panels(collected, images, MIDDLE) if p.below is not None and p.below.dtype != bool]
    inside = images.part(MIDDLE, "foreground")
    top = float(np.percentile(np.stack([panel.below[inside] for panel in panels]), 99))
    assert len(maps) == len(panels) == 8
    assert {image.get_clim() for image in maps} == {(0.0, top)}
    assert all((np.ma.getmaskarray(image.get_array()) == ~inside).all() for image in maps)
    grey = {image.get_clim() for axis in figure.axes for image in axis.images if image.get_cmap().name == "gray"}
    truth = images.part(MIDDLE, "truth")
    window = float(np.percentile(truth[inside], 99.5)) / float(truth.max())
    assert grey == {(0.0, window), (0.0, grids.GREY * top), (0.0, 1.0)}  # images, errors outside, the mask


def test_a_bar_says_how_long_50_mm_are_where_the_voxel_is_known(results):
    for voxel in (None, (1.2, 2.0)):
        results.add("proposed", voxel_mm=voxel)
        (collected,) = collect(results.folder)
        figure = grids.method_grid(collected, read_kept(collected), MIDDLE)
        bars = [line.get_xdata() for line in figure.axes[0].lines]
        assert [bar[1] - bar[0] for bar in bars] == ([25.0] if voxel else [])
        assert ("50 mm" in words(figure)) == bool(voxel)


def test_error_map_is_relative_to_the_truths_maximum(full, collected, images):
    panel = next(p for p in grids.grid_panels(collected, images, MIDDLE) if p.title == "modl+sinc")
    truth = read_images(full.layout.reference("vwi", "laptop"))["t1w/s0/1/truth"]
    image = read_images(full.layout.run("vwi", "laptop", "modl+sinc", 0).images)["t1w/s0/1"]
    assert panel.below == pytest.approx(np.abs(image - truth) / truth.max())
    assert panel.corner == "31.10 dB  0.050"


def test_grid_says_what_it_is_and_keeps_the_place_of_failures(collected, images):
    figure = grids.method_grid(collected, images, MIDDLE)
    texts = words(figure)
    assert "vwi, profile laptop: simulated acquisition\nt1w, s0, slice 1" in texts
    assert "out-of-memory" in texts
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles[:2] == ["fully sampled HR (truth)", "LR, 4.0×, zero-filled"]
    assert titles[2:5] == ["ablation-end-to-end", "proposed", "t2net"]
    assert titles[-1] == "oracle+sinc (bound)"


def test_a_fold_alone_has_its_figures(results):
    results.add(fold=1, subjects=("s7",))
    collected = only(results)
    panels = grids.grid_panels(collected, read_kept(collected), SliceName("t1w", "s7", 0))
    assert panels[2].title == "proposed"
    assert panels[2].image is not None


def test_cropping_mask_keeps_dc_at_its_place():
    kept = central((8, 6), (4, 3))
    assert kept.sum() == 12
    assert np.argwhere(kept)[0].tolist() == [8 // 2 - 4 // 2, 6 // 2 - 3 // 2]


def test_the_edge_of_the_foreground_is_drawn_into_the_truth_alone(collected, images):
    axes = {axis.get_title(): axis for axis in grids.method_grid(collected, images, MIDDLE).axes if axis.get_title()}
    outlined = [title for title, axis in axes.items() if axis.collections]
    assert outlined == ["fully sampled HR (truth)"]
    (edge,) = axes[outlined[0]].collections
    inside = images.part(MIDDLE, "foreground")
    for x, y in np.vstack([path.vertices for path in edge.get_paths()]):
        around = inside[int(np.floor(y)) : int(np.ceil(y)) + 1, int(np.floor(x)) : int(np.ceil(x)) + 1]
        assert around.any()
        assert not around.all()
