import pytest

from bench import registry
from bench.authoring.check import check
from bench.authoring.new import render
from bench.errors import UserError

registry.discover()


def load(tmp_path, text, id="mine"):
    path = tmp_path / f"{id}.py"
    path.write_text(text)
    registry.discover((path,))
    return registry.methods()[id]


@pytest.mark.parametrize("id", sorted(registry.methods()))
def test_the_built_in_methods_hold_to_the_contract(id):
    assert "batch" in check(registry.methods()[id])


@pytest.mark.parametrize("kind", ["reconstructor", "super_resolver", "pipeline"])
def test_what_new_writes_holds_to_the_contract(tmp_path, kind):
    held = check(load(tmp_path, render("mine", kind)))
    assert {"shape", "losses"} <= set(held)


BREAKS = [
    ("version", "version = 1", "version = 'one'"),
    ("forward", "image = acquisition.zero_filled\n", "image = acquisition.zero_filled[:, :20, :20]\n"),
    ("shape", "return image - (", "return (image - ("),
    ("finite", "return image - (", "return image / 0 - ("),
    ("pure", "image = acquisition.zero_filled\n", "image = acquisition.zero_filled.mul_(2)\n"),
    (
        "batch",
        "image = acquisition.zero_filled\n",
        "image = acquisition.zero_filled + acquisition.zero_filled.mean()\n",
    ),
    ("phases", "return PLAIN", "return PLAIN + PLAIN"),
    ("losses", ".abs().mean()}", ".abs()}"),
]


@pytest.mark.parametrize(("clause", "right", "wrong"), BREAKS)
def test_a_broken_plugin_is_told_the_clause(tmp_path, clause, right, wrong):
    text = render("mine", "reconstructor")
    assert right in text
    text = text.replace(right, wrong)
    if clause == "shape":
        text = text.replace("- acquisition.zero_filled)\n", "- acquisition.zero_filled)).abs()\n")
    with pytest.raises(UserError, match=f"breaks the clause '{clause}'") as error:
        check(load(tmp_path, text))
    assert "\n" not in str(error.value)
