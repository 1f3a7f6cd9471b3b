"""Where in the author's code something was written, or went wrong, and whose code that is."""

from __future__ import annotations

import sys
import sysconfig
from dis import opname
from functools import lru_cache
from itertools import islice
from pathlib import Path
from traceback import FrameSummary, extract_tb
from types import CodeType, FrameType
from typing import Final

__all__ = ["Place", "author_frame", "caller", "is_thrown_away", "owner_of", "place", "place_of"]

Place = str
"""FILE:LINE: the file relative to the working directory where it lies below it, the line from 1."""

_OURS = "antiphon."


def caller(skipping: int = 1) -> Place:
    """The nearest place on the stack that is not in antiphon's own drive; the innermost `skipping` callers are ours."""
    frame = sys._getframe(skipping + 1)
    known = _KNOWN.get((id(frame.f_code), frame.f_lasti))
    return known[0] if known is not None else _find(frame)


def _find(frame: FrameType) -> Place:
    while str(frame.f_globals.get("__name__")).startswith(_OURS) and frame.f_back is not None:
        frame = frame.f_back
    code = frame.f_code
    found = place(code.co_filename, frame.f_lineno)
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[id(code), frame.f_lasti] = (found, code)
    return found


def place_of(function: object) -> Place:
    """Where a function is defined; "" for one without code."""
    code = getattr(function, "__code__", None)
    return place(code.co_filename, code.co_firstlineno) if code is not None else ""


@lru_cache(maxsize=4096)
def place(file: str, line: int) -> Place:
    """A place as it is told."""
    path = Path(file)
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else file}:{line}"


def is_thrown_away(written: Place) -> bool:
    """True if a `__del__` that calls this runs because the statement at that place has made a value for nothing.

    That is told by the instruction at work: one that drops a value which is nowhere kept, or has tested or compared it.
    """
    frame = sys._getframe(2)
    code = frame.f_code
    if opname[code.co_code[frame.f_lasti]] not in _DROPPING:
        return False
    line, last_line, _, _ = next(islice(code.co_positions(), frame.f_lasti // 2, None))
    return any(place(code.co_filename, each) == written for each in range(line or 0, (last_line or 0) + 1))


def author_frame(error: BaseException) -> FrameSummary | None:
    """The innermost frame of the author's code that an error went through, or that of what it was raised from."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        for frame in reversed(extract_tb(cause.__traceback__)):
            if owner_of(frame) == "author":
                return frame
        cause = cause.__cause__
    return None


def owner_of(frame: FrameSummary) -> str:
    """Whose code a frame is: "antiphon", "library" (Python's, or one that antiphon is built on) or "author"."""
    if frame.filename.startswith("<"):
        return "library" if frame.filename.startswith("<frozen ") else "author"
    path = Path(frame.filename).resolve()
    if path.is_relative_to(_OUR_FOLDER):
        return "antiphon"
    packages = next((place for place in path.parents if place.name in ("site-packages", "dist-packages")), None)
    if packages is not None:
        return "library" if path.relative_to(packages).parts[0] in _DEPENDENCIES else "author"
    if path.is_relative_to(_LIBRARY) or not path.suffix or path.suffix == ".pyx":
        return "library"
    return "author"


_KNOWN: Final[dict[tuple[int, int], tuple[Place, CodeType]]] = {}
"""The places of code that called before, by the code's identity and the instruction: to find a line takes longer.

A code object that is kept here keeps its identity, and to hash one would mean to read all of it.
"""

_MOST_KNOWN: Final = 4096
_DROPPING: Final = frozenset(name for name in opname if name.startswith("POP_JUMP")) | {
    "COMPARE_OP",
    "POP_TOP",
    "TO_BOOL",  # from Python 3.13 on
    "UNARY_NOT",
}
_OUR_FOLDER: Final = Path(__file__).resolve().parents[1]
_LIBRARY: Final = Path(sysconfig.get_paths()["stdlib"]).resolve()
_DEPENDENCIES: Final = frozenset(
    {"aiohttp", "aiosignal", "cyclopts", "frozenlist", "msgspec", "multidict", "picows", "rich", "uvloop", "yarl"}
)
