"""Scores: of an image, and of where its error lies."""

from bench.metrics.image import foreground

__all__ = ["foreground"]
