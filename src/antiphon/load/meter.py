"""What a load measures, taken from the record of its conversations: nothing of it happens while they talk.

A conversation's journal is looked at a few times a second. To look at a round trip with its step takes a microsecond
or so; that is why the loop which does it, `fold`, does itself what happens most, and calls others for the rest.

What is said of time: a step or a wait that was cancelled tells nothing of the system, and is not counted. One that
failed is, with the time it took, and is an error. Durations are at least a microsecond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from antiphon.actor.http_exchange import PerformedExchange
from antiphon.conversation.awaited import WaitKind
from antiphon.conversation.explanation import Explanation
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names, names_told
from antiphon.conversation.typed_waits import AskedExchange, TypedWait
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.errors import ForbiddenMessage, MessagesLeft
from antiphon.journal import ChannelOpened, Deferred, TimerStopped, WaitEnded, WaitOutcome, WaitStarted
from antiphon.journal.figures import Measured, Second, Traffic
from antiphon.journal.performed import PerformedStep
from antiphon.load.causes import Cause, Causes
from antiphon.load.division import Division, Settled, divide
from antiphon.load.series import PartSeries, name_of_request
from antiphon.load.wordings import short_place

__all__ = ["Measuring", "Meter"]


class Measuring:
    """What is under way in one conversation: steps and waits by their numbers, and what was awaited in each step.

    `divisions` are of those steps in which it was much, so that it stays small. `mask` takes its secrets out of a text.
    """

    __slots__ = ("divisions", "mask", "part", "steps", "waited", "waits")

    def __init__(self, part: PartSeries, mask: Callable[[str], str]) -> None:
        self.part = part
        self.mask = mask
        self.steps: dict[int, PerformedStep] = {}
        self.waits: dict[int, Wait[Any] | WaitStarted] = {}
        self.waited: dict[int, list[Settled]] = {}
        self.divisions: dict[int, Division] = {}

    def divided(self, number: int, waits: Sequence[Settled]) -> Mapping[str, int]:
        """How the time of a step that is over divides, in which these were awaited last."""
        division = self.divisions.pop(number, None)
        return divide(waits) if division is None else division.add_all(waits).gained_ns

    def shrink(self) -> None:
        """Keep less of steps in which much was awaited."""
        for number, waits in self.waited.items():
            if len(waits) > _MUCH:
                self.divisions.setdefault(number, Division()).add_all(waits[:-2])
                del waits[:-2]  # two, since one alone is all that was awaited


class Meter:
    """Measures all conversations of a process. `now_ns` is when it begins to."""

    def __init__(self, now_ns: int = 0) -> None:
        self._from_ns = now_ns
        self._parts: dict[str, PartSeries] = {}
        self._traffic = Traffic()
        self._correctness: Counter[str] = Counter()
        self._causes = Causes()
        self._others: dict[type, Callable[[Measuring, Any], None]] = {
            TypedWait: _begin_wait,
            AskedExchange: _begin_wait,
            AbsenceWait: _begin_wait,
            UntilWait: _begin_wait,
            CloseWait: _begin_wait,
            WaitStarted: _begin_wait,
            WaitEnded: self._end_entry,
            ChannelOpened: self._opened,
            Deferred: self._deferred,
            TimerStopped: self._timer,
        }

    def measuring(self, part: str, mask: Callable[[str], str] = str) -> Measuring:
        """For a conversation of that part that begins; `mask` takes its secrets out of a text."""
        series = self._parts.get(part)
        if series is None:
            series = self._parts[part] = PartSeries(part)
        return Measuring(series, mask)

    def fold(self, measuring: Measuring, recorded: Sequence[Any]) -> None:
        """Count what was recorded of the conversation since the last time."""
        measuring.part.mask = measuring.mask
        steps, waits, others = measuring.steps, measuring.waits, self._others
        sent = received = sent_bytes = received_bytes = 0
        for each in recorded:
            kind = each.__class__
            if kind is Message:
                if each.is_protocol:
                    continue
                raw = each.raw
                # To ask whether a text is ASCII is to read a flag; else its bytes must be counted.
                size_bytes = len(raw) if raw.isascii() and each.frames is None else _size_bytes(each)
                if each.is_sent:
                    sent += 1
                    sent_bytes += size_bytes
                else:
                    received += 1
                    received_bytes += size_bytes
            elif kind is tuple:
                over = each[0]
                if over.__class__ is PerformedStep:
                    self._end_step(measuring, over)
                else:
                    self._end_wait(measuring, over)
            elif kind is PerformedStep:
                steps[each.number] = each
            elif kind is Exchange or kind is MessageWait:
                waits[each.order] = each
            else:
                others.get(kind, self._other)(measuring, each)
        if measuring.waited:
            measuring.shrink()
        traffic = self._traffic
        traffic.sent += sent
        traffic.received += received
        traffic.sent_bytes += sent_bytes
        traffic.received_bytes += received_bytes

    # -- steps --------------------------------------------------------------------------------------------------------

    def _end_step(self, measuring: Measuring, step: PerformedStep) -> None:
        number = step.number
        del measuring.steps[number]
        inside = measuring.waited.pop(number, None)
        definition = step.definition
        if not definition.is_action or step.outcome == "cancelled":
            measuring.divisions.pop(number, None)
            return
        known = measuring.part.steps.get(definition.name)
        append, split_us = known if known is not None else measuring.part.step(definition.name)
        append((step.ended_ns - step.at_ns) // 1000 or 1)
        if inside is not None and len(inside) == 1:
            name, made_ns, settled_ns = inside[0]
            split_us[name] += (settled_ns - made_ns) // 1000
        elif inside is not None:
            for name, gained_ns in measuring.divided(number, inside).items():
                split_us[name] += gained_ns // 1000
        if step.outcome == "failed":
            measuring.part.series("step", definition.name).errors += 1

    # -- waits --------------------------------------------------------------------------------------------------------

    def _end_wait(self, measuring: Measuring, wait: Any) -> None:
        """A channel's wait is over that did not fail: of one that did the record has entries."""
        del measuring.waits[wait.order]
        step: PerformedStep | None = wait.step
        kind: type = wait.__class__
        if step is not None and not wait.is_abandoned and (kind is Exchange or kind is MessageWait):
            part = measuring.part
            name, known = (wait.request.name, part.asks) if kind is Exchange else (wait.name, part.expects)
            definition, made_ns, settled_ns = step.definition, wait.made_ns, wait.settled_ns
            append = known.get(definition.name, _NONE).get(name)
            # Most are in an action, and its name is known.
            if append is not None and definition.is_action:
                append((settled_ns - made_ns) // 1000 or 1)
                number = step.number
                if step.parent or number in measuring.waited:
                    _await(measuring, number, (name, made_ns, settled_ns))
                elif number in measuring.steps:
                    measuring.waited[number] = [(name, made_ns, settled_ns)]
                return
        self._settle(measuring, _Over.of(wait), "cancelled" if wait.is_abandoned else "satisfied", wait.settled_ns)

    def _end_entry(self, measuring: Measuring, ended: WaitEnded) -> None:
        """A wait is over of which the record has an entry: it has failed, or was given up later, or is for a signal."""
        wait = measuring.waits.pop(ended.number, None)
        if wait is None:
            return
        if ended.error == ForbiddenMessage.__name__:
            self._correctness["forbidden"] += 1
        over = _Over.of_entry(wait, measuring.steps) if isinstance(wait, WaitStarted) else _Over.of(wait)
        self._settle(measuring, over, ended.outcome, ended.at_ns)

    def _settle(self, measuring: Measuring, wait: _Over, outcome: WaitOutcome, settled_ns: int) -> None:
        """Count a wait that is over: as one of its message, and as time in the steps around it."""
        name = measuring.part.told(wait.name)
        if wait.kind is not None and outcome != "cancelled":
            # Also if the step is over: a wait may outlive it.
            series = measuring.part.wait(wait.kind, _action(measuring, wait.step), name)
            series.durations_us.append((settled_ns - wait.made_ns) // 1000 or 1)
            series.errors += outcome == "failed"
        if wait.step is not None:
            _await(measuring, wait.step.number, (name, wait.made_ns, settled_ns))

    # -- what else is timed -------------------------------------------------------------------------------------------

    def _opened(self, measuring: Measuring, opened: ChannelOpened) -> None:
        if opened.took_ns is not None:  # it was we who opened it
            series = measuring.part.series("connect", f"{opened.actor}.{opened.channel}")
            series.durations_us.append(opened.took_ns // 1000 or 1)

    def _deferred(self, measuring: Measuring, deferred: Deferred) -> None:
        """What is made when somebody reads it is measured of what it is made of."""
        if isinstance(deferred.subject, PerformedExchange):
            self._http(measuring, deferred.subject)

    def _http(self, measuring: Measuring, exchange: PerformedExchange) -> None:
        """An error is that no answer came, and what HTTP calls one (RFC 9110 sections 15.5 and 15.6)."""
        name = measuring.part.told(name_of_request(exchange.method, exchange.url))
        series = measuring.part.series("http", _action(measuring, measuring.steps.get(exchange.step)), name)
        series.durations_us.append(exchange.took_ns // 1000 or 1)
        series.errors += exchange.answer is None or exchange.answer.status >= 400
        _await(measuring, exchange.step, (name, exchange.at_ns, exchange.at_ns + exchange.took_ns))

    def _timer(self, measuring: Measuring, stopped: TimerStopped) -> None:
        part = measuring.part
        part.series("timer", part.told(stopped.name)).durations_us.append(stopped.took_ns // 1000 or 1)

    def _other(self, _measuring: Measuring, other: Any) -> None:
        """Most that is left is of no use; a message is one whatever its dialect makes of it, or could not read."""
        if not isinstance(other, Message) or other.is_protocol:
            return
        if other.is_sent:
            self._traffic.sent += 1
            self._traffic.sent_bytes += _size_bytes(other)
        else:
            self._traffic.received += 1
            self._traffic.received_bytes += _size_bytes(other)

    # -- a conversation's end, and what all that comes to -------------------------------------------------------------

    def conversation_ended(
        self,
        measuring: Measuring,
        *,
        due_ns: int,
        ended_ns: int,
        error: BaseException | None = None,
        conversation: str = "",
        mask: Callable[[str], str] = str,
    ) -> Cause | None:
        """Count a conversation that is over, and what it failed with, `error`; its record has been folded.

        Not to be called for one that the load's own end has interrupted. Its time runs from when it was due, on any
        clock. `conversation` is what it is called, `mask` takes the secrets out of a text. Gives the kind of failure.
        """
        series = measuring.part.series("conversation")
        series.durations_us.append((ended_ns - due_ns) // 1000 or 1)
        if error is None:
            return None
        series.errors += 1
        self._correctness.update(_wrong_with_messages(error))
        return self._causes.add(measuring.part.part, error, conversation, mask)

    def take(self, now_ns: int) -> Second:
        """What was measured since the last time; it begins anew. `parts` and `generators` are left to who knows."""
        taken = Second(
            at_ns=now_ns,
            from_ns=self._from_ns,
            series={name: told for part in self._parts.values() for name, told in part.figures().items()},
            causes=self._causes.take(),
            traffic=self._traffic,
            correctness=dict(self._correctness),
        )
        self._from_ns, self._traffic = now_ns, Traffic()
        self._correctness.clear()
        return taken


def _begin_wait(measuring: Measuring, wait: Wait[Any] | WaitStarted) -> None:
    measuring.waits[wait.number if isinstance(wait, WaitStarted) else wait.order] = wait


class _Over(NamedTuple):
    """A wait that is over: as what it is measured, None for one whose time is nobody's answer, and under which name."""

    kind: Measured | None
    name: str
    made_ns: int
    step: PerformedStep | None

    @classmethod
    def of(cls, wait: Wait[Any]) -> _Over:
        name = wait.request.name if isinstance(wait, Exchange) else getattr(wait, "name", None)
        return cls(*_kind_and_name(wait.kind, name, getattr(wait, "place", "")), wait.made_ns, wait.step)

    @classmethod
    def of_entry(cls, wait: WaitStarted, steps: Mapping[int, PerformedStep]) -> _Over:
        return cls(*_kind_and_name(wait.awaits, wait.name, wait.place), wait.at_ns, steps.get(wait.step))


def _kind_and_name(awaits: WaitKind, names: Names, place: str) -> tuple[Measured | None, str]:
    name = names_told(names) if names is not None else None
    match awaits:
        case "reply":
            return "ask", name or ""
        case "message":
            return "expect", name if name is not None else "any message"
        case "until":
            return "expect", f"until {name if name not in (None, '<lambda>') else short_place(place)}"
        case "signal":
            return None, f"the signal {name!r}"
        case "close":
            return None, "the close"
        case "absence":
            return None, f"no {name if name is not None else 'message'}"


def _action(measuring: Measuring, step: PerformedStep | None) -> str | None:
    """The name of the action that a step is, or is a part of; None outside of all actions."""
    while step is not None and not step.definition.is_action:
        step = measuring.steps.get(step.parent)
    return step.definition.name if step is not None else None


def _await(measuring: Measuring, number: int, settled: Settled) -> None:
    """Something was awaited in a step, and so in those around it."""
    steps, waited = measuring.steps, measuring.waited
    while number in steps:
        inside = waited.get(number)
        if inside is None:
            waited[number] = [settled]
        else:
            inside.append(settled)
        number = steps[number].parent


def _size_bytes(message: Message) -> int:
    """How much data it is: its frames' if it has any, which are what was sent."""
    data = (message.raw,) if message.frames is None else message.frames
    return sum(len(each) if each.isascii() else len(_encoded(each)) for each in data)


def _encoded(data: str | bytes) -> bytes:
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


def _wrong_with_messages(error: BaseException) -> Counter[str]:
    """What is certain to be wrong with messages that a run failed with: see `Second.correctness`.

    "forbidden" is what came in spite of a `forbid`; an `expect_none` is counted when it fails. "left over" is what
    nobody expected in strict mode; of that "stale" are replies to no open request. "duplicate" is what says the same as
    the one before it, if it is forbidden or left over. "stale" is what came after its deadline, too.
    """
    found: Counter[str] = Counter()
    if isinstance(error, MessagesLeft):
        found["left over"] = len(error.messages)
        found["stale"] = sum(message.reply_to is not None for message in error.messages)
        found["duplicate"] = len(error.repeated)
    explanation: Explanation | None = getattr(error, "explanation", None)
    if explanation is not None:
        is_forbidden = isinstance(error, ForbiddenMessage)
        # Numbers, for those who read them where they are written down: True is none there.
        found["forbidden"] = int(is_forbidden and explanation.wait.order == 0)  # that of a `forbid` has no number
        found["duplicate"] = int(is_forbidden and explanation.twin is not None)
        found["stale"] = int(explanation.wait.late_ns > 0)
    return +found


_MUCH: Final = 256
_NONE: Final[dict[str, Callable[[int], None]]] = {}
