"""The seam between data and messages.

A dialect says how messages are encoded, named and correlated; it makes one codec for each connection. A codec is a pure
machine: data in, messages out; a message in, data out; and the data that the protocol itself owes. It does no I/O and
knows no time. The smallest dialect is a codec with `decode` and `encode`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any, ClassVar, Protocol, Self

from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message
from antiphon.conversation.typed import class_name
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply

__all__ = ["Codec", "Dialect", "camel_name", "namer_of"]


class Dialect(Protocol):
    """How messages are encoded, named and correlated. One object may serve any number of connections.

    It may have a method `name_of(kind)`: which name the messages have by its convention whose bodies are of that type,
    where neither the type nor the channel says it. Without one it is the class's name with a small first letter.
    """

    def codec(self, meeting: Meeting, /) -> Codec:
        """A new codec, for one connection; a client's is made before it connects.

        What is changed of the meeting's address, headers and subprotocols is what the connection is opened with.
        """
        ...


class Codec(ABC):
    """One connection's side of a dialect.

    It can be the dialect, too: each connection then gets a copy of the codec as it was made (see `codec`).

    These are looked at when the connection is there, and again after every `decode`:

    is_ready: False until the protocol's own opening is done; the channel counts as open only then.
    heartbeat_s: how often `heartbeat` is asked for data; None for never.
    silence_s: how long the peer may say nothing at all; then the connection ends, and says so. None for ever.
    is_done: False from `closing` on while the peer's own goodbye is missing; the connection is closed when that has
        come, or after 5 s in which nothing comes or leaves.
    ending: not None once the protocol has said goodbye: how, and by whom. What is owed still leaves, then the
        connection is closed, and that is how it has ended (`expect_close` takes the code). With `by="us"` and a code
        that is what the wire is closed with, as a protocol does whose codes are WebSocket's.

    What `opening`, `owed`, `heartbeat`, `cancel` and `closing` give is in the journal, marked `is_protocol`: data under
    the name of the duty, a Message under its own. A message from `decode` that is so marked is there too, and goes no
    further: it is in no mailbox, and strict mode does not count it.
    """

    is_ready: bool = True
    heartbeat_s: float | None = None
    silence_s: float | None = None
    is_done: bool = True
    ending: Ending | None = None
    gives_messages: ClassVar[bool] = False
    """True of a `decode` that gives nothing but messages, in a tuple or list, and changes none of the above: then
    nobody looks at each of them again, to tell a bug of the codec, nor at the codec, unless its class has duties."""

    def codec(self, meeting: Meeting, /) -> Self:
        """A deep copy, for one connection: its options are kept, and its state is shared with no other connection.

        A codec that wants to know whom it speaks for overrides this, and takes what it needs from the meeting. A
        dialect whose connections shall share something (a schema, a cache) is a class of its own, beside its codec.
        """
        # Shallow would not do: two connections would share the lists and dicts of what was asked and is owed.
        return deepcopy(self)

    @abstractmethod
    def decode(self, data: Data) -> Iterable[Message]:
        """The messages that `data` completes: none, one or several, in order; it may be a generator.

        Raises DialectError for data that is not of this dialect: it is delivered as an Unreadable, after what a
        generator gave before. A piece of the data that cannot be read may be given as an Unreadable among the others.
        Raises OpeningRefused if by this the peer refuses the protocol's own opening.
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
        """The reply to a received request, made from what its handler returned.

        After `answer_interim` it is the last one, with the body None if the handler has given all that it had to say.
        """
        raise DialectError(
            f"the handler of {request.name} returned a value, but this dialect cannot answer",
            hint="return None and use send(), or configure the dialect's replies",
        )

    def answer_interim(self, request: Message, body: Any) -> Message:
        """A reply to a received request that is one of several, made from what its handler gave.

        What is given has `is_last` True if it ends the exchange all the same, since its body says so.
        """
        raise DialectError(
            f"{request.name} has one answer: this dialect has no form for others before it",
            hint="return it from the handler; what is to be said before can be a message of its own, by send()",
        )

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        """The reply to a received request whose handler raised `ErrorReply`."""
        raise DialectError(f"the handler of {request.name} refused it, but this dialect cannot answer: {refusal}")

    def cancel(self, request: Message, /) -> Iterable[Data | Message]:
        """What tells the peer that nobody waits for the replies to this request of ours any more.

        Asked for when an exchange is given up: its time is over, or whoever awaited it was cancelled, or left its
        `async for`.
        """
        return ()

    def resumes(self, request: Message, /) -> bool:
        """Whether the replies to this request of ours may come on the connection that follows its own.

        Asked of the codec whose connection has ended, where another one is to follow by itself (`Backoff`), and of that
        one's codec when it is ready: whoever waits is told as soon as either says no. `Meeting.unanswered` has those
        that are still waited for.
        """
        return False

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


def namer_of(dialect: Dialect) -> Callable[[Any], str]:
    """What names a type's messages in this dialect (see `Dialect`)."""
    named: Callable[[Any], str] | None = getattr(dialect, "name_of", None)
    return named if named is not None else camel_name


def camel_name(kind: Any) -> str:
    """`NewCall` as `newCall`: what most protocols in JSON call their messages."""
    name = class_name(kind)
    return name[:1].lower() + name[1:]
