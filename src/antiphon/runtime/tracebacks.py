"""Whose code a frame is: the author's, ours or a library's; and tracebacks with the author's frames alone.

It is told by the file that the code was compiled from (`co_filename`), in one place for all who ask: exit codes, places
in failures, pytest's tracebacks. The name of the module (`f_globals["__name__"]`) was used before; it is not in a
`FrameSummary`, and code that is executed from a text may call itself anything.

Relied upon: `co_filename` is the path of the source, "<…>" for code without one, and for code in Cython the path of its
.pyx file from where it was built. `TracebackType(next, frame, lasti, lineno)` and the assignment to `__traceback__` are
documented. What cannot be told is the author's: then a frame too much is shown, and none of theirs is hidden.
"""

from __future__ import annotations

import sysconfig
from functools import lru_cache
from pathlib import Path
from traceback import FrameSummary, extract_tb
from types import TracebackType
from typing import Final, Literal

from antiphon.errors import AntiphonError

__all__ = ["Owner", "author_frame", "keep_author_frames", "owner_of"]

Owner = Literal["antiphon", "library", "author"]
"""A library is Python's own, or one that antiphon is built on; what else is installed is as good as the author's."""


@lru_cache(maxsize=4096)
def owner_of(file: str) -> Owner:
    """Whose the code is that was compiled from this file."""
    if file.startswith("<"):
        return "library" if file.startswith("<frozen ") else "author"
    path = Path(file).resolve()
    if path.is_relative_to(_OUR_FOLDER):
        return "antiphon"
    packages = next((place for place in path.parents if place.name in ("site-packages", "dist-packages")), None)
    if packages is not None:
        return "library" if path.relative_to(packages).parts[0].removesuffix(".py") in _DEPENDENCIES else "author"
    is_compiled = path.suffix == ".pyx" or not (path.suffix or path.exists())  # a script may have no suffix
    return "library" if is_compiled or path.is_relative_to(_LIBRARY) else "author"


def author_frame(error: BaseException) -> FrameSummary | None:
    """The innermost frame of the author's code that an error went through, or that of what it was raised from."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        for frame in reversed(extract_tb(cause.__traceback__)):
            if owner_of(frame.filename) == "author":
                return frame
        cause = cause.__cause__
    return None


def keep_author_frames(error: BaseException) -> None:
    """Leave of the tracebacks of an error, and of what led to it, the author's frames: test, scenario, action.

    Tracebacks that antiphon has no part in stay as they are. So does the end of one whose error is none of antiphon's
    own: it may be antiphon that is wrong.
    """
    is_explained = isinstance(error, AntiphonError)
    error.__traceback__ = _outline(error.__traceback__, is_explained) or error.__traceback__
    led_to_it, seen = [error], {id(error)}
    for later in led_to_it:
        inner = later.exceptions if isinstance(later, BaseExceptionGroup) else ()
        for earlier in (later.__cause__, later.__context__, *inner):
            if earlier is not None and id(earlier) not in seen:
                seen.add(id(earlier))
                led_to_it.append(earlier)
                outline = _outline(earlier.__traceback__, is_explained or isinstance(earlier, AntiphonError))
                earlier.__traceback__ = outline if is_explained else outline or earlier.__traceback__


def _outline(traceback: TracebackType | None, is_explained: bool) -> TracebackType | None:
    """The traceback without our frames and a library's; if it is not explained, with those that are at its end."""
    entries: list[tuple[TracebackType, Owner]] = []
    entry = traceback
    while entry is not None:
        entries.append((entry, owner_of(entry.tb_frame.f_code.co_filename)))
        entry = entry.tb_next
    if not any(owner == "antiphon" for _, owner in entries):
        return traceback
    outline: TracebackType | None = None
    is_at_end = not is_explained
    for entry, owner in reversed(entries):
        is_own = owner == "author"
        is_at_end = is_at_end and not is_own
        if is_own or is_at_end:
            outline = TracebackType(outline, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return outline


_OUR_FOLDER: Final = Path(__file__).resolve().parents[1]
_LIBRARY: Final = Path(sysconfig.get_paths()["stdlib"]).resolve()
_DEPENDENCIES: Final = frozenset(
    [
        *("ahocorasick_rs", "aiofastnet", "aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "attrs", "cyclopts"),
        *("docstring_parser", "frozenlist", "idna", "markdown_it", "mdurl", "msgspec", "multidict", "picows"),
        *("propcache", "pygments", "python_socks", "rich", "rich_rst", "typing_extensions", "uvloop", "yarl"),
    ]
)
"""What an installation of antiphon brings along, by the names in site-packages.

Not asked of `importlib.metadata`, which would read a file for each of them in the middle of a failure.
"""
