"""What a run waits for at the moment, on one line that is written again and again while nothing else happens."""

from __future__ import annotations

from typing import Any, Final

from antiphon.journal import RunStarted, StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.glance import fit

__all__ = ["AFTER_S", "Progress"]

AFTER_S: Final = 1.0
"""A wait is told of when it has lasted so long."""

_BAR_WIDTH: Final = 12


class Progress:
    """Follows the entries of one run. Times are seconds of whoever calls, who says when an entry came."""

    def __init__(self) -> None:
        self._zero_s = 0.0
        self._waits: dict[int, WaitStarted] = {}
        self._pauses: dict[int, StepStarted] = {}

    def note(self, entry: Any, now_s: float) -> None:
        """An entry has come."""
        if isinstance(entry, WaitStarted):
            self._waits[entry.number] = entry
        elif isinstance(entry, WaitEnded):
            self._waits.pop(entry.number, None)
        elif isinstance(entry, StepStarted) and entry.action == "wait":
            self._pauses[entry.number] = entry
        elif isinstance(entry, StepEnded):
            self._pauses.pop(entry.number, None)
        elif isinstance(entry, RunStarted):
            self._zero_s = now_s

    def line(self, now_s: float, width: int) -> str:
        """What has been waited for the longest, how long and until when; "" if nothing has for long."""
        at_s = now_s - self._zero_s
        waiting: list[StepStarted | WaitStarted] = [*self._pauses.values(), *self._waits.values()]
        waiting = [each for each in waiting if at_s - each.at_ns / 1e9 >= AFTER_S]
        if not waiting:
            return ""
        oldest = min(waiting, key=lambda each: each.at_ns)
        began_s = oldest.at_ns / 1e9
        length_s = _length_s(oldest)
        what = "wait" if isinstance(oldest, StepStarted) else oldest.what
        who = f"{oldest.actor}: " if oldest.actor else ""
        more = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        waited_s = at_s - began_s
        if length_s is None:
            told = f"{waited_s:.0f} s  {who}{what}{more}"
        else:
            told = f"{_bar(waited_s / length_s)} {waited_s:.0f} of {length_s:g} s  {who}{what}{more}"
        return fit(told, max(width - 1, 1))


def _length_s(waiting: StepStarted | WaitStarted) -> float | None:
    """How long it may take, None if nobody has said."""
    if isinstance(waiting, WaitStarted):
        return round((waiting.deadline_ns - waiting.at_ns) / 1e9, 1) if waiting.deadline_ns is not None else None
    length_s = waiting.arguments[0].value if waiting.arguments else None
    # Anything but a number is a reference that was not looked up yet.
    return length_s if isinstance(length_s, (int, float)) and length_s else None


def _bar(part: float) -> str:
    done = round(min(max(part, 0.0), 1.0) * _BAR_WIDTH)
    return f"[{'#' * done}{'.' * (_BAR_WIDTH - done)}]"
