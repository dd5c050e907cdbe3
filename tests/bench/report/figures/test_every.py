import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bench.errors import UserError
from bench.report.figures import charts, curves, drawing, grids, zoom
from bench.report.figures import every as figures
from bench.report.read.images import read_stored
from bench.report.read.results import collect
from bench.report.tables import verdict
from bench.report.tables.main import lines
from bench.store.files import read_images, stage_folder, write_images, write_json


@pytest.fixture(scope="module")
def full(new_results):
    """Nine methods, one of them failed. For reading only."""
    results = new_results()
    results.add("proposed", "joint", psnr=33.0)
    results.add("ablation-sr", "ablation", psnr=29.0)
    for i, method in enumerate(("modl+bicubic", "modl+sinc", "modl+bebygan", "dl-espirit+bebygan")):
        results.add(method, "sequential", psnr=30.0 + i)
    results.add("oracle+sinc", "bound", psnr=40.0)
    results.fail("t2net", status="out-of-memory", reason="needs 9 GB")
    return results


@pytest.fixture(scope="module")
def block(full):
    return collect(full.folder)[0]


@pytest.fixture(scope="module")
def stored(block):
    return read_stored(block)


def curve(results, stage, rows, best=None, dataset="vwi"):
    folder = stage_folder(results.folder, dataset, "laptop", stage, 0)
    folder.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(folder / "curve.csv", index=False)
    write_json(folder / "stage.json", {"key": stage, "best_step": best})
    return folder


def words(figure):
    found = [text.get_text() for text in figure.texts]
    return found + [text.get_text() for axis in figure.axes for text in (*axis.texts, axis.title)]


def test_all_figures_of_a_block(results, tmp_path):
    results.add("proposed", contrasts=("t2 w",), psnr=33.0)
    results.add("ablation-sr", "ablation", contrasts=("t2 w",))
    results.add("modl+sinc", "sequential", contrasts=("t2 w",))
    curve(results, "proposed", {"step": [1, 2], "phase": ["plain", "plain"], "psnr": [20.0, 30.0]}, best=2)
    block = collect(results.folder)[0]
    found = verdict.compare_groups(block)
    pictures = figures.of_block(block, read_stored(block), found, tmp_path, False)
    names = ("grid-t2-w", "zoom-t2-w", "ablation", "quality-time", "differences", "training")
    assert [file.name for picture in pictures for file in picture.files] == [f"{name}.png" for name in names]
    assert all("simulated acquisition" in picture.caption for picture in pictures)


def test_pdf_beside_png_the_same_bytes_twice(tmp_path):
    files = []
    for name in "ab":
        figure = Figure(figsize=(1, 1))
        figure.text(0, 0, "words")
        files.append(drawing.save(figure, tmp_path / name / "figure", True))
    assert [path.name for path in files[0]] == ["figure.png", "figure.pdf"]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert b"CreationDate" not in files[0][1].read_bytes()


def test_every_figure_says_that_data_are_simulated(block, stored):
    made = [grids.method_grid(block, stored, "t1w/s0/1"), zoom.zoomed(block, stored, "t1w/s0/1"),
            zoom.ablation(block, stored), charts.quality_time(block),
            charts.paired_differences(block, verdict.compare_groups(block))]  # fmt: skip
    said = [[*words(figure), figure.get_suptitle()] for figure in made]
    assert all(any("vwi, profile laptop: simulated acquisition\n" in text for text in texts) for texts in said)
    labels = [axis.get_ylabel() for axis in grids.examples([(block, stored)]).axes]
    assert labels[0] == "vwi, laptop\nsimulated acquisition"


def test_figures_without_their_methods_are_left_out(results, tmp_path):
    results.fail("proposed", reason="out of luck")
    block = collect(results.folder)[0]
    assert figures.of_block(block, read_stored(block), [], tmp_path, False) == []
    assert figures.overview([(block, read_stored(block))], tmp_path, False) is None


def test_rows_without_stored_images_have_charts_only(results, tmp_path):
    folder = results.add()
    (folder / "images.npz").unlink()
    (results.folder / "vwi/laptop/reference.npz").unlink()
    block = collect(results.folder)[0]
    stored = read_stored(block)
    assert [p.png.name for p in figures.of_block(block, stored, [], tmp_path, False)] == ["quality-time.png"]
    assert figures.overview([(block, stored)], tmp_path, False) is None


def test_a_bound_alone_has_a_grid_but_no_zoom(results, tmp_path):
    results.add("oracle+sinc", "bound")
    block = collect(results.folder)[0]
    pictures = figures.of_block(block, read_stored(block), [], tmp_path, False)
    assert [picture.png.name for picture in pictures] == ["grid-t1w.png", "quality-time.png"]


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


def test_a_pixel_becomes_whole_pixels(block, stored):
    figure = grids.method_grid(block, stored, "t1w/s0/1")
    boxes = [axis.get_window_extent() for axis in figure.axes if axis.images]
    width = stored.part("t1w/s0/1", "truth").shape[1]
    assert all(box.width / width == pytest.approx(round(box.width / width)) for box in boxes)
    assert all(box.x0 == pytest.approx(round(box.x0), abs=1e-6) for box in boxes)


def test_errors_share_one_scale(block, stored):
    figure = grids.method_grid(block, stored, "t1w/s0/1")
    maps = [image for axis in figure.axes for image in axis.images if image.get_cmap().name == "inferno"]
    panels = [p for p in grids.grid_panels(block, stored, "t1w/s0/1") if p.below is not None and p.below.dtype != bool]
    everything = np.stack([panel.below for panel in panels])
    assert len(maps) == len(panels) == 7
    assert {image.get_clim() for image in maps} == {(0.0, float(np.percentile(everything, 99)))}
    grey = {image.get_clim() for axis in figure.axes for image in axis.images if image.get_cmap().name == "gray"}
    assert len(grey - {(0.0, 1.0)}) == 1  # images too; (0, 1) is the mask


def test_error_map_is_relative_to_the_truths_maximum(full, block, stored):
    panel = next(p for p in grids.grid_panels(block, stored, "t1w/s0/1") if p.title == "modl+sinc")
    truth = read_images(full.folder / "vwi/laptop/reference.npz")["t1w/s0/1/truth"]
    image = read_images(full.folder / "vwi/laptop/modl+sinc/seed0/images.npz")["t1w/s0/1"]
    assert panel.below == pytest.approx(np.abs(image - truth) / truth.max())
    assert panel.corner == "31.10 dB  0.050"


def test_grid_says_what_it_is_and_keeps_the_place_of_failures(block, stored):
    figure = grids.method_grid(block, stored, "t1w/s0/1")
    texts = words(figure)
    assert "vwi, profile laptop: simulated acquisition\nt1w, s0, slice 1" in texts
    assert "out-of-memory" in texts
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles[:4] == ["fully sampled HR (truth)", "LR, 4.0×, zero-filled", "proposed", "t2net"]
    assert titles[-1] == "oracle+sinc (bound)"


def test_stored_slices_go_by_zero_filled_error(stored):
    assert stored.names("t1w") == ["t1w/s0/0", "t1w/s0/1", "t1w/s0/2"]  # noise grows with the number
    assert stored.median("t1w") == "t1w/s0/1"
    assert stored.median("t2w") is None


def test_a_fold_alone_has_its_figures(results):
    results.add(fold=1, subjects=("s7",))
    block = collect(results.folder)[0]
    panels = grids.grid_panels(block, read_stored(block), "t1w/s7/0")
    assert panels[2].title == "proposed"
    assert panels[2].image is not None


def test_of_several_seeds_the_first_is_shown_with_its_own_scores(results):
    results.add(psnr=30.0, seed=1)
    results.add(psnr=20.0)
    block = collect(results.folder)[0]
    stored = read_stored(block)
    assert stored.scores("proposed", "t1w/s0/0") == "20.00 dB  0.050"
    first = read_images(results.folder / "vwi/laptop/proposed/seed0/images.npz")["t1w/s0/0"]
    assert np.array_equal(stored.image("proposed", "t1w/s0/0"), first)


def test_cropping_mask_keeps_dc_at_its_place():
    kept = grids.central((8, 6), (4, 3))
    assert kept.sum() == 12
    assert np.argwhere(kept)[0].tolist() == [8 // 2 - 4 // 2, 6 // 2 - 3 // 2]


def test_region_is_where_methods_differ_most_within_the_foreground():
    images = np.zeros((3, 60, 50))
    images[0, 2:8, 2:8] = 9.0  # the largest difference, outside the foreground
    images[1, 31:41, 25:35] = 1.0
    images[2, 15:17, 15:17] = 1.0
    foreground = np.zeros((60, 50), bool)
    foreground[10:55, 10:45] = True
    region = zoom.choose_region(list(images), foreground)
    assert region.side == round(0.22 * 50) == 11
    assert region.y <= 31
    assert region.y + 11 >= 41
    assert region.x <= 25
    assert region.x + 11 >= 35
    assert foreground[region.y : region.y + 11, region.x : region.x + 11].all()


def test_region_in_a_foreground_smaller_than_itself():
    images = np.zeros((2, 40, 40))
    images[0, 0, 0] = 5.0
    foreground = np.zeros((40, 40), bool)
    foreground[30:33, 30:33] = True
    region = zoom.choose_region(list(images), foreground)
    assert region.of(foreground).sum() == 9


def test_bounds_have_no_say_in_the_region(results):
    results.add("proposed", "joint")
    results.add("modl+sinc", "sequential")
    folder = results.add("oracle+sinc", "bound")
    regions = []
    for spot in (0.0, 50.0):
        images = read_images(folder / "images.npz")
        images["t1w/s0/1"][20:24, 20:24] += spot
        write_images(folder / "images.npz", images)
        block = collect(results.folder)[0]
        boxes = [patch for axis in zoom.zoomed(block, read_stored(block), "t1w/s0/1").axes for patch in axis.patches]
        regions.append(boxes[0].get_xy())
    assert regions[0] == regions[1]


def test_zoom_shows_the_region_of_every_method(block, stored):
    figure = zoom.zoomed(block, stored, "t1w/s0/1")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["t1w", "truth", "proposed", "ablation-sr", "dl-espirit+bebygan", "modl+bebygan", "modl+bicubic",
                      "modl+sinc", "oracle+sinc (bound)"]  # fmt: skip
    ranked = [method for method in block.methods() if method not in ("oracle+sinc", "t2net")]
    region = zoom.region_of(stored, "t1w/s0/1", ranked)
    assert np.array_equal(figure.axes[1].images[0].get_array(), region.of(stored.part("t1w/s0/1", "truth")))
    assert np.array_equal(figure.axes[5].images[0].get_array(), region.of(stored.image("modl+bebygan", "t1w/s0/1")))


def test_ablation_shows_ablations_beside_joint_methods(block, stored):
    titles = [axis.get_title() for axis in zoom.ablation(block, stored).axes]
    assert titles == ["t1w", "truth", "proposed", "ablation-sr"]


def timed(results, method, group, psnr, seconds):
    folder = results.add(method, group, psnr=psnr)
    (folder / "timing.csv").write_text(f"seconds,peak_memory_mb,device,threads\n{seconds},1,cpu,2\n")


def test_pareto_front_without_bounds(results):
    for method, group, psnr, seconds in (("fast", "sequential", 25, 0.1), ("slow", "joint", 30, 2), ("poor", "joint", 24, 1),
                                         ("equal", "sequential", 25, 0.5), ("see-all", "bound", 50, 0.01)):  # fmt: skip
        timed(results, method, group, psnr, seconds)
    table = lines(collect(results.folder)[0])
    assert [line.method for line in charts.pareto(table, "psnr")] == ["fast", "slow"]
    assert [line.method for line in charts.pareto(table, "lpips")] == ["fast"]  # all alike


def test_quality_time_numbers_every_method(block):
    figure = charts.quality_time(block)
    key = [text.get_text() for text in figure.legends[0].get_texts()]
    assert key[:2] == ["1  proposed", "2  ablation-sr"]
    assert key[-2:] == ["7  oracle+sinc (bound)", "none faster and better"]
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [list("1234567")] * 2


def test_quality_time_leaves_out_what_was_not_measured(results):
    results.add(lpips=None, without_lpips=True)
    assert [axis.get_ylabel() for axis in charts.quality_time(collect(results.folder)[0]).axes] == ["PSNR, dB"]


def test_differences_are_joint_minus_best_sequential_slice_by_slice(results):
    results.add("proposed", psnr=33.0, gain={"s1": 1.0}, contrasts=("t1w", "t2w"))
    results.add("modl+sinc", "sequential", psnr=32.5, contrasts=("t1w", "t2w"))
    results.add("modl+bicubic", "sequential", psnr=30.0, contrasts=("t1w", "t2w"))
    block = collect(results.folder)[0]
    comparison = next(c for c in verdict.compare_groups(block) if c.score == "psnr")
    found = charts.clouds(block, comparison)
    assert [cloud.contrast for cloud in found] == ["t1w", "t2w"]
    assert found[0].subjects == ("s0",) * 4 + ("s1",) * 4 + ("s2",) * 4
    assert found[0].differences == pytest.approx((0.5,) * 4 + (1.5,) * 4 + (0.5,) * 4)
    assert found[0].better("psnr") == 12
    assert found[0].better("lpips") == 0
    axis = charts.paired_differences(block, [comparison]).axes[0]
    assert axis.get_title() == "proposed − modl+sinc"
    assert sum(len(dots.get_offsets()) for dots in axis.collections) == 24
    assert axis.get_xticklabels()[0].get_text() == "t1w\nbetter on 12/12"


def test_differences_to_the_best_and_to_the_twin_have_panels_of_their_own(results):
    results.add("proposed", psnr=33.0)
    results.add("modl+sinc", "sequential", psnr=32.5)
    results.add("ablation-end-to-end", "ablation", psnr=31.0)
    block = collect(results.folder)[0]
    figure = charts.paired_differences(block, verdict.compare_groups(block))
    titles = ["proposed − modl+sinc", "proposed − ablation-end-to-end"]
    assert [axis.get_title() for axis in figure.axes] == titles * 2  # PSNR above, LPIPS below
    assert all(sum(len(dots.get_offsets()) for dots in axis.collections) == 12 for axis in figure.axes)


def test_training_curves_by_stage(results):
    results.add()
    rows = {"step": [1, 2, 3], "phase": ["plain", "gan", "gan"], "psnr": [20.0, 30.0, 29.0], "lpips": [0.3, 0.2, 0.1]}
    curve(results, "proposed", rows, best=3)
    curve(results, "modl", {"step": [1, 2], "phase": ["plain", "plain"], "psnr": [20.0, 30.0]}, best=2)
    figure = curves.training_curves(collect(results.folder)[0])
    panels = {axis.get_title(): axis for axis in figure.axes if axis.get_title()}
    assert list(panels) == ["modl", "proposed"]
    drawn = [line.get_xydata().tolist() for line in panels["proposed"].lines]
    assert drawn[1:] == [[[1, 20], [2, 30], [3, 29]], [[3, 29]]]  # after the line where a phase ends
    assert drawn[0][0][0] == 1
    assert [line.get_xydata().tolist() for line in panels["modl"].lines] == [[[1, 20], [2, 30]], [[2, 30]]]


def test_a_damaged_curve_is_refused_by_name(results):
    results.add()
    curve(results, "modl", {"step": [1], "phase": ["plain"]})
    with pytest.raises(UserError, match=r"modl/seed0/curve.csv lacks the column 'psnr'"):
        curves.training_curves(collect(results.folder)[0])
