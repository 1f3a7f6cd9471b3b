"""Reports that are one file, made of the written journal once the run is over: a run waits for none of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, TextIO

import msgspec

from antiphon.errors import RecordingError
from antiphon.journal import Sink
from antiphon.journal.file import FILE_NAME, read_journal
from antiphon.journal.private_files import open_private

__all__ = ["AtTheEnd", "Document", "Write", "place_of", "replacing"]

Write = Callable[[Iterator[Any], TextIO, Path], None]
"""Given a run's entries, writes the report of them into a file; the path is the run's directory."""


class Document(msgspec.Struct, frozen=True):
    """A report that is one file; see `antiphon.journal.Report`.

    It is called `file_name` and lies in the run's directory, unless it is given another `target`. A target that is a
    directory, or ends like one, gets a file for each run, named after the run's directory: parallel runs share none.
    A file or a link that was there is replaced at once, never half; a device, a pipe or a socket is not. Its sink
    raises OSError or RecordingError when it is closed.
    """

    file_name: str
    write: Write

    def __call__(self, directory: Path, target: str = "") -> Sink:
        path = self.path(directory, target)
        return AtTheEnd(directory, lambda entries: self._make(entries, path, directory))

    def path(self, directory: Path, target: str) -> Path:
        """Where the file of the run in that directory goes."""
        return place_of(self.file_name, directory, target)

    def _make(self, entries: Iterator[Any], path: Path, directory: Path) -> None:
        with replacing(path, directory) as file:
            self.write(entries, file, directory)


def place_of(file_name: str, directory: Path, target: str) -> Path:
    """Where a report that is one file goes, of the run in that directory; see Document."""
    if not target:
        return directory / file_name
    if target.endswith(("/", os.sep)) or Path(target).is_dir():
        name = Path(file_name)
        return Path(target) / f"{name.stem}-{directory.resolve().name}{name.suffix}"
    return Path(target)


@contextmanager
def replacing(path: Path, directory: Path) -> Iterator[TextIO]:
    """A file that takes the place of what has that path once it is whole; private in the run's own directory.

    Raises OSError if it cannot be written, RecordingError if something is there that is no file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not _is_replaceable(path):
        raise RecordingError(
            "a report takes the place of a file, and this is none", place=str(path), hint="say another place for it"
        )
    unfinished, number = _new_file_beside(path, is_private=path.parent == directory)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield file
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _is_replaceable(path: Path) -> bool:
    """Whether nothing is lost with what has that name: whoever may write in /dev would lose /dev/null."""
    if path.exists() and not path.is_file():
        return False
    # /dev/stdout: a link that leads to whatever the standard output is.
    return not (path.is_symlink() and str(path.readlink()).startswith("/proc/"))


def _new_file_beside(path: Path, *, is_private: bool) -> tuple[Path, int]:
    """A file that nobody else can have put there, and its descriptor.

    Where others may write, as in /tmp, a name that can be foreseen may be a link of theirs to a file of ours.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    while True:
        unfinished = path.with_name(f".{path.name[-100:]}.{token_hex(8)}")
        with suppress(FileExistsError):
            if is_private:
                return unfinished, open_private(unfinished, flags)
            return unfinished, os.open(unfinished, flags, 0o666)  # for whoever may look there, as the umask says


class AtTheEnd:
    """A sink that lets the entries pass, and makes something of the written journal when it is closed.

    Nothing is made of a run that did not begin.
    """

    def __init__(self, directory: Path, make: Callable[[Iterator[Any]], None]) -> None:
        self._journal = directory / FILE_NAME
        self._make = make

    def __call__(self, entry: Any) -> None:
        """What matters is in the journal."""

    def close(self) -> None:
        """The run is over, or its journal ends here."""
        if self._journal.stat().st_size:
            self._make(read_journal(self._journal))
