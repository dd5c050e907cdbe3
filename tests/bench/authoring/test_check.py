import re

import pytest

from bench import registry
from bench.authoring.check import CLAUSES, check, check_id
from bench.authoring.new import render
from bench.errors import UserError

registry.discover()

GIVES = {
    "reconstructor": "image - (operator.normal(image) - acquisition.zero_filled)",
    "super_resolver": "bench.bicubic(magnitude) + self.net(magnitude[:, None]).squeeze(1).float()",
    "pipeline": "bench.bicubic(image.abs()) + change",
}
LOSS = "torch.view_as_real(output.image_lr - target.image_lr).abs().mean()"
PIXEL = "nn.functional.l1_loss(output.image, target.image_hr.abs())"
LINE = "        return {"  # where losses end
TRAINS = "\n    def phases("
ALL_KINDS = pytest.mark.parametrize("kind", sorted(GIVES))


def load(tmp_path, text, id="mine"):
    path = tmp_path / f"{id}.py"
    path.write_text(text)
    registry.discover((path,))
    return path


def changed(kind, old, new):
    text = render("mine", kind)
    assert text.count(old) == 1
    return text.replace(old, new)


def giving(kind, expression):
    """The template, with `...` in the expression for what it gives."""
    return changed(kind, GIVES[kind], expression.replace("...", GIVES[kind]))


def refusal(tmp_path, text, clause):
    """What `bench check` says of a plugin that breaks this clause."""
    load(tmp_path, text)
    with pytest.raises(UserError) as error:
        check(registry.methods()["mine"])
    said = str(error.value)
    assert said.startswith(f"'mine' breaks the clause '{clause}' ({CLAUSES[clause]}): "), said
    assert said.endswith(".")
    assert "\n" not in said
    return said


@pytest.mark.parametrize("id", sorted(registry.methods()))
def test_the_built_in_methods_hold_to_the_contract(id):
    assert "batch" in check(registry.methods()[id])


@ALL_KINDS
@pytest.mark.parametrize("factor", [255, 1000, 0.001])
def test_another_scale_is_told(tmp_path, kind, factor):
    said = refusal(tmp_path, giving(kind, f"{factor} * (...)"), "place")
    assert "times as bright as it is: give it in the input's own scale" in said


@ALL_KINDS
def test_a_negative_is_told(tmp_path, kind):
    assert "the negative of the image: change its sign" in refusal(tmp_path, giving(kind, "-(...)"), "place")


def test_a_conjugate_is_told(tmp_path):
    said = refusal(tmp_path, giving("reconstructor", "(...).conj().resolve_conj()"), "place")
    assert "the complex conjugate of the image: leave out .conj()" in said


def test_a_turned_phase_is_told(tmp_path):
    assert "by 1.6 rad: keep the phase" in refusal(tmp_path, giving("reconstructor", "1j * (...)"), "place")


@pytest.mark.parametrize("kind", ["super_resolver", "pipeline"])
def test_half_a_pixel_is_told(tmp_path, kind):
    old = {"super_resolver": "bench.bicubic(magnitude)", "pipeline": "bench.bicubic(image.abs())"}[kind]
    interpolate = 'nn.functional.interpolate(..., scale_factor=2, mode="bicubic", align_corners=False)'
    given = {"super_resolver": "magnitude[:, None]", "pipeline": "image.abs()[:, None]"}[kind]
    text = changed(kind, old, interpolate.replace("...", given) + ".squeeze(1)")
    said = refusal(tmp_path, text, "place")
    found = re.search(r"it shifts the image by \((.*), (.*)\) HR pixels", said)
    assert [float(pixels) for pixels in found.groups()] == pytest.approx([0.5, 0.5], abs=0.11)
    assert "bench.bicubic does that" in said


def test_a_shifted_reconstruction_is_told(tmp_path):
    said = refusal(tmp_path, giving("reconstructor", "(...).roll(1, -1)"), "place")
    assert "by (0.0, 2.0) HR pixels" in said


@ALL_KINDS
def test_what_ignores_its_input_is_told(tmp_path, kind):
    said = refusal(tmp_path, giving(kind, "0 * (...) + self.net[0].bias.mean()"), "input")
    assert "another object gives the same image: use" in said


def test_what_ignores_its_input_and_learns_nothing_is_told(tmp_path):
    text = (
        "import torch, bench\n@bench.reconstructor('mine')\nclass Mine(bench.Reconstructor):\n    version = 1\n\n"
        "    def forward(self, acquisition):\n        return {}\n"
    )
    assert "use acquisition.kspace" in refusal(
        tmp_path, text.format("torch.ones_like(acquisition.zero_filled)"), "input"
    )
    assert "use acquisition.kspace" in refusal(tmp_path, text.format("acquisition.maps_lr.sum(1)"), "input")


@pytest.mark.parametrize("kind", ["reconstructor", "pipeline"])
def test_what_sees_the_maps_only_is_told(tmp_path, kind):
    maps = {"reconstructor": "acquisition.maps_hr.sum(1)[:, ::2, ::2]", "pipeline": "acquisition.maps_hr.sum(1).abs()"}
    said = refusal(tmp_path, giving(kind, f"0 * (...) + (1 + self.net[0].bias.mean()) * {maps[kind]}"), "input")
    assert "use acquisition.kspace or .zero_filled" in said


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("reconstructor", "output.image_lr.abs().mean()"),
        ("super_resolver", "output.image.square().mean()"),
        ("pipeline", "(output.image - 1).abs().mean()"),
        ("pipeline", "(output.image - target.peak.mean()).abs().mean()"),
    ],
)
def test_a_loss_without_the_target_is_told(tmp_path, kind, loss):
    old = LOSS if kind == "reconstructor" else PIXEL
    said = refusal(tmp_path, changed(kind, old, loss), "target")
    assert "in phase 'plain' another target gives the same losses: compare output with target.image_" in said


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("reconstructor", "(output.image_lr - target.image_lr).real.abs().mean()"),
        ("super_resolver", "nn.functional.l1_loss(output.image, target.image_hr.real)"),
        ("pipeline", "nn.functional.l1_loss(output.image, target.image_hr.real)"),
    ],
)
def test_a_loss_of_the_real_part_is_told(tmp_path, kind, loss):
    said = refusal(tmp_path, changed(kind, LOSS if kind == "reconstructor" else PIXEL, loss), "target")
    assert "only the real part of image_" in said
    assert "take .abs() or both parts" in said


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("super_resolver", "nn.functional.l1_loss(output.image / 255, target.image_hr.abs())"),
        ("super_resolver", "nn.functional.l1_loss(output.image, -target.image_hr.abs())"),
        ("pipeline", "nn.functional.l1_loss(output.image, target.image_hr.abs().roll(1, -1).roll(-1, -2))"),
        ("reconstructor", "torch.view_as_real(output.image_lr - target.image_lr.conj()).abs().mean()"),
    ],
)
def test_a_loss_that_another_image_makes_smaller_is_told(tmp_path, kind, loss):
    said = refusal(tmp_path, changed(kind, LOSS if kind == "reconstructor" else PIXEL, loss), "truth")
    assert "has smaller losses than the true image itself: compare output and target on one scale and grid" in said


@pytest.mark.parametrize(
    ("kind", "gives"),
    [
        ("reconstructor", "torch.view_as_complex(change.movedim(1, -1).contiguous())"),
        ("super_resolver", "self.net(magnitude[:, None]).squeeze(1)"),
        ("pipeline", "change"),
    ],
)
def test_a_network_that_has_its_scale_and_place_yet_to_learn_is_not_told_of_them(tmp_path, kind, gives):
    load(tmp_path, giving(kind, gives))
    assert "place" in check(registry.methods()["mine"])


@ALL_KINDS
def test_parameters_that_nobody_trains_are_told(tmp_path, kind):
    text = render("mine", kind).replace(", bench.Trained", "")
    said = refusal(tmp_path, text[: text.index(TRAINS)], "learns")
    assert "evaluated as it was initialised: add bench.Trained to its bases, with phases and losses" in said


@ALL_KINDS
def test_what_depends_on_its_batch_is_told(tmp_path, kind):
    given = "magnitude" if kind == "super_resolver" else "image"
    said = refusal(tmp_path, giving(kind, f"(...) / {given}.abs().max() * 0.7"), "batch")
    assert "alone and in a batch differ by" in said
    assert "reduce over each slice, not the batch" in said


@pytest.mark.parametrize(
    "constant",
    [
        "torch.full((2, 1, 1), 1.0)",  # of the wrong device in a sum
        "torch.full((8, 2, 1, 1), 1.0)",
    ],
)
def test_a_constant_that_is_no_buffer_is_told(tmp_path, constant):
    use = "torch.view_as_real(image).movedim(-1, 1)"
    new = f"{use} * self.one" if "(2, " in constant else f"nn.functional.conv2d({use}, self.one)[:, :2]"
    text = changed("reconstructor", use, new).replace(
        "        self.net = ", f"        self.one = {constant}\n        self.net = "
    )
    said = refusal(tmp_path, text, "device")
    assert 'self.register_buffer("name", tensor)' in said


def test_a_constant_made_inside_is_told(tmp_path):
    text = giving("super_resolver", "(...) * torch.ones(magnitude.shape[-1] * 2)")
    assert "device=input.device" in refusal(tmp_path, text, "device")


def test_a_constant_of_the_losses_is_told(tmp_path):
    text = changed("super_resolver", PIXEL, f"({PIXEL} * torch.ones(3)).mean()")
    assert "device=input.device" in refusal(tmp_path, text, "device")


@pytest.mark.parametrize("leave", [".cpu()", '.to("cpu")', ".detach().numpy()", ".tolist()"])
def test_leaving_the_device_is_told(tmp_path, leave):
    back = f"torch.as_tensor(magnitude{leave}, device=magnitude.device)"
    text = giving("super_resolver", "...").replace("bench.bicubic(magnitude)", f"bench.bicubic({back})")
    said = refusal(tmp_path, text, "device")
    assert f"it calls {leave.removeprefix('.detach()')} inside: leave tensors on their device" in said


@pytest.mark.parametrize(
    ("kind", "old", "new", "name"),
    [
        (
            "reconstructor",
            "image = acquisition.zero_filled\n",
            "image = acquisition.zero_filled.mul_(2)\n",
            "zero_filled",
        ),
        ("pipeline", "image = acquisition.zero_filled\n", "image = acquisition.kspace.mul_(1j).sum(1)\n", "kspace"),
        ("super_resolver", "bench.bicubic(magnitude)", "bench.bicubic(magnitude.div_(3))", "the magnitude"),
    ],
)
def test_a_change_of_the_input_is_told(tmp_path, kind, old, new, name):
    said = refusal(tmp_path, changed(kind, old, new), "pure")
    assert f"it changes {name} of its input in place: clone it first" in said


def test_random_numbers_in_evaluation_are_told(tmp_path):
    said = refusal(tmp_path, giving("super_resolver", "(...) * (1 + torch.rand(()))"), "pure")
    assert "leave out random numbers in evaluation" in said


KEPT = '''
    kept = None

    def forward_training(self, given, target, phase):
        """Keep the target."""
        {keep} = target.image_hr.abs().mean().detach()
        return self(given)
'''


@pytest.mark.parametrize("keep", ["self.kept", "type(self).kept"])
def test_a_target_kept_between_calls_is_told(tmp_path, keep):
    text = giving("super_resolver", "(...) * (1 if self.kept is None else self.kept)") + KEPT.format(keep=keep)
    said = refusal(tmp_path, text, "memory")
    assert "keep no tensor in self or its class" in said


@ALL_KINDS
@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ("{}", "it gives {}: return {name: scalar} with at least one"),
        ("None", "it gives None: return {name: scalar} with at least one"),
        ('{"pixel": None}', "'pixel' in phase 'plain' is NoneType, no Tensor: return a scalar Tensor"),
        ('{"pixel": output.image}', "has shape (2, 48, 40): take its mean"),
        ('{"pixel": output.image.mean() * float("nan")}', "'pixel' in phase 'plain' is nan"),
        ('{"pixel": output.image.detach().mean()}', "no parameter has a gradient in phase 'plain'"),
    ],
)
def test_losses_that_are_none_are_told(tmp_path, kind, losses, words):
    text = render("mine", kind)
    assert words in refusal(tmp_path, text[: text.rindex(LINE)] + f"        return {losses}\n", "losses")


@pytest.mark.parametrize(
    ("kind", "expression"),
    [
        ("reconstructor", "(...) / acquisition.zero_filled.abs().amax((-2, -1), keepdim=True) * 0.7"),
        ("super_resolver", "(...) / magnitude.amax((-2, -1), keepdim=True) * 0.7"),
        ("pipeline", "(...) / image.abs().amax((-2, -1), keepdim=True) * 0.7"),
    ],
)
def test_nan_on_an_empty_slice_is_told(tmp_path, kind, expression):
    said = refusal(tmp_path, giving(kind, expression), "empty")
    assert "divide by nothing that may be zero" in said


OTHERS = [
    ("build", "super().__init__(settings)\n", "super().__init__(settings)\n        settings.depth\n", "no attribute 'depth'"),
    ("forward", "image = acquisition.zero_filled\n", "image = acquisition.zero_filled[:, :20, :20]\n", "must match the size"),
    ("shape", "return image - (", "return Ellipsis if image is None else image.real - (", "torch.float32"),
    ("finite", "return image - (", "return image / 0 - (", "it gives NaN or infinity"),
    ("phases", "return bench.PLAIN", "return bench.PLAIN + bench.PLAIN", "the fractions sum to 2"),
    ("phases", "return bench.PLAIN", "return ()", "phases gives no bench.Phase"),
    ("phases", "return bench.PLAIN", 'return bench.Phase("a", 0.5), bench.Phase("a", 0.5)', "a name stands twice"),
    ("discriminator", "return bench.PLAIN", 'return (bench.Phase("a", 1.0, gan="vanilla"),)', "gives None: return a network"),
    ("optimiser", TRAINS, "\n    def optimiser(self, parameters):\n        return [*parameters]\n" + TRAINS, "it gives list"),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "right", "wrong", "words"), OTHERS)
def test_each_other_clause_is_told(tmp_path, clause, right, wrong, words):
    text = changed("reconstructor", right, wrong)
    if clause == "shape":
        text = text.replace("image.real - (operator.normal(image)", "image.real - (operator.normal(image).real")
        text = text.replace(" - acquisition.zero_filled)\n", " - acquisition.zero_filled.real)\n")
    assert words in refusal(tmp_path, text, clause)


TUNED = """
import bench

@bench.reconstructor("mine")
class Mine(bench.Reconstructor, bench.Tuned):
    version = 1
    weight = 1.0

    def grid(self):
        return {grid}

    def configure(self, *, weight):
        self.weight = weight

    def forward(self, acquisition):
        return acquisition.zero_filled * self.weight
"""


@pytest.mark.parametrize(("grid", "words"), [("[]", "it is empty"), ("[{'wait': 1.0}]", "unexpected keyword")])
def test_a_grid_that_configure_cannot_take_is_told(tmp_path, grid, words):
    assert words in refusal(tmp_path, TUNED.format(grid=grid), "grid")


def test_what_something_outside_changes_is_told(tmp_path):
    text = "import os\n" + giving("super_resolver", '(...) * float(os.getpid() == PID)').replace(
        "\n\n@", "\nimport multiprocessing\nPID = os.getpid() if not multiprocessing.parent_process() else 0\n\n@", 1
    )  # fmt: skip
    path = load(tmp_path, text)
    with pytest.raises(UserError, match=r"breaks the clause 'process' .*: there it gives other values") as error:
        check_id("mine", (path,))
    assert "\n" not in str(error.value)


def test_an_unknown_id_is_told():
    with pytest.raises(UserError, match=r"Unknown .*'modll'\. Did you mean 'modl'\?"):
        check_id("modll")
