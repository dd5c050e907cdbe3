"""`bench new`: the file that a new method starts from. It works as it is."""

HEAD = '''"""{title}"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.acquisition import Acquisition, Output, Target
from bench.config import Settings
{imports}from bench.train.phases import PLAIN, Phase
from bench.registry import {kind}


@{kind}("{id}")
class {name}(nn.Module):
    """Say here what it is, from which paper, and where you deviate from it."""

    version = 1  # raise it when the numbers change

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        width = settings.network.features
'''

TAIL = '''
    def phases(self) -> tuple[Phase, ...]:
        """One phase of training."""
        return PLAIN

    def losses(self, phase: Phase, acquisition: Acquisition, output: Output, target: Target) -> dict[str, Tensor]:
        """Weighted terms; the loop sums and logs them."""
        return {loss}
'''

BODIES = {
    "reconstructor": (
        "A reconstructor: Acquisition -> complex LR image.",
        "from bench.mri.sense import Sense\n",
        '''        self.net = nn.Sequential(nn.Conv2d(2, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 2, 3, padding=1))

    def forward(self, acquisition: Acquisition) -> Tensor:
        """-> (batch, y, x) complex."""
        image = acquisition.zero_filled
        change = self.net(torch.view_as_real(image).movedim(-1, 1)).float()
        image = image + torch.view_as_complex(change.movedim(1, -1).contiguous())
        operator = Sense(acquisition.maps_lr, acquisition.mask)
        return image - (operator.normal(image) - acquisition.zero_filled)
''',
        '{"reconstruction": torch.view_as_real(output.image_lr - target.image_lr).abs().mean()}',
    ),
    "super_resolver": (
        "A super-resolver: LR magnitude -> HR magnitude.",
        "from bench.mri.resample import bicubic\n",
        '''        self.net = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 4, 3, padding=1), nn.PixelShuffle(2)
        )

    def forward(self, magnitude: Tensor) -> Tensor:
        """(batch, y, x) -> (batch, Y, X)."""
        return bicubic(magnitude) + self.net(magnitude[:, None]).squeeze(1).float()
''',
        '{"pixel": F.l1_loss(output.image, target.image_hr.abs())}',
    ),
    "pipeline": (
        "A pipeline: Acquisition -> Output.",
        "from bench.mri.resample import bicubic\n",
        '''        self.net = nn.Sequential(
            nn.Conv2d(2, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 4, 3, padding=1), nn.PixelShuffle(2)
        )

    def forward(self, acquisition: Acquisition) -> Output:
        """-> HR magnitude; give image_lr too if there is a reconstruction on the way."""
        image = acquisition.zero_filled
        change = self.net(torch.view_as_real(image).movedim(-1, 1)).squeeze(1).float()
        return Output(bicubic(image.abs()) + change)
''',
        '{"pixel": F.l1_loss(output.image, target.image_hr.abs())}',
    ),
}


def render(id: str, kind: str) -> str:
    """The text of a plugin file."""
    title, imports, body, loss = BODIES[kind]
    name = "".join(word.capitalize() for word in id.split("-"))
    name = name if name[0].isalpha() else f"Method{name}"
    text = HEAD.format(title=title, imports=imports, kind=kind, id=id, name=name) + body + TAIL.replace("{loss}", loss)
    if "F." not in text:
        text = text.replace("from torch.nn import functional as F\n", "")
    return text if "torch." in text.split("class ")[1] else text.replace("import torch\n", "")
