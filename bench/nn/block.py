"""The base of versioned blocks."""

from typing import ClassVar

from torch import nn


class Block(nn.Module):
    """A part that methods are made of. Its `version` stands in the key of every stage that holds one."""

    version: ClassVar[int]
    block_name: str = ""
    """As `bench list` shows it; the class's name where it is empty."""
