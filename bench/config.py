"""Settings: frozen, typed, validated. A profile is a TOML file of them; `--set` overrides one."""

import dataclasses
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal, get_args, get_origin, get_type_hints

from bench.errors import UserError, closest


@dataclass(frozen=True)
class DataSettings:
    """How a protocol is scaled."""

    matrix_factor: float = 1.0  # voxel size is multiplied by it, the field of view kept
    coils: int = 0  # compress to at most so many; 0: as the protocol says
    centre_factor: float = 1.0  # the mask's fully sampled centre is divided by it
    slices: tuple[int, int, int] = (0, 0, 0)  # at most so many in train, validation, test; 0: as the protocol says


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the networks, the same for every method that has such a part. Defaults are the paper's."""

    features: int = 64
    growth: int = 32  # channels a convolution adds inside a dense block
    blocks: int = 23  # RRDBs of a super-resolver
    prior_features: int = 64  # of the learned proximal operator, which runs K times
    prior_growth: int = 32
    prior_blocks: int = 1
    residual_scale: float = 0.2  # beta of the residual dense blocks
    init_scale: float = 0.1  # factor on Kaiming's initialisation inside dense blocks
    image_skip: bool = False  # add the bicubically (FFT grid) upsampled input to the output
    equilibrium_iterations: int = 15  # K of the proposed network, in training and test
    step_size: float = 1.0  # initial eta of proximal gradient descent, in (0, 2)
    unrolls: int = 10  # K of MoDL
    denoiser_layers: int = 5  # of MoDL
    cg_iterations: int = 10  # inside MoDL
    residual_blocks: int = 2  # an unroll of DL-ESPIRiT
    attention_groups: int = 8  # of MedSRGAN
    attention_blocks: int = 16  # in each of those groups
    task_blocks: int = 8  # of T2Net
    discriminator_features: int = 64


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how. Defaults are the paper's."""

    iterations: int = 400_000
    batch: int = 4
    learning_rate: float = 1e-4
    schedule: Literal["halving", "cosine"] = "halving"  # halving at 1/8, 1/4, 1/2, 3/4 of the run
    pretraining: float = 0.0  # share of the run before the adversarial phase
    pixel_weight: float = 0.01  # of the L1 loss in adversarial phases
    perceptual_weight: float = 1.0  # factor on every method's perceptual loss; 0 downloads no VGG-19
    crop: int = 0  # side, in HR pixels, of the random crop that VGG-19 and discriminators see; 0: everything
    precision: Literal["fp32", "bf16"] = "fp32"
    validate_every: int = 5_000
    clip: float = 1.0  # gradient norm


@dataclass(frozen=True)
class Settings:
    """A profile with its overrides."""

    profile: str
    description: str = ""
    data: DataSettings = field(default_factory=DataSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON gives them back."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return plain


_SECTIONS: dict[str, type] = {"data": DataSettings, "network": NetworkSettings, "training": TrainingSettings}


def profile_names() -> list[str]:
    """Names of the profiles there are."""
    return sorted(p.name.removesuffix(".toml") for p in files("bench.profiles").iterdir() if p.name.endswith(".toml"))


def load(profile: str, overrides: Sequence[str] = ()) -> Settings:
    """Read a profile and apply `section.key=value` overrides.

    Raises
    ------
    UserError
        For an unknown profile, section or key, or a value of the wrong type or range.
    """
    if profile not in profile_names():
        raise UserError(f"Unknown profile '{profile}'.{closest(profile, profile_names())}")
    table = tomllib.loads((files("bench.profiles") / f"{profile}.toml").read_text())
    for override in overrides:
        name, separator, text = override.partition("=")
        section, dot, key = name.strip().partition(".")
        if not separator or not dot:
            raise UserError(f"--set takes section.key=value, e.g. training.iterations=100; got '{override}'.")
        table.setdefault(section, {})[key] = _parse(text.strip())
    return _build(profile, table)


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _build(profile: str, table: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {"profile": profile, "description": table.get("description", "")}
    for section, content in table.items():
        if section == "description":
            continue
        if section not in _SECTIONS:
            raise UserError(f"Unknown settings section '{section}'.{closest(section, _SECTIONS)}")
        values[section] = _build_section(section, content)
    settings = Settings(**values)
    _check_ranges(settings)
    return settings


def _build_section(section: str, content: Mapping[str, Any]) -> Any:
    kind = _SECTIONS[section]
    hints = get_type_hints(kind)
    for key in content:
        if key not in hints:
            raise UserError(f"Unknown setting '{section}.{key}'.{closest(key, hints)}")
    return kind(**{key: _typed(f"{section}.{key}", value, hints[key]) for key, value in content.items()})


def _typed(name: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        if value in get_args(kind):
            return value
        raise UserError(f"{name} is one of {', '.join(get_args(kind))}; got '{value}'.")
    if get_origin(kind) is tuple:
        if isinstance(value, list) and len(value) == len(get_args(kind)) and all(type(v) is int for v in value):
            return tuple(value)
        raise UserError(f"{name} is a list of {len(get_args(kind))} whole numbers; got '{value}'.")
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise UserError(f"{name} is of type {kind.__name__}; got '{value}'.")
    return value


def _check_ranges(settings: Settings) -> None:
    may_be_zero = {"coils", "pretraining", "pixel_weight", "perceptual_weight", "crop"}
    for section in _SECTIONS:
        for key, value in dataclasses.asdict(getattr(settings, section)).items():
            if type(value) not in (int, float):
                continue
            if value < 0 or (value == 0 and key not in may_be_zero):
                raise UserError(
                    f"{section}.{key} must be {'at least 0' if key in may_be_zero else 'above 0'}; got {value}."
                )
    if not settings.network.step_size < 2:
        raise UserError(
            f"network.step_size must be below 2, where gradient descent diverges; got {settings.network.step_size}."
        )
    if settings.training.pretraining > 1:
        raise UserError(f"training.pretraining is a share of the run, at most 1; got {settings.training.pretraining}.")
    if settings.data.matrix_factor < 1:
        raise UserError(f"data.matrix_factor must be at least 1; got {settings.data.matrix_factor}.")
