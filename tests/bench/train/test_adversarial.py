import torch
from torch import nn

from bench.method import Phase
from bench.train.adversarial import adversarial_losses, critic_loss

VANILLA = Phase("adversarial", 1.0, gan="vanilla", gan_weight=1.0, gan_feature_weight=1.0)


class Normalising(nn.Module):
    """Tells images by their mean after batch normalisation, which is 0 of every batch by itself."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, hr, lr):
        features = self.norm(hr[:, None])
        return features.mean((-2, -1)), [features]


def images():
    torch.manual_seed(0)
    fake, real = torch.rand(3, 8, 8), torch.rand(3, 8, 8) + 2
    return fake, real, torch.rand(3, 4, 4)


def test_fake_and_real_are_normalised_together_so_that_they_can_be_told_apart():
    _, right = critic_loss(Normalising(), VANILLA, *images())
    assert right == 1


def test_the_discriminator_and_the_generator_get_their_own_gradients_only():
    fake, real, lr = images()
    critic, fake = Normalising(), fake.requires_grad_()
    loss, _ = critic_loss(critic, VANILLA, fake, real, lr)
    loss.backward()
    assert fake.grad is None
    assert critic.norm.weight.grad.any()
    critic.zero_grad()
    losses = adversarial_losses(critic, VANILLA, fake, real, lr)
    torch.stack(list(losses.values())).sum().backward()
    assert set(losses) == {"adversarial", "adversarial-feature"}
    assert fake.grad.any()
    assert critic.norm.weight.grad is None
    assert all(p.requires_grad for p in critic.parameters())
