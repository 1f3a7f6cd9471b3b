"""A run's journal as `trace.html`.

The page holds the journal as it was written, line by line; what it shows of it, it reads in the browser. So to make a
trace is to copy a file, and whatever was recorded before a run was killed can be shown. Beside it stand the author's
lines at the places that the journal names.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

import msgspec

from antiphon.conversation.wording import visible
from antiphon.errors import RecordingError
from antiphon.journal import RunStarted
from antiphon.journal.file import FILE_NAME
from antiphon.report.formats.documents import Document
from antiphon.report.formats.html.page import harmless_json, page
from antiphon.report.formats.html.sources import Sources

__all__ = ["TRACE", "TRACE_NAME", "write_trace"]

TRACE_NAME: Final = "trace.html"
"""What the trace is called in a run's directory."""

_STYLES: Final = ("colours.css", "trace.css")

_SCRIPTS: Final = (
    "words.js",
    "theme.js",
    "json.js",
    "waits.js",
    "journal.js",
    "correlation.js",
    "diagram.js",
    "rows.js",
    "strip.js",
    "body.js",
    "details.js",
    "filters.js",
    "trace.js",
)
"""In the order in which they are run."""

BLOCK_BYTES: Final = 4 << 20
"""How much of the journal one element of the page holds: a browser's strings may not be of any length."""


def write_trace(directory: Path, target: str = "") -> Path:
    """Make the trace of the run that was recorded in that directory, and give its path; `target` as for any report.

    A last line without its end is left out; a line that is no entry is shown as such. Raises RecordingError if the
    journal cannot be read or holds nothing, or the trace cannot be written.
    """
    journal, path = directory / FILE_NAME, TRACE.path(directory, target)
    try:
        size_bytes = journal.stat().st_size
    except OSError as error:
        raise RecordingError(f"no journal can be read: {error.strerror}", place=str(journal)) from error
    if not size_bytes:
        raise RecordingError("this journal holds nothing", place=str(journal), hint="the run ended before it had begun")
    try:
        TRACE(directory, target).close()  # type: ignore[attr-defined]
    except OSError as error:
        raise RecordingError(
            f"the trace cannot be written: {error.strerror}", place=str(path), hint="--to FILE says where else"
        ) from error
    return path


def _write(_entries: Iterator[Any], file: TextIO, directory: Path) -> None:
    before_title, before_journal, after_journal = page("trace.html", _STYLES, _SCRIPTS)
    with (directory / FILE_NAME).open("rb") as journal:
        first_line = journal.readline()
        sources = Sources(first_line)
        file.write(before_title)
        file.write(html.escape(_title(first_line)))
        file.write(before_journal)
        journal.seek(0)
        for block in _blocks(journal):
            sources.look_at(block)
            file.write('<script type="application/jsonl" class="journal">')
            file.write(harmless_json(block))
            file.write("</script>\n")
        file.write('<script type="application/json" id="sources">')
        file.write(harmless_json(msgspec.json.encode(sources.lines())))
        file.write("</script>\n")
        file.write(after_journal)


def _blocks(journal: BinaryIO) -> Iterator[bytes]:
    """The journal in pieces of whole lines."""
    while block := journal.read(BLOCK_BYTES):
        if not block.endswith(b"\n"):
            # A line in two elements would be two lines that are no entries.
            block += journal.readline()
        yield block[: block.rfind(b"\n") + 1]


def _title(first_line: bytes) -> str:
    try:
        return visible(msgspec.json.decode(first_line, type=RunStarted).scenario)
    except (ValueError, RecursionError):
        return "a run"


TRACE: Final = Document(TRACE_NAME, _write)
"""The report "trace" of one run."""
