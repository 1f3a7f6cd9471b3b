"""The text of a file that somebody has written by hand: read, or told why it cannot be."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from antiphon.errors import ScenarioError

__all__ = ["input_lines", "read_input"]


def read_input(file: Path, what: str) -> str:
    """The text of a file in UTF-8, its lines ended by "\\n"; `what` it is says the error.

    Raises ScenarioError with the place, and the line of what is no UTF-8.
    """
    return "".join(input_lines(file, what))


def input_lines(file: Path, what: str) -> Iterator[str]:
    """The same a line at a time, each with its end: so a large file takes no memory."""
    try:
        if not file.is_file():
            file.stat()  # one that is not there says so itself
            # To read a pipe may take for ever.
            raise ScenarioError(
                f"{what} cannot be read: it is no regular file", place=str(file), hint="name a file with its text"
            )
        with file.open("rb") as opened:
            yield from _decoded(opened, file, what)
    except OSError as error:
        hint = "is its path spelt right, and may this account read it?"
        raise ScenarioError(f"{what} cannot be read: {error.strerror}", place=str(file), hint=hint) from error


def _decoded(opened: BinaryIO, file: Path, what: str) -> Iterator[str]:
    looks = "another encoding"
    for number, data in enumerate(opened, 1):
        if number == 1:
            if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                looks = "UTF-16"
            # Some editors begin a file with a byte order mark.
            data = data.removeprefix(codecs.BOM_UTF8)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise ScenarioError(
                f"{what} cannot be read: byte 0x{data[error.start]:02x} is no UTF-8",
                place=f"{file}:{number}",
                hint=f"it seems to be in {looks}: save it as UTF-8",
            ) from error
        if "\r" not in text:
            yield text
        else:
            yield from _with_line_feeds(text)


def _with_line_feeds(text: str) -> Iterator[str]:
    """The lines of what was read up to a line feed, where others end lines with a carriage return, too."""
    *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest
