import pytest

from bench import config, registry
from bench.errors import UserError


def test_the_paper_profile_is_the_papers_recipe():
    settings = config.load("paper")
    own = settings.of(registry.methods()["proposed"])
    assert (own.features, own.blocks, own.residual_scale) == (64, 23, 0.2)
    assert (settings.training.iterations, settings.training.batch, settings.training.learning_rate) == (
        400_000,
        4,
        1e-4,
    )
    assert not own.image_skip
    assert settings.training.pretraining == 0


def test_an_override_keeps_its_type():
    settings = config.load("smoke", ["training.iterations=1", "network.step_size=1", "training.precision=bf16"])
    assert settings.training.iterations == 1
    assert isinstance(settings.of(registry.methods()["proposed"]).step_size, float)
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
        ("training.learning_rate=nan", "must be finite"),
        ("training.learning_rate=inf", "must be finite"),
        ("data.slices=[0, 0, -1]", "at least 0"),
        ("network.featurs=3", "Did you mean 'features'?"),
        ("methods.modll.unrolls=3", "Did you mean 'modl'?"),
        ("methods.modl.unrols=3", "Unknown setting 'methods.modl.unrols'. Did you mean 'unrolls'?"),
        ("methods.modl.unrolls=many", "methods.modl.unrolls is of type int"),
        ("methods.modl.unrolls=0", "methods.modl.unrolls must be above 0"),
        ("methods.modl=3", "section.key=value"),
        ("methods.modl.weights=nowhere.pt", "names no file"),
    ],
)
def test_a_wrong_setting_is_one_line(override, words):
    with pytest.raises(UserError, match=words) as error:
        config.load("smoke", [override])
    assert "\n" not in str(error.value)


def test_an_unknown_profile_is_named():
    with pytest.raises(UserError, match="Did you mean 'laptop'"):
        config.load("latop")


PLUGIN = """
from dataclasses import dataclass
import bench

@bench.super_resolver("mine")
class Mine(bench.SuperResolver):
    version = 1

    @dataclass(frozen=True)
    class Settings(bench.MethodSettings):
        width: int = 8
        features: int = bench.shared(64)

    def forward(self, magnitude):
        return bench.bicubic(magnitude)
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    registry.discover((path,))
    return registry.methods()["mine"]


def test_a_plugins_own_settings_are_its_own_and_its_shared_ones_the_profiles(mine):
    own = config.load("laptop", ["methods.mine.width=3"]).of(mine)
    assert (own.width, own.features) == (3, 32)
    assert config.load("paper").of(mine).features == 64
    assert config.load("laptop", ["methods.mine.features=5"]).of(mine).features == 5


def test_a_setting_of_one_method_is_nothing_to_another():
    plain, other = config.load("laptop"), config.load("laptop", ["methods.modl.unrolls=7"])
    methods = registry.methods()
    assert other.of(methods["modl"]).unrolls == 7
    assert other.of(methods["t2net"]) == plain.of(methods["t2net"])
    assert other.of(methods["dl-espirit"]) == plain.of(methods["dl-espirit"])


def test_a_twin_reads_the_table_of_its_original_and_its_own_above_it():
    overrides = ["methods.proposed.prior_features=5", "methods.ablation-separate.prior_features=6"]
    settings, methods = config.load("smoke", overrides), registry.methods()
    found = {id: settings.of(methods[id]).prior_features for id in ("proposed", "ablation-recon", "ablation-separate")}
    assert found == {"proposed": 5, "ablation-recon": 5, "ablation-separate": 6}


def test_a_profile_of_ones_own_is_a_file(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text("[training]\niterations = 5\n[methods.modl]\nunrolls = 1\n")
    settings = config.load(str(path), ["training.batch=2"])
    assert (settings.profile, settings.training.iterations, settings.training.batch) == ("tiny", 5, 2)
    assert settings.of(registry.methods()["modl"]).unrolls == 1


@pytest.mark.parametrize(("name", "text"), [("laptop.toml", ""), ("broken.toml", "[training"), ("absent.toml", None)])
def test_a_profile_file_that_cannot_be_used_is_one_line(tmp_path, name, text):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"another name|cannot be read") as error:
        config.load(str(path))
    assert "\n" not in str(error.value)
