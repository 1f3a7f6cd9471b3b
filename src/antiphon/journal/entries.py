"""The one record of a run: what was said, awaited and done, in order.

Entries are plain data. A journal keeps the latest in memory and passes each on, masked, to its sinks as it happens. All
times are nanoseconds since the run began.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from antiphon.conversation.message import Message
from antiphon.journal.masking import Masker

__all__ = [
    "Called",
    "ChannelEnded",
    "ChannelOpened",
    "Dropped",
    "Entry",
    "Failed",
    "Handled",
    "HttpExchange",
    "HttpRequested",
    "Journal",
    "MomentKept",
    "Note",
    "Report",
    "RunEnded",
    "RunStarted",
    "SignalGiven",
    "Sink",
    "SoftCheckFailed",
    "StepEnded",
    "StepStarted",
    "WaitEnded",
    "WaitStarted",
    "kind_of",
]


class Entry(msgspec.Struct, tag_field="kind", omit_defaults=True, kw_only=True, eq=False, gc=False):
    """Something that happened, `at_ns` nanoseconds after the run began."""

    at_ns: int


class RunStarted(Entry, tag="run-started", omit_defaults=False):
    """The first entry: what is run, with which parameters, on which stand, by which process.

    `started_at` is the wall-clock time of zero.
    """

    scenario: str
    parameters: dict[str, Any]
    actors: dict[str, list[str]]
    stand: str
    started_at: str
    antiphon: str
    python: str
    pid: int


class RunEnded(Entry, tag="run-ended"):
    """The last entry. `verdict` is "passed", "failed" (the peer's fault), "error" (anybody else's) or "interrupted"."""

    verdict: str
    error: str = ""


class ChannelOpened(Entry, tag="opened"):
    """A channel's connection is there. `headers` are those that were sent with the opening request."""

    actor: str
    channel: str
    address: str
    headers: dict[str, str] = {}
    subprotocol: str = ""


class ChannelEnded(Entry, tag="closed"):
    """A channel's connection has ended: see `antiphon.conversation.ending.Ending`."""

    actor: str
    channel: str
    code: int | None
    reason: str
    by: str
    detail: str = ""


class StepStarted(Entry, tag="step-started"):
    """A business step begins.

    `number` counts from 1; `parent` is the step around it, 0 for none; `source` is its FILE:LINE.
    """

    number: int
    parent: int
    actor: str
    action: str
    arguments: str
    source: str

    @property
    def title(self) -> str:
        """The step as it was written: `outbound_call('890000002')`."""
        return f"{self.action}({self.arguments})"


class StepEnded(Entry, tag="step-ended"):
    """A business step has ended: "passed", "failed" or "cancelled"."""

    number: int
    outcome: str
    error: str = ""


class WaitStarted(Entry, tag="wait-started"):
    """Someone waits: for `what`, until `deadline_ns` (None: for ever), from FILE:LINE `source`."""

    number: int
    actor: str
    channel: str
    what: str
    step: int
    deadline_ns: int | None
    source: str


class WaitEnded(Entry, tag="wait-ended"):
    """A wait has ended: "satisfied", "failed" or "cancelled".

    `message` is the number of the received message, 0 for none.
    """

    number: int
    outcome: str
    message: int = 0
    error: str = ""


class Handled(Entry, tag="handled"):
    """A handler has seen a received message; `took_ns` is how long it took, `error` what it raised."""

    actor: str
    channel: str
    message: int
    handler: str
    took_ns: int
    error: str = ""


class Called(Entry, tag="called"):
    """A function was called by a workflow and returned.

    `number` is its step, `result` a short form of what it returned.
    """

    number: int
    function: str
    save_as: str
    result: str


class HttpRequested(Entry, tag="http-requested"):
    """A request over HTTP is sent; its `HttpExchange` follows when it has come to an end."""

    actor: str
    channel: str
    step: int
    number: int
    method: str
    url: str
    request_headers: dict[str, str]
    request_body: str

    def exchange(self, error: str = "") -> HttpExchange:
        """The exchange that this begins, without an answer."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return HttpExchange(**fields, took_ns=0, error=error)


class HttpExchange(Entry, tag="http"):
    """A request over HTTP and what came of it; `status` is 0 and `error` tells why when nothing did."""

    actor: str
    channel: str
    step: int
    number: int
    method: str
    url: str
    took_ns: int
    request_headers: dict[str, str]
    request_body: str
    status: int = 0
    response_headers: dict[str, str] = {}
    response_body: str = ""
    error: str = ""


class Dropped(Entry, tag="dropped"):
    """Messages fell out of a full mailbox: `count` so far."""

    actor: str
    channel: str
    count: int
    limit: int


class Failed(Entry, tag="failed"):
    """The run failed, and why."""

    error: str
    text: str


class SoftCheckFailed(Entry, tag="soft-check-failed"):
    """A check that collects has failed; the run goes on."""

    text: str


class Note(Entry, tag="note"):
    """Something worth knowing that is no failure: a blocked event loop, a message that came too late."""

    text: str


class SignalGiven(Entry, tag="signal"):
    """A branch of the scenario gave a signal; `value` is a short form of what went along."""

    name: str
    actor: str
    step: int
    value: str = ""


class MomentKept(Entry, tag="moment"):
    """`at()` began its step. `due_ns` is when it was to begin, `error_ns` how much later it did."""

    step: int
    due_ns: int
    error_ns: int


Recorded = Entry | Message
Sink = Callable[[Any], None]
"""Called with each entry or message (masked) as it happens."""


class Report(Protocol):
    """Something that is made of a run's journal. It is given the run's directory, and then every entry in order.

    It may also take `target`, a text: the place that was chosen for it, "" for none.
    """

    def __call__(self, directory: Path) -> Sink:
        """A sink for one run; its `close`, if it has one, is called at the run's end.

        Raises OSError if the directory cannot be written.
        """
        ...


class Journal:
    """Collects the entries of one run.

    The last `keep` entries stay in memory (`entries`), as they were; sinks get them masked. A run under load has no
    sinks. An entry that one sink cannot write is given to the others before `record` raises what that sink raised.
    """

    def __init__(self, keep: int = 10_000, masker: Masker | None = None) -> None:
        self.entries: deque[Any] = deque(maxlen=keep)
        self.masker = masker if masker is not None else Masker()
        self.record: Sink = self.entries.append
        self._sinks: list[Sink] = []

    @property
    def has_sinks(self) -> bool:
        """False while entries go into memory only, which cannot fail."""
        return bool(self._sinks)

    def attach(self, sink: Sink) -> None:
        """Call `sink` with every entry from now on; sinks are attached before the run's engine is made."""
        self._sinks.append(sink)
        self.record = self._record

    def _record(self, entry: Recorded) -> None:
        self.entries.append(entry)
        masked = mask_message(entry, self.masker) if isinstance(entry, Message) else mask_entry(entry, self.masker)
        failure: Exception | None = None
        for sink in self._sinks:
            try:
                sink(masked)
            except Exception as error:
                failure = failure or error  # the other sinks get it all the same
        if failure is not None:
            raise failure


def kind_of(entry: Recorded) -> type:
    """What tells a reader of which kind an entry is: its class, and `Message` for whatever a dialect makes of that."""
    return Message if isinstance(entry, Message) else type(entry)


def mask_message(message: Message, masker: Masker) -> Message:
    """The message without its secrets; the message itself if it has none."""
    masker.learn_from(message.body)
    masked: dict[str, Any] = {
        "name": masker.text(message.name),
        "body": masker.value(message.body),  # the body itself if it holds no secret
        "raw": masker.data(message.raw),
        "frames": message.frames and tuple(masker.data(frame) for frame in message.frames),
        "asks": _mask_key(message.asks, masker),
        "reply_to": _mask_key(message.reply_to, masker),
    }
    changes = {field: new for field, new in masked.items() if _is_changed(new, getattr(message, field))}
    return msgspec.structs.replace(message, **changes) if changes else message


def _mask_key(key: Hashable, masker: Masker) -> Hashable:
    return masker.text(key) if isinstance(key, str) else key


def _is_changed(new: Any, old: Any) -> bool:
    return new is not old and (isinstance(new, Mapping) or new != (tuple(old) if isinstance(new, tuple) else old))


def mask_entry(entry: Entry, masker: Masker) -> Entry:
    """The entry without its secrets."""
    changes: dict[str, Any] = {}
    for name in entry.__struct_fields__:
        value = getattr(entry, name)
        if isinstance(value, str):
            masked: Any = masker.text(value)
        elif isinstance(value, Mapping):
            masked = masker.headers(value) if "headers" in name else masker.value(value)
        else:
            continue
        if masked != value:
            changes[name] = masked
    return msgspec.structs.replace(entry, **changes) if changes else entry
