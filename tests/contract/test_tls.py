"""TLS between our own two sides, with settings as data: who trusts whom, and what is said if somebody does not."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from antiphon import ConnectFailed, Opening, Tls
from antiphon.testing.transports import Hearing
from antiphon.transport.stream.tcp import TcpListener, TcpTransport
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

Files = Callable[..., Tls]


@pytest.fixture
def of(certificates: Path) -> Files:
    """Settings whose files are those of that name: `of("client", ca="ca")`."""

    def of(name: str = "", *, ca: str = "", **more: Any) -> Tls:
        pair = {"certificate": f"{name}.pem", "key": f"{name}.key"} if name else {}
        return Tls(folder=str(certificates), ca=f"{ca}.pem" if ca else "", **pair, **more)

    return of


@pytest.fixture(params=["wss", "tcps"])
def wire(request: pytest.FixtureRequest) -> tuple[Any, Any, str]:
    """Both wires that have TLS: transport, listener, scheme."""
    if request.param == "wss":
        return WebSocketTransport, WebSocketListener(), "wss"
    return TcpTransport, TcpListener(), "tcps"


async def meet(wire: Any, server: Any, client: Any, *, host: str = "127.0.0.1") -> tuple[Opening, Hearing]:
    """Our client meets our listener: what the listener was told, and the client's receiver; both have ended."""
    transport, listener, scheme = wire
    openings: list[Opening] = []
    guest = Hearing("hello")

    def accept(opening: Opening) -> Hearing:
        openings.append(opening)
        return guest

    listening = await listener.listen(f"{scheme}://127.0.0.1:0", accept, tls=server)
    try:
        hearing = Hearing()
        address = listening.address.replace("127.0.0.1", host)
        connection = await transport().connect(address, Opening(tls=client), hearing)
        await hearing.until(lambda: b"".join(map(_bytes, hearing.data)) == b"hello", "a word of the server")
        connection.close()
        await hearing.ended()
        return openings[0], hearing
    finally:
        await listening.close()


def _bytes(data: Any) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def failing(run: Any, meeting: Any) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as caught:
        run(meeting)
    assert caught.value.place
    assert "tls=" in caught.value.hint
    return caught.value


def test_an_own_authority(run: Any, wire: Any, of: Files) -> None:
    opening, _ = run(meet(wire, of("server"), of(ca="ca")))
    assert opening.peer.address.startswith("127.0.0.1:")
    assert opening.peer.certificate is None
    assert opening.peer.alpn == ""


def test_a_context_is_taken_as_well(
    run: Any, wire: Any, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    run(meet(wire, server_tls, client_tls))


def test_who_the_client_is_and_what_was_agreed_on(run: Any, wire: Any, of: Files) -> None:
    ours = of("client", ca="ca", alpn=["talk/2", "talk/1"])
    opening, _ = run(meet(wire, of("server", ca="ca", alpn=["talk/1"]), ours))
    assert opening.peer.certificate is not None
    assert (("commonName", "tester"),) in opening.peer.certificate["subject"]
    assert opening.peer.alpn == "talk/1"


def test_a_name_other_than_the_address(run: Any, wire: Any, of: Files) -> None:
    run(meet(wire, of("named"), of(ca="ca", server_name="centre.internal")))
    failed = failing(run, meet(wire, of("named"), of(ca="ca")))
    assert "the certificate of 127.0.0.1 is not accepted" in failed.text
    assert "server_name=" in failed.hint


@pytest.mark.parametrize("server", ["named", "expired", "stranger"])
def test_anybody_is_trusted_if_nothing_is_verified(run: Any, wire: Any, of: Files, server: str) -> None:
    run(meet(wire, of(server), of(verify=False)))


@pytest.mark.parametrize(
    ("server", "client", "text", "hint"),
    [
        ("expired", "ca", "certificate has expired", "wants a new one"),
        ("stranger", "ca", "unable to get local issuer", "ca= names"),
        ("server", "", "unable to get local issuer", "ca= names"),
    ],
)
def test_a_certificate_that_is_not_accepted(
    run: Any, wire: Any, of: Files, server: str, client: str, text: str, hint: str
) -> None:
    failed = failing(run, meet(wire, of(server), of(ca=client)))
    assert text in failed.text
    assert hint in failed.hint


def test_a_certificate_that_signed_itself(run: Any, wire: Any, of: Files, certificates: Path, tmp_path: Path) -> None:
    (tmp_path / "self.pem").write_bytes(_self_signed())
    failed = failing(run, meet(wire, Tls(certificate=tmp_path / "self.pem"), of(ca="ca")))
    assert "self-signed certificate" in failed.text
    assert "ca= names the file of whoever signed it, or of itself" in failed.hint
    run(meet(wire, Tls(certificate=tmp_path / "self.pem"), Tls(ca=tmp_path / "self.pem")))


@contextmanager
def openssl_server(context: ssl.SSLContext) -> Iterator[str]:
    """A server that says by an alert what it does not like, which those of event loops do not; gives HOST:PORT."""

    def serve() -> None:
        accepted, _ = listening.accept()
        with context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) as secured:
            with suppress(ssl.SSLError):
                secured.do_handshake()
            with suppress(OSError):
                secured.shutdown(socket.SHUT_WR)  # from here on it is plain
                while secured.recv(1024):  # to close with something unread would reset it, and the alert were lost
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        serving = threading.Thread(target=serve)
        serving.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        serving.join(10)
        assert not serving.is_alive()


def refused(run: Any, server: ssl.SSLContext, client: Tls) -> ConnectFailed:
    """The error of a WebSocket client that the server breaks TLS off with."""

    async def scene() -> None:
        await WebSocketTransport().connect(f"wss://{address}", Opening(tls=client), Hearing())

    with openssl_server(server) as address:
        return failing(run, scene())


def test_a_version_that_the_server_does_not_speak(run: Any, of: Files) -> None:
    old = of("server").server_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    failed = refused(run, old, of(ca="ca", min_version="1.3"))
    assert "it speaks no version of TLS that we do" in failed.text
    assert "min_version=" in failed.hint


def test_protocols_that_the_server_does_not_speak(run: Any, wire: Any, of: Files) -> None:
    """Python's own servers let it pass, and the peer says that there is none (RFC 7301 section 3.2 asks for more)."""
    opening, _ = run(meet(wire, of("server", alpn=["talk/1"]), of(ca="ca", alpn=["talk/2"])))
    assert opening.peer.alpn == ""


def test_a_server_that_wants_a_certificate(run: Any, of: Files) -> None:
    failed = refused(run, of("server", ca="ca").server_context(), of(ca="ca"))
    assert "it wants a certificate of ours" in failed.text
    assert "certificate= and key=" in failed.hint


def test_a_server_that_does_not_know_our_certificate(run: Any, of: Files) -> None:
    failed = refused(run, of("server", ca="ca").server_context(), of("stranger", ca="ca"))
    assert "does not know who signed our certificate" in failed.text


def test_a_certificate_of_ours_that_has_expired(run: Any, of: Files) -> None:
    failed = refused(run, of("server", ca="ca").server_context(), of("expired", ca="ca"))
    assert "certificate expired" in failed.text
    assert "certificate= and key=" in failed.hint


def test_a_server_that_does_not_say_what_it_minds(run: Any, of: Files) -> None:
    wire = (WebSocketTransport, WebSocketListener(), "wss")
    failed = failing(run, meet(wire, of("server", ca="ca"), of(ca="ca")))
    assert "closed the connection without answering" in failed.text
    assert "does it want a certificate of ours?" in failed.hint


def test_a_stream_is_told_what_was_wrong_with_our_certificate(run: Any, of: Files) -> None:
    """With TLS 1.3 the client has opened before the server has looked at its certificate."""

    async def scene() -> Hearing:
        hearing = Hearing()
        await TcpTransport().connect(f"tcps://{address}", Opening(tls=of(ca="ca")), hearing)
        await hearing.ended()
        return hearing

    with openssl_server(of("server", ca="ca").server_context()) as address:
        ending = run(scene()).ending
    assert ending is not None
    assert not ending.is_clean
    assert "it wants a certificate of ours" in ending.detail


def test_a_peer_over_ipv6_is_told_as_an_address(run: Any) -> None:
    async def scene() -> str:
        openings: list[Opening] = []

        def accept(opening: Opening) -> Hearing:
            openings.append(opening)
            return Hearing()

        listening = await WebSocketListener().listen("ws://[::1]:0", accept)
        try:
            await WebSocketTransport().connect(listening.address, Opening(), Hearing())
        finally:
            await listening.close()
        return openings[0].peer.address

    assert run(scene()).startswith("[::1]:")


def _self_signed() -> bytes:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alone")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
