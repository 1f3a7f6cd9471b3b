"""What stands in an actor's class for each of its channels: where it leads and how it speaks there."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Generic, Literal, Self, TypeVar, overload

from antiphon.actor.backoff import Backoff
from antiphon.actor.channel import DEFAULT_MAX_UNSENT_BYTES, Channel
from antiphon.actor.chosen_transport import ChosenTransport
from antiphon.actor.handlers import Handlers
from antiphon.actor.http_channel import HttpChannel
from antiphon.actor.party import Party
from antiphon.actor.reopening import ReopeningChannel
from antiphon.actor.secured import TlsChoice
from antiphon.conversation.mailbox import DEFAULT_LIMIT_BYTES
from antiphon.conversation.vocabulary import Types, Vocabulary
from antiphon.dialect.codec import Dialect, namer_of
from antiphon.dialect.framing import Framing
from antiphon.dialect.json import Json
from antiphon.errors import ScenarioError
from antiphon.runtime.runtime import Runtime
from antiphon.stand.stand import Stand
from antiphon.transport.http_client import DEFAULT_MAX_SIZE_BYTES, HttpClient
from antiphon.transport.interface import Transport
from antiphon.transport.proxy import Proxy, ProxyChoice
from antiphon.transport.tls import Tls
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.keepalive import DEFAULT_WITHIN_S

__all__ = ["Accepted", "Declaration", "Http", "Link", "WebSocket"]

MOST_REMEMBERED: Final = 64
"""A client's channel remembers so many received messages for explanations, in a run that keeps little of its journal
fewer."""

_ENTRIES_A_MESSAGE: Final = 8
"""A message that is awaited in a step stands among so many entries of the journal."""

C = TypeVar("C", Channel, HttpChannel)


class Declaration(Generic[C]):
    """A channel of an actor, declared in its class: there it is this, on an instance it is the live channel."""

    name = ""
    owner: type = object
    """The class that it is declared in."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.owner = owner

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> C: ...
    def __get__(self, instance: object | None, owner: type) -> Self | C:
        if instance is None:
            return self
        # By the dict, since an actor that was never attached has no such attribute, and says so in its own words.
        channels: dict[str, C] | None = instance.__dict__.get("_channels")
        if channels is None:
            raise ScenarioError(
                f"{owner.__name__}.{self.name} is not connected: this {owner.__name__} is in no scenario",
                hint="actors are connected while play() or perform() performs a scenario that has them as parameters",
            )
        return channels[self.name]

    def make(self, runtime: Runtime, actor: str, handlers: Handlers, stand: Stand, party: Party) -> C:
        """The live channel of one actor; `party` is the actor as the channel knows it."""
        raise NotImplementedError


class Link(Declaration[Channel]):
    """A channel over any transport, speaking any dialect.

    address: with `{name}` for an address of the stand or an attribute of the actor, as "{centre}/desk?seat={seat}".
    dialect: how messages are encoded, named and correlated there.
    headers, subprotocols: what it is opened with; both may be changed on the live channel before it opens.
    transport: None for the one that is registered for the address's scheme (entry points "antiphon.transports").
    tls: `Tls(…)`, or an ssl.SSLContext, for an address with TLS; None for what the stand has for its host, or else the
    system's certificates.
    framing: where messages begin and end on a wire without frames (see `antiphon.dialect.framing`).
    types: the types of bodies by the names of their messages, or a function that gives a type's name, where that is
        not its own (see `antiphon.conversation.vocabulary`).
    within_s: the deadline of waits that give none; None for the stand's, or 10.
    open_within_s: how long opening may take.
    opens: "arriving" to be opened when the actor arrives, "manually" to be opened by `await actor.channel.open()`.
    ignored: names of messages, or their types, that need not be expected in strict mode.
    mailbox_limit, mailbox_bytes: how many messages nobody has taken are kept, and how much raw data of theirs.
    when_full: "drop" the oldest, or "pause" the reading while the mailbox is full and nobody waits.
    max_unsent_bytes: how much the peer may leave unread before a `send` fails with SendBufferFull.
    allow_half_open: when the peer says that it says no more, stay open for what we have still to say; otherwise that is
        its goodbye.
    reopens: a `Backoff`, to be opened again by itself when its connection has ended, and have waits go on meanwhile;
        None to stay closed.
    """

    def __init__(
        self,
        address: str,
        *,
        dialect: Dialect,
        framing: Framing | None = None,
        types: Types | None = None,
        transport: Transport | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        tls: Tls | ssl.SSLContext | None = None,
        within_s: float | None = None,
        open_within_s: float = 10.0,
        opens: str = "arriving",
        ignored: Sequence[str | type] = (),
        mailbox_limit: int = 10_000,
        mailbox_bytes: int = DEFAULT_LIMIT_BYTES,
        when_full: Literal["drop", "pause"] = "drop",
        max_unsent_bytes: int = DEFAULT_MAX_UNSENT_BYTES,
        allow_half_open: bool = False,
        reopens: Backoff | None = None,
    ) -> None:
        if reopens is not None and not isinstance(reopens, Backoff):
            raise ScenarioError(f"reopens={reopens!r} is no Backoff", hint="reopens=Backoff(first_s=0.5, attempts=10)")
        if reopens is not None and allow_half_open:
            text = "a channel that reopens cannot allow_half_open: of what the other side says no more, another one may"
            raise ScenarioError(text, hint="give one of them")
        if opens not in ("arriving", "manually"):
            raise ScenarioError(f'opens={opens!r} is neither "arriving" nor "manually"')
        if when_full not in ("drop", "pause"):
            raise ScenarioError(f'when_full={when_full!r} is neither "drop" nor "pause"')
        self.address = address
        self.dialect = dialect
        self.framing = framing
        self.vocabulary = Vocabulary(types, namer_of(dialect))
        self.transport = transport
        self.headers = dict(headers or {})
        self.subprotocols = tuple(subprotocols)
        self.tls = tls
        self.within_s = within_s
        self.open_within_s = open_within_s
        self.opens = opens
        self.ignored = tuple(map(self.vocabulary.names, ignored))
        self.mailbox_limit = mailbox_limit
        self.mailbox_bytes = mailbox_bytes
        self.when_full = when_full
        self.max_unsent_bytes = max_unsent_bytes
        self.allow_half_open = allow_half_open
        self._kind: Callable[..., Channel] = Channel if reopens is None else partial(ReopeningChannel, backoff=reopens)

    def make(self, runtime: Runtime, actor: str, handlers: Handlers, stand: Stand, party: Party) -> Channel:
        def address() -> str:
            return stand.resolve(self.address, party.fields())

        return self._kind(
            runtime,
            self.name,
            actor=actor,
            dialect=self.dialect,
            framing=self.framing,
            vocabulary=self.vocabulary,
            transport=ChosenTransport(
                stand, self.transport, TlsChoice.of(runtime, stand, self.tls, actor, self.name), party.fields
            ),
            address=address,
            party=party,
            headers=self.headers,
            subprotocols=self.subprotocols,
            within_s=_first(self.within_s, stand.within_s),
            open_within_s=self.open_within_s,
            handlers=handlers,
            ignored=self.ignored,
            mailbox_limit=self.mailbox_limit,
            mailbox_bytes=self.mailbox_bytes,
            when_full=self.when_full,
            max_unsent_bytes=self.max_unsent_bytes,
            allow_half_open=self.allow_half_open,
            history=max(1, min(MOST_REMEMBERED, runtime.journal.keep // _ENTRIES_A_MESSAGE)),
        )


class WebSocket(Link):
    """A channel over WebSocket (RFC 6455).

    address: ws://, wss://, or the http:// or https:// address of the same server; ws+unix:///path.sock:/path,
        wss+unix:// for TLS there.
    requires_subprotocol: a server that chooses none of `subprotocols` is refused.
    follows_redirects: True, or how often; another host gets no credentials. False: a redirect is a refusal.
    proxy: the way there, "http://user:password@host:port" or a `Proxy`; True for what HTTPS_PROXY, HTTP_PROXY,
    ALL_PROXY and NO_PROXY say, None for the direct way. compression: ask for permessage-deflate (RFC 7692).
    max_size_bytes: the largest message that is taken; a larger one ends the connection with 1009.
    shows_pings: put pings and pongs into the journal, as what the protocol says by itself.
    ping_every_s: how often to send a ping; the connection ends if its pong does not come within `ping_within_s`.
    answers_pings: False withholds the pongs that the standard asks for, to see what the peer makes of that.
    The rest as for `Link`.
    """

    def __init__(
        self,
        address: str,
        *,
        dialect: Dialect | None = None,
        types: Types | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        tls: Tls | ssl.SSLContext | None = None,
        proxy: Proxy | str | Literal[True] | None = True,
        compression: bool = False,
        max_size_bytes: int = 16 * 1024 * 1024,
        shows_pings: bool = False,
        answers_pings: bool = True,
        ping_every_s: float | None = None,
        ping_within_s: float = DEFAULT_WITHIN_S,
        requires_subprotocol: bool = False,
        follows_redirects: bool | int = False,
        within_s: float | None = None,
        open_within_s: float = 10.0,
        opens: str = "arriving",
        ignored: Sequence[str | type] = (),
        mailbox_limit: int = 10_000,
        mailbox_bytes: int = DEFAULT_LIMIT_BYTES,
        when_full: Literal["drop", "pause"] = "drop",
        max_unsent_bytes: int = DEFAULT_MAX_UNSENT_BYTES,
        reopens: Backoff | None = None,
    ) -> None:
        super().__init__(
            address,
            dialect=dialect if dialect is not None else Json(),
            types=types,
            transport=WebSocketTransport(
                proxy=proxy,
                compression=compression,
                max_size_bytes=max_size_bytes,
                shows_pings=shows_pings,
                answers_pings=answers_pings,
                ping_every_s=ping_every_s,
                ping_within_s=ping_within_s,
                requires_subprotocol=requires_subprotocol,
                follows_redirects=follows_redirects,
            ),
            headers=headers,
            subprotocols=subprotocols,
            tls=tls,
            within_s=within_s,
            open_within_s=open_within_s,
            opens=opens,
            ignored=ignored,
            mailbox_limit=mailbox_limit,
            mailbox_bytes=mailbox_bytes,
            when_full=when_full,
            max_unsent_bytes=max_unsent_bytes,
            reopens=reopens,
        )


class Accepted(Declaration[Channel]):
    """The server's end of a connection: the channel of an actor that answers (see `antiphon.listen`).

    A server has many of them, and seldom waits: it remembers the last 8 messages for explanations, a client 64.
    """

    opens = "manually"

    def __init__(
        self,
        *,
        dialect: Dialect | None = None,
        framing: Framing | None = None,
        types: Types | None = None,
        within_s: float = 10.0,
        mailbox_limit: int = 10_000,
        mailbox_bytes: int = DEFAULT_LIMIT_BYTES,
        max_unsent_bytes: int = DEFAULT_MAX_UNSENT_BYTES,
        allow_half_open: bool = False,
    ) -> None:
        self.dialect = dialect if dialect is not None else Json()
        self.framing = framing
        self.vocabulary = Vocabulary(types, namer_of(self.dialect))
        self.within_s = within_s
        self.mailbox_limit = mailbox_limit
        self.mailbox_bytes = mailbox_bytes
        self.max_unsent_bytes = max_unsent_bytes
        self.allow_half_open = allow_half_open

    def make(self, runtime: Runtime, actor: str, handlers: Handlers, stand: Stand, party: Party) -> Channel:
        return Channel(
            runtime,
            self.name,
            actor=actor,
            dialect=self.dialect,
            framing=self.framing,
            vocabulary=self.vocabulary,
            party=party,
            within_s=self.within_s,
            handlers=handlers,
            mailbox_limit=self.mailbox_limit,
            mailbox_bytes=self.mailbox_bytes,
            max_unsent_bytes=self.max_unsent_bytes,
            allow_half_open=self.allow_half_open,
            history=8,
        )


class Http(Declaration[HttpChannel]):
    """A way to talk HTTP: `await self.api.post("/login", json={…})`. The address and `tls` are as for `Link`.

    headers: those of every request. within_s: how long an answer may take; None for the stand's, or 10.
    proxy: the way there, as for `WebSocket`.
    max_size_bytes: the largest body of an answer that is taken, decompressed; a larger one is an error.
    """

    def __init__(
        self,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        tls: Tls | ssl.SSLContext | None = None,
        proxy: Proxy | str | Literal[True] | None = True,
        max_size_bytes: int = DEFAULT_MAX_SIZE_BYTES,
        within_s: float | None = None,
    ) -> None:
        self.address = address
        self.headers = dict(headers or {})
        self.tls = tls
        self.proxy = ProxyChoice(proxy)
        self.max_size_bytes = max_size_bytes
        self.within_s = within_s

    def make(self, runtime: Runtime, actor: str, handlers: Handlers, stand: Stand, party: Party) -> HttpChannel:
        def address() -> str:
            return stand.resolve(self.address, party.fields())

        return HttpChannel(
            runtime,
            self.name,
            actor=actor,
            address=address,
            client=HttpClient(
                TlsChoice.of(runtime, stand, self.tls, actor, self.name), self.max_size_bytes, self.proxy
            ),
            headers=self.headers,
            within_s=_first(self.within_s, stand.within_s),
        )


def _first(*values: float | None) -> float:
    """The first that is given, or 10 seconds."""
    return next((value for value in values if value is not None), 10.0)
