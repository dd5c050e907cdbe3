"""Datasets (a protocol each) and sources (of fully sampled subjects), discovered by the registry."""
