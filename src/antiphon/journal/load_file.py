"""A load's record on disk: JSON Lines beside the journals of the conversations that were kept, each line written at
once, so that what was written before a crash or a `kill -9` is readable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from antiphon.errors import RecordingError
from antiphon.journal import figures

__all__ = ["LOAD_FILE_NAME", "LoadRecord", "is_load", "read_load"]

LOAD_FILE_NAME = "load.jsonl"

LoadRecord = (
    figures.ConversationKept
    | figures.LoadChanged
    | figures.LoadEnded
    | figures.LoadStarted
    | figures.ProcessLost
    | figures.Second
    | figures.ThresholdJudged
)
"""What a line of it is."""


def is_load(directory: Path) -> bool:
    """Whether a load was recorded in the directory."""
    return (directory / LOAD_FILE_NAME).is_file()


def read_load(path: Path) -> Iterator[LoadRecord]:
    """The entries of a load's record in order; a last line without its end is left out.

    Raises RecordingError for a file that is not there or a line that is no entry; the entries before that line have
    been given.
    """
    decode = msgspec.json.Decoder(LoadRecord).decode
    try:
        file = path.open("rb")
    except OSError as error:
        raise RecordingError(f"no load can be read: {error.strerror}", place=str(path)) from error
    with file:
        for number, line in enumerate(file, 1):
            # The process was killed in the middle of it, or it is being written now.
            if not line.endswith(b"\n"):
                break
            try:
                yield decode(line)
            except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
                raise RecordingError(
                    f"this line is no entry of a load: {error}",
                    place=f"{path}:{number}",
                    hint="was it edited, or written by another version of antiphon? the lines before it are readable",
                ) from error
