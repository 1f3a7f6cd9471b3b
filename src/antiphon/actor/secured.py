"""Which TLS settings a channel's address gets: the channel's own, or what the stand has for that host."""

from __future__ import annotations

import ssl
from typing import Final

from antiphon.actor.registered import scheme_of
from antiphon.runtime.runtime import Runtime
from antiphon.stand.stand import Stand
from antiphon.transport.tls import Tls

__all__ = ["TlsChoice"]

PLAIN: Final = frozenset({"grpc", "http", "memory", "tcp", "unix", "ws", "ws+unix"})
"""The schemes of ours without TLS; of others nobody here knows."""


class TlsChoice:
    """For one channel of an actor. What its class says comes before the stand's."""

    def __init__(self, runtime: Runtime, stand: Stand, declared: Tls | ssl.SSLContext | None, channel: str) -> None:
        self._runtime = runtime
        self._stand = stand
        self._declared = declared
        self._channel = channel

    @classmethod
    def of(
        cls, runtime: Runtime, stand: Stand, declared: Tls | ssl.SSLContext | None, actor: str, channel: str
    ) -> TlsChoice | None:
        """The choice of a channel; None, as nearly always, where nobody has said anything."""
        if declared is None and stand.tls.is_empty:
            return None
        return cls(runtime, stand, declared, f"{actor}.{channel}")

    def __call__(self, address: str) -> Tls | ssl.SSLContext | None:
        """The settings for an address, if it has TLS; that they trust anybody goes into the run's record, once."""
        tls = self._declared if self._declared is not None else self._stand.tls_for(address)
        if isinstance(tls, Tls) and not tls.verify and scheme_of(address) not in PLAIN:
            self._runtime.note_once(f"{self._channel} verifies no certificate: tls says verify=False")
        return tls
