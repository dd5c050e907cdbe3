import pytest

from bench import config, registry
from bench.authoring.new import render
from bench.errors import UserError
from bench.method import Reconstructor
from bench.run.methods import available, loss_of, select

registry.discover()
SETTINGS = config.load("smoke")


def test_every_reconstructor_meets_every_super_resolver():
    methods = available()
    for r in registry.methods("reconstructor"):
        for s in registry.methods("super_resolver"):
            assert f"{r}+{s}" in methods
    assert methods["oracle+bicubic"].group == "bound"
    assert methods["proposed"].group == "joint"


def test_a_plugin_file_is_combined_with_all_others(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(render("mine", "reconstructor"))
    registry.discover((path,))
    assert {m.id for m in select("mine+*", SETTINGS)} == {f"mine+{s}" for s in registry.methods("super_resolver")}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("cg-sense~rrdb", r"'cg-sense' does not learn: use 'cg-sense\+rrdb'"),
        ("propsed", "Did you mean 'proposed'"),
        ("modl+*x", "No method matches"),
        ("", "Unknown method"),
    ],
)
def test_an_unknown_method_is_one_line(wanted, words):
    with pytest.raises(UserError, match=words):
        select(wanted, SETTINGS)


def test_groups_globs_and_ids_mix_and_each_stands_once():
    ids = [m.id for m in select("joint,modl+*,proposed", SETTINGS)]
    assert ids == sorted(set(ids))
    assert {"proposed", "modl+bicubic", "modl+rrdb", "modl~rrdb"} <= set(ids)


def test_every_pair_that_learns_can_be_trained_together(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(render("mine", "super_resolver"))
    registry.discover((path,))
    pairs = {id for id in available() if "~" in id}
    assert {"modl~mine", "dl-espirit~mine", "modl~rrdb", "dl-espirit~bebygan"} <= pairs
    assert not [id for id in pairs if id.startswith(("oracle", "cg-sense")) or id.endswith(("~sinc", "~bicubic"))]
    assert all(available()[id].group == "joint" for id in pairs)
    with pytest.raises(UserError, match=r"'cg-sense' does not learn: use 'cg-sense\+rrdb'"):
        registry.method("cg-sense~rrdb")


def test_all_names_four_pairs_that_are_trained_together_and_one_row_of_the_plain_cg_sense():
    ids = [m.id for m in select("all", SETTINGS)]
    together = ["dl-espirit~bebygan", "dl-espirit~rrdb", "modl~medsrgan", "modl~rrdb"]
    assert [id for id in ids if "~" in id] == together
    assert [id for id in ids if id.startswith("cg-sense-plain")] == ["cg-sense-plain+bicubic"]
    assert [m.id for m in select("cg-sense-plain+sinc", SETTINGS)] == ["cg-sense-plain+sinc"]


def test_a_methods_class_follows_from_its_losses():
    classes = {id: loss_of(method, SETTINGS) for id, method in available().items()}
    expected = {
        "proposed": "gan", "proposed-l1": "l1", "t2net": "l1", "ablation-recon": "l1", "modl~rrdb": "l1",
        "modl~medsrgan": "gan", "modl+sinc": "l1", "cg-sense+sinc": "none", "cg-sense+bebygan": "gan", "hr-refined": "l1",
    }  # fmt: skip
    assert {id: classes[id] for id in expected} == expected
    assert {m.id for m in select("gan", SETTINGS)} == {id for id, loss in classes.items() if loss == "gan"}


def test_groups_are_as_their_definition_says():
    groups = {id: method.group for id, method in available().items()}
    assert {id for id, group in groups.items() if group == "single"} == {"ablation-sr"}
    sequential = {id for id, group in groups.items() if group == "sequential" and "+" not in id}
    assert sequential == {"ablation-separate", "ablation-separate-l1", "hr-refined-frozen"}
    assert groups["oracle+rrdb"] == "bound"


def test_a_missing_plugin_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.py does not exist"):
        registry.discover((tmp_path / "none.py",))


def test_a_plugin_that_fails_on_import_is_one_line(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import nothing_of_this_name\n")
    with pytest.raises(UserError, match="fails on import: ModuleNotFoundError"):
        registry.discover((path,))


def test_an_id_taken_twice_names_both_files(tmp_path):
    path = tmp_path / "twin.py"
    path.write_text(render("modl", "reconstructor"))
    with pytest.raises(UserError, match=r"taken twice: by .*modl\.py and by .*twin\.py"):
        registry.discover((path,))


def test_a_module_that_nobody_gave_may_not_register():
    with pytest.raises(UserError, match="was not given by --plugin"):

        @registry.reconstructor("stranger")
        class Stranger(Reconstructor):
            version = 1

            def forward(self, acquisition):
                return acquisition.zero_filled


@pytest.mark.parametrize("id", ["Mine", "a+b", "", "-a", "a_b"])
def test_a_bad_id_is_refused(id):
    with pytest.raises(UserError, match="a-z"):
        registry.reconstructor(id)(registry.methods()["modl"].cls)
