"""Results as `bench run` writes them, made up."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from skimage.data import shepp_logan_phantom
from skimage.filters import gaussian
from skimage.transform import resize

from bench.metrics.scores import DETAILS, SCORES
from bench.store.images import SliceName, write_images
from bench.store.layout import ResultsFolder
from bench.store.records import Keys, RunRecord, StageRecord, StageUse
from bench.store.tables import IDENTITY, write_rows

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
        self.layout = ResultsFolder(folder)
        self.shape = shape

    def add(self, method="proposed", group="joint", psnr=30.0, lpips=0.05, gain=None, subjects=("s0", "s1", "s2"),
            contrasts=("t1w",), slices=4, dataset="vwi", profile="laptop", seed=0, fold=0, source="heads",
            label="simulated acquisition", parameters=1000, lr=True, details=None, kept=3, without_lpips=False,
            record_subjects=None,
            **record):  # fmt: skip
        """One run that is done.

        `psnr`: of every slice, plus 0.1 a slice; `gain`: by subject; `details`: further columns; `kept`: how many images.
        LPIPS of the foreground is that of the whole image plus a hundredth of the gain.
        """
        rows = []
        for subject in subjects:
            for contrast in contrasts:
                for number in range(slices):
                    value = psnr + 0.1 * number + (gain or {}).get(subject, 0.0)
                    scores = (value, 0.9, lpips, 0.01, value - 2, 0.8, 40.0 if lr else None)
                    rows.append([dataset, source, profile, method, seed, fold, subject, contrast, number, *scores])
        names = [SliceName(contrast, subjects[0], n) for contrast in contrasts for n in range(min(slices, kept))]
        images = {}
        for name in names:
            noise = np.random.default_rng(len(method) + name.number).standard_normal(self.shape)
            truth = head(name.number, self.shape)
            images[str(name)] = np.abs(truth + 10 ** (-psnr / 20) * noise).astype(np.float32)
        folder = self.layout.run(dataset, profile, method, seed, fold)
        table = pd.DataFrame(rows, columns=[*IDENTITY, *SCORES]).assign(
            lpips_fg=lambda t: t["lpips"] + 0.01 * t["subject"].map(lambda s: (gain or {}).get(s, 0.0)),
            **(details or {}),
        )
        table = table.reindex(columns=[*IDENTITY, *SCORES, *DETAILS])
        write_rows(folder.slices, table)
        write_images(folder.images, images)
        folder.timing.write_text(
            "seconds,peak_memory_mb,device,threads,gmac\n0.5,100,cpu,2,1.5\n0.25,120,cpu,2,1.5\n0.75,90,cpu,2,1.5\n"
        )
        metrics = {score: f"library 1.0, {score}" for score in (*SCORES, *DETAILS, "gmac")}
        if without_lpips:
            metrics["lpips"] = metrics["lpips_fg"] = "skipped: the profile downloads no weights"
        sealed = hashlib.sha256(folder.slices.read_bytes()).hexdigest()
        made = self._record(dataset, profile, method, group, seed, fold, source=source, source_label=label, metrics=metrics,
                            stages=(use(method, "k", parameters),), slices_sha256=sealed,
                            subjects=record_subjects or {})  # fmt: skip
        replace(made, **record).write(folder.record)
        self._reference(self.layout.reference(dataset, profile, fold), names)
        return folder

    def fail(
        self, method, group="joint", status="failed", reason="out of luck", dataset="vwi", profile="laptop", seed=0,
        **record,
    ):  # fmt: skip
        """One run that did not end."""
        folder = self.layout.run(dataset, profile, method, seed)
        made = self._record(dataset, profile, method, group, seed, 0, status=status, reason=reason)
        replace(made, **record).write(folder.record)
        return folder

    def stage(self, stage, curve=None, dataset="vwi", profile="laptop", fold=0, **record):
        """One stage; `curve`: columns of its curve."""
        folder = self.layout.stage(dataset, profile, stage, 0, fold)
        values = {"key": stage, "parameters": 7, "provenance": {}, "validation": {}} | record
        StageRecord(id=stage, plugin=stage, seed=0, fold=fold, settings={}, **values).write(folder.record)
        if curve is not None:
            pd.DataFrame(curve).to_csv(folder.curve, index=False)
        return folder

    def _record(self, dataset, profile, method, group, seed, fold, **record):
        values = {
            "status": "done", "reason": None, "source": "heads", "source_label": "simulated acquisition",
            "caveats": ("Maps are the truth's.",), "limit": None, "subjects": {}, "contrasts": (), "matrix": self.shape,
            "voxel_mm": None, "settings": {}, "keys": Keys("m", "d"), "stages": (use(method, "k", 0),),
            "provenance": {"commit": "0123456789abcdef", "hardware": "a processor", "date": "2026-01-01"},
        } | record  # fmt: skip
        return RunRecord(dataset=dataset, profile=profile, method=method, group=group, seed=seed, fold=fold, **values)

    def _reference(self, path, names):
        images = {}
        for name in names:
            truth = head(name.number, self.shape)
            low = truth[::2, ::2]
            mask = np.arange(low.size).reshape(low.shape) % 4 == 0
            noise = (0.05 + 0.05 * name.number) * np.random.default_rng(9).standard_normal(low.shape)
            images |= {f"{name}/truth": truth, f"{name}/lr": np.abs(low + noise).astype(np.float32),
                       f"{name}/mask": mask, f"{name}/foreground": truth > 0.1}  # fmt: skip
        write_images(path, images)

    def reseal(self, folder):
        """Make run.json agree with a slices.csv that a test has changed."""
        digest = hashlib.sha256(folder.slices.read_bytes()).hexdigest()
        replace(RunRecord.read(folder.record), slices_sha256=digest).write(folder.record)


def use(stage, key, parameters):
    """A stage as rows record it."""
    return StageUse(stage, key, parameters, "0" * 64)


@pytest.fixture(scope="session")
def new_results(tmp_path_factory):
    return lambda: Results(tmp_path_factory.mktemp("results"))


@pytest.fixture
def results(new_results):
    return new_results()
