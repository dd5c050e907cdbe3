import pytest

from bench import registry
from bench.authoring.check import CLAUSES, check_id
from bench.authoring.new import render
from bench.errors import UserError


def load(tmp_path, text, id="mine"):
    path = tmp_path / f"{id}.py"
    path.write_text(text)
    registry.discover((path,))


SOURCE = render("mine", "source")
HEAD = "bench.Head(head, (2.0, 2.0, 2.0))"
WAVES = "np.ones((2, 1, 1)) / (1.0 + abs(np.mgrid[-16:16, -16:16]).sum(0)) ** 2"
RAW = 'bench.RawSubject({("t1w", 0): np.ones((2, 8, 8), np.complex64)}, None)'


@pytest.mark.parametrize(
    ("clause", "old", "new", "words"),
    [
        ("subjects", '"validation"', '"val"', "'val' is no split: use train, validation, test"),
        ("subjects", '("three",)', '("four",)', "'four' stands in 'validation' and in 'test': name everybody once"),
        ("subjects", '("one", "two")', '("one", "one")', "'one' stands twice in 'train'"),
        ("subjects", '"test": ("four",)', '"test": ()', "nobody is in 'test'"),
        ("subjects", '    label = "made-up data"', "    name = 'x'", "it has no `label`: write label ="),
        ("subjects", 'return ("version 1",)', "return ()", "digests('one') is (): give at least one text"),
        ("load", HEAD, HEAD.replace("head,", "head[0],"), "volume is float32 (100, 80), not float32 with 3 axes"),
        ("load", HEAD, HEAD.replace("head,", "head * np.float32(np.nan),"), "volume holds NaN or infinity"),
        ("load", HEAD, HEAD.replace("head,", "0 * head,"), "nothing but zeros"),
        ("load", HEAD, "head", "'four' is a ndarray: return a bench.Head or a bench.RawSubject"),
        ("load", HEAD, "bench.RawSubject({}, None)", "'four' has no slice"),
        ("load", HEAD, RAW.replace("np.ones(", "0 * np.ones("), "nothing but zeros"),
        (
            "load",
            HEAD,
            RAW,
            "'four, t1w, slice 0': kspace has its maximum at (0, 0), not in the middle: shift DC to N // 2",
        ),
    ],
)
def test_a_source_that_is_not_as_declared_is_told(tmp_path, clause, old, new, words):
    assert old in SOURCE
    load(tmp_path, SOURCE.replace(old, new))
    with pytest.raises(UserError) as error:
        check_id("mine")
    assert f"'mine' breaks the clause '{clause}' ({CLAUSES[clause]}): " in str(error.value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


LARGE = "np.ones((2, 1, 1)) / (1.0 + abs(np.mgrid[-200:200, -160:160]).sum(0)) ** 2"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (
            HEAD.replace("head,", "head.astype(float),"),
            "'four': volume is float64 (90, 100, 80), not float32: converted.",
        ),
        (HEAD.replace("head,", "4095 * head,"), "'four': the 99.9th percentile of the volume must be 1, it was 4"),
        (f'bench.RawSubject({{("t1w", 0): {WAVES} + 0j}}, None)', "'four, t1w, slice 0': kspace is complex128"),
        (f'bench.RawSubject({{("t1w", 0): ({LARGE} + 0j)}}, None)', "'four, t1w, slice 0': kspace is complex128"),
    ],
)
def test_what_a_run_would_mend_is_said_and_breaks_nothing(tmp_path, capsys, new, words):
    load(tmp_path, SOURCE.replace(HEAD, new))
    assert check_id("mine") == ["subjects", "load"]
    assert words in capsys.readouterr().out


def test_only_what_a_dataset_uses_of_kspace_is_judged(tmp_path):
    """Its first and last rows, which no matrix of `vwi` reaches, are zero."""
    raw = f'bench.RawSubject({{("t1w", 0): {LARGE} * (abs(np.arange(400) - 200) < 190)[:, None] + 0j}}, None)'
    load(tmp_path, SOURCE.replace(HEAD, raw))
    assert check_id("mine") == ["subjects", "load"]
    load(tmp_path, SOURCE.replace(HEAD, raw).replace("mine", "alone").replace('("vwi",)', "()"), id="alone")
    with pytest.raises(UserError, match="kspace has 21 of 400 rows zero on both sides"):
        check_id("alone")


DATASET = render("mine", "dataset")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('("heads", "phantom")', '("head",)', "there is no source 'head': name one of heads, phantom"),
        ('("heads", "phantom")', "()", "name one of"),
        ('id="mine"', 'id="yours"', "it is registered as 'mine' and calls itself 'yours'"),
        ('(bench.View("t1w", "axial", (0.15, 0.6)),)', "()", "it has no view"),
        ("    return bench.Protocol(", "    return dict(", "it gives a dict: return a bench.Protocol"),
        ("centre=12", "centre=100", "has acceleration 4 and a centre of 17: make the centre smaller"),
        ("acceleration=4.0", "acceleration=400.0", "has acceleration 400"),
    ],
)
def test_a_dataset_that_is_not_as_declared_is_told(tmp_path, old, new, words):
    assert old in DATASET
    load(tmp_path, DATASET.replace(old, new))
    with pytest.raises(UserError) as error:
        check_id("mine")
    assert f"'mine' breaks the clause 'protocol' ({CLAUSES['protocol']}): " in str(error.value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_everything_of_an_id_is_checked(tmp_path):
    load(tmp_path, SOURCE.replace("mine", "proposed").replace(HEAD, "head"), id="proposed")
    with pytest.raises(UserError, match=r"'proposed' breaks the clause 'load'"):
        check_id("proposed")
