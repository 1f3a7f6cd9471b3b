"""What a dialect is tried with, and two codecs of it back to back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.meeting import Meeting, Side
from antiphon.errors import DialectError
from antiphon.stand.users import User

__all__ = ["Pair", "Script", "Speech", "as_bytes", "data_of", "data_owed", "feed", "require"]


class Script(msgspec.Struct, eq=False):
    """The other side of a dialect without a codec of its own: what it says when it hears that.

    `react` is called with each piece of data, and gives data; an object that keeps something is copied for each
    connection. `greeting` is what the peer says first.
    """

    react: Callable[[Data], Iterable[Data]]
    greeting: Sequence[Data] = ()


class Speech(msgspec.Struct, eq=False):
    """A dialect and what can be said in it.

    samples: names and bodies that `send` takes, none where only requests are made; what is heard must be what was
        said, though a mapping may come with more fields.
    asks, answer: the name and body of a request, None if the dialect does not say which replies belong to it; and the
        body of its answer.
    interim: bodies of answers before the last one, where the dialect has several.
    refusal, can_refuse: the code and message of a refusal; False if the dialect has none.
    both_ask: both sides may ask at a time, and neither takes the other's request for a reply.
    is_stream: a message may span data: it is heard wherever the data is cut, and what cannot be read may swallow what
        comes after it.
    spans_frames: the latter without the former, a message of several frames.
    peer: the dialect of the other side where that is another; or a `Script` for a dialect that has no other side.
    hears: data that the peer says, with the name and the body that it is heard as.
    user, fields: who speaks on our side, and further attributes of the actor, for a login.
    """

    dialect: Dialect
    samples: Sequence[tuple[str, Any]]
    asks: tuple[str, Any] | None = None
    answer: Any = None
    interim: Sequence[Any] = ()
    refusal: tuple[int | str, str] = (404, "not found")
    can_refuse: bool = True
    both_ask: bool = True
    is_stream: bool = False
    spans_frames: bool = False
    peer: Dialect | Script | None = None
    hears: Sequence[tuple[Data, str, Any]] = ()
    user: Mapping[str, Any] | None = None
    fields: Mapping[str, Any] = {}

    @property
    def has_codec_of_peer(self) -> bool:
        """Whether the other side hears and says messages, too."""
        return not isinstance(self.peer, Script)

    @property
    def asks_nothing(self) -> bool:
        return self.asks is None

    @property
    def cancels(self) -> bool:
        """Whether the dialect tells a peer what was given up."""
        return type(self.ours()).cancel is not Codec.cancel

    def ours(self) -> Codec:
        """A codec of our side, for one connection."""
        return self.dialect.codec(self._meeting("client"))

    def theirs(self) -> Codec:
        """A codec of the other side, for one connection."""
        if isinstance(self.peer, Script):
            return _Scripted(self.peer)
        return (self.peer if self.peer is not None else self.dialect).codec(self._meeting("server"))

    def _meeting(self, side: Side) -> Meeting:
        user = User(**self.user) if self.user is not None and side == "client" else None
        return Meeting(side, fields=self.fields if side == "client" else {}, user=user)


class _Scripted(Codec):
    """A peer that hears no messages, and says what its script says."""

    def __init__(self, script: Script) -> None:
        self._react = deepcopy(script.react)
        self._greeting = script.greeting
        self._owed: list[Data] = []

    def decode(self, data: Data) -> Sequence[Message]:
        self._owed += self._react(data)
        return ()

    def encode(self, name: str, body: Any) -> Message:
        raise DialectError(f"{name} cannot be said: the other side speaks by its script")

    def opening(self) -> Sequence[Data]:
        return self._greeting

    def owed(self) -> Sequence[Data]:
        owed, self._owed = self._owed, []
        return owed


class Pair:
    """Two codecs back to back, their opening done. `heard_back` is what our side has heard while it spoke."""

    def __init__(self, speech: Speech) -> None:
        self.ours = speech.ours()
        self.theirs = speech.theirs()
        self.heard_back: list[Message] = []
        to_ours, to_theirs = data_owed(self.theirs.opening()), data_owed(self.ours.opening())
        for _ in range(_MOST_TURNS):
            if not to_ours and not to_theirs:
                return
            to_ours, to_theirs = feed(self.theirs, to_theirs)[1], feed(self.ours, to_ours)[1]
        raise AssertionError(f"the opening has not ended after {_MOST_TURNS} turns")

    def turned(self) -> Pair:
        """The same two, seen from the other side."""
        # Not by way of `__init__`, which would open a second connection.
        turned = object.__new__(Pair)
        turned.ours, turned.theirs, turned.heard_back = self.theirs, self.ours, []
        return turned

    def carry(self, said: Sequence[Data]) -> list[Message]:
        """What the other side hears of this; what the protocol owes after it goes to and fro."""
        heard, owed = feed(self.theirs, said)
        for _ in range(_MOST_TURNS):
            if not owed:
                return heard
            back, owed = feed(self.ours, owed)
            self.heard_back += back
            owed = feed(self.theirs, owed)[1]
        raise AssertionError(f"after {_MOST_TURNS} turns the two sides still owe each other data")

    def tell(self, name: str, body: Any) -> list[Message]:
        """What the other side hears when we say this."""
        return self.carry(data_of(self.ours.encode(name, body)))


def feed(codec: Codec, said: Sequence[Data]) -> tuple[list[Message], list[Data]]:
    """What a codec hears of the data, and what it owes for it."""
    heard: list[Message] = []
    owed: list[Data] = []
    for data in said:
        try:
            # What a protocol says by itself reaches no mailbox, so no check may ask for it.
            heard += [message for message in codec.decode(data) if not message.is_protocol]
        except DialectError as error:
            raise AssertionError(
                f"{shorten(data)} was said in the dialect itself, and not understood: {error}"
            ) from error
        owed += data_owed(codec.owed())
    return heard, owed


def data_of(message: Message) -> Sequence[Data]:
    """What goes over the wire of a message."""
    return message.frames if message.frames is not None else (message.raw,)


def data_owed(owed: Iterable[Data | Message]) -> list[Data]:
    """What goes over the wire of what a protocol owes."""
    return [data for each in owed for data in (data_of(each) if isinstance(each, Message) else (each,))]


def as_bytes(data: Data) -> bytes:
    """The data as bytes; an AssertionError if no wire can carry it."""
    require(isinstance(data, (str, bytes)), f"data is str or bytes, not {type(data).__name__}")
    try:
        return data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as error:
        raise AssertionError(f"{data!r} cannot go over a wire as text: {error}") from error


def require(is_so: bool, text: str) -> None:
    """Raise AssertionError unless it is so."""
    if not is_so:
        raise AssertionError(text)


_MOST_TURNS: Final = 100
