"""Streams of gRPC, as a client: `grpc://HOST:PORT/package.Service/Method`, and `grpcs://` with TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.conversation.wording import one_line
from antiphon.errors import ConnectFailed, OpeningRefused
from antiphon.transport.grpc.address import FORM, STATUSES, let_go, library, read_address, why_unreachable
from antiphon.transport.grpc.connection import GrpcConnection
from antiphon.transport.grpc.metadata import as_headers, as_metadata
from antiphon.transport.grpc.pem import channel_credentials
from antiphon.transport.interface import Opening, Receiver
from antiphon.transport.stream.host_port import HostPort
from antiphon.transport.timeouts import timeout
from antiphon.transport.tls import Tls

__all__ = ["MOST_BYTES", "GrpcTransport"]

CLOSE_WITHIN_S: Final = 1.0
REFUSES_WITHIN_S: Final = 0.2
_SAME_FRAME_S: Final = 0.01
LONGEST_DETAILS: Final = 1_000
MOST_BYTES: Final = 16 * 1024 * 1024


class GrpcTransport:
    """Opens a stream that flows both ways; each has a connection of its own, and each send is a message.

    refuses_within_s: a server that has sent no headers by then takes us, for many send none before their first message.
    max_size_bytes: of a message that is received.
    close_within_s: how long the server has for its status after our goodbye, while nothing flows.
    tls: where the opening has none. options: of the channel, as gRPC knows them ("grpc.keepalive_time_ms").

    Headers are metadata. A status other than OK before any headers refuses the opening (`OpeningRefused`), with the
    status's number as its code and the server's own words. Later it is the ending's code, with its reason.
    Raises ScenarioError where grpcio is missing.
    """

    def __init__(
        self,
        *,
        refuses_within_s: float = REFUSES_WITHIN_S,
        max_size_bytes: int = MOST_BYTES,
        close_within_s: float = CLOSE_WITHIN_S,
        tls: Tls | ssl.SSLContext | None = None,
        options: Mapping[str, str | int] | None = None,
    ) -> None:
        self._grpc = library()
        self._refuses_within_s = refuses_within_s
        self._close_within_s = close_within_s
        self._tls = tls
        self._options = {
            "grpc.max_receive_message_length": max_size_bytes,
            "grpc.max_send_message_length": -1,
            "grpc.use_local_subchannel_pool": 1,  # or several streams would share a connection, and what it holds
            "grpc.enable_http_proxy": 0,  # it would go to this machine's own addresses by one, too
            **(options or {}),
        }

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> GrpcConnection:
        """Connect, and open the stream. Raises ConnectFailed, or OpeningRefused for a server that does not take us."""
        try:
            where, method = read_address(address)
            if not method:
                raise ValueError("the service and its method are missing")
            metadata = as_metadata(opening.headers)
        except ValueError as error:
            raise ConnectFailed(f"cannot connect: {error}", place=address, hint=FORM) from error
        if opening.subprotocols:
            raise ConnectFailed("a stream of gRPC has no subprotocols", place=address, hint="leave them out")
        channel = self._channel(where, opening)
        try:
            async with timeout(opening.within_s):
                call = channel.stream_stream(method)(metadata=metadata)
                headers = asyncio.ensure_future(call.initial_metadata())
                await self._until_taken(call, headers)
                if call.done() and (code := await call.code()) != self._grpc.StatusCode.OK:
                    known = self._grpc.ChannelConnectivity
                    is_there = channel.get_state() not in (known.CONNECTING, known.TRANSIENT_FAILURE)
                    raise await _refusal(call, code, address, is_there)
        except BaseException as error:
            await let_go(channel.close())
            if isinstance(error, TimeoutError):
                text = f"no connection within {opening.within_s:g} s"
                raise ConnectFailed(text, place=address, hint="does somebody speak gRPC there?") from error
            raise
        connection = GrpcConnection(receiver, channel, call, headers, self._close_within_s)
        connection.open()
        return connection

    def _channel(self, where: HostPort, opening: Opening) -> Any:
        aio, options = self._grpc.aio, dict(self._options)
        if where.scheme == "grpc":
            return aio.insecure_channel(where.at, options=list(options.items()))
        tls = opening.tls if opening.tls is not None else self._tls
        if isinstance(tls, Tls) and tls.server_name:
            options["grpc.ssl_target_name_override"] = tls.server_name
        return aio.secure_channel(where.at, channel_credentials(tls), options=list(options.items()))

    async def _until_taken(self, call: Any, headers: asyncio.Future[Any]) -> None:
        """Wait for a connection, and then for the server's headers or status; or until its silence is consent."""
        with suppress(self._grpc.RpcError):  # which the status tells, too
            await call.wait_for_connection()
        with suppress(TimeoutError):
            async with timeout(self._refuses_within_s):
                if await asyncio.shield(headers):
                    return
        if headers.done():  # there was nothing in them: a refusal's status comes in the same frame
            with suppress(TimeoutError):
                async with timeout(_SAME_FRAME_S):
                    await call.code()


async def _refusal(call: Any, code: Any, address: str, is_there: bool) -> ConnectFailed:
    number, said = code.value[0], await call.details() or ""
    if is_there:
        text = f"the stream was refused: {STATUSES[number]}{f': {one_line(said, LONGEST_DETAILS)}' if said else ''}"
        trailers = Message("trailers", as_headers(await call.trailing_metadata()), said)
        return OpeningRefused(number, text, trailers, place=address)
    text, hint = why_unreachable(one_line(said, LONGEST_DETAILS))
    return ConnectFailed(text, place=address, hint=hint)
