import pandas as pd

from bench.report import figures
from bench.report.claims import Verdict, judge
from bench.report.figures import answer, charts, curves, grids, pairs, regimes, slopes, zoom
from bench.report.figures.drawing import save
from bench.report.read.images import read_kept
from bench.report.read.results import collect
from bench.report.tables.captions import about_data, about_means
from bench.store.images import SliceName

NOTHING = Verdict((), (), {})
MIDDLE = SliceName("t1w", "s0", 1)


def only(results):
    (collected,) = collect(results.folder)
    return collected


def words(figure):
    found = [text.get_text() for text in figure.texts]
    return found + [text.get_text() for axis in figure.axes for text in (*axis.texts, axis.title)]


def test_all_figures_of_a_block(results, tmp_path):
    results.add("proposed", contrasts=("t2 w",), psnr=33.0, loss="gan")
    results.add("ablation-sr", "single", contrasts=("t2 w",))
    results.add("ablation-end-to-end", contrasts=("t2 w",), loss="gan")
    results.stage("proposed", {"step": [1, 2], "phase": ["plain", "plain"], "psnr": [20.0, 30.0]}, best_step=2)
    collected = only(results)
    found = judge(collected)
    pictures = figures.of_dataset(collected, read_kept(collected), found, tmp_path, False)
    sheets = ("grid-t2 w", "zoom-t2 w", "ablation")
    charts = ("quality-quality", "quality-time", "orders", "training")
    assert [[file.name for file in picture.files] for picture in pictures] == [
        *([f"{name}.png"] for name in sheets),
        *([f"{name}.png", f"{name}.csv"] for name in charts),
    ]
    assert all("simulated acquisition" in picture.caption for picture in pictures)


def test_every_figure_says_that_data_are_simulated(collected, images):
    made = [grids.method_grid(collected, images, MIDDLE), zoom.zoomed(collected, images, MIDDLE, collected.methods()),
            zoom.ablation(collected, images)]  # fmt: skip
    said = [[*words(figure), figure.get_suptitle()] for figure in made]
    assert all(any("vwi, profile laptop: simulated acquisition\n" in text for text in texts) for texts in said)
    labels = [axis.get_ylabel() for axis in grids.examples([(collected, images)]).axes]
    assert labels[0] == "vwi, laptop\nsimulated acquisition"


def test_figures_without_their_methods_are_left_out(results, tmp_path):
    results.fail("proposed", reason="out of luck")
    collected = only(results)
    assert figures.of_dataset(collected, read_kept(collected), NOTHING, tmp_path, False) == []
    assert figures.overview([(collected, read_kept(collected))], tmp_path, False) is None


def test_rows_without_kept_images_have_charts_only(results, tmp_path):
    folder = results.add()
    folder.images.unlink()
    results.layout.reference("vwi", "laptop").unlink()
    collected = only(results)
    images = read_kept(collected)
    assert [p.png.name for p in figures.of_dataset(collected, images, NOTHING, tmp_path, False)] == [
        "quality-quality.png",
        "quality-time.png",
    ]
    assert figures.overview([(collected, images)], tmp_path, False) is None


def test_a_bound_alone_has_a_grid_but_no_zoom(results, tmp_path):
    results.add("oracle+sinc", "bound")
    collected = only(results)
    pictures = figures.of_dataset(collected, read_kept(collected), NOTHING, tmp_path, False)
    assert [picture.png.name for picture in pictures] == ["grid-t1w.png", "quality-quality.png", "quality-time.png"]


def test_one_kept_slice_gives_every_figure(results, tmp_path):
    for method, group in (("proposed", "joint"), ("ablation-sr", "single"), ("ablation-end-to-end", "joint")):
        results.add(method, group, kept=1)
    collected = only(results)
    pictures = figures.of_dataset(collected, read_kept(collected), judge(collected), tmp_path, False)
    names = ["grid-t1w", "zoom-t1w", "ablation", "quality-quality", "quality-time", "orders"]
    assert [picture.png.name for picture in pictures] == [f"{name}.png" for name in names]
    assert figures.overview([(collected, read_kept(collected))], tmp_path, False) is not None


def test_names_with_signs_stay_as_they_are(results, tmp_path):
    subject, contrasts = "sub-01/ses [b]", ("t1/w $a$", "t1 w")
    results.add(subjects=(subject,), contrasts=contrasts)
    collected = only(results)
    images = read_kept(collected)
    pictures = figures.of_dataset(collected, images, NOTHING, tmp_path, False)
    files = {picture.png.name for picture in pictures}
    assert files == {
        "quality-time.png",
        "quality-quality.png",
        *(f"{kind}-{name}.png" for kind in ("grid", "zoom") for name in ("t1 w", "t1%2Fw %24a%24")),
    }
    assert all(picture.png.parent == tmp_path for picture in pictures)
    said = words(grids.method_grid(collected, images, images.median(contrasts[0])))
    assert any(text.endswith("\nt1/w $a$, sub-01/ses [b], slice 1") for text in said)


def test_figures_drawn_anew_from_their_csv_are_the_same(results, tmp_path):
    """With nothing but `pd.read_csv`, as a reader would."""
    people = tuple(f"s{i}" for i in range(6))
    cells = ("r4-c4-n01", "r8-c8-n07")
    for i, (method, group) in enumerate(
        (("dl-espirit~rrdb", "joint"), ("dl-espirit+rrdb", "sequential"), ("dl-espirit+sinc", "sequential"),
         ("cg-sense+rrdb", "sequential"), ("cg-sense+sinc", "sequential"), ("oracle+sinc", "bound"),
         ("proposed", "joint"), ("cg-sense+bicubic", "sequential"), ("ablation-sr", "single"))
    ):  # fmt: skip
        gain = {s: 0.01 * k for k, s in enumerate(people)}
        results.add(method, group, psnr=30 + i / 3, gain=gain, subjects=people, contrasts=cells, loss="l1", kept=0)
    rows = {"step": [1, 2, 3], "phase": ["plain", "gan", "gan"], "psnr": [20.0, 30.0, 29.0], "lpips": [0.3, 0.2, 0.1]}
    results.stage("cg-sense+rrdb", rows, best_step=3)
    collected = only(results)
    heading = about_means(collected)
    assert heading == "vwi, profile laptop: simulated acquisition, 6 people"
    made = figures.of_dataset(collected, read_kept(collected), judge(collected), tmp_path, False)
    declared = figures.declared(answer.claims([(collected, judge(collected))]), tmp_path, False)
    draw = {
        "regimes": lambda data: regimes.regime_map(data, heading),
        "pairs": lambda data: pairs.pair_map(data, heading),
        "quality-quality": lambda data: charts.quality_quality(data, heading),
        "quality-time": lambda data: charts.quality_time(data, heading),
        "orders": lambda data: slopes.slope_chart(data, heading),
        "training": lambda data: curves.training_curves(data, about_data(collected)),
        "declared": answer.answer_plot,
    }
    charted = [picture for picture in (*made, declared) if picture.csv]
    assert {picture.png.stem for picture in charted} == set(draw)
    for picture in charted:
        anew = save(draw[picture.png.stem](pd.read_csv(picture.csv)), tmp_path / "anew", False)
        assert anew[0].read_bytes() == picture.png.read_bytes(), picture.png.stem
