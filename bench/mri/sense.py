"""The SENSE operator: coil sensitivities, Fourier transform, sampling mask (paper, Eq. 3: A = M F C)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.mri.fourier import AXES, fft2c, ifft2c


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
        """A^H A x. F^H M F commutes with image shifts, so only the mask is shifted."""
        corner = torch.fft.ifftshift(self.mask, dim=AXES)[:, None]
        spectrum = torch.fft.fft2(self.maps * image[:, None])
        result: Tensor = (self.maps.conj() * torch.fft.ifft2(corner * spectrum)).sum(1)
        return result
