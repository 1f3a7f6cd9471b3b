"""Where in the author's code something was written: the place that every failure names.

A wait is made by `self.expect(…)`, and only the stack knows which line that was. It is looked at for every wait, so it
must cost little: the nearest frame and its instruction are asked for with `known_place`, and the line is found once for
each.

Relied upon: `sys._getframe` and `frame.f_lasti` (CPython 3.11 to 3.14; `inspect.stack` reads every file on the way and
takes a thousand times longer). A code object has its instructions in it, and its `id` is its address, so that an
instruction's offset added to that is an address that no other has; where the offset lies beyond the object, nothing is
remembered. The table is right as long as an instruction stands on one line, which is what `co_positions` is about. The
stack of a task ends with the frame of its own coroutine (`Task.get_coro().cr_frame`, both documented): what lies below
it called the event loop, and is nobody's reason for a wait.

What was written in a list is performed by us, with no line of the author's on the stack: then the step that is under
way has noted its place. Where neither is there, the nearest line that is none of ours is told.
"""

from __future__ import annotations

import asyncio
import sys
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from antiphon.conversation.source_code import remember_file
from antiphon.runtime.runtime import STEP
from antiphon.runtime.tracebacks import owner_of

__all__ = ["Place", "caller", "find_place", "getframe", "known_place", "local_names", "place", "place_of"]

getframe: Final = sys._getframe  # asked for every wait, and found faster here

Place = str
"""FILE:LINE: the file relative to the working directory where it lies below it, the line from 1."""


def caller(skipping: int = 1) -> Place:
    """The author's line that this call comes from; the innermost `skipping` callers are ours.

    It is the nearest of the running task, or else that of the step under way. What is called for every message does
    the same without this call.
    """
    frame = getframe(skipping + 1)
    return known_place(id(frame.f_code) + frame.f_lasti) or find_place(frame)


def find_place(nearest: FrameType) -> Place:
    """The author's line that a call comes from which was made in that frame, or in one that it was called from."""
    frame: FrameType | None = nearest
    passed: list[FrameType] = []
    while frame is not None:
        known = known_place(id(frame.f_code) + frame.f_lasti)
        if known is not None:
            return known
        owner = owner_of(frame.f_code.co_filename)
        if owner != "antiphon" and _task_frame() in passed:
            break
        if owner == "author":
            return _remember(frame)
        passed.append(frame)
        frame = frame.f_back
    step = STEP.get()
    if step is not None and step.source:
        return step.source
    foreign = (each for each in passed if owner_of(each.f_code.co_filename) != "antiphon")
    told = next(foreign, frame or nearest)
    return place(told.f_code.co_filename, told.f_lineno)


def _task_frame() -> FrameType | None:
    """The outermost frame of the running task; None where no task runs."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop in this thread
        return None
    return getattr(task.get_coro(), "cr_frame", None) if task is not None else None


def _remember(frame: FrameType) -> Place:
    code = frame.f_code
    found = place(code.co_filename, frame.f_lineno)
    if len(_PLACES) >= _MOST_KNOWN:
        _PLACES.clear()
        _CODES.clear()
    if frame.f_lasti < sys.getsizeof(code):  # else two instructions could have one address
        _CODES[id(code)] = code
        _PLACES[id(code) + frame.f_lasti] = found
    return found


def local_names(skipping: int = 1) -> dict[str, Any]:
    """The local names where this call comes from, as they are now.

    A copy: from Python 3.13 on `f_locals` of a function is a view (PEP 667), which keeps its frame alive.
    """
    return dict(getframe(skipping + 1).f_locals)


def place_of(function: object) -> Place:
    """Where a function is defined; "" for one without code."""
    code = getattr(function, "__code__", None)
    return place(code.co_filename, code.co_firstlineno) if code is not None else ""


@lru_cache(maxsize=4096)
def place(file: str, line: int) -> Place:
    """A place as it is told."""
    path = Path(file)
    if path.is_relative_to(Path.cwd()):
        told = str(path.relative_to(Path.cwd()))
        remember_file(told, file)
        return f"{told}:{line}"
    return f"{file}:{line}"


_PLACES: Final[dict[int, Place]] = {}
"""The places of the author's code that called before, by the address of the instruction."""

known_place: Final = _PLACES.get
"""`known_place(id(frame.f_code) + frame.f_lasti)` is the place that a call comes from which is made in that frame; None
if it has to be found."""

_CODES: Final[dict[int, CodeType]] = {}
"""Their code by its address, which is its own as long as it is kept; to hash one would mean to read all of it."""

_MOST_KNOWN: Final = 4096
