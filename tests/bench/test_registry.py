import pytest

from bench import registry
from bench.authoring.new import render
from bench.errors import UserError
from bench.method import Reconstructor
from bench.run.methods import available, select


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
    assert {m.id for m in select("mine+*")} == {f"mine+{s}" for s in registry.methods("super_resolver")}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("propsed", "Did you mean 'proposed'"), ("modl+*x", "No method matches"), ("", "Unknown method")],
)
def test_an_unknown_method_is_one_line(wanted, words):
    with pytest.raises(UserError, match=words):
        select(wanted)


def test_groups_globs_and_ids_mix_and_each_stands_once():
    ids = [m.id for m in select("joint,modl+*,proposed")]
    assert ids == sorted(set(ids))
    assert {"proposed", "modl+bicubic", "modl+rrdb"} <= set(ids)


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
