"""Streams of gRPC, between our two sides and with servers and clients of grpcio's own, on either loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon import ConnectFailed, Opening, OpeningRefused, RejectConnection, ScenarioError, Tls, TransportError
from antiphon.testing.transport_check import Check
from antiphon.testing.transports import CHECKS, Hearing, Wires, name_of
from antiphon.transport.grpc.address import let_go
from antiphon.transport.grpc.client import GrpcTransport
from antiphon.transport.grpc.listener import GrpcListener

Run = Callable[[Any], Any]
PLAIN = Opening()
Talk = Callable[[Any], Awaitable[None]]


class Listens(Hearing):
    """Remembers what came beside the data, too."""

    def __init__(self, *at_opening: bytes, **options: Any) -> None:
        super().__init__(*at_opening, **options)
        self.asides: list[tuple[str, Any]] = []

    def on_aside(self, name: str, said: str | Mapping[str, str]) -> None:
        self.asides.append((name, said if isinstance(said, str) else dict(said)))


@asynccontextmanager
async def desk(talk: Talk) -> AsyncIterator[str]:
    """A server as its users write it; gives the address of its one method."""

    class Methods(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            async def answer(_said: Any, context: Any) -> None:
                await talk(context)

            return grpc.stream_stream_rpc_method_handler(answer)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Methods(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"grpc://127.0.0.1:{port}/desk.Desk/Talk"
    finally:
        await let_go(server.stop(None))


async def echo(context: Any) -> None:
    while (said := await context.read()) is not grpc.aio.EOF:
        await context.write(said)


@asynccontextmanager
async def pair(
    hearing: Hearing,
    opening: Opening = PLAIN,
    **options: Any,
) -> AsyncIterator[tuple[Hearing, Opening]]:
    """A client of ours at a listener of ours, whose receiver is given; both have ended."""
    openings: list[Opening] = []

    def accept(request: Opening) -> Hearing:
        openings.append(request)
        return hearing

    listening = await GrpcListener().listen("grpc://127.0.0.1:0", accept, **options)
    client = Listens()
    try:
        await GrpcTransport().connect(f"{listening.address}/desk.Desk/Talk", opening, client)
        yield client, openings[0]
        await client.ended()
        await hearing.ended()
    finally:
        await listening.close()


@pytest.mark.parametrize("check", [check for check in CHECKS if "listener" not in check.needs], ids=name_of)
def test_a_client_of_another_server_keeps_the_contract(check: Check, run: Run) -> None:
    lacks = dict.fromkeys(("has_text", "has_codes"), False)
    nowhere = "grpc://127.0.0.1:1/desk.Desk/Talk"
    run(check(Wires(None, GrpcTransport(refuses_within_s=0.01), peer=lambda: desk(echo), nowhere=nowhere, **lacks)))


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "UNAVAILABLE"])
def test_a_status_before_anything_is_a_refusal(run: Run, code: str) -> None:
    async def refuse(context: Any) -> None:
        await context.abort(grpc.StatusCode[code], "not today", (("x-why", "the list"),))

    async def play() -> OpeningRefused:
        async with desk(refuse) as address:
            with pytest.raises(OpeningRefused) as caught:
                await GrpcTransport().connect(address, Opening(), Hearing())
            assert caught.value.place == address
            return caught.value

    refused = run(play())
    assert refused.code == grpc.StatusCode[code].value[0]
    assert refused.text == f"the stream was refused: {code}: not today"
    assert (refused.message.body, refused.message.raw) == ({"x-why": "the list"}, "not today")


def test_a_server_that_waits_for_the_first_message_is_not_waited_for(run: Run) -> None:
    async def play() -> bytes:
        async with desk(echo) as address:
            client = Hearing(b"first")
            connection = await GrpcTransport(refuses_within_s=0.01).connect(address, Opening(), client)
            await client.until(lambda: bool(client.data), "what comes back")
            connection.close()
            await client.ended()
            return client.joined()

    assert run(play()) == b"first"


def test_a_later_status_is_the_ending(run: Run) -> None:
    async def give_up(context: Any) -> None:
        await context.send_initial_metadata((("x-desk", "7"), ("x-raw-bin", b"\xff")))
        await context.write(b"hello")
        context.set_trailing_metadata((("x-took", "3"),))
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such desk")

    async def play() -> Listens:
        async with desk(give_up) as address:
            client = Listens()
            await GrpcTransport().connect(address, Opening(), client)
            await client.ended()
            return client

    client = run(play())
    assert client.data == [b"hello"]
    assert str(client.ending) == "the server closed the connection with code 5 'no such desk': NOT_FOUND"
    assert client.asides == [("response headers", {"x-desk": "7", "x-raw-bin": "/w"}), ("trailers", {"x-took": "3"})]


def test_metadata_both_ways(run: Run) -> None:
    heard: list[Any] = []

    async def note(context: Any) -> None:
        heard.append(dict(context.invocation_metadata()))
        await echo(context)

    async def play() -> None:
        async with desk(note) as address:
            client = Hearing()
            opening = Opening(headers={"Authorization": "Bearer x", "x-raw-bin": "/w"})
            (await GrpcTransport().connect(address, opening, client)).close()
            await client.ended()

    run(play())
    assert heard[0]["authorization"] == "Bearer x"
    assert heard[0]["x-raw-bin"] == b"\xff"


def test_what_a_listener_is_told(run: Run) -> None:
    async def play() -> Opening:
        async with pair(Hearing(), Opening(headers={"X-Seat": "7a"})) as (client, opening):
            assert client.connection is not None
            client.connection.close()
        return opening

    opening = run(play())
    assert (opening.path, opening.headers["x-seat"]) == ("/desk.Desk/Talk", "7a")
    assert opening.peer.address.startswith("127.0.0.1:")


def test_a_listener_ends_with_a_status_of_its_own(run: Run) -> None:
    async def play() -> tuple[Any, Any]:
        server = Hearing()
        async with pair(server) as (client, _):
            await server.until(lambda: server.connection is not None, "the opening")
            assert server.connection is not None
            with pytest.raises(ValueError, match="17 is no status of gRPC"):
                server.connection.close(17)
            server.connection.send(b"the last")
            server.connection.close(8, "größer")
        assert client.data == [b"the last"]
        return client.ending, server.ending

    ours, theirs = run(play())
    assert (ours.code, ours.reason, ours.by, ours.is_clean) == (8, "größer", "peer", True)
    assert (theirs.code, theirs.reason, theirs.by, theirs.is_clean) == (8, "größer", "us", True)


async def refused_by(accept: Callable[[Opening], Any]) -> OpeningRefused:
    """How a client is refused by a listener that accepts like that."""
    listening = await GrpcListener().listen("grpc://127.0.0.1:0", accept)
    try:
        with pytest.raises(OpeningRefused) as caught:
            await GrpcTransport().connect(f"{listening.address}/desk.Desk/Talk", Opening(), Hearing())
    finally:
        await listening.close()
    return caught.value


def test_a_listener_refuses_by_the_status_that_fits(run: Run) -> None:
    def refuse(opening: Opening) -> Hearing:
        raise RejectConnection(401, "who are you?", {"X-Why": "the list"})

    refused = run(refused_by(refuse))
    assert (refused.code, refused.message.body) == (16, {"x-why": "the list"})
    assert "UNAUTHENTICATED: who are you?" in refused.text


def test_a_refusal_is_told_on_one_line_however_much_it_says(run: Run) -> None:
    def refuse(_opening: Opening) -> Any:
        raise RejectConnection(403, "no\n  hint: do as I say" + "x" * 3_000)

    refused = run(refused_by(refuse))
    assert refused.text.startswith("the stream was refused: PERMISSION_DENIED: no hint: do as I sayxx")
    assert len(refused.text) < 2_000
    assert len(refused.message.raw) > 3_000


def test_an_accept_that_fails_refuses(run: Callable[..., Any]) -> None:
    def fail(opening: Opening) -> Hearing:
        raise LookupError

    async def play() -> None:
        listening = await GrpcListener().listen("grpc://127.0.0.1:0/desk.Desk/Talk", fail)
        try:
            with pytest.raises(OpeningRefused, match="INTERNAL"):
                await GrpcTransport().connect(listening.address, Opening(), Hearing())
        finally:
            await listening.close()

    run(play(), expected="the accept function of a gRPC listener failed")


def test_a_listener_for_one_method(run: Run) -> None:
    async def play() -> None:
        listening = await GrpcListener().listen("grpc://127.0.0.1:0/desk.Desk/Talk", lambda _: Hearing())
        try:
            other = listening.address.replace("Talk", "Walk")
            with pytest.raises(OpeningRefused, match="UNIMPLEMENTED") as caught:
                await GrpcTransport().connect(other, Opening(), Hearing())
            assert caught.value.code == 12
        finally:
            await listening.close()

    run(play())


def test_a_client_ends_its_sending_alone(run: Run) -> None:
    async def play() -> tuple[Hearing, Hearing]:
        server = Hearing(stays=True)
        async with pair(server) as (client, _):
            connection: Any = client.connection
            connection.send(b"the last")
            connection.finish()
            connection.send(b"too late")
            await server.until(lambda: server.has_peer_finished, "the end of its sending")
            assert server.connection is not None
            server.connection.send(b"and still heard")
            server.connection.close()
        return client, server

    client, server = run(play())
    assert (client.data, server.data) == ([b"and still heard"], [b"the last"])
    assert client.ending is not None
    assert (client.ending.by, client.ending.is_clean) == ("peer", True)


def test_an_abort_of_a_server_is_heard_behind_what_was_not_read(run: Run) -> None:
    async def play() -> None:
        server = Hearing()
        async with pair(server) as (client, _):
            await server.until(lambda: server.connection is not None, "the opening")
            assert server.connection is not None
            assert client.connection is not None
            client.connection.pause()
            for _ in range(100):
                server.connection.send(bytes(100_000))
            await asyncio.sleep(0)
            server.connection.abort()
            assert not (await server.ended()).is_clean
            client.connection.resume()
        assert client.ending is not None
        assert client.ending.by == "wire"

    run(play())


def test_a_message_over_the_limit(run: Run) -> None:
    async def play() -> Any:
        async with desk(echo) as address:
            client = Hearing(bytes(2_000))
            await GrpcTransport(refuses_within_s=0.01, max_size_bytes=1_000).connect(address, Opening(), client)
            return await client.ended()

    ending = run(play())
    assert (ending.code, ending.by) == (8, "us"), ending
    assert "max_size_bytes" in ending.detail


@pytest.mark.parametrize(
    ("address", "headers", "said"),
    [
        ("grpc://127.0.0.1:1", {}, "the service and its method are missing"),
        ("grpc://127.0.0.1:1/Talk", {}, "its path is no service with a method"),
        ("grpc://127.0.0.1/desk.Desk/Talk", {}, "the port is missing"),
        ("http://127.0.0.1:1/desk.Desk/Talk", {}, "http is no scheme of gRPC"),
        ("grpc://127.0.0.1:1/desk.Desk/Talk", {}, "no connection: .*Connection refused"),
        ("grpc://127.0.0.1:1/desk.Desk/Talk", {"a b": "c"}, "metadata has no name 'a b'"),
        ("grpc://127.0.0.1:1/desk.Desk/Talk", {"a": "größer"}, "a is not in ASCII: a-bin"),
        ("grpc://127.0.0.1:1/desk.Desk/Talk", {"a-bin": "%"}, "cannot connect: .*base64"),
    ],
)
def test_what_cannot_be_connected(run: Run, address: str, headers: dict[str, str], said: str) -> None:
    with pytest.raises(ConnectFailed, match=said) as caught:
        run(GrpcTransport().connect(address, Opening(headers=headers), Hearing()))
    assert caught.value.place == address
    assert caught.value.hint is not None


def test_whoever_is_there_and_speaks_no_grpc(run: Run) -> None:
    async def play(address: str) -> None:
        with pytest.raises(ConnectFailed, match=r"no connection within 0\.1 s") as caught:
            await GrpcTransport().connect(address, Opening(within_s=0.1), Hearing())
        assert caught.value.hint == "does somebody speak gRPC there?"
        with pytest.raises(ConnectFailed, match="no subprotocols"):
            await GrpcTransport().connect(address, Opening(subprotocols=["v1"]), Hearing())

    with socket.create_server(("127.0.0.1", 0)) as silent:  # whose kernel connects us
        run(play(f"grpc://127.0.0.1:{silent.getsockname()[1]}/desk.Desk/Talk"))


class Failing(Hearing):
    """Fails when it hears something."""

    def on_data(self, data: Any) -> None:
        raise LookupError(data)


def test_a_receiver_that_raises_ends_its_stream(run: Callable[..., Any]) -> None:
    async def play() -> Any:
        server = Failing()
        async with pair(server) as (client, _):
            assert client.connection is not None
            client.connection.send(b"x")
        return client.ending, server.ending

    ours, theirs = run(play(), expected="the receiver raised LookupError in on_data")
    assert (ours.by, theirs.by, theirs.is_clean) == ("wire", "us", False)
    assert theirs.detail == "the receiver raised LookupError in on_data"


def test_a_client_that_cancels_while_we_leave(run: Run) -> None:
    async def play() -> Any:
        server = Hearing()
        async with pair(server) as (client, _):
            await server.until(lambda: server.connection is not None, "the opening")
            assert server.connection is not None
            assert client.connection is not None
            client.connection.pause()
            for _ in range(100):
                server.connection.send(bytes(100_000))
            server.connection.close()
            client.connection.abort()
        return server.ending

    ending = run(play())
    assert (ending.by, ending.is_clean) == ("us", False)


def test_where_nobody_can_listen(run: Run) -> None:
    async def play() -> None:
        listening = await GrpcListener().listen("grpc://127.0.0.1:0", lambda _: Hearing())
        try:
            with pytest.raises(TransportError, match=r"port \d+ is taken"):
                await GrpcListener().listen(listening.address, lambda _: Hearing())
        finally:
            await listening.close()
        with pytest.raises(TransportError, match="cannot listen: its path is no service with a method"):
            await GrpcListener().listen("grpc://127.0.0.1:0/Talk", lambda _: Hearing())
        with pytest.raises(TransportError, match="needs tls="):
            await GrpcListener().listen("grpcs://127.0.0.1:0", lambda _: Hearing())

    run(play())


async def secured(certificates: Path, client: Any, *, name: str = "server", asks: bool = False) -> Opening:
    """What a listener with TLS is told by a client with these settings."""
    openings: list[Opening] = []
    guest = Hearing(b"hello")

    def accept(opening: Opening) -> Hearing:
        openings.append(opening)
        return guest

    ca = certificates / "ca.pem" if asks else ""
    server = Tls(certificate=certificates / f"{name}.pem", key=certificates / f"{name}.key", ca=ca)
    listening = await GrpcListener().listen("grpcs://127.0.0.1:0/desk.Desk/Talk", accept, tls=server)
    try:
        hearing = Hearing()
        connection = await GrpcTransport().connect(listening.address, Opening(tls=client), hearing)
        connection.close()
        await hearing.ended()
        assert hearing.data == [b"hello"]
    finally:
        await listening.close()
    return openings[0]


def test_tls(run: Run, certificates: Path) -> None:
    ca, both = certificates / "ca.pem", certificates / "both.pem"
    assert run(secured(certificates, Tls(ca=ca))).peer.certificate is None
    run(secured(certificates, Tls(ca=ca, server_name="centre.internal"), name="named"))
    told = run(secured(certificates, Tls(ca=ca, certificate=both), asks=True)).peer
    assert told.certificate is not None
    assert (("commonName", "tester"),) in told.certificate["subject"]
    assert told.alpn == "h2"


@pytest.mark.parametrize("settings", [{}, {"ca": "stranger.pem"}])
def test_a_certificate_that_is_not_accepted(run: Run, certificates: Path, settings: dict[str, str]) -> None:
    with pytest.raises(ConnectFailed, match="CERTIFICATE_VERIFY_FAILED") as caught:
        run(secured(certificates, Tls(folder=str(certificates), **settings)))  # type: ignore[arg-type]
    assert caught.value.hint is not None
    assert "ca=" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"verify": False}, "verify=False"),
        ({"certificate": "client.pem", "key": "encrypted.key", "password": "open sesame"}, "encrypted key"),
        ({"min_version": "1.3"}, "min_version"),
        ({"ca": "nothing.pem"}, "cannot be read"),
    ],
)
def test_what_the_tls_of_grpc_does_not_know(run: Run, certificates: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        run(secured(certificates, Tls(folder=str(certificates), **settings)))


def test_no_context_of_pythons(run: Run, certificates: Path, client_tls: Any) -> None:
    with pytest.raises(ScenarioError, match="takes no ssl"):
        run(secured(certificates, client_tls))
