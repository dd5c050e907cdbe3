"""What scripts and notebooks call: datasets, methods, scores, results. `acquire` stands beside `Acquisition`."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from bench import config, registry
from bench.acquisition import Acquisition, Target
from bench.composition import Composition, Half
from bench.data import assets
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare
from bench.data.protocol import SPLITS, Split
from bench.data.slices import Slices
from bench.errors import UserError, closest
from bench.metrics import image as image_scores
from bench.metrics.lpips import Lpips
from bench.run.methods import available, select, stages_of
from bench.store import layout
from bench.store.layout import ResultsFolder, StageFolder
from bench.store.records import RunRecord, StageRecord
from bench.store.tables import read_rows
from bench.train.stage import find_stage, load_half


def open_dataset(
    name: str,
    split: Split = "test",
    *,
    profile: str = "laptop",
    source: str | None = None,
    fold: int = 0,
    limit: int | None = None,
    plugins: Sequence[str | Path] = (),
    overrides: Sequence[str] = (),
) -> Slices:
    """Open the slices of a split, preparing (and downloading) what is not cached yet.

    Parameters
    ----------
    name
        A dataset of `bench list datasets`.
    split
        "train", "validation" or "test".
    limit
        At most so many test slices.
    overrides
        As `--set` takes them.

    Returns
    -------
    Slices
        `len(slices)`, `slices.rows` (subject, contrast, number), and `slices.batch([0, 1])` -> (Acquisition, Target).

    Raises
    ------
    UserError
        If there is no such dataset, split, profile or source.

    Examples
    --------
    >>> import bench
    >>> slices = bench.open_dataset("vwi", "test", profile="smoke", source="phantom", limit=2)
    >>> slices.rows
    [('phantom-5', 't1w-axial', 80), ('phantom-5', 't1w-coronal', 90)]
    >>> acquisition, target = slices.batch([0])
    >>> acquisition.kspace.shape, target.image_hr.shape
    (torch.Size([1, 4, 24, 20]), torch.Size([1, 48, 40]))
    """
    if split not in SPLITS:
        raise UserError(f"Unknown split '{split}'.{closest(split, SPLITS)}")
    files = tuple(map(Path, plugins))
    registry.discover(files)
    protocol = registry.find(registry.datasets(), name, "dataset").made_by()
    data = Dataset.of(protocol, source, config.load(profile, overrides), fold, limit)
    prepare(data, [split], 1, lambda *_: None, files)
    return open_split(data, split)


def load_method(
    id: str,
    dataset: str = "vwi",
    *,
    profile: str = "laptop",
    seed: int = 0,
    fold: int = 0,
    source: str | None = None,
    results: str | Path | None = None,
    device: str = "cpu",
    plugins: Sequence[str | Path] = (),
    overrides: Sequence[str] = (),
) -> Composition:
    """Load a method with what it learned, shipped or one's own.

    Parameters
    ----------
    id
        A method of `bench list methods`, e.g. "modl+rrdb".
    dataset
        What it was trained on.
    results
        Results to look for its stages in before the shipped ones; by default "runs".

    Returns
    -------
    Composition
        For `reconstruct`.

    Raises
    ------
    UserError
        If there is no such method, dataset, profile, source or device, or it has not been trained: with the command that
        trains it.

    Examples
    --------
    >>> import bench
    >>> bench.load_method("oracle+sinc").kind
    'super_resolver'
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"The device '{device}' cannot be used: {str(error).splitlines()[0]}") from error
    registry.discover(tuple(map(Path, plugins)))
    table, settings = available(), config.load(profile, overrides)
    if id not in table:
        select(id, settings)  # says which half it is, or what it is like
        raise UserError(f"'{id}' is more than one method: name one.")
    method = table[id]
    made_of = registry.find(registry.datasets(), dataset, "dataset")
    while train_on := made_of.made_by().train_on:
        made_of = registry.datasets()[train_on]
        fold = 0
    data = Dataset.of(made_of.made_by(), source, settings, fold, None)
    data_plugins = [made_of, registry.sources()[data.source]]
    stages = stages_of([method], settings, seed, fold, lambda: data.key("train", "validation"))
    shipped = layout.shipped()
    roots = [ResultsFolder(Path(results or "runs")), *([shipped] if shipped else [])]
    halves: list[Half] = []
    for stage_id, plugin in zip(method.stage_ids, method.halves, strict=True):
        folder: StageFolder | None = None
        upstream = [half.plugin for half in halves]
        if stage_id in stages:
            own, *elsewhere = (root.stage(data.name, settings.profile, stage_id, seed, fold) for root in roots)
            folder = find_stage(own, elsewhere, stages[stage_id].key)
            if folder is None:
                asked = {"--source": source, "--seeds": seed and seed + 1, "--folds": fold, "--results": results}
                options = [f" {option} {value}" for option, value in asked.items() if value]
                options += [f" --set {shlex.quote(override)}" for override in overrides]
                options += [f" --plugin {file}" for file in plugins]
                raise UserError(
                    f"'{stage_id}' has not been trained: type bench run --dataset {dataset} --profile {profile} "
                    f"--methods '{id}'{''.join(options)}."
                )
            before = StageRecord.read(folder.record).plugin_files
            registry.check_text(
                folder.record,
                "stage was trained",
                before,
                [*upstream, *plugin.authored, *data_plugins],
                "bench run --retrain",
            )
        halves.append(load_half(plugin, settings, folder, device))
    return Composition(tuple(halves))


def reconstruct(method: Composition, acquisition: Acquisition) -> NDArray[np.float32]:
    """Run a method on an acquisition.

    Parameters
    ----------
    method
        Of `load_method`.
    acquisition
        Of `acquire`, or of a dataset.

    Returns
    -------
    array
        (Y, X) float32 magnitude in the scale of the data; (batch, Y, X) for a batch of more than one.

    Raises
    ------
    UserError
        If the method is a bound, which needs the truth.
    """
    if method.halves[0].plugin.bound:
        raise UserError(f"'{method.halves[0].plugin.id}' is a bound: it needs the truth.")
    device = next((str(p.device) for half in method.halves for p in half.network.parameters()), "cpu")
    scale = torch.quantile(acquisition.zero_filled.abs().flatten(1), 0.99, dim=1)
    scaled = replace(
        acquisition,
        kspace=acquisition.kspace / scale[:, None, None, None],
        zero_filled=acquisition.zero_filled / scale[:, None, None],
    ).to(device)
    nothing = torch.zeros_like(scaled.zero_filled)
    output = method.infer(scaled, Target(nothing, nothing, scale, scale))  # which no method but a bound looks at
    images = output.image.cpu() * scale[:, None, None]
    array: NDArray[np.float32] = images.clamp_min(0).numpy()
    return array[0] if len(array) == 1 else array


def score(
    image: ArrayLike | Tensor,
    truth: ArrayLike | Tensor,
    voxel_mm: tuple[float, float] | None = None,
    *,
    lpips: bool = False,
    foreground: ArrayLike | None = None,
) -> dict[str, float]:
    """Score one image as the benchmark does.

    Parameters
    ----------
    image, truth
        (Y, X) magnitudes on one scale.
    voxel_mm
        (y, x), for the foreground.
    lpips
        Measure LPIPS too, which downloads weights once.
    foreground
        (Y, X) bool, e.g. `slices.foreground(0)`; by default that of the truth.

    Returns
    -------
    dict
        psnr, ssim, nmse, psnr_fg, ssim_fg, lpips and lpips_fg (nan unless asked for); what each is stands in
        `bench.metrics.scores`.

    Raises
    ------
    UserError
        If shapes differ, something is not finite, or the truth is empty.

    Examples
    --------
    >>> import bench, numpy as np
    >>> truth = np.hypot(*np.mgrid[-1:1:64j, -1:1:64j]) < 0.8
    >>> found = bench.score(0.9 * truth, truth, voxel_mm=(1.0, 1.0))
    >>> round(found["psnr_fg"], 2), round(found["nmse"], 4)
    (20.0, 0.01)
    """
    pair = [_real(array) for array in (image, truth)]
    inside = None if foreground is None else np.asarray(foreground, bool)
    if inside is not None and (inside.shape != pair[1].shape or not inside.any()):
        raise UserError(f"The foreground is a mask of the shape of the truth, {pair[1].shape}, and not empty.")
    try:
        found = image_scores.score(
            pair[0], None, pair[1], pair[1], voxel_mm, Lpips(assets.fetch("lpips")) if lpips else None, inside
        )
    except ValueError as error:
        raise UserError(f"These images cannot be scored: {error}.") from error
    return {name: value for name, value in found.items() if name != "psnr_lr"}


def _real(array: ArrayLike | Tensor) -> NDArray[Any]:
    values = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
    if np.iscomplexobj(values) or values.ndim != 2:
        raise UserError(f"An image is a real magnitude (Y, X); got {values.dtype} {values.shape}.")
    return values.astype(np.float64)


def read_results(folder: str | Path = "runs") -> pd.DataFrame:
    """Read every row that runs wrote below a folder.

    Returns
    -------
    DataFrame
        A row a slice: dataset, source, profile, method, seed, fold, subject, contrast, slice, group, the scores.

    Raises
    ------
    UserError
        If there are none, or a file is damaged.
    """
    tables = []
    for run in ResultsFolder(Path(folder)).runs():
        record = RunRecord.read(run.record)
        if record.done:
            table = read_rows(run.slices)
            table.insert(list(table.columns).index("slice") + 1, "group", record.group)
            tables.append(table)
    if not tables:
        raise UserError(f"{folder} holds no rows: type bench run --results {folder} first.")
    return pd.concat(tables, ignore_index=True)
