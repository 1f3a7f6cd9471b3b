"""How the WebSocket transport opens connections, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any

import pytest

from antiphon.errors import ConnectFailed, UpgradeRefused
from antiphon.testing.transports import Hearing
from antiphon.transport.interface import Opening
from antiphon.transport.websocket.client import WebSocketTransport

TEXT, CLOSE = 0x1, 0x8
BYE = b"\x03\xe8"

SECRET = "s3cr3t-t0k3n"
OPENING = Opening(headers={"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}"}, within_s=5)


async def failing(address: str, opening: Opening = OPENING, **options: Any) -> ConnectFailed:
    """The error of an opening that fails; its receiver has heard nothing, and the text gives nothing away."""
    hearing = Hearing()
    with pytest.raises(ConnectFailed) as caught:
        await WebSocketTransport(**options).connect(address, opening, hearing)
    assert hearing.connection is None
    assert hearing.ending is None
    assert caught.value.place
    assert SECRET not in str(caught.value)
    return caught.value


async def against(
    raw: Any, serve: Any, opening: Opening = OPENING, *, tls: Any = None, **options: Any
) -> ConnectFailed:
    async with raw.server(serve, tls=tls) as address:
        failed = await failing(address, opening, **options)
        assert failed.place == address
        return failed


def replying(reply: bytes, *, ends: bool = False) -> Any:
    """A server that reads a request's head, whatever it is, and says this."""

    async def serve(peer: Any) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.writer.write(reply)
        if ends:
            await peer.leave()
        await peer.hear_end()

    return serve


class TestRequest:
    def test_what_is_asked(self, run: Any, raw: Any) -> None:
        heads = []

        async def serve(peer: Any) -> None:
            await raw.answer(peer, "Sec-WebSocket-Protocol: v2")
            heads.append(peer.head)
            peer.say(peer.frame(CLOSE, BYE))

        async def scene() -> str:
            async with raw.server(serve) as address:
                hearing = Hearing()
                opening = Opening(headers={"Cookie": "a=b; c=d"}, subprotocols=("v1", "v2"))
                transport = WebSocketTransport(compression=True)
                connection = await transport.connect(f"{address}/a b/ü?q=ä&r=%20", opening, hearing)
                await hearing.ended()
                return connection.subprotocol

        assert run(scene()) == "v2"
        first, *lines = heads[0].decode().removesuffix("\r\n\r\n").split("\r\n")
        assert first == "GET /a%20b/%C3%BC?q=%C3%A4&r=%20 HTTP/1.1"
        fields = dict(line.split(": ", 1) for line in lines)
        assert len(fields) == len(lines)
        assert fields.pop("Host").startswith("127.0.0.1:")
        assert len(fields.pop("Sec-WebSocket-Key")) == 24
        assert fields == {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "v1, v2",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
            "Cookie": "a=b; c=d",
        }

    def test_a_header_that_is_given_in_two_spellings_is_said_once(self, run: Any, raw: Any) -> None:
        lines: list[str] = []

        async def serve(peer: Any) -> None:
            await raw.answer(peer)
            lines.extend(peer.head.decode().split("\r\n"))
            peer.say(peer.frame(CLOSE, BYE))

        async def scene() -> None:
            async with raw.server(serve) as address:
                hearing = Hearing()
                headers = {"Cookie": "a=b", "cookie": "c=d", "X-Seat": "1", "x-seat": "2"}
                await WebSocketTransport().connect(address, Opening(headers=headers), hearing)
                await hearing.ended()

        run(scene())
        said = [line for line in lines if line.lower().startswith(("cookie", "x-seat"))]
        assert said == ["cookie: a=b; c=d", "x-seat: 1, 2"]

    def test_what_is_not_asked_unless_wanted(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer)
            assert b"extensions" not in peer.head.lower()
            assert b"protocol" not in peer.head.lower()
            peer.say(peer.frame(CLOSE, BYE))

        async def scene() -> None:
            async with raw.server(serve) as address:
                hearing = Hearing()
                await WebSocketTransport().connect(address, Opening(), hearing)
                await hearing.ended()

        run(scene())

    def test_subprotocols_that_stand_in_a_header(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer, "Sec-WebSocket-Protocol: v3", then=peer.frame(CLOSE, BYE))
            assert peer.head.lower().count(b"sec-websocket-protocol") == 1

        async def scene() -> str:
            async with raw.server(serve) as address:
                hearing = Hearing()
                opening = Opening(headers={"sec-websocket-protocol": "v2, v3"}, subprotocols=("v1",))
                connection = await WebSocketTransport().connect(address, opening, hearing)
                await hearing.ended()
                return connection.subprotocol

        assert run(scene()) == "v3"

    def test_a_password_in_the_address_goes_into_a_header(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer)
            assert b"Authorization: Basic dXM6cHc6QA==" in peer.head  # us:pw:@
            assert b"@" not in peer.head
            peer.say(peer.frame(CLOSE, BYE))

        async def scene() -> None:
            async with raw.server(serve) as address:
                hearing = Hearing()
                await WebSocketTransport().connect(address.replace("://", "://us:pw%3A%40@"), Opening(), hearing)
                await hearing.ended()

        run(scene())

    @pytest.mark.parametrize("scheme", ["ws", "http"])
    def test_http_addresses_mean_the_same(self, run: Any, raw: Any, scheme: str) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer, then=peer.frame(CLOSE, BYE))

        async def scene() -> None:
            async with raw.server(serve) as address:
                hearing = Hearing()
                await WebSocketTransport().connect(address.replace("ws", scheme), Opening(), hearing)
                await hearing.ended()

        run(scene())


class TestAnswer:
    def test_data_in_the_same_segment_as_the_answer(self, run: Any, raw: Any) -> None:
        """The server speaks first: on_opened comes before the data, and both before connect returns."""

        async def serve(peer: Any) -> None:
            frames = [peer.frame(TEXT, f"{number}".encode()) for number in range(500)]
            await raw.answer(peer, then=b"".join(frames) + peer.frame(CLOSE, BYE))

        async def scene() -> Any:
            async with raw.server(serve) as address:
                hearing = Hearing()
                await WebSocketTransport().connect(address, Opening(), hearing)
                heard_by_then = len(hearing.data)
                await hearing.ended()
                return heard_by_then, hearing

        heard_by_then, hearing = run(scene())
        assert heard_by_then > 0
        assert hearing.data == [str(number) for number in range(500)]
        assert hearing.faults == []
        assert hearing.ending.code == 1000

    def test_an_answer_byte_by_byte(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            written: list[bytes] = []
            writer, peer.writer = peer.writer, type("Writer", (), {"write": lambda self, data: written.append(data)})()
            await raw.answer(peer, then=peer.frame(TEXT, b"hi") + peer.frame(CLOSE, BYE))
            peer.writer = writer
            for byte in b"".join(written):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)

        async def scene() -> Any:
            async with raw.server(serve) as address:
                hearing = Hearing()
                await WebSocketTransport().connect(address, Opening(), hearing)
                await hearing.ended()
                return hearing.data

        assert run(scene()) == ["hi"]

    @pytest.mark.parametrize("connection", ["upgrade", "keep-alive, Upgrade", "Upgrade,keep-alive"])
    def test_connection_is_a_list(self, run: Any, raw: Any, connection: str) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer, connection=connection, then=peer.frame(CLOSE, BYE))

        async def scene() -> None:
            async with raw.server(serve) as address:
                hearing = Hearing()
                await WebSocketTransport().connect(address, Opening(), hearing)
                await hearing.ended()

        run(scene())

    def test_hints_before_the_answer_are_passed_over(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            peer.writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
            await raw.answer(peer, then=peer.frame(CLOSE, BYE))

        async def scene() -> None:
            async with raw.server(serve) as address:
                hearing = Hearing()
                await WebSocketTransport().connect(address, Opening(), hearing)
                await hearing.ended()

        run(scene())

    @pytest.mark.parametrize(
        ("headers", "words"),
        [
            (["Sec-WebSocket-Protocol: v9"], "chose the subprotocol 'v9'; we offered v1, v2"),
            (["Sec-WebSocket-Protocol: v1", "Sec-WebSocket-Protocol: v2"], "chose the subprotocol 'v1, v2'"),
            (["Sec-WebSocket-Extensions: permessage-deflate"], "'permessage-deflate', which we did not offer"),
            (["Sec-WebSocket-Extensions: x-wings"], "'x-wings', which we did not offer"),
        ],
    )
    def test_choices_we_did_not_offer(self, run: Any, raw: Any, headers: list[str], words: str) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer, *headers)
            assert await peer.hear_end() == b""

        opening = Opening(subprotocols=("v1", "v2"))
        assert words in run(against(raw, serve, opening)).text

    @pytest.mark.parametrize(
        ("extensions", "words"),
        [
            ("permessage-deflate; server_max_window_bits=7", "no window"),
            ("permessage-deflate; wings", "'wings' is not of permessage-deflate"),
            ("permessage-deflate, permessage-deflate", "twice"),
            ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", "repeated parameter"),
        ],
    )
    def test_terms_of_compression_that_are_not_in_order(self, run: Any, raw: Any, extensions: str, words: str) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer, f"Sec-WebSocket-Extensions: {extensions}")
            assert await peer.hear_end() == b""

        assert words in run(against(raw, serve, compression=True)).text

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (b"Upgrade: websocket\r\nConnection: Upgrade", "Sec-WebSocket-Accept does not answer our key"),
            (b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: dGhl", "does not answer our key"),
            (b"Upgrade: websocket\r\nConnection: close", "Connection header does not say Upgrade"),
            (b"Connection: Upgrade", "Upgrade header does not say websocket"),
        ],
    )
    def test_answers_that_are_not_in_order(self, run: Any, raw: Any, answer: bytes, words: str) -> None:
        serve = replying(b"HTTP/1.1 101 Switching Protocols\r\n" + answer + b"\r\n\r\n")
        assert words in run(against(raw, serve)).text


class TestRefusal:
    @pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 426, 429, 499, 500, 502, 503, 520])
    def test_status_headers_and_body(self, run: Any, raw: Any, status: int) -> None:
        head = f"HTTP/1.1 {status} So\r\nX-Why: the\r\nx-why: list\r\nContent-Length: 7\r\n\r\n"
        refused = run(against(raw, replying(head.encode() + b"not you")))
        assert isinstance(refused, UpgradeRefused)
        assert refused.status == status
        assert refused.headers["X-WHY"] == "the, list"
        assert refused.body == b"not you"
        assert f"refused the upgrade: {status} So" in refused.text

    def test_a_body_in_a_segment_of_its_own(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            await peer.reader.readuntil(b"\r\n\r\n")
            for part in (b"HTTP/1.1 401 \r\nContent-Length: 10\r\n\r\n", b"who ", b"are yo", b"u?"):
                peer.writer.write(part)
                await peer.writer.drain()
                await asyncio.sleep(0)
            await peer.hear_end()

        refused = run(against(raw, serve))
        assert refused.body == b"who are yo"
        assert "401 Unauthorized" in refused.text
        assert "cookie or Authorization" in refused.hint

    def test_a_body_that_ends_with_the_connection(self, run: Any, raw: Any) -> None:
        assert run(against(raw, replying(b"HTTP/1.0 404 Not Found\r\n\r\nnot here", ends=True))).body == b"not here"

    def test_a_body_that_is_cut_off(self, run: Any, raw: Any) -> None:
        serve = replying(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\nas much as", ends=True)
        assert run(against(raw, serve)).body == b"as much as"

    def test_a_body_that_never_ends(self, run: Any, raw: Any) -> None:
        serve = replying(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\nas much as")
        refused = run(against(raw, serve, Opening(within_s=0.1)))
        assert (refused.status, refused.body) == (500, b"as much as")

    def test_a_body_in_chunks(self, run: Any, raw: Any) -> None:
        chunks = b"4\r\nwho \r\n8;x=y\r\nare you?\r\n0\r\n\r\n"
        serve = replying(b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert run(against(raw, serve)).body == b"who are you?"

    @pytest.mark.parametrize("length", ["9" * 5000, "٥", "+5", "1_0", "-6", "0x5", "5, 6", ""])
    def test_a_length_that_is_none(self, run: Any, raw: Any, length: str) -> None:
        """The peer stays: nothing but the answer's head ends this, and nobody can tell what its body is."""
        serve = replying(f"HTTP/1.1 500 Oops\r\nContent-Length: {length}\r\n\r\n".encode() + b"of some length")
        refused = run(against(raw, serve))
        assert isinstance(refused, UpgradeRefused)
        assert (refused.status, refused.body) == (500, b"")
        assert "500 Oops, and its body cannot be read: the Content-Length is no length: " in refused.text
        assert len(refused.text) < 200

    def test_chunks_that_are_none(self, run: Any, raw: Any) -> None:
        serve = replying(b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nas far\r\n-6\r\n")
        refused = run(against(raw, serve))
        assert refused.body == b"as fa"
        assert "500 Oops, and its body cannot be read: a chunk of the body is longer than it says" in refused.text

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_redirects_are_told_not_followed(self, run: Any, raw: Any, status: int) -> None:
        """What we send is for the host that was named; a redirect to another must not see cookies."""
        visited = []

        async def elsewhere(peer: Any) -> None:
            visited.append(peer)

        async def scene() -> Any:
            async with raw.server(elsewhere) as other:
                head = f"HTTP/1.1 {status} Moved\r\nLocation: {other}/new?token={SECRET}\r\nContent-Length: 0\r\n\r\n"
                return other, await against(raw, replying(head.encode()))

        other, refused = run(scene())
        assert refused.status == status
        assert f"{other}/new" in refused.hint
        assert visited == []


class TestNoWebSocket:
    def test_nobody_listens(self, run: Any, raw: Any) -> None:
        async def scene() -> Any:
            async with raw.server(replying(b"")) as address:
                pass
            return await failing(address)

        failed = run(scene())
        assert "no server is listening on 127.0.0.1:" in failed.text
        assert "running" in failed.hint

    def test_no_such_name(self, run: Any) -> None:
        failed = run(failing("ws://no-such-host.invalid/desk"))
        assert "the name no-such-host.invalid does not resolve" in failed.text

    @pytest.mark.parametrize(
        ("reply", "words"),
        [
            (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak HTTP: it said b'SSH-2.0-OpenSSH_9.6"),
            (b"\x00\x01\x02", "does not speak HTTP"),
            (b"HTTP/1.1 twelve\r\n\r\n", "no HTTP status line"),
            (b"HTTP/1.1 101 Switching Protocols\r\nno colon\r\n\r\n", "a header line is malformed"),
            (b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"x" * 20_000, "head of more than 16384 bytes"),
        ],
    )
    def test_what_is_no_http(self, run: Any, raw: Any, reply: bytes, words: str) -> None:
        assert words in run(against(raw, replying(reply))).text

    def test_a_server_that_hangs_up(self, run: Any, raw: Any) -> None:
        failed = run(against(raw, replying(b"", ends=True)))
        assert "closed the connection without answering" in failed.text

    def test_a_server_that_says_nothing(self, run: Any, raw: Any) -> None:
        failed = run(against(raw, replying(b""), Opening(within_s=0.05)))
        assert "no answer to the upgrade from 127.0.0.1:" in failed.text
        assert "within 0.05 s" in failed.text

    def test_a_server_that_says_half_an_answer(self, run: Any, raw: Any) -> None:
        failed = run(against(raw, replying(b"HTTP/1.1 101 Switching"), Opening(within_s=0.05)))
        assert "no answer to the upgrade" in failed.text

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("ftp://127.0.0.1/", "ftp is no scheme of WebSocket"),
            ("127.0.0.1:80", "no scheme of WebSocket"),
            ("ws://", "the host is missing"),
            ("ws:///desk", "the host is missing"),
            ("ws://127.0.0.1:99999/", "ort"),
            ("ws://127.0.0.1:port/", "ort"),
            ("ws://127.0.0.1:0/", "port 0 is for listening"),
            ("ws://127.0.0.1/#here", "no #fragment"),
            ("ws://[::1/", "cannot connect"),
            (f"ftp://us:{SECRET}@127.0.0.1/", "ftp is no scheme"),
            (f"ftp://127.0.0.1/?token={SECRET}", "ftp is no scheme"),
            ("ws://" + "ü" * 70, "is no name"),
            (
                "ws://127.0.0.1:" + "9" * 5000,
                "the port is none: '999999999999999999…999999999999999999' is more than 65535",
            ),
            ("ws://127.0.0.1:٨٠", "the port is none: '٨٠' is not made of digits only"),
        ],
    )
    def test_addresses_that_are_none(self, run: Any, address: str, words: str) -> None:
        assert words in run(failing(address)).text

    @pytest.mark.parametrize(
        ("opening", "words"),
        [
            (Opening(headers={"X-A": f"{SECRET}\r\nX-B: c"}), "the value of the header X-A holds a control character"),
            (Opening(headers={"X A": SECRET}), "'X A' is no name for a header"),
            (Opening(headers={"X-A": 7}), "X-A has a value of type int"),  # type: ignore[dict-item]
            (Opening(headers={"X-A": "\ud800"}), "X-A has no UTF-8 form"),
            (Opening(headers={"Upgrade": "h2c"}), "upgrade is the handshake's own"),
            (Opening(headers={"Sec-WebSocket-Extensions": "x"}), "compression=True"),
            (Opening(subprotocols=("a b",)), "'a b' is no name for a subprotocol"),
            (Opening(subprotocols=("a", "a")), "offered twice"),
        ],
    )
    def test_openings_that_cannot_be_said(self, run: Any, opening: Opening, words: str) -> None:
        assert words in run(failing("ws://127.0.0.1:9/", opening)).text

    def test_a_token_in_the_address_is_not_told(self, run: Any, raw: Any) -> None:
        async def scene() -> Any:
            async with raw.server(replying(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")) as address:
                return await failing(address.replace("://", f"://us:{SECRET}@") + f"/desk?token={SECRET}&seat=7")

        failed = run(scene())
        assert failed.place.endswith("/desk?token=***&seat=7")


class TestTls:
    def test_a_certificate_we_do_not_trust(self, run: Any, raw: Any, server_tls: ssl.SSLContext) -> None:
        async def scene() -> Any:
            server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, ssl=server_tls)
            address = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            failed = await failing(address)
            server.close()
            return failed

        failed = run(scene())
        assert "the certificate of 127.0.0.1 is not accepted" in failed.text
        assert "tls=" in failed.hint

    def test_a_certificate_of_somebody_else(self, run: Any, authority: Any, client_tls: ssl.SSLContext) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("elsewhere.example").configure_cert(context)

        async def scene() -> Any:
            server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, ssl=context)
            failed = await failing(f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}", tls=client_tls)
            server.close()
            return failed

        assert "certificate" in run(scene()).text

    def test_a_plain_server_behind_wss(self, run: Any, raw: Any, client_tls: ssl.SSLContext) -> None:
        async def serve(peer: Any) -> None:
            await peer.reader.read(100)
            peer.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        async def scene() -> Any:
            async with raw.server(serve) as address:
                return await failing(address.replace("ws:", "wss:"), tls=client_tls)

        failed = run(scene())
        assert "does not speak TLS" in failed.text
        assert "ws://" in failed.hint

    def test_a_server_that_hangs_up_on_tls(self, run: Any, raw: Any, client_tls: ssl.SSLContext) -> None:
        async def serve(peer: Any) -> None:
            await peer.reader.read(10_000)

        async def scene() -> Any:
            async with raw.server(serve) as address:
                return await failing(address.replace("ws:", "wss:"), tls=client_tls)

        failed = run(scene())
        assert "TLS" in failed.text
        assert "ws://" in failed.hint

    def test_a_server_that_never_answers_tls(self, run: Any, raw: Any, client_tls: ssl.SSLContext) -> None:
        async def scene() -> Any:
            async with raw.server(lambda peer: peer.hear_end()) as address:
                return await failing(address.replace("ws:", "wss:"), Opening(within_s=0.05), tls=client_tls)

        assert "no connection to 127.0.0.1:" in run(scene()).text

    def test_a_tls_server_behind_ws(self, run: Any, server_tls: ssl.SSLContext) -> None:
        async def scene() -> Any:
            server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, ssl=server_tls)
            failed = await failing(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            server.close()
            return failed

        failed = run(scene())
        assert "wss://" in failed.hint


class TestRequiredSubprotocol:
    def test_a_server_that_chooses_one(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer, "Sec-WebSocket-Protocol: talk")
            await peer.hear_end()

        async def scene() -> str:
            async with raw.server(serve) as address:
                transport = WebSocketTransport(requires_subprotocol=True)
                connection = await transport.connect(address, Opening(subprotocols=("talk", "sing")), Hearing())
                connection.abort()
                return connection.subprotocol

        assert run(scene()) == "talk"

    def test_a_server_that_chooses_none(self, run: Any, raw: Any) -> None:
        async def serve(peer: Any) -> None:
            await raw.answer(peer)
            await peer.hear_end()

        opening = Opening(subprotocols=("talk", "sing"))
        failed = run(against(raw, serve, opening, requires_subprotocol=True))
        assert failed.text == "the server's upgrade is not in order: it chose no subprotocol, of talk, sing"
        assert "requires_subprotocol" in failed.hint

    def test_with_none_to_offer(self, run: Any) -> None:
        failed = run(failing("ws://127.0.0.1:9", Opening(), requires_subprotocol=True))
        assert "no subprotocols to offer" in failed.text


def test_a_cancelled_connect_leaves_no_socket(run: Any, raw: Any) -> None:
    """At whatever moment: the server sees the end of every connection it saw the beginning of."""
    ends = []

    async def serve(peer: Any) -> None:
        ends.append(await peer.hear_end())

    async def scene() -> None:
        async with raw.server(serve) as address:
            for turns in range(12):
                connecting = asyncio.ensure_future(WebSocketTransport().connect(address, Opening(), Hearing()))
                for _ in range(turns):
                    await asyncio.sleep(0)
                connecting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await connecting

    run(scene())  # the raw server waits for its connections to end
    assert ends


def test_standard_error_stays_quiet(run: Any, raw: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """picows would log the peer's faults as errors; they are told by the ending."""

    async def serve(peer: Any) -> None:
        await raw.answer(peer, then=peer.frame(0x3, b"?"))
        await peer.hear_close()

    async def scene() -> Any:
        async with raw.server(serve) as address:
            hearing = Hearing()
            await WebSocketTransport().connect(address, Opening(), hearing)
            return await hearing.ended()

    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []  # as in a program that sets up no logging
    try:
        assert run(scene()).code == 1002
    finally:
        root.handlers = handlers
    assert capfd.readouterr().err == ""
