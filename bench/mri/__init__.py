"""Physics of the acquisition: batched torch, complex64, centred orthonormal FFT."""
