"""The seam between data and messages.

A dialect says how messages are encoded, named and correlated; it makes one codec for each connection. A codec is a pure
machine: data in, messages out; a message in, data out; and the data that the protocol itself owes. It does no I/O and
knows no time. The smallest dialect is a codec with `decode` and `encode`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, ClassVar, Protocol, Self

from antiphon.conversation.message import Data, Message
from antiphon.errors import DialectError, ErrorReply

__all__ = ["Codec", "Dialect"]


class Dialect(Protocol):
    """How messages are encoded, named and correlated. One object may serve any number of connections."""

    def codec(self) -> Codec:
        """A new codec, for one connection."""
        ...


class Codec(ABC):
    """One connection's side of a dialect.

    It can be the dialect, too: each connection then gets a copy of the codec as it was made (see `codec`).
    `is_ready` is False until the protocol's own opening is done: the channel counts as open only then.
    `heartbeat_s`, if not None, is how often `heartbeat` is asked for data. Both are looked at after every `decode`.

    What `opening`, `owed`, `heartbeat` and `closing` give is in the journal, marked `is_protocol`: data under the name
    of the duty, a Message under its own. A message from `decode` that is so marked is there too, and goes no further.
    """

    is_ready: bool = True
    heartbeat_s: float | None = None
    gives_messages: ClassVar[bool] = False
    """True of a `decode` that gives nothing but messages, in a tuple or list: then nobody looks at each of them again,
    to tell a bug of the codec."""

    def codec(self) -> Self:
        """A deep copy, for one connection: its options are kept, and its state is shared with no other connection.

        A dialect whose connections shall share something (a schema, a cache) is a class of its own, beside its codec.
        """
        # Shallow would not do: two connections would share the lists and dicts of what was asked and is owed.
        return deepcopy(self)

    @abstractmethod
    def decode(self, data: Data) -> Iterable[Message]:
        """The messages that `data` completes: none, one or several, in order; it may be a generator.

        Raises DialectError for data that is not of this dialect: it is delivered as an Unreadable, after what a
        generator gave before. A piece of the data that cannot be read may be given as an Unreadable among the others.
        """

    @abstractmethod
    def encode(self, name: str, body: Any) -> Message:
        """A message to be sent, with `raw` filled in. Raises DialectError for a body that cannot be encoded."""

    def request(self, name: str, body: Any) -> Message:
        """Like `encode`, for a message that will be replied to: `asks` is the key under which its replies come.

        A key must stay unique among the open requests, unless replies to the same key come in the order of the
        requests.
        """
        raise DialectError(
            f"{name} cannot be asked: this dialect does not say which replies belong to a request",
            hint="use send() and expect(), or configure the dialect's replies (Json: reply= or id=)",
        )

    def answer(self, request: Message, body: Any) -> Message:
        """The reply to a received request, made from what its handler returned."""
        raise DialectError(
            f"the handler of {request.name} returned a value, but this dialect cannot answer",
            hint="return None and use send(), or configure the dialect's replies",
        )

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        """The reply to a received request whose handler raised `ErrorReply`."""
        raise DialectError(f"the handler of {request.name} refused it, but this dialect cannot answer: {refusal}")

    def bundle(self, messages: Sequence[Message]) -> Sequence[Data]:
        """The data that carries several encoded messages at once; by default one after the other."""
        return [
            data for message in messages for data in (message.frames if message.frames is not None else (message.raw,))
        ]

    def opening(self) -> Iterable[Data | Message]:
        """What the protocol owes as soon as the connection is there."""
        return ()

    def owed(self) -> Iterable[Data | Message]:
        """What the protocol owes after data was decoded: acknowledgements, the next piece of its opening."""
        return ()

    def heartbeat(self) -> Iterable[Data | Message]:
        """What the protocol owes every `heartbeat_s`."""
        return ()

    def closing(self) -> Iterable[Data | Message]:
        """What the protocol owes before the connection is closed by us."""
        return ()
