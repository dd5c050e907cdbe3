import pytest

from bench.config import load
from bench.method import PLAIN, Phase
from bench.train.phases import AdversarialSettings, adversarial_phases, learning_rate, phase_at

TWO = (Phase("first", 2 / 3), Phase("second", 1 / 3))


def test_phases_share_the_run_by_their_fractions():
    places = [phase_at(TWO, step, 9) for step in range(9)]
    assert [phase.name for phase, _ in places] == ["first"] * 6 + ["second"] * 3
    assert [done for _, done in places] == pytest.approx([i / 6 for i in range(6)] + [i / 3 for i in range(3)])


def test_a_run_shorter_than_its_phases_runs_the_last():
    assert phase_at(TWO, 0, 1)[0].name == "second"


def test_without_pretraining_there_is_one_adversarial_phase():
    phases = adversarial_phases(AdversarialSettings())
    assert [(p.name, p.fraction, p.gan_weight) for p in phases] == [("adversarial", 1.0, 5e-3)]


def test_the_paper_halves_its_rate_at_50_100_200_300_thousand():
    training = load("paper").training
    steps = [0, 49_999, 50_000, 100_000, 200_000, 300_000, 399_999]
    done = [phase_at(PLAIN, step, training.iterations)[1] for step in steps]
    rates = [learning_rate(training, PLAIN[0], share) / 1e-4 for share in done]
    assert rates == pytest.approx([1, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16])


def test_the_cosine_falls_to_a_hundredth():
    training = load("laptop").training
    assert learning_rate(training, PLAIN[0], 1.0) == pytest.approx(training.learning_rate / 100)
