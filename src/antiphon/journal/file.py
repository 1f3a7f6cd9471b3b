"""A journal on disk: JSON Lines, an entry a line, each written at once.

What was written before a crash, a `kill -9` or a full disk is readable; a last line that was cut is left out.
"""

from __future__ import annotations

import base64
import contextlib
import math
import os
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from antiphon import journal
from antiphon.conversation.message import Message
from antiphon.conversation.wording import shorten
from antiphon.errors import RecordingError
from antiphon.journal import Entry
from antiphon.journal.private_files import open_private, reason
from antiphon.journal.readable_body import readable_body

__all__ = ["ELSEWHERE", "FILE_NAME", "JournalWriter", "WrittenMessage", "plain", "read_journal", "readable", "shown"]

FILE_NAME = "journal.jsonl"

ELSEWHERE = "choose another directory for runs: --runs, under pytest --antiphon-runs, in Python runs="
"""The hint for a disk that takes no run."""


class WrittenMessage(Entry, tag="said"):
    """A message as it is written: `text` for a text frame, `base64` for a binary one; never both.

    `body` is what its dialect read in a binary one, or wrote as it, as JSON; None where the data shows it by itself.

    `is_sent` tells the direction, `number` counts each direction of a channel from 1, `step` is the business step it
    was sent in, or is shown under if it was received (0 for none). `asks` is the key that the replies to this request
    carry, `reply_to` the key that this reply carries; a key that is neither text nor number is written as Python shows
    it. `is_protocol` marks what the protocol said by itself.
    """

    actor: str
    channel: str
    is_sent: bool
    number: int
    name: str
    step: int = 0
    asks: str | int | float | None = None
    reply_to: str | int | float | None = None
    is_protocol: bool = False
    body: str | None = None
    text: str | None = None
    base64: str | None = None

    @classmethod
    def of(cls, message: Message) -> WrittenMessage:
        """The written form of a message."""
        raw, asks, reply_to = message.raw, message.asks, message.reply_to
        if isinstance(raw, str):
            text, data = raw, None
        else:
            text, data = None, base64.b64encode(raw).decode()
        return cls(
            at_ns=message.at_ns,
            actor=message.actor,
            channel=message.channel,
            is_sent=message.is_sent,
            number=message.number,
            name=message.name,
            step=message.step,
            asks=asks if asks is None or asks.__class__ is str else _key(asks),
            reply_to=reply_to if reply_to is None or reply_to.__class__ is str else _key(reply_to),
            is_protocol=message.is_protocol,
            body=readable_body(raw, message.body) if text is None else None,
            text=text,
            base64=data,
        )

    @property
    def raw(self) -> str | bytes:
        """The data that went over the wire, secrets masked."""
        return self.text if self.text is not None else base64.b64decode(self.base64 or "")


def readable(message: Message | WrittenMessage) -> str | bytes:
    """What is shown of a message: its data, or its body where that is binary and has been read."""
    body = message.body if isinstance(message, WrittenMessage) else readable_body(message.raw, message.body)
    return message.raw if body is None else body


class JournalWriter:
    """Appends entries to a file that it creates; each entry is one `write`, so it survives the process.

    Where `is_begun` says so, the file is the journal of a run that is over, and more is written behind its entries.

    Whatever an entry holds is written: what JSON does not know as Python shows it, a lone surrogate as `?`. A line that
    did not fit on the disk is taken back, so that what was written before, and may be written later, stays readable.
    Raises RecordingError when the file cannot be made (it may not be there already) or written.
    """

    def __init__(self, path: Path, *, is_begun: bool = False) -> None:
        self.path = path
        self._encode = msgspec.json.Encoder(enc_hook=shown).encode_lines
        try:
            if is_begun:
                self._file = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
            else:
                self._file = open_private(path, os.O_WRONLY | os.O_EXCL | os.O_APPEND)
        except OSError as error:
            raise RecordingError(
                f"the journal cannot be {'written' if is_begun else 'made'}: {error.strerror}",
                place=str(path),
                hint=ELSEWHERE,
            ) from error

    def __call__(self, entry: Entry | Message) -> None:
        """Write an entry."""
        encode = self._encode
        told: Entry
        # The most frequent first: `isinstance` asks the class, which for msgspec's is a call of its own.
        if entry.__class__ in _MOST_FREQUENT or not isinstance(entry, Message):
            told = entry
        else:
            told = WrittenMessage.of(entry)
        try:
            line = encode([told])  # a list: of other iterables msgspec 0.22 never lets go of the iterator
        except Exception:  # whatever a foreign object in an entry may raise when it is looked at
            line = encode([_plain_fields(told)])
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise self._trouble(error) from error
        if written != len(line):  # one call as a rule; a pipe or a nearly full disk may take a part
            self._write_rest(line, written)

    def _write_rest(self, line: bytes, written: int) -> None:
        while written < len(line):
            try:
                written += os.write(self._file, memoryview(line)[written:])
            except OSError as error:
                with contextlib.suppress(OSError):
                    # Half a line would be damage to a reader, which stops there; and the run may go on to its end.
                    os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise self._trouble(error) from error

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        file, self._file = self._file, _CLOSED
        if file != _CLOSED:
            try:
                os.close(file)
            except OSError as error:  # a network's file system may tell of a full disk only here
                raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> RecordingError:
        return RecordingError(
            f"the journal cannot be written: {reason(error)}",
            place=str(self.path),
            hint=f"what was recorded before is readable; make room, or {ELSEWHERE}",
        )


_MOST_FREQUENT: Final = frozenset({journal.StepStarted, journal.StepEnded, journal.WaitStarted, journal.WaitEnded})
"""Of each there is one for a message, or nearly."""

_Line = (
    WrittenMessage
    | journal.Aside
    | journal.Called
    | journal.ChannelEnded
    | journal.ChannelOpened
    | journal.ChannelReopened
    | journal.ChannelReopening
    | journal.Dropped
    | journal.Failed
    | journal.Handled
    | journal.HttpExchange
    | journal.HttpRequested
    | journal.MomentKept
    | journal.Note
    | journal.RunEnded
    | journal.RunStarted
    | journal.SignalGiven
    | journal.SoftCheckFailed
    | journal.StepEnded
    | journal.StepStarted
    | journal.TestEnded
    | journal.TimerStopped
    | journal.WaitEnded
    | journal.WaitStarted
)


def read_journal(path: Path, *, with_protocol: bool = False) -> Iterator[Any]:
    """The entries of a written journal in order; messages come as `WrittenMessage`.

    What protocols said by themselves is left out unless `with_protocol` asks for it: readers want the conversation. A
    request over HTTP that the journal ends before is told of at the end, as an exchange without an answer. A last line
    without its end is left out. Raises RecordingError for a file that is not there or a line that is no
    entry; the entries before that line have been given.
    """
    decode = msgspec.json.Decoder(_Line).decode
    try:
        file = path.open("rb")
    except OSError as error:
        raise RecordingError(f"no journal can be read: {error.strerror}", place=str(path)) from error
    under_way: dict[tuple[str, str, int], journal.HttpRequested] = {}
    with file:
        for number, line in enumerate(file, 1):
            # The process was killed in the middle of it, or it is being written now.
            if not line.endswith(b"\n"):
                break
            try:
                entry = decode(line)
            except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
                raise RecordingError(
                    f"this line is no journal entry: {error}",
                    place=f"{path}:{number}",
                    hint="was it edited, or written by another version of antiphon? the lines before it are readable",
                ) from error
            if isinstance(entry, journal.HttpRequested):
                under_way[entry.actor, entry.channel, entry.number] = entry
            elif isinstance(entry, journal.HttpExchange):
                under_way.pop((entry.actor, entry.channel, entry.number), None)
            if with_protocol or not (isinstance(entry, WrittenMessage) and entry.is_protocol):
                yield entry
    for request in under_way.values():
        yield request.exchange(error="the journal ends before it was answered")


def _key(key: Hashable) -> str | int | float:
    """A key of an exchange as JSON knows it."""
    if type(key) is str or (type(key) is float and math.isfinite(key)):
        return key
    return key if type(key) is int and abs(key) < _TOO_GREAT else shown(key)


def _plain_fields(entry: Entry) -> dict[str, Any]:
    """The entry in what JSON knows for certain."""
    fields = {name: plain(getattr(entry, name)) for name in entry.__struct_fields__}
    return {"kind": entry.__struct_config__.tag, **fields}


def plain(value: Any, depth: int = 0) -> Any:
    """The value in what JSON knows for certain."""
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < _TOO_GREAT):
        return value
    if isinstance(value, str):
        return _encodable(value)
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {_encodable(str(key)): plain(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(inner, depth + 1) for inner in value]
    return _encodable(shown(value))


def shown(value: Any) -> str:
    """What is written of a value that JSON does not know."""
    return shorten(value, 1000)


def _encodable(text: str) -> str:
    """Lone surrogates cannot be written as UTF-8; they are replaced."""
    return text.encode("utf-8", "replace").decode()


_CLOSED: Final = -1
_TOO_GREAT: Final = 1 << 64
_DEEPEST: Final = 20
