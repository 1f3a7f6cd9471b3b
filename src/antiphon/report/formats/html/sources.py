"""The author's lines for a trace: what is written where its steps and waits are.

A journal has places, not code. So the lines are read when the trace is made, from the files as they are then; of a file
that was changed after the run had begun there is none, for its lines would be others.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from antiphon.conversation.source_code import line_at
from antiphon.journal import RunStarted
from antiphon.journal.masking import MASK, Masker

__all__ = ["Sources"]

MOST_PLACES: Final = 2_000


class Sources:
    """Collects the places of a journal, a block of whole lines after the other; `lines` gives what is written there."""

    def __init__(self, first_line: bytes) -> None:
        self._begun_s = _begun_s(first_line)
        self._places: dict[str, bool] = {}

    def look_at(self, block: bytes) -> None:
        """Note the places in some lines of the journal."""
        for found in _SOURCE.finditer(block):
            place = found[1].decode("utf-8", "replace")
            if len(self._places) >= MOST_PLACES and place not in self._places:
                continue
            entry = block[block.rfind(b"\n", 0, found.start()) + 1 : block.find(b"\n", found.end())]
            # What is masked in the record may be written down there, and no name would say that it is a secret.
            self._places[place] = self._places.get(place, False) or _MASK in entry

    def lines(self) -> dict[str, str]:
        """The line of source at each place that has one, without secrets."""
        masker = Masker()
        fresh: dict[str, bool] = {}
        found = {}
        for place, is_secret in self._places.items():
            file = place.rpartition(":")[0]
            if file not in fresh:
                fresh[file] = self._is_as_it_was(file)
            if fresh[file] and not is_secret and (line := line_at(place)):
                found[place] = masker.text(line)
        return found

    def _is_as_it_was(self, file: str) -> bool:
        try:
            return Path(file).stat().st_mtime <= self._begun_s
        except (OSError, ValueError):
            return False


def _begun_s(first_line: bytes) -> float:
    """When the run began, in seconds since 1970; 0 if the line does not tell."""
    try:
        return datetime.fromisoformat(msgspec.json.decode(first_line, type=RunStarted).started_at).timestamp()
    except (ValueError, RecursionError):
        return 0.0


_SOURCE: Final = re.compile(rb'"source":"((?:[^"\\]|\\.)+)"')
"""In the text of a message quotation marks have a backslash before them, so this is a field of the entry itself."""
_MASK: Final = MASK.encode()
