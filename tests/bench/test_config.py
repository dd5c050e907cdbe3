import pytest

from bench import config
from bench.errors import UserError


def test_the_paper_profile_is_the_papers_recipe():
    settings = config.load("paper")
    assert (settings.network.features, settings.network.blocks, settings.network.residual_scale) == (64, 23, 0.2)
    assert (settings.training.iterations, settings.training.batch, settings.training.learning_rate) == (
        400_000,
        4,
        1e-4,
    )
    assert not settings.network.image_skip
    assert settings.training.pretraining == 0


def test_an_override_keeps_its_type():
    settings = config.load("smoke", ["training.iterations=1", "network.step_size=1", "training.precision=bf16"])
    assert settings.training.iterations == 1
    assert isinstance(settings.network.step_size, float)
    assert settings.training.precision == "bf16"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.iteratons=1", "Did you mean 'iterations'?"),
        ("trainig.iterations=1", "Did you mean 'training'?"),
        ("training.iterations=many", "type int"),
        ("training.iterations=0", "above 0"),
        ("training.iterations", "section.key=value"),
        ("network.step_size=2", "below 2"),
        ("training.schedule=linear", "halving, cosine"),
        ("data.slices=[1, 2]", "3 whole numbers"),
        ("training.pretraining=1.5", "at most 1"),
    ],
)
def test_a_wrong_setting_is_one_line(override, words):
    with pytest.raises(UserError, match=words) as error:
        config.load("smoke", [override])
    assert "\n" not in str(error.value)


def test_an_unknown_profile_is_named():
    with pytest.raises(UserError, match="Did you mean 'laptop'"):
        config.load("latop")
