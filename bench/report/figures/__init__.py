"""The figures: which there are, where they lie, what is said of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bench.report.claims import Verdict
from bench.report.figures.answer import DOTS_SAID, answer_plot
from bench.report.figures.charts import qualities, quality_quality, quality_time
from bench.report.figures.curves import training_curves, validation
from bench.report.figures.drawing import Picture, save, save_chart
from bench.report.figures.grids import examples, method_grid
from bench.report.figures.growth import costs, growth
from bench.report.figures.kspace import error_by_region, radial_error, radial_plot, region_bars
from bench.report.figures.pairs import pair_map, scores_of_pairs
from bench.report.figures.regimes import differences_by_cell, regime_map
from bench.report.figures.slopes import orders, slope_chart
from bench.report.figures.zoom import ablation, zoomed
from bench.report.read.images import KeptImages
from bench.report.read.results import DatasetResults
from bench.report.read.spectra import with_spectra
from bench.report.tables.captions import about_data, about_means
from bench.report.tables.chosen import few
from bench.store.images import SliceName
from bench.store.layout import path_part

MOST_CONTRASTS = 4  # with a sheet each
MEDIAN = "the slice of median zero-filled error among those kept"
GREYS = "Greys run over what the region holds."
REGION = (
    f"A rule chooses the square: where truth, best joint, best sequential and single-stage network differ most. {GREYS}"
)
FAR = "What lies far out is drawn at the edge."
ABLATED = f"The region is the square within the foreground in which the truth and these methods differ most. {GREYS}"


def overview(found: Sequence[tuple[DatasetResults, KeptImages]], out: Path, pdf: bool) -> Picture | None:
    """Masks and examples of all datasets; nothing where no run kept a slice."""
    figure = examples(found)
    if figure is None:
        return None
    caption = "What is sampled of k-space, and an example slice of each dataset."
    alt = "Cropping masks, undersampling masks and example slices of each dataset"
    return Picture(save(figure, out / "examples", pdf), caption, alt)


def declared(data: pd.DataFrame, out: Path, pdf: bool) -> Picture | None:
    """Of `answer.claims`: the declared comparisons of all datasets."""
    caption = f"The declared comparisons: {DOTS_SAID}"
    alt = "Dots of every person's difference in each declared comparison, by dataset, with what is shown"
    return _picture(save_chart(data, answer_plot, out / "declared", pdf), caption, alt)


def growth_plot(tables: Sequence[Path], out: Path, pdf: bool) -> Picture | None:
    """Cost against size, of `bench speed`."""
    caption = "Time against matrix, coils and slices, medians; the exponent is that of a line through the points."
    alt = "Lines of seconds against size for physics, training and a run"
    return _picture(save_chart(costs(tables), growth, out / "growth", pdf), caption, alt)


def _picture(files: tuple[Path, ...], caption: str, alt: str) -> Picture | None:
    return Picture(files, caption, alt) if files else None


def drawn_contrasts(results: DatasetResults) -> list[str]:
    """Contrasts that have sheets of all methods: of many, as flip angles are, the first; the page's browser shows all."""
    found = results.contrasts()
    return found if len(found) <= MOST_CONTRASTS else found[:1]


def of_dataset(results: DatasetResults, images: KeptImages, verdict: Verdict, folder: Path, pdf: bool) -> list[Picture]:
    """Draw and write all figures that these results allow; methods beside each other on the people that all have."""
    everything, results = results, results.same_people
    methods = few(results, verdict)
    pictures = _sheets(results, images, methods, folder, pdf)

    def add(
        data: pd.DataFrame, draw: Callable[[pd.DataFrame, str], Figure | None], file: str, caption: str, alt: str,
        of: DatasetResults = results, about: Callable[[DatasetResults], str] = about_means,
    ) -> None:  # fmt: skip
        files = save_chart(data, lambda written: draw(written, about(of)), folder / file, pdf)
        if files:
            pictures.append(Picture(files, f"{caption} ({results.label})", f"{alt}: {results.title}"))

    add(
        differences_by_cell(everything, verdict), regime_map, "regimes",
        "The declared comparisons by cell of acceleration, coils and noise (dot a person, bar the mean, grey what is called "
        "practically equal), and what a reconstruction lost against the bound, after the same super-resolver.",
        "Dots of every person's difference in each cell of acceleration, coils and noise", of=everything,
    )  # fmt: skip
    add(
        scores_of_pairs(results), pair_map, "pairs",
        "What each half of a pair is worth: mean over people, the darker the better.",
        "Maps of PSNR and LPIPS by reconstructor and super-resolver",
    )  # fmt: skip
    add(
        radial_error(results, methods), radial_plot, "frequencies",
        "How wrong each spatial frequency is, of the magnitude images, mean over slices. What lies beyond the LR band was "
        "never measured.",
        "Lines of relative error against spatial frequency for a few methods", of=with_spectra(results),
    )  # fmt: skip
    add(
        error_by_region(results, methods), region_bars, "regions",
        "The same error by what was measured: at the samples, between them within the LR band, beyond it.",
        "Bars of the error's energy by region of k-space for a few methods", of=with_spectra(results),
    )  # fmt: skip
    scores = qualities(results)
    add(
        scores, quality_quality, "quality-quality",
        "Fidelity against how alike it looks, inside of the head; filled by class. The line is the Pareto front: no method "
        f"is better in both than those on it; bounds take no part. {FAR}",
        "Scatter of PSNR against LPIPS of the foreground for every method",
    )  # fmt: skip
    add(
        scores, quality_time, "quality-time",
        "Mean score against the median time of the whole method, batch 1. The line is the Pareto front: no method is "
        f"both faster and better than those on it; bounds, hollow, take no part. {FAR}",
        "Scatter of quality against seconds a slice for every method",
    )  # fmt: skip
    add(
        orders(results), slope_chart, "orders",
        "The place that the paper's means give a method on the paper's data, and ours on these, best above: people, scanner "
        "and training differ, so no value is compared.",
        "Lines from each method's place in the paper to its place here, by PSNR, SSIM and LPIPS",
    )  # fmt: skip
    add(
        validation(results), training_curves, "training",
        "Validation scores of each trained stage, and at the foot the accuracy of its discriminator if it has one, the grey "
        "band being where it is at work. Weights are the best by PSNR in plain phases, by LPIPS in adversarial ones.",
        "Curves of the validation scores over training steps, a panel for each stage", about=about_data,
    )  # fmt: skip
    return pictures


def _sheets(
    results: DatasetResults, images: KeptImages, methods: Sequence[str], folder: Path, pdf: bool
) -> list[Picture]:
    """Images of all methods and enlarged regions of a few, a contrast after the other, and the ablations."""
    pictures = []

    def add(figure: Figure | None, file: str, caption: str, alt: str, name: SliceName | None = None) -> None:
        if figure is not None:
            files = save(figure, folder / file, pdf)
            pictures.append(Picture(files, f"{caption} ({results.label})", f"{alt}: {results.title}", name, methods))

    for contrast in drawn_contrasts(results):
        name = images.median(contrast)
        if name:
            file = path_part(contrast)
            add(
                method_grid(results, images, name), f"grid-{file}",
                f"{contrast}: {MEDIAN}. The line in the truth is the edge of the foreground.",
                f"Images of all methods and their error maps, {contrast}", name,
            )  # fmt: skip
            add(
                zoomed(results, images, name, methods), f"zoom-{file}", f"{contrast}, enlarged. {REGION}",
                f"An enlarged region of the truth and of a few methods, {contrast}",
            )  # fmt: skip
    add(
        ablation(results, images), "ablation", f"Ablations, a row for each contrast: {MEDIAN}. {ABLATED}",
        "An enlarged region of the truth, of the network of the paper and of its ablations",
    )  # fmt: skip
    return pictures
