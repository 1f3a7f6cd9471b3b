"""What the machine has no more of: files, memory, threads. Told as that, whatever it made fail."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from typing import Final

from antiphon.errors import AntiphonError, ResourcesExhausted

if sys.platform != "win32":
    import resource  # not when it is needed: an import opens files, and there are none then

__all__ = ["as_exhaustion", "is_exhaustion"]

_NO_THREAD: Final = "can't start new thread"
"""What CPython says: the error is a plain RuntimeError in all of 3.11-3.14, so its text is all there is."""


def as_exhaustion(error: BaseException) -> BaseException:
    """The error, or if the machine had no more of something, and that was its cause, what says so."""
    cause = next(filter(is_exhaustion, _causes(error)), None)
    if cause is None or isinstance(error, ResourcesExhausted):
        return error
    told, hint = _tell(cause)
    exhausted = ResourcesExhausted(told, hint=hint)
    if isinstance(error, AntiphonError):
        exhausted.place, exhausted.called_at = error.place, error.called_at
        exhausted.step, exhausted.run = error.step, error.run
        exhausted.text = f"{error.text}\n  {told}"
    for note in getattr(error, "__notes__", ()):
        exhausted.add_note(note)
    exhausted.__cause__ = error
    return exhausted


def is_exhaustion(error: BaseException) -> bool:
    """True if it says, itself, that the machine has no more of something."""
    if isinstance(error, OSError):
        return error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and str(error) == _NO_THREAD)


def _causes(given: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from or during, from the outside in."""
    error: BaseException | None = given
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _tell(cause: BaseException) -> tuple[str, str]:
    """What there is no more of, with its limit, and the hint."""
    if isinstance(cause, OSError) and cause.errno == errno.EMFILE:
        limit = _limit("RLIMIT_NOFILE")
        return f"this process may not open more files and connections{limit}", "raise the limit first: ulimit -n 65536"
    if isinstance(cause, OSError) and cause.errno == errno.ENFILE:
        return "this machine has no more files and connections, for any process", "end other processes, or do less"
    if isinstance(cause, RuntimeError):
        limit = _limit("RLIMIT_NPROC")
        return f"no thread could be started{limit}", "do less at once, or raise the limit first: ulimit -u"
    return f"there is no more memory{_limit('RLIMIT_AS')}", "do less at once, or raise the limit first: ulimit -v"


def _limit(name: str) -> str:
    """The limit of this process, in words; "" where there is none, or the system has no such thing."""
    if sys.platform == "win32":
        return ""
    limit = resource.getrlimit(getattr(resource, name))[0]
    return "" if limit == resource.RLIM_INFINITY else f"; its limit is {limit}"
