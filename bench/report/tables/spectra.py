"""Where in k-space the error lies."""

import pandas as pd

from bench.report.read.results import DatasetResults
from bench.report.read.spectra import read_spectra, with_spectra
from bench.report.tables.captions import about, identities, unfinished
from bench.report.tables.main import MISSING, Table, lines, number
from bench.store.tables import ROW_KEY

REGIONS = {"acquired": "sampled", "unacquired": "unsampled in LR band", "beyond": "beyond LR band"}


def regions(results: DatasetResults) -> pd.DataFrame:
    """Means over slices by method and region.

    Returns
    -------
    DataFrame
        Index (method, region); error and truth: percent of the truth's whole energy; coherence; slices, subjects.
    """
    rows = read_spectra(results)
    if rows.empty:
        return pd.DataFrame(columns=["error", "truth", "coherence", "slices", "subjects"])
    whole = rows.groupby(["method", "seed", *ROW_KEY])["truth_energy"].transform("sum")
    rows = rows.assign(error=100 * rows["error_energy"] / whole, truth=100 * rows["truth_energy"] / whole)
    by_slice = rows.groupby(["method", "region", *ROW_KEY])[["error", "truth", "coherence"]].mean().reset_index()
    means = by_slice.groupby(["method", "region"])
    counts = means["subject"].agg(slices="size", subjects="nunique")
    return means[["error", "truth", "coherence"]].mean().join(counts)


def table(results: DatasetResults) -> Table | None:
    """A row a method; None where no run has a spectrum."""
    found = regions(results)
    if found.empty:
        return None
    header = [
        "method", "group", *(f"error {title}, %" for title in REGIONS.values()),
        *(f"right {title}" for title in REGIONS.values()), "n slices", "n people",
    ]  # fmt: skip
    rows = []
    for line in lines(results):
        if line.method in found.index.get_level_values("method"):
            own = found.loc[line.method].reindex(list(REGIONS))
            cells = [number(v, 3) for v in own["error"]] + [number(v, 3) for v in own["coherence"]]
            counts = own[["slices", "subjects"]].max()
            rows.append([line.method, line.group, *cells, *(str(int(n)) for n in counts)])
    said = (
        f"{about(with_spectra(results))} Where in k-space the error lies, mean over slices. Error: energy in percent of the "
        "truth's whole energy, so that the three add up to the error's. Right: correlation of the method's k-space with the "
        "truth's, 1 if right up to a factor, 0 if unrelated. Bounds stand last and are not ranked."
    )
    return Table("spectrum", said, header, rows, _notes(results, found))


def _notes(results: DatasetResults, found: pd.DataFrame) -> list[str]:
    truth = found["truth"].groupby("region").mean()
    shares = ", ".join(f"{title} {number(truth[region], 1)} %" for region, title in REGIONS.items() if region in truth)
    notes = [
        f"The truth's own energy: {shares}.",
        "k-space is that of the magnitude images: a magnitude's differs from the measured one where the phase varies.",
    ]
    without = [run.method for run in results.done if run.method not in found.index.get_level_values("method")]
    if without:
        notes.append(
            f"{MISSING} written before spectra were, or by something else: {', '.join(dict.fromkeys(without))}."
        )
    return [*notes, *identities(results, ("spectrum",)), *unfinished(results)]
