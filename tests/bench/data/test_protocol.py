import pytest

from bench.data.protocol import apart, folded

SUBJECTS = {"train": ("a", "b", "c"), "validation": ("d",), "test": ("e",)}


def test_fold_zero_is_the_reference_split():
    assert folded(SUBJECTS, 0) == SUBJECTS


def test_over_all_folds_each_subject_is_tested_once():
    assert sorted(folded(SUBJECTS, k)["test"][0] for k in range(5)) == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("fold", range(5))
def test_no_subject_crosses_splits(fold):
    splits = folded(SUBJECTS, fold)
    everyone = [s for split in splits.values() for s in split]
    assert sorted(everyone) == ["a", "b", "c", "d", "e"]


def test_a_subject_in_two_splits_is_an_error():
    with pytest.raises(ValueError, match="'a' stands in 'train' and in 'test'"):
        apart({**SUBJECTS, "test": ("a",)})
