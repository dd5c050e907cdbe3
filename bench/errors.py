"""The errors that carry a meaning of their own."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A user's mistake: one line that says what is wrong and how to mend it. Exit code 2."""


class Diverged(Exception):
    """Training met a number that is not finite."""


def closest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" or the known names, to end an error with."""
    known = sorted(known)
    match = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{match[0]}'?" if match else f" Known: {', '.join(known)}."
