"""What antiphon brings along for its users to take away, copied to a folder of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from importlib.metadata import EntryPoint
from importlib.resources import as_file, files
from pathlib import Path

from antiphon.errors import RecordingError, ScenarioError

__all__ = ["brought_along", "copy_files", "require_no_link"]


def brought_along(testbed: EntryPoint, name: str) -> AbstractContextManager[Path]:
    """A folder that lies in the testbed's package."""
    return as_file(files(testbed.module).joinpath(name))


def require_no_link(folder: Path) -> None:
    """Raise ScenarioError for a link: where others may write too it may be theirs, and lead anywhere."""
    if folder.is_symlink():
        raise ScenarioError(f"{folder} is a link to {folder.readlink()}", hint="name the folder that you mean itself")


def copy_files(source: Path, names: Iterable[Path], folder: Path, what: str) -> None:
    """Copy the files of these names, relative to `source`, into the folder, which is made.

    Raises RecordingError if that cannot be done; nothing is overwritten.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("xb") as copy:
                copy.write((source / name).read_bytes())
    except OSError as error:
        raise RecordingError(f"{what} cannot be copied: {error.strerror}", place=str(folder)) from error
