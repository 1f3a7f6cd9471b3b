"""Which transport a channel connects with, and what it borrows of its actor's other channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from antiphon.actor.http_channel import HttpChannel
from antiphon.actor.registered import registered, scheme_of
from antiphon.actor.secured import TlsChoice
from antiphon.errors import ScenarioError
from antiphon.stand.stand import Stand
from antiphon.transport.http_stream import HttpSession
from antiphon.transport.interface import Connection, Opening, Receiver, Transport

__all__ = ["ChosenTransport"]


class ChosenTransport:
    """Of one channel: the stand's for the address's scheme, the declared one, or the registered one.

    `fields` gives the attributes of its actor. A transport that has `for_channel` is asked once for one of the
    channel's own, which may keep something from one connection to the next.
    """

    def __init__(
        self,
        stand: Stand,
        declared: Transport | None,
        tls: TlsChoice | None,
        fields: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._stand = stand
        self._declared = declared
        self._tls = tls
        self._fields = fields
        self._own: tuple[str, Transport] | None = None

    @property
    def retry_s(self) -> float | None:
        """How long the peer has asked to be left alone before the next connect; None if it has not."""
        asked_s: float | None = getattr(self._own[1], "retry_s", None) if self._own is not None else None
        return asked_s

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> Connection:
        """See `antiphon.transport.interface.Transport`."""
        transport: Transport
        # Only now: the address may hold what the actor has learnt, and a test's stand may put a wire in its place.
        scheme = scheme_of(address)
        if self._own is not None and self._own[0] == scheme:
            transport = self._own[1]
        else:
            chosen = self._stand.transports.get(scheme)
            if isinstance(chosen, Mapping):
                transport = self._declared or registered("transport", address, chosen, self._stand.source)
            else:
                transport = chosen or self._declared or registered("transport", address)
            if hasattr(transport, "for_channel"):
                transport = transport.for_channel(self._session)
                self._own = scheme, transport
        if self._tls is not None:
            opening = msgspec.structs.replace(opening, tls=self._tls(address))
        return await transport.connect(address, opening, receiver)

    def _session(self, name: str) -> HttpSession:
        """The session of the actor's `Http` channel of that name."""
        channels = self._fields().get("_channels", {})
        channel = channels.get(name)
        if isinstance(channel, HttpChannel):
            return channel.session
        known = ", ".join(name for name, each in channels.items() if isinstance(each, HttpChannel)) or "none"
        text = f"a stream borrows the session of {name!r}, which is no Http channel of its actor"
        raise ScenarioError(text, hint=f"its Http channels are: {known}")
