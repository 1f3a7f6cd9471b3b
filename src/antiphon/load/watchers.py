"""Several watchers of a load as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.load.director import Director
from antiphon.load.loads import Watcher

__all__ = ["Watchers"]


class Watchers:
    """Passes on to each what a watcher is told. One that raises sees no more of the load, which goes on without it;
    `errors` has what was raised."""

    def __init__(self, *watchers: Watcher) -> None:
        self.errors: list[Exception] = []
        self._watchers = list(watchers)
        self._looking_on = list(watchers)

    def begin(self, director: Director, /) -> None:
        """The load is about to begin."""
        self._each(lambda watcher: watcher.begin(director))

    def see(self, entry: Any, /) -> None:
        """An entry of its record."""
        self._each(lambda watcher: watcher.see(entry))

    def close(self) -> None:
        """It is over: also for those that raised."""
        self._looking_on = list(self._watchers)
        self._each(lambda watcher: watcher.close())

    def _each(self, tell: Callable[[Watcher], None]) -> None:
        for watcher in list(self._looking_on):
            try:
                tell(watcher)
            except Exception as error:
                self.errors.append(error)
                self._looking_on.remove(watcher)
