"""The declared comparisons as a part of the page, which fits a phone and a dark screen: places in percent of a strip."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from bench.report.declared import PRIMARY, margin
from bench.report.figures.answer import axis_said, heading, said

MARGIN = 0.03  # of the strip, left and right of what is drawn
HIGH = (20, 80)  # percent of its height, between which the dots lie
WRITTEN = (4, 96)  # percent of its width, between which a tick's words do not run into what stands beside it


@dataclass(frozen=True)
class Row:
    """A comparison on one dataset."""

    dataset: str
    """Its id."""
    colour: int
    """Which one: a dataset has the same everywhere."""
    said: str
    """What was found."""
    dots: list[tuple[float, float]]
    """From the left and from the top, one a person."""
    mean: float | None
    """None of one person."""
    line: tuple[float, float] | None
    """Where the interval begins, and how long it is; None where nothing is tested."""


@dataclass(frozen=True)
class Panel:
    """A class."""

    said: str
    """What the axis is of."""
    zero: float
    band: tuple[float, float]
    """Where what is called practically equal begins, and how long it is."""
    ticks: list[tuple[float, str]]
    asked: list[tuple[str, list[Row]]] = field(default_factory=list)
    """By the words of a comparison, a row a dataset."""


def panels(data: pd.DataFrame) -> list[Panel]:
    """Of `figures.answer.claims`: a panel a class."""
    datasets = sorted({*(data["dataset"] + data["profile"])})
    made = []
    for loss, own in data.groupby("class", sort=False):
        score = PRIMARY[str(loss)]
        values = np.concatenate([own[name].dropna() for name in ("difference", "low", "high")])
        low, high = min(values.min(), -margin(score)), max(values.max(), margin(score))
        low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)

        def place(value: float, low: float = low, high: float = high) -> float:
            return round(100 * (value - low) / (high - low), 2)

        ticks = [float(tick) for tick in MaxNLocator(5).tick_values(low, high)]
        band = place(-margin(score)), round(place(margin(score)) - place(-margin(score)), 2)
        panel = Panel(
            axis_said(str(loss)), place(0.0), band,
            [(at, f"{tick:+.3g}" if tick else "0") for tick in ticks if WRITTEN[0] <= (at := place(tick)) <= WRITTEN[1]],
        )  # fmt: skip
        for _, asked in own.groupby("asks", sort=False):
            rows = [
                _row(people, datasets.index(str(key)), place)
                for key, people in asked.groupby(asked["dataset"] + asked["profile"], sort=False)
            ]
            panel.asked.append((heading(asked), rows))
        made.append(panel)
    return made


def _row(people: pd.DataFrame, colour: int, place: Callable[[float], float]) -> Row:
    first = people.iloc[0]
    heights = np.linspace(*HIGH, len(people)) if len(people) > 1 else [50]
    dots = [(place(value), round(float(y), 1)) for value, y in zip(people["difference"], heights, strict=True)]
    line = (
        None if np.isnan(first["low"]) else (place(first["low"]), round(place(first["high"]) - place(first["low"]), 2))
    )
    return Row(
        str(first["dataset"]), colour, said(first), dots, place(first["mean"]) if len(people) > 1 else None, line
    )
