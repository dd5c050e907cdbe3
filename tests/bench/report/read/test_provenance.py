from bench.report.read.provenance import read_provenance
from bench.report.read.results import collect
from bench.store.records import StageUse


def only(results):
    (collected,) = collect(results.folder)
    return collected


MODL = (StageUse("modl", "the key", 7, "abc"),)


def test_provenance_says_once_what_all_share_and_weights_of_stages(results):
    results.add("proposed", stages=MODL, settings={"training": {"batch": 2}})
    results.add("t2net", stages=MODL, settings={"training": {"batch": 3}})
    results.stage("modl", key="the key", weights_sha256="abc", provenance={"hardware": "a card"})
    common, own = read_provenance(only(results))
    assert common["provenance.hardware"] == "a processor"
    assert common["metrics.psnr"] == "library 1.0, psnr"
    assert common["stage modl.weights_sha256"] == "abc"
    assert common["stage modl.hardware"] == "a card"
    assert [said["settings.training.batch"] for _, said in own] == ["2", "3"]
    assert [said["method"] for _, said in own] == ["proposed", "t2net"]
    assert not any(set(said) & set(common) for _, said in own)


def test_provenance_finds_the_stages_of_another_dataset(results):
    results.add("proposed", dataset="vfa", stages=MODL)
    results.stage("modl", dataset="vwi", key="the key", weights_sha256="abc")
    common, _ = read_provenance(only(results))
    assert common["stage modl.weights_sha256"] == "abc"


def test_what_is_not_known_is_left_out(results):
    results.fail("proposed")
    common, _ = read_provenance(only(results))
    assert common["reason"] == "out of luck"
    assert not {"limit", "voxel_mm", "slices_sha256"} & set(common)
