"""T2Net (Feng 2021): a super-resolution and a reconstruction branch that share features through a task transformer."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output, Target
from bench.method import PLAIN, Phase, Pipeline, Sizes, Trained, shared
from bench.mri.resample import sinc_magnitude
from bench.nn.block import Block
from bench.nn.layers import zeroed
from bench.nn.losses import magnitude_l1
from bench.registry import pipeline

RESIDUAL = 0.1  # scale of the residual blocks
PATCH = 3
SEARCHED_AT_ONCE = 1024  # queries


def transfer(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    """Hard attention over 3x3 patches: (batch, features, y, x) twice -> (features transferred, relevance (batch, 1, y, x)).

    For each patch of `query` the most similar one (cosine) of `key` is taken whole; overlaps are summed and divided by nine,
    also at borders, as in the authors' code. The gradient of a maximum flows through the chosen pair only, so
    the search is without gradient and in chunks: the same values and gradients as the dense form, memory linear in pixels.
    """
    shape = query.shape[-2:]
    values = F.unfold(key.float(), PATCH, padding=1)
    queries, keys = (F.normalize(F.unfold(x.float(), PATCH, padding=1), dim=1) for x in (query, key))
    with torch.no_grad():
        chosen = [(part.mT @ keys).argmax(-1) for part in queries.split(SEARCHED_AT_ONCE, dim=-1)]
        index = torch.cat(chosen, 1)[:, None].expand_as(values)
    relevance = (queries * keys.gather(2, index)).sum(1, keepdim=True)
    transferred = F.fold(values.gather(2, index), shape, PATCH, padding=1) / PATCH**2
    return transferred, relevance.unflatten(-1, shape)


class ResidualBlock(nn.Module):
    """EDSR's: two convolutions, no normalisation, scaled by 0.1."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, y, x) -> the same."""
        result: Tensor = x + RESIDUAL * self.convs(x)
        return result


class TaskBlock(Block):
    """A residual block in each branch; then the reconstruction's features are transferred to super-resolution."""

    version = 1
    block_name = "task-block"

    def __init__(self, features: int) -> None:
        super().__init__()
        self.sr, self.rec = ResidualBlock(features), ResidualBlock(features)
        self.fusion = nn.Conv2d(2 * features, features, 1)

    def forward(self, sr: Tensor, rec: Tensor) -> tuple[Tensor, Tensor]:
        """Both (batch, features, y, x) -> the same."""
        sr, rec = self.sr(sr), self.rec(rec)
        transferred, relevance = transfer(sr, rec)
        return sr + relevance * self.fusion(torch.cat((sr, transferred), 1)), rec


class Branches(Block):
    """Both branches, from the same LR magnitude to an HR and an LR one."""

    version = 1
    block_name = "branches"

    def __init__(self, width: int, task_blocks: int, zero: bool) -> None:
        super().__init__()
        self.sr_head, self.rec_head = (nn.Conv2d(1, width, 5, padding=2) for _ in range(2))
        self.blocks = nn.ModuleList(TaskBlock(width) for _ in range(task_blocks))
        upsampling = nn.Conv2d(width, 4 * width, 3, padding=1)
        last = nn.Conv2d(width, 1, 3, padding=1)
        self.sr_tail = nn.Sequential(upsampling, nn.PixelShuffle(2), last)
        self.rec_tail = nn.Conv2d(width, 1, 1)
        if zero:
            zeroed(last)
            zeroed(self.rec_tail)

    def forward(self, magnitude: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, y, x) -> (batch, Y, X), (batch, y, x)."""
        sr, rec = sr_first, rec_first = self.sr_head(magnitude[:, None]), self.rec_head(magnitude[:, None])
        for block in self.blocks:
            sr, rec = block(sr, rec)
        return self.sr_tail(sr + sr_first).squeeze(1).float(), self.rec_tail(rec + rec_first).squeeze(1).float()


@pipeline("t2net")
class T2Net(Pipeline, Trained):
    """Input |A^H b|, no data consistency; 0.8 L1 (HR) + 0.2 L1 (LR); Adam and schedule of the profile, as for all.

    The authors' last body convolution of each branch, which their forward never uses, is left out. With the profile's
    image skip the input is added to both outputs (sinc-interpolated to HR). With the profile's
    crop, the branches are shown a random patch in training and add nothing outside of it: the search costs pixels squared.
    """

    version = 2

    @dataclass(frozen=True)
    class Settings(Sizes):
        """The authors'."""

        features: int = shared(64)
        task_blocks: int = 8
        image_skip: bool = shared(False)
        """Add the input to both outputs; the networks then begin with zero."""
        crop: int = shared(0)
        """Side, in HR pixels, of the patch that the branches see in training; 0: everything."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.image_skip = settings.image_skip
        self.patch = settings.crop // 2
        self.branches = Branches(settings.features, settings.task_blocks, settings.image_skip)

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude, and the LR magnitude as a complex image."""
        low = acquisition.zero_filled.abs()
        height, width = low.shape[-2:]
        top, left, bottom, right = self._window(height, width)
        image, image_lr = self.branches(low[:, top:bottom, left:right])
        around = (left, width - right, top, height - bottom)
        image, image_lr = F.pad(image, tuple(2 * n for n in around)), F.pad(image_lr, around)
        if self.image_skip:
            image, image_lr = image + sinc_magnitude(low), image_lr + low
        return Output(image, torch.complex(image_lr, torch.zeros_like(image_lr)))

    def _window(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of what the branches see: a random patch in training, else everything."""
        if not (self.training and self.patch):
            return 0, 0, height, width
        top, left = (int(torch.randint(max(n - self.patch, 0) + 1, ())) for n in (height, width))
        return top, left, min(top + self.patch, height), min(left + self.patch, width)

    def phases(self) -> tuple[Phase, ...]:
        """One phase."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Of both tasks, on the scale of the peak."""
        assert output.image_lr is not None
        return {
            "super-resolution": 0.8 * magnitude_l1(output.image, target.image_hr, target.peak),
            "reconstruction": 0.2 * magnitude_l1(output.image_lr.real, target.image_lr, target.peak),
        }
