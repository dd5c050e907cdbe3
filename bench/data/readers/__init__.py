"""Readers of people's own files, one module a format: `opening` asks them all."""
