"""The report "mermaid": the conversation as text of a Mermaid sequence diagram, for Markdown pages that draw it.

Every message is an arrow between an actor and the peer of its channel; the beginning of a business step is a note, and
so is its end if it did not pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TextIO

from antiphon.conversation.message import Message
from antiphon.conversation.wording import seconds, visible
from antiphon.journal import (
    ChannelEnded,
    ChannelReopened,
    ChannelReopening,
    HttpExchange,
    RunStarted,
    StepEnded,
    StepStarted,
)
from antiphon.journal.file import WrittenMessage, readable
from antiphon.journal.glance import fit, glance
from antiphon.report.formats.documents import Document
from antiphon.report.verdict import Verdict

__all__ = ["MERMAID", "write_mermaid"]

MOST_ARROWS: Final = 400
"""A renderer gives up on a diagram of more than 500 edges, or 50,000 characters, unless it is told otherwise."""

MOST_CHARACTERS: Final = 45_000
LABEL_WIDTH: Final = 60


def write_mermaid(entries: Iterable[Any], file: TextIO, directory: Path) -> None:
    """Write the diagram of one run; it ends with a note where it would be too large to be drawn."""
    diagram = _Diagram(file)
    verdict = Verdict()
    for entry in entries:
        verdict(entry)
        diagram.add(entry)
    diagram.end(verdict)


class _Diagram:
    """The diagram as it is written."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._actors: dict[str, str] = {}
        self._peers: dict[tuple[str, str], str] = {}
        self._arrows = 0
        self._characters = 0
        self._left_out = 0
        self._titles: dict[int, StepStarted] = {}
        file.write("sequenceDiagram\n")

    def add(self, entry: Any) -> None:
        """The next entry."""
        match entry:
            case RunStarted():
                self._begin(entry)
            case StepStarted():
                self._titles[entry.number] = entry
                self._note(entry.actor, entry.title)
            case StepEnded():
                self._step_ended(entry)
            # Counted before its text is made: of a million messages the first 400 are drawn.
            case Message() | WrittenMessage() if self._is_full():
                self._left_out += 1
            case Message() | WrittenMessage():
                what = f"{entry.name} {glance(readable(entry), entry.name, LABEL_WIDTH)}"
                arrow = "->>" if entry.is_sent else "-->>"
                self._arrow(entry.actor, entry.channel, entry.is_sent, arrow, what)
            case HttpExchange():
                path = entry.url.partition("://")[2].partition("?")[0]
                self._arrow(entry.actor, entry.channel, True, "->>", f"{entry.method} /{path.partition('/')[2]}")
                self._arrow(entry.actor, entry.channel, False, "-->>", f"{entry.status or entry.error}")
            # Our own goodbye is how every run ends, and would be an arrow of 400.
            case ChannelEnded() if entry.by != "us":
                code = "" if entry.code is None else f" {entry.code}"
                self._arrow(entry.actor, entry.channel, False, "--x", f"closed{code} {entry.reason}")
            case ChannelReopened() | ChannelReopening():
                self._note(entry.actor, f"{entry.channel} {entry.what}")

    def _step_ended(self, ended: StepEnded) -> None:
        step = self._titles.pop(ended.number, None)
        if step is not None and ended.outcome != "passed":
            took = seconds(ended.at_ns - step.at_ns)
            self._note(step.actor, f"{step.action} {ended.outcome} after {took}: {ended.error}")

    def end(self, verdict: Verdict) -> None:
        """What did not fit, and the verdict."""
        # A diagram without a participant is an error to the renderer, also one that says that nothing happened.
        if not self._actors:
            self._actor("unknown")
        over = self._everyone()
        if self._left_out:
            self._file.write(f"    Note over {over}: {self._left_out} more messages are in the journal\n")
        told = [
            f"{verdict.told} after {seconds(verdict.ended_ns)}",
            verdict.headline or verdict.happened.partition("\n")[0],
        ]
        for line in filter(None, told):
            self._file.write(f"    Note over {over}: {_escaped(line)}\n")

    def _begin(self, started: RunStarted) -> None:
        for actor, channels in started.actors.items():
            self._actor(actor)
            for channel in channels:
                self._peer(actor, channel)

    def _actor(self, name: str) -> str:
        if name not in self._actors:
            # An alias, since a name may be a keyword of Mermaid's (`end` breaks a diagram) or hold anything.
            self._actors[name] = f"A{len(self._actors) + 1}"
            self._write(f"actor {self._actors[name]} as {_escaped(name)}")
        return self._actors[name]

    def _peer(self, actor: str, channel: str) -> str:
        key = (actor, channel)
        if key not in self._peers:
            self._peers[key] = f"P{len(self._peers) + 1}"
            self._write(f"participant {self._peers[key]} as {_escaped(f'{actor}.{channel}')}")
        return self._peers[key]

    def _everyone(self) -> str:
        known = [*self._actors.values(), *self._peers.values()]
        return known[0] if len(known) == 1 else f"{known[0]},{known[-1]}"

    def _note(self, actor: str, text: str) -> None:
        if self._is_full():
            return
        over = self._actor(actor) if actor or not self._actors else self._everyone()
        self._write(f"Note over {over}: {_escaped(text)}")

    def _arrow(self, actor: str, channel: str, is_sent: bool, arrow: str, text: str) -> None:
        if self._is_full():
            self._left_out += 1
            return
        self._arrows += 1
        ends = [self._actor(actor), self._peer(actor, channel)]
        start, end = ends if is_sent else reversed(ends)
        self._write(f"{start}{arrow}{end}: {_escaped(text)}")

    def _is_full(self) -> bool:
        return self._arrows >= MOST_ARROWS or self._characters >= MOST_CHARACTERS

    def _write(self, line: str) -> None:
        self._characters += len(line) + 5
        self._file.write(f"    {line}\n")


def _escaped(text: str) -> str:
    """A label on one line: what has a meaning to Mermaid, or to the page around it, as an entity code."""
    plain = fit(visible(text), LABEL_WIDTH + 20).strip()
    return "".join(_SPECIAL.get(character, character) for character in plain) or "-"


_SPECIAL: Final = {character: f"#{ord(character)};" for character in "#;:<>&`\"'%{}[]()|\\+-"}
"""https://mermaid.js.org/syntax/sequenceDiagram.html#entity-codes-to-escape-characters"""

MERMAID: Final = Document("conversation.mmd", write_mermaid)
