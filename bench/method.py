"""What a method is: three kinds, which may be trained or tuned. A method of one's own is a class of these."""

import difflib
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import torch
from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target

Value = TypeVar("Value")


@dataclass(frozen=True)
class Phase:
    """A part of the training with losses of its own."""

    name: str
    fraction: float
    """Of the run's iterations."""
    lr: float = 1.0
    """Factor on training.learning_rate."""
    crop: int = 0
    """Side, in HR pixels, of the random crop that discriminator and perceptual loss see; 0: everything."""
    gan: Literal["none", "vanilla", "relativistic"] = "none"
    """Form of the adversarial loss, which the loop adds."""
    gan_weight: float = 0.0
    """Of the generator's adversarial loss."""
    gan_feature_weight: float = 0.0
    """Of the squared difference of the discriminator's features."""
    critic_lr: float = 1.0
    """Factor on the discriminator's rate, which is otherwise the generator's."""


PLAIN = (Phase("plain", 1.0),)
"""One phase without a discriminator."""


def shared(default: Value) -> Value:
    """Declare a setting that takes the profile's value of its name, from `[network]` or `[training]`, where there is one."""
    declared: Value = field(default=default, metadata={"shared": True})
    return declared


def settings_of(id: str, kind: type[Value]) -> Value:
    """Declare a setting that is the resolved settings of another method, of which this one holds the network."""
    declared: Value = field(default_factory=kind, metadata={"of": id})
    return declared


def rate_groups(parameters: Iterable[nn.Parameter], factors: Mapping[nn.Parameter, float]) -> list[dict[str, Any]]:
    """Groups for an optimiser: each of these parameters with its factor on the rate, and one with all others."""
    given = list(parameters)
    apart = {id(parameter) for parameter in factors}
    groups: list[dict[str, Any]] = [{"params": [p for p in given if id(p) not in apart]}]
    return groups + [{"params": [p], "rate_factor": factor} for p, factor in factors.items()]


@dataclass(frozen=True)
class PairSettings:
    """What can be said of a pair, `A+B` or `A~B`; the rest is said of its halves."""

    learning_rate: float | None = None
    """None: the profile's `training.learning_rate`."""

    def __post_init__(self) -> None:
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0; got {self.learning_rate}")


@dataclass(frozen=True)
class AdversarialPairSettings(PairSettings):
    """The same where the super-resolver of `A~B` learns against a discriminator."""

    critic_rate: float | None = None
    """Factor on the discriminator's learning rate. None: the super-resolver's own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.critic_rate is not None and not self.critic_rate > 0:
            raise ValueError(f"critic_rate must be above 0; got {self.critic_rate}")


@dataclass(frozen=True)
class MethodSettings(PairSettings):
    """A base for a method's settings: whatever else they hold, its rate and weights made elsewhere can be named."""

    weights: Path | None = None
    """A state dict (.safetensors, or .pt) that is loaded instead of training; its sha256 stands in every key."""


@dataclass(frozen=True)
class Sizes(MethodSettings):
    """A base for settings whose numbers must be above 0, but for those named in `may_be_zero`."""

    may_be_zero: ClassVar[frozenset[str]] = frozenset({"pretraining", "pixel_weight", "perceptual_weight", "crop"})
    must_be_below: ClassVar[Mapping[str, float]] = {}

    def __post_init__(self) -> None:
        for own in fields(self):
            value, zero = getattr(self, own.name), own.name in self.may_be_zero
            if type(value) not in (int, float):
                continue
            if not (value > 0 or (value == 0 and zero)):
                raise ValueError(f"{own.name} must be {'at least' if zero else 'above'} 0; got {value}")
            if not value < self.must_be_below.get(own.name, math.inf):
                raise ValueError(f"{own.name} must be below {self.must_be_below[own.name]}; got {value}")


class Component(ABC, nn.Module):
    """What all three kinds have. `version` is raised by hand when the method's numbers change."""

    version: ClassVar[int]
    Settings: ClassVar[type] = MethodSettings
    """A frozen dataclass of its own sizes; `[methods.ID]` of a profile or `--set methods.ID.key=value` changes them."""

    def __init__(self, settings: object = None) -> None:
        super().__init__()


class Reconstructor(Component):
    """`forward(acquisition)` gives the complex LR image, (batch, y, x) complex64. A bound's also sees the target."""

    forward: Callable[..., Tensor]


class SuperResolver(Component):
    """`forward(magnitude)` makes the HR magnitude (batch, Y, X) float32 of the LR magnitude (batch, y, x)."""

    forward: Callable[..., Tensor]


class Pipeline(Component):
    """`forward(acquisition)` gives an `Output`: the HR magnitude and, if there is one, the LR image on the way."""

    forward: Callable[..., Output]


class Trained(Component):
    """A method that learns: `class MoDL(Reconstructor, Trained)`."""

    @abstractmethod
    def phases(self) -> tuple[Phase, ...]:
        """Give the phases of training, in order; their fractions sum to 1."""

    @abstractmethod
    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Give weighted scalars by name; the loop sums and logs them and adds a phase's adversarial terms."""

    def forward_training(self, given: Any, target: Target, phase: Phase) -> Any:
        """Run it in training, where that differs from `forward`.

        Parameters
        ----------
        given
            What `forward` is given: the acquisition, or a super-resolver's magnitude.
        target
            The fully sampled truths.
        phase
            One of `phases()`.

        Returns
        -------
        Tensor or Output
            What `forward` gives.
        """
        return self(given)

    def discriminator(self) -> nn.Module | None:
        """(hr, lr) in [0, 1] -> (logits, features); needed where a phase is adversarial."""
        return None

    def optimiser(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Make the optimiser. The loop sets each group's rate; a group's `rate_factor`, if it has one, multiplies it."""
        return torch.optim.Adam(parameters)

    def parts(self) -> tuple[nn.Module, ...]:
        """Give the parts whose gradient is clipped, each by itself: those with a loss of their own."""
        return (self,)

    def assets(self) -> tuple[str, ...]:
        """Name what has to be downloaded before it can be trained, e.g. "vgg19"."""
        return ()


class Tuned(Component):
    """A method whose few numbers are chosen on validation: `class CGSense(Reconstructor, Tuned)`."""

    @abstractmethod
    def grid(self) -> list[dict[str, float]]:
        """Give the candidates, each the arguments of `configure`."""

    @abstractmethod
    def configure(self, **candidate: float) -> None:
        """Take one candidate."""


KINDS: dict[str, type[Component]] = {
    "reconstructor": Reconstructor,
    "super_resolver": SuperResolver,
    "pipeline": Pipeline,
}
_ARGUMENTS = {
    "forward_training": ("given", "target", "phase"),
    "phases": (),
    "losses": ("phase", "acquisition", "output", "target"),
    "discriminator": (),
    "optimiser": ("parameters",),
    "assets": (),
    "parts": (),
    "grid": (),
}
_HOOKS: dict[type[Component], tuple[str, ...]] = {
    Trained: ("phases", "losses", "forward_training", "discriminator", "optimiser", "assets", "parts"),
    Tuned: ("grid", "configure"),
}
_NAMES = ("forward", "version", "Settings", *(name for names in _HOOKS.values() for name in names))
_OTHER_NAMES = {"on_phase": "forward_training", "optimizer": "optimiser", "loss": "losses"}
_VALUES = (int, float, bool, str, tuple, list, type(None), Path)


_LIBRARIES = ("torch", "builtins", "abc", "typing")


def fault(cls: object, kind: str, bound: bool = False) -> str | None:
    """What keeps a class from being a method of this kind, in words that say what to change; None if nothing does."""
    base = KINDS[kind]
    if not (isinstance(cls, type) and issubclass(cls, base)):
        return (
            f"it is no bench.{base.__name__}: write `class {getattr(cls, '__name__', 'Mine')}(bench.{base.__name__}):`"
        )
    return _misspelt(cls) or _missing(cls) or _arguments(cls, kind, bound) or _settings(cls)


def _own_names(cls: type[Component]) -> list[str]:
    """Public names that the author gave, not those of this file or of torch."""
    theirs = [c for c in cls.__mro__ if c.__module__ != __name__ and c.__module__.partition(".")[0] not in _LIBRARIES]
    return [name for c in theirs for name in vars(c) if not name.startswith("_")]


def _misspelt(cls: type[Component]) -> str | None:
    known = set(dir(nn.Module)) | set(_NAMES)
    for name in _own_names(cls):
        near = difflib.get_close_matches(name, _NAMES, n=1, cutoff=0.8)
        meant = _OTHER_NAMES.get(name) or (near[0] if near else None)
        if name not in known and meant:
            return f"`{name}` is no hook: did you mean `{meant}`? (A helper of your own begins with an underscore.)"
    for base, hooks in _HOOKS.items():
        found = [name for name in _own_names(cls) if name in hooks]
        if found and not issubclass(cls, base):
            return f"it has `{found[0]}` but is not bench.{base.__name__}: add that class to its bases"
    return None


def _missing(cls: type[Component]) -> str | None:
    if type(getattr(cls, "version", None)) is not int:
        return f"`version` must be a whole number: write `version = 1` in the class; it is {getattr(cls, 'version', None)!r}"
    lacking = sorted(getattr(cls, "__abstractmethods__", ()))
    if "forward" not in _own_names(cls):
        lacking.append("forward")
    return f"it lacks `{lacking[0]}`" if lacking else None


def _arguments(cls: type[Component], kind: str, bound: bool) -> str | None:
    forward = ("magnitude",) if kind == "super_resolver" else ("acquisition", "target") if bound else ("acquisition",)
    for name, wanted in {"__init__": ("settings",), "forward": forward, **_ARGUMENTS}.items():
        function = getattr(cls, name, None)
        if function is None:
            continue
        try:
            inspect.signature(function).bind(None, *wanted)
        except TypeError:
            theirs = str(inspect.signature(function)).partition(" ->")[0]
            return f"`{name}` must take ({', '.join(('self', *wanted))}); it takes {theirs}"
    return None


def _settings(cls: type[Component]) -> str | None:
    own = cls.Settings
    if not is_dataclass(own) or not own.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return "`Settings` must be a frozen dataclass: write `@dataclass(frozen=True)` above it"
    if "__dataclass_fields__" not in vars(own):
        return "`Settings` takes fields of its own but is no dataclass: write `@dataclass(frozen=True)` above it"
    try:
        values = own()
    except (TypeError, ValueError) as error:
        return f"every field of `Settings` needs a default that is allowed ({error})"
    for entry in fields(own):
        if not isinstance(getattr(values, entry.name), _VALUES) and "of" not in entry.metadata:
            return f"`Settings.{entry.name}` must be a number, text, a list of these or a path"
    return None
