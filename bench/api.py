"""What scripts and notebooks call: datasets, acquisitions, methods, scores, results."""

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
from bench.composition import Composition
from bench.data import assets
from bench.data.dataset import Dataset
from bench.data.prepare import open_split, prepare
from bench.data.protocol import SPLITS, Split
from bench.data.slices import Slices
from bench.errors import UserError, closest
from bench.metrics import image as image_scores
from bench.metrics.lpips import Lpips
from bench.mri.coils import espirit_maps
from bench.mri.resample import bicubic
from bench.mri.sense import Sense
from bench.run.methods import available, stages_of
from bench.store import layout
from bench.store.layout import ResultsFolder, StageFolder
from bench.store.records import RunRecord, StageRecord
from bench.store.tables import read_rows
from bench.train.stage import load_half

CALIBRATION, LEAST_CALIBRATION = 24, 8  # width of the fully sampled centre that maps are made from


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
    [('phantom-5', 't1w-axial', 75), ('phantom-5', 't1w-coronal', 89)]
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


def acquire(
    kspace: ArrayLike | Tensor,
    mask: ArrayLike | Tensor | None = None,
    maps: ArrayLike | Tensor | None = None,
    voxel_mm: tuple[float, float] | None = None,
) -> Acquisition:
    """Make an acquisition of k-space of one's own.

    Parameters
    ----------
    kspace
        (coil, y, x) or (batch, coil, y, x) complex, on the LR grid, DC at N // 2, orthonormal FFT; zeros where not sampled.
    mask
        (y, x) or (batch, y, x), true where sampled; by default where any coil is not zero.
    maps
        Coil sensitivities like `kspace`, on its grid or on the HR grid (twice as fine); by default made by ESPIRiT from the
        fully sampled centre.
    voxel_mm
        Of the HR grid (y, x); None: unknown.

    Returns
    -------
    Acquisition
        In the scale of `kspace`; `reconstruct` takes care of the scale that methods expect.

    Raises
    ------
    UserError
        If shapes do not fit, something is not finite, DC is not in the middle, or the centre is too small for ESPIRiT.

    Examples
    --------
    >>> import bench, numpy as np
    >>> y, x = np.mgrid[-1:1:32j, -1:1:32j]
    >>> coils = np.stack([np.exp(-((y - a) ** 2 + (x - b) ** 2)) for a, b in ((-1, 0), (1, 0), (0, 1))])
    >>> kspace = bench.fft2c(__import__("torch").from_numpy(coils * (y**2 + x**2 < 0.6)))
    >>> bench.acquire(kspace).maps_hr.shape
    torch.Size([1, 3, 64, 64])
    """
    data = _tensor(kspace, torch.complex64)
    data = data[None] if data.ndim == 3 else data
    if data.ndim != 4:
        raise UserError(f"kspace must be (coil, y, x) or (batch, coil, y, x); got {tuple(data.shape)}.")
    if not torch.isfinite(torch.view_as_real(data)).all() or not data.any():
        raise UserError("kspace holds NaN or infinity, or nothing but zeros.")
    _check_centre(data)
    sampled = (data != 0).any(1) if mask is None else _tensor(mask, torch.bool)
    if sampled.ndim == 2:
        sampled = sampled.expand(len(data), *sampled.shape)
    if sampled.shape != (data.shape[0], *data.shape[2:]):
        raise UserError(f"mask {tuple(sampled.shape)} does not fit kspace {tuple(data.shape)}.")
    data = data * sampled[:, None]
    maps_hr = _given_maps(maps, data) if maps is not None else _espirit(data, sampled)
    maps_lr = maps_hr[..., ::2, ::2].contiguous()
    zero_filled = Sense(maps_lr, sampled).adjoint(data)
    return Acquisition(data, sampled.contiguous(), maps_lr, maps_hr, zero_filled, _phase_encode(sampled), voxel_mm)


def _tensor(values: ArrayLike | Tensor, dtype: torch.dtype) -> Tensor:
    tensor = values if isinstance(values, Tensor) else torch.from_numpy(np.ascontiguousarray(values))
    if dtype is torch.bool:
        tensor = tensor != 0
    return tensor.detach().cpu().to(dtype)


def _check_centre(kspace: Tensor) -> None:
    """Most energy lies at DC, which has to be in the middle."""
    energy = kspace.abs().square().sum((0, 1))
    height, width = energy.shape
    y, x = divmod(int(energy.argmax()), width)
    if min(y, height - y) < height // 8 and min(x, width - x) < width // 8:
        raise UserError(f"kspace has its maximum at ({y}, {x}), in a corner: shift DC to N // 2 (numpy.fft.fftshift).")


def _given_maps(maps: ArrayLike | Tensor, kspace: Tensor) -> Tensor:
    given = _tensor(maps, torch.complex64)
    given = given.expand(len(kspace), *given.shape) if given.ndim == 3 else given
    fine = (*kspace.shape[:2], 2 * kspace.shape[2], 2 * kspace.shape[3])
    if given.shape == kspace.shape:
        parts = [bicubic(part.flatten(0, 1)).reshape(fine) for part in (given.real, given.imag)]
        given = torch.complex(*parts)
    if given.shape != fine:
        raise UserError(f"maps must be {tuple(kspace.shape)} or {fine}; got {tuple(given.shape)}.")
    norm = given.abs().square().sum(1, keepdim=True).sqrt()
    return torch.where(norm > 1e-6, given / norm.clamp_min(1e-6), torch.zeros(()))


def _espirit(kspace: Tensor, mask: Tensor) -> Tensor:
    height, width = kspace.shape[-2:]
    common = mask.all(0)
    full = 0
    for size in range(1, min(CALIBRATION, height, width) + 1):
        top, left = height // 2 - size // 2, width // 2 - size // 2
        if not common[top : top + size, left : left + size].all():
            break
        full = size
    if full < LEAST_CALIBRATION:
        raise UserError(
            f"the fully sampled centre is {full} wide, too narrow for coil maps by ESPIRiT ({LEAST_CALIBRATION}): give maps."
        )
    return torch.stack([espirit_maps(k, (2 * height, 2 * width), calibration=full) for k in kspace])


def _phase_encode(mask: Tensor) -> tuple[bool, bool]:
    """An axis along which every line is sampled alike is read out."""
    along_y, along_x = ((mask == mask.narrow(axis, 0, 1)).all() for axis in (1, 2))
    return (True, True) if along_y and along_x else (not bool(along_y), not bool(along_x))


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
        If there is no such method, or it has not been trained: with the command that trains it.

    Examples
    --------
    >>> import bench
    >>> bench.load_method("oracle+sinc").kind
    'super_resolver'
    """
    registry.discover(tuple(map(Path, plugins)))
    table = available()
    if id not in table:
        raise UserError(f"Unknown method '{id}'.{closest(id, table)}")
    settings, method = config.load(profile, overrides), table[id]
    protocol = registry.find(registry.datasets(), dataset, "dataset").made_by()
    while protocol.train_on:
        protocol = registry.datasets()[protocol.train_on].made_by()
    data = Dataset.of(protocol, source, settings, fold, None)
    stages = stages_of([method], settings, seed, fold, lambda: data.key("train", "validation"))
    shipped = layout.shipped()
    roots = [ResultsFolder(Path(results or "runs")), *([shipped] if shipped else [])]
    halves = []
    for stage_id, plugin in zip(method.stage_ids, method.halves, strict=True):
        folder: StageFolder | None = None
        if stage_id in stages:
            places = [root.stage(protocol.id, settings.profile, stage_id, seed, fold) for root in roots]
            folder = _find(places, stages[stage_id].key)
            if folder is None:
                raise UserError(
                    f"'{stage_id}' has not been trained: type bench run --dataset {dataset} --profile {profile} "
                    f"--methods '{id}'."
                )
        halves.append(load_half(plugin, settings, folder, device))
    return Composition(tuple(halves))


def _find(places: Sequence[StageFolder], key: str) -> StageFolder | None:
    found = (place for place in places if place.record.exists() and StageRecord.read(place.record).key == key)
    return next(found, None)


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

    Returns
    -------
    dict
        psnr, ssim, lpips (nan unless asked for), nmse, psnr_fg, ssim_fg; what each is stands in `bench.metrics.scores`.

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
    try:
        found = image_scores.score(
            pair[0], None, pair[1], pair[1], voxel_mm, Lpips(assets.fetch("lpips")) if lpips else None
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
