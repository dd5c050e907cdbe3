"""Where in k-space the error lies: reading back `spectrum.csv` and `radial.csv`, and the table made of the first."""

import pandas as pd

from bench.metrics.error import ENERGIES
from bench.report.read.results import Block
from bench.report.tables.captions import about, identities, unfinished
from bench.report.tables.main import MISSING, Table, lines, number
from bench.store.files import ROW_KEY, read_table

REGIONS = {"acquired": "sampled", "unacquired": "unsampled in LR band", "beyond": "beyond LR band"}


def read_spectra(block: Block) -> pd.DataFrame:
    """Rows of `spectrum.csv` of all runs that have one: a row a method, seed, slice and region; empty if none has."""
    return _read(block, "spectrum.csv", [*ROW_KEY, "region", *ENERGIES, "coherence"])


def radial(block: Block) -> pd.DataFrame:
    """Mean energies by method, contrast and |k|: method, contrast, bin, k, the energies, slices, subjects.

    Runs of several folds are pooled, each weighted by its slices; of several seeds the mean is taken.
    """
    rows = _read(block, "radial.csv", ["contrast", "bin", "k", *ENERGIES, "slices", "subjects"])
    if rows.empty:
        return rows
    weighted = rows.assign(**{energy: rows[energy] * rows["slices"] for energy in ENERGIES})
    by_seed = weighted.groupby(["method", "contrast", "bin", "k", "seed"])[[*ENERGIES, "slices", "subjects"]].sum()
    for energy in ENERGIES:
        by_seed[energy] /= by_seed["slices"]
    means = by_seed.groupby(["method", "contrast", "bin", "k"])
    counts = means[["slices", "subjects"]].max()
    return means[list(ENERGIES)].mean().join(counts).reset_index()


def _read(block: Block, name: str, columns: list[str]) -> pd.DataFrame:
    columns = ["method", "seed", *columns]
    paths = [run.folder / name for run in block.done if (run.folder / name).exists()]
    found = [read_table(path, columns, (*ENERGIES, "coherence", "slices", "subjects")) for path in paths]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def regions(block: Block) -> pd.DataFrame:
    """Means over slices by method and region.

    Returns
    -------
    DataFrame
        Index (method, region); error and truth: percent of the truth's whole energy; coherence; slices, subjects.
    """
    rows = read_spectra(block)
    if rows.empty:
        return pd.DataFrame(columns=["error", "truth", "coherence", "slices", "subjects"])
    whole = rows.groupby(["method", "seed", *ROW_KEY])["truth_energy"].transform("sum")
    rows = rows.assign(error=100 * rows["error_energy"] / whole, truth=100 * rows["truth_energy"] / whole)
    by_slice = rows.groupby(["method", "region", *ROW_KEY])[["error", "truth", "coherence"]].mean().reset_index()
    means = by_slice.groupby(["method", "region"])
    counts = means["subject"].agg(slices="size", subjects="nunique")
    return means[["error", "truth", "coherence"]].mean().join(counts)


def table(block: Block) -> Table | None:
    """A row a method; None where no run has a spectrum."""
    found = regions(block)
    if found.empty:
        return None
    header = [
        "method", "group", *(f"error {title}, %" for title in REGIONS.values()),
        *(f"right {title}" for title in REGIONS.values()), "n slices", "n subjects",
    ]  # fmt: skip
    rows = []
    for line in lines(block):
        if line.method in found.index.get_level_values("method"):
            own = found.loc[line.method].reindex(list(REGIONS))
            cells = [number(v, 3) for v in own["error"]] + [number(v, 3) for v in own["coherence"]]
            counts = own[["slices", "subjects"]].max()
            rows.append([line.method, line.group, *cells, *(str(int(n)) for n in counts)])
    said = (
        f"{about(block)} Where in k-space the error lies, mean over slices. Error: energy in percent of the truth's whole "
        "energy, so that the three add up to the error's. Right: correlation of the method's k-space with the truth's, 1 if "
        "right up to a factor, 0 if unrelated. Bounds stand last and are not ranked."
    )
    return Table("spectrum", said, header, rows, _notes(block, found))


def _notes(block: Block, found: pd.DataFrame) -> list[str]:
    truth = found["truth"].groupby("region").mean()
    shares = ", ".join(f"{title} {number(truth[region], 1)} %" for region, title in REGIONS.items() if region in truth)
    notes = [
        f"The truth's own energy: {shares}.",
        "k-space is that of the magnitude images: a magnitude's differs from the measured one where the phase varies.",
    ]
    without = [run.method for run in block.done if run.method not in found.index.get_level_values("method")]
    if without:
        notes.append(
            f"{MISSING} written before spectra were, or by something else: {', '.join(dict.fromkeys(without))}."
        )
    return [*notes, *identities(block, ("spectrum",)), *unfinished(block)]
