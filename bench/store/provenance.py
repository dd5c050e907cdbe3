"""Where and with what something was computed. In no key."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.metrics.scores import installed_version
from bench.store.layout import CHECKOUT, PACKED_COMMIT

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "lpips", "sigpy", "pandas")
CODE = ("bench", "methods", "datasets")


def provenance(device: str) -> dict[str, Any]:
    """Commit, versions, threads, hardware, date and command."""
    import torch

    return {
        "commit": commit(),
        "versions": {"python": platform.python_version(), **{name: installed_version(name) for name in PACKAGES}},
        "device": device,
        "hardware": hardware(device),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command(),
    }


def hardware(device: str) -> str:
    """The name of the GPU, or of the processor."""
    import torch

    return torch.cuda.get_device_name() if device.startswith("cuda") else _processor()


def commit() -> str:
    """The commit of this checkout, with "+" where code was changed; "unknown" where the package lies in none of its own.

    An archive for a GPU machine says in a file which commit it was packed from.
    """
    if PACKED_COMMIT.exists():
        return PACKED_COMMIT.read_text().strip()
    try:
        if (
            Path(_git("rev-parse", "--show-toplevel")).resolve() != CHECKOUT
        ):  # somebody else's, around an installed package
            return "unknown"
        sha = _git("rev-parse", "HEAD")
        return sha + ("+" if _git("status", "--porcelain", "--untracked-files=no", "--", *CODE) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def command() -> str:
    """The command as typed, without the machine's paths."""
    return " ".join(["bench", *sys.argv[1:]])


def _git(*arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - fixed words
        ["git", "-C", str(CHECKOUT), *arguments],  # noqa: S607
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
