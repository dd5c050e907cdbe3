"""Results as `bench run` writes them, made up."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from skimage.data import shepp_logan_phantom
from skimage.filters import gaussian
from skimage.transform import resize

from bench.store.files import DETAILS, IDENTITY, SCORES, read_json, run_folder, write_images, write_json, write_rows

SHAPE = (48, 40)


def head(number, shape=SHAPE):
    """A phantom with some texture, another for each slice."""
    generator = np.random.default_rng(number)
    grown = 1 + 0.02 * number
    image = resize(shepp_logan_phantom(), shape, anti_aliasing=True) * grown
    texture = gaussian(generator.standard_normal(shape), 1.5)
    return np.clip(image + 0.5 * texture * (image > 0.05), 0, None).astype(np.float32)


class Results:
    """Writes runs below a folder."""

    def __init__(self, folder, shape=SHAPE):
        self.folder = folder
        self.shape = shape

    def add(self, method="proposed", group="joint", psnr=30.0, lpips=0.05, gain=None, subjects=("s0", "s1", "s2"),
            contrasts=("t1w",), slices=4, dataset="vwi", profile="laptop", seed=0, fold=0, source="heads",
            label="simulated acquisition", parameters=1000, lr=True, details=None, **record):  # fmt: skip
        """One run that is done. `psnr`: of every slice, plus 0.1 a slice; `gain`: by subject; `details`: further columns."""
        rows = []
        images = {}
        for subject in subjects:
            for contrast in contrasts:
                for number in range(slices):
                    value = psnr + 0.1 * number + (gain or {}).get(subject, 0.0)
                    scores = (value, 0.9, lpips, 0.01, value - 2, 0.8, 40.0 if lr else None)
                    rows.append([dataset, source, profile, method, seed, fold, subject, contrast, number, *scores])
        for contrast in contrasts:
            for number in range(min(slices, 3)):
                truth = head(number, self.shape)
                noise = np.random.default_rng(len(method) + number).standard_normal(self.shape)
                images[f"{contrast}/{subjects[0]}/{number}"] = np.abs(truth + 10 ** (-psnr / 20) * noise).astype(
                    np.float32
                )
        folder = run_folder(self.folder, dataset, profile, method, seed, fold)
        table = pd.DataFrame(rows, columns=[*IDENTITY, *SCORES]).assign(**(details or {}))
        write_rows(folder / "slices.csv", table)
        write_images(folder / "images.npz", images)
        (folder / "timing.csv").write_text(
            "seconds,peak_memory_mb,device,threads,gmac\n0.5,100,cpu,2,1.5\n0.25,120,cpu,2,1.5\n0.75,90,cpu,2,1.5\n"
        )
        self._record(folder, method, group, dataset, profile, seed, source, label, parameters, fold=fold, **record)
        self._reference(dataset, profile, fold, subjects[0], contrasts, min(slices, 3))
        return folder

    def fail(
        self, method, group="joint", status="failed", reason="out of luck", dataset="vwi", profile="laptop", seed=0
    ):
        """One run that did not end."""
        folder = run_folder(self.folder, dataset, profile, method, seed)
        self._record(folder, method, group, dataset, profile, seed, "heads", "simulated acquisition", 0, status, reason)
        return folder

    def _record(self, folder, method, group, dataset, profile, seed, source, label, parameters, status="done", reason=None,
                without_lpips=False, fold=0, **more):  # fmt: skip
        record = {
            "status": status, "reason": reason, "dataset": dataset, "source": source, "source_label": label,
            "caveats": ["Maps are the truth's."], "profile": profile, "method": method, "group": group, "seed": seed,
            "fold": fold, "limit": None, "stages": [{"id": method, "key": "k", "parameters": parameters}],
            "provenance": {"commit": "0123456789abcdef", "hardware": "a processor", "date": "2026-01-01"},
        }  # fmt: skip
        if status == "done":
            record["metrics"] = {score: f"library 1.0, {score}" for score in (*SCORES, *DETAILS, "gmac")}
            if without_lpips:
                record["metrics"]["lpips"] = "skipped: the profile downloads no weights"
            record["slices_sha256"] = hashlib.sha256((folder / "slices.csv").read_bytes()).hexdigest()
        write_json(folder / "run.json", {**record, **more})

    def _reference(self, dataset, profile, fold, subject, contrasts, slices):
        images = {}
        for contrast in contrasts:
            for number in range(slices):
                truth = head(number, self.shape)
                low = truth[::2, ::2]
                name = f"{contrast}/{subject}/{number}"
                mask = np.arange(low.size).reshape(low.shape) % 4 == 0
                noise = (0.05 + 0.05 * number) * np.random.default_rng(9).standard_normal(low.shape)
                images |= {f"{name}/truth": truth, f"{name}/lr": np.abs(low + noise).astype(np.float32),
                           f"{name}/mask": mask, f"{name}/foreground": truth > 0.1}  # fmt: skip
        file = f"reference-fold{fold}.npz" if fold else "reference.npz"
        write_images(self.folder / dataset / profile / file, images)

    def reseal(self, folder):
        """Make run.json agree with a slices.csv that a test has changed."""
        digest = hashlib.sha256((folder / "slices.csv").read_bytes()).hexdigest()
        write_json(folder / "run.json", {**read_json(folder / "run.json"), "slices_sha256": digest})


@pytest.fixture(scope="session")
def new_results(tmp_path_factory):
    return lambda: Results(tmp_path_factory.mktemp("results"))


@pytest.fixture
def results(new_results):
    return new_results()
