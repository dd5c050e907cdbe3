import pytest

from bench.report.figures.pairs import pair_map, scores_of_pairs
from bench.report.read.results import collect


def made(results, methods, **more):
    for method, psnr in methods.items():
        results.add(method, "joint" if "~" in method else "sequential", psnr=psnr, kept=0, **more)
    (collected,) = collect(results.folder)
    return scores_of_pairs(collected)


FOUR = {"modl+rrdb": 30, "modl+sinc": 29, "cg-sense+rrdb": 28, "cg-sense+sinc": 20, "modl~rrdb": 33, "proposed": 40}


def test_halves_stand_best_first_with_what_was_trained_together_below(results):
    data = made(results, FOUR)
    assert len(data) == 5  # proposed is no pair
    fidelity, likeness = pair_map(data, "of these").axes
    assert [text.get_text() for text in fidelity.get_yticklabels()] == ["modl", "cg-sense"]
    assert [text.get_text() for text in likeness.get_xticklabels()] == ["rrdb", "sinc"]
    said = [text.get_text() for text in fidelity.texts]
    assert said == ["28.15\n~ 31.15", "27.15", "26.15", "18.15"]
    (drawn,) = fidelity.images
    assert drawn.get_array().tolist() == [pytest.approx([28.15, 27.15]), pytest.approx([26.15, 18.15])]


def test_the_smaller_lpips_is_the_darker(results):
    data = made(results, dict.fromkeys(FOUR, 30))
    data["lpips_fg"] = [0.1, 0.2, 0.3, 0.4, 0.5]
    _, likeness = pair_map(data, "").axes
    (drawn,) = likeness.images
    sequences = data["lpips_fg"].tolist()[1:]  # the first is of the pair trained together
    assert sorted(-drawn.get_array().ravel()) == sequences
    darkness = drawn.norm([-value for value in sequences]).tolist()
    assert darkness == sorted(darkness, reverse=True)
    assert len(set(darkness)) > 2


@pytest.mark.parametrize(
    "methods", [("modl+rrdb", "modl+sinc"), ("modl+rrdb", "cg-sense+sinc", "oracle+bicubic"), ("proposed",)]
)
def test_few_pairs_have_no_map(results, methods):
    assert pair_map(made(results, dict.fromkeys(methods, 30)), "") is None
