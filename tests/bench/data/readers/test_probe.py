"""Files over which the HDF5 library falls, or never ends, are refused in one line."""

import struct

import h5py
import numpy as np
import pytest

from bench.data.readers import probe
from bench.data.readers.opening import open_all


@pytest.fixture
def endless(tmp_path):
    """A file whose header's text lies in a heap of objects that take no place: the library looks at the first one for ever."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["kspace"] = np.ones((1, 2, 8, 8), np.complex64)
        file["ismrmrd_header"] = "x" * 200
    raw = bytearray(path.read_bytes())
    heap = raw.find(b"GCOL")
    raw[heap + 16 : heap + 32] = struct.pack("<HHIQ", 7, 1, 0, 2**64 - 16)
    path.write_bytes(raw)
    return path


def test_a_file_that_never_ends_is_given_up(endless, monkeypatch, tmp_path):
    monkeypatch.setattr(probe, "LONGEST_S", 1.5)
    scans, unusable = open_all([endless])
    assert not scans
    assert unusable[0].reason == "is damaged: reading it does not end"
    sound = tmp_path / "sound.h5"
    with h5py.File(sound, "w") as file:
        file["kspace"] = np.ones((1, 2, 8, 8), np.complex64)
    assert len(open_all([sound])[0]) == 1


def test_a_process_that_fell_is_started_again(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["kspace"] = np.ones((1, 2, 8, 8), np.complex64)
    prober = probe.Prober()
    assert prober.fault(path) is None
    prober.process.kill()
    prober.process.wait()
    assert prober.fault(path) == "is damaged: the HDF5 library falls over it"
    assert prober.fault(path) is None
    prober.stop()
