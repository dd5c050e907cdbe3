import xml.etree.ElementTree as ET
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from bench import config, registry
from bench.data.dataset import Dataset
from bench.data.geometry import Frame
from bench.data.prepare import (
    open_split,
    prepare,
    prepare_slice,
    sampling_mask,
    slice_numbers,
)
from bench.data.protocol import Vessel
from bench.data.slices import Place, Slices
from bench.errors import UserError
from bench.metrics.image import foreground
from bench.mri.fourier import fft2c, to_low_resolution
from bench.mri.sense import Sense

SMOKE = config.load("smoke")


@pytest.fixture(scope="module")
def head(phantom):
    return Frame(phantom.series("test")[0].source.load("phantom-5"))


def test_a_batch_is_what_the_scanner_gives(phantom):
    acquisition, target = open_split(phantom, "test").batch([0, 2])
    assert acquisition.kspace.shape == (2, 4, 24, 20)
    assert target.image_hr.shape == (2, 48, 40)
    assert acquisition.kspace.dtype == torch.complex64
    assert (acquisition.kspace[~acquisition.mask[:, None].expand_as(acquisition.kspace)] == 0).all()
    adjoint = Sense(acquisition.maps_lr, acquisition.mask).adjoint(acquisition.kspace)
    assert torch.allclose(adjoint, acquisition.zero_filled, atol=1e-5)
    assert torch.quantile(acquisition.zero_filled.abs().flatten(1), 0.99, dim=1).tolist() == pytest.approx(
        [1, 1], rel=1e-4
    )
    assert target.peak.tolist() == pytest.approx(target.image_hr.abs().amax((-2, -1)).tolist())


@pytest.fixture
def prepared(phantom, head):
    """Prepare the first test slice with some of the protocol's fields changed."""
    series = phantom.series("test")[0]
    number = slice_numbers(series, head)[0]
    return lambda **changes: prepare_slice(replace(series, protocol=replace(series.protocol, **changes)), head, number)


@pytest.mark.parametrize("phase_encode", [(True, True), (False, True), (True, False)])
@pytest.mark.parametrize("coils", [18, 8, 4])
def test_fully_sampled_and_without_noise_the_adjoint_is_the_truth(prepared, coils, phase_encode):
    found = prepared(noise=0.0, coils=coils, phase_encode=phase_encode, matrix=(96, 80), voxel_mm=(2.1, 2.1))
    maps, kspace = (torch.from_numpy(found[name])[None] for name in ("maps", "kspace"))
    support = maps[0].abs().sum(0) > 0
    assert support[found["foreground"]].all()
    for grid, step in (("image_hr", 1), ("image_lr", 2)):
        truth, data = torch.from_numpy(found[grid]), kspace if step == 1 else to_low_resolution(kspace, (48, 40))
        sense = Sense(maps[..., ::step, ::step], torch.ones(1, *truth.shape, dtype=torch.bool))
        error = (sense.adjoint(data)[0] - truth)[support[::step, ::step]].abs().square().mean().sqrt()
        assert error < 0.01 * truth.abs().max()


def test_the_truth_does_not_depend_on_coils_or_noise(prepared):
    first, *others = [prepared(coils=coils, noise=noise) for coils, noise in ((18, 0.0), (8, 0.01), (4, 0.07))]
    for name in ("image_hr", "image_lr", "foreground"):
        assert all(found[name].tobytes() == first[name].tobytes() for found in others)


def test_the_noise_is_the_same_pattern_at_every_level_and_has_its_size(prepared):
    quiet, *noisy = [prepared(coils=18, noise=noise)["kspace"] for noise in (0.0, 0.01, 0.05)]
    weak, strong = (kspace - quiet for kspace in noisy)
    assert np.sqrt((np.abs(strong) ** 2).mean()) == pytest.approx(0.05, rel=0.03)
    np.testing.assert_allclose(strong, 5 * weak, atol=1e-4)


def test_two_protocols_show_the_same_acquisition_of_a_person(phantom, head):
    series = phantom.series("test")[0]
    other = replace(series, protocol=replace(series.protocol, id="other", acceleration=9.0))
    number = slice_numbers(series, head)[0]
    one, two = (prepare_slice(s, head, number) for s in (series, other))
    assert one["kspace"].tobytes() == two["kspace"].tobytes()
    assert other.path == series.path  # whose mask is laid on when it is read


def test_the_foreground_is_that_of_the_anatomy_in_every_contrast(phantom, head):
    series = phantom.series("test")[0]
    number = slice_numbers(series, head)[0]
    views = [replace(series.view, remap=remap) for remap in ("t1w", "t2w-synth", "t2-flair-synth")]
    masks = [prepare_slice(replace(series, view=view), head, number)["foreground"] for view in views]
    assert all(np.array_equal(mask, masks[0]) for mask in masks)
    assert 0.2 < masks[0].mean() < 0.8


def test_slices_give_the_foreground_of_the_file_or_of_the_truth(phantom, cache, tmp_path):
    slices = open_split(phantom, "test")
    acquisition, target = slices.batch([0])
    inside = slices.foreground(0)
    assert inside.shape == target.image_hr.shape[1:]
    path = tmp_path / "raw.h5"
    with h5py.File(slices.places[0].path) as before, h5py.File(path, "w") as file:
        file["image_hr"] = before["image_hr"][()]
        file.attrs["voxel_mm"] = before.attrs["voxel_mm"]
    raw = replace(slices, places=(slices.places[0]._replace(path=path),)).foreground(0)
    assert np.array_equal(raw, foreground(target.image_hr[0].abs().numpy(), acquisition.voxel_mm))
    assert 2 * (raw & inside).sum() > 0.9 * (raw.sum() + inside.sum())


def test_the_same_key_gives_the_same_bytes(phantom, head):
    series = phantom.series("test")[0]
    number = slice_numbers(series, head)[0]
    first, second = (prepare_slice(series, Frame(series.source.load("phantom-5")), number) for _ in range(2))
    for name in ("kspace", "maps", "image_hr", "image_lr"):
        assert first[name].tobytes() == second[name].tobytes()


def test_coil_maps_change_from_slice_to_slice(phantom):
    with h5py.File(phantom.series("train")[0].path) as file:
        maps = file["maps"][()]
    assert len(maps) == 1 or np.abs(np.abs(maps[0]) - np.abs(maps[-1])).max() > 0.05


def test_a_file_has_what_fastmris_reader_asks_for(phantom):
    series = phantom.series("test")[0]
    with h5py.File(series.path) as file:
        assert file["kspace"].shape == (series.count, 4, 48, 40)
        assert file["kspace"].dtype == np.complex64
        assert file["reconstruction_rss"].shape == (series.count, 48, 40)
        assert {"max", "norm", "acquisition", "patient_id"} <= set(file.attrs)
        root = ET.fromstring(file["ismrmrd_header"][()])
    name = "{http://www.ismrm.org/ISMRMRD}"
    limits = root.find(f"{name}encoding/{name}encodingLimits/{name}kspace_encoding_step_1")
    assert limits.find(f"{name}maximum").text == "39"
    assert root.find(f"{name}encoding/{name}reconSpace/{name}matrixSize/{name}x").text == "48"


def test_the_key_follows_declarations_only(phantom):
    vwi = registry.datasets()["vwi"].made_by()
    key = phantom.key("train")
    assert Dataset.of(vwi, "phantom", SMOKE, 0, None).key("train") == key
    assert Dataset.of(replace(vwi, noise=0.5), "phantom", SMOKE, 0, None).key("train") != key
    assert Dataset.of(replace(vwi, version=99), "phantom", SMOKE, 0, None).key("train") != key
    assert Dataset.of(replace(vwi, caveats=("said",)), "phantom", SMOKE, 0, None).key("train") == key
    assert Dataset.of(vwi, "phantom", SMOKE, 1, None).key("train") != key


def test_a_limit_concerns_the_test_split_only():
    limited = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", SMOKE, 0, 2)
    assert limited.counts == {"train": 8, "validation": 4, "test": 2}


def test_a_run_prepares_no_more_than_it_can_draw():
    settings = config.load("smoke", ["training.iterations=1", "training.batch=1"])
    counts = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", settings, 0, None).counts
    assert counts == {"train": 1, "validation": 1, "test": 4}


def test_slices_are_shared_out_over_subjects_and_views():
    data = Dataset.of(registry.datasets()["vwi"].made_by(), "heads", config.load("laptop"), 0, None)
    assert [series.count for series in data.series("train")] == [22] * 6 + [21] * 8
    assert data.count("train", "validation", "test") == 400


def test_a_foreign_source_is_refused_in_one_line():
    with pytest.raises(UserError, match="does not take source 'vfa-raw': use heads or phantom"):
        Dataset.of(registry.datasets()["vwi"].made_by(), "vfa-raw", SMOKE, 0, None)


def flip_a_byte(path):
    """In the middle of a truth."""
    with h5py.File(path) as file:
        chunk = file["image_hr"].id.get_chunk_info(0)
    with path.open("r+b") as file:
        file.seek(chunk.byte_offset + chunk.size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("damage", ["truncated", "missing", "flipped"])
def test_a_damaged_file_is_made_again(phantom, tmp_path, monkeypatch, damage):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    small = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", SMOKE, 0, 1)
    prepare(small, ["test"], 1, lambda *_: None)
    path = small.series("test")[0].path
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "missing":
        path.unlink()
    else:
        flip_a_byte(path)
    reports = []
    prepare(small, ["test"], 1, lambda *report: reports.append(report))
    assert reports[-1] == ("preparing vwi", 1, 1)
    assert path.read_bytes() == content
    assert len(open_split(small, "test").batch([0])[0].kspace) == 1


def test_a_file_damaged_meanwhile_is_named(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"a\.h5"):
        Slices((Place(path, 0, "t1w", 0),), (np.ones((4, 4), bool),), "key", (True, True)).batch([0])


def test_brain_keeps_its_readout_fully_sampled():
    mask = sampling_mask(Dataset.of(registry.datasets()["brain"].made_by(), "phantom", SMOKE, 0, None).protocol)
    assert (mask == mask[:1]).all()


def test_laptop_keeps_the_field_of_view():
    protocol = registry.datasets()["vwi"].made_by()
    laptop = protocol.at(2, 8, 2)
    assert (laptop.matrix, laptop.coils, laptop.centre) == ((168, 140), 8, 12)
    assert laptop.voxel_mm == pytest.approx((1.2, 1.2))
    assert registry.datasets()["vfa"].made_by().at(2, 8, 2).matrix == (168, 168)


def test_truths_share_one_scale(phantom):
    _, target = open_split(phantom, "test").batch([0])
    energy = [fft2c(image).abs().max() / image.shape[-1] for image in (target.image_lr, target.image_hr)]
    assert float(energy[0] / energy[1]) == pytest.approx(1.0, rel=0.15)


def test_a_vessel_counts_where_it_is_whole_and_inside_the_field_of_view(head):
    laptop = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", config.load("laptop"), 0, None).protocol
    inside, near_the_edge = (np.full((180, 2), at) for at in ((90.0, 75.0), (90.0, 10.0)))
    inside[1] = np.nan
    tubes = (Vessel(inside, 3.0, 1.5), Vessel(near_the_edge, 3.0, 1.5))
    found = Frame(replace(head.head, vessels=tubes)).vessels(laptop, [0, 1], (1.2, 1.2))
    assert found.shape == (2, 2, 4)
    assert found[0, 0, 2:].tolist() == [3.0, 1.5]
    assert np.isfinite(found).all(-1).tolist() == [[True, False], [False, False]]


def test_the_phantom_tells_of_vessels_that_lie_whole_in_tissue(head):
    assert len(head.head.vessels) == 4
    y, x = np.mgrid[:180, :150]
    for tube in head.head.vessels:
        told = np.flatnonzero(np.isfinite(tube.centre).all(1))
        assert 20 < len(told) < 160
        for number in told[::10]:
            radius = 1.2 * np.hypot(y - tube.centre[number, 0], x - tube.centre[number, 1])
            ring = (radius > tube.lumen_mm + 0.3 * tube.wall_mm) & (radius < tube.lumen_mm + 0.7 * tube.wall_mm)
            assert head.head.volume[number, radius < tube.lumen_mm - 1.2].max() < 0.2
            assert head.head.volume[number, ring].min() > 0.4


def test_a_bit_that_flips_meanwhile_is_noticed_when_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    small = Dataset.of(registry.datasets()["vwi"].made_by(), "phantom", SMOKE, 0, 1)
    prepare(small, ["test"], 1, lambda *_: None)
    flip_a_byte(small.series("test")[0].path)
    with pytest.raises(UserError, match="is damaged"):
        open_split(small, "test").batch([0])
