"""Streams of gRPC, as a server: `grpc://HOST:PORT`, or `…/package.Service/Method` for that method only."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from antiphon.errors import TransportError
from antiphon.transport.grpc.address import FORM, let_go, library, read_address
from antiphon.transport.grpc.client import MOST_BYTES
from antiphon.transport.grpc.incoming import IncomingStream
from antiphon.transport.grpc.metadata import as_headers, as_metadata
from antiphon.transport.grpc.pem import server_credentials
from antiphon.transport.interface import Accept, Opening, Peer, RejectConnection
from antiphon.transport.tls import Tls

__all__ = ["GrpcListener"]

CLOSE_WITHIN_S: Final = 1.0
_UNBOUNDED_S: Final = 3600.0

_REFUSALS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Of HTTP's statuses, as google/rpc/code.proto has them beside its own; others are UNKNOWN."""


class GrpcListener:
    """Listens; port 0 takes a free one. Each stream of any method that it is for is a connection.

    Who is refused gets the status that belongs to the HTTP one, the body as its details, the headers as trailers.
    Raises ScenarioError where grpcio is missing.
    """

    def __init__(self) -> None:
        self._grpc = library()

    async def listen(
        self,
        address: str,
        accept: Accept,
        *,
        tls: Tls | None = None,
        max_size_bytes: int = MOST_BYTES,
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> GrpcListening:
        """Listen, with `tls` at `grpcs://`. Raises TransportError if nobody can listen there.

        `max_size_bytes` is of a message that is received; `close_within_s` is how long what was said has for leaving
        after our goodbye, while none of it does.
        """
        try:
            where, method = read_address(address)
        except ValueError as error:
            raise TransportError(f"cannot listen: {error}", place=address, hint=FORM) from error
        if (where.scheme == "grpcs") != (tls is not None):
            text = "a grpcs:// address needs tls=" if tls is None else "tls= is given, but the address says grpc://"
            raise TransportError(text, place=address, hint="tls=Tls(certificate=…, key=…)")
        limits = (("grpc.max_receive_message_length", max_size_bytes), ("grpc.max_send_message_length", -1))
        server = self._grpc.aio.server(options=[*limits, ("grpc.so_reuseport", 0)])
        streams = _Streams(accept, method, close_within_s)
        server.add_generic_rpc_handlers((streams,))
        try:
            credentials = server_credentials(tls) if tls is not None else None
            port = server.add_secure_port(where.at, credentials) if credentials else server.add_insecure_port(where.at)
            await server.start()
        except RuntimeError as error:
            await server.stop(None)
            text = f"cannot listen: port {where.port} is taken, or {where.host} is no address of this machine"
            raise TransportError(text, place=address, hint="port 0 takes a free port") from error
        return GrpcListening(server, streams, f"{msgspec.structs.replace(where.reachable, port=port)}{method}")


class GrpcListening:
    """A listening server."""

    def __init__(self, server: Any, streams: _Streams, address: str) -> None:
        self.address = address
        self._server = server
        self._streams = streams

    async def close(self) -> None:
        """Stop listening, and end every stream with the status OK, behind what was said on it."""
        stopping = asyncio.ensure_future(self._server.stop(_UNBOUNDED_S))  # lets nobody in from now on
        streams = tuple(self._streams.open)
        for stream in streams:
            stream.close()
        for stream in streams:
            await stream.ended.wait()  # by itself, and not before what was said on it has left
        await let_go(self._server.stop(None))
        await stopping


class _Streams:
    """Who may come in, and who is in: what gRPC calls a generic handler."""

    def __init__(self, accept: Accept, method: str, close_within_s: float) -> None:
        self.open: set[IncomingStream] = set()
        self._accept = accept
        self._method = method
        self._close_within_s = close_within_s

    def service(self, details: Any) -> Any:
        """How a call is answered; None for UNIMPLEMENTED."""
        if self._method and details.method != self._method:
            return None

        async def play(_messages: Any, context: Any) -> None:
            opening = Opening(
                headers=as_headers(details.invocation_metadata), path=details.method, peer=_peer_of(context)
            )
            grpc = library()
            try:
                receiver = self._accept(opening)
            except RejectConnection as refused:
                status = grpc.StatusCode[_REFUSALS.get(refused.status, "UNKNOWN")]
                await context.abort(status, refused.body, as_metadata(refused.headers))
            except Exception as error:
                text = "the accept function of a gRPC listener failed"
                asyncio.get_running_loop().call_exception_handler({"message": text, "exception": error})
                await context.abort(grpc.StatusCode.INTERNAL)
            await context.send_initial_metadata(())
            stream = IncomingStream(receiver, context, self._close_within_s)
            self.open.add(stream)
            try:
                await stream.play()
            finally:
                self.open.discard(stream)

        return library().stream_stream_rpc_method_handler(play)


def _peer_of(context: Any) -> Peer:
    """`ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000`, and whom the certificate is for, as far as gRPC tells."""
    address = unquote(context.peer().partition(":")[2])
    shown = {name: [each.decode() for each in values] for name, values in context.auth_context().items()}
    if "x509_pem_cert" not in shown:
        return Peer(address)
    certificate = {
        "subject": tuple((("commonName", name),) for name in shown.get("x509_common_name", ())),
        "subjectAltName": tuple(("DNS", name) for name in shown.get("x509_subject_alternative_name", ())),
    }
    return Peer(address, certificate, "h2")
