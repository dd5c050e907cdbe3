import torch

from bench import registry
from bench.authoring.toy import toy
from bench.composition import build, count
from bench.config import load
from bench.methods.medsrgan import AttentionBlock, PairedDiscriminator
from bench.mri.resample import sinc_magnitude

registry.discover()


def make(*overrides, profile="smoke"):
    torch.manual_seed(0)
    return build(registry.methods()["medsrgan"], load(profile, overrides))


def test_parameter_counts():
    assert count(AttentionBlock(64)) == 78_016
    blocks = [part for part in make(profile="paper").modules() if isinstance(part, AttentionBlock)]
    assert len(blocks) == 8 * 16


def test_with_closed_attention_a_block_is_the_identity():
    block = AttentionBlock(4)
    x = torch.randn(1, 4, 8, 8)
    assert not torch.equal(block(x), x)
    torch.nn.init.constant_(block.attention.bias, -1e4)
    assert torch.equal(block(x), x)


def test_the_discriminator_sees_both_images():
    critic = PairedDiscriminator(4).eval()
    hr, lr = torch.rand(2, 64, 48), torch.rand(2, 32, 24)
    logits, features = critic(hr, lr)
    assert logits.shape == (2, 1)
    assert len(features) == 5
    assert not torch.equal(critic(1 - hr, lr)[0], logits)
    assert not torch.equal(critic(hr, 1 - lr)[0], logits)


def test_its_adversarial_phase_has_both_adversarial_terms():
    _, adversarial = make().phases()
    assert (adversarial.gan, adversarial.gan_weight, adversarial.gan_feature_weight) == ("vanilla", 0.01, 0.01)


def test_with_the_image_skip_it_starts_as_sinc():
    acquisition, _ = toy((48, 40))
    low = acquisition.zero_filled.abs()
    assert torch.equal(make()(low), sinc_magnitude(low))
    assert not torch.equal(make("network.image_skip=false")(low), make()(low))
