"""`A~B`: a reconstructor and a super-resolver, trained together as one pipeline."""

from dataclasses import field, fields, make_dataclass, replace
from typing import Any, ClassVar

from torch import Tensor, nn

from bench.acquisition import Acquisition, Output, Target
from bench.method import AdversarialPairSettings, Component, PairSettings, Phase, Pipeline, Trained


def in_sequence(id: str) -> str:
    """The sequence `A+B` of a pair `A~B`, whose random numbers it shares; any other id as it is."""
    return id.replace("~", "+")


class Together(Pipeline, Trained):
    """Two halves under the super-resolver's phases, losses and discriminator, and the reconstructor's loss beside them.

    The same networks and the same number of updates of every parameter as in the sequence `A+B`. What differs is that
    the loss on the HR image reaches the reconstructor, from the first update on, and that the super-resolver learns on a
    reconstructor that still moves. The reconstructor runs as in its own last phase throughout; its loss has weight 1,
    and an adversarial term of its own, if it has one, is left out.
    """

    version: ClassVar[int] = 1
    kinds: ClassVar[tuple[type[Component], type[Component]]]

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        reconstructor, super_resolver = self.kinds
        self.reconstructor: Any = reconstructor(settings.reconstructor)
        critic_rate = getattr(settings, "critic_rate", None)
        own = {"critic_rate": critic_rate} if critic_rate else {}
        self.super_resolver: Any = super_resolver(replace(settings.super_resolver, **own))

    @property
    def halves(self) -> tuple[Trained, Trained]:
        """Both, each with its own optimiser and clip."""
        return self.reconstructor, self.super_resolver

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude and the LR reconstruction."""
        image_lr = self.reconstructor(acquisition)
        return Output(self.super_resolver(image_lr.abs()), image_lr)

    def forward_training(self, given: Acquisition, target: Target, phase: Phase) -> Output:
        """Both as they ask for in training."""
        image_lr = self.reconstructor.forward_training(given, target, self._last)
        return Output(self.super_resolver.forward_training(image_lr.abs(), target, phase), image_lr)

    @property
    def _last(self) -> Phase:
        phases: tuple[Phase, ...] = self.reconstructor.phases()
        return phases[-1]

    def phases(self) -> tuple[Phase, ...]:
        """The super-resolver's."""
        phases: tuple[Phase, ...] = self.super_resolver.phases()
        return phases

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Both's; the reconstructor's are told apart by their name."""
        losses: dict[str, Tensor] = self.super_resolver.losses(phase, acquisition, output, target)
        own = self.reconstructor.losses(self._last, acquisition, output, target)
        return losses | {f"lr-{name}": value for name, value in own.items()}

    def discriminator(self) -> nn.Module | None:
        """The super-resolver's."""
        critic: nn.Module | None = self.super_resolver.discriminator()
        return critic

    def assets(self) -> tuple[str, ...]:
        """Both's."""
        return (*self.reconstructor.assets(), *self.super_resolver.assets())


def together(ids: tuple[str, str], kinds: tuple[type[Component], type[Component]]) -> type[Together]:
    """Make the class of a pair: its settings are those of both methods, and rates of its own."""
    halves = [
        (name, kind.Settings, field(default_factory=kind.Settings, metadata={"of": id}))
        for name, id, kind in zip(("reconstructor", "super_resolver"), ids, kinds, strict=True)
    ]
    adversarial = "critic_rate" in {f.name for f in fields(kinds[1].Settings)}
    base = AdversarialPairSettings if adversarial else PairSettings
    settings = make_dataclass("Settings", halves, bases=(base,), frozen=True)
    return type("~".join(ids), (Together,), {"kinds": kinds, "Settings": settings, "__doc__": Together.__doc__})
