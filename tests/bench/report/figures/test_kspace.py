import pandas as pd
import pytest

from bench.report.claims import judge
from bench.report.figures import kspace, of_dataset
from bench.report.figures.drawing import save
from bench.report.read.images import read_kept
from bench.report.read.results import collect


def only(results):
    (collected,) = collect(results.folder)
    return collected


def add_radial(folder, method, errors, truths=(9.0, 4.0), slices=(1, 3)):
    rows = [
        {"method": method, "seed": 0, "contrast": contrast, "bin": i, "k": k, "error_energy": error * weight,
         "truth_energy": truth, "image_energy": 1.0, "slices": n, "subjects": 1}
        for contrast, n, weight in (("t1w", slices[0], 1), ("t2w", slices[1], 2))
        for i, (k, error, truth) in enumerate(zip((0.25, 0.75), errors, truths, strict=True))
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder.radial, index=False)


def test_the_error_is_relative_to_the_truth_and_contrasts_weigh_by_their_slices(results):
    add_radial(results.add("modl+sinc", "sequential"), "modl+sinc", (1.0, 4.0))
    add_radial(results.add("proposed", "joint"), "proposed", (0.0, 9.0))
    results.add("t2net", "joint")  # without a spectrum
    data = kspace.radial_error(only(results), ["proposed", "modl+sinc", "t2net"])
    assert data["method"].tolist() == ["proposed"] * 2 + ["modl+sinc"] * 2
    weight = (1 * 1 + 3 * 2) / 4
    assert data["relative"].tolist() == pytest.approx(
        [0, (9 * weight / 4) ** 0.5, (weight / 9) ** 0.5, weight**0.5], abs=1e-6
    )
    figure = kspace.radial_plot(data, "of these")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["proposed", "modl+sinc"]
    assert figure.axes[0].lines[0].get_ydata().tolist() == data["relative"][:2].tolist()


def test_people_of_whom_no_spectra_were_kept_are_not_counted(results, tmp_path):
    people = [f"s{i}" for i in range(5)]
    add_radial(results.add("proposed", "joint", subjects=people[:2], kept=0), "proposed", (1.0, 4.0))
    results.add("proposed", "joint", subjects=people[2:], fold=1, kept=0)
    collected = only(results)
    made = of_dataset(collected, read_kept(collected), judge(collected), tmp_path, False)
    (drawn,) = (picture for picture in made if picture.png.stem == "frequencies")
    figure = kspace.radial_plot(pd.read_csv(drawn.csv), "vwi, profile laptop: simulated acquisition, 2 people")
    assert save(figure, tmp_path / "anew", False)[0].read_bytes() == drawn.png.read_bytes()


def test_bars_add_up_to_the_errors_energy(results):
    folder = results.add("proposed", "joint", slices=1)
    regions = (("acquired", 1.0, 80.0), ("unacquired", 3.0, 15.0), ("beyond", 4.0, 5.0))
    rows = [
        {"method": "proposed", "seed": 0, "subject": "s0", "contrast": "t1w", "slice": 0, "region": name,
         "error_energy": error,
         "truth_energy": truth, "image_energy": truth, "coherence": 0.5} for name, error, truth in regions
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder.spectrum, index=False)
    data = kspace.error_by_region(only(results), ["modl", "proposed"])
    assert data.to_dict("records") == [{"method": "proposed", "acquired": 1.0, "unacquired": 3.0, "beyond": 4.0}]
    (axis,) = kspace.region_bars(data, "").axes
    assert [(bar.get_x(), bar.get_width()) for bar in axis.patches] == [(0, 1), (1, 3), (4, 4)]


def test_without_spectra_nothing_is_drawn(results):
    results.add()
    assert kspace.radial_plot(kspace.radial_error(only(results), ["proposed"]), "") is None
    assert kspace.region_bars(kspace.error_by_region(only(results), ["proposed"]), "") is None
