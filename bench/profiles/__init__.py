"""Profiles: how big and how long."""
