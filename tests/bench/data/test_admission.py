from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import config, registry
from bench.data.admission import admit, admit_contrast, admit_protocol, admit_source
from bench.data.dataset import Dataset, make_source
from bench.data.prepare import prepare
from bench.data.protocol import Head, RawSubject
from bench.errors import UserError
from bench.mri.coils import compress, compression, espirit_maps
from bench.mri.fourier import ifft2c

MATRIX = (48, 40)


def ellipse(shape=MATRIX, number=0, width=0.75, coils=3):
    """(coil, Y, X) centred orthonormal k-space of a textured ellipse with noise."""
    random = np.random.default_rng([7, number])
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, endpoint=False) for n in shape), indexing="ij")
    body = (np.hypot(y / 0.8, x / width) < 1) * (1 + 0.3 * np.sin(9 * x + number) * np.sin(7 * y))
    maps = [np.exp(-((y - np.sin(t)) ** 2 + (x - np.cos(t)) ** 2) / 1.6 + 1j * t) for t in range(coils)]
    images = np.fft.ifftshift(np.stack(maps) * body, axes=(-2, -1))
    kspace = np.fft.fftshift(np.fft.fft2(images, norm="ortho"), axes=(-2, -1))
    noise = random.standard_normal((2, *kspace.shape)) * 0.01
    return (kspace + noise[0] + 1j * noise[1]).astype(np.complex64)


def raw(change=lambda kspace: None, **voxel):
    kspace = {("t1w", n): ellipse(number=n) for n in range(4)} | {("pd", 0): ellipse(number=9)}
    changed = change(kspace)
    return RawSubject(kspace if changed is None else changed, voxel.get("voxel_mm", (1.0, 1.0)))


def taken_in(subject, contrast="t1w", matrix=MATRIX):
    return admit_contrast("ann", admit("ann", subject).subject, contrast, matrix)


def each(change):
    return lambda kspace: {key: change(array) for key, array in kspace.items()}


def put(key, value):
    return lambda kspace: kspace.update({key: value(kspace[key])})


def set_to(value, *index):
    def change(array):
        array = array.copy()
        array[index] = value
        return array

    return change


def kept(array, mask):
    return array * mask


def spot(image):
    """An image whose brightest pixel is the one in the middle."""
    image = image.copy()
    image[:, MATRIX[0] // 2, MATRIX[1] // 2] = 2 * np.abs(image).max()
    return image


def test_what_is_as_the_contract_says_passes_unchanged_and_without_a_word():
    found = taken_in(raw())
    assert found.remarks == ()
    assert list(found.subject.kspace) == [("t1w", n) for n in range(4)]
    assert all(np.array_equal(array, raw().kspace[key]) for key, array in found.subject.kspace.items())


REFUSED = {
    "DC in the corner": (
        each(lambda k: np.fft.ifftshift(k, axes=(-2, -1))),
        "'ann, t1w, slice 0': kspace has its maximum at (0, 0), not in the middle: shift DC to N // 2",
    ),
    "DC in the corner of one slice": (
        put(("t1w", 2), lambda k: np.fft.ifftshift(k, axes=(-2, -1))),
        "'ann, t1w, slice 2': kspace has its maximum at",
    ),
    "DC beside the middle": (
        each(lambda k: np.roll(k, 5, axis=-1)),
        "kspace has its maximum at (24, 25), not in the middle",
    ),
    "images for k-space": (
        each(lambda k: np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(k, axes=(-2, -1))), axes=(-2, -1))),
        "'ann, t1w, slice 0': kspace has its maximum at (38, 30), not in the middle",
    ),
    "images for k-space, bright in the middle": (
        each(lambda k: spot(np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(k, axes=(-2, -1))), axes=(-2, -1)))),
        "'ann, t1w': kspace is as strong at the ends of its rows as in the middle: is it an image there?",
    ),
    "NaN": (
        put(("t1w", 2), set_to(np.nan, 1, 7, 9)),
        "'ann, t1w, slice 2': kspace holds NaN or infinity (one sample, at (1, 7, 9))",
    ),
    "infinity": (put(("t1w", 2), set_to(np.inf, 0)), "'ann, t1w, slice 2': kspace holds NaN or infinity (33.3% of it"),
    "magnitudes": (each(np.abs), "kspace is float32 (3, 48, 40), not complex64 with 3 axes"),
    "no coil axis": (each(lambda k: k[0]), "kspace is complex64 (48, 40), not complex64 with 3 axes"),
    "no array": (each(lambda k: k.tolist()), "kspace is list, not complex64 with 3 axes"),
    "too small": (
        each(lambda k: k[:, 4:-4, 4:-4]),
        "'ann, t1w, slice 0': kspace is 40 x 32, the dataset's matrix 48 x 40: it can be no smaller",
    ),
    "coils last": (each(lambda k: np.moveaxis(k, 0, -1)), "or name its axes in the order (coil, Y, X)"),
    "coils lost": (
        put(("t1w", 3), lambda k: k[:2]),
        "'ann, t1w, slice 3': kspace has 2 coils, the slices before it 3",
    ),
    "no such contrast": (
        lambda kspace: {("T1", n): array for (_, n), array in kspace.items()},
        "'ann' has the contrasts T1, and not 't1w', which the dataset asks for",
    ),
    "nothing": (lambda kspace: kspace.clear(), "'ann' has no slice"),
    "zeros": (each(lambda k: 0 * k), "'ann, t1w' has nothing but zeros"),
    "another unit": (each(lambda k: k * np.float32(1e-12)), "multiply it by a constant, so that they are about 1"),
    "interpolated": (
        each(lambda k: np.pad(k[:, 8:-8], ((0, 0), (8, 8), (0, 0)))),
        "'ann, t1w, slice 0': kspace has 16 of 48 rows zero on both sides: interpolated by the scanner",
    ),
    "partial Fourier": (each(set_to(0, ..., slice(0, 10))), "kspace has 10 of 40 columns zero on one side: partial Fourier"),
    "undersampled": (
        each(set_to(0, ..., slice(1, None, 4))),
        "kspace has 10 of 40 columns zero: it is undersampled, unfit as a truth",
    ),
    "undersampled along both axes": (
        each(lambda k: k * (np.random.default_rng(0).random(k.shape[1:]) < 0.5)),
        "of its samples zero: it is undersampled, unfit as a truth",
    ),
    "undersampled by another mask a slice": (
        lambda kspace: {key: kept(k, np.random.default_rng(key[1]).random(k.shape[1:]) < 0.5) for key, k in kspace.items()},
        "'ann, t1w, slice 0': kspace has 50% of its samples zero: it is undersampled",
    ),
    "undersampled by other lines a slice": (
        lambda kspace: {key: set_to(0, ..., slice(1 + key[1], None, 4))(k) for key, k in kspace.items()},
        "'ann, t1w, slice 0': kspace has 10 of 40 columns zero: it is undersampled",
    ),
    "one bad slice": (
        put(("t1w", 2), lambda k: kept(k, np.random.default_rng(0).random(k.shape[1:]) < 0.5)),
        "'ann, t1w, slice 2': kspace has 50% of its samples zero: it is undersampled",
    ),
    "a line lost in one slice": (
        put(("t1w", 1), set_to(0, ..., 27)),
        "'ann, t1w, slice 1': kspace has 1 of 40 columns zero: it is undersampled",
    ),
    "partial Fourier of one slice": (
        put(("t1w", 3), set_to(0, ..., slice(0, 10))),
        "'ann, t1w, slice 3': kspace has 10 of 40 columns zero on one side: partial Fourier",
    ),
    "slices of other sizes": (
        put(("t1w", 1), lambda k: ellipse((64, 55), 1)),
        "'ann, t1w, slice 1': kspace is 64 x 55, the slices before it 48 x 40: a contrast has one field of view",
    ),
    "DC beside the middle of a large grid": (
        lambda kspace: {key: np.roll(ellipse((96, 96), key[1]), 4, axis=-2) for key in kspace},
        "'ann, t1w': kspace has its maximum at (52, 48), not in the middle, (48, 48): shift DC to N // 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_mended_is_refused_with_who_and_the_value_found(case):
    change, words = REFUSED[case]
    with pytest.raises(UserError) as error:
        taken_in(raw(change))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "voxel_mm", [(0.0012, 0.0012), (1200, 1200), (1.0,), (1.0, -1.0), (1.0, float("nan")), "1 x 1"]
)
def test_a_voxel_of_another_unit_or_form_is_refused(voxel_mm):
    with pytest.raises(UserError, match=r"'ann' has voxel_mm .*: give 2 lengths, 0\.05 to 20 mm each"):
        admit("ann", raw(voxel_mm=voxel_mm))


MENDED = {
    "precision": (
        each(lambda k: k.astype(np.complex128)),
        ["'ann, t1w, slice 0': kspace is complex128 (3, 48, 40), not complex64: converted."],
        1,
    ),
    "an empty slice": (
        put(("t1w", 2), lambda k: 0 * k),
        ["'ann, t1w, slice 2': kspace holds nothing but zeros: left out."],
        1,
    ),
    "a slice twice": (
        lambda kspace: kspace.update({("t1w", 3): kspace["t1w", 1].copy()}),
        ["'ann, t1w, slice 3' has the same samples as slice 1: left out."],
        1,
    ),
    "corners not measured": (
        each(
            lambda k: k * (np.hypot(*np.meshgrid(*(np.linspace(-1, 1, n) for n in k.shape[1:]), indexing="ij")) < 1.1)
        ),
        ["of the k-space samples are zero, as where corners were not measured."],
        1,
    ),
    "oversampled": (
        lambda kspace: {key: ellipse(number=key[1], width=0.4) for key in kspace},
        ["'ann, t1w': half of the field of view along x is empty: was oversampling not removed?"],
        1,
    ),
}


@pytest.mark.parametrize("case", MENDED)
def test_what_is_mended_or_odd_is_said(case):
    change, words, count = MENDED[case]
    found = taken_in(raw(change))
    assert len(found.remarks) == count
    assert words[0] in found.remarks[0] if case == "corners not measured" else words[0] == found.remarks[0]
    assert all(array.dtype == np.complex64 and array.any() for array in found.subject.kspace.values())


def test_a_slice_of_next_to_nothing_is_not_looked_at_for_zeros():
    faint = taken_in(raw(put(("t1w", 0), lambda k: set_to(0, ..., slice(1, None, 2))(k) * np.float32(0.005))))
    assert faint.remarks == ()
    assert len(faint.subject.kspace) == 4


def test_a_line_of_zeros_that_makes_an_odd_number_even_may_stand_at_an_end():
    padded = each(lambda k: set_to(0, slice(None), slice(0, 2))(set_to(0, ..., 0)(k)))
    assert taken_in(raw(padded)).remarks == (
        "'ann, t1w': 6.6% of the k-space samples are zero, as where corners were not measured.",
    )


def test_dc_may_lie_a_sample_or_two_beside_the_middle_and_weak_slices_anywhere():
    assert taken_in(raw(each(lambda k: np.roll(k, 2, axis=-1)))).remarks == ()
    weak = put(("t1w", 2), lambda k: np.fft.ifftshift(k, axes=(-2, -1)) * np.float32(0.05))
    assert taken_in(raw(weak)).remarks == ()


def test_contrasts_may_differ_in_size_and_one_coil_will_do():
    sizes = {("t1w", 0): ellipse((64, 55)), ("t1w", 1): ellipse((64, 55), 1), ("pd", 0): ellipse((53, 47), 2, coils=1)}
    assert taken_in(RawSubject(sizes, None)).remarks == ()
    assert taken_in(RawSubject(sizes, None), "pd").remarks == ()


def test_the_content_tells_people_apart_and_is_that_of_the_samples():
    assert taken_in(raw()).content == taken_in(raw()).content
    assert taken_in(raw()).content != taken_in(raw(put(("t1w", 0), lambda k: k * 2))).content


@pytest.mark.parametrize(
    "key",
    ["t1w", (0, "t1w"), ("t1w", -1), ("t1w", 1.0), ("t1w", True), ("", 0), ("t1\nw", 0), ("t1w", 0, 0), ("t1w", "0")],
)
def test_slices_are_called_by_contrast_and_number(key):
    with pytest.raises(UserError) as error:
        admit("ann", RawSubject({("t1w", 0): ellipse(), key: ellipse()}, None))
    assert str(error.value).startswith(f"'ann' has a slice called {key!r}: call it (contrast, number)")
    assert "\n" not in str(error.value)


def test_numbers_of_slices_may_be_those_of_numpy():
    numbers = RawSubject({("t1w", np.int64(n)): ellipse(number=n) for n in range(3)}, None)
    assert len(taken_in(numbers).subject.kspace) == 3


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        (["a", "b"], "gives list: a dict of train, validation and test is due"),
        ({"tset": ("a",)}, "'tset' is no split: use train, validation, test"),
        ({"test": "abc"}, "subjects of 'test' are 'abc': give a tuple of names"),
        ({"test": ("a", 3)}, "subjects of 'test' are ('a', 3): give a tuple of names"),
        ({"test": ("a", "")}, "give a tuple of names"),
        ({"test": ("a\nb",)}, "give a tuple of names"),
        ({"train": ("a",), "test": ("a",)}, "'a' stands in 'train' and in 'test': name everybody once"),
    ],
)
def test_a_source_that_declares_other_than_people_is_refused(subjects, words):
    class Mine(type(make_source("phantom"))):
        def subjects(self):
            return subjects

        def folds(self):
            return 1

    with pytest.raises(UserError) as error:
        admit_source(Mine())
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"matrix": (55, 48)}, "its matrix 55 x 48 must be even and at least 16 along both axes"),
        ({"matrix": (8, 48)}, "its matrix 8 x 48 must be even"),
        ({"views": ()}, "has no view"),
        ({"phase_encode": (False, False)}, "phase_encode names no axis"),
    ],
)
def test_a_protocol_by_which_nothing_can_be_acquired_is_refused(change, words):
    protocol = registry.datasets()["brain"].made_by()
    admit_protocol(protocol)
    with pytest.raises(UserError) as error:
        admit_protocol(replace(protocol, **change))
    assert words in str(error.value)


def test_views_of_one_name_are_refused():
    protocol = registry.datasets()["brain"].made_by()
    with pytest.raises(UserError, match="two views of the contrast 't1w'"):
        admit_protocol(replace(protocol, views=protocol.views[:1] * 2))


def test_a_head_is_a_head():
    with pytest.raises(UserError, match=r"'ann' is a dict: return a bench\.Head or a bench\.RawSubject"):
        admit("ann", {})
    with pytest.raises(UserError, match=r"'ann' has voxel_mm \(1, 1\): give 3 lengths"):
        admit("ann", Head(np.ones((4, 4, 4), np.float32), (1, 1)))


@pytest.mark.parametrize("factor", [1e-8, 1e8])
def test_any_scale_gives_the_same_coil_maps_and_image(factor):
    def combined(kspace):
        kspace = compress(kspace, compression(kspace, 3, 0, 24), 0)
        return (espirit_maps(kspace).conj() * ifft2c(kspace)).sum(0).abs()

    kspace = torch.from_numpy(ellipse((64, 64), coils=5))
    expected, found = combined(kspace), combined(kspace * factor) / factor
    assert float((found - expected).abs().max() / expected.max()) < 1e-3


OWN = """
import numpy as np
import bench

@bench.source("fewer")
class Fewer(bench.Source):
    label, datasets = "made up", ("vwi",)

    def subjects(self):
        return {"test": ("ann",)}

    def digests(self, subject):
        return ()

    def load(self, subject):
        import sys
        sys.path.insert(0, HERE)
        from test_admission import ellipse
        slices = {(c, n): ellipse(number=n, coils=2) for c in ("t1w-axial", "t1w-coronal") for n in range(6)}
        return bench.RawSubject(slices, (9.0, 4.2))
"""


def test_fewer_coils_and_coarser_voxels_than_asked_for_are_said(cache, tmp_path):
    path = tmp_path / "fewer.py"
    path.write_text(OWN.replace("HERE", repr(str(Path(__file__).parent))))
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "fewer", config.load("smoke"), 0, None)
    said = prepare(data, ["test"], 1, lambda *_: None)
    assert "'ann, t1w-axial': 2 coils, not 4." in said
    assert any("voxels of 9.00 x 4.20 mm, not " in line for line in said)
    assert prepare(data, ["test"], 1, lambda *_: None) == said


LOADS = {
    "raise OSError('no such')": "subject 'ann', contrast 't1w-axial' cannot be prepared: OSError: no such (ends.py, line",
    "raise SystemExit(3)": "cannot be prepared: SystemExit: 3",
    "return np.ones((4, 48, 40))": "'ann' is a ndarray: return a bench.Head or a bench.RawSubject",
    "return None": "'ann' is a NoneType",
}


@pytest.mark.parametrize("body", LOADS)
def test_whatever_load_does_is_one_line(cache, tmp_path, body):
    path = tmp_path / "ends.py"
    text = OWN.replace("fewer", "ends")
    path.write_text(text[: text.index("        import sys")] + f"        {body}\n")
    registry.discover((path,))
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "ends", config.load("smoke"), 0, None)
    with pytest.raises(UserError) as error:
        prepare(data, ["test"], 1, lambda *_: None)
    assert LOADS[body] in str(error.value)
    assert str(error.value).count("Source 'ends'") == 1
    assert "\n" not in str(error.value)
