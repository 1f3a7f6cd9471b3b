"""Heads and addresses of HTTP and WebSocket, without a wire."""

from __future__ import annotations

import pytest

from antiphon.transport import http1_head as heads
from antiphon.transport.websocket.address import WebSocketAddress


class TestHeads:
    def test_a_request(self) -> None:
        request = heads.read_request(b"GET /desk?a=b HTTP/1.1\r\nHost: here\r\nX-Two:1\r\nx-two: \t2 \r\nEmpty:")
        assert (request.method, request.target, request.version) == ("GET", "/desk?a=b", "HTTP/1.1")
        assert dict(request.headers) == {"Host": "here", "x-two": "1, 2", "Empty": ""}
        assert request.headers["HOST"] == "here"

    def test_a_response(self) -> None:
        response = heads.read_response(b"HTTP/1.1 404 Not Found at all\r\nX: y")
        assert (response.version, response.status, response.reason) == ("HTTP/1.1", 404, "Not Found at all")
        assert heads.read_response(b"HTTP/1.0 599").reason == ""

    def test_letters_beyond_ascii(self) -> None:
        assert heads.read_response("HTTP/1.1 200 OK\r\nX: ü".encode()).headers["x"] == "ü"
        assert heads.read_response("HTTP/1.1 200 OK\r\nX: ü".encode("latin-1")).headers["x"] == "ü"

    @pytest.mark.parametrize(
        "head",
        [b"", b"GET /", b"GET  HTTP/1.1", b"GET / FTP/1", b"GET / HTTP/1.1\r\n : x", b"GET / HTTP/1.1\r\nX : y"],
    )
    def test_requests_that_are_none(self, head: bytes) -> None:
        with pytest.raises(ValueError, match=r"request line|malformed"):
            heads.read_request(head)

    @pytest.mark.parametrize("sign", [b"\n", b"\r", b"\x00"])
    @pytest.mark.parametrize("line", [b"X: a%sContent-Length: 5", b"X%sY: a", b"X: a%s", b"X:%sa"])
    def test_signs_that_others_may_take_for_the_end_of_a_line(self, line: bytes, sign: bytes) -> None:
        for first, read in ((b"GET / HTTP/1.1", heads.read_request), (b"HTTP/1.1 200 OK", heads.read_response)):
            with pytest.raises(ValueError, match="a line of the head holds a bare CR or LF, or NUL"):
                read(first + b"\r\n" + line % sign)
            with pytest.raises(ValueError, match="a line of the head holds a bare CR or LF, or NUL"):
                read(first.replace(b" ", sign + b" ", 1))

    @pytest.mark.parametrize("line", [b"X Y: a", b"X\tY: a", b" folded: a", b"\tfolded: a", b" folded"])
    def test_names_with_white_space(self, line: bytes) -> None:
        with pytest.raises(ValueError, match="a header line is malformed"):
            heads.read_request(b"GET / HTTP/1.1\r\nX: y\r\n" + line)

    @pytest.mark.parametrize(
        "head",
        [
            b"",
            b"HTTP/1.1",
            b"HTTP/1.1 20 OK",
            b"HTTP/1.1 2o0 OK",
            b"FTP/1.1 200 OK",
            "HTTP/1.1 ٢٠٠ OK".encode(),
            b"HTTP/1.1 000 OK",
            b"HTTP/1.1 +20 OK",
        ],
    )
    def test_responses_that_are_none(self, head: bytes) -> None:
        with pytest.raises(ValueError, match="status line"):
            heads.read_response(head)

    def test_lists_of_tokens(self) -> None:
        headers = {"Connection": "keep-alive , Upgrade,,"}
        assert heads.tokens(headers, "Connection") == ["keep-alive", "Upgrade"]
        assert heads.has_token(headers, "Connection", "upgrade")
        assert not heads.has_token(headers, "Connection", "close")
        assert heads.tokens(headers, "Upgrade") == []

    def test_extensions(self) -> None:
        headers = {"Sec-WebSocket-Extensions": 'a; b; c=1; d="2", e'}
        assert heads.extensions(headers) == [("a", {"b": None, "c": "1", "d": "2"}), ("e", {})]
        with pytest.raises(ValueError, match="repeated parameter"):
            heads.extensions({"Sec-WebSocket-Extensions": "a; b; b=1"})

    @pytest.mark.parametrize("value", ['"1', '1"', '""1""', "", '""', "1 2"])
    def test_a_value_that_is_no_token_quoted_or_not(self, value: str) -> None:
        with pytest.raises(ValueError, match="is no token"):
            heads.extensions({"Sec-WebSocket-Extensions": f"a; bits={value}"})

    @pytest.mark.parametrize("value", ["", "plain", "tab\tand ü", "…"])
    def test_values_that_can_be_sent(self, value: str) -> None:
        heads.check_headers([("X-A", value)])

    @pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\x00b", "\x7f", "\ud800"])
    def test_values_that_cannot(self, value: str) -> None:
        with pytest.raises(ValueError, match="X-A") as caught:
            heads.check_headers([("X-A", value)])
        assert repr(value)[1:-1] not in str(caught.value)

    @pytest.mark.parametrize("name", ["", "a b", "a:b", "ü", "a\r\n"])
    def test_names_that_cannot(self, name: str) -> None:
        with pytest.raises(ValueError, match="no name for a header"):
            heads.check_headers([(name, "x")])

    def test_a_written_response_can_be_read(self) -> None:
        head, _, body = heads.write_response(418, "grün", {"x-a": "b", "content-type": "text/tea"}).partition(
            b"\r\n\r\n"
        )
        response = heads.read_response(head)
        assert (response.status, response.reason) == (418, "I'm a Teapot")
        assert body.decode() == "grün"
        assert dict(response.headers) == {
            "content-type": "text/tea",
            "x-a": "b",
            "Content-Length": "5",
            "Connection": "close",
        }
        assert heads.phrase(799) == ""


class TestAddresses:
    @pytest.mark.parametrize(
        ("address", "is_secure", "host", "port", "target", "authority"),
        [
            ("ws://here", False, "here", 80, "/", "here"),
            ("wss://here/", True, "here", 443, "/", "here"),
            ("http://here:80/a", False, "here", 80, "/a", "here"),
            ("https://here:80/a?b", True, "here", 80, "/a?b", "here:80"),
            ("ws://HERE:8765/a/b?c=d&e", False, "here", 8765, "/a/b?c=d&e", "here:8765"),
            ("ws://[::1]:99/", False, "::1", 99, "/", "[::1]:99"),
            ("ws://bücher.example/ä?ö=ü z", False, "xn--bcher-kva.example", 80, "/%C3%A4?%C3%B6=%C3%BC%20z", None),
            ("ws://here/a%20b", False, "here", 80, "/a%20b", "here"),
            ("ws://here?x=1", False, "here", 80, "/?x=1", "here"),
        ],
    )
    def test_what_an_address_says(
        self, address: str, is_secure: bool, host: str, port: int, target: str, authority: str | None
    ) -> None:
        where = WebSocketAddress.parse(address)
        assert (where.is_secure, where.host, where.port, where.target) == (is_secure, host, port, target)
        assert where.authority == (authority or host)

    def test_credentials_are_kept_apart(self) -> None:
        where = WebSocketAddress.parse("wss://us:p%40ss@here/desk?token=abcdefgh")
        assert where.credentials == "us:p@ss"
        assert where.shown == "wss://here/desk?token=***"
        assert WebSocketAddress.parse("ws://us@here").credentials == "us:"

    def test_the_same_address_elsewhere(self) -> None:
        assert WebSocketAddress.parse("https://here:0/desk").at("there", 7) == "wss://there:7/desk"
        assert WebSocketAddress.parse("ws://[::]:0").at("::1", 7) == "ws://[::1]:7"

    @pytest.mark.parametrize("port", ["+80", "-1", "8_0", "0x50", "٨٠", "65536", "9" * 5000])
    def test_ports_that_are_none(self, port: str) -> None:
        with pytest.raises(ValueError, match="the port is none: ") as caught:
            WebSocketAddress.parse(f"ws://here:{port}/desk")
        assert len(str(caught.value)) < 100
