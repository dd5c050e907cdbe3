"""The SENSE operator: coil sensitivities, Fourier transform, sampling mask (paper, Eq. 3: A = M F C)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from bench.mri.fourier import AXES, fft2c, ifft2c

CACHE_BYTES = 2**21
"""Coil images of a CPU's share of a batch: more of them at a time leave the cache."""


@dataclass(frozen=True)
class Sense:
    """Image (batch, y, x) -> k-space (batch, coil, y, x), complex."""

    maps: Tensor
    """(batch, coil, y, x) complex64."""
    mask: Tensor
    """(batch, y, x) bool."""

    def forward(self, image: Tensor) -> Tensor:
        """A x."""
        return self.mask[:, None] * fft2c(self.maps * image[:, None])

    def adjoint(self, kspace: Tensor) -> Tensor:
        """A^H b."""
        return (self.maps.conj() * ifft2c(self.mask[:, None] * kspace)).sum(1)

    def normal(self, image: Tensor) -> Tensor:
        """A^H A x. Its gradient with respect to the image is itself, so nothing is kept for it."""
        if self.maps.requires_grad:
            return self.adjoint(self.forward(image))
        result: Tensor = _Normal.apply(image, self)
        return result

    def _in_parts(self, image: Tensor) -> Tensor:
        """A^H A x. A CPU takes so many slices at a time as its cache holds."""
        whole = (image, self.maps, self._conjugate, self._corner)
        if image.device.type != "cpu":
            return self._part(*whole)
        slices = max(1, CACHE_BYTES // (self.maps[0].numel() * self.maps.element_size()))
        if len(image) <= slices:
            return self._part(*whole)
        parts = (tensor.expand(len(image), *tensor.shape[1:]).split(slices) for tensor in whole)
        return torch.cat([self._part(*part) for part in zip(*parts, strict=True)])

    def _part(self, image: Tensor, maps: Tensor, conjugate: Tensor, corner: Tensor) -> Tensor:
        """F^H M F commutes with image shifts, so only the mask is shifted, and it acts along its own axes alone."""
        spectrum = torch.fft.fftn(maps * image[:, None], dim=self._axes).mul_(corner)
        result: Tensor = torch.fft.ifftn(spectrum, dim=self._axes).mul_(conjugate).sum(1)
        return result

    @cached_property
    def _conjugate(self) -> Tensor:
        return self.maps.conj().resolve_conj()

    @cached_property
    def _corner(self) -> Tensor:
        """The mask with DC in the corner, of the maps' type, which is faster to multiply by than bool."""
        corner: Tensor = torch.fft.ifftshift(self.mask, dim=AXES)[:, None].to(self.maps.dtype)
        return corner

    @cached_property
    def _axes(self) -> tuple[int, ...]:
        """Where the mask is constant along an axis, the transform along it cancels. Not asked of a GPU: it would wait."""
        if self.mask.device.type == "cpu":
            if torch.equal(self.mask, self.mask[:, :1].expand_as(self.mask)):
                return (-1,)
            if torch.equal(self.mask, self.mask[..., :1].expand_as(self.mask)):
                return (-2,)
        return AXES


class _Normal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, operator: Sense) -> Tensor:
        ctx.operator = operator
        return operator._in_parts(image)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.operator.normal(gradients[0]), None
