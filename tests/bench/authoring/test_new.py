import ast

import pytest

from bench import registry
from bench.authoring.check import check, check_id
from bench.authoring.new import KINDS, METHODS, render, write
from bench.errors import UserError

IDS = [
    "mine", "mine-too", "sense", "output", "none", "true", "torch", "nn", "bench", "dataclass", "class", "3d", "source",
    "test", "np", "head", "protocol", "super", "settings", "width", "7", "import", "phase",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_holds_to_the_contract(tmp_path, kind):
    path = write("mine", kind, tmp_path)
    registry.discover((path,))
    held = check_id("mine", (path,))
    expected = {"source": "load", "dataset": "protocol"}.get(kind, "process")
    assert held[-1] == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id", IDS)
def test_an_id_that_is_a_name_already_gives_a_file_that_works(tmp_path, kind, id):
    path = write(id, kind, tmp_path)
    assert path == tmp_path / f"{id}.py"
    registry.discover((path,))
    if kind in METHODS:
        plugin = registry.methods(kind)[id]
        plugin.cls(plugin.cls.Settings())
    else:
        check_id(id)


@pytest.mark.parametrize("kind", sorted(METHODS))
def test_a_method_of_such_a_name_holds_to_the_contract(tmp_path, kind):
    path = write("none", kind, tmp_path)
    registry.discover((path,))
    assert "losses" in check(registry.methods(kind)["none"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_imports_the_door_and_nothing_else_of_this_package(kind):
    imports = [
        node for node in ast.walk(ast.parse(render("mine", kind))) if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    assert "bench" in names
    assert names <= {"bench", "torch", "numpy", "dataclasses"}


def test_a_file_that_exists_is_left_alone(tmp_path):
    (tmp_path / "mine.py").write_text("precious")
    with pytest.raises(UserError, match=r"mine\.py exists already: choose another id"):
        write("mine", "pipeline", tmp_path)
    assert (tmp_path / "mine.py").read_text() == "precious"


@pytest.mark.parametrize("id", ["Mine", "a_b", "a+b", "../a", "", "-a", "a--b", "a.py", "ä"])
def test_a_bad_id_is_refused(tmp_path, id):
    with pytest.raises(UserError, match="is not made of a-z, 0-9 and single hyphens"):
        write(id, "pipeline", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("id", "kind"), [("modl", "pipeline"), ("rrdb", "super_resolver"), ("vwi", "dataset"), ("phantom", "source")]
)
def test_an_id_that_is_taken_is_refused(tmp_path, id, kind):
    with pytest.raises(UserError, match=rf"The id '{id}' is taken by .*\.py: choose another"):
        write(id, kind, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"Unknown kind 'pipline'\. Did you mean 'pipeline'"):
        write("mine", "pipline", tmp_path)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"mine\.py cannot be written"):
        write("mine", "pipeline", tmp_path / "file")
