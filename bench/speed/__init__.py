"""`bench speed`: parts of this package timed against what people would use instead."""
