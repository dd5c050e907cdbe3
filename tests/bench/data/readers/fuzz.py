"""Damages small files of a format and opens them: `python fuzz.py FORMAT,FORMAT COUNT FOLDER`. Prints a line of JSON each.

A process of its own, as a library that crashes would take the tests with it: it says in `FOLDER/at` how far it is.
"""

import gzip
import json
import re
import struct
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np

from bench.data.readers import probe
from bench.data.readers.opening import open_all
from bench.errors import UserError

LONGEST_S = 5.0
SLICES = 8
ODD_NUMBERS = (0, -1, 1, 2, 3, 7, 255, 2**15, 2**31 - 1, -(2**31), 2**32, 10**12, 2**63 - 1)
ODD_TEXTS = ("", "x", "1e400", "nan", "\n", "0", "-5", "<", "\x00", "ä" * 50, "9" * 400)
XML = (
    '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding><trajectory>cartesian</trajectory>'
    "<encodedSpace><matrixSize><x>24</x><y>10</y><z>1</z></matrixSize><fieldOfView_mm><x>400</x><y>200</y><z>5</z></fieldOfView_mm>"
    "</encodedSpace><reconSpace><matrixSize><x>12</x><y>10</y><z>1</z></matrixSize><fieldOfView_mm><x>200</x><y>200</y><z>5</z>"
    "</fieldOfView_mm></reconSpace><encodingLimits><kspace_encoding_step_1><minimum>0</minimum><maximum>9</maximum>"
    "<center>5</center></kspace_encoding_step_1></encodingLimits></encoding></ismrmrdHeader>"
)


def numbers(random, *shape):
    values = random.standard_normal((*shape, 2)).astype(np.float32)
    return values.view(np.complex64)[..., 0]


def fastmri(path, random):
    with h5py.File(path, "w") as file:
        file["kspace"], file["ismrmrd_header"] = numbers(random, 2, 3, 24, 10), XML
        file.create_dataset("reconstruction_rss", data=np.ones((2, 12, 10), np.float32), compression="gzip")
        file.attrs.update({"acquisition": "AXT2", "patient_id": "p", "max": 1.0})


def calgary(path, random):
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "kspace", data=random.standard_normal((2, 12, 10, 6)).astype(np.float32), compression="gzip"
        )


def modl(path, random):
    with h5py.File(path, "w") as file:
        for part in ("trn", "tst"):
            file[f"{part}Org"], file[f"{part}Csm"] = numbers(random, 2, 12, 10), numbers(random, 2, 3, 12, 10)
            file[f"{part}Mask"] = np.ones((2, 12, 10), np.int8)


def ismrmrd(path, random):
    import ismrmrd as mrd

    with mrd.Dataset(str(path), create_if_needed=True) as file:
        file.write_xml_header(XML.encode())
        for number, line in np.ndindex(2, 10):
            one = mrd.Acquisition.from_array(numbers(random, 3, 24))
            one.idx.slice, one.idx.kspace_encode_step_1, one.center_sample = number, line, 12
            file.append_acquisition(one)


def bart(path, random):
    path.write_text("# Dimensions\n12 10 1 3 1 1 1 1 1 1 1 1 1 2 1 1\n")
    path.with_suffix(".cfl").write_bytes(numbers(random, 12 * 10 * 3 * 2).tobytes())


def npy(path, random):
    np.save(path, numbers(random, 2, 3, 12, 10))


def npz(path, random):
    np.savez_compressed(path, kspace=numbers(random, 2, 3, 12, 10), voxel_mm=np.ones(2), person="p", contrast="t1")


def nifti(path, random):
    nib.save(nib.Nifti1Image(random.random((6, 5, 4)).astype(np.float32), np.diag((1.0, 2.0, 3.0, 1.0))), path)


WRITERS = {
    "fastmri": (fastmri, "a.h5"), "m4raw": (fastmri, "2022061003_T101.h5"), "ismrmrd": (ismrmrd, "a.mrd"),
    "calgary": (calgary, "a.h5"), "modl": (modl, "a.hdf5"), "bart": (bart, "a.hdr"), "npy": (npy, "a.npy"),
    "npz": (npz, "a.npz"), "nifti": (nifti, "a_T1w.nii"), "nifti.gz": (nifti, "a_T1w.nii.gz"),
}  # fmt: skip


def pick(random, options):
    return options[int(random.integers(len(options)))]


def of_bytes(path, random):
    """Flip, overwrite, insert, delete, repeat or cut off."""
    raw = bytearray(path.read_bytes())
    for _ in range(int(random.integers(1, 6))):
        at, count = int(random.integers(len(raw) or 1)), int(random.integers(1, 17))
        kind = int(random.integers(7))
        if kind == 0 and raw:
            raw[at] ^= 1 << int(random.integers(8))
        elif kind == 1:
            raw[at : at + count] = random.bytes(count)
        elif kind == 2:
            raw[at:at] = random.bytes(count)
        elif kind == 3:
            del raw[at : at + count]
        elif kind == 4:
            raw[at : at + count] = bytes([pick(random, (0, 255))]) * count
        elif kind == 5:
            value = pick(random, ODD_NUMBERS) % 2**64
            size = pick(random, (1, 2, 4, 8))
            raw[at : at + size] = struct.pack("<Q", value)[:size]
        else:
            del raw[at:]
    path.write_bytes(raw)


def of_text(text, random):
    """Another number or text where one stands, or a piece moved."""
    places = list(re.finditer(r"\d+|[A-Za-z]+", text))
    place = pick(random, places)
    new = pick(random, (*map(str, ODD_NUMBERS), *ODD_TEXTS, "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;", place[0] * 3))
    return text[: place.start()] + new + text[place.end() :]


def of_hdf5(path, random):
    """Another shape, type, name, filter, link or text of a dataset."""
    with h5py.File(path, "a") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        name = pick(random, names)
        item, kind = file[name], int(random.integers(9))
        if item.dtype.kind == "O" and h5py.check_string_dtype(item.dtype):
            text = np.asarray(item[()]).reshape(-1)[0]
            text = text.decode() if isinstance(text, bytes) else str(text)
            del file[name]
            file[name] = of_text(text, random).replace("\x00", "")
            return
        if kind == 0:
            del file[name]
        elif kind == 1:
            file.move(name, name + pick(random, ("x", "Csm", "0", "CSM")))
        elif kind == 2 and item.dtype.names is None:
            array = item[()]
            del file[name]
            file[name] = pick(
                random, (array[:1], array[..., :1], array[0], array.T, array[None], array.real, array.ravel()[:0])
            )
        elif kind == 3 and item.dtype.names is None:
            array = item[()]
            del file[name]
            file[name] = array.astype(pick(random, ("c16", "f8", "i2", "u1", "S4", "?")))
        elif kind == 4:
            del file[name]
            shape = tuple(pick(random, (1, 2, 10**6, 10**12, 2**31)) for _ in range(int(random.integers(0, 6))))
            chunks = (1,) * len(shape) or None
            file.create_dataset(name, shape, pick(random, ("c8", "f4", "i1")), chunks=chunks)
        elif kind == 5:
            del file[name]
            elsewhere = h5py.ExternalLink("/etc/passwd", "/x") if random.random() < 0.5 else h5py.SoftLink("/" + name)
            file[name] = elsewhere
        elif kind == 6:
            for key in list(file.attrs):
                file.attrs[key] = pick(random, (*ODD_TEXTS[:4], 5, np.zeros(3), np.bytes_(b"\xff\xfe")))
        elif kind == 7 and item.dtype.names is not None:
            rows = item[()]
            row, field = int(random.integers(len(rows))), pick(random, list(rows["head"].dtype.names))
            for index in (row, slice(None)) if random.random() < 0.3 else (row,):
                target = rows["head"][field]
                if target.dtype.names:
                    inner = pick(random, list(target.dtype.names))
                    target = target[inner]
                target[index] = np.asarray(pick(random, ODD_NUMBERS) % 2**15).astype(target.dtype)
            item[...] = rows
        else:
            file.attrs["patient_id"] = pick(random, ODD_TEXTS[:4])


def of_nifti(path, random):
    """Another value of a field of the header."""
    image = nib.load(path)
    header = image.header.copy()
    field = pick(random, list(header.template_dtype.names))
    before = header[field].copy()
    raw = bytearray(path.read_bytes()) if path.suffix == ".nii" else bytearray(gzip.decompress(path.read_bytes()))
    offset = header.template_dtype.fields[field][1]
    with np.errstate(all="ignore"):
        value = np.full_like(before, 0)
        if before.dtype.kind in "iu":
            value[...] = np.asarray(pick(random, ODD_NUMBERS)).astype(before.dtype)
        elif before.dtype.kind == "f":
            value[...] = pick(random, (0, -1, np.nan, np.inf, 1e30, 1e-30))
        if before.ndim and random.random() < 0.5:
            kept = before.copy()
            kept.flat[int(random.integers(kept.size))] = value.flat[0]
            value = kept
    raw[offset : offset + value.nbytes] = value.tobytes()
    path.write_bytes(raw if path.suffix == ".nii" else gzip.compress(bytes(raw)))


def of_numpy(path, random):
    """Another header before the same bytes; in an archive other members."""
    array = numbers(random, 2, 3, 12, 10)
    if path.suffix == ".npz":
        whole = {"kspace": array, "voxel_mm": np.ones(2), "person": np.asarray("p")}
        whole[pick(random, list(whole))] = pick(
            random, (array[0], array.real, np.asarray(pick(random, ODD_TEXTS)), np.full(2, np.nan))
        )
        whole.pop(pick(random, [*whole, "none"]), None)
        np.savez(path, **{pick(random, (name, name, name + "x")): value for name, value in whole.items()})
        return
    shape = tuple(pick(random, (*ODD_NUMBERS, 2, 3, 12, 10)) for _ in range(int(random.integers(0, 6))))
    text = {
        "descr": pick(random, ("<c8", ">c8", "<c16", "<f4", "|O", "<i9", "")),
        "fortran_order": False,
        "shape": shape,
    }
    header = repr(text).encode().ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + array.tobytes())


def of_bart(path, random):
    if random.random() < 0.3:
        of_bytes(path.with_suffix(".cfl"), random)
    else:
        path.write_text(of_text(path.read_text(), random))


STRUCTURED = {
    "fastmri": of_hdf5, "m4raw": of_hdf5, "ismrmrd": of_hdf5, "calgary": of_hdf5, "modl": of_hdf5, "bart": of_bart,
    "npy": of_numpy, "npz": of_numpy, "nifti": of_nifti, "nifti.gz": of_nifti,
}  # fmt: skip


def outcome(path):
    """What becomes of a file; anything but a scan, a refusal or one line is a fault."""
    scans, unusable = open_all([path])
    for one in unusable:
        assert one.reason, "no reason"
        assert "\n" not in one.reason, one.reason
    for scan in scans:
        if len(scan.shape) == 3:
            scan.read()
        else:
            for number in range(min(scan.shape[0], SLICES)):
                kspace = scan.read(number)
                assert kspace.shape == scan.shape[1:], (kspace.shape, scan.shape)
                assert kspace.dtype == np.complex64, kspace.dtype
    return "read" if scans else "refused"


def run(name, count, folder):
    """Counts by outcome, and the faults."""
    write, file = WRITERS[name]
    found, faults, slowest = Counter(), [], 0.0
    whole = folder / "whole"
    whole.mkdir(parents=True, exist_ok=True)
    write(whole / file, np.random.default_rng(0))
    assert outcome(whole / file) == "read", open_all([whole / file])
    parts = {path.name: path.read_bytes() for path in whole.iterdir()}
    for number in range(count):
        (folder.parent / "at").write_text(f"{name} {number}")
        random = np.random.default_rng(number)
        case = folder / "case"
        case.mkdir(exist_ok=True)
        for part, raw in parts.items():
            (case / part).write_bytes(raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (of_bytes if number % 2 else STRUCTURED[name])(case / file, random)
        start = time.perf_counter()
        try:
            found[outcome(case / file)] += 1
        except UserError as error:
            found["refused when read"] += 1
            if "\n" in str(error):
                faults.append((number, str(error)))
        except BaseException:
            faults.append((number, traceback.format_exc()[-800:]))
        seconds = time.perf_counter() - start
        slowest = max(slowest, seconds)
        if seconds > LONGEST_S:
            faults.append((number, f"took {seconds:.1f} s"))
    return {"format": name, "outcomes": dict(found), "faults": faults, "slowest_s": round(slowest, 2)}


if __name__ == "__main__":
    warnings.simplefilter("error")
    probe.LONGEST_S = 2.0
    for wanted in sys.argv[1].split(","):
        print(json.dumps(run(wanted, int(sys.argv[2]), Path(sys.argv[3]) / wanted)), flush=True)
