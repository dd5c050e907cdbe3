import pytest
import torch

from bench.composition import count
from bench.nn.discriminators import VGGStyle
from bench.nn.rrdb import RRDB, DenseBlock
from bench.nn.sft import SFT


def test_parameter_counts_are_the_published_ones():
    assert count(DenseBlock(64, 32, 0.2, 0.1, skips=False)) == 239_808
    assert count(RRDB(64, 32, 0.2, 0.1)) == 719_424
    assert count(RRDB(64, 32, 0.2, 0.1, skips=True)) == 725_568
    assert count(SFT(32, 64)) == 6_336
    assert count(VGGStyle(64)) == 14_498_249


def test_without_a_residual_scale_a_block_is_the_identity():
    block = DenseBlock(8, 4, 0.0, 1.0, skips=True)
    x = torch.randn(1, 8, 6, 6)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("skips", [False, True])
def test_the_skips_change_the_result(skips):
    torch.manual_seed(0)
    block = DenseBlock(8, 4, 0.2, 1.0, skips=True)
    x = torch.randn(1, 8, 6, 6)
    before = block(x)
    if not skips:
        torch.nn.init.zeros_(block.shortcut.weight)
    assert torch.equal(block(x), before) is skips


def test_sft_starts_as_the_identity_and_learns():
    sft = SFT(4, 8)
    x, condition = torch.randn(1, 8, 5, 5), torch.randn(1, 4, 5, 5)
    assert torch.equal(sft(x, condition), x)
    sft(x, condition).square().sum().backward()
    assert sft.scale[-1].weight.grad.abs().sum() > 0


def test_the_discriminator_takes_any_size():
    critic = VGGStyle(4)
    logits, features = critic(torch.rand(2, 70, 52), torch.rand(2, 35, 26))
    assert logits.shape == (2, 1)
    assert features == []
