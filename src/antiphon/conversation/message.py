"""One thing said, either way."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import msgspec

from antiphon.conversation.likeness import nearest_name
from antiphon.conversation.named_fields import named_fields
from antiphon.conversation.quick_writes import quick_writes
from antiphon.conversation.wording import shorten
from antiphon.errors import AntiphonError, FieldMissing, ScenarioError

__all__ = [
    "UNNAMED",
    "UNREADABLE",
    "Data",
    "Message",
    "Textual",
    "Unreadable",
    "Withdrawal",
    "describe_fields",
    "field_missing",
    "require_data",
]

Data = str | bytes
"""What goes over a wire at once: `str` is text, `bytes` is binary. Byte-stream transports give `bytes` only."""

UNNAMED = "unnamed"
"""The name of a message whose dialect finds no name in it."""

UNREADABLE = "unreadable"
"""The name of data that its channel's dialect could not read; the body is the raw data."""


@quick_writes
class Message(msgspec.Struct, eq=False, gc=False):
    """One thing said: what a codec makes of data, or makes data of.

    `name` and `body` are the dialect's reading; `raw` is the data itself (`str` for text, `bytes` for binary).
    `frames` lists the data to send when it takes more than `raw` alone.

    Correlation, as the codec sees it: `reply_to` is the key of the exchange that a received message belongs to, and
    `is_answer` / `is_last` / `is_failure` say whether it answers, ends or refuses it. `asks` is the key under which the
    replies to this request travel; `is_request` says that the peer waits for an answer.

    `is_protocol` marks what the protocol says by itself (a handshake, an acknowledgement, a heartbeat): it is in the
    journal, and not in the mailbox.

    The channel stamps the rest: `at_ns` (nanoseconds since the run began), `number` (1, 2, … in the order in which the
    channel received, or sent), `actor`, `channel`, `is_sent`, and `step` (the number of the business step it belongs
    to, 0 for none).
    """

    name: str
    body: Any
    raw: Data
    frames: Sequence[Data] | None = None
    reply_to: Hashable = None
    asks: Hashable = None
    is_answer: bool = False
    is_last: bool = False
    is_failure: bool = False
    is_request: bool = False
    is_protocol: bool = False
    at_ns: int = 0
    number: int = 0
    actor: str = ""
    channel: str = ""
    is_sent: bool = False
    step: int = 0

    def __repr__(self) -> str:
        """Without values: they may be secret, and a test report shows whatever a function was called with."""
        return f"<Message {self.name}: {describe_fields(self.body)}>"

    def __getitem__(self, key: Any) -> Any:
        """`body[key]`, or that attribute of a typed body; a missing one raises `FieldMissing`, which names those that
        are there."""
        try:
            return self.body[key]
        except (KeyError, IndexError, TypeError) as error:
            fields = named_fields(self.body)
            if fields is not None and fields is not self.body and isinstance(key, str) and key in fields:
                return fields[key]
            missing = field_missing(self.name, key, self.body)
            if self.is_failure:  # that is what whoever reads it as the answer did not expect
                missing.text += f": it says that something failed, {shorten(self.body, 160)}"
            raise missing from error

    def __contains__(self, key: object) -> bool:
        return key in (named_fields(self.body) or ())

    def get(self, key: Any, default: Any = None) -> Any:
        """`body[key]` or `default`."""
        return (named_fields(self.body) or {}).get(key, default)


@quick_writes
class Unreadable(Message):
    """What arrived, or a part of it, that its codec could not read: `trouble` says why.

    A DialectError if it is not of the dialect, DialectFailed if the codec has a bug.
    """

    trouble: AntiphonError | None = None


@quick_writes
class Textual(Message):
    """A message of a notation that has texts only, as XML: the numbers that a type wants are read out of them."""


@quick_writes
class Withdrawal(Message):
    """The peer waits no more for the answers to a request of its own, the one whose key (`asks`) is `withdraws`.

    A handler that is still at it, an `async def`, is cancelled. It is always what the protocol says by itself.
    """

    withdraws: Hashable = None

    def __post_init__(self) -> None:
        self.is_protocol = True


def require_data(data: object) -> None:
    """Raise ScenarioError for what goes over no wire."""
    if not isinstance(data, (str, bytes)):
        raise ScenarioError(
            f"data is text or bytes, not {type(data).__name__}", hint="send() takes a name and fields, and encodes them"
        )


def field_missing(whose: str, key: Any, body: Any) -> FieldMissing:
    """The error for a field that is not there, which tells what is."""
    meant = nearest_name(key, named_fields(body) or ())
    hint = describe_fields(body) + (f"; did you mean {meant!r}?" if meant is not None else "")
    return FieldMissing(f"{whose} has no field {key!r}", hint=hint)


def describe_fields(body: Any) -> str:
    """What there is instead of a missing field; names only, since values may be secret."""
    fields = named_fields(body)
    if fields is not None:
        return f"its fields are {', '.join(map(repr, fields))}" if fields else "its body is empty"
    if isinstance(body, list):
        return f"its body is a list of {len(body)}"
    return f"it is {type(body).__name__}, not an object"
