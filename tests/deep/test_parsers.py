"""Every parser, given what is nearly right: it reads it, or says in an error of ours what is wrong.

The inputs are good ones with bytes cut out, doubled, overwritten and put in. How long it takes is bounded by the number
of examples.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import ACCEPT, ANSWER, COMPRESSED_ANSWER, REQUEST
from wounding import CUTS, in_pieces, mutated

from antiphon import (
    Cbor,
    Codec,
    DialectError,
    GraphqlWs,
    Json,
    JsonRpc,
    Lsp,
    MessagePack,
    Mqtt,
    Ocpp,
    OpeningRefused,
    Protobuf,
    Raw,
    RecordingError,
    Resp,
    ScenarioError,
    SocketIo,
    Stomp,
    Text,
    Xml,
)
from antiphon.conversation.http_response import HttpResponse
from antiphon.conversation.message import Message
from antiphon.dialect.meeting import Meeting
from antiphon.journal.file import read_journal
from antiphon.journal.masking import Masker
from antiphon.stand.stand import load_stand, stand_names
from antiphon.stand.users_csv import read_users
from antiphon.transport import http1_head as heads
from antiphon.transport.content_coding import decoder_for
from antiphon.transport.http1_body import Body, body_of_request, body_of_response
from antiphon.transport.websocket.address import WebSocketAddress
from antiphon.transport.websocket.deflate import Deflater, Inflater, Terms, accept_terms, answer_offers
from antiphon.transport.websocket.rfc6455 import Assembly, Violation

pytestmark = pytest.mark.deep
QUICK = settings(max_examples=2_000, suppress_health_check=list(HealthCheck), deadline=None)
EACH = settings(QUICK, max_examples=300)
"""For tests that are there once for each dialect."""

LIMIT_BYTES = 10_000
desk_pb2 = grpc.protos("desk.proto")


# -- the wire ----------------------------------------------------------------------------------------------------------


def frame(first: int, payload: bytes, *, is_masked: bool) -> bytes:
    size = len(payload)
    length = bytes([size | is_masked << 7]) if size < 126 else bytes([126 | is_masked << 7]) + size.to_bytes(2, "big")
    return bytes([first]) + length + (bytes(4) if is_masked else b"") + payload


def talk(*, is_masked: bool) -> bytes:
    payloads = [(0x81, b"hello"), (0x01, b"gr\xc3"), (0x80, b"\xbcn"), (0x89, b"you?"), (0x82, bytes(200))]
    payloads += [(0xC1, Deflater(Terms()).deflate(b"deflated " * 20)), (0x88, b"\x03\xe8bye")]
    return b"".join(frame(first, payload, is_masked=is_masked) for first, payload in payloads)


@QUICK
@given(data=mutated(talk(is_masked=True)), cuts=CUTS, compression=st.booleans())
def test_frames_of_a_client(reading: Any, data: bytes, cuts: list[int], compression: bool) -> None:
    outcome = reading.as_server([REQUEST, *in_pieces(data, cuts)], compression=compression)
    assert outcome == reading.as_server([REQUEST, data], compression=compression)
    assert outcome.ending is not None


@QUICK
@given(data=mutated(talk(is_masked=False)), cuts=CUTS, compression=st.booleans())
def test_frames_of_a_server(reading: Any, data: bytes, cuts: list[int], compression: bool) -> None:
    head = COMPRESSED_ANSWER if compression else ANSWER
    outcome = reading.as_client([head, *in_pieces(data, cuts)], compression=compression)
    assert outcome == reading.as_client([head, data], compression=compression)
    assert outcome.ending is not None


@QUICK
@given(data=mutated(REQUEST, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), cuts=CUTS)
def test_heads_of_requests(reading: Any, data: bytes, cuts: list[int]) -> None:
    outcome = reading.as_server(in_pieces(data, cuts), compression=True)
    assert outcome == reading.as_server([data], compression=True)
    assert outcome.written[:9] in (b"", b"HTTP/1.1 ")


CHUNKED = b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nwho \r\n8\r\nare you?\r\n0\r\nA: b\r\n\r\n"
SIZED = b"HTTP/1.1 503 Busy\r\nContent-Length: 12\r\nRetry-After: 5\r\n\r\nlater, maybe"


@QUICK
@given(data=mutated(COMPRESSED_ANSWER, CHUNKED, SIZED), cuts=CUTS)
def test_heads_of_answers(reading: Any, data: bytes, cuts: list[int]) -> None:
    # The placeholder for the key's answer must come in one piece, or in none.
    place = data.find(ACCEPT)
    pieces = in_pieces(data, cuts) if place < 0 else [data]
    outcome = reading.as_client(pieces, compression=True)
    assert outcome == reading.as_client([data], compression=True)


@QUICK
@given(data=mutated(CHUNKED.partition(b"\r\n\r\n")[2], b"5\r\nhello\r\n0\r\n\r\n"), cuts=CUTS)
def test_chunks(data: bytes, cuts: list[int]) -> None:
    def verdict(pieces: Sequence[bytes]) -> tuple[int, bool, bytes, str]:
        body = body_of_response(heads.read_response(b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked"), LIMIT_BYTES)
        taken, error = 0, ""
        for piece in pieces:
            try:
                size = body.take(piece)
            except ValueError as wrong:
                return 0, False, b"", str(wrong)
            assert size == len(piece) or body.is_done
            taken += size
        return taken, body.is_done, bytes(body.content), error

    assert verdict(in_pieces(data, cuts)) == verdict([data])


@QUICK
@given(head=mutated(REQUEST[:-4], b"POST /x HTTP/1.1\r\nContent-Length: 12\r\nCookie: a=b\r\ncookie: c=d"))
def test_bodies_of_requests(head: bytes) -> None:
    with suppress(ValueError):
        request = heads.read_request(head)
        assert isinstance(body_of_request(request), Body)


EXTENSIONS = b'permessage-deflate; client_max_window_bits=10; server_no_context_takeover, x; y="z", permessage-deflate'


@QUICK
@given(header=mutated(EXTENSIONS))
def test_extensions(header: bytes) -> None:
    with suppress(ValueError):
        found = heads.extensions({"Sec-WebSocket-Extensions": header.decode("latin-1")})
        answer_offers(found)
        for _, parameters in found:
            with suppress(ValueError):
                accept_terms(parameters)


@QUICK
@given(address=mutated(b"wss://us:pw@here:8765/desk?seat=7", "ws://bücher.example/ä".encode(), b"ws://[::1]:99/"))
def test_addresses(address: bytes) -> None:
    for text in (address.decode("latin-1"), address.decode("utf-8", "replace")):
        with suppress(ValueError):
            where = WebSocketAddress.parse(text)
            assert 0 <= where.port <= 65535
            assert where.target.isascii()


def compressed(*messages: bytes) -> bytes:
    deflater = Deflater(Terms())
    return b"".join(deflater.deflate(message) for message in messages)


@QUICK
@given(
    payloads=st.lists(mutated(compressed(b"hello " * 9), b"\x03\x00\x03\x00\x00", zlib.compress(bytes(50_000))[2:-4])),
    keeps=st.booleans(),
)
def test_deflate(payloads: list[bytes], keeps: bool) -> None:
    machine = Assembly(LIMIT_BYTES, Inflater(Terms(keeps_receive_context=keeps)))
    with suppress(Violation):
        for payload in payloads:
            message = machine.take(0x2, True, 4, payload)
            assert message is not None
            assert len(message) <= LIMIT_BYTES


@QUICK
@given(
    coding=st.sampled_from(["gzip", "deflate"]),
    data=mutated(gzip.compress(b"hello " * 99), zlib.compress(b"hello " * 99), compressed(b"hello")),
    cuts=CUTS,
)
def test_content_codings(coding: str, data: bytes, cuts: list[int]) -> None:
    def verdict(pieces: Sequence[bytes]) -> bytes | None:
        decoder = decoder_for(coding)
        try:
            said = b"".join(part for piece in pieces for part in decoder.decode(piece))
            decoder.end()
        except ValueError:
            return None
        return said

    assert verdict(in_pieces(data, cuts)) == verdict([data])


@QUICK
@given(
    kind=mutated(b"application/json; charset=utf-8", b"text/plain"),
    charset=mutated(b"utf-8", b"idna", b"rot13", b"undefined", b"utf-16"),
    body=mutated(b'{"a": [1, 2.5, null, "\\u00e4"]}'),
)
def test_answers_over_http(kind: bytes, charset: bytes, body: bytes) -> None:
    lines = [("content-type", kind.decode("latin-1"))]
    response = HttpResponse.of(200, lines, {}, body, charset.decode("latin-1"))
    assert isinstance(response.text, str)


# -- dialects ----------------------------------------------------------------------------------------------------------

CENTRE = Json("action", "data", reply="result{Name}", failed={"result": "error"}, id="data.requestID")
DIALECTS = {
    "json": Json(),
    "centre": CENTRE,
    "error": Json("t", "b", reply="{name}Done", error="error", error_of="action", provisional={"more": True}),
    "nested": Json("head.type", "head.body", id="head.id", envelope={"v": 1}),
    "array": Json("[2].name", "[3]", id="[1]", reply="{name}!", envelope={"[0]": 1}),
    "messagepack": MessagePack("t", "b", id="b.id", reply="{name}!", provisional={"more": True}),
    "messagepack array": MessagePack("[0]", "[1][0]", id="[2]"),
    "cbor": Cbor("t", "b", id="id", reply="{name}!", failed={"bad": True}),
    "rpc": JsonRpc(),
    "rpc server": JsonRpc(is_server=True),
    "rpc 1.0": JsonRpc(version=None, is_strict=False),
    "graphql": GraphqlWs(),
    "graphql server": GraphqlWs(),
    "ocpp": Ocpp(),
    "lsp": Lsp(),
    "lsp server": Lsp(is_server=True),
    "xml": Xml(
        "@t", "b", id="@id", reply="{name}!", namespaces={"p": "u:v"}, envelope={"#name": "m"}, limit_elements=50
    ),
    "xml bytes": Xml(encoding="utf-16", namespaces={"": "u:v"}, lists=["b"]),
    "protobuf": Protobuf(desk_pb2.Said, desk_pb2.Heard, id="request"),
    "protobuf server": Protobuf(desk_pb2.Said, desk_pb2.Said, id="request", reply="re_{name}"),
    "text": Text(),
    "raw": Raw(),
}
SAID = mutated(
    b'{"action":"newCall","data":{"requestID":7,"to":"89","result":"error"}}',
    b'{"head":{"type":"x","id":"a","body":{"more":true}}}',
    b'[{"jsonrpc":"2.0","id":1,"method":"a","params":[1]},{"jsonrpc":"2.0","id":1,"result":null}]',
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}',
    b'{"t":"error","b":{"action":"a"}}',
    b'{"type":"connection_init","payload":{"a":[null]}}',
    b'{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":{},"operationName":null}}',
    b'{"id":"1","type":"next","payload":{"data":null}}',
    b'{"id":"1","type":"error","payload":[{"message":"x"}]}',
    b'{"id":"1","type":"complete"}',
    b'{"type":"ping","payload":null}',
    b'[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}]',
    b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":[1]}}',
    b'[2,"1","BootNotification",{"chargePointModel":"x"}]',
    b'[3,"1",{"status":"Accepted"}]',
    b'[4,"1","NotSupported","why",{"a":1}]',
    b'[1,2,{"name":"a!"},{"b":[null]}]',
    b"\x82\xa1t\xa2a!\xa1b\x83\xa2id\x01\xa4more\xc3\xa4data\xc4\x02\x00\xff",
    b"\x93\xa1a\x91\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x01\xd4\x05\x01",
    b"\xa3\x61t\x62a!\x62id\x01\x61b\xa2\x63bad\xf5\x64when\xc1\x1a\x51\x4b\x67\xb0",
    b'<?xml version="1.0" encoding="UTF-8"?><m t="a!" id="1" xmlns:q="u:v"><b><q:c q:d="&#228;">x</q:c><b/>y</b></m>',
    b'\xef\xbb\xbf<!DOCTYPE m [<!ENTITY x "y"><!ENTITY z SYSTEM "file:///etc/passwd">]><m xmlns="u:v">&x;&z;&lt;</m>',
    b'<?xml version="1.0" encoding="windows-1252"?><m t="a"><![CDATA[<b>\x80]]><!-- c --><?p i?></m>',
    '<?xml version="1.0" encoding="utf-16"?><m><b>ä</b><b a="1">🙂</b></m>'.encode("utf-16"),
    desk_pb2.Said(
        request=1, order={"what": "tea", "many": [1], "extra": {"a": b"x"}, "next": [{}]}
    ).SerializeToString(),
    desk_pb2.Heard(request=1, cancelled={"number": "7"}).SerializeToString(),
    b"\x9f\xd8\x1c\x81\xd8\x1d\x00\xc4\x82\x21\x19\x6a\xb3\xd8\x23\x63(a+\xff",
)


@pytest.mark.parametrize("name", DIALECTS)
@EACH
@given(said=st.lists(SAID, max_size=4))
def test_dialects(name: str, said: list[bytes]) -> None:
    codec = DIALECTS[name].codec(Meeting("server" if name.endswith("server") else "client"))
    with suppress(DialectError):
        codec.request("subscribe" if name == "graphql" else "newCall", {"to": "89"})
    for data in said:
        for form in (data, data.decode("utf-8", "replace"), data.decode("latin-1")):
            with suppress(DialectError):
                for message in codec.decode(form):
                    assert isinstance(message, Message)
                    assert message.name
            for owed in codec.owed():
                json.loads(owed.raw if isinstance(owed, Message) else owed)


KEYS = st.text() | st.integers() | st.decimals(allow_nan=False)
BODIES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.uuids()
    | st.dates()
    | st.builds(object),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner) | st.tuples(inner),
    max_leaves=6,
)


@pytest.mark.parametrize("name", DIALECTS)
@EACH
@given(body=BODIES)
def test_what_dialects_write_can_be_read(name: str, body: Any) -> None:
    codec = DIALECTS[name].codec(Meeting())
    with suppress(DialectError):
        message = codec.encode("newCall", body)
        if isinstance(DIALECTS[name], (Json, JsonRpc)):
            json.loads(message.raw, parse_constant=_no_constant)
        assert list(DIALECTS[name].codec(Meeting()).decode(message.raw))


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


# -- dialects that find their own borders -----------------------------------------------------------------------------

RESP = Resp(limit_bytes=LIMIT_BYTES)
HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
RESP_HEARD = (
    b"+OK\r\n-ERR x\r\n:-1\r\n(99999999999999999999\r\n,1e3\r\n#t\r\n_\r\n$-1\r\n",
    b">3\r\n+message\r\n$1\r\na\r\n$4\r\na\r\nb\r\n>3\r\n+subscribe\r\n+a\r\n:1\r\n>2\r\n+subscribe\r\n*0\r\n",
    b"|1\r\n+ttl\r\n:5\r\n*3\r\n%1\r\n*1\r\n:1\r\n+v\r\n~1\r\n=7\r\ntxt:abc\r\n!5\r\nERR x\r\n",
)
RESP_ASKED = (
    b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\xff\x00\r\n*1\r\n$4\r\nPING\r\n",
    b"*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n",
)


def resp_client() -> Codec:
    codec = RESP.codec(Meeting())
    list(codec.opening())
    list(codec.decode(HELLO))
    for name, body in (("GET", "a"), ("SUBSCRIBE", ["a", "b"]), ("UNSUBSCRIBE", None), ("PING", None), ("GET", "b")):
        codec.request(name, body)
    return codec


def resp_server() -> Codec:
    codec = RESP.codec(Meeting("server"))
    list(codec.decode(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"))
    return codec


MQTT_SAID = (
    b"\x30\x05\x00\x01ahi\x32\x06\x00\x01a\x00\x07x\x3c\x06\x00\x01a\x00\x08x\x62\x02\x00\x08\x40\x02\x00\x01",
    b"\x50\x02\x00\x02\x70\x02\x00\x02\x90\x03\x00\x03\x01\xb0\x02\x00\x04\xd0\x00\x40\x04\x00\x01\x10\x00",
    b"\x82\x06\x00\x05\x00\x01#\x01\xa2\x05\x00\x06\x00\x01#\xc0\x00\xe0\x00",
    b"\x30\x0f\x00\x01a\x0b\x26\x00\x01k\x00\x01v\x23\x00\x01\x01h\xe0\x05\x8e\x03\x1f\x00\x00",
    b"\x30\x07\x00\x00\x03\x23\x00\x01h",
)
MQTT_OPENING = (
    b"\x10\x17\x00\x04MQTT\x04\xc2\x00\x3c\x00\x03kit\x00\x01u\x00\x03pwd\xc0\x00",
    b"\x10\x1d\x00\x04MQTT\x05\x2e\x00\x3c\x05\x11\x00\x00\x00\x09\x00\x01c\x00\x00\x01w\x00\x02by",
    b"\x20\x02\x00\x00\x20\x08\x00\x00\x05\x12\x00\x02me\x20\x03\x01\x87\x00",
)


def mqtt_client(version: Any) -> Codec:
    codec = Mqtt(version, payload="json" if version == "5" else "text", limit_bytes=LIMIT_BYTES).codec(Meeting())
    list(codec.opening())
    list(codec.decode(b"\x20\x03\x00\x00\x00" if version == "5" else b"\x20\x02\x00\x00"))
    for qos in (1, 2):
        codec.request("PUBLISH", {"topic": "a", "qos": qos})
    codec.request("SUBSCRIBE", {"topics": {"a": 1}})
    codec.request("UNSUBSCRIBE", {"topics": ["a"]})
    return codec


def mqtt_server(version: str) -> Codec:
    codec = Mqtt(limit_bytes=LIMIT_BYTES).codec(Meeting("server"))
    (connect,) = Mqtt(version, client_id="c").codec(Meeting()).opening()  # type: ignore[arg-type]
    list(codec.decode(connect.raw))  # type: ignore[union-attr]
    return codec


STOMP_SAID = (
    b"\nSEND\ndestination:a\\c\ncontent-length:3\nreceipt:1\n\na\0b\0\r\nSEND\r\ncontent-type:application/json\r\n\r\n[1]\0",
    b"RECEIPT\nreceipt-id:1\n\n\0MESSAGE\n\n\xff\0ERROR\nmessage:x\nreceipt-id:1\n\n\0DISCONNECT\nreceipt:2\n\n\0",
)
STOMP_OPENING = (
    b"CONNECT\naccept-version:1.1,1.2\nhost:x\nheart-beat:1,2\n\n\0SEND\n\n\0",
    b"CONNECTED\nversion:1.2\nheart-beat:10,0\n\n\0ERROR\nmessage:x\n\n\0",
    b"ERROR\nmessage:x\n\nno\0",
)


def stomp(side: Any) -> Codec:
    codec = Stomp(limit_bytes=LIMIT_BYTES).codec(Meeting(side))
    list(codec.decode(STOMP_OPENING[0].partition(b"\0")[0] + b"\0" if side == "server" else b"CONNECTED\n\n\0"))
    return codec


STREAMS = {
    **{f"stomp {side}": (partial(stomp, side), mutated(*STOMP_SAID)) for side in ("client", "server")},
    "stomp opening": (lambda: Stomp().codec(Meeting()), mutated(*STOMP_OPENING)),
    "stomp opening server": (lambda: Stomp().codec(Meeting("server")), mutated(*STOMP_OPENING)),
    **{f"mqtt {version}": (partial(mqtt_client, version), mutated(*MQTT_SAID)) for version in ("3.1.1", "5")},
    **{f"mqtt {version} server": (partial(mqtt_server, version), mutated(*MQTT_SAID)) for version in ("3.1.1", "5")},
    "mqtt opening": (lambda: Mqtt("5").codec(Meeting()), mutated(*MQTT_OPENING)),
    "mqtt opening server": (lambda: Mqtt().codec(Meeting("server")), mutated(*MQTT_OPENING)),
    "resp": (resp_client, mutated(*RESP_HEARD)),
    "resp server": (resp_server, mutated(*RESP_ASKED)),
    "resp opening": (lambda: RESP.codec(Meeting("server")), mutated(*RESP_ASKED)),
}


def outcome_of(codec: Codec, pieces: Sequence[bytes]) -> tuple[list[tuple[str, str, Any]], str, str]:
    """What was heard and owed, and how it ended: with an error of ours, or not."""
    heard: list[tuple[str, str, Any]] = []
    owed, trouble = b"", ""
    list(codec.owed())
    for piece in pieces:
        try:
            # In place: what came before an error counts. By their texts: NaN is not what it is.
            heard.extend((message.name, repr(message.body), message.reply_to) for message in codec.decode(piece))
        except (DialectError, OpeningRefused) as error:
            trouble = str(error)
        for message in codec.owed():
            assert isinstance(message, Message)
            owed += bytes(message.raw) if isinstance(message.raw, bytes) else message.raw.encode()
    return heard, repr(owed), trouble


@pytest.mark.parametrize("name", STREAMS)
@EACH
@given(chance=st.data(), cuts=CUTS)
def test_streams(name: str, chance: st.DataObject, cuts: list[int]) -> None:
    make, said = STREAMS[name]
    data = chance.draw(said)
    whole = outcome_of(make(), [data])
    assert outcome_of(make(), in_pieces(data, cuts)) == whole
    if len(data) < 300:
        assert outcome_of(make(), [bytes([byte]) for byte in data]) == whole


SOCKETIO_HEARD = (
    b'42["news",{"a":[null]},"Q8UoewN"]',
    b'42/admin,7["x","y"]',
    b'430[{"code":1}]',
    b'452-/admin,0["x",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]',
    b'461-1[{"_placeholder":true,"num":0}]',
    b'40/admin,{"sid":"s","pid":"p"}',
    b'44{"message":"no","data":{"a":1}}',
    b"41/admin,",
    b"2",
    b"\x00\xff",
)
SOCKETIO_OPEN = b'0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'


def socketio(side: Any, *, is_open: bool) -> Codec:
    codec = SocketIo(namespaces=["/", "/admin"], limit_bytes=LIMIT_BYTES, failed={"code": 1}).codec(Meeting(side))
    list(codec.opening())
    for frame in (SOCKETIO_OPEN.decode(), '40{"sid":"s","pid":"p"}', '40/admin,{"sid":"s"}') if is_open else ():
        if side == "client" or frame[0] == "4":
            list(codec.decode(frame))
    codec.owed()
    for name in ("news", "/admin,x") if is_open else ():
        codec.request(name, None)
    return codec


@pytest.mark.parametrize("side", ["client", "server"])
@EACH
@given(
    frames=st.lists(st.tuples(mutated(*SOCKETIO_HEARD, SOCKETIO_OPEN), st.booleans()), max_size=6),
    is_open=st.booleans(),
)
def test_socketio(side: str, frames: list[tuple[bytes, bool]], is_open: bool) -> None:
    codec = socketio(side, is_open=is_open)
    for data, is_binary in frames:
        with suppress(DialectError, OpeningRefused):
            for message in codec.decode(data if is_binary else data.decode("utf-8", "replace")):
                assert message.name
                assert len(message.raw) <= 2 * LIMIT_BYTES
        for owed in codec.owed():
            assert isinstance(owed, Message)
            assert owed.name in ("pong", "connect", "connect_error")
    assert len(codec._reader._attachments) <= LIMIT_BYTES  # type: ignore[attr-defined]


# -- files -------------------------------------------------------------------------------------------------------------

JOURNAL = (
    b'{"kind":"run-started","at_ns":0,"scenario":"s","parameters":{},"actors":{},"stand":"","started_at":"",'
    b'"antiphon":"1","python":"3","pid":1}\n'
    b'{"kind":"http-requested","at_ns":1,"actor":"a","channel":"api","step":0,"number":1,"method":"GET","url":"http://x",'
    b'"request_headers":{},"request_body":""}\n'
    b'{"kind":"said","actor":"a","channel":"c","is_sent":true,"number":1,"name":"n","text":"{}","at_ns":5}\n'
    b'{"kind":"said","actor":"a","channel":"c","is_sent":false,"number":1,"name":"n","base64":"AAE=","at_ns":6}\n'
    b'{"kind":"run-ended","at_ns":9,"verdict":"passed"}\n'
)
STAND = (
    b'default = "local"\n[stands.local]\ncentre = "http://127.0.0.1:8765"\nwithin_s = 5\nusers_within_s = 1.5\n'
    b'secrets = ["pin"]\nusers = [{ name = "alice", password = "x" }]\n[stands.other]\nusers = "users.csv"\n'
)
USERS = b'name,password,skills\nalice,x,voice chat\nbob,"y, z",\n'


def read_all(read: Callable[[Path], Any], path: Path, data: bytes, error: type[Exception]) -> None:
    path.write_bytes(data)
    with suppress(error):
        read(path)


@QUICK
@given(data=mutated(JOURNAL))
def test_journals(tmp_path: Path, data: bytes) -> None:
    def read(path: Path) -> None:
        for entry in read_journal(path):
            with suppress(ValueError):  # base64 that is none
                getattr(entry, "raw", None)

    read_all(read, tmp_path / "journal.jsonl", data, RecordingError)


@QUICK
@given(data=mutated(STAND), users=mutated(USERS))
def test_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, users: bytes) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "users.csv").write_bytes(users)
    for read in (stand_names, lambda _: load_stand(), lambda _: load_stand("local"), lambda _: load_stand("other")):
        read_all(read, tmp_path / "antiphon.toml", data, ScenarioError)


@QUICK
@given(data=mutated(USERS, USERS.replace(b",", b";"), USERS.replace(b"\n", b"\r\n")))
def test_users(tmp_path: Path, data: bytes) -> None:
    read_all(read_users, tmp_path / "users.csv", data, ScenarioError)


# -- secrets -----------------------------------------------------------------------------------------------------------

SECRETIVE = (
    b'{"user":"alice","password":"looking-glass-7","token":["tok-123456"],"n":{"Cookie":"session=abc123; theme=dark"}}'
)


@QUICK
@given(
    data=mutated(
        SECRETIVE, b"http://us:pw@here/?token=abcdefgh&x=1", b"Authorization: Bearer abc.def.ghi\r\nCookie: a=b"
    )
)
def test_masks(data: bytes) -> None:
    masker = Masker()
    for text in (data.decode("utf-8", "replace"), data.decode("latin-1")):
        with suppress(ValueError, RecursionError):
            masker.learn_from(json.loads(text))
        assert isinstance(masker.text(text), str)
        assert isinstance(masker.data(text), str)
        assert isinstance(masker.value({"text": text, "password": text})["text"], str)
    assert isinstance(masker.data(data), bytes)
    assert "looking-glass-7" not in masker.text(SECRETIVE.decode())
