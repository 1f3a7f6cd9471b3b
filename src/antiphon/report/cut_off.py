"""Why a run whose journal breaks off did not go on: what it was waiting for then, told as a wait that failed is.

It was killed, or stood still until somebody ended it; its record has what the text of a failure is made of.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from antiphon.conversation.awaited import is_described
from antiphon.conversation.ending import Ending
from antiphon.conversation.explanation import Explanation
from antiphon.conversation.explanation_text import lines_of
from antiphon.conversation.gap import MOST_GAPS, Gap
from antiphon.conversation.history import History
from antiphon.conversation.message import Message
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.errors import plain_line
from antiphon.journal import (
    Aside,
    ChannelEnded,
    ChannelOpened,
    ChannelReopened,
    ChannelReopening,
    Handled,
    StepEnded,
    StepStarted,
    WaitEnded,
    WaitStarted,
)
from antiphon.journal.around import Around, Place, as_message
from antiphon.journal.file import WrittenMessage

__all__ = ["CutOff"]

MOST_LINES: Final = 28
KEPT: Final = 400
"""So many of the latest entries are looked through for what happened around the end."""

HISTORY: Final = 64


class CutOff:
    """Called with each entry of a journal; `lines` tells what was under way at its end."""

    def __init__(self) -> None:
        self._entries: deque[Any] = deque(maxlen=KEPT)
        self._waits: dict[int, tuple[WaitStarted, int]] = {}
        self._steps: dict[int, StepStarted] = {}
        self._channels: dict[Place, _Memory] = {}
        self._at_ns = 0

    def __call__(self, entry: Any) -> None:
        self._entries.append(entry)
        self._at_ns = max(self._at_ns, entry.at_ns)
        match entry:
            case WaitStarted() | WaitEnded():
                self._note_wait(entry)
            case StepStarted():
                self._steps[entry.number] = entry
            case StepEnded():
                self._steps.pop(entry.number, None)
            case _:
                self._note_channel(entry)

    def _note_wait(self, entry: WaitStarted | WaitEnded) -> None:
        if isinstance(entry, WaitStarted):
            self._waits[entry.number] = entry, self._memory(entry).received
            return
        started, _ = self._waits.pop(entry.number, (None, 0))
        if started is not None and entry.message and entry.outcome == "satisfied":
            taker = MessageWait(None, made_ns=started.at_ns, deadline_ns=None)
            self._memory(started).past.taken.append((entry.message, taker))

    def _note_channel(self, entry: Any) -> None:
        match entry:
            case Message() | WrittenMessage() if not entry.is_sent:
                memory = self._memory(entry)
                memory.received = entry.number
                if not entry.is_protocol:
                    memory.past.messages.append(as_message(entry))
            case Handled():
                self._memory(entry).ignored.numbers.append(entry.message)
            case Aside():
                self._memory(entry).past.add_asides(f"{entry.name}: {line}" for line in entry.text.splitlines())
            case ChannelOpened():
                self._memory(entry).ending = None
            case ChannelReopening() | ChannelReopened():
                self._memory(entry).note_gap(entry)
            case ChannelEnded():
                ended = Ending(code=entry.code, reason=entry.reason, by=entry.by, detail=entry.detail)
                self._memory(entry).end(ended, entry.at_ns)

    def _memory(self, entry: Any) -> _Memory:
        place = entry.actor, entry.channel
        return self._channels.setdefault(place, _Memory(f"{entry.actor}.{entry.channel}"))

    def lines(self) -> list[str]:
        """What it was waiting for, the earliest first, and what was said last; [] if it waited for nothing."""
        told = [each for each in self._waits.values() if each[0].awaits != "signal"]
        if not told:
            return []
        (started, after), *others = told
        facts = self._explanation(started, after)
        wait: Any = facts.wait
        asked = wait.request.number if isinstance(wait, Exchange) else 0
        around = Around(self._entries, self._at_ns, failed=facts.owner, asked=asked)
        if facts.contradiction is None:
            facts.beside = [((each, "found"),) for each in around.beside()]
        lines = [plain_line(line) for line in lines_of(facts)]
        for other, _ in others[:_MOST_OTHERS]:
            lines.append(f"  {other.actor}.{other.channel} was waiting for {other.what}, too, at {other.source}")
        last = around.last_messages(MOST_LINES - len(lines))
        return [*lines, *(f"  {line}" for line in last)]

    def _explanation(self, started: WaitStarted, after: int) -> Explanation:
        memory = self._memory(started)
        wait = self._wait(started)
        wait.after = after
        if isinstance(wait, MessageWait) and isinstance(wait.where, Mapping):
            for message in memory.past.messages:
                message.body = _body_with(wait.where, message.body)
        outcome: Any = "cut off" if memory.ending is None or memory.is_reopening else "closed"
        return Explanation(wait, memory, self._at_ns, outcome, tell=lines_of)

    def _wait(self, started: WaitStarted) -> Wait[Any]:
        """The wait again, as far as the record has it."""
        made: dict[str, Any] = {
            "made_ns": started.at_ns,
            "deadline_ns": started.deadline_ns,
            "source": started.source or None,
            "step": self._steps.get(started.step),
            "order": started.number,
        }
        match started.awaits:
            case "absence":
                return AbsenceWait(started.name, started.where, **made)
            case "close":
                return CloseWait(started.code, **made)
            case "until":
                return UntilWait(_Named(started.name), started.place, **made)
            case "reply":
                return Exchange(self._request(started), **made)
        where = None if is_described(started.where) else started.where
        return MessageWait(started.name, where, **made)

    def _request(self, started: WaitStarted) -> Message:
        for entry in reversed(self._entries):
            if (
                isinstance(entry, (Message, WrittenMessage))
                and (entry.is_sent, entry.actor, entry.channel, entry.name)
                == (True, started.actor, started.channel, started.name)
                and entry.at_ns <= started.at_ns
            ):
                return as_message(entry)
        return Message(str(started.name), {}, "")


class _Memory:
    """What a mailbox would remember of one channel."""

    dropped = limit = 0
    other = "the server"

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.past = History(HISTORY)
        self.received = 0
        self.ending: Ending | None = None
        self.ended_ns = 0
        self.gaps: tuple[Gap, ...] = ()
        self.ignored = _Handled()

    @property
    def history(self) -> deque[Message]:
        return self.past.messages

    @property
    def is_reopening(self) -> bool:
        """Whether another connection was to follow."""
        return bool(self.gaps) and self.gaps[-1].to_ns < 0 and not self.gaps[-1].is_given_up

    def end(self, ending: Ending, at_ns: int) -> None:
        self.ending = ending
        if not self.is_reopening:
            self.ended_ns = at_ns

    def note_gap(self, entry: ChannelReopening | ChannelReopened) -> None:
        """The channel is being opened again, or is open again."""
        if isinstance(entry, ChannelReopened):
            if self.gaps:
                self.gaps[-1].to_ns = entry.at_ns
            return
        if not self.is_reopening:
            self.gaps = (*self.gaps, Gap(self.ending or Ending(), self.ended_ns))[-MOST_GAPS:]
        gap = self.gaps[-1]
        if entry.error:
            gap.meet(entry.error)
        gap.attempt, gap.is_given_up = entry.attempt, entry.in_ns is None
        gap.next_ns = entry.at_ns + (entry.in_ns or 0)

    @property
    def taken(self) -> deque[tuple[int, Wait[Any] | None]]:
        return self.past.taken


class _Handled:
    """The messages that a handler has seen."""

    def __init__(self) -> None:
        self.numbers: deque[int] = deque(maxlen=HISTORY)

    def __contains__(self, message: object) -> bool:
        return isinstance(message, Message) and message.number in self.numbers


class _Named:
    """A condition, of which the record has the name only."""

    def __init__(self, name: Any) -> None:
        self.__name__ = str(name)

    def __call__(self) -> bool:
        return False


def _body_with(where: Mapping[str, Any], document: Any) -> Any:
    """The object in the data that has fields of the pattern: the body, wherever its dialect has it."""
    for inner in _objects_in(document, 0):
        if any(key in inner for key in where):
            return inner
    return document


def _objects_in(document: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(document, Mapping):
        yield document
    inner = document.values() if isinstance(document, Mapping) else document if isinstance(document, list) else ()
    for each in inner:
        yield from _objects_in(each, depth + 1)


_DEEPEST: Final = 3
_MOST_OTHERS: Final = 3
