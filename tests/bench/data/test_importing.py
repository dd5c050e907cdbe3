"""From files to a dataset of one's own under a name."""

import json
import os

import h5py
import numpy as np
import pytest

from bench import config, registry
from bench.data import importing
from bench.data.dataset import Dataset, make_source
from bench.data.people import Splitting
from bench.data.prepare import open_split, prepare
from bench.errors import UserError
from bench.store import layout


def quiet(*_):
    return None


@pytest.fixture
def folder(tmp_path, kspace, data_folder):
    """Three people, a file each, of 3, 3 and 5 slices."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for i, name in enumerate(("anna", "berta", "carl")):
        np.save(raw / f"{name}.npy", kspace(i, slices=5 if name == "carl" else 3))
    return raw


def bring(folder, name="mine", splitting=None, like=None, table=None):
    record, said = importing.import_data([folder], name, table, splitting or Splitting(), like, quiet)
    registry.discover()
    return record, said


def dataset(name="mine", overrides=("data.slices=[0, 0, 0]",)):
    return Dataset.of(registry.datasets()[name].made_by(), None, config.load("smoke", overrides), 0, None)


def test_what_was_imported_is_a_dataset_of_its_name(folder, kspace, cache):
    record, _ = bring(folder)
    data = dataset()
    assert data.subjects == {"train": ("anna",), "validation": ("berta",), "test": ("carl",)}
    assert data.protocol.matrix == (48, 40)
    assert (data.count("test"), data.label) == (5, "real raw data")
    raw = make_source("mine").load("carl")
    piece = record.of("carl")["raw"]
    np.testing.assert_allclose(raw.kspace["raw", 4] * piece.scale, kspace(2, slices=5)[4], rtol=1e-4, atol=1e-3)
    assert not prepare(data, ["test"], 1, quiet)
    assert open_split(data, "test").rows == [("carl", "raw", n) for n in range(5)]


def test_the_files_say_where_they_come_from(folder):
    record, _ = bring(folder)
    piece = record.of("anna")["raw"]
    with h5py.File(layout.own_data()["mine"].volume("anna", "raw")) as file:
        assert (file["kspace"].shape, file["kspace"].dtype) == ((3, 4, 48, 40), np.complex64)
        assert (file.attrs["person"], file.attrs["contrast"], file.attrs["content"]) == ("anna", "raw", piece.content)
        assert json.loads(file.attrs["provenance"])["files"] == piece.files
    assert list(piece.files) == ["anna.npy"]


def test_the_same_again_does_nothing_and_other_content_is_refused(folder, kspace):
    bring(folder)
    file = layout.own_data()["mine"].protocol
    file.write_text(file.read_text().replace("acceleration = 4.0", "acceleration = 3.0"))
    before = {path: path.stat().st_mtime_ns for path in file.parent.rglob("*")}
    _, said = bring(folder)
    assert said == ["'mine' is there already, made of the same files: nothing was done."]
    assert before == {path: path.stat().st_mtime_ns for path in file.parent.rglob("*")}
    np.save(folder / "anna.npy", kspace(9))
    with pytest.raises(UserError, match="'mine' is there already, with other content"):
        bring(folder)
    with pytest.raises(UserError, match="other content"):
        bring(folder, splitting=Splitting((0, 0, 1)))


def test_an_edited_protocol_is_read_anew(folder):
    bring(folder)
    file = layout.own_data()["mine"].protocol
    text = file.read_text()
    edited = text.replace("acceleration = 4.0", "acceleration = 3.0").replace(
        'test = ["carl"]', 'test = ["carl", "berta"]'
    )
    file.write_text(edited.replace('validation = ["berta"]', "validation = []"))
    os.utime(file, ns=(1, 1))
    data = dataset()
    assert data.protocol.acceleration == 3
    assert data.subjects["test"] == ("carl", "berta")
    assert data.count("test") == 8


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("acceleration = 4.0", "acceleration = 0.5", "acceleration must be at least 1; got 0.5"),
        ("acceleration = 4.0", "acceleration = nan", "acceleration must be at least 1"),
        ("acceleration = 4.0", 'acceleration = "fast"', "acceleration: "),
        ("acceleration = 4.0", "accelleration = 4.0", "unknown field 'accelleration'. Did you mean 'acceleration'"),
        ("acceleration = 4.0\n", "", "acceleration: Field required"),
        ("matrix = [48, 40]", "matrix = [48]", "matrix"),
        ("matrix = [48, 40]", "matrix = [47, 40]", "must be even"),
        ('mask = "poisson-2d"', 'mask = "radial"', "mask: Input should be 'poisson-2d' or 'gaussian-1d'"),
        ('test = ["carl"]', 'test = ["carla"]', "nobody is called 'carla'. Did you mean 'carl'"),
        ('test = ["carl"]', 'test = ["carl", "anna"]', "'anna' stands in 'train' and in 'test'"),
        ("version = 1", "version = ", "protocol.toml cannot be read"),
        ('contrast = "raw"', 'kontrast = "raw"', "unknown field 'kontrast'"),
        ("slices = [300, 40, 0]", "slices = [300, 40, -1]", "slices must be at least 0"),
    ],
)
def test_a_fault_in_the_protocol_is_named_by_field(folder, old, new, said):
    bring(folder)
    file = layout.own_data()["mine"].protocol
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(UserError) as error:
        dataset().subjects  # noqa: B018
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_damaged_record_or_volume_is_refused(folder, cache):
    bring(folder, "damaged")
    own = layout.own_data()["damaged"]
    data = dataset("damaged")
    volume = own.volume("carl", "raw")
    whole = bytearray(volume.read_bytes())
    whole[len(whole) // 2] ^= 255
    volume.write_bytes(whole)
    with pytest.raises(UserError, match=r"raw\.h5.*remove it with `bench data remove NAME` and import it again"):
        prepare(data, ["test"], 1, quiet)
    own.record.write_text("{}")
    with pytest.raises(UserError, match=r"dataset\.json: .*: remove it with"):
        dataset("damaged")


def test_mixed_contrasts_coils_and_sizes_work(tmp_path, kspace, data_folder, cache):
    raw = tmp_path / "raw"
    for person, contrast, seed, traits in (
        ("anna", "t1", 0, {}), ("anna", "t2", 1, {"slices": 2}), ("berta", "t1", 2, {"coils": 6}),
        ("carl", "t1", 3, {"size": (52, 44)}),
    ):  # fmt: skip
        (raw / person).mkdir(parents=True, exist_ok=True)
        np.save(raw / person / f"{contrast}.npy", kspace(seed, **traits))
    table = tmp_path / "people.csv"
    lines = [
        "file,person,contrast",
        *(f"{p.parent.name}/{p.name},{p.parent.name},{p.stem}" for p in raw.rglob("*.npy")),
    ]
    table.write_text("\n".join(lines))
    bring(raw, splitting=Splitting((0, 0, 1)), table=table)
    data = dataset(overrides=["data.coils=8", "data.slices=[0, 0, 0]"])
    assert (data.protocol.matrix, data.protocol.coils) == ((48, 40), 6)
    said = prepare(data, ["test"], 1, quiet)
    rows = open_split(data, "test").rows
    assert {row[:2] for row in rows} == {("anna", "t1"), ("anna", "t2"), ("berta", "t1"), ("carl", "t1")}
    assert len(rows) == 3 + 2 + 3 + 3
    assert [s for s in said if "4 coils, not 6" in s]
    open_split(data, "test").batch(range(len(rows)))


def test_each_contrast_has_its_own_voxel(tmp_path, kspace, data_folder, cache):
    np.savez(tmp_path / "a.npz", kspace=kspace(0), voxel_mm=np.array([1.0, 2.0]), person="anna", contrast="t1")
    more = {"kspace": kspace(1, size=(52, 40)), "voxel_mm": np.array([3.0, 4.0])}
    np.savez(tmp_path / "b.npz", **more, person="anna", contrast="t2")
    bring(tmp_path)
    data = dataset()
    prepare(data, ["test"], 1, quiet)
    slices = open_split(data, "test")
    found = {slices.rows[i][1]: slices.batch([i])[0].voxel_mm for i in range(len(slices))}
    assert found == {"t1": (1.0, 2.0), "t2": (3.0 * 52 / 48, 4.0)}


def test_an_odd_matrix_is_cut_to_a_multiple_of_four(tmp_path, kspace, data_folder, cache):
    np.save(tmp_path / "anna.npy", kspace(0, size=(51, 45)))
    bring(tmp_path / "anna.npy")
    data = dataset()
    assert data.protocol.matrix == (48, 44)
    assert data.subjects == {"train": (), "validation": (), "test": ("anna",)}
    prepare(data, ["test"], 1, quiet)


def test_like_takes_a_protocol_that_exists(folder):
    _, said = bring(folder, like="brain")
    brain = registry.datasets()["brain"].made_by()
    protocol = registry.datasets()["mine"].made_by()
    assert (protocol.mask, protocol.acceleration, protocol.phase_encode) == (
        brain.mask,
        brain.acceleration,
        brain.phase_encode,
    )
    assert protocol.matrix == (48, 40)
    assert said == ["'brain' has a matrix of 256 x 232, these data 48 x 40: 48 x 40 is used."]
    with pytest.raises(UserError, match=r"--like brian: no such dataset\. Did you mean 'brain'"):
        bring(folder, "other", like="brian")


@pytest.mark.parametrize("name", ["vwi", "heads", "My Data", "../x", ""])
def test_names_that_cannot_be_used(folder, name):
    with pytest.raises(UserError, match="--name"):
        bring(folder, name)


def test_nothing_is_left_where_import_fails(folder, kspace, data_folder):
    bad = kspace(5)
    bad[..., 3::4] = 0
    np.save(folder / "dora.npy", bad)
    with pytest.raises(UserError, match=r"dora\.npy: .* undersampled"):
        bring(folder)
    assert not layout.own_data()
    assert {path.name for path in data_folder.iterdir()} <= {".mine.lock"}


def test_what_killed_commands_left_is_no_hindrance(folder, data_folder):
    bring(folder)
    own = layout.own_data()["mine"]
    (data_folder / ".mine.new").mkdir()
    (data_folder / ".mine.new" / "dataset.json").write_text("{}")
    own.record.unlink()
    assert not layout.own_data()
    bring(folder)
    assert list(layout.own_data()) == ["mine"]
    assert not (data_folder / ".mine.new").exists()


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(folder, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", "/dev/null/x")
    with pytest.raises(UserError, match=r"/dev/null/x cannot be written .*: name another folder with BENCH_DATA"):
        bring(folder)


def test_one_person_under_two_names_is_refused(folder, kspace):
    np.save(folder / "zoe.npy", kspace(0))
    with pytest.raises(
        UserError, match=r"'anna, raw' .* and 'zoe, raw' .* same person under two names: give them one name"
    ):
        bring(folder)


def test_removed_data_are_gone(folder):
    bring(folder)
    with pytest.raises(UserError, match=r"No data was imported under the name 'mien'\. Did you mean 'mine'"):
        importing.remove("mien")
    path = importing.remove("mine")
    assert not path.exists()
    assert not layout.own_data()
    with pytest.raises(UserError, match="Nothing was imported yet"):
        importing.find("mine")


def test_heads_are_simulated_on_their_own_grid(tmp_path, data_folder, cache):
    import nibabel as nib

    for i in range(3):
        head = make_source("phantom").load(f"phantom-{i}")
        z, y, x = head.voxel_mm
        volume = 300 * head.volume[::-1, ::-1].transpose(2, 1, 0)
        nib.save(nib.Nifti1Image(volume.astype(np.float32), np.diag((x, y, z, 1))), tmp_path / f"sub-{i}_T1w.nii.gz")
    record, _ = bring(tmp_path)
    data = dataset(overrides=["data.slices=[2,2,2]"])
    assert data.label == "simulated acquisition"
    assert [view.contrast for view in data.protocol.views] == ["t1w-axial", "t1w-coronal"]
    assert data.protocol.voxel_mm[0] >= max(head.voxel_mm)
    loaded = make_source("mine").load(record.pieces[0].person)
    np.testing.assert_allclose(
        loaded.volume,
        make_source("phantom").load("phantom-0").volume / record.pieces[0].scale * 300,
        rtol=1e-3,
        atol=1e-4,
    )
    prepare(data, ["test"], 1, quiet)
    assert open_split(data, "test").rows


def test_the_key_follows_content_and_protocol(folder):
    bring(folder)
    before = dataset().key("test")
    file = layout.own_data()["mine"].protocol
    file.write_text(file.read_text().replace("slices = [300, 40, 0]", "slices = [300, 40, 2]"))
    os.utime(file, ns=(1, 1))
    assert dataset().key("test") != before
