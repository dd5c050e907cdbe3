"""Every score: its name, unit, digits, direction and identity, in one record each."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from bench.metrics import error, image, vessels

VERSION = 2
"""Raised by hand when a score's numbers change; it stands in the key of rows."""


@dataclass(frozen=True)
class Score:
    """One number of a slice, and how it is written and read."""

    id: str
    """Its column."""
    name: str
    """As printed: "PSNR fg"."""
    unit: str
    """"dB"; empty where there is none."""
    digits: int
    """Behind the point, as printed."""
    higher_is_better: bool
    identity: str
    """Library, version, window, range: what a reader needs to compute the same."""
    detail: bool = False
    """Whether files written before it was are read without it."""

    @property
    def label(self) -> str:
        """ "PSNR, dB"."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def title(self) -> str:
        """ "PSNR, dB ↑"."""
        return f"{self.label} {'↑' if self.higher_is_better else '↓'}"


def installed_version(package: str) -> str:
    """Of a package; "not installed" where it is not, and then measures nothing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


_RULE = "magnitudes / truth's slice maximum, clipped to [0, 1], peak 1"
_SKIMAGE = f"scikit-image {installed_version('scikit-image')}"
_LPIPS = f"lpips {installed_version('lpips')}, AlexNet v0.1, one channel repeated to three"
_WANG = "Gaussian 11x11 sigma 1.5, K 0.01 0.03, population covariance"
_FOREGROUND = (
    "the foreground: outline of the head, filled, eroded 10 mm (unknown voxel: 1 mm), of the anatomy without coils where it "
    "is simulated, else of the truth; outline: closed 6 mm, brighter than 0.35 of the 60th percentile of lit pixels, shading "
    "(local geometric mean, sigma 25 mm) taken out"
)
_INSIDE = f"mean over {_FOREGROUND}"
_SLOPE = f"PSNR where the truth's gradient magnitude (Gaussian, sigma {error.SMOOTHING:g} HR pixel) is"
_VESSELS = (
    f"of vessels whose place is known (phantom, axial slices): mean of {vessels.ANGLES} radial profiles about the centre, "
    "cubic; |method - fully sampled HR truth| by the same measurement, mean over vessels whose wall in the truth is measured "
    f"within a factor of {vessels.TRUSTED:g} of the known one; empty where there are none"
)
_ALL = (
    Score("psnr", "PSNR", "dB", 2, True, f"{_SKIMAGE}; {_RULE}; identical images {image.HIGHEST_PSNR:g} dB"),
    Score("ssim", "SSIM", "", 4, True, f"{_SKIMAGE}, {_WANG}; {_RULE}"),
    Score(
        "lpips", "LPIPS", "", 4, False,
        f"{_LPIPS}; {_RULE}",
    ),
    Score("nmse", "NMSE", "", 4, False, f"squared error / squared truth; {_RULE}"),
    Score("psnr_fg", "PSNR fg", "dB", 2, True, f"PSNR, {_INSIDE}; {_RULE}"),
    Score("ssim_fg", "SSIM fg", "", 4, True, f"SSIM map, {_WANG}, {_INSIDE}; {_RULE}"),
    Score(
        "lpips_fg", "LPIPS fg", "", 4, False,
        f"{_LPIPS}; white is the truth's 99.5th percentile of "
        f"the foreground, cut to its box, at least {image.LEAST_BOX} pixels a side; {_FOREGROUND}", detail=True,
    ),
    Score(
        "psnr_lr", "LR PSNR", "dB", 2, True,
        "PSNR of the magnitude on the low-resolution grid against the fully sampled LR image; same rule there",
    ),
    Score(
        "psnr_oracle_fed", "PSNR oracle-fed", "dB", 2, True,
        "PSNR of the method's own super-resolver fed the fully sampled LR magnitude", detail=True,
    ),
    Score(
        "nmse_oracle_fed", "NMSE oracle-fed", "", 4, False,
        "NMSE of the method's own super-resolver fed the fully sampled LR magnitude", detail=True,
    ),
    Score(
        "psnr_boundary", "PSNR boundary", "dB", 2, True,
        f"{_SLOPE} in the top {error.STEEPEST:.0%} of the foreground grown by {error.DILATION} pixels", detail=True,
    ),
    Score(
        "psnr_flat", "PSNR flat", "dB", 2, True,
        f"{_SLOPE} in the lower {error.FLATTEST:.0%} of the foreground", detail=True,
    ),
    Score(
        "wall_mm_error", "wall error", "mm", 2, False,
        "error of wall thickness, the full width at half maximum of the bright ring against lumen inside and surroundings "
        f"outside, {_VESSELS}; a method's image without a measurable ring errs by the whole wall", detail=True,
    ),
    Score(
        "lumen_contrast_error_percent", "lumen contrast error", "%", 2, False,
        f"error of lumen contrast, 100 (wall - lumen) / wall, {_VESSELS}", detail=True,
    ),
    Score(
        "residual", "residual", "", 5, False,
        "||x_K - x_(K-1)|| / ||x_K|| of an equilibrium reconstruction's last iteration", detail=True,
    ),
)  # fmt: skip
BY_ID = {score.id: score for score in _ALL}
SCORES = [score.id for score in _ALL if not score.detail]
DETAILS = [score.id for score in _ALL if score.detail]
MAIN = ("psnr_fg", "ssim_fg", "lpips_fg", "psnr", "ssim", "lpips")
"""The columns of the main table: of the inside of the head, then the paper's of the whole image."""

_SCALE = "magnitudes / truth's slice maximum, not clipped; orthonormal FFT, so energies are sums over pixels"
OTHERS = {
    "spectrum": (
        f"energy by region of the HR magnitude's k-space: sampled, unsampled inside the LR band, beyond; {_SCALE}"
    ),
    "radial": (
        f"energy by |k| / HR Nyquist, {error.RADIAL_BINS} bins up to 1 (corners left out), mean over slices; {_SCALE}"
    ),
    "gmac": (
        "multiply-adds of one slice, in 10^9, batch 1: convolutions and matrix products as PyTorch counts them, and FFTs "
        "as 5 N log2 N operations; element-wise work, interpolation and NumPy are not counted"
    ),
}
"""What other files and columns hold."""


def identities(with_lpips: bool) -> dict[str, str]:
    """What each column is, as `run.json` records it."""
    said = {score.id: score.identity for score in _ALL} | OTHERS
    if not with_lpips:
        said["lpips"] = said["lpips_fg"] = "skipped: the profile downloads no weights (training.perceptual_weight = 0)"
    return said
