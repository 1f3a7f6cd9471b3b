"""The timers of a run: what was started is stopped anywhere, and stands in the record then."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.journal import TimerStopped
from antiphon.runtime.call_site import Place, caller
from antiphon.runtime.runtime import STEP, Runtime

__all__ = ["Timers"]


class _Running(msgspec.Struct):
    """A timer that was started: when and where, and how many it has reached."""

    begun_ns: int
    source: Place
    reached: int = 0


class Timers:
    """The timers of one run that were started, by name and key."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._running: dict[tuple[str, Hashable], _Running] = {}

    def start(self, name: str, key: Hashable) -> None:
        """See `Timer.start`."""
        running = self._running.get((name, key))
        if running is not None and not running.reached:
            raise ScenarioError(
                f"{_told(name, key)} was started at {running.source}, and was not stopped since",
                place=caller(2),
                hint=f"timer({name!r}, key=…) tells several at once apart" if key is None else None,
            )
        self._running[name, key] = _Running(self.runtime.now_ns(), caller(2))

    def stop(self, name: str, key: Hashable) -> float:
        """See `Timer.stop`."""
        begun_ns = self._started(name, key).begun_ns
        del self._running[name, key]
        return self.record(name, begun_ns)

    def reach(self, name: str, key: Hashable) -> float:
        """See `Timer.reach`."""
        running = self._started(name, key)
        running.reached += 1
        return self.record(name, running.begun_ns)

    def last(self, name: str, key: Hashable, of: int) -> float | None:
        """See `Timer.last`."""
        running = self._started(name, key)
        running.reached += 1
        if running.reached < of:
            return None
        del self._running[name, key]
        return self.record(name, running.begun_ns)

    def record(self, name: str, begun_ns: int) -> float:
        """Something of that name is over; how long it took, in seconds."""
        now_ns, step = self.runtime.now_ns(), STEP.get()
        took_ns = now_ns - begun_ns
        number = step.number if step is not None else 0
        self.runtime.record(TimerStopped(at_ns=now_ns, name=name, took_ns=took_ns, step=number))
        return took_ns / 1e9

    def _started(self, name: str, key: Hashable) -> _Running:
        running = self._running.get((name, key))
        if running is None:
            others = [other for known, other in self._running if known == name]
            raise ScenarioError(
                f"{_told(name, key)} does not run: it was not started, or is over",
                place=caller(3),
                hint=f"it runs for the keys {shorten(others)}" if others else f"timer({name!r}).start() starts it",
            )
        return running


def _told(name: str, key: Hashable) -> str:
    return f"the timer {name!r}" + ("" if key is None else f" of {shorten(key)}")
