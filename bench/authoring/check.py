"""`bench check`: holds a plugin to its contract and says which clause it breaks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.composition import Chain, Link
from bench.config import Settings, load
from bench.errors import UserError
from bench.mri.fourier import fft2c, ifft2c
from bench.mri.sense import Sense
from bench.registry import Plugin
from bench.train.phases import Phase

CLAUSES = {
    "version": "the class has a whole number `version`",
    "build": "the class is an nn.Module made from Settings alone",
    "forward": "it runs on an acquisition of any size",
    "shape": "it gives the shape and type of its kind",
    "finite": "what it gives is finite",
    "pure": "it gives the same twice and leaves its input as it was",
    "batch": "in evaluation a slice's result does not depend on the others in its batch",
    "phases": "phases have distinct names and fractions that sum to 1",
    "losses": "losses are finite scalars by name, and their gradient reaches a parameter",
    "discriminator": "an adversarial phase has a discriminator: (hr, lr) -> (logits, features)",
    "grid": "grid gives candidates that configure takes",
}


class Broken(Exception):
    """A clause does not hold."""

    def __init__(self, clause: str, how: str) -> None:
        super().__init__(how)
        self.clause = clause


def toy(matrix: tuple[int, int], batch: int = 2, coils: int = 3) -> tuple[Acquisition, Target]:
    """A random smooth object, seen by smooth coils, every second line sampled; HR `matrix`."""
    generator = torch.Generator().manual_seed(0)
    y, x = matrix[0] // 2, matrix[1] // 2

    def smooth(*shape: int) -> Tensor:
        spectrum = torch.zeros(*shape, *matrix, dtype=torch.complex64)
        middle = (..., slice(y - 3, y + 4), slice(x - 3, x + 4))
        spectrum[middle] = torch.randn(*shape, 7, 7, dtype=torch.complex64, generator=generator)
        return ifft2c(spectrum)

    image_hr = smooth(batch)
    image_hr = image_hr / image_hr.abs().amax((-2, -1), keepdim=True)
    maps_hr = smooth(batch, coils)
    maps_hr = maps_hr / maps_hr.abs().square().sum(1, keepdim=True).sqrt()
    maps_lr, image_lr = maps_hr[..., ::2, ::2].contiguous(), image_hr[..., ::2, ::2].contiguous()
    mask = torch.zeros(batch, y, x, dtype=torch.bool)
    mask[:, :, ::2] = mask[:, :, x // 2 - 2 : x // 2 + 2] = True
    kspace = fft2c(maps_lr * image_lr[:, None]) * mask[:, None]
    zero_filled = Sense(maps_lr, mask).adjoint(kspace)
    acquisition = Acquisition(kspace, mask, maps_lr, maps_hr, zero_filled, (False, True), (1.0, 1.0))
    return acquisition, Target(image_hr, image_lr, image_hr.abs().amax((-2, -1)), torch.ones(batch))


def check(plugin: Plugin) -> list[str]:
    """Names of the clauses that were held to, in order.

    Raises
    ------
    UserError
        One line: the first clause that is broken, and how.
    """
    settings = load("smoke")
    held: list[str] = []

    def holds(clause: str, test: Callable[[], None]) -> None:
        try:
            test()
        except Broken as broken:
            raise UserError(
                f"'{plugin.id}' breaks the clause '{broken.clause}' ({CLAUSES[broken.clause]}): {broken}."
            ) from broken
        except Exception as error:
            what = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
            raise UserError(f"'{plugin.id}' breaks the clause '{clause}' ({CLAUSES[clause]}): {what}.") from error
        held.append(clause)

    holds("version", lambda: _version(plugin))
    holds("build", lambda: _build(plugin, settings))
    torch.manual_seed(0)
    chain = Chain((Link(plugin, plugin.make(settings)),))
    holds("forward", lambda: _forward(chain))
    holds("shape", lambda: _shape(chain))
    holds("finite", lambda: _finite(chain))
    holds("pure", lambda: _pure(chain))
    holds("batch", lambda: _batch(chain))
    if hasattr(chain.trained, "phases"):
        holds("phases", lambda: _phases(chain))
        holds("losses", lambda: _losses(chain))
        if any(p.gan != "none" for p in chain.trained.phases()):  # type: ignore[operator]
            holds("discriminator", lambda: _discriminator(chain))
    if hasattr(chain.trained, "grid"):
        holds("grid", lambda: _grid(chain))
    return held


def _version(plugin: Plugin) -> None:
    version = getattr(plugin.make, "version", None)
    if type(version) is not int:
        raise Broken("version", f"it is {version!r}")


def _build(plugin: Plugin, settings: Settings) -> None:
    module: object = plugin.make(settings)
    if not isinstance(module, nn.Module):
        raise Broken("build", "it is no nn.Module")


def _run(chain: Chain, matrix: tuple[int, int] = (48, 40)) -> Tensor | Output:
    """What the plugin itself gives."""
    link = chain.links[0]
    acquisition, target = toy(matrix)
    link.module.eval()
    with torch.no_grad():
        if link.plugin.kind == "super_resolver":
            given: Tensor | Output = link.module(acquisition.zero_filled.abs())
        elif link.plugin.traits.get("bound"):
            given = link.module(acquisition, target)
        else:
            given = link.module(acquisition)
    return given


def _given(chain: Chain, acquisition: Acquisition) -> Tensor | None:
    """What a bare super-resolver is fed."""
    return acquisition.zero_filled if chain.links[0].plugin.kind == "super_resolver" else None


def _tensors(given: Tensor | Output) -> list[Tensor]:
    if isinstance(given, Output):
        return [given.image, *([] if given.image_lr is None else [given.image_lr])]
    return [given]


def _forward(chain: Chain) -> None:
    _run(chain)
    _run(chain, (56, 64))


def _shape(chain: Chain) -> None:
    given, kind = _run(chain), chain.links[0].plugin.kind
    if kind == "pipeline" and not isinstance(given, Output):
        raise Broken("shape", f"it gives {type(given).__name__}, not an Output")
    if kind != "pipeline" and not isinstance(given, Tensor):
        raise Broken("shape", f"it gives {type(given).__name__}, not a Tensor")
    tensors = _tensors(given)
    lr, hr = ((2, 24, 20), torch.complex64), ((2, 48, 40), torch.float32)
    expected = {"reconstructor": [lr], "super_resolver": [hr], "pipeline": [hr, lr]}[kind]
    for tensor, (shape, dtype) in zip(tensors, expected, strict=False):
        if tuple(tensor.shape) != shape or tensor.dtype != dtype:
            raise Broken("shape", f"it gives {tuple(tensor.shape)} {tensor.dtype} where {shape} {dtype} is due")


def _finite(chain: Chain) -> None:
    if not all(bool(torch.isfinite(t).all()) for t in _tensors(_run(chain))):
        raise Broken("finite", "it gives NaN or infinity")


def _pure(chain: Chain) -> None:
    acquisition, target = toy((48, 40))
    before = acquisition.kspace.clone(), acquisition.zero_filled.clone()
    first, second = (chain.infer(acquisition, target, _given(chain, acquisition)) for _ in range(2))
    if not torch.equal(first.image, second.image):
        raise Broken("pure", "two runs on the same acquisition differ")
    if not (torch.equal(before[0], acquisition.kspace) and torch.equal(before[1], acquisition.zero_filled)):
        raise Broken("pure", "the acquisition is not what it was before")


def _batch(chain: Chain) -> None:
    acquisition, target = toy((48, 40))
    together, alone = (
        chain.infer(a, t, _given(chain, a)) for a, t in ((acquisition, target), (acquisition[:1], target[:1]))
    )
    error = float((together.image[:1] - alone.image).abs().max() / together.image.abs().max())
    if error > 1e-3:
        raise Broken("batch", f"alone and in a batch differ by {error:.1e}")


def _phases(chain: Chain) -> None:
    phases: tuple[Phase, ...] = chain.trained.phases()  # type: ignore[operator]
    total = sum(phase.fraction for phase in phases)
    if abs(total - 1) > 1e-6:
        raise Broken("phases", f"the fractions sum to {total:g}")
    if len({phase.name for phase in phases}) != len(phases):
        raise Broken("phases", "a name stands twice")


def _losses(chain: Chain) -> None:
    acquisition, target = toy((48, 40))
    module = chain.trained.train()
    for phase in module.phases():  # type: ignore[operator]
        if hasattr(module, "on_phase"):
            module.on_phase(phase.name)  # type: ignore[operator]
        module.zero_grad()
        output = chain(acquisition, target, _given(chain, acquisition))
        losses = module.losses(phase, acquisition, output, target)  # type: ignore[operator]
        for name, value in losses.items():
            if value.ndim != 0:
                raise Broken("losses", f"'{name}' in phase '{phase.name}' has shape {tuple(value.shape)}")
            if not bool(torch.isfinite(value)):
                raise Broken("losses", f"'{name}' in phase '{phase.name}' is {value.item()}")
        torch.stack(list(losses.values())).sum().backward()
        if not any(p.grad is not None and bool((p.grad != 0).any()) for p in module.parameters()):
            raise Broken("losses", f"no parameter has a gradient in phase '{phase.name}'")


def _discriminator(chain: Chain) -> None:
    acquisition, target = toy((48, 40))
    logits, features = chain.trained.discriminator()(target.image_hr.abs(), acquisition.zero_filled.abs())  # type: ignore[operator]
    if logits.shape[0] != 2 or not isinstance(features, list):
        raise Broken("discriminator", f"it gives logits of shape {tuple(logits.shape)} and {type(features).__name__}")


def _grid(chain: Chain) -> None:
    candidates = chain.trained.grid()  # type: ignore[operator]
    if not candidates:
        raise Broken("grid", "it is empty")
    for candidate in candidates:
        chain.trained.configure(**candidate)  # type: ignore[operator]
