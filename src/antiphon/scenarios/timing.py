"""The word for a timer: the time between any two moments of a scenario, also of two actors."""

from __future__ import annotations

from collections.abc import Hashable
from types import TracebackType

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.runtime.call_site import caller
from antiphon.scenarios.step import STAGE
from antiphon.scenarios.timers import Timers

__all__ = ["Timer", "timer"]


def timer(name: str, key: Hashable = None) -> Timer:
    """Times something of that name: what stands in `with timer("login"):`, or what begins and ends elsewhere.

    `timer("delivery").start()` and `timer("delivery").stop()` belong together wherever they stand in a run: in two
    actors, two branches, a handler. `key` tells several at once apart, as by a message's id. Of one that many receive
    `reach()` tells for each how long it took, and `last(of=3)` when the last of three has it.

    Raises ScenarioError for a name that is none.
    """
    if not isinstance(name, str) or not name:
        raise ScenarioError(
            f"a timer is known by a name, not by {shorten(name)}", place=caller(), hint='timer("delivery")'
        )
    return Timer(name, key)


class Timer:
    """A timer of a run. As a context it times what stands in it, if that comes to its end; the rest is by its name.

    Each method raises ScenarioError, with the place, outside of a scenario or when it is not the turn of that.
    """

    __slots__ = ("_begun_ns", "key", "name")

    def __init__(self, name: str, key: Hashable) -> None:
        self.name = name
        self.key = key
        self._begun_ns: int | None = None

    def __repr__(self) -> str:
        return f"<Timer {self.name!r}>" if self.key is None else f"<Timer {self.name!r} of {shorten(self.key)}>"

    def start(self) -> None:
        """It begins now. It must not run, unless it has reached somebody: then it begins anew."""
        _timers(self).start(self.name, self.key)

    def stop(self) -> float:
        """It is over; how long it took, in seconds."""
        return _timers(self).stop(self.name, self.key)

    def reach(self) -> float:
        """One of many has it, and the others may still get it; how long it took, in seconds."""
        return _timers(self).reach(self.name, self.key)

    def last(self, *, of: int) -> float | None:
        """One of so many has it. With the last of them it is over; how long that took, in seconds, None before."""
        if not isinstance(of, int) or isinstance(of, bool) or of < 1:
            raise ScenarioError(f"{self!r}: last() takes of= from 1 on, not {shorten(of)}", place=caller())
        return _timers(self).last(self.name, self.key, of)

    def __enter__(self) -> Timer:
        if self._begun_ns is not None:
            hint = f"timer({self.name!r}) makes one for each"
            raise ScenarioError(f"{self!r} is in a with already", place=caller(), hint=hint)
        self._begun_ns = _timers(self).runtime.now_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        begun_ns, self._begun_ns = self._begun_ns, None
        # What was timed has not come to its end: its time would be that of something else.
        if kind is None and begun_ns is not None:
            _timers(self).record(self.name, begun_ns)

    async def __aenter__(self) -> Timer:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def _timers(asking: Timer) -> Timers:
    stage = STAGE.get()
    if stage is None:
        raise ScenarioError(
            f"{asking!r} is used outside of a scenario",
            place=caller(2),
            hint="timers are of a run: use them in functions with @scenario, actions and handlers",
        )
    return stage.timers
