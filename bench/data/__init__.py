"""Subjects, protocols and prepared slices."""
