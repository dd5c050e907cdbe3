"""Runs without data, on the `meta` device: they tell which tensors do not follow the input to its device."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bench.authoring.trial import Broken

ANSWERS = 100  # after so many questions about data the answer is no, so that loops end
LEAVING = {
    Tensor.cpu: ".cpu()", Tensor.numpy: ".numpy()", Tensor.tolist: ".tolist()", Tensor.__array__: "numpy.asarray()",
}  # fmt: skip
MAY_MIX = {Tensor.to, Tensor.type_as, Tensor.copy_, Tensor.__getitem__, Tensor.__setitem__}
STAY = "leave tensors on their device"


class _Meta(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        found = list(_tensors((args, kwargs)))
        without_data = bool(found) and found[0].is_meta
        if func in LEAVING and without_data:
            raise Broken(f"it calls {LEAVING[func]} inside: {STAY}")
        if func in (Tensor.__bool__, Tensor.item, Tensor.__float__, Tensor.__int__) and without_data:
            self.asked += 1
            return self.asked < ANSWERS if func is Tensor.__bool__ else int(self.asked < ANSWERS)
        if func not in MAY_MIX and len({tensor.device.type for tensor in found if tensor.is_meta or tensor.ndim}) > 1:
            raise Broken(
                f"a tensor of the CPU meets its input in {getattr(func, '__name__', func)}: write "
                'self.register_buffer("name", tensor) for a constant of __init__, and device=input.device for others'
            )
        try:
            return func(*args, **kwargs)
        except NotImplementedError as error:
            if func is Tensor.to and without_data:
                raise Broken(f'it calls .to("cpu") inside: {STAY}') from error
            raise


def _tensors(given: Any) -> Iterator[Tensor]:
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, (list, tuple)):
        for part in given:
            yield from _tensors(part)
    elif isinstance(given, dict):
        yield from _tensors(list(given.values()))


def without_data(action: Callable[[], Any]) -> Any:
    """Call it and return what it gives; None where an operation cannot run without data.

    Raises
    ------
    Broken
        If a tensor leaves the device, or one of another device comes in.
    """
    try:
        with torch.no_grad(), _Meta():
            return action()
    except RuntimeError:
        return None
