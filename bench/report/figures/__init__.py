"""The figures: which there are, where they lie, what is said of them."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from bench.report.claims import Verdict
from bench.report.figures.answer import answer_plot
from bench.report.figures.charts import quality_quality, quality_time
from bench.report.figures.curves import training_curves
from bench.report.figures.drawing import Picture, save
from bench.report.figures.forest import forest_plot
from bench.report.figures.grids import examples, method_grid
from bench.report.figures.growth import growth
from bench.report.figures.regimes import regime_map
from bench.report.figures.zoom import ablation, zoomed
from bench.report.read.images import KeptImages
from bench.report.read.results import DatasetResults
from bench.report.statistics import FEWEST_PEOPLE
from bench.store.images import SliceName
from bench.store.layout import path_part

MOST_CONTRASTS = 4  # with a sheet each
MEDIAN = "the slice of median zero-filled error among those kept"
GREYS = "Greys run over what the region holds."
REGION = (
    "The region is chosen by a rule: the square within the foreground in which the variance over the truth, the best joint "
    f"and the best sequential method (by PSNR fg) and the single-stage network is largest. {GREYS}"
)
ABLATED = f"The region is the square within the foreground in which the truth and these methods differ most. {GREYS}"


def overview(found: Sequence[tuple[DatasetResults, KeptImages]], out: Path, pdf: bool) -> Picture | None:
    """Masks and examples of all datasets; nothing where no run kept a slice."""
    figure = examples(found)
    if figure is None:
        return None
    caption = "What is sampled of k-space, and an example slice of each dataset."
    alt = "Cropping masks, undersampling masks and example slices of each dataset"
    return Picture(save(figure, out / "examples", pdf), caption, alt)


def declared(found: Sequence[tuple[DatasetResults, Verdict]], out: Path, pdf: bool) -> Picture | None:
    """The declared comparisons of all datasets."""
    figure = answer_plot(found)
    if figure is None:
        return None
    caption = (
        "The declared comparisons: a dot is a person, the bar the mean, the line its interval, grey what is called "
        "practically equal; * exploratory; of one or two people nothing is tested. The numbers: declared.csv."
    )
    alt = "Dots of every person's difference in each declared comparison, by dataset, with what is shown"
    return Picture(save(figure, out / "declared", pdf), caption, alt)


def growth_plot(tables: Sequence[Path], out: Path, pdf: bool) -> Picture | None:
    """Cost against size, of `bench speed`."""
    figure = growth(tables)
    if figure is None:
        return None
    caption = "Time against matrix, coils and slices, medians; the exponent is that of a line through the points."
    return Picture(
        save(figure, out / "growth", pdf), caption, "Lines of seconds against size for physics, training and a run"
    )


def drawn_contrasts(results: DatasetResults) -> list[str]:
    """Contrasts that have sheets of all methods: of many, as flip angles are, the first; the page's browser shows all."""
    found = results.contrasts()
    return found if len(found) <= MOST_CONTRASTS else found[:1]


def of_dataset(results: DatasetResults, images: KeptImages, verdict: Verdict, folder: Path, pdf: bool) -> list[Picture]:
    """Draw and write all figures that these results allow; methods beside each other on the people that all have."""
    pictures = []
    everything, results = results, results.same_people

    def add(figure: Figure | None, file: str, caption: str, alt: str, name: SliceName | None = None) -> None:
        if figure is not None:
            files = save(figure, folder / file, pdf)
            pictures.append(Picture(files, f"{caption} ({results.label})", f"{alt}: {results.title}", name))

    for contrast in drawn_contrasts(results):
        name = images.median(contrast)
        if name:
            file = path_part(contrast)
            add(
                method_grid(results, images, name), f"grid-{file}",
                f"{contrast}: {MEDIAN}, with its PSNR and LPIPS; the line in the truth is the "
                "edge of the foreground. Errors share one scale, whose top is "
                "their 99th percentile.",
                f"Images of all methods and their error maps, {contrast}", name,
            )  # fmt: skip
            add(
                zoomed(results, images, name), f"zoom-{file}", f"{contrast}, enlarged: {MEDIAN}. {REGION}",
                f"An enlarged region of the truth and of every method, {contrast}",
            )  # fmt: skip
    add(
        ablation(results, images), "ablation", f"Ablations, a row for each contrast: {MEDIAN}. {ABLATED}",
        "An enlarged region of the truth, of the network of the paper and of its ablations",
    )  # fmt: skip
    add(
        quality_time(results), "quality-time",
        "Mean score against the median time of the whole method, batch 1. The line is the Pareto front: no method is "
        "both faster and better than those on it; bounds, hollow, take no part.",
        "Scatter of quality against seconds a slice for every method",
    )  # fmt: skip
    add(
        quality_quality(results), "quality-quality",
        "Fidelity against how alike it looks, inside of the head; filled by class. The line is the Pareto front: no method "
        "is better in both than those on it; bounds take no part.",
        "Scatter of PSNR against LPIPS of the foreground for every method",
    )  # fmt: skip
    add(
        forest_plot(everything, verdict), "differences",
        "The declared comparisons, each in the score that decides it: a dot is a person, the bar the mean, the line its "
        f"interval (from {FEWEST_PEOPLE} people on), the grey band what is called practically equal.",
        "Dots of the difference of every person in each declared comparison",
    )  # fmt: skip
    add(
        regime_map(everything, verdict), "regimes",
        "The declared comparisons by cell of acceleration, coils and noise (dot a person, bar the mean, grey what is called "
        "practically equal), and what a reconstruction lost against the bound, after the same super-resolver.",
        "Dots of every person's difference in each cell of acceleration, coils and noise",
    )  # fmt: skip
    add(
        training_curves(results), "training",
        "Validation scores of each trained stage, and at the foot the accuracy of its discriminator if it has one, the grey "
        "band being where it is at work. Weights are the best by PSNR in plain phases, by LPIPS in adversarial ones.",
        "Curves of the validation scores over training steps, a panel for each stage",
    )  # fmt: skip
    return pictures
