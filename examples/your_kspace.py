"""Reconstruct k-space of your own with a shipped method.

    python examples/your_kspace.py

prints the shape of the image, twice as fine as the k-space, and writes it to image.npy. Put your own array in place of the
made-up head: complex, (coil, y, x), DC at N // 2, zeros where nothing was sampled.
"""

import numpy as np

import bench

y, x = np.mgrid[-1:1:64j, -1:1:64j]
head = np.where(np.hypot(y / 0.8, x / 0.6) < 1, 1 - 0.5 * (np.hypot(y, x - 0.2) < 0.2), 0)
coils = np.stack([np.exp(-((y - a) ** 2) - (x - b) ** 2) for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1))])
kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(head * coils, (1, 2)), norm="ortho"), (1, 2))
kspace[:, :, ::2] *= np.abs(np.arange(64) - 32)[::2] < 12  # every second line, and 24 in the middle

acquisition = bench.acquire(kspace)
method = bench.load_method("modl+rrdb", dataset="vwi")
image = bench.reconstruct(method, acquisition)
print("image", image.shape, "with maximum", image.max().round(2))
np.save("image.npy", image)
