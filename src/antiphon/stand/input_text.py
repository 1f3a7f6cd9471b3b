"""The text of a file that somebody has written by hand: read, or told why it cannot be."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from antiphon.errors import ScenarioError

__all__ = ["read_input"]


def read_input(file: Path, what: str) -> str:
    """The text of a file in UTF-8, its lines ended by "\\n"; `what` it is says the error.

    Raises ScenarioError with the place, and the line of what is no UTF-8.
    """
    try:
        if not file.is_file():
            file.stat()  # one that is not there says so itself
            # To read a pipe may take for ever.
            raise ScenarioError(
                f"{what} cannot be read: it is no regular file", place=str(file), hint="name a file with its text"
            )
        # Some editors begin a file with a byte order mark.
        data = file.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        hint = "is its path spelt right, and may this account read it?"
        raise ScenarioError(f"{what} cannot be read: {error.strerror}", place=str(file), hint=hint) from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        looks = "UTF-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "another encoding"
        raise ScenarioError(
            f"{what} cannot be read: byte 0x{data[error.start]:02x} is no UTF-8",
            place=f"{file}:{line}",
            hint=f"it seems to be in {looks}: save it as UTF-8",
        ) from error
    return io.IncrementalNewlineDecoder(None, translate=True).decode(text, final=True)
