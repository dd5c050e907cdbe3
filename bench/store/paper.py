"""The paper's printed figures: which methods it has, under what name, with what scores."""

from functools import cache
from importlib.resources import files

import pandas as pd


@cache
def read() -> pd.DataFrame:
    """One row a dataset and method of the paper's Tables 1 to 4; the columns are said at the head of `paper.csv`.

    The table is shared by all who ask: copy it before changing it.
    """
    with files("bench.store").joinpath("paper.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#")


def of(dataset: str) -> pd.DataFrame:
    """The rows of one dataset, by method; none for a dataset that is not the paper's."""
    rows = read()
    return rows[rows["dataset"] == dataset].set_index("method")


def methods() -> tuple[str, ...]:
    """Ids of the methods that the paper prints, each once, in the order of its tables."""
    return tuple(dict.fromkeys(read()["method"]))


def twins() -> dict[str, str]:
    """By joint method, its sequential twin: the same parts in sequence, trained end to end."""
    rows = read().dropna(subset=["twin_of"])
    return dict(zip(rows["twin_of"], rows["method"], strict=True))
