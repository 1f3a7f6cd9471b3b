"""The WebSocket transport: how an actor connects as a client (RFC 6455, on picows)."""

from __future__ import annotations

import asyncio
import copy
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from antiphon.conversation.headers import combine
from antiphon.conversation.wording import cut_middle
from antiphon.errors import ConnectFailed, ScenarioError, UpgradeRefused
from antiphon.transport import http1_head as heads
from antiphon.transport.connect_failure import Destination, ProxyFailed
from antiphon.transport.interface import Opening, Receiver
from antiphon.transport.proxy import Proxy, ProxyChoice
from antiphon.transport.proxy_dialing import connect_through
from antiphon.transport.timeouts import timeout
from antiphon.transport.tls import PLAIN, ClientTls, Tls, client_tls
from antiphon.transport.unix_socket import words_of_unix
from antiphon.transport.websocket.address import WebSocketAddress
from antiphon.transport.websocket.client_handshake import ClientHandshake, UpgradeRequest
from antiphon.transport.websocket.connection import WebSocketConnection
from antiphon.transport.websocket.deflate import OFFER, Terms
from antiphon.transport.websocket.keepalive import DEFAULT_WITHIN_S, Pings
from antiphon.transport.websocket.redirects import MOST_REDIRECTS, basic, redirected

__all__ = ["DEFAULT_MAX_SIZE_BYTES", "WebSocketTransport"]

DEFAULT_MAX_SIZE_BYTES: Final = 16 * 1024 * 1024

# Whoever sets one of these asks for something else than a WebSocket connection (RFC 6455 section 4.1).
_OURS: Final = frozenset(
    {"connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-accept"}
)


class WebSocketTransport:
    """Connects to `ws://` and `wss://` addresses; `http://` and `https://` mean the same, and `ws+unix:///path.sock:/path`
    is WebSocket over a Unix socket.

    `tls` is for `wss://`, where the opening has none; None trusts the system's certificates. `proxy` is the way there
    (see `ProxyChoice`): True for the environment's, None for none. `compression=True` offers
    permessage-deflate. `max_size_bytes` bounds a received message, inflated. `close_within_s` is how long the peer's
    half of the closing handshake may take.

    A user and password in the address go into an Authorization header. Redirects are refusals (UpgradeRefused, status
    30x), unless `follows_redirects` says that they are followed, and how often (True: 10 times); no credentials ever
    reach a host that was not named (see `redirects`). `requires_subprotocol=True` takes no server that chooses none of
    those that are offered. Pings are answered, unless
    `answers_pings=False` says otherwise, and sent every `ping_every_s` seconds if that is given; then a connection ends
    whose pong does not come within `ping_within_s`. `shows_pings=True` shows them, and their pongs, to a receiver that
    has `on_protocol`.
    """

    def __init__(
        self,
        *,
        tls: Tls | ssl.SSLContext | None = None,
        proxy: Proxy | str | Literal[True] | None = True,
        compression: bool = False,
        max_size_bytes: int = DEFAULT_MAX_SIZE_BYTES,
        close_within_s: float = 1.0,
        shows_pings: bool = False,
        answers_pings: bool = True,
        ping_every_s: float | None = None,
        ping_within_s: float = DEFAULT_WITHIN_S,
        requires_subprotocol: bool = False,
        follows_redirects: bool | int = False,
    ) -> None:
        self._tls = tls
        self._proxy = ProxyChoice(proxy)
        self._compression = compression
        self._max_size_bytes = max_size_bytes
        self._close_within_s = close_within_s
        self._pings = Pings(ping_every_s, ping_within_s, answers_pings, shows_pings)
        self._requires_subprotocol = requires_subprotocol
        if not isinstance(follows_redirects, int) or follows_redirects < 0:
            raise ScenarioError(f"follows_redirects is {follows_redirects!r}", hint="True, or how often at most")
        most = MOST_REDIRECTS if follows_redirects is True else int(follows_redirects)
        self._redirects_left = most + 1 if most else 0  # the last one is not followed
        # Of an actor's class: mostly all its connections lead to the same place.
        self._last: tuple[str, WebSocketAddress] | None = None

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> WebSocketConnection:
        """Connect; `opening.within_s` bounds the name's resolution, TCP, TLS and the upgrade together.

        Raises ConnectFailed, or UpgradeRefused if the server answers with anything but 101.
        """
        return await self._connect(address, opening, receiver, timeout(opening.within_s))

    async def _connect(self, address: str, opening: Opening, receiver: Receiver, limit: timeout) -> WebSocketConnection:
        """Connect in the time of the limit, which may be what redirects have left of the opening's."""
        try:
            where = self._where(address)
            request = self._request(where, opening)
            tls = client_tls(opening.tls, self._tls) if where.is_secure else PLAIN
            proxy = None if where.socket else self._proxy.of(where.host, where.port, is_secure=where.is_secure)
        except ValueError as error:
            raise ConnectFailed(f"cannot connect: {error}", place=_shown(address)) from error
        # A host may have several addresses, and each attempt has a protocol of its own: none may be left open.
        upgrades: list[ClientHandshake] = []

        def connected(subprotocol: str, terms: Terms | None) -> WebSocketConnection:
            return WebSocketConnection(
                receiver,
                subprotocol=subprotocol,
                terms=terms,
                max_size_bytes=self._max_size_bytes,
                close_within_s=self._close_within_s,
                pings=self._pings,
            )

        def begin() -> ClientHandshake:
            upgrades.append(ClientHandshake(request, connected, self._max_size_bytes))
            return upgrades[-1]

        try:
            async with limit:
                if where.socket:
                    _, upgrade = await asyncio.get_running_loop().create_unix_connection(
                        begin, where.socket, ssl=tls.context, server_hostname=_name_of(where, tls)
                    )
                elif proxy is None:
                    _, upgrade = await asyncio.get_running_loop().create_connection(
                        begin, where.host, where.port, ssl=tls.context, server_hostname=tls.server_name
                    )
                else:
                    _, upgrade = await connect_through(proxy, begin, where.host, where.port, tls)
                upgrade.ask()
                return await upgrade.outcome
        except BaseException as error:  # a cancelled connect leaves nothing open either
            for upgrade in upgrades:
                upgrade.abandon()
            if isinstance(error, UpgradeRefused) and self._redirects_left:
                return await self._follow(error, where, opening, receiver, limit.left_s)
            if isinstance(error, (OSError, ValueError)):
                raise _explain(error, where, opening.within_s, upgrades, proxy) from error
            raise

    async def _follow(
        self, refused: UpgradeRefused, where: WebSocketAddress, opening: Opening, receiver: Receiver, left_s: float
    ) -> WebSocketConnection:
        """Connect where the refusal sends us, in what is left of the time."""
        if opening.tls is None:
            opening = msgspec.structs.replace(opening, tls=self._tls)
        further = redirected(refused, where, opening)
        if further is None:
            raise refused
        address, opening = further
        if self._redirects_left == 1:
            text = "the server redirects us without an end"
            raise ConnectFailed(text, place=where.shown, hint="is that the right address?") from refused
        follower = copy.copy(self)
        follower._last = None
        follower._redirects_left -= 1
        return await follower._connect(address, opening, receiver, timeout(left_s))

    def _where(self, address: str) -> WebSocketAddress:
        last = self._last
        if last is None or last[0] != address:
            last = self._last = (address, WebSocketAddress.parse(address))
        return last[1]

    def _request(self, where: WebSocketAddress, opening: Opening) -> UpgradeRequest:
        if where.port == 0:
            raise ValueError("port 0 is for listening")
        heads.check_headers(opening.headers.items())
        headers = list(combine(opening.headers.items()).items())
        names = {name.lower() for name in opening.headers}
        if taken := sorted(names & _OURS):
            raise ValueError(f"the header {taken[0]} is the handshake's own")
        if "sec-websocket-extensions" in names:
            raise ValueError("the header sec-websocket-extensions is ours: compression=True asks for compression")
        # What the address says of a user is for this header and never goes into the request line (RFC 9110, 4.2.4).
        if where.credentials and "authorization" not in names:
            headers.append(("Authorization", basic(where.credentials)))
        subprotocols = _subprotocols(opening, names)
        if self._requires_subprotocol and not subprotocols:
            raise ValueError("requires_subprotocol=True, and no subprotocols to offer")
        if subprotocols:
            # One line for both, those of the channel and those that stand in a header (section 4.1, number 10).
            headers = [(name, value) for name, value in headers if name.lower() != "sec-websocket-protocol"]
            headers.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
        if self._compression:
            headers.append(("Sec-WebSocket-Extensions", OFFER))
        return UpgradeRequest(
            where=where,
            headers=headers,
            subprotocols=subprotocols,
            offers_compression=self._compression,
            requires_subprotocol=self._requires_subprotocol,
        )


def _subprotocols(opening: Opening, names: set[str]) -> Sequence[str]:
    """The subprotocols to offer, also those which stand in a header."""
    subprotocols = list(opening.subprotocols)
    if "sec-websocket-protocol" in names:
        subprotocols += heads.tokens(combine(opening.headers.items()), "Sec-WebSocket-Protocol")
    for name in subprotocols:
        if not heads.is_token(name):
            raise ValueError(f"{name!r} is no name for a subprotocol")
    # All of them must be unique (section 4.1, number 10); a server might count the same one twice.
    if len(set(subprotocols)) != len(subprotocols):
        raise ValueError("a subprotocol is offered twice")
    return subprotocols


_MOST_SHOWN: Final = 200


def _shown(address: str) -> str:
    """An address that could not be parsed, without what may be a password."""
    scheme, separator, rest = address.partition("://")
    return cut_middle(f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}", _MOST_SHOWN)


def _name_of(where: WebSocketAddress, tls: ClientTls) -> str | None:
    """Whom the certificate behind a Unix socket must be for: there is no host that would be it by itself."""
    return (tls.server_name or where.host) if tls.context is not None else None


def _explain(
    error: OSError | ValueError,
    where: WebSocketAddress,
    within_s: float,
    upgrades: Sequence[ClientHandshake],
    proxy: Proxy | None,
) -> ConnectFailed:
    """What a failure below WebSocket means, in words."""
    # A stream means that TCP and TLS are there, so that what failed is the upgrade.
    stage = "upgrade" if any(upgrade.stream is not None for upgrade in upgrades) else "connect"
    text, hint = _words(error, where, within_s, stage)
    if where.socket and stage == "connect" and not isinstance(error, (TimeoutError, ssl.SSLError)):
        text, hint = words_of_unix(error, Path(where.socket))
    if proxy is not None and not isinstance(error, ProxyFailed):
        text = f"{text} (through the proxy {proxy.shown})"
    for upgrade in upgrades:
        # A refusal whose body did not come in time is still the reason, whatever happened after it.
        if refusal := upgrade.refusal():
            return refusal
    return ConnectFailed(text, place=where.shown, hint=hint)


def _words(error: OSError | ValueError, where: WebSocketAddress, within_s: float, stage: str) -> tuple[str, str | None]:
    if isinstance(error, TimeoutError):
        what = "no connection to" if stage == "connect" else "no answer to the upgrade from"
        text = f"{what} {where.host}:{where.port} within {within_s:g} s"
        return text, "is it reachable, and is it a WebSocket server?"
    secure = "wss" if where.is_secure else ""
    return Destination(where.host, where.port, secure, "ws", "WebSocket").words(error)
