"""What happened around a failure: what all actors said and heard last, which questions are open, what else went wrong.

It is made when something has failed, of the run's entries: those in memory, or those of a journal that breaks off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.failure_signs import is_heartbeat, reason, sign_of_failure
from antiphon.conversation.message import Message
from antiphon.conversation.wording import cut_middle, one_line, seconds, visible
from antiphon.journal.entries import NO_SUBPROTOCOL, Aside, ChannelEnded, Handled, WaitEnded, WaitStarted
from antiphon.journal.entry_masks import mask_message
from antiphon.journal.file import WrittenMessage, readable
from antiphon.journal.glance import fit, glance
from antiphon.journal.masking import Masker

__all__ = ["Around"]

MOST_TOLD: Final = 3
"""So many lines are about what went wrong elsewhere."""

MOST_MESSAGES: Final = 8
LEAST_MESSAGES: Final = 5
WIDTH: Final = 110
LONGEST_NAME: Final = 60
_WORTH_TELLING_NS: Final = 500_000_000
"""A question that is younger may still be answered."""

Said = Message | WrittenMessage
Place = tuple[str, str]
"""An actor and a channel of it."""


class Around:
    """The entries up to `at_ns`, read once. `masker` takes the secrets out of what is in memory, None on disk.

    failed: the channel that failed, as it is called in explanations; "" if it was none. since_ns: when what failed
    began. asked: the number of the request whose replies were awaited there, 0 for none.
    """

    def __init__(
        self,
        entries: Iterable[Any],
        at_ns: int,
        masker: Masker | None = None,
        *,
        failed: str = "",
        asked: int = 0,
        since_ns: int = 0,
    ) -> None:
        self._at_ns = at_ns
        self._masker = masker
        self._failed = failed
        self._asked = asked
        self._since_ns = since_ns
        self._said: list[Said] = []
        self._ends: list[ChannelEnded] = []
        self._refusals: list[Aside] = []
        self._unagreed: list[Aside] = []
        self._asides = dict.fromkeys(_NOT_OPENED, self._refusals) | {NO_SUBPROTOCOL: self._unagreed}
        self._later: list[Said] = []
        self._waits: dict[int, Place] = {}
        self._expected: set[tuple[Place, int]] = set()
        for entry in entries:
            self._read(entry)

    def _read(self, entry: Any) -> None:
        if isinstance(entry, (Message, WrittenMessage)):
            (self._said if entry.at_ns <= self._at_ns else self._later).append(entry)
        elif isinstance(entry, ChannelEnded):
            if entry.by != "us" and entry.at_ns <= self._at_ns:
                self._ends.append(entry)
        elif isinstance(entry, Aside):
            into = self._asides.get(entry.name)
            if into is not None and entry.at_ns <= self._at_ns:
                into.append(entry)
        elif isinstance(entry, WaitStarted):
            self._waits[entry.number] = (entry.actor, entry.channel)
        elif isinstance(entry, WaitEnded):
            if entry.outcome == "satisfied" and entry.message:
                self._expected.add((self._waits.get(entry.number, ("", "")), entry.message))
        elif isinstance(entry, Handled):
            self._expected.add(((entry.actor, entry.channel), entry.message))

    # -- what was said ------------------------------------------------------------------------------------------------

    @property
    def later(self) -> list[Message]:
        """What the failed channel heard after the failure, oldest first."""
        return [
            each
            for each in self._later
            if isinstance(each, Message) and not each.is_sent and not each.is_protocol and _named(each) == self._failed
        ]

    def last_messages(self, room: int) -> list[str]:
        """The last messages of all actors, both ways, oldest first, and how their channels ended, below a title.

        They are as many as there is `room` for, in lines, but 5 at least and 8 at most; [] if nothing was said.
        """
        said = [each for each in self._said if not each.is_protocol and not is_heartbeat(each.name)]
        if not said:
            return []
        most = min(max(room - 1, LEAST_MESSAGES), MOST_MESSAGES)
        # In the order in which they were recorded: those of one moment have one time.
        told: list[Said | ChannelEnded] = sorted([*said, *self._ends], key=lambda each: each.at_ns)[-most:]
        return ["the last messages:", *(f"  {self._line(each)}" for each in told)]

    def _line(self, each: Said | ChannelEnded) -> str:
        head = f"{seconds(each.at_ns):>9}  {_named(each)}"
        if isinstance(each, ChannelEnded):
            return f"{head} {_ended(each)}"
        head = f"{head} {'→' if each.is_sent else '←'} {_called(self._shown(each))}"
        return f"{head} {self._glance(each, max(WIDTH - len(head), 24))}".rstrip()

    def _glance(self, each: Said, room: int) -> str:
        shown = self._shown(each)
        return fit(glance(readable(shown), shown.name, room), room)

    def _shown(self, each: Said) -> Said:
        """It without secrets, before anything of it is cut."""
        return mask_message(each, self._masker) if isinstance(each, Message) and self._masker is not None else each

    # -- what went wrong ----------------------------------------------------------------------------------------------

    def beside(self) -> list[str]:
        """What decides although it is not on the channel that failed, or is not among what it waited for."""
        told = [
            *self._unanswered_heartbeat(),
            *self._no_subprotocol(),
            *self._misdirected(),
            *self._ends_elsewhere(),
            *self._refused_elsewhere(),
            *self._failed_elsewhere(),
            *self._open_questions(),
            *self._taken_over(),
            *self._said_elsewhere(),
        ]
        return told[:MOST_TOLD]

    def _ago(self, at_ns: int) -> str:
        return f"{seconds(max(self._at_ns - at_ns, 0))} before"

    def _unanswered_heartbeat(self) -> Iterator[str]:
        """The other side's last sign that it wanted one of us, on a channel that was lost or closed."""
        end = next((each for each in reversed(self._ends) if _named(each) == self._failed), None)
        if end is None:
            return
        for each in reversed(self._said):
            if _named(each) == self._failed and is_heartbeat(each.name):
                if not each.is_sent and each.name.lower() not in _ANSWERS:
                    before = seconds(max(end.at_ns - each.at_ns, 0))
                    yield f"{before} after the server's {_called(each)}, which nobody answered"
                return

    def _no_subprotocol(self) -> Iterator[str]:
        """The server took the connection, and speaks none of the protocols that we know there."""
        for each in self._unagreed:
            if f"{each.actor}.{each.channel}" == self._failed:
                yield each.text

    def _taken_over(self) -> Iterator[str]:
        """Another channel of ours that was opened with the same words, and then the one that failed heard its end only:
        servers let one client be there once."""
        own = [each.raw for each in self._said if each.is_sent and each.is_protocol and _named(each) == self._failed]
        if not own or not self._has_ended:
            return
        for each in reversed(self._said):
            if _named(each) == self._failed and not each.is_sent:
                return
            if _named(each) != self._failed and each.is_sent and each.is_protocol and each.raw == own[0]:
                name = _called(self._shown(each))
                yield f"{_named(each)} was opened with the very same {name}, {self._ago(each.at_ns)}"
                return

    def _said_elsewhere(self) -> Iterator[str]:
        """What another channel said last, with its answer, if the one that failed has heard nothing since."""
        if self._asked and not self._has_ended:
            return  # why a request has no answer has little to do with others
        if "." not in self._failed:
            return  # a wait for a signal is on no actor's channel, which could have heard something
        said = [each for each in self._said if not each.is_protocol and not is_heartbeat(each.name)]
        for place, each in reversed(list(enumerate(said))):
            if _named(each) == self._failed and not each.is_sent:
                return
            if _named(each) != self._failed and each.is_sent:
                told = f"{_named(each)} said {_called(self._shown(each))} {self._glance(each, 60)}".rstrip()
                answer = next((e for e in said[place:] if _is_answer(e, each)), None)
                got = (
                    f" and got {_called(self._shown(answer))} {self._glance(answer, 40)}".rstrip()
                    if answer is not None
                    else ""
                )
                yield f"{told}{got}, {self._ago(each.at_ns)}"
                return

    @property
    def _has_ended(self) -> bool:
        return any(_named(end) == self._failed for end in self._ends)

    def _misdirected(self) -> Iterator[str]:
        """A reply that nobody there had asked for, of the id of the request that has none."""
        request = next((e for e in self._said if self._asked and e.number == self._asked and self._is_ours(e)), None)
        if request is None or request.asks is None:
            return
        asked: dict[Place, int] = {}
        for each in self._said:
            place = (each.actor, each.channel)
            if each.is_sent and each.asks == request.asks:
                asked[place] = asked.get(place, 0) + 1
            elif not each.is_sent and each.reply_to == request.asks and each.at_ns >= request.at_ns:
                asked[place] = asked.get(place, 0) - 1
                if asked[place] < 0 and _named(each) != self._failed:
                    yield f"{_named(each)} received an answer with this id, {self._ago(each.at_ns)}: {_short(each)}"
                    return
            elif not each.is_sent and each.reply_to == request.asks:
                asked[place] = asked.get(place, 0) - 1

    def _is_ours(self, each: Said) -> bool:
        return each.is_sent and _named(each) == self._failed

    def _ends_elsewhere(self) -> Iterator[str]:
        # What ended together with the channel that failed is told as that, by whoever knows both.
        is_own_end = any(_named(end) == self._failed for end in self._ends)
        for end in self._ends:
            if _named(end) != self._failed and not (is_own_end and end.at_ns == self._at_ns):
                yield f"{_named(end)} {_ended(end)}, {self._ago(end.at_ns)}"

    def _refused_elsewhere(self) -> Iterator[str]:
        for each in self._refusals:
            if (name := f"{each.actor}.{each.channel}") != self._failed:
                why = one_line(visible(each.text), 160)
                yield f"{name} was {each.name}, {self._ago(each.at_ns)}: {why}"

    def _failed_elsewhere(self) -> Iterator[str]:
        """The last error that each other channel was sent, and that nobody there expected."""
        told: set[str] = set()
        for each in reversed(self._said):
            name = _named(each)
            if each.is_sent or each.is_protocol or name == self._failed or name in told:
                continue
            message = as_message(each)
            if sign_of_failure(message) and ((each.actor, each.channel), each.number) not in self._expected:
                told.add(name)
                yield f"{name} got {_called(each)}: {reason(message)}, {self._ago(each.at_ns)}"

    def _open_questions(self) -> Iterator[str]:
        """What the other side asked us and we never answered, then what we asked it."""
        answered = {(_named(each), each.is_sent, each.reply_to) for each in self._said if each.reply_to is not None}
        for each in self._said:
            is_question = isinstance(each, Message) and each.is_request and not each.is_sent and not each.is_protocol
            if is_question and (_named(each), True, each.asks) not in answered:
                yield f"{_named(each)} never answered {_called(each)}, {self._ago(each.at_ns)}"
        for each in self._said:
            if not each.is_sent or each.asks is None or (each.number == self._asked and self._is_ours(each)):
                continue
            is_open = (_named(each), False, each.asks) not in answered
            if is_open and self._at_ns - each.at_ns >= _WORTH_TELLING_NS:
                yield f"{_named(each)} asked {_called(each)}, {self._ago(each.at_ns)}, and got no answer"


def as_message(said: Said) -> Message:
    """What was written as a message, whose body is its data as JSON if it is that."""
    if isinstance(said, Message):
        return said
    text = readable(said)
    try:
        body: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        body = text
    written = Message(said.name, body, said.raw, None, said.reply_to, said.asks, is_protocol=said.is_protocol)
    written.at_ns, written.number, written.is_sent = said.at_ns, said.number, said.is_sent
    written.actor, written.channel, written.step = said.actor, said.channel, said.step
    return written


def _named(each: Said | ChannelEnded) -> str:
    return f"{each.actor}.{each.channel}"


def _ended(end: ChannelEnded) -> str:
    return Ending(code=end.code, reason=end.reason, by=end.by, detail=end.detail).told_of_channel("the server")


def _is_answer(each: Said, request: Said) -> bool:
    is_back = not each.is_sent and _named(each) == _named(request)
    return is_back and request.asks is not None and each.reply_to == request.asks


def _short(each: Said) -> str:
    return f"{_called(each)} {fit(glance(readable(each), each.name, 60), 60)}".rstrip()


def _called(each: Said) -> str:
    """Its name, on one line: a peer may call a message anything."""
    return visible(cut_middle(each.name, LONGEST_NAME))


_NOT_OPENED: Final = frozenset({"refused", "not opened"})
_ANSWERS: Final = frozenset({"pong", "pingresp"})
