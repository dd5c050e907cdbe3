"""All that reads files: rows, images, training curves, spectra, and where they come from."""
