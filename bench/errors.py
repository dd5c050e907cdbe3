"""The errors that carry a meaning of their own."""

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """A user's mistake: one line that says what is wrong and how to mend it. Exit code 2."""


class Diverged(Exception):
    """Training met a number that is not finite."""


def why(error: BaseException) -> str:
    """One line: what kind of error, its first line, and the place in a user's file where it came up, if it is one."""
    said = f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not Path(frame.filename).is_relative_to(Path(__file__).parent)]
    own = [frame for frame in own if "site-packages" not in frame.filename and not frame.filename.startswith("<")]
    own = [frame for frame in own if Path(frame.filename).parent != Path(traceback.__file__).parent]
    return f"{said} ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else said


def closest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" or the known names, to end an error with."""
    known = sorted(known)
    match = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{match[0]}'?" if match else f" Known: {', '.join(known)}."
