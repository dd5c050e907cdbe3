"""From a network to trained weights."""
