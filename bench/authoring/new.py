"""`bench new`: the file that a new method, source or dataset starts from. It works as it is."""

import keyword
from pathlib import Path

from bench import registry
from bench.errors import UserError, closest
from bench.registry import ID

METHOD = '''"""{title}"""

from dataclasses import dataclass

import torch
from torch import nn

import bench


@bench.{kind}("{id}")
class {name}(bench.{base}, bench.Trained):
    """Say here what it is, from which paper, and where you deviate from it."""

    version = 1  # raise it when the numbers change

    @dataclass(frozen=True)
    class Settings(bench.MethodSettings):
        """`--set methods.{id}.width=8` changes them, and so does `[methods.{id}]` of a profile."""

        width: int = 16

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
'''

TAIL = '''
    def phases(self) -> tuple[bench.Phase, ...]:
        """One phase of training."""
        return bench.PLAIN

    def losses(
        self, phase: bench.Phase, acquisition: bench.Acquisition, output: bench.Output, target: bench.Target
    ) -> dict[str, torch.Tensor]:
        """Weighted terms; the loop sums and logs them."""
{loss}
'''

UPSAMPLING = """        self.net = nn.Sequential(
            nn.Conv2d({channels}, settings.width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(settings.width, 4, 3, padding=1),
            nn.PixelShuffle(2),
        )
"""
PIXEL = '        return {"pixel": nn.functional.l1_loss(output.image, target.image_hr.abs())}'

METHODS = {
    "reconstructor": (
        "A reconstructor: Acquisition -> complex LR image.",
        "Reconstructor",
        '''        self.net = nn.Sequential(
            nn.Conv2d(2, settings.width, 3, padding=1), nn.ReLU(), nn.Conv2d(settings.width, 2, 3, padding=1)
        )

    def forward(self, acquisition: bench.Acquisition) -> torch.Tensor:
        """-> (batch, y, x) complex."""
        image = acquisition.zero_filled
        change = self.net(torch.view_as_real(image).movedim(-1, 1)).float()
        image = image + torch.view_as_complex(change.movedim(1, -1).contiguous())
        operator = bench.Sense(acquisition.maps_lr, acquisition.mask)
        return image - (operator.normal(image) - acquisition.zero_filled)
''',
        """        assert output.image_lr is not None  # of a reconstructor it never is
        return {"reconstruction": torch.view_as_real(output.image_lr - target.image_lr).abs().mean()}""",
    ),
    "super_resolver": (
        "A super-resolver: LR magnitude -> HR magnitude.",
        "SuperResolver",
        UPSAMPLING.format(channels=1)
        + '''
    def forward(self, magnitude: torch.Tensor) -> torch.Tensor:
        """(batch, y, x) -> (batch, Y, X)."""
        return bench.bicubic(magnitude) + self.net(magnitude[:, None]).squeeze(1).float()
''',
        PIXEL,
    ),
    "pipeline": (
        "A pipeline: Acquisition -> Output.",
        "Pipeline",
        UPSAMPLING.format(channels=2)
        + '''
    def forward(self, acquisition: bench.Acquisition) -> bench.Output:
        """-> HR magnitude; give image_lr too if there is a reconstruction on the way."""
        image = acquisition.zero_filled
        change = self.net(torch.view_as_real(image).movedim(-1, 1)).squeeze(1).float()
        return bench.Output(bench.bicubic(image.abs()) + change)
''',
        PIXEL,
    ),
}

SOURCE = '''"""A source: fully sampled subjects. This one makes them up; read yours instead."""

import numpy as np

import bench


@bench.source("{id}")
class {name}(bench.Source):
    """Say here whose data these are, and under which licence."""

    label = "made-up data"  # stands in every table and figure
    datasets = ("vwi",)  # whose protocols suit it

    def subjects(self) -> dict[bench.Split, tuple[str, ...]]:
        """Ids of the people of each split; nobody is in two."""
        return {{"train": ("one", "two"), "validation": ("three",), "test": ("four",)}}

    def digests(self, subject: str) -> tuple[str, ...]:
        """What a subject is made of: sha256 of its files. When this changes, everything is computed anew."""
        return ("version 1",)

    def load(self, subject: str) -> bench.Head:
        """A magnitude volume (z, y, x) from the top of the head, its front and its left; 99.9th percentile 1.

        For measured data return `bench.RawSubject({{(contrast, slice): kspace}}, voxel_mm)` with fully sampled k-space
        (coil, Y, X), complex64, DC at N // 2, orthonormal FFT; voxel_mm is that of this k-space, (y, x).
        """
        random = np.random.default_rng(sum(subject.encode()))
        grids = (np.arange(n, dtype=np.float32) - n / 2 for n in (90, 100, 80))
        z, y, x = np.meshgrid(*grids, indexing="ij")
        radius = np.sqrt((z / 42) ** 2 + (y / 46) ** 2 + (x / 36) ** 2)
        head = np.where(radius < 1, 0.6 + 0.05 * random.standard_normal(radius.shape), 0).astype(np.float32)
        head[(radius > 0.9) & (radius < 1)] = 1.0
        return bench.Head(head, (2.0, 2.0, 2.0))
'''

DATASET = '''"""A dataset: a protocol over a source."""

import bench


@bench.dataset("{id}")
def {function}() -> bench.Protocol:
    """Say here what is acquired, and which paper or scanner it follows."""
    return bench.Protocol(
        id="{id}",
        version=1,  # raise it when the numbers change
        matrix=(256, 232),
        voxel_mm=(1.0, 1.0),
        coils=8,
        physical_coils=16,
        mask="gaussian-1d",
        acceleration=4.0,
        centre=12,
        phase_encode=(False, True),
        noise=0.03,
        views=(bench.View("t1w", "axial", (0.15, 0.6)),),
        slices=(300, 40, 60),
        sources=("heads", "phantom"),
    )
'''
KINDS = (*METHODS, "source", "dataset")


def render(id: str, kind: str) -> str:
    """The text of a plugin file."""
    name = "".join(word.capitalize() for word in id.split("-"))
    name = f"My{name}" if keyword.iskeyword(name) or not name.isidentifier() else name
    if kind == "source":
        return SOURCE.format(id=id, name=name)
    if kind == "dataset":
        return DATASET.format(id=id, function=f"make_{id.replace('-', '_')}")
    title, base, body, loss = METHODS[kind]
    return METHOD.format(title=title, kind=kind, id=id, name=name, base=base) + body + TAIL.replace("{loss}", loss)


def write(id: str, kind: str, folder: Path) -> Path:
    """Write `folder`/ID.py.

    Raises
    ------
    UserError
        For an unknown kind, an impossible id or one that is taken, a file that exists or cannot be written.
    """
    if kind not in KINDS:
        raise UserError(f"Unknown kind '{kind}'.{closest(kind, KINDS)}")
    if not ID.fullmatch(id):
        raise UserError(f"The id '{id}' is not made of a-z, 0-9 and single hyphens.")
    registry.discover()
    tables = {"source": registry.sources(), "dataset": registry.datasets()}
    taken = tables.get(kind, registry.methods()).get(id)
    if taken:
        raise UserError(f"The id '{id}' is taken by {taken.file}: choose another.")
    path = folder / f"{id}.py"
    if path.exists():
        raise UserError(f"{path} exists already: choose another id, or delete it.")
    try:
        path.write_text(render(id, kind), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): go to another folder.") from error
    return path
