import resource
import struct

import h5py
import numpy as np
import pytest

from bench.data.readers import fastmri, ismrmrd
from bench.data.readers.opening import open_all
from bench.data.readers.safely import BROKEN, one_line


def close(scan, kspace, tolerance=1e-5):
    assert scan.shape == kspace.shape
    found = np.stack([scan.read(i) for i in range(len(kspace))])
    assert found.dtype == np.complex64
    assert found.flags.writeable
    return np.linalg.norm(found - kspace) < tolerance * np.linalg.norm(kspace)


def refused(path):
    assert ismrmrd.knows(path)
    with pytest.raises(BROKEN) as error:
        ismrmrd.open_scans(path)[0].read(0)
    said = one_line(error.value)
    assert "\n" not in said
    return said


@pytest.fixture
def small(kspace, writers):
    """K-space, the lines and the header of a scan without oversampling."""
    truth = kspace(0, slices=2, coils=3, size=(32, 24))
    return truth, writers.lines_of(truth, oversampled=False), writers.header((32, 24, 1), (1, 1, 5), False)


@pytest.mark.parametrize("oversampled", [True, False])
def test_a_file_is_read_as_it_was_written(tmp_path, kspace, writers, oversampled):
    truth = kspace(0)
    path = writers.write_ismrmrd(tmp_path / "a.mrd", truth, (0.9, 1.1), "somebody", oversampled)
    [scan], unusable = open_all([path])
    assert not unusable
    assert close(scan, truth)
    assert (scan.format, scan.person, scan.contrast, scan.dtype) == ("ISMRMRD", "somebody", "raw", "complex64")
    assert scan.voxel_mm == pytest.approx((0.9, 1.1))
    assert scan.phase_encode == (False, True)
    assert scan.remarks == (("readout oversampling removed: 96 to 48 along y",) if oversampled else ())


@pytest.mark.parametrize("oversampled", [True, False])
@pytest.mark.parametrize("block", [1, 1 << 29])
def test_a_volume_is_read_across_its_readout(tmp_path, kspace, writers, monkeypatch, oversampled, block):
    monkeypatch.setattr(ismrmrd, "BLOCK", block)
    truth = kspace(0, slices=8, coils=2, size=(20, 12))
    path = writers.write_ismrmrd(tmp_path / "a.h5", truth, (0.8, 1.2), "p", oversampled, volume=True)
    [scan] = ismrmrd.open_scans(path)
    assert close(scan, truth)
    assert scan.voxel_mm == pytest.approx((0.8, 1.2))
    assert scan.phase_encode == (True, True)
    assert scan.remarks == (("readout oversampling removed: 16 to 8 along the readout",) if oversampled else ())


def test_what_is_no_image_is_left_out_and_order_is_of_no_concern(tmp_path, small, writers):
    truth, lines, xml = small
    noise = np.full((3, 32), 9.0)
    others = [(noise, {"flags": [flag], "segment": 1, "set": 1}) for flag in (19, 20, 23, 24, 27)]
    both = [(array, {**said, "flags": [20, 21]}) for array, said in lines[:4]]
    wide = [(np.ones((5, 7)), {"flags": [19]})]
    path = writers.write_lines(tmp_path / "a.h5", xml, [*others, *wide, *lines[:3:-1], *others, *both])
    [scan] = ismrmrd.open_scans(path)
    assert close(scan, truth)


def test_averages_and_repetitions_are_averaged(tmp_path, small, writers):
    truth, lines, xml = small
    more = [(3 * array, {**said, "average": 1}) for array, said in lines]
    more += [(5 * array, {**said, "repetition": 1}) for array, said in lines]
    [scan] = ismrmrd.open_scans(writers.write_lines(tmp_path / "a.h5", xml, lines + more))
    assert close(scan, 3 * truth)
    assert scan.remarks == ("averages and repetitions averaged: 144 lines, 48 apart",)


@pytest.mark.parametrize("protocol", ["", "T2 TSE"])
def test_contrasts_are_scans_of_their_own(tmp_path, small, writers, protocol):
    truth, lines, _ = small
    xml = writers.header((32, 24, 1), (1, 1, 5), False, protocol=protocol)
    more = [(2 * array, {**said, "contrast": 1, "segment": said["kspace_encode_step_1"] % 2}) for array, said in lines]
    mixed = [line for pair in zip(lines, more, strict=True) for line in pair]
    first, second = ismrmrd.open_scans(writers.write_lines(tmp_path / "a.h5", xml, mixed))
    name = protocol or "raw"
    assert (first.contrast, second.contrast) == (f"{name}-0", f"{name}-1")
    assert close(first, truth)
    assert close(second, 2 * truth)


def test_lines_that_were_not_acquired_are_zero(tmp_path, small, writers):
    truth, lines, xml = small
    there = [line for line in lines if line[1]["kspace_encode_step_1"] < 20]
    [scan] = ismrmrd.open_scans(writers.write_lines(tmp_path / "a.h5", xml, there))
    truth[..., 20:] = 0
    assert close(scan, truth)
    assert scan.remarks == ("8 of 48 lines were not acquired: they are zero",)


def test_a_part_of_an_echo_and_a_centre_elsewhere_are_put_in_place(tmp_path, small, writers):
    truth, lines, xml = small
    xml = xml.replace("<center>12</center>", "<center>16</center>")
    parts = [
        (np.pad(array[:, 4:], ((0, 0), (2, 1))), {
            "slice": said["slice"] + 3, "kspace_encode_step_1": said["kspace_encode_step_1"] + 4, "center_sample": 14,
            "discard_pre": 2, "discard_post": 1,
        })
        for array, said in lines
    ]  # fmt: skip
    [scan] = ismrmrd.open_scans(writers.write_lines(tmp_path / "a.h5", xml, parts))
    truth[:, :, :4] = 0
    assert close(scan, truth)
    unset = [(array, {**said, "center_sample": 0}) for array, said in lines]
    [scan] = ismrmrd.open_scans(writers.write_lines(tmp_path / "b.h5", xml.replace("16</cen", "12</cen"), unset))
    assert scan.read(0).any()


def changed(lines, at, **said):
    """All lines, and the one at `at` once more, changed."""
    return [*lines, (lines[at][0], {**lines[at][1], **said})]


REFUSALS = {
    "reversed": (lambda lines: changed(lines, 0, flags=[22]), "in reverse"),
    "phase": (lambda lines: changed(lines, 0, phase=1), "2 values of 'phase'"),
    "set": (lambda lines: changed(lines, 0, set=2), "2 values of 'set'"),
    "segment": (lambda lines: changed(lines, 0, segment=1), "several values of 'segment'"),
    "encodings": (lambda lines: changed(lines, 0, encoding_space_ref=1), "several encodings: 0, 1"),
    "encoding": (lambda lines: [(a, {**s, "encoding_space_ref": 2}) for a, s in lines], "lines of encoding 2"),
    "channels": (lambda lines: [*lines, (lines[0][0][:2], {})], "several numbers of channels: 2, 3"),
    "nothing": (lambda lines: [(a, {**s, "flags": [19]}) for a, s in lines], "no acquisition of an image among its 48"),
    "line": (lambda lines: changed(lines, 0, kspace_encode_step_1=24), "kspace_encode_step_1 24"),
    "samples": (lambda lines: [*lines, (np.ones((3, 40)), {})], "number_of_samples 40"),
    "slabs": (lambda lines: changed(lines, 0, kspace_encode_step_2=1), "3-D scan of 2 slabs"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_cannot_be_sorted_is_refused_by_name(tmp_path, small, writers, kind):
    _, lines, xml = small
    change, said = REFUSALS[kind]
    assert said in refused(writers.write_lines(tmp_path / "a.h5", xml, change(lines)))


def test_other_trajectories_are_refused(tmp_path, small, writers):
    _, lines, _ = small
    xml = writers.header((32, 24, 1), (1, 1, 5), False, trajectory="radial")
    assert "trajectory 'radial'" in refused(writers.write_lines(tmp_path / "a.h5", xml, lines))


@pytest.mark.parametrize("xml", [
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<ismrmrdHeader/>", "<ismrmrdHeader>", "",
])  # fmt: skip
def test_a_hostile_header_is_refused(tmp_path, small, writers, xml):
    _, lines, _ = small
    assert "XML header" in refused(writers.write_lines(tmp_path / "a.h5", xml, lines))


@pytest.mark.parametrize("kind", ["many", "samples", "matrix", "types", "no data", "elsewhere", "short"])
def test_hostile_files_are_refused_in_one_line(tmp_path, small, writers, kind):
    _, lines, xml = small
    if kind == "matrix":
        xml = xml.replace("<x>32</x>", "<x>16000</x>").replace("<y>24</y>", "<y>16000</y>")
    path = writers.write_lines(tmp_path / "a.h5", xml, lines)
    with h5py.File(path, "a") as file:
        group = file["dataset"]
        if kind == "many":
            group["data"].resize(10**12, axis=0)
        if kind in ("samples", "short"):
            rows = group["data"][:]
            rows["head"]["number_of_samples"] = 65535 if kind == "samples" else 31
            rows["head"]["active_channels"] = 65535 if kind == "samples" else 3
            group["data"][:] = rows
        if kind in ("types", "no data", "elsewhere"):
            del group["data"]
        if kind == "types":
            group["data"] = np.ones(3)
        if kind == "elsewhere":
            group["data"] = h5py.ExternalLink("b.h5", "/dataset/data")
        if kind == "no data":
            group.create_group("data")
    said = refused(path)
    assert "damaged" not in said


def test_other_files_are_not_claimed(tmp_path, kspace, writers, small):
    path = writers.write_fastmri(tmp_path / "a.h5", kspace(0))
    assert not ismrmrd.knows(path)
    whole = writers.write_lines(path, small[2], small[1]).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert not ismrmrd.knows(path)
    assert fastmri.knows(path)
    assert open_all([path])[1][0].reason


@pytest.mark.parametrize("kind", ["data", "xml"])
def test_lists_that_say_to_be_longer_than_they_are_take_no_memory(tmp_path, small, writers, kind):
    _, lines, xml = small
    path = writers.write_lines(tmp_path / "a.h5", xml, lines)
    raw = bytearray(path.read_bytes())
    true = len(xml.encode()) if kind == "xml" else 2 * 3 * 32
    changed, at = 0, raw.find(struct.pack("<I", true))
    while at >= 0:
        address = struct.unpack_from("<Q", raw, at + 4)[0]
        if raw[address : address + 4] == b"GCOL":
            raw[at : at + 4] = struct.pack("<I", 0xFFFFFFF0)
            changed += 1
        at = raw.find(struct.pack("<I", true), at + 4)
    path.write_bytes(raw)
    assert changed == (1 if kind == "xml" else len(lines))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert str(0xFFFFFFF0) in refused(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 18
