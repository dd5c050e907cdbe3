import pytest
import torch

from bench.data.prepare import open_split
from bench.train.samples import Samples


class Counting:
    """Slices that note what is read."""

    def __init__(self, slices):
        self.slices, self.read = slices, []

    def one(self, index):
        self.read.append(index)
        return self.slices.one(index)


@pytest.fixture
def slices(phantom):
    return open_split(phantom, "train")


def same(ours, theirs):
    return all(
        torch.equal(a, b) for a, b in zip(vars(ours).values(), vars(theirs).values(), strict=True) if torch.is_tensor(a)
    )


def test_each_slice_is_read_once(slices):
    counting = Counting(slices)
    samples = Samples(counting)
    for indices in ([2, 0], [0, 1], [2, 1]):
        acquisition, target, given = samples.batch(indices, "cpu")
        expected = slices.batch(indices)
        assert same(acquisition, expected[0])
        assert same(target, expected[1])
        assert given is None
    assert sorted(counting.read) == [0, 1, 2]


def test_what_does_not_fit_is_read_ahead(slices):
    counting = Counting(slices)
    samples = Samples(counting, kept_bytes=1)
    for indices, later in (([0, 1], [2, 0]), ([2, 0], [1, 2]), ([1, 2], [])):
        acquisition, _, _ = samples.batch(indices, "cpu")
        samples.read_ahead(later, "cpu")
        assert same(acquisition, slices.batch(indices)[0])
    assert counting.read == [0, 1, 2, 1, 2]  # the first fits, as one always does


def test_reconstructions_come_with_their_slices(slices):
    made = {i: torch.full((2, 2), complex(i), dtype=torch.complex64) for i in range(3)}
    _, _, given = Samples(slices, made).batch([2, 0], "cpu")
    assert torch.equal(given, torch.stack([made[2], made[0]]))
