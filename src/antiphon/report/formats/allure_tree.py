"""A run as Allure shows it: a step for every business action, nested, with what was said in it as attachments."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from allure_commons.model2 import (
    ATTACHMENT_PATTERN,
    Attachment,
    ExecutableItem,
    Parameter,
    Status,
    StatusDetails,
    TestStepResult,
)

from antiphon.conversation.message import Message
from antiphon.conversation.wording import visible
from antiphon.journal import Argument, HttpExchange, RunStarted, StepEnded, StepStarted
from antiphon.journal.file import WrittenMessage, readable
from antiphon.report.placing import placed
from antiphon.report.readable import exchange_content, frame_content
from antiphon.report.verdict import CUT_OFF, Verdict

__all__ = ["Save", "attach_trace", "build", "status_of", "take_red_from"]

Save = Callable[[bytes | Path, str], None]
"""Saves an attachment, or a copy of a file as one, under a file's name."""

MOST_AT_AN_END: Final = 250
"""A step shows so many of its first messages and so many of its last."""

MOST_ATTACHMENTS: Final = 5_000
"""When a run has so many, what is said in each further step is attached as one text."""

LARGEST: Final = 1_048_576
"""Of a longer message, in bytes, the beginning is shown."""

LONGEST_TEXT: Final = 100_000

_TYPES: Final = {".json": "application/json", ".txt": "text/plain", ".hex.txt": "text/plain"}
_VERDICTS: Final = {"passed": Status.PASSED, "failed": Status.FAILED, "skipped": Status.SKIPPED}
_OUTCOMES: Final = {"passed": Status.PASSED, "cancelled": Status.SKIPPED}


def build(entries: Iterable[Any], item: ExecutableItem, save: Save, trace: Path | None = None) -> Verdict:
    """Put a run's steps and messages into an Allure item, with status and times; how the run ended.

    What was said outside of steps is attached to the item itself, and so is the trace, if that file is there.
    """
    verdict = Verdict()
    tree = _Tree(item, save)
    for entry, step in placed(entries):
        verdict(entry)
        tree.add(entry, step, verdict)
    tree.finish(verdict)
    item.status = status_of(verdict)
    item.stage = "finished"
    item.stop = _epoch_ms(verdict, verdict.ended_ns)
    why = verdict.text or verdict.expected
    if why:
        item.statusDetails = StatusDetails(message=why.partition("\n")[0], trace=why[:LONGEST_TEXT])
    if verdict.test is not None and not verdict.is_red:
        take_red_from(item)
    if trace is not None:
        attach_trace(item, trace, save)
    return verdict


def take_red_from(item: ExecutableItem) -> None:
    """Show what failed in it, though nothing came of it, as skipped; the details say what happened."""
    for step in item.steps:
        if step.status in (Status.FAILED, Status.BROKEN):
            step.status = Status.SKIPPED
        take_red_from(step)


def status_of(verdict: Verdict) -> str:
    """Allure's word for how a run ended: "failed" is the product's defect, "broken" the test's."""
    return _VERDICTS.get(verdict.word, Status.BROKEN)


def attach_trace(item: ExecutableItem, trace: Path, save: Save) -> None:
    """Attach a copy of a run's trace, if that file is there."""
    if trace.is_file():
        _attach(save, item, trace, trace.name, "text/html", "html")


def _attach(save: Save, item: ExecutableItem, content: bytes | Path, name: str, kind: str, extension: str) -> None:
    """Save an attachment of the item."""
    file_name = ATTACHMENT_PATTERN.format(prefix=uuid.uuid4(), ext=extension)
    save(content, file_name)
    item.attachments.append(Attachment(name=name, source=file_name, type=kind))


class _Tree:
    """The steps so far; the messages of a step are saved when it has ended."""

    def __init__(self, root: ExecutableItem, save: Save) -> None:
        self._save = save
        self._items: dict[int, ExecutableItem] = {0: root}
        self._said: dict[int, _Said] = {0: _Said()}
        self._unfinished: dict[int, None] = {}
        self._failed: list[tuple[ExecutableItem, str]] = []
        self._has_actors = False
        self._attached = 0

    def add(self, entry: Any, step: int, verdict: Verdict) -> None:
        """The next entry, and the step that it is shown under."""
        match entry:
            case StepStarted():
                self._begin(entry, verdict)
            case StepEnded():
                self._end(entry, verdict)
            case Message() | WrittenMessage() | HttpExchange():
                # A step that is over has been written, and what comes later belongs to no other: to the run.
                (self._said.get(step) or self._said[0]).add(entry)
            case RunStarted():
                self._items[0].start = _epoch_ms(verdict, 0)
                self._has_actors = len(entry.actors) > 1

    def finish(self, verdict: Verdict) -> None:
        """The journal has ended."""
        # The journal ended first, as after a kill: without a status Allure would show these as unknown.
        for number in list(self._unfinished):
            self._write_said(number)
            item = self._items[number]
            item.status, item.stop = Status.BROKEN, _epoch_ms(verdict, verdict.ended_ns)
            item.statusDetails = StatusDetails(message=CUT_OFF)
        self._write_said(0)
        reason = verdict.happened.partition("\n")[0]
        for item, kind in self._failed:
            item.status = Status.FAILED if verdict.own == "failed" else Status.BROKEN
            item.statusDetails = StatusDetails(message=f"{kind}: {reason}" if kind == verdict.kind else kind)

    def _begin(self, entry: StepStarted, verdict: Verdict) -> None:
        who = f"{entry.actor}: " if self._has_actors and entry.actor else ""
        start = _epoch_ms(verdict, entry.at_ns)
        item = TestStepResult(
            name=visible(f"{who}{entry.title}"), start=start, stage="finished", parameters=_parameters(entry.arguments)
        )
        # A parent whose beginning was lost with a damaged journal: better at the wrong depth than not at all.
        self._items.get(entry.parent, self._items[0]).steps.append(item)
        self._items[entry.number] = item
        self._said[entry.number] = _Said()
        self._unfinished[entry.number] = None

    def _end(self, entry: StepEnded, verdict: Verdict) -> None:
        if entry.number not in self._unfinished:
            return
        # Its messages are written now, and not at the end: a step's are all that is kept in memory.
        del self._unfinished[entry.number]
        item = self._items[entry.number]
        item.stop = _epoch_ms(verdict, entry.at_ns)
        item.status = _OUTCOMES.get(entry.outcome, Status.FAILED)
        if entry.outcome == "failed":
            self._failed.append((item, visible(entry.error or entry.outcome)))
        self._write_said(entry.number)

    def _write_said(self, number: int) -> None:
        item, said = self._items[number], self._said.pop(number)
        # Each attachment is a file, and results are copied and served file by file.
        if self._attached + len(said.first) + len(said.last) > MOST_ATTACHMENTS:
            if said.first:
                text = b"\n".join(self._as_text(entry) for entry in (*said.first, *said.last))
                _attach(self._save, item, _cut(text), f"{said.count} messages", "text/plain", "txt")
            return
        for entry in said.first:
            self._attach_entry(item, entry)
        if said.left_out:
            told = f"{said.left_out} more messages are in the journal\n"
            _attach(self._save, item, told.encode(), "…", "text/plain", "txt")
        for entry in said.last:
            self._attach_entry(item, entry)

    def _attach_entry(self, item: ExecutableItem, entry: Any) -> None:
        content, suffix = _content(entry)
        kind = _TYPES.get(suffix, "application/octet-stream")
        if len(content) > LARGEST:
            content, kind, suffix = _cut(content), "text/plain", ".txt"
        _attach(self._save, item, content, self._title(entry), kind, suffix.rpartition(".")[2])
        self._attached += 1

    def _as_text(self, entry: Any) -> bytes:
        content, suffix = _content(entry)
        return self._title(entry).encode() + b"\n" + (content if suffix in _TYPES else b"(binary)\n")

    def _title(self, entry: Any) -> str:
        who = f"{entry.actor} " if self._has_actors else ""
        if isinstance(entry, HttpExchange):
            # A query may have a kilobyte, and the attachment has it.
            what = f"⇄ {entry.method} {entry.url.partition('?')[0]} {entry.status or entry.error}"
        else:
            what = f"{'→' if entry.is_sent else '←'} {entry.name}"
        return visible(f"{entry.at_ns / 1e9:.3f} s  {who}{what}"[:300])


class _Said:
    """What was said in a step: its beginning and its end."""

    def __init__(self) -> None:
        self.first: list[Any] = []
        self.last: deque[Any] = deque(maxlen=MOST_AT_AN_END)
        self.left_out = 0

    @property
    def count(self) -> int:
        return len(self.first) + self.left_out + len(self.last)

    def add(self, entry: Any) -> None:
        if len(self.first) < MOST_AT_AN_END:
            self.first.append(entry)
        else:
            self.left_out += len(self.last) == MOST_AT_AN_END
            self.last.append(entry)


def _content(entry: Any) -> tuple[bytes, str]:
    return (exchange_content(entry), ".json") if isinstance(entry, HttpExchange) else frame_content(readable(entry))


def _cut(content: bytes) -> bytes:
    rest = len(content) - LARGEST
    return content if rest <= 0 else content[:LARGEST] + f"\n… {rest} more bytes are in the journal\n".encode()


def _epoch_ms(verdict: Verdict, at_ns: int) -> int:
    try:
        began_s = datetime.fromisoformat(verdict.started.started_at).timestamp() if verdict.started is not None else 0.0
    except ValueError:
        began_s = 0.0
    return round(began_s * 1000 + at_ns / 1e6)


def _parameters(arguments: Iterable[Argument]) -> list[Parameter]:
    """A step's arguments: by name where one was written, else by place."""
    return [
        Parameter(name=visible(given.name or str(place)), value=visible(given.text))
        for place, given in enumerate(arguments, 1)
    ]
