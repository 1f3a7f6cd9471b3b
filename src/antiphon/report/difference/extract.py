"""What is compared of a run: what was said on each channel in each direction, in order, and how long things took."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any

import msgspec

from antiphon.conversation.message import Data, Message
from antiphon.journal import HttpExchange, StepEnded, StepStarted
from antiphon.journal.file import WrittenMessage, readable
from antiphon.report.difference.variable import without_variables
from antiphon.report.verdict import Verdict

__all__ = ["Place", "Spoken", "Utterance"]


class Place(msgspec.Struct, frozen=True, order=True):
    """A sequence of messages: an actor's channel, in the direction "sent", "received", or "http" for both."""

    actor: str
    channel: str
    direction: str


class Utterance(msgspec.Struct, gc=False):
    """A message, or a request over HTTP with its answer; `key` is what a request and its replies have in common."""

    name: str
    raw: Data | HttpExchange
    at_ns: int
    number: int
    key: str = ""


class Spoken:
    """What the entries of one run say.

    `took_ns` has every duration by what took it, as "step hang_up", "request hangUp" (until its first reply) and
    "GET /interactions/*".
    """

    def __init__(self, entries: Iterable[Any]) -> None:
        self.verdict = Verdict()
        self.sequences: defaultdict[Place, list[Utterance]] = defaultdict(list)
        self.took_ns: defaultdict[str, list[int]] = defaultdict(list)
        self._steps: dict[int, StepStarted] = {}
        self._asked: defaultdict[tuple[str, str, Any], deque[Message | WrittenMessage]] = defaultdict(deque)
        for entry in entries:
            self.verdict(entry)
            self._add(entry)

    def _add(self, entry: Any) -> None:
        match entry:
            case Message() | WrittenMessage():
                direction = "sent" if entry.is_sent else "received"
                said = self.sequences[Place(entry.actor, entry.channel, direction)]
                key = entry.asks if entry.asks is not None else entry.reply_to
                told = str(key) if key is not None else ""
                said.append(Utterance(entry.name, readable(entry), entry.at_ns, len(said) + 1, told))
                self._time_request(entry)
            case HttpExchange():
                name = f"{entry.method} {without_variables(_path(entry.url))}"
                said = self.sequences[Place(entry.actor, entry.channel, "http")]
                said.append(Utterance(name, entry, entry.at_ns, len(said) + 1))
                self.took_ns[name].append(entry.took_ns)
            case StepStarted():
                self._steps[entry.number] = entry
            case StepEnded() if entry.number in self._steps and entry.outcome == "passed":
                begun = self._steps.pop(entry.number)
                self.took_ns[f"step {begun.action}"].append(entry.at_ns - begun.at_ns)

    def _time_request(self, message: Message | WrittenMessage) -> None:
        if message.is_sent and message.asks is not None:
            self._asked[message.actor, message.channel, message.asks].append(message)
        elif not message.is_sent and message.reply_to is not None:
            key = (message.actor, message.channel, message.reply_to)
            if self._asked.get(key):
                request = self._asked[key].popleft()
                self.took_ns[f"request {request.name}"].append(message.at_ns - request.at_ns)


def _path(url: str) -> str:
    _, is_whole, rest = url.partition("://")
    return "/" + rest.partition("/")[2].partition("?")[0] if is_whole else url.partition("?")[0]
