"""What a class is told when it is registered."""

from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

import bench
from bench import registry
from bench.errors import UserError
from bench.method import fault


class Right(bench.SuperResolver, bench.Trained):
    version = 1

    @dataclass(frozen=True)
    class Settings(bench.MethodSettings):
        width: int = 8

    def forward(self, magnitude):
        return bench.bicubic(magnitude)

    def phases(self):
        return bench.PLAIN

    def losses(self, phase, acquisition, output, target):
        return {"pixel": output.image.mean()}


def made(kind=bench.SuperResolver, base=Right, without=(), **members):
    """A class of these members beside those of `Right`."""
    own = {name: value for name, value in vars(base).items() if not name.startswith("__") and name not in without}
    own.pop("_abc_impl", None)
    bases = (kind, bench.Trained) if issubclass(base, bench.Trained) else (kind,)
    return type("Mine", bases, {**own, **members, "__module__": "mine"})


def refusal(cls, kind="super_resolver", **traits):
    with pytest.raises(UserError) as error:
        getattr(registry, kind)("mine", **traits)(cls)
    said = str(error.value)
    assert said.startswith(f"'mine' cannot be registered as a {kind.replace('_', '-')}: ")
    assert "\n" not in said
    return said


def function(*names):
    """A method that takes self and these."""
    return eval(f"lambda self, {', '.join(names)}: None")


def test_a_right_class_has_no_fault():
    assert fault(Right, "super_resolver") is None
    assert fault(made(), "super_resolver") is None


@pytest.mark.parametrize("id", sorted(registry.methods()))
def test_no_method_of_the_project_has_a_fault(id):
    plugin = registry.methods()[id]
    assert fault(plugin.cls, plugin.kind, plugin.bound) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("forward_trainng", "forward_training"), ("training_forward", None), ("optimizer", "optimiser"),
        ("on_phase", "forward_training"), ("loss", "losses"), ("phase", "phases"), ("discriminater", "discriminator"),
        ("settings", "Settings"), ("configurate", "configure"), ("_optimizer", None), ("sharpen", None),
    ],
)  # fmt: skip
def test_a_misspelt_hook_is_named(name, meant):
    cls = made(**{name: function()})
    if meant is None:
        assert fault(cls, "super_resolver") is None
    else:
        assert f"`{name}` is no hook: did you mean `{meant}`?" in refusal(cls)


@pytest.mark.parametrize("name", ["losses", "phases", "forward"])
def test_a_method_that_lacks_a_hook_is_told(name):
    assert refusal(made(without=(name,))).endswith(f"it lacks `{name}`.")


@pytest.mark.parametrize(
    ("hook", "base"), [("losses", "Trained"), ("phases", "Trained"), ("optimiser", "Trained"), ("grid", "Tuned")]
)
def test_a_hook_without_its_class_is_told(hook, base):
    class Plain(bench.SuperResolver):
        version = 1

        def forward(self, magnitude):
            return bench.bicubic(magnitude)

    said = refusal(made(base=Plain, **{hook: function("parameters")}))
    assert said.endswith(f"it has `{hook}` but is not bench.{base}: add that class to its bases.")


@pytest.mark.parametrize(
    ("name", "takes", "words"),
    [
        ("forward", (), "`forward` must take (self, magnitude); it takes (self)"),
        (
            "forward",
            ("magnitude", "target"),
            "`forward` must take (self, magnitude); it takes (self, magnitude, target)",
        ),
        ("losses", ("output", "target"), "`losses` must take (self, phase, acquisition, output, target)"),
        ("forward_training", ("given",), "`forward_training` must take (self, given, target, phase)"),
        ("phases", ("settings",), "`phases` must take (self); it takes (self, settings)"),
        ("optimiser", (), "`optimiser` must take (self, parameters)"),
        ("__init__", (), "`__init__` must take (self, settings)"),
        ("__init__", ("settings", "width"), "`__init__` must take (self, settings)"),
    ],
)
def test_other_arguments_are_told(name, takes, words):
    assert words in refusal(made(**{name: function(*takes)}))


def test_only_a_bound_sees_the_target():
    class Perfect(bench.Reconstructor):
        version = 1

        def forward(self, acquisition, target):
            return target.image_lr

    assert "`forward` must take (self, acquisition)" in refusal(Perfect, "reconstructor")
    assert fault(Perfect, "reconstructor", bound=True) is None


@pytest.mark.parametrize("version", [None, "1", 1.0, True])
def test_a_version_that_is_no_number_is_told(version):
    assert "`version` must be a whole number: write `version = 1` in the class" in refusal(made(version=version))
    assert "it is None" in refusal(made(without=("version",)))


@dataclass
class Loose:
    width: int = 8


@dataclass(frozen=True)
class Asking:
    width: int


@dataclass(frozen=True)
class Strange:
    net: nn.Module = field(default_factory=nn.Identity)


class Undecorated(bench.MethodSettings):
    width: int = 8


@dataclass(frozen=True)
class Impossible:
    width: int = 0

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width must be above 0; got {self.width}")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Loose, "`Settings` must be a frozen dataclass: write `@dataclass(frozen=True)` above it"),
        (
            Undecorated,
            "`Settings` takes fields of its own but is no dataclass: write `@dataclass(frozen=True)` above it",
        ),
        (dict, "`Settings` must be a frozen dataclass"),
        (Asking, "every field of `Settings` needs a default that is allowed"),
        (Impossible, "every field of `Settings` needs a default that is allowed (width must be above 0; got 0)"),
        (Strange, "`Settings.net` must be a number, text, a list of these or a path"),
    ],
)
def test_settings_of_another_form_are_told(settings, words):
    assert words in refusal(made(Settings=settings))


@pytest.mark.parametrize(
    ("kind", "base"),
    [("reconstructor", "Reconstructor"), ("super_resolver", "SuperResolver"), ("pipeline", "Pipeline")],
)
def test_a_class_of_another_kind_is_told(kind, base):
    class Mine(nn.Module):
        version = 1

    assert f"it is no bench.{base}: write `class Mine(bench.{base}):`" in refusal(Mine, kind)
    assert f"it is no bench.{base}: write `class mine(bench.{base}):`" in refusal(_function_called("mine"), kind)


def _function_called(name):
    def mine():
        return torch.zeros(1)

    mine.__name__ = name
    return mine


def test_a_source_that_is_a_function_or_lacks_a_method_is_told():
    assert "write `class mine(bench.Source):`" in refusal(_function_called("mine"), "source")

    class Mine(bench.Source):
        label = "mine"

        def subjects(self):
            return {}

        def load(self, subject):
            raise NotImplementedError

    assert refusal(Mine, "source").endswith("it lacks `digests`.")


def test_a_dataset_that_is_a_class_is_told():
    class Mine:
        pass

    assert refusal(Mine, "dataset").endswith("decorate a function that returns a bench.Protocol.")


def test_a_setting_is_shared_only_where_it_is_declared_so():
    @dataclass(frozen=True)
    class Settings(bench.MethodSettings):
        features: int = bench.shared(64)
        width: int = 8

    marked = {name: bool(entry.metadata.get("shared")) for name, entry in Settings.__dataclass_fields__.items()}
    assert marked == {"learning_rate": False, "weights": False, "features": True, "width": False}
    assert Settings() == Settings(weights=None, features=64, width=8)
