"""What is measured of one conversation while it goes on: each thing as it is recorded, in the call that records it.

To keep what was recorded until somebody has the time to look at it costs more than to look at once, when it is at hand:
what lies in memory meanwhile is in no cache any more, and is walked by the garbage collector. So whoever records calls
what `recorders` makes, which keeps the entry and measures what is over. What happens most it does itself, with all that
it needs at hand; the rest goes to `Measuring`.

What is said of time: a step or a wait that was cancelled tells nothing of the system, and is not counted. One that
failed is, with the time it took, and is an error. Durations are at least a microsecond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from typing import Any, Final

from antiphon.actor.http_exchange import PerformedExchange
from antiphon.conversation.awaited import WaitKind
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names, names_told
from antiphon.conversation.typed_waits import AskedExchange, TypedWait
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.errors import ForbiddenMessage
from antiphon.journal import (
    ChannelEnded,
    ChannelOpened,
    ChannelReopening,
    Deferred,
    Handled,
    RunEnded,
    TimerStopped,
    WaitEnded,
    WaitStarted,
)
from antiphon.journal.figures import Measured, Traffic
from antiphon.journal.inlet import Inlet
from antiphon.journal.outlet import Sink
from antiphon.journal.performed import PerformedStep
from antiphon.load.division import Division, Settled, divide
from antiphon.load.series import PartSeries, name_of_request
from antiphon.load.wordings import short_place
from antiphon.runtime.runtime import step_under_way

__all__ = ["Measuring", "Recorders", "Sizes", "recorders"]

Recorders = Callable[[Sink, Container[str], Sink, Sink], tuple[Sink, Inlet, Callable[[Sink], None]]]
"""See `recorders`."""


class Sizes:
    """The data of each message that was sent, and of each that was received, in bytes; protocols' own are left out."""

    __slots__ = ("received", "sent")

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.received: list[int] = []

    def add(self, message: Message) -> None:
        """Count a message whose size is not that of its text."""
        if not message.is_protocol:
            (self.sent if message.is_sent else self.received).append(_size_bytes(message))

    def take(self) -> Traffic:
        """All together since the last time."""
        sent, received = self.sent, self.received
        traffic = Traffic(len(sent), len(received), sum(sent), sum(received))
        # Cleared, not replaced: whoever measures has their `append`.
        sent.clear()
        received.clear()
        return traffic


class Measuring:
    """Measures one conversation of a part, beside its `recorder`; `sizes` and `correctness` are those of all.

    What was awaited in a step is noted in the step itself (`PerformedStep.awaited`): the only wait in an action that is
    a part of no other step, with what its time is appended to (see `recorders`); else a list of them, or how they
    divide if it was much, so that it stays small. Once the step is measured nothing is, `()`. `mask` takes its secrets
    out of a text.
    """

    __slots__ = ("_awaited_signals", "_correctness", "_sizes", "mask", "part", "recorder")

    def __init__(self, part: PartSeries, recorder: Recorders, sizes: Sizes, correctness: Counter[str]) -> None:
        self.part = part
        self.mask: Callable[[str], str] = str
        self.recorder = recorder
        self._sizes = sizes
        self._correctness = correctness
        self._awaited_signals: dict[int, tuple[WaitStarted, PerformedStep | None]] = {}

    def add(self, recorded: Any) -> None:
        """Something was recorded that the recorder does not measure itself: most of it is of no use."""
        measure = _MEASURED.get(recorded.__class__)
        if measure is not None:
            measure(self, recorded)
        elif isinstance(recorded, Message):  # it is one whatever its dialect makes of it, or could not read
            self._sizes.add(recorded)

    def _end(self, ended: tuple[Wait[Any] | PerformedStep]) -> None:
        (over,) = ended
        if isinstance(over, PerformedStep):
            self._end_step(over)
        else:
            self._end_wait(over)

    # -- steps --------------------------------------------------------------------------------------------------------

    def _end_step(self, step: PerformedStep) -> None:
        awaited, step.awaited = step.awaited, ()
        definition = step.definition
        if not definition.is_action or step.outcome == "cancelled":
            return
        series = self.part.series("step", definition.name)
        series.durations_us.append((step.ended_ns - step.at_ns) // 1000 or 1)
        split_us = series.split_us
        for name, gained_ns in _divided(awaited).items():
            split_us[name] = split_us.get(name, 0) + gained_ns // 1000
        series.errors += step.outcome == "failed"

    # -- waits --------------------------------------------------------------------------------------------------------

    def _end_wait(self, wait: Wait[Any]) -> None:
        name = wait.request.name if isinstance(wait, Exchange) else getattr(wait, "name", None)
        kind, called = _kind_and_name(wait.kind, name, getattr(wait, "place", ""))
        called = self.part.told(called, self.mask)
        if wait.error.__class__ is ForbiddenMessage:
            self._correctness["forbidden"] += 1
        if kind is not None and not wait.is_abandoned:
            # Also if the step is over: a wait may outlive it.
            series = self.part.wait(kind, _action(wait.step), called)
            series.durations_us.append((wait.settled_ns - wait.made_ns) // 1000 or 1)
            series.errors += wait.error is not None
        _await_in(wait.step, (called, wait.made_ns, wait.settled_ns))

    def _begin_signal(self, wait: WaitStarted) -> None:
        """Somebody waits for a signal, as of whose waits alone there are entries; whoever records that is at it."""
        self._awaited_signals[wait.number] = wait, _step_of(wait.step)

    def _end_signal(self, ended: WaitEnded) -> None:
        wait, step = self._awaited_signals.pop(ended.number)
        _await_in(step, (self.part.told(f"the signal {wait.name!r}", self.mask), wait.at_ns, ended.at_ns))

    # -- what else is measured ----------------------------------------------------------------------------------------

    def _opened(self, opened: ChannelOpened) -> None:
        if opened.took_ns is not None:  # it was we who opened it
            series = self.part.series("connect", f"{opened.actor}.{opened.channel}")
            series.durations_us.append(opened.took_ns // 1000 or 1)

    def _reopening(self, reopening: ChannelReopening) -> None:
        """What an attempt to open a channel again has met, if it came to no connection."""
        if reopening.took_ns is not None:
            series = self.part.series("connect", f"{reopening.actor}.{reopening.channel}")
            series.durations_us.append(reopening.took_ns // 1000 or 1)
            series.errors += 1

    def _deferred(self, deferred: Deferred) -> None:
        """What is made when somebody reads it is measured of what it is made of."""
        if isinstance(deferred.subject, PerformedExchange):
            self._http(deferred.subject)

    def _http(self, exchange: PerformedExchange) -> None:
        """An error is that no answer came, and what HTTP calls one (RFC 9110 sections 15.5 and 15.6)."""
        name = self.part.told(name_of_request(exchange.method, exchange.url), self.mask)
        step = _step_of(exchange.step)
        series = self.part.series("http", _action(step), name)
        series.durations_us.append(exchange.took_ns // 1000 or 1)
        series.errors += exchange.answer is None or exchange.answer.status >= 400
        _await_in(step, (name, exchange.at_ns, exchange.at_ns + exchange.took_ns))

    def _timer(self, stopped: TimerStopped) -> None:
        self.part.series("timer", self.part.told(stopped.name, self.mask)).durations_us.append(
            stopped.took_ns // 1000 or 1
        )


def recorders(part: PartSeries, sizes: Sizes) -> Recorders:  # noqa: C901 - see `satisfied` in it
    """Makes what records and measures, for each conversation of a part; what they have in common is there once.

    It is called with where entries are `put`; the names that are `known`, and what `hear`s a message of any other name;
    and what has to `measure` all that happens less often than that a message is said in plain text, and an action that
    is no part of another awaits a message or the reply to a request. It gives what records, and what has that put
    entries elsewhere from then on.
    """
    asks, expects, count = part.asks, part.expects, sizes.add
    count_sent, count_received = sizes.sent.append, sizes.received.append

    def recorder(  # noqa: C901
        put: Sink, known: Container[str], hear: Sink, measure: Sink
    ) -> tuple[Sink, Inlet, Callable[[Sink], None]]:
        def record(each: Any) -> None:
            put(each)
            if each.__class__ not in _UNMEASURED:
                measure(each)

        def begun(each: Any) -> None:  # its end is measured
            put(each)

        def sent(message: Any) -> None:
            put(message)
            raw = message.raw
            # To ask whether a text is ASCII is to read a flag; else its bytes must be counted.
            if raw.isascii() and not message.is_protocol:
                count_sent(len(raw))
            else:
                count(message)
            if message.name not in known:
                hear(message)

        def received(message: Any) -> None:
            put(message)
            raw = message.raw
            if message.frames is None and raw.isascii():
                count_received(len(raw))
            else:
                count(message)
            if message.name not in known:
                hear(message)

        def satisfied(ended: Any) -> None:  # a call costs as much as what is done here of it
            put(ended)
            (wait,) = ended
            step = wait.step
            # The first that is awaited in an action which is a part of no other: of several each is added up.
            if step is None or step.around is not None or step.awaited is not None or not step.definition.is_action:
                measure(ended)
                return
            try:
                if wait.__class__ is Exchange:
                    append, append_step, gain = asks[step.definition.name][wait.request.name]
                elif wait.__class__ is MessageWait:
                    append, append_step, gain = expects[step.definition.name][wait.name]
                else:
                    measure(ended)
                    return
            except KeyError:  # of the first of each name nothing has been counted by then
                measure(ended)
                return
            us = (wait.settled_ns - wait.made_ns) // 1000
            append(us or 1)
            step.awaited = append_step, gain, us, wait

        def done(ended: Any) -> None:
            put(ended)
            (step,) = ended
            awaited = step.awaited
            if awaited.__class__ is tuple:
                append, gain, us, _ = awaited
                append((step.ended_ns - step.at_ns) // 1000 or 1)
                gain(us)
                step.awaited = ()
            else:
                measure(ended)

        def put_into(other: Sink) -> None:
            nonlocal put
            put = other

        return record, Inlet(begun, sent, received, satisfied, done), put_into

    return recorder


def _await_in(step: PerformedStep | None, settled: Settled) -> None:
    """Something was awaited in a step, and so in those around it that are under way."""
    while step is not None and step.ended_ns < 0:
        awaited = step.awaited
        if awaited is None:
            step.awaited = [settled]
        elif isinstance(awaited, Division):
            awaited.add(*settled)
        elif isinstance(awaited, tuple):
            step.awaited = [_settled(awaited), settled]
        elif len(awaited) < _MUCH:
            awaited.append(settled)
        else:
            step.awaited = Division().add_all([*awaited, settled])
        step = step.around


def _settled(awaited: Any) -> Settled:
    """What was awaited in an action, of which there is only one; of such a name `part.told` says the same."""
    *_, wait = awaited
    return wait.request.name if isinstance(wait, Exchange) else wait.name, wait.made_ns, wait.settled_ns


def _divided(awaited: Any) -> Mapping[str, int]:
    """How the time of a step divides over what was awaited in it; see `Measuring`."""
    if awaited is None:
        return {}
    if isinstance(awaited, Division):
        return awaited.gained_ns
    return divide([_settled(awaited)] if isinstance(awaited, tuple) else awaited)


def _step_of(number: int) -> PerformedStep | None:
    """The step in which something is recorded now that tells of its step the number, None for none."""
    step = step_under_way()
    return step if step is not None and step.number == number else None


def _kind_and_name(awaits: WaitKind, names: Names, place: str) -> tuple[Measured | None, str]:
    """As what a wait is measured, None for one whose time is nobody's answer, and under which name."""
    name = names_told(names) if names is not None else None
    match awaits:
        case "reply":
            return "ask", name or ""
        case "message":
            return "expect", name if name is not None else "any message"
        case "until":
            return "expect", f"until {name if name not in (None, '<lambda>') else short_place(place)}"
        case "close":
            return None, "the close"
        case _:
            return None, f"no {name if name is not None else 'message'}"


def _action(step: PerformedStep | None) -> str | None:
    """The name of the action that a step is, or is a part of; None outside of all actions."""
    while step is not None and not step.definition.is_action:
        step = step.around
    return step.definition.name if step is not None else None


def _size_bytes(message: Message) -> int:
    """How much data it is: its frames' if it has any, which are what was sent."""
    data = (message.raw,) if message.frames is None else message.frames
    return sum(len(each) if each.isascii() else len(_encoded(each)) for each in data)


def _encoded(data: str | bytes) -> bytes:
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


_MUCH: Final = 256
_UNMEASURED: Final = frozenset(
    {
        *(PerformedStep, Exchange, AskedExchange, MessageWait, TypedWait, AbsenceWait, UntilWait, CloseWait),
        *(RunEnded, ChannelEnded, Handled),
    }
)
"""What nothing is measured of: mostly where something begins, whose end is measured."""

_MEASURED: Final[dict[type, Callable[[Measuring, Any], None]]] = {
    tuple: Measuring._end,
    WaitStarted: Measuring._begin_signal,
    WaitEnded: Measuring._end_signal,
    ChannelOpened: Measuring._opened,
    ChannelReopening: Measuring._reopening,
    Deferred: Measuring._deferred,
    TimerStopped: Measuring._timer,
}
