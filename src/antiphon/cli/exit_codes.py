"""Exit codes: what a command's end tells its caller, and whose fault an error is."""

from __future__ import annotations

import asyncio
from traceback import extract_tb
from typing import Final

from antiphon.cli.interruption import Interrupted
from antiphon.errors import (
    AntiphonError,
    ConnectFailed,
    DialectError,
    ExpectationFailed,
    LoadInconclusive,
    ThresholdCrossed,
    TransportError,
)
from antiphon.runtime.tracebacks import owner_of

__all__ = [
    "BUG",
    "CONNECT_FAILED",
    "FAILED",
    "HUNG_UP",
    "INCONCLUSIVE",
    "INTERRUPTED",
    "PASSED",
    "TERMINATED",
    "THRESHOLD_CROSSED",
    "USAGE",
    "exit_code",
    "is_authors",
    "is_told_to_end",
]

PASSED: Final = 0
FAILED: Final = 1
"""The peer did not do what was expected of it."""
USAGE: Final = 2
"""The command line, the scenario, the stand file or the author's own code is wrong, or the run cannot be recorded."""
CONNECT_FAILED: Final = 3
"""The peer was not there, or did not let us in. Of a load that is a threshold about errors: the rest goes on."""
THRESHOLD_CROSSED: Final = 4
"""Everything was done, and a number was not as good as it had to be."""
INCONCLUSIVE: Final = 5
"""Everything was done, and the numbers may not be trusted: the generator was too slow, or lost a process."""
BUG: Final = 70
"""Antiphon itself is wrong."""
HUNG_UP: Final = 129
"""The terminal is gone (SIGHUP). 128 and the signal's number, as a shell says it of a process that a signal ended."""
INTERRUPTED: Final = 130
"""Ctrl-C (SIGINT)."""
TERMINATED: Final = 143
"""A request to terminate (SIGTERM)."""


_CODES: Final[tuple[tuple[type[BaseException], int], ...]] = (
    (ThresholdCrossed, THRESHOLD_CROSSED),
    (LoadInconclusive, INCONCLUSIVE),
    # Before TransportError, whose child it is: to a pipeline it makes a difference whether anybody was there.
    (ConnectFailed, CONNECT_FAILED),
    (ExpectationFailed, FAILED),
    (DialectError, FAILED),
    (TransportError, FAILED),
    (AntiphonError, USAGE),
)
"""The codes of errors of ours; the first that fits counts."""


def exit_code(error: BaseException | None) -> int:
    """The exit code of a command that ended with this error; None is that it did not fail."""
    if error is None:
        return PASSED
    # The highest: the further from a plain failure, the more urgent.
    if isinstance(error, BaseExceptionGroup):
        return max((exit_code(inner) for inner in error.exceptions), default=BUG)
    if isinstance(error, Interrupted):
        return 128 + error.number
    if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
        return INTERRUPTED
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if not is_authors(error):
        return BUG
    return FAILED if isinstance(error, AssertionError) else USAGE


def is_told_to_end(code: int) -> bool:
    """True if it says that a signal has ended the command.

    `antiphon testbed` has no other end: for it that is PASSED.
    """
    return code in (HUNG_UP, INTERRUPTED, TERMINATED)


def is_authors(error: BaseException) -> bool:
    """True if an error that is none of ours was raised by the author's code.

    The innermost frame decides that is neither the standard library's nor that of a library that antiphon is built on.
    """
    for frame in reversed(extract_tb(error.__traceback__)):
        owner = owner_of(frame.filename)
        if owner != "library":
            return owner == "author"
    return False
