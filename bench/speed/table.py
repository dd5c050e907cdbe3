"""Rows on disk: one CSV a kind of host. A part that is timed again takes the place of its rows; the others stay."""

import os
import re
from pathlib import Path

import pandas as pd

from bench.report.tables.formats import files
from bench.report.tables.speed import table
from bench.speed.compare import Row
from bench.speed.peers import versions
from bench.store.files import atomic_write, locked
from bench.store.provenance import commit, hardware
from bench.store.tables import SPEED, read_speed, write_table


def host_kind(device: str) -> str:
    """As files are named: "amd-epyc-2-cores", "nvidia-h100-80gb-hbm3"."""
    name = hardware(device) + ("" if device.startswith("cuda") else f" {os.cpu_count()} cores")
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("(r)", "").replace("processor", "")).strip("-")


def path_of(folder: Path, device: str) -> Path:
    """Where a host's rows are."""
    return folder / f"{host_kind(device)}.csv"


def save(rows: list[Row], folder: Path, device: str) -> Path:
    """Write them to `<host-kind>.csv`, with the peers' versions and the commit, and a table of all hosts to `speed.md`."""
    path = path_of(folder, device)
    theirs = versions()
    new = pd.DataFrame([vars(row) for row in rows])
    new["version"] = [theirs.get(peer, "") for peer in new["peer"]]
    new["commit"] = commit()
    with locked(path.with_suffix(".lock"), path.name):
        if path.exists():
            old = read_speed(path)
            new = pd.concat([old[~old["part"].isin(new["part"])], new], ignore_index=True)
        write_table(path, new[SPEED], digits=4)
    together = table(sorted(folder.glob("*.csv")))
    assert together is not None
    atomic_write(folder / "speed.md", files(together)["speed.md"])
    return path
