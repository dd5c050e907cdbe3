"""For whoever writes a method, a source or a dataset."""
