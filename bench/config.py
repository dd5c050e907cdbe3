"""Settings: frozen, typed, validated. A profile is a TOML file of them; `--set` overrides one."""

import dataclasses
import json
import math
import tomllib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bench import registry
from bench.errors import UserError, closest
from bench.method import PairSettings
from bench.registry import MethodPlugin
from bench.store.layout import at_home


@dataclass(frozen=True)
class DataSettings:
    """How a protocol is scaled."""

    matrix_factor: float = 1.0
    """Voxel size is multiplied by it, the field of view kept."""
    coils: int = 0
    """Compress to at most so many; 0: as the protocol says."""
    centre_factor: float = 1.0
    """The mask's fully sampled centre is divided by it."""
    slices: tuple[int, int, int] = (0, 0, 0)
    """At most so many in train, validation, test; 0: as the protocol says."""


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how. Defaults are the paper's."""

    iterations: int = 400_000
    batch: int = 4
    learning_rate: float = 1e-4
    schedule: Literal["halving", "cosine"] = "halving"
    """Halving at 1/8, 1/4, 1/2, 3/4 of the run."""
    pretraining: float = 0.0
    """Share of the run before the adversarial phase."""
    pixel_weight: float = 0.01
    """Of the L1 loss in adversarial phases."""
    perceptual_weight: float = 1.0
    """Factor on every method's perceptual loss; 0 downloads no VGG-19."""
    crop: int = 0
    """Side, in HR pixels, of the random crop that VGG-19 and discriminators see; 0: everything."""
    precision: Literal["fp32", "bf16"] = "fp32"
    validate_every: int = 5_000
    clip: float = 1.0
    """Gradient norm."""


@dataclass(frozen=True)
class ProtocolSettings:
    """What is to differ from a dataset's protocol, whatever the profile; None: nothing. The dataset's name tells of it."""

    acceleration: float | None = None
    """On the LR grid; where views set their own, those of this acceleration are kept."""
    coils: int | None = None
    """After compression; likewise."""
    noise: float | None = None
    """Standard deviation; likewise."""
    centre: int | None = None
    """Fully sampled lines or width of the square, as the mask has them at this profile."""
    mask: Literal["poisson-2d", "gaussian-1d"] | None = None


@dataclass(frozen=True)
class Settings:
    """A profile with its overrides."""

    profile: str
    description: str = ""
    data: DataSettings = field(default_factory=DataSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    protocol: ProtocolSettings = field(default_factory=ProtocolSettings)
    network: Mapping[str, Any] = field(default_factory=dict)
    """Sizes that several methods share, by name: what `shared` fields take."""
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What a profile or `--set` says of single methods, by id."""

    def of(self, plugin: MethodPlugin) -> Any:
        """A method's own settings, resolved.

        Shared fields take the profile's value of their name; then the table of the original that it is a twin of, as far as
        it has these fields; then its own table.
        """
        values = {f.name: self._shared(f.name) for f in fields(plugin.cls.Settings) if f.metadata.get("shared")}
        inner = {f.name: f.metadata["of"] for f in fields(plugin.cls.Settings) if "of" in f.metadata}
        values |= {name: _without_rate(self.of(registry.method(id))) for name, id in inner.items()}
        values = {name: value for name, value in values.items() if value is not None}
        known = {f.name for f in fields(plugin.cls.Settings)}
        original = self.methods.get(plugin.settings_of or "", {})
        values |= {name: value for name, value in original.items() if name in known}
        return build(f"methods.{plugin.id}", plugin.cls.Settings, values | dict(self.methods.get(plugin.id, {})))

    def weights_of(self, plugin: MethodPlugin) -> Path | None:
        """Weights made elsewhere that its own settings name, if they do."""
        path: Path | None = getattr(self.of(plugin), "weights", None)
        return path

    def training_of(self, stage: str, plugin: MethodPlugin) -> TrainingSettings:
        """How a stage is trained: at its pair's rate, its method's, or the profile's, whichever is given first."""
        own = self.methods.get(stage, {}).get("learning_rate") if "+" in stage else None
        rate = own or getattr(self.of(plugin), "learning_rate", None)
        return dataclasses.replace(self.training, learning_rate=rate) if rate else self.training

    def _shared(self, name: str) -> Any:
        return self.network.get(name, getattr(self.training, name, None))

    def to_dict(self, plugins: Iterable[MethodPlugin] = ()) -> dict[str, Any]:
        """Plain values as JSON gives them back, with the own settings of these methods."""
        plain: dict[str, Any] = {"profile": self.profile, "description": self.description}
        plain |= {"data": dataclasses.asdict(self.data), "training": dataclasses.asdict(self.training)}
        plain["methods"] = {plugin.id: dataclasses.asdict(self.of(plugin)) for plugin in plugins}
        read_back: dict[str, Any] = json.loads(json.dumps(plain, default=str))
        return read_back


def _without_rate(own: Any) -> Any:
    """Settings of a network that another method holds and trains at its own rate."""
    return dataclasses.replace(own, learning_rate=None) if isinstance(own, PairSettings) else own


_MAY_BE_ZERO = {"coils", "pretraining", "pixel_weight", "perceptual_weight", "crop"}
_LEAST_OF_PROTOCOL = {"acceleration": 1, "coils": 1, "noise": 0, "centre": 0}


def profile_names() -> list[str]:
    """Names of the profiles that are shipped."""
    return sorted(p.name.removesuffix(".toml") for p in files("bench.profiles").iterdir() if p.name.endswith(".toml"))


def load(profile: str, overrides: Sequence[str] = ()) -> Settings:
    """Read a profile, shipped or a file of one's own, and apply `section.key=value` overrides.

    Raises
    ------
    UserError
        For an unknown profile, section, method or key, or a value of the wrong type or range.
    """
    name, table = _read(profile)
    for override in overrides:
        path, separator, text = override.partition("=")
        *sections, key = path.strip().split(".")
        if not separator or len(sections) != (2 if sections[:1] == ["methods"] else 1):
            raise UserError(
                "--set takes section.key=value, e.g. training.iterations=100 or methods.modl.unrolls=5; "
                f"got '{override}'."
            )
        place = table
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = _parse(text.strip())
    return _assemble(name, table)


def _read(profile: str) -> tuple[str, dict[str, Any]]:
    if not profile.endswith(".toml"):
        if profile not in profile_names():
            raise UserError(f"Unknown profile '{profile}'.{closest(profile, profile_names())}")
        return profile, tomllib.loads((files("bench.profiles") / f"{profile}.toml").read_text(encoding="utf-8"))
    path = Path(profile)
    if path.stem in profile_names():
        raise UserError(f"A profile is called '{path.stem}' already: give {profile} another name.")
    try:
        return path.stem, tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"The profile {profile} cannot be read: {error}.") from error


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _assemble(profile: str, table: Mapping[str, Any]) -> Settings:
    sections = [f.name for f in fields(Settings) if f.name not in ("profile", "description")]
    for name, content in table.items():
        if name == "description":
            continue
        if name not in sections:
            raise UserError(f"Unknown settings section '{name}'.{closest(name, sections)}")
        if not isinstance(content, Mapping):
            raise UserError(f"The settings section '{name}' is a table; got '{content}'.")
    settings = Settings(
        profile,
        str(table.get("description", "")),
        build("data", DataSettings, table.get("data", {})),
        build("training", TrainingSettings, table.get("training", {})),
        build("protocol", ProtocolSettings, table.get("protocol", {})),
        table.get("network", {}),
        table.get("methods", {}),
    )
    _check_ranges(settings)
    _check_methods(settings)
    return settings


def build(section: str, kind: type, content: Mapping[str, Any]) -> Any:
    """Make a dataclass of plain values, each of the type that its field declares.

    Raises
    ------
    UserError
        For an unknown key or a value of the wrong type or range, by its full name.
    """
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name in {f.name for f in fields(kind)}}
    for key in content:
        if key not in hints:
            raise UserError(f"Unknown setting '{section}.{key}'.{closest(key, hints)}")
    try:
        return kind(**{key: _typed(f"{section}.{key}", value, hints[key]) for key, value in content.items()})
    except ValueError as error:
        raise UserError(f"{section}.{error}.") from error


def _typed(name: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        if value is None:
            return None
        kind = next(option for option in get_args(kind) if option is not type(None))
    if get_origin(kind) is Literal:
        if value in get_args(kind):
            return value
        raise UserError(f"{name} is one of {', '.join(map(str, get_args(kind)))}; got '{value}'.")
    if get_origin(kind) is tuple:
        if (
            isinstance(value, (list, tuple))
            and len(value) == len(get_args(kind))
            and all(type(v) is int for v in value)
        ):
            return tuple(value)
        raise UserError(f"{name} is a list of {len(get_args(kind))} whole numbers; got '{value}'.")
    if kind is Path:
        return _existing(name, value)
    if dataclasses.is_dataclass(kind) and type(value) is not kind:
        raise UserError(f"{name} are the settings of another method: say them there.")
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise UserError(f"{name} is of type {getattr(kind, '__name__', kind)}; got '{value}'.")
    if kind is float and not math.isfinite(value):
        raise UserError(f"{name} must be finite; got {value}.")
    return value


def _existing(name: str, value: Any) -> Path:
    path = at_home(Path(str(value)))
    if not path.is_file():
        raise UserError(f"{name} names no file: '{value}'.")
    return path.resolve()


def _check_ranges(settings: Settings) -> None:
    for section in (settings.data, settings.training):
        name = "data" if section is settings.data else "training"
        for key, value in dataclasses.asdict(section).items():
            if type(value) not in (int, float):
                continue
            if value < 0 or (value == 0 and key not in _MAY_BE_ZERO):
                raise UserError(
                    f"{name}.{key} must be {'at least' if key in _MAY_BE_ZERO else 'above'} 0; got {value}."
                )
    for key, least in _LEAST_OF_PROTOCOL.items():
        value = getattr(settings.protocol, key)
        if value is not None and value < least:
            raise UserError(f"protocol.{key} must be at least {least}; got {value}.")
    if any(count < 0 for count in settings.data.slices):
        raise UserError(f"data.slices must be at least 0; got {list(settings.data.slices)}.")
    if settings.training.pretraining > 1:
        raise UserError(f"training.pretraining is a share of the run, at most 1; got {settings.training.pretraining}.")
    if settings.data.matrix_factor < 1:
        raise UserError(f"data.matrix_factor must be at least 1; got {settings.data.matrix_factor}.")


def _check_methods(settings: Settings) -> None:
    """Every name that `[network]` and `[methods]` give is some method's, and every value is of its type."""
    registry.discover()
    known = registry.methods()
    shared = {f.name for p in known.values() for f in fields(p.cls.Settings) if f.metadata.get("shared")}
    shared -= {f.name for f in fields(TrainingSettings)}
    for name in settings.network:
        if name not in shared:
            raise UserError(f"Unknown setting 'network.{name}'.{closest(name, shared)}")
    for id, table in settings.methods.items():
        if not isinstance(table, Mapping):
            raise UserError(f"methods.{id} is a table; got '{table}'.")
        if "~" in id:
            settings.of(registry.method(id))
        elif "+" in id:
            for half in id.split("+", 1):
                registry.find(known, half, "method")
            build(f"methods.{id}", PairSettings, table)
        elif id not in known:
            raise UserError(f"Unknown method 'methods.{id}'.{closest(id, known)}")
    for plugin in known.values():
        if settings.weights_of(plugin) and not plugin.trained:
            raise UserError(f"methods.{plugin.id}.weights: '{plugin.id}' is not trained, so it takes no weights.")
