"""Methods: one file each, discovered by the registry."""
