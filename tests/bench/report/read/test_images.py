import numpy as np
import pytest

from bench.errors import UserError
from bench.report.read.images import example, read_kept
from bench.report.read.results import collect
from bench.store.images import SliceName, read_images, write_images


def only(results):
    (collected,) = collect(results.folder)
    return collected


def test_kept_slices_go_by_zero_filled_error(results):
    results.add()
    images = read_kept(only(results))
    assert images.names("t1w") == [SliceName("t1w", "s0", number) for number in range(3)]  # noise grows with the number
    assert images.median("t1w") == SliceName("t1w", "s0", 1)
    assert images.median("t2w") is None


def test_of_several_seeds_the_first_is_shown_with_its_own_scores(results):
    results.add(psnr=30.0, seed=1)
    results.add(psnr=20.0)
    collected = only(results)
    images = read_kept(collected)
    assert images.scores("proposed", SliceName("t1w", "s0", 0)) == {"psnr": pytest.approx(20.0), "lpips": 0.05}
    first = read_images(results.layout.run("vwi", "laptop", "proposed", 0).images)["t1w/s0/0"]
    assert np.array_equal(images.image("proposed", SliceName("t1w", "s0", 0)), first)


def test_one_kept_slice_or_none(results):
    results.add(kept=1, contrasts=("t1w", "t2w"))
    images = read_kept(only(results))
    assert images.names("t1w") == [SliceName("t1w", "s0", 0)]
    assert example(only(results), images) == images.median("t1w") == SliceName("t1w", "s0", 0)
    results.add(kept=0, contrasts=("t1w", "t2w"))
    images = read_kept(only(results))
    assert (images.reference, images.names("t1w"), example(only(results), images)) == ({}, [], None)


def test_a_contrast_without_images_has_none_beside_one_that_has(results):
    folder = results.add(contrasts=("t1w", "t2w"))
    for path in (folder.images, results.layout.reference("vwi", "laptop")):
        write_images(path, {name: image for name, image in read_images(path).items() if name.startswith("t2w/")})
    found = only(results)
    assert read_kept(found).median("t1w") is None
    assert example(found, read_kept(found)) == SliceName("t2w", "s0", 1)


def test_small_images_differ_by_less_than_half_a_percent_of_the_maximum(results):
    folder = results.add()
    before = read_kept(only(results))
    for path in (folder.images, results.layout.reference("vwi", "laptop")):
        write_images(path, read_images(path), small=True)
    after = read_kept(only(results))
    assert after.names("t1w") == before.names("t1w")
    for name in before.names("t1w"):
        image = before.image("proposed", name)
        assert 0 < np.abs(after.image("proposed", name) - image).max() <= 0.004 * image.max()
        assert np.array_equal(after.part(name, "mask"), before.part(name, "mask"))


@pytest.mark.parametrize("subject", ["sub-01/ses-2", "a [b] $c$", "50 %"])
def test_a_subject_of_any_name_has_its_images(results, subject):
    results.add(subjects=(subject,))
    images = read_kept(only(results))
    assert {name.subject for name in images.names("t1w")} == {subject}
    assert images.scores("proposed", SliceName("t1w", subject, 1))["psnr"] == pytest.approx(30.1)
    assert images.image("proposed", SliceName("t1w", subject, 1)) is not None


@pytest.mark.parametrize("name", ["t1w/s0", "t1w/s0/first", "t1w/s0/ses/0"])
def test_what_is_no_name_of_a_slice_is_refused(results, name):
    folder = results.add()
    write_images(folder.images, {name: np.ones((4, 4), np.float32)})
    with pytest.raises(UserError, match=rf"images\.npz holds '{name}', which is no slice's name"):
        read_kept(only(results))


def test_a_reference_that_lacks_a_part_is_refused(results):
    results.add()
    path = results.layout.reference("vwi", "laptop")
    images = read_images(path)
    del images["t1w/s0/1/mask"]
    write_images(path, images)
    with pytest.raises(UserError, match=r"reference\.npz lacks 't1w/s0/1/mask'"):
        read_kept(only(results))
