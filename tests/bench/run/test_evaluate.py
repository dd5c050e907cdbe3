"""What a method gives is what `Output` declares, or its row fails by the clause that it breaks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.acquisition import Output
from bench.data.prepare import open_split
from bench.errors import UserError
from bench.run.evaluate import examine


@pytest.fixture(scope="module")
def given(phantom):
    acquisition, target = open_split(phantom, "test").batch([0])
    return acquisition, target, Output(target.image_hr.abs(), acquisition.zero_filled)


WRONG = {
    "complex": (lambda o: o.image + 0j, "'shape' is broken: image is torch.complex64 (1, 48, 40), where torch.float32"),
    "double": (lambda o: o.image.double(), "'shape' is broken: image is torch.float64"),
    "half": (lambda o: o.image.half(), "'shape' is broken: image is torch.float16"),
    "too small": (lambda o: o.image[:, ::2, ::2], "(1, 24, 20), where torch.float32 (1, 48, 40) is due"),
    "no batch": (lambda o: o.image[0], "'shape' is broken: image is torch.float32 (48, 40)"),
    "an array": (lambda o: o.image.numpy(), "'shape' is broken: image is ndarray"),
    "NaN": (lambda o: o.image * np.nan, "'finite' is broken: image holds NaN"),
    "infinity": (lambda o: o.image / 0, "'finite' is broken: image holds NaN or infinity"),
    "negative": (lambda o: -o.image, "'place' is broken: image goes down to -1.00 of the truth's peak"),
    "shifted": (lambda o: o.image - 0.21 * o.image.max(), "'place' is broken: image goes down to -0.21"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_image_that_is_not_as_declared_is_named_by_its_clause(given, case):
    acquisition, target, output = given
    change, words = WRONG[case]
    with pytest.raises(UserError) as error:
        examine(replace(output, image=change(output)), acquisition, target)
    assert words in str(error.value)


@pytest.mark.parametrize("change", [torch.abs, lambda t: t[:, ::2], lambda t: t * np.nan])
def test_so_is_a_reconstruction_on_the_way(given, change):
    acquisition, target, output = given
    with pytest.raises(UserError, match="image_lr"):
        examine(replace(output, image_lr=change(output.image_lr)), acquisition, target)


def test_what_is_as_declared_passes_and_few_or_small_negatives_do(given):
    acquisition, target, output = given
    examine(output, acquisition, target)
    examine(replace(output, image_lr=None), acquisition, target)
    examine(replace(output, image=output.image - 0.19 * output.image.max()), acquisition, target)
    odd = output.image.clone()
    odd[:, 0, 0] = -0.3 * output.image.max()
    examine(replace(output, image=odd), acquisition, target)


def test_a_tensor_is_no_output(given):
    acquisition, target, output = given
    with pytest.raises(UserError, match=r"it gives Tensor, where a bench\.Output is due"):
        examine(output.image, acquisition, target)
