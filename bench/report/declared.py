"""What is claimed, declared before anybody looked: which comparisons, in which order, by which score, how sure.

In each class the comparisons are tested in the fixed order of `COMPARISONS`, each at `LEVEL`, and the first that does not show
a difference ends the confirmatory part of the class; what follows is exploratory. So the chance of calling anything different
that is not stays below `LEVEL` in a class and below 5 % in both (fixed-sequence testing, Maurer, Hothorn and Lehmacher 1995).
"Practically equal" is a result, but it ends the part too: were it to let the next one be tested, four true equalities in a row
would be four chances to err (simulated, `tests/bench/report/test_statistics_simulated.py`: 9.7 % in a class instead of 2.2 %).
"""

from dataclasses import dataclass

from bench.metrics.scores import BY_ID
from bench.report.statistics import Outcome

CLASSES = ("l1", "gan")
PRIMARY = {"l1": "psnr_fg", "gan": "lpips_fg"}
"""By class, the score that decides, and by which rivals are picked on validation."""
LEVEL = 0.025
"""Of a declared comparison, two-sided; its interval covers 97.5 %."""
EXPLORATORY_LEVEL = 0.05
"""Of all that is exploratory, after Holm."""
JUDGED = {"l1": ("psnr_fg", "ssim_fg", "psnr", "ssim"), "gan": ("lpips_fg", "lpips")}
"""By class, the scores that it is judged by; all but the primary one are exploratory."""


@dataclass(frozen=True)
class Declared:
    """One method minus another."""

    number: int
    """As it is called: (1) to (4); 0 for what is exploratory from the start."""
    loss: str
    """The class that it belongs to."""
    asks: str
    """What the difference is the worth of."""
    one: str
    """Id of the joint method; empty: the best of the class, picked on validation."""
    other: str
    """Id of the one that is subtracted; empty: the best sequential one, picked alike."""

    @property
    def picked(self) -> bool:
        """Whether both are picked on validation."""
        return not self.one


INTERACTION = "what the interaction of the two parts adds"
TOGETHER = "what training end to end adds, the end of the mismatch between clean and reconstructed input included"
STRONGEST = "what training together adds, on the strongest halves"
BEST = "the best joint method against the best sequential one"

COMPARISONS = (
    Declared(3, "l1", STRONGEST, "dl-espirit~rrdb", "dl-espirit+rrdb"),
    Declared(2, "l1", TOGETHER, "ablation-end-to-end-l1", "ablation-separate-l1"),
    Declared(1, "l1", INTERACTION, "proposed-l1", "ablation-end-to-end-l1"),
    Declared(4, "l1", BEST, "", ""),
    Declared(3, "gan", STRONGEST, "dl-espirit~bebygan", "dl-espirit+bebygan"),
    Declared(2, "gan", TOGETHER, "ablation-end-to-end", "ablation-separate"),
    Declared(1, "gan", INTERACTION, "proposed", "ablation-end-to-end"),
    Declared(4, "gan", BEST, "", ""),
)
"""In the order in which they are tested, class by class."""
BESIDE = (Declared(0, "l1", "what training the refined network together adds", "hr-refined", "hr-refined-frozen"),)
"""Exploratory from the start."""
HALVES = "what training together adds"
"""What every other `A~B` is asked of `A+B`, exploratory too."""
OTHERS = "against the best sequential method"
"""What every other joint method is asked, exploratory too."""


def goes_on(outcome: Outcome) -> bool:
    """Whether the next comparison of the class is confirmatory too, once this one has come out so."""
    return outcome in (Outcome.DIFFERENT, Outcome.LESS_THAN_MATTERS)


def margin(score: str) -> float:
    """A difference smaller than this does not matter: 0.2 dB, or 0.005 of SSIM and LPIPS, where it is called equal."""
    return 0.2 if BY_ID[score].unit == "dB" else 0.005
