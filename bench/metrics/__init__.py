"""Scores, and where an error lies."""
