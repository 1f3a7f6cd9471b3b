"""What is measured of one part of a load, by name: durations as they come, made into figures each second."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from antiphon.journal.figures import Measured, SeriesFigures
from antiphon.journal.histogram import Histogram
from antiphon.load.division import OTHERS

__all__ = ["PartSeries", "Series", "name_of_request"]


class Series:
    """The durations of one thing since the last figures, in microseconds from 1; `errors` is how many of them failed.

    `split_us` is how they divide over what was awaited in them, as far as anything was, and `gained_us` the same in
    durations as they come, which are to be added.
    """

    __slots__ = ("durations_us", "errors", "gained_us", "kind", "split_us")

    def __init__(self, kind: Measured) -> None:
        self.kind = kind
        self.durations_us: list[int] = []
        self.errors = 0
        self.split_us: dict[str, int] = {}
        self.gained_us: dict[str, list[int]] = {}

    def figures(self) -> SeriesFigures:
        """What was measured since the last time; it begins anew."""
        histogram = Histogram()
        # Counted in C first: of thousands a second most are alike.
        for us, count in Counter(self.durations_us).items():
            histogram.record(us, count)
        split = dict(self.split_us)
        for awaited, gained_us in self.gained_us.items():
            if gained_us:
                split[awaited] = split.get(awaited, 0) + sum(gained_us)
                gained_us.clear()
        if self.kind == "step":
            split[""] = histogram.sum_us - sum(split.values())
        figures = SeriesFigures(
            kind=self.kind,
            count=len(self.durations_us),
            min_us=histogram.min_us,
            max_us=histogram.max_us,
            sum_us=histogram.sum_us,
            blob=histogram.to_blob(),
            errors=self.errors,
            split=split,
        )
        # Cleared, not replaced: whoever measures has its `append`.
        self.durations_us.clear()
        self.split_us.clear()
        self.errors = 0
        return figures


Append = Callable[[int], None]

Waited = tuple[Append, Append, Append]
"""What appends a wait's duration to those of its name; and, when the action in which it was is over, the action's
duration to those of the action, and the wait's to how they divide."""


class PartSeries:
    """The series of one part.

    `asks` and `expects` are for whoever measures most: by the action's name, and by the message's, what appends
    durations. What is missing there, and what is awaited outside of all actions, is made by `wait` and `series`.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        self.asks: dict[str, dict[Any, Waited]] = {}
        self.expects: dict[str, dict[Any, Waited]] = {}
        self._series: dict[tuple[Measured, str], Series] = {}
        self._names: dict[str, Measured] = {}
        self._plain: set[str] = set()

    def told(self, name: str, mask: Callable[[str], str]) -> str:
        """What is called so, as figures call it: without secrets, which `mask` takes out; beyond 500 it is `others`.

        A message may have a token in its name, and who writes a scenario a token in that of a timer.
        """
        if name in self._plain:
            return name
        if len(self._plain) >= _MOST_SERIES:
            return OTHERS
        masked = mask(name)
        if masked == name:
            self._plain.add(name)
        return masked

    def series(self, kind: Measured, *path: str | None) -> Series:
        """The series of that kind whose name is the part and what stands behind it; beyond 500 it is `others`."""
        name = "/".join([self.part, *filter(None, path)])
        found = self._series.get((kind, name))
        if found is None:
            if len(self._series) >= _MOST_SERIES:
                name = f"{self.part}/{OTHERS}"
            found = self._series.setdefault((kind, name), Series(kind))
        return found

    def wait(self, kind: Measured, action: str | None, message: str) -> Series:
        """The series of a message that is asked for or expected in an action."""
        series = self.series(kind, action, message)
        # Names may be as many as messages, where they hold an id.
        if action is not None and len(self._series) < _MOST_SERIES:
            known = self.asks if kind == "ask" else self.expects
            step = self.series("step", action)
            gained_us = step.gained_us.setdefault(message, [])
            appends = series.durations_us.append, step.durations_us.append, gained_us.append
            known.setdefault(action, {})[message] = appends
        return series

    def figures(self) -> dict[str, SeriesFigures]:
        """What was measured since the last time, by name. Two kinds of one name: the later one has its kind behind."""
        told = {}
        for (kind, name), series in self._series.items():
            if series.durations_us:
                is_first = self._names.setdefault(name, kind) == kind
                told[name if is_first else f"{name} ({kind})"] = series.figures()
        return told


def name_of_request(method: str, url: str) -> str:
    """`POST /calls/*` for any POST to `/calls/890`: of the URL the path, without what looks like an id."""
    path = urlsplit(url).path or "/"
    parts = ("*" if _ID.search(part) and not _VERSION.fullmatch(part) else part for part in path.split("/"))
    return f"{method} {'/'.join(parts)}"


_MOST_SERIES: Final = 500
_ID: Final = re.compile(r"\d|^[0-9a-fA-F-]{8,}$|.{41}")
"""A digit, hexadecimal digits only, or more than 40 characters."""
_VERSION: Final = re.compile(r"v\d{1,2}")
