import pytest
import torch

from bench import registry
from bench.acquisition import Acquisition
from bench.authoring.toy import toy
from bench.composition import Composition, Half, build
from bench.config import load
from bench.mri.fourier import fft2c, ifft2c, to_low_resolution
from bench.mri.resample import sinc_magnitude

registry.discover()
GROUPS = {
    "ablation-sr": "single", "ablation-recon": "joint", "ablation-separate": "sequential",
    "ablation-separate-l1": "sequential", "ablation-end-to-end": "joint", "ablation-end-to-end-l1": "joint",
}  # fmt: skip


def make(id, *overrides):
    torch.manual_seed(0)
    return build(registry.methods()[id], load("smoke", overrides))


@pytest.mark.parametrize("id", GROUPS)
def test_an_ablation_is_a_short_class_of_the_proposed_networks_parts(id):
    assert registry.methods()[id].group == GROUPS[id]
    parts = {type(part).__name__ for part in make(id).children()}
    assert parts <= {type(part).__name__ for part in make("proposed").children()} - {"Conditioner"}


def test_sr_sees_the_zero_filled_image_only():
    acquisition, _ = toy((48, 40))
    model = make("ablation-sr").eval()
    output = model(acquisition)
    other = Acquisition(**{**vars(acquisition), "kspace": 2 * acquisition.kspace, "maps_lr": -acquisition.maps_lr})
    assert torch.equal(model(other).image, output.image)
    assert output.image_lr is None
    assert torch.equal(output.image, sinc_magnitude(acquisition.zero_filled.abs()))  # untrained, with the image skip


def test_recon_returns_the_low_passed_truth_where_all_of_the_low_resolution_box_is_sampled():
    """Coil maps of one: then A^H A is a projection and gradient descent stays where it starts."""
    acquisition, target = toy((48, 40), coils=1)
    low = to_low_resolution(fft2c(target.image_hr), (24, 20))
    mask = torch.ones_like(acquisition.mask)
    ones = {"maps_lr": torch.ones_like(acquisition.maps_lr), "maps_hr": torch.ones_like(acquisition.maps_hr)}
    whole = Acquisition(
        **{**vars(acquisition), "kspace": low[:, None], "mask": mask, "zero_filled": ifft2c(low), **ones}
    )
    image = make("ablation-recon")(whole).image
    assert torch.allclose(image, target.image_hr.abs(), atol=1e-5)  # the toy's object is smooth


def test_end_to_end_the_super_resolution_losses_reach_the_reconstruction():
    acquisition, target = toy((48, 40))
    model = make("ablation-end-to-end")
    torch.nn.init.normal_(model.super_resolution.tail.last.weight)
    (model(acquisition).image - target.image_hr.abs()).abs().mean().backward()
    assert model.reconstruction.last.weight.grad.abs().sum() > 0


def test_separately_they_do_not_and_super_resolution_is_trained_on_the_truth():
    acquisition, target = toy((48, 40))
    half = Half(registry.methods()["ablation-separate"], make("ablation-separate").train())
    phase = half.network.phases()[0]
    output = Composition((half,)).train_step(phase, acquisition, target)
    assert torch.equal(output.image, sinc_magnitude(target.image_lr.abs()))  # untrained
    (output.image - target.image_hr.abs()).abs().mean().backward()
    assert half.network.reconstruction.last.weight.grad is None
    half.network.eval()
    tested = Composition((half,))(acquisition, target)
    assert torch.equal(tested.image, sinc_magnitude(tested.image_lr.abs()))
