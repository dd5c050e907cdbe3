"""The discriminator, and the losses that the loop adds in adversarial phases."""

import torch
from torch import Tensor, nn

from bench.acquisition import Target
from bench.method import Phase
from bench.nn.losses import discriminator_loss, generator_loss, random_crop

Judged = tuple[Tensor, list[Tensor]]
"""Logits and features of a discriminator."""


def critic_images(phase: Phase, image: Tensor, lr: Tensor, target: Target) -> tuple[Tensor, Tensor, Tensor]:
    """Fake, real and LR input in [0, 1], the same crop of each.

    Parameters
    ----------
    image
        (batch, Y, X): what the network gave.
    lr
        (batch, y, x): what it was given, complex.
    """
    peak = target.peak[:, None, None]
    images = (image / peak, target.image_hr.abs() / peak, lr.abs() / peak)
    fake, real, lr = random_crop(phase.crop, *images)
    return fake, real, lr


def adversarial_losses(critic: nn.Module, phase: Phase, fake: Tensor, real: Tensor, lr: Tensor) -> dict[str, Tensor]:
    """The generator's weighted terms by name; no gradient reaches the discriminator."""
    assert phase.gan != "none"
    critic.requires_grad_(False)
    (fake_logits, fake_features), (real_logits, real_features) = _judged(critic, fake, real, lr)
    losses = {"adversarial": phase.gan_weight * generator_loss(phase.gan, fake_logits, real_logits.detach())}
    if phase.gan_feature_weight:
        errors = [nn.functional.mse_loss(f, r.detach()) for f, r in zip(fake_features, real_features, strict=True)]
        losses["adversarial-feature"] = phase.gan_feature_weight * torch.stack(errors).mean()
    critic.requires_grad_(True)
    return losses


def critic_loss(critic: nn.Module, phase: Phase, fake: Tensor, real: Tensor, lr: Tensor) -> tuple[Tensor, Tensor]:
    """The discriminator's own, and the share of images that it tells right; no gradient reaches the generator."""
    assert phase.gan != "none"
    (fake_logits, _), (real_logits, _) = _judged(critic, fake.detach(), real, lr)
    loss = discriminator_loss(phase.gan, fake_logits, real_logits)
    with torch.no_grad():
        if phase.gan == "relativistic":
            fake_logits, real_logits = fake_logits - real_logits.mean(), real_logits - fake_logits.mean()
        right = torch.cat((fake_logits < 0, real_logits > 0)).float().mean()
    return loss, right


def _judged(critic: nn.Module, fake: Tensor, real: Tensor, lr: Tensor) -> tuple[Judged, Judged]:
    """Logits and features of both, in one batch: normalised each by its own statistics, they could not be told apart."""
    logits, features = critic(torch.cat((fake, real)), torch.cat((lr, lr)))
    count = len(fake)
    return (logits[:count], [f[:count] for f in features]), (logits[count:], [f[count:] for f in features])
