"""Where everything lies: each path of results, caches and shipped weights is made here and nowhere else."""

import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from bench.errors import UserError

CHECKOUT = Path(__file__).resolve().parents[2]
SHIPPED = "results"  # in a checkout
PACKED_COMMIT = CHECKOUT / "COMMIT"  # in an archive for a GPU machine


def path_part(text: str, longest: int = 120) -> str:
    """Free text as one part of a path: letters, digits, spaces and ``-_.~@=,+`` stay, the rest is percent-encoded.

    What becomes too long for a file's name is cut and told apart by its sha256.
    """
    encoded = quote(text, safe=" @=,+")
    if len(encoded) > longest:
        encoded = f"{encoded[: longest - 17]}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return "%2E" + encoded[1:] if encoded.startswith(".") else encoded


@dataclass(frozen=True)
class RunFolder:
    """What one method left for one dataset, profile, seed and fold."""

    path: Path
    """The folder itself."""

    @property
    def record(self) -> Path:
        """`run.json`: written last, so that what it says is whole."""
        return self.path / "run.json"

    @property
    def slices(self) -> Path:
        """Scores, a row a slice."""
        return self.path / "slices.csv"

    @property
    def spectrum(self) -> Path:
        """Energies by region of k-space, three rows a slice."""
        return self.path / "spectrum.csv"

    @property
    def radial(self) -> Path:
        """Energies by spatial frequency, a row a contrast and bin."""
        return self.path / "radial.csv"

    @property
    def images(self) -> Path:
        """Images of a few slices."""
        return self.path / "images.npz"

    @property
    def timing(self) -> Path:
        """Seconds and memory of a few slices."""
        return self.path / "timing.csv"

    @property
    def lock(self) -> Path:
        """Held while any of these is written."""
        return self.path / "run.lock"


@dataclass(frozen=True)
class StageFolder:
    """What training or tuning one stage left."""

    path: Path
    """The folder itself."""

    @property
    def stage(self) -> str:
        """Id of the stage."""
        return self.path.parent.name

    @property
    def record(self) -> Path:
        """`stage.json`: written last, so that what it says is whole."""
        return self.path / "stage.json"

    @property
    def weights(self) -> Path:
        """The best weights, which are scored."""
        return self.path / "weights.safetensors"

    @property
    def last_weights(self) -> Path:
        """The weights after the last step."""
        return self.path / "last.safetensors"

    @property
    def curve(self) -> Path:
        """Losses and scores, a row a validation."""
        return self.path / "curve.csv"

    @property
    def checkpoint(self) -> Path:
        """All that an interrupted training needs to go on."""
        return self.path / "state.pt"

    @property
    def started(self) -> Path:
        """The key of a training that has begun and not ended."""
        return self.path / "started.json"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def lock(self) -> Path:
        """Held while the stage is made."""
        return self.path / "stage.lock"


@dataclass(frozen=True)
class ResultsFolder:
    """A folder of results: what `--results` names, or what is shipped."""

    root: Path
    """The folder itself."""

    def table(self, dataset: str, profile: str) -> Path:
        """What stands in one table."""
        return self.root / path_part(dataset) / path_part(profile)

    def run(self, dataset: str, profile: str, method: str, seed: int, fold: int = 0) -> RunFolder:
        """Rows of one method."""
        return RunFolder(self.table(dataset, profile) / method / replicate(seed, fold))

    def stage(self, dataset: str, profile: str, stage: str, seed: int, fold: int = 0) -> StageFolder:
        """One stage."""
        return StageFolder(self.table(dataset, profile) / "stages" / stage / replicate(seed, fold))

    def reference(self, dataset: str, profile: str, fold: int = 0) -> Path:
        """Truths of the slices whose images are kept."""
        return self.table(dataset, profile) / ("reference.npz" if fold == 0 else f"reference-fold{fold}.npz")

    def references(self, dataset: str, profile: str) -> list[Path]:
        """Those of all folds that are there."""
        return sorted(self.table(dataset, profile).glob("reference*.npz"))

    def runs(self, dataset: str | None = None, profile: str | None = None) -> list[RunFolder]:
        """Every folder with a `run.json`, sorted."""
        table = f"{path_part(dataset) if dataset else '*'}/{path_part(profile) if profile else '*'}"
        return [RunFolder(path.parent) for path in sorted(self.root.glob(f"{table}/*/seed*/run.json"))]

    def stages(self, dataset: str | None = None, profile: str | None = None) -> list[StageFolder]:
        """Every folder with a `stage.json`, sorted."""
        table = f"{path_part(dataset) if dataset else '*'}/{path_part(profile) if profile else '*'}"
        return [StageFolder(path.parent) for path in sorted(self.root.glob(f"{table}/stages/*/seed*/stage.json"))]

    def speeds(self) -> list[Path]:
        """Tables of `bench speed`, one a kind of machine, sorted."""
        return sorted((self.root / "speed").glob("*.csv"))

    def curves(self, dataset: str, profile: str) -> list[StageFolder]:
        """Every folder with a `curve.csv`, sorted; of stages whose training has not ended, too."""
        return [
            StageFolder(path.parent) for path in sorted(self.table(dataset, profile).glob("stages/*/seed*/curve.csv"))
        ]

    def report(self) -> Path:
        """Where `bench report` writes unless told otherwise."""
        return self.root / "report"


def exported(folder: Path, person: str, contrast: str) -> Path:
    """An acquisition that leaves, and under the same stem the images that come back."""
    return folder / f"{path_part(person, 100)}-{path_part(contrast, 100)}.h5"


def replicate(seed: int, fold: int) -> str:
    """Name of the folder of one seed and fold; the reference split's is that of the seed alone."""
    return f"seed{seed}" if fold == 0 else f"seed{seed}-fold{fold}"


def shipped() -> ResultsFolder | None:
    """The results of the checkout that this package lies in; None where it was installed without one."""
    folder = CHECKOUT / SHIPPED
    return ResultsFolder(folder) if (CHECKOUT / "pyproject.toml").exists() and folder.is_dir() else None


@dataclass(frozen=True)
class OwnFolder:
    """A user's data under a name: what `bench data import` writes."""

    path: Path
    """The folder itself."""

    @property
    def record(self) -> Path:
        """`dataset.json`: what was imported, written last."""
        return self.path / "dataset.json"

    @property
    def protocol(self) -> Path:
        """`protocol.toml`: how it is acquired and who is in which split; for a person to edit."""
        return self.path / "protocol.toml"

    def volume(self, person: str, contrast: str) -> Path:
        """K-space, or the magnitude volume, of one contrast of one person."""
        return self.path / path_part(person) / f"{path_part(contrast)}.h5"


def own_data() -> dict[str, OwnFolder]:
    """What a user has imported, by name."""
    try:
        found = sorted(data_folder().glob("[!.]*/dataset.json"))
    except (UserError, OSError):
        return {}
    return {path.parent.name: OwnFolder(path.parent) for path in found}


def data_folder() -> Path:
    """`BENCH_DATA`, or the platform's folder for a user's data."""
    return _named("BENCH_DATA", "data", ("LOCALAPPDATA", "Application Support", "XDG_DATA_HOME", ".local/share"))


def cache_folder() -> Path:
    """`BENCH_CACHE`, or the platform's folder for a user's caches."""
    return _named("BENCH_CACHE", "a cache", ("LOCALAPPDATA", "Caches", "XDG_CACHE_HOME", ".cache"))


def _named(variable: str, what: str, places: tuple[str, str, str, str]) -> Path:
    """The folder that a variable names, or the platform's."""
    if named := os.environ.get(variable):
        return at_home(Path(named))
    try:
        return _home(*places) / "joint-mri-bench"
    except RuntimeError as error:
        raise UserError(f"There is no home folder for {what}: name a folder with {variable}.") from error


def at_home(path: Path) -> Path:
    """A path whose `~` is a home folder, as a shell would have it.

    Raises
    ------
    UserError
        If nobody has that home.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UserError(f"'{path}' begins with a home folder that there is not: name another path.") from error


def _home(windows: str, mac: str, other: str, below_home: str) -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get(windows) or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / mac
    return Path(os.environ.get(other) or Path.home() / below_home)


def package_member(package: str, version: str, member: str) -> Path:
    """A file taken out of a published package."""
    return cache_folder() / f"{package}-{version}" / PurePosixPath(member).name


def prepared(source: str, subject: str, contrast: str, key: str) -> Path:
    """Prepared slices of one subject and contrast."""
    parts = [path_part(text, 60) for text in (source, subject, contrast)]  # a file's name has 255 letters at most
    return cache_folder() / "prepared" / f"{'-'.join(parts)}-{key[:16]}.h5"


def reconstructions(reconstructor: str, key: str) -> Path:
    """What a reconstructor made of a split."""
    return cache_folder() / "reconstructions" / f"{reconstructor}-{key[:16]}.npz"


def mask(key: str) -> Path:
    """A sampling mask."""
    return cache_folder() / "masks" / f"{key[:16]}.npz"


def truth_features() -> Path:
    """Folder of what LPIPS makes of truths, by their content."""
    return cache_folder() / "lpips"


def cached_reconstructions(reconstructor: str) -> Iterable[Path]:
    """Every file of one reconstructor, whatever its key."""
    digest = "[0-9a-f]" * 16
    return (cache_folder() / "reconstructions").glob(f"{reconstructor}-{digest}.npz")
