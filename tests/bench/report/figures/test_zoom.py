import numpy as np

from bench.report.figures import zoom
from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.store.images import SliceName, read_images, write_images

MIDDLE = SliceName("t1w", "s0", 1)


def only(results):
    (collected,) = collect(results.folder)
    return collected


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
        images = read_images(folder.images)
        images["t1w/s0/1"][20:24, 20:24] += spot
        write_images(folder.images, images)
        collected = only(results)
        boxes = [
            patch
            for axis in zoom.zoomed(collected, read_kept(collected), MIDDLE, collected.methods()).axes
            for patch in axis.patches
        ]
        regions.append(boxes[0].get_xy())
    assert regions[0] == regions[1]


def test_the_best_of_each_group_and_the_single_stage_network_choose_the_region(results):
    psnrs = {
        "joint": {"proposed": 30.0, "modl~rrdb": 31.0, "hr-unrolled": 27.0},
        "sequential": {"modl+rrdb": 29.0, "modl+sinc": 28.0}, "bound": {"oracle+sinc": 40.0},
    }  # fmt: skip
    for method, group, psnr in ((m, group, psnr) for group, own in psnrs.items() for m, psnr in own.items()):
        results.add(method, group, psnr=psnr, details={"psnr_fg": psnr})
    collected = only(results)
    assert zoom.choosing(collected, read_kept(collected), MIDDLE) == ["modl~rrdb", "modl+rrdb", "hr-unrolled"]


def test_zoom_shows_the_region_of_every_method(collected, images):
    figure = zoom.zoomed(collected, images, MIDDLE, collected.methods())
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["t1w", "truth", "ablation-end-to-end", "proposed", "dl-espirit+bebygan", "modl+bebygan", "modl+bicubic",
                      "modl+sinc", "ablation-sr", "oracle+sinc (bound)"]  # fmt: skip
    chosen = zoom.choosing(collected, images, MIDDLE)
    groups = [collected.group(method) for method in chosen]
    assert groups == ["joint", "sequential"]
    region = zoom.region_of(images, MIDDLE, chosen)
    assert np.array_equal(figure.axes[1].images[0].get_array(), region.of(images.part(MIDDLE, "truth")))
    assert np.array_equal(figure.axes[5].images[0].get_array(), region.of(images.image("modl+bebygan", MIDDLE)))


def test_ablation_shows_ablations_beside_the_network_of_the_paper(collected, images):
    titles = [axis.get_title() for axis in zoom.ablation(collected, images).axes]
    assert titles == ["t1w", "truth", "ablation-end-to-end", "proposed", "ablation-sr"]
