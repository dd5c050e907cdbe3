"""The errors that carry a meaning of their own."""

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """A user's mistake: one line that says what is wrong and how to mend it. Exit code 2."""


class Refused(UserError):
    """Data that are not as the contract of `bench.data.admission` says."""

    def __init__(self, who: str, what: str) -> None:
        super().__init__(f"'{who}'{'' if what.startswith(('is ', 'has ', 'stands ')) else ':'} {what}")


class Diverged(Exception):
    """Training met a number that is not finite."""


def why(error: BaseException) -> str:
    """One line: what kind of error, its first line, and where it came up: in a user's file if there is one on the way."""
    said = f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}"
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    library, package = Path(traceback.__file__).parent, Path(__file__).parent
    frames = [(path, line) for path, line in frames if path.is_file() and not path.is_relative_to(library)]
    frames = [(path, line) for path, line in frames if "site-packages" not in path.parts]
    written = [(path, line) for path, line in frames if not path.is_relative_to(package)] or frames
    return f"{said} ({written[-1][0].name}, line {written[-1][1]})" if written else said


def closest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" or the known names, to end an error with."""
    known = sorted(known)
    match = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{match[0]}'?" if match else f" Known: {', '.join(known)}."
