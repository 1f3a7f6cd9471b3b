"""The one record of a run: what happened, in order, kept in memory and passed on, masked, as it happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Protocol, Union, get_args, get_origin

import msgspec

from antiphon.conversation.awaited import where_as_data
from antiphon.conversation.message import Message
from antiphon.conversation.waits import Wait
from antiphon.journal.arguments import mask_argument
from antiphon.journal.entries import (
    Entry,
    Recorded,
    StepEnded,
    StepStarted,
    WaitEnded,
    WaitStarted,
)
from antiphon.journal.masking import Masker
from antiphon.journal.performed import PerformedStep
from antiphon.journal.placing import Placing

__all__ = [
    "KEEP",
    "Deferred",
    "Journal",
    "Recordable",
    "Report",
    "Sink",
    "entries_of",
    "mask_entry",
    "mask_message",
    "write_down_in",
    "written_as",
]

KEEP: Final = 10_000
"""So many entries stay in memory if nobody says otherwise."""

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


class Deferred(msgspec.Struct, frozen=True):
    """An entry of that moment which is made when somebody reads it: what nobody reads need not be put into words."""

    at_ns: int
    make: Callable[[], Entry]


Recordable = Recorded | Deferred | Wait[Any] | PerformedStep | tuple[Wait[Any] | PerformedStep]
"""What `Journal.record` takes."""


class Journal:
    """Collects the entries of one run.

    `record` puts an entry in, or what is `Deferred`, or what has a beginning and an end, a channel's wait or a step:
    itself where it begins, and in a tuple of its own where it has ended. Without sinks the entries are made of it when
    somebody reads `entries`. The last `keep` stay in memory, as they were, and of large messages fewer: those with the
    last `keep_bytes` of raw data. Sinks get them masked. A run under load has no sinks. An entry that one sink cannot
    write is given to the others before `record` raises what that sink raised.
    """

    def __init__(self, keep: int = KEEP, masker: Masker | None = None, *, keep_bytes: int = 64 * 1024 * 1024) -> None:
        self._ring: deque[Any] = deque(maxlen=keep)
        self.keep = keep
        self._keep_bytes = keep_bytes
        # Made when the first is put in: an empty one takes as much memory as sixty entries would, in each of all runs.
        self._weights: deque[tuple[Message, int]] | None = None
        self._weight_bytes = 0
        self.masker = masker if masker is not None else Masker()
        # Not a method that asks whether there are sinks: a load records millions of entries into memory only.
        self.record: Sink = self._ring.append
        self._sinks: list[tuple[Sink, bool]] = []
        self._place: Placing | None = None

    @property
    def entries(self) -> list[Any]:
        """The entries that are kept, oldest first."""
        return entries_of(self._ring)

    @property
    def has_sinks(self) -> bool:
        """False while entries go into memory only, which cannot fail."""
        return bool(self._sinks)

    def weigh(self, message: Message, size_bytes: int) -> None:
        """So much raw data has been recorded up to this message: let go of the oldest entries if it is too much.

        Told by who records messages, of large ones only or every so many bytes: to look at each costs more than to
        record it.
        """
        if self._weights is None:
            self._weights = deque()
        self._weights.append((message, size_bytes))
        self._weight_bytes += size_bytes
        self._lighten()

    def _lighten(self) -> None:
        """Let go of the oldest entries while there is too much raw data in them."""
        entries, weights = self._ring, self._weights
        while (
            weights is not None
            and len(weights) > 1
            and (self._weight_bytes > self._keep_bytes or (entries and weights[0][0].at_ns < _at_ns(entries[0])))
        ):
            oldest, weight_bytes = weights.popleft()
            self._weight_bytes -= weight_bytes
            # It may have fallen out by itself.
            while entries and _at_ns(entries[0]) <= oldest.at_ns and entries.popleft() is not oldest:
                pass

    def write_down(self, wait: Wait[Any]) -> None:
        """Keep what is recorded of the wait as it is now, instead of the wait."""
        if not self._sinks:  # with them it was written when it happened
            write_down_in(self._ring, wait)

    def hand_over(self) -> list[Recordable]:
        """The run is over: what was kept, for whoever has the run; `entries_of` makes entries of it.

        Here nothing of it stays: it leads to actors and waits, and those to this.
        """
        kept = list(self._ring)
        self._ring.clear()
        self._weights = None
        return kept

    def attach(self, sink: Sink, *, with_protocol: bool = False) -> None:
        """Call `sink` with every entry from now on; sinks are attached before the run's engine is made.

        What protocols said by themselves is left out unless `with_protocol` asks for it, as by `read_journal`.
        """
        self._sinks.append((sink, with_protocol))
        self._place = self._place or Placing()
        self.record = self._record

    def _record(self, recorded: Recordable) -> None:
        entry = written_as(recorded)
        self._ring.append(entry)
        assert self._place is not None  # there is a sink
        self._place(entry)  # only here: in memory, steps that nobody reads need not be found
        if isinstance(entry, Message):
            masked: Any = mask_message(entry, self.masker)
            is_aside = entry.is_protocol
        else:
            masked, is_aside = mask_entry(entry, self.masker), False
        failure: Exception | None = None
        for sink, with_protocol in self._sinks:
            if is_aside and not with_protocol:
                continue
            try:
                sink(masked)
            except Exception as error:
                failure = failure or error  # the other sinks get it all the same
        if failure is not None:
            raise failure


def entries_of(recorded: Iterable[Recordable]) -> list[Any]:
    """The entries of what is recorded, made now."""
    return [written_as(each) for each in recorded]


def written_as(recorded: Recordable) -> Recorded:
    """The entry that is made of what was recorded, as it is now."""
    make = _MAKERS.get(recorded.__class__)
    if make is not None:
        return make(recorded)
    # A wait is of some class of its own; messages and entries are what they are.
    return WaitStarted.of(recorded) if isinstance(recorded, Wait) else recorded  # type: ignore[return-value]


def write_down_in(kept: deque[Any] | list[Any], wait: Wait[Any]) -> bool:
    """Put entries in the place of what is kept there of the wait; whether its beginning was among that."""
    # From the newest on: a wait that is over has mostly begun a short while ago. It may have fallen out.
    for back, entry in enumerate(reversed(kept), 1):
        if entry is wait or (entry.__class__ is tuple and entry[0] is wait):
            kept[-back] = written_as(entry)
            if entry is wait:
                return True
    return False


def _end_of(over: tuple[Wait[Any] | PerformedStep]) -> Recorded:
    (ended,) = over
    return StepEnded.of(ended) if isinstance(ended, PerformedStep) else WaitEnded.of(ended)


_MAKERS: Final[dict[type, Callable[[Any], Recorded]]] = {
    tuple: _end_of,
    PerformedStep: StepStarted.of,
    Deferred: lambda deferred: deferred.make(),
    Message: lambda message: message,
}


def _at_ns(recorded: Recordable) -> int:
    if isinstance(recorded, tuple):
        (over,) = recorded
        return over.settled_ns if isinstance(over, Wait) else over.ended_ns
    return recorded.made_ns if isinstance(recorded, Wait) else recorded.at_ns


def mask_message(message: Message, masker: Masker) -> Message:
    """The message without its secrets; the message itself if it has none."""
    masker.learn_from(message.body)  # first: what its own data repeats of a secret field is masked too
    changes: dict[str, Any] = {}
    # What holds no secret comes back as the same object.
    if (name := masker.text(message.name)) is not message.name:
        changes["name"] = name
    # Before the data: what the body's texts teach, as those of a URL, may be escaped there.
    if (body := masker.value(message.body)) is not message.body:
        changes["body"] = body
    if (raw := masker.data(message.raw)) is not message.raw:
        changes["raw"] = raw
    if message.frames and (frames := tuple(masker.data(frame) for frame in message.frames)) != tuple(message.frames):
        changes["frames"] = frames
    for field in ("asks", "reply_to"):
        key: Hashable = getattr(message, field)
        if isinstance(key, str) and (masked := masker.text(key)) is not key:
            changes[field] = masked
    return msgspec.structs.replace(message, **changes) if changes else message


def mask_entry(entry: Entry, masker: Masker) -> Entry:
    """The entry without its secrets."""
    # A pattern becomes data before it is masked: what is described of it, as the repr of an object, may hold a secret.
    if isinstance(entry, WaitStarted) and entry.where is not None:
        entry = msgspec.structs.replace(entry, where=masker.value(where_as_data(entry.where)))
    changes: dict[str, Any] = {}
    if isinstance(entry, StepStarted) and entry.arguments:
        # As they are now: those in memory are made when they are read, and their values may be others by then.
        given = [mask_argument(masker, each.value, each.name, each.name) for each in entry.arguments]
        changes["arguments"] = given or ()
    for name in _masked_fields(entry.__class__):
        value = getattr(entry, name)
        if isinstance(value, str):
            masked: Any = masker.text(value)
        elif isinstance(value, Mapping):
            masked = masker.headers(value) if "headers" in name else masker.value(value)
        else:
            continue
        if masked is not value and masked != value:
            changes[name] = masked
    return msgspec.structs.replace(entry, **changes) if changes else entry


@cache
def _masked_fields(kind: type[Entry]) -> tuple[str, ...]:
    """The fields of such an entry that may hold a secret: all but numbers, truths, and words out of a few."""
    spared = (int, float, bool, NoneType)

    def may_hold_one(annotation: Any) -> bool:
        if get_origin(annotation) in (Union, UnionType):
            return any(map(may_hold_one, get_args(annotation)))
        return annotation not in spared and get_origin(annotation) is not Literal

    return tuple(field.name for field in msgspec.structs.fields(kind) if may_hold_one(field.type))
