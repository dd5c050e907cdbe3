"""The door: what scripts and notebooks call."""

import doctest
import math

import numpy as np
import pandas as pd
import pytest
import torch

import bench
from bench import acquisition, api, registry
from bench.errors import UserError
from bench.metrics import image as image_scores
from bench.metrics.scores import DETAILS, SCORES
from bench.store.layout import ResultsFolder
from bench.store.records import Keys, RunRecord
from bench.store.tables import IDENTITY, write_rows

LR, HR = (48, 40), (96, 80)


def grid(shape):
    """Positions from -1 to 1 on the FFT grid, where DC's pixel lies at 0."""
    return np.meshgrid(*((np.arange(n) - n // 2) / (n / 2) for n in shape), indexing="ij")


def true_maps(shape):
    """Four smooth coils of unit norm."""
    y, x = grid(shape)
    places = ((-1, 0), (1, 0), (0, -1), (0, 1))
    coils = np.stack([np.exp(-0.7 * ((y - a) ** 2 + (x - b) ** 2) + 1j * (a * x + b * y)) for a, b in places])
    return coils / np.sqrt((abs(coils) ** 2).sum(0))


def true_image(shape):
    """A smooth complex object."""
    y, x = grid(shape)
    return np.exp(-4 * (y**2 + 1.5 * x**2)) * (1 - 0.4 * np.exp(-30 * ((y - 0.1) ** 2 + x**2))) * np.exp(0.4j * y)


def measured(every=1, centre=24):
    """Fully sampled, or every so many columns and a centre."""
    kspace = bench.fft2c(torch.from_numpy(true_maps(LR) * true_image(LR))).numpy()
    kept = (np.arange(LR[1]) % every == 0) | (abs(np.arange(LR[1]) - LR[1] // 2 + 0.5) < centre / 2)
    return kspace * kept


@pytest.mark.parametrize(("module", "least"), [(acquisition, 5), (api, 8)])
def test_the_examples_in_the_docstrings_say_what_comes_out(cache, module, least):
    found = doctest.testmod(module)
    assert found.attempted >= least
    assert not found.failed


# --- acquire


def test_numpy_and_torch_batched_or_not_give_the_same():
    kspace = measured(2)
    one = bench.acquire(kspace)
    others = [
        bench.acquire(torch.from_numpy(kspace)),
        bench.acquire(kspace[None]),
        bench.acquire(np.asfortranarray(kspace)),
    ]
    assert one.kspace.shape == (1, 4, *LR)
    assert one.kspace.dtype == torch.complex64
    assert one.maps_hr.shape == (1, 4, *HR)
    for other in others:
        for name in ("kspace", "mask", "maps_lr", "maps_hr", "zero_filled"):
            assert torch.equal(getattr(one, name), getattr(other, name))
    two = bench.acquire(np.stack([kspace, 2 * kspace]))
    assert two.mask.shape == (2, *LR)
    assert torch.allclose(two.zero_filled[1], 2 * two.zero_filled[0], atol=1e-5)
    assert torch.allclose(two.maps_hr[0], two.maps_hr[1], atol=1e-4)


def test_the_mask_is_where_anything_was_measured_unless_it_is_given():
    kspace = measured(2)
    sampled = (kspace != 0).any(0)
    assert np.array_equal(bench.acquire(kspace).mask[0].numpy(), sampled)
    fewer = sampled & (np.arange(LR[1]) % 4 != 0)
    fewer[:, 8:32] = True
    for mask in (fewer, fewer.astype(float), torch.from_numpy(fewer), fewer[None]):
        given = bench.acquire(kspace, mask=mask)
        assert np.array_equal(given.mask[0].numpy(), fewer)
        assert not given.kspace[0, :, ~torch.from_numpy(fewer)].any()


def test_maps_may_be_given_on_either_grid():
    kspace = measured()
    fine = bench.acquire(kspace, maps=true_maps(HR))
    assert np.allclose(fine.maps_hr[0].numpy(), true_maps(HR), atol=1e-5)
    assert torch.equal(fine.maps_lr, fine.maps_hr[..., ::2, ::2])
    coarse = bench.acquire(kspace, maps=torch.from_numpy(3 * true_maps(LR)))
    assert np.allclose(coarse.maps_lr[0].numpy(), true_maps(LR), atol=1e-5)
    assert np.allclose(coarse.maps_hr[0].numpy()[:, 4:-4, 4:-4], true_maps(HR)[:, 4:-4, 4:-4], atol=0.01)


def test_espirit_finds_the_true_maps_but_for_a_phase():
    found = bench.acquire(measured(2)).maps_hr[0].numpy()
    inside = abs(true_image(HR)) > 0.1
    alike = abs((found.conj() * true_maps(HR)).sum(0))[inside]
    assert alike.min() > 0.99
    assert np.allclose((abs(found) ** 2).sum(0)[inside], 1, atol=1e-4)


def test_zero_filled_is_the_adjoint_and_with_all_of_kspace_the_truth():
    acquisition = bench.acquire(measured(), maps=true_maps(HR))
    assert np.allclose(acquisition.zero_filled[0].numpy(), true_image(LR), atol=1e-4)
    assert acquisition.voxel_mm is None
    assert bench.acquire(measured(), voxel_mm=(0.6, 0.7)).voxel_mm == (0.6, 0.7)


def test_the_axis_of_the_readout_is_told_from_the_mask():
    columns = measured(2)
    assert bench.acquire(columns).phase_encode == (False, True)
    rows = bench.acquire(columns.swapaxes(1, 2), maps=true_maps(HR).swapaxes(1, 2))
    assert rows.phase_encode == (True, False)
    scattered = np.random.default_rng(0).random(LR) < 0.5
    scattered[12:36, 8:32] = True
    assert bench.acquire(measured(), mask=scattered).phase_encode == (True, True)


def damaged(kspace):
    kspace[2, 3, 4] = np.nan
    return kspace


@pytest.mark.parametrize(
    ("kspace", "options", "words"),
    [
        (lambda k: np.fft.ifftshift(k, (1, 2)), {}, r"maximum at \(0, 0\), not in the middle: shift DC to N // 2"),
        (lambda k: np.fft.ifftshift(k, 2), {}, r"maximum at \(24, 0\), not in the middle"),
        (damaged, {}, "NaN or infinity"),
        (lambda k: 0 * k, {}, "nothing but zeros"),
        (lambda k: k[0], {}, r"kspace must be \(coil, y, x\) or .*; got \(48, 40\)"),
        (lambda k: k[None, None], {}, r"got \(1, 1, 4, 48, 40\)"),
        (lambda k: k[:, 1:, 1:], {}, r"even y and x; got \(1, 4, 47, 39\): put a line of zeros before the first"),
        (lambda k: k, {"mask": np.ones((40, 48))}, r"mask \(1, 40, 48\) does not fit kspace \(1, 4, 48, 40\)"),
        (lambda k: k, {"mask": np.ones((2, *LR))}, r"mask \(2, 48, 40\) does not fit"),
        (lambda k: k, {"mask": np.ones(40)}, "mask .* does not fit"),
        (lambda k: k, {"maps": np.ones((3, *LR))}, r"maps must be \(1, 4, 48, 40\) or \(1, 4, 96, 80\); got \(1, 3, 48, 40\)"),
        (lambda k: k, {"maps": np.ones(LR)}, "maps must be"),
        (lambda k: k, {"maps": np.zeros((4, *LR))}, "maps hold NaN or infinity, or nothing but zeros"),
        (lambda k: k, {"maps": np.full((4, *HR), np.inf)}, "maps hold NaN or infinity"),
        (lambda k: k * (abs(np.arange(40) - 20) % 3 == 0), {}, "centre is 1 wide, too narrow .*: give maps"),
        (lambda k: k, {"voxel_mm": (0.6, 0.0)}, r"voxel_mm must be two lengths in mm, \(y, x\); got \(0.6, 0.0\)"),
        (lambda k: k, {"voxel_mm": 0.6}, "voxel_mm must be two lengths"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_acquisition_is_refused_in_one_line(kspace, options, words):
    with pytest.raises(UserError, match=words) as error:
        bench.acquire(kspace(measured()), **options)
    assert "\n" not in str(error.value)


def test_what_is_given_is_left_as_it_was():
    kspace, maps = measured(2), true_maps(LR)
    before = kspace.copy(), maps.copy()
    bench.reconstruct(plain(), bench.acquire(kspace, maps=maps))
    assert np.array_equal(kspace, before[0])
    assert np.array_equal(maps, before[1])


# --- load_method, reconstruct


def plain():
    return bench.load_method("cg-sense+sinc", dataset="vwi")


def test_an_image_has_the_place_and_the_scale_of_the_data():
    image = bench.reconstruct(plain(), bench.acquire(measured(2)))
    assert image.shape == HR
    assert image.dtype == np.float32
    truth = abs(true_image(HR))
    assert np.sqrt(((image - truth) ** 2).mean()) < 0.02 * truth.max()
    larger = bench.reconstruct(plain(), bench.acquire(1000 * measured(2)))
    assert np.allclose(larger, 1000 * image, rtol=1e-3, atol=0.1)


def test_a_learned_method_keeps_the_scale_too(cache):
    method = bench.load_method("modl+rrdb", dataset="vwi")
    image, larger = (bench.reconstruct(method, bench.acquire(factor * measured(2))) for factor in (1, 1000))
    assert np.allclose(larger, 1000 * image, rtol=1e-3, atol=0.5)
    assert np.corrcoef(image.ravel(), abs(true_image(HR)).ravel())[0, 1] > 0.98


def test_a_batch_of_two_is_two_images():
    kspace = np.stack([measured(2), 3 * measured(2)])
    images = bench.reconstruct(plain(), bench.acquire(kspace))
    assert images.shape == (2, *HR)
    for image, own in zip(images, kspace, strict=True):
        assert np.allclose(image, bench.reconstruct(plain(), bench.acquire(own)), atol=1e-3)


def test_an_acquisition_of_a_dataset_can_be_reconstructed(phantom):
    slices = bench.open_dataset("vwi", "test", profile="smoke", source="phantom")
    acquisition, target = slices.batch([0, 1])
    images = bench.reconstruct(plain(), acquisition)
    found = bench.score(images[0], target.image_hr[0].abs(), acquisition.voxel_mm)
    assert found["psnr"] > 15


def test_a_bound_is_refused():
    with pytest.raises(UserError, match="'oracle' is a bound: it needs the truth"):
        bench.reconstruct(bench.load_method("oracle+sinc"), bench.acquire(measured()))


@pytest.mark.parametrize(
    ("id", "options", "words"),
    [
        ("modl+rdb", {}, r"Unknown method 'modl\+rdb'\. Did you mean 'modl\+rrdb'\?"),
        ("modl", {}, r"'modl' is a reconstructor, one half of a method: use 'modl\+\*'"),
        ("rrdb", {}, r"'rrdb' is a super-resolver, one half of a method: use '\*\+rrdb'"),
        ("modl+*", {}, r"'modl\+\*' is more than one method: name one"),
        ("proposed", {"dataset": "vwl"}, "Unknown dataset 'vwl'. Did you mean 'vwi'"),
        ("proposed", {"profile": "latop"}, "Did you mean 'laptop'"),
        ("proposed", {"source": "head"}, "Unknown source 'head'. Did you mean 'heads'"),
        ("proposed", {"seed": 7}, "bench run --dataset vwi --profile laptop --methods 'proposed' --seeds 8"),
        ("proposed", {"profile": "smoke"}, "bench run --dataset vwi --profile smoke --methods 'proposed'"),
        ("proposed", {"fold": 2, "seed": 7}, "--seeds 8 --folds 2"),
        ("proposed", {"source": "phantom"}, "--methods 'proposed' --source phantom"),
        ("proposed", {"overrides": ["training.iterations=7"]}, "--methods 'proposed' --set training.iterations=7"),
        ("proposed", {"results": "elsewhere", "seed": 7}, "--seeds 8 --results elsewhere"),
        ("proposed", {"device": "abacus"}, "The device 'abacus' cannot be used"),
    ],
)  # fmt: skip
def test_a_method_that_cannot_be_loaded_is_one_line(id, options, words):
    with pytest.raises(UserError, match=words) as error:
        bench.load_method(id, **options)
    assert "\n" not in str(error.value)


def test_vfa_takes_the_stages_of_vwi():
    one, other = (bench.load_method("modl+rrdb", dataset=dataset) for dataset in ("vwi", "vfa"))
    for ours, theirs in zip(one.halves, other.halves, strict=True):
        assert all(
            torch.equal(a, b) for a, b in zip(ours.network.parameters(), theirs.network.parameters(), strict=True)
        )


def test_a_method_of_a_script_or_notebook_can_be_used():
    class Nearest(bench.SuperResolver):
        version = 1
        __module__ = "__main__"

        def forward(self, magnitude):
            return magnitude.repeat_interleave(2, -1).repeat_interleave(2, -2)

    bench.super_resolver("nearest")(Nearest)
    image = bench.reconstruct(bench.load_method("cg-sense+nearest"), bench.acquire(measured(2)))
    assert np.array_equal(image[::2], image[1::2])


# --- open_dataset


def test_a_split_is_opened(phantom):
    slices = bench.open_dataset("vwi", "train", profile="smoke", source="phantom")
    assert {subject for subject, _, _ in slices.rows} == {f"phantom-{i}" for i in range(4)}
    assert len(slices) == len(slices.rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("vwl",), "Unknown dataset 'vwl'. Did you mean 'vwi'"),
        (("vwi", "tests"), "Unknown split 'tests'. Did you mean 'test'"),
        (("vwi", "test", "phantm"), "Unknown source 'phantm'. Did you mean 'phantom'"),
        (("vfa", "test", "phantom"), "does not take source 'phantom'"),
    ],
)
def test_a_dataset_that_cannot_be_opened_is_one_line(arguments, words):
    name, split, source = (*arguments, "test", None)[:3] if len(arguments) > 1 else (*arguments, "test", None)
    with pytest.raises(UserError, match=words) as error:
        bench.open_dataset(name, split, profile="smoke", source=source)
    assert "\n" not in str(error.value)


# --- score


def test_a_score_is_the_benchmarks():
    truth = abs(true_image(HR))
    image = truth + 0.02 * truth.max()
    found = bench.score(image, torch.from_numpy(truth), voxel_mm=(1.0, 1.0))
    expected = image_scores.score(image, None, truth, truth, (1.0, 1.0), None)
    assert list(found) == ["psnr", "ssim", "lpips", "nmse", "psnr_fg", "ssim_fg", "lpips_fg"]
    assert math.isnan(found.pop("lpips"))
    assert math.isnan(found.pop("lpips_fg"))
    assert found == {name: expected[name] for name in found}
    assert found["psnr"] == pytest.approx(20 * math.log10(1 / 0.02), abs=0.01)
    everywhere = bench.score(image, truth, foreground=np.ones_like(truth))
    assert everywhere["psnr_fg"] == everywhere["psnr"]
    with pytest.raises(UserError, match="foreground is a mask"):
        bench.score(image, truth, foreground=np.zeros_like(truth))


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.ones((4, 4), complex), r"An image is a real magnitude \(Y, X\); got complex128 \(4, 4\)"),
        (np.ones((1, 4, 4)), r"got float64 \(1, 4, 4\)"),
        (np.ones((4, 5)), "These images cannot be scored: .*shapes differ"),
        (np.full((4, 4), np.nan), "must be finite"),
    ],
)
def test_what_cannot_be_scored_is_one_line(image, words):
    with pytest.raises(UserError, match=words) as error:
        bench.score(image, np.ones((4, 4)))
    assert "\n" not in str(error.value)


# --- read_results

SUBJECTS = ["007", "sub-1/ses-2", "a, b", "Zoë", "NA"]


def write(root, method="proposed", group="joint", status="done"):
    folder = ResultsFolder(root).run("vwi", "laptop", method, 0)
    rows = [
        ["vwi", "heads", "laptop", method, 0, 0, s, "t1w", 5, 30.0, 0.9, None, 0.01, 28.0, 0.8, None] for s in SUBJECTS
    ]
    table = pd.DataFrame(rows, columns=[*IDENTITY, *SCORES]).reindex(columns=[*IDENTITY, *SCORES, *DETAILS])
    write_rows(folder.slices, table)
    RunRecord(
        status=status, reason=None, dataset="vwi", source="heads", profile="laptop", method=method, seed=0, fold=0,
        source_label="", caveats=(), group=group, limit=None, subjects={}, contrasts=("t1w",), matrix=(48, 40), voxel_mm=None,
        settings={}, keys=Keys("m", "d"), stages=(), provenance={},
    ).write(folder.record)  # fmt: skip


def test_results_are_one_tidy_table(tmp_path):
    write(tmp_path)
    write(tmp_path, "modl+rrdb", "sequential")
    write(tmp_path, "modl+sinc", "sequential", status="failed")
    table = bench.read_results(tmp_path)
    assert list(table.columns) == [*IDENTITY, "group", *SCORES, *DETAILS]
    assert len(table) == 2 * len(SUBJECTS)
    assert set(table.subject) == set(SUBJECTS)
    assert dict(zip(table.method, table.group, strict=True)) == {"modl+rrdb": "sequential", "proposed": "joint"}
    assert table.psnr.mean() == 30.0
    assert table.lpips.isna().all()
    assert list(table.index) == list(range(len(table)))


def test_where_there_are_no_results_it_says_what_to_type(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match="holds no rows: type bench run --results"):
            bench.read_results(folder)


def test_plugins_of_a_session_are_kept_apart():
    assert "nearest" not in registry.methods()
