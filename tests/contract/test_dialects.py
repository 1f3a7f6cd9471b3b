"""Every dialect keeps the contract; and the contract notices dialects that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

import grpc
import pytest
from club import Club, ClubCodec, Doorkeeper, Guest
from lines import Lines

from antiphon import (
    UNREADABLE,
    Cbor,
    Codec,
    Data,
    DialectError,
    ErrorReply,
    GraphqlWs,
    Json,
    JsonRpc,
    Lsp,
    Message,
    MessagePack,
    Mqtt,
    Ocpp,
    Opening,
    Protobuf,
    Raw,
    Resp,
    SocketIo,
    Stomp,
    Text,
    Xml,
)
from antiphon.dialect import Structured
from antiphon.dialect.event_stream import EventStream
from antiphon.dialect.meeting import Meeting
from antiphon.testing import dialects
from antiphon.testing.dialects import Script, Speech
from antiphon.testing.transports import Wires
from antiphon.transport.stream.tcp import TcpListener, TcpTransport
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.server import WebSocketListener

BODIES: list[tuple[str, Any]] = [
    ("newState", {"state": "ready", "since": None}),
    ("numbers", {"huge": 2**70, "float": 1.5, "negative": -1, "nested": [[{"a": []}], True]}),
    ("Grüße", {"text": 'Zeile\n"zwei" \\ \x00 🙂', "": ""}),
    ("empty", {}),
]
ANY_BODIES: list[tuple[str, Any]] = [*BODIES, ("list", [1, 2]), ("number", 5), ("text", "x")]

PACKED_BODIES: list[tuple[str, Any]] = [
    ("newState", {"state": "ready", "since": None}),
    ("numbers", {"large": 2**63, "float": 1.5, "negative": -1, "nested": [[{"a": []}], True]}),
    ("Grüße", {"text": 'Zeile\n"zwei" \\ \x00 🙂', "": "", "data": b"\x00\xff"}),
    ("dated", {"at": datetime(2026, 11, 27, 16, 0, tzinfo=UTC)}),
    ("empty", {}),
]
ANY_PACKED: list[tuple[str, Any]] = [("list", [1, 2]), ("number", 5), ("text", "x"), ("bytes", b"\xff")]


def json_speech(dialect: Structured, **changes: Any) -> Speech:
    return Speech(
        dialect, **{"samples": BODIES, "asks": ("getState", {"of": "me"}), "answer": {"state": "ready"}} | changes
    )


XML_BODIES: list[tuple[str, Any]] = [
    ("newState", {"state": "ready", "since": "", "@id": "7"}),
    (
        "Grüße",
        {"text": 'Zeile\n"zwei" \\ \r\t & <x> ]]> 🙂', "lines": {"line": ["a", " ", {"@n": "1", "#text": " x "}]}},
    ),
    ("empty", {}),
]
ORDERS = {"": "urn:orders", "o": "http://example.com/other"}

CENTRE: dict[str, Any] = {"name": "action", "body": "data", "reply": "result{Name}", "failed": {"result": "error"}}

SPEECHES = {
    "json": Speech(Json(), samples=BODIES),
    "json with a body": Speech(Json("action", "data"), samples=ANY_BODIES),
    "json by order": json_speech(Json(**CENTRE), samples=ANY_BODIES),
    "json by order, same name": json_speech(Json(reply="{name}", failed={"ok": False}), both_ask=False),
    "json by id in the body": json_speech(Json(**CENTRE, id="data.requestID")),
    "json by id beside the body": json_speech(Json(**CENTRE, id="id"), samples=ANY_BODIES),
    "json by id alone": json_speech(Json(id="id", failed={"error": ...}), both_ask=False),
    "json by uuid": json_speech(Json(**CENTRE, id="id", new_id=uuid4)),
    "json, nested paths": json_speech(
        Json("head.type", "load.body", reply="{name}.reply", id="head.id", failed={"status": {"code": {400, 404}}}),
        samples=ANY_BODIES,
    ),
    "json, id inside of a deeper body": json_speech(
        Json("type", "load.body", reply="{name}Reply", id="load.body.meta.id", failed={"bad": True})
    ),
    "json, name inside of the body": json_speech(Json("data.type", "data", reply="{name}Reply", failed={"bad": True})),
    "json with an error message": json_speech(Json("action", "data", reply="re:{name}", error="error", error_of="of")),
    "json with ids and an error message": json_speech(
        Json("action", "data", reply="re:{name}", id="id", error="error", error_of="about.action")
    ),
    "json with an envelope": json_speech(Json(**CENTRE, id="meta.id", envelope={"meta": {"version": 3}, "app": "x"})),
    "json judged by a function": json_speech(
        Json(reply="{name}Reply", failed=lambda body: body.get("code", 0) >= 400), refusal=(500, "broken")
    ),
    "json in arrays": json_speech(
        Json(
            "[3]", "[4]", reply="{name}_reply", id="[1]", failed={"status": "error"}, envelope={"[2]": "room", "[0]": 4}
        ),
        samples=ANY_BODIES,
    ),
    "json, an array inside": json_speech(
        Json("head[1].type", "body.items[0]", reply="{name}!", id="head[0]", failed={"bad": True}), samples=ANY_BODIES
    ),
    "json, id in an array in the body": json_speech(
        Json("type", "data", reply="{name}!", id="data.ids[1]", failed={"bad": True})
    ),
    "messagepack": Speech(MessagePack(), samples=PACKED_BODIES),
    "messagepack by order": json_speech(MessagePack(**CENTRE), samples=[*PACKED_BODIES, *ANY_PACKED]),
    "messagepack by id": json_speech(MessagePack(**CENTRE, id="id"), samples=PACKED_BODIES),
    "messagepack by bytes": json_speech(
        MessagePack(**CENTRE, id="id", new_id=lambda: uuid4().bytes), samples=PACKED_BODIES
    ),
    "messagepack in arrays": json_speech(
        MessagePack("[0]", "[2]", reply="re:{name}", id="[1]", failed={"bad": True}), samples=PACKED_BODIES
    ),
    "cbor": Speech(Cbor(), samples=PACKED_BODIES),
    "cbor by order": json_speech(Cbor(**CENTRE), samples=[*PACKED_BODIES, *ANY_PACKED, ("huge", {"n": 2**70})]),
    "cbor by id": json_speech(Cbor(**CENTRE, id="id"), samples=PACKED_BODIES),
    "xml": Speech(Xml(), samples=XML_BODIES),
    "xml by order": json_speech(
        Xml(reply="{name}Response", failed={"@result": "error"}), samples=XML_BODIES, asks=("getState", {"of": "me"})
    ),
    "xml by id": json_speech(Xml(reply="{name}Response", id="@id", failed={"code": ...}), samples=XML_BODIES),
    "xml with namespaces": json_speech(
        Xml("o:type", "payload", id="head.{urn:x.y}id", namespaces=ORDERS, envelope={"#name": "{urn:x.y}message"}),
        samples=[
            *XML_BODIES,
            ("names", {"o:a": {"@o:b": "1", "@{urn:orders}c": "2"}, "{}d": {"e": "f", "@{u:v}g": "3"}}),
        ],
        both_ask=False,
        can_refuse=False,
    ),
    "xml in latin-1": Speech(Xml("type", "body", encoding="iso-8859-1", envelope={"#name": "m"}), samples=XML_BODIES),
    "xml in utf-16": Speech(Xml(encoding="utf-16", lists=["line"]), samples=XML_BODIES),
    "json-rpc": Speech(
        JsonRpc(), samples=[*BODIES, ("list", [1, [2]]), ("nothing", None)], asks=("sum", [1, 2]), answer=3
    ),
    "json-rpc, null as an answer": Speech(JsonRpc(), samples=BODIES, asks=("shutdown", None), answer=None),
    "json-rpc 1.0": Speech(JsonRpc(version=None), samples=BODIES, asks=("sum", [1, 2]), answer={"sum": 3}),
    "json-rpc, a lenient server": Speech(
        JsonRpc(),
        samples=BODIES,
        asks=("sum", {"a": 1}),
        answer=[],
        peer=JsonRpc(is_strict=False, is_server=True),
    ),
    "text": Speech(Text(), samples=[("text", "hello"), ("text", ""), ("text", 'Grüße\n"zwei" 🙂')]),
    "text with names": Speech(
        Text(lambda text: text.partition(" ")[0]), samples=[("SET", "SET volume 5"), ("unnamed", "")]
    ),
    "raw": Speech(Raw(), samples=[("binary", b"\x00\xff"), ("text", "hello"), ("binary", b""), ("text", "")]),
    "events": Speech(
        EventStream(), samples=[("news", {"n": 1}), ("message", [1, "x\ny"]), ("nothing", None)], is_stream=True
    ),
    "events of text": Speech(
        EventStream(body="text"), samples=[("news", "one\ntwo"), ("message", ""), ("x", "grüß")], is_stream=True
    ),
    "resp": Speech(
        Resp(),
        samples=[],  # whatever a client says is a request
        hears=[
            (b">2\r\n+news\r\n$4\r\na\r\nb\r\n", "news", ["a\r\nb"]),
            (b">3\r\n+x\r\n%1\r\n$3\r\ngr\xc3\r\n*1\r\n,1.5\r\n_\r\n", "x", [{b"gr\xc3": [1.5]}, None]),
        ],
        asks=("GET", ["a", b"\xff"]),
        answer={"state": ["ready", None, 1.5, True]},
        is_stream=True,
        both_ask=False,
    ),
    "resp with a login": Speech(
        Resp(user="{user.name}", password="{user.password}"),
        samples=[],
        asks=("GET", ["a"]),
        answer="1",
        is_stream=True,
        both_ask=False,
        peer=Resp(user="alice", password="sesame"),
        user={"name": "alice", "password": "sesame"},
    ),
    "mqtt": Speech(
        Mqtt(client_id="kit", keep_alive_s=10),
        samples=[
            ("PUBLISH", {"topic": "calls/1", "payload": "neu: größer"}),
            ("PUBLISH", {"topic": "calls/1", "payload": b"\xff\x00", "qos": 1, "retain": True}),
            ("PUBLISH", {"topic": "ä", "payload": "", "qos": 2}),
        ],
        asks=("SUBSCRIBE", {"topics": {"calls/+": 1, "#": 2}}),
        answer={"codes": [1, 0]},
        is_stream=True,
        both_ask=False,
    ),
    "mqtt 5": Speech(
        Mqtt("5", user="{user.name}", password="{user.password}", payload="json", properties={"session_expiry": 5}),
        samples=[
            ("PUBLISH", {"topic": "a", "payload": {"n": [1, None]}, "properties": {"user_properties": [["k", "v"]]}}),
            ("PUBLISH", {"topic": "a", "payload": "x", "qos": 2, "properties": {"content_type": "json"}}),
        ],
        asks=("UNSUBSCRIBE", {"topics": ["calls/+"]}),
        answer={"codes": [17]},
        is_stream=True,
        both_ask=False,
        peer=Mqtt(user="alice", password="sesame", payload="json"),
        user={"name": "alice", "password": "sesame"},
    ),
    "stomp": Speech(
        Stomp(login="{user.name}", passcode="{user.password}", heart_beat_ms=(1000, 2000)),
        samples=[
            ("SEND", {"destination": "/queue/a", "body": {"n": [1, "größe"]}}),
            ("SEND", {"destination": "a:b\\\n\r", "body": "x\0y", "content-type": "text/plain"}),
            ("SEND", {"destination": "a", "body": b"\xff\x00"}),
            ("SEND", {"destination": ""}),
        ],
        asks=("SUBSCRIBE", {"destination": "/queue/a", "id": "0"}),
        answer={},
        is_stream=True,
        can_refuse=False,  # an ERROR ends the connection
        both_ask=False,
        peer=Stomp(login="alice", passcode="sesame", heart_beat_ms=(1500, 500)),
        user={"name": "alice", "password": "sesame"},
    ),
    "socket.io": Speech(
        SocketIo({"token": "{user.password}"}, ping_every_s=20, ping_within_s=10),
        samples=[
            *ANY_BODIES,
            ("several", ["x", {"n": 1.5}, None]),
            ("one that is a list", [[1, 2]]),
            ("one that is null", [None]),
            ("none", None),
            ("/,/a,b", "no namespace of ours"),
            ("data", {"file": b"\xff\x00", "more": [b"", {"name": "größe", "of": b"\x00" * 70_000}]}),
        ],
        asks=("add user", ["alice", b"\xff"]),
        answer={"users": [1, b"\x00"]},
        spans_frames=True,
        can_refuse=False,  # nobody said what a failure is
        peer=SocketIo(admit=lambda auth, namespace: auth == {"token": "sesame"}, ping_every_s=20, ping_within_s=10),
        user={"name": "alice", "password": "sesame"},
    ),
    "socket.io, namespaces": Speech(
        SocketIo(namespaces=["/chat", "/"], failed={"code": ...}),
        samples=[("news", "x"), ("/,news", {"n": 1}), ("/chat,/a,b", [1, b"2"])],
        asks=("/,sum", [1, 2]),
        answer=3,
        spans_frames=True,
    ),
    "lines": Speech(
        Lines(), samples=[("DOOR", "open"), ("PING", ""), ("OK", "by itself")], asks=("GET", "volume"), answer="5"
    ),
}


def club(dialect: Club | None = None, **changes: Any) -> Speech:
    """A dialect with two sides, a login, heartbeats that are agreed on, several answers and goodbyes."""
    said: dict[str, Any] = {"samples": [("news", "all is well"), ("empty", "")], "user": MEMBER, "can_refuse": False}
    asked = {"asks": ("list", None), "answer": "done", "interim": ("one", "two")}
    return Speech(dialect or Club(silence="20"), **{**said, **asked, **changes})


MEMBER = {"name": "alice", "password": "sesame"}


def greet(data: Data) -> Sequence[Data]:
    """What the club says, by hand."""
    verb, _, rest = str(data).partition(" ")
    key = rest.partition(" ")[0]
    return {"LOGIN": ["WELCOME t1"], "ASK": [f"MORE {key} one\nLAST {key} done"], "BYE": ["BYE"]}.get(verb, [])


SPEECHES["graphql"] = Speech(
    GraphqlWs({"token": "{user.password}"}, ping_every_s=20),
    samples=(),
    asks=("subscribe", {"query": "subscription { ticks }"}),
    answer={"data": {"ticks": 3}},
    both_ask=False,
    user=MEMBER,
    peer=GraphqlWs(admit=lambda payload: payload == {"token": "sesame"}),
)
SPEECHES["graphql, a subscription"] = Speech(
    GraphqlWs(),
    samples=(),
    asks=("subscribe", {"query": "subscription { ticks }", "variables": None}),
    answer={"data": {"ticks": 3}},
    interim=[{"data": {"ticks": 1}}, {"data": None, "errors": [{"message": "Grüße"}]}],
    both_ask=False,
)
SPEECHES["ocpp"] = Speech(
    Ocpp(),
    samples=(),
    asks=("BootNotification", {"chargePointModel": "Grüße", "n": [None, {"a": 1.5}]}),
    answer={"status": "Accepted"},
    refusal=("NotSupported", "not here"),
    hears=[
        ('[2,"a","Reset",{"type":"Soft"}]', "Reset", {"type": "Soft"}),
        ('[3,"a",{"status":"x"}]', "result", {"status": "x"}),
    ],
)
SPEECHES["ocpp 2.0.1, by uuid"] = Speech(
    Ocpp("2.0.1", new_id=uuid4),
    samples=(),
    asks=("Heartbeat", {}),
    answer={"currentTime": "2026-11-27T16:00:00Z"},
    refusal=("InternalError", ""),
)
desk_pb2 = grpc.protos("desk.proto")
SPEECHES["protobuf"] = Speech(
    Protobuf(desk_pb2.Said, desk_pb2.Said, id="request", reply="re_{name}", failed={"number": ""}),
    samples=[
        ("note", "größer"),
        ("order", {"what": "tea", "many": [1, -2], "kind": "FANCY", "extra": {"a": b"\xff"}, "price": 0.0, "next": []}),
    ],
    asks=("cancel", {"number": "7"}),
    answer={"number": "7", "message": "", "code": 0},
    refusal=(404, "unknown"),
)
SPEECHES["protobuf, a type for all"] = Speech(
    Protobuf(desk_pb2.Cancelled, desk_pb2.Cancelled),
    samples=[("Cancelled", {"number": "7", "message": "größer", "code": 2**31 - 1})],
)
SPEECHES["lsp"] = Speech(
    Lsp(), samples=[*BODIES, ("exit", None), ("list", [1, [2]])], asks=("textDocument/hover", {"line": 1}), answer=None
)
SPEECHES["club"] = club()
SPEECHES["club, by a script"] = club(
    Club(), peer=Script(greet), interim=(), hears=[("SAY news all is well", "news", "all is well"), ("SAY x", "x", "")]
)


@pytest.mark.parametrize("check", dialects.CHECKS, ids=dialects.name_of)
@pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES)
def test_contract(speech: Speech, check: Callable[[Speech], None]) -> None:
    if lacking := dialects.missing(check, speech):
        pytest.skip(f"this dialect lacks {' and '.join(lacking)}")
    check(speech)


class Cutting(TcpTransport):
    """TCP, of which a client hears each byte by itself."""

    async def connect(self, address: str, opening: Opening, receiver: Any) -> Any:
        class EachByte:
            on_opened, on_ended = receiver.on_opened, receiver.on_ended

            def on_data(self, data: bytes) -> None:
                for at in range(len(data)):
                    receiver.on_data(data[at : at + 1])

        return await super().connect(address, opening, EachByte())


def wires_of(speech: Speech) -> Wires:
    """A real wire for it: whatever is a stream is cut at every byte, and all else has frames."""
    if speech.is_stream:
        lacks = dict.fromkeys(("has_frames", "has_text", "has_codes"), False)
        return Wires(TcpListener(), Cutting(), "tcp://127.0.0.1:0", **lacks)
    return Wires(WebSocketListener(), WebSocketTransport(), "ws://127.0.0.1:0")


@pytest.mark.parametrize("speech", SPEECHES.values(), ids=SPEECHES)
def test_it_converses_over_a_real_wire(speech: Speech, run: Callable[[Any], None]) -> None:
    run(dialects.converse_over(speech, wires_of(speech)))


# -- does the contract notice? ----------------------------------------------------------------------------------------


class Notes(Codec):
    """Faultless: `KIND KEY NAME BODY` in a stream of lines, after a greeting; a dialect and its codec in one."""

    def __init__(self) -> None:
        self.is_ready = False
        self.rest = b""
        self.greetings: list[Data] = []
        self.new_id = count(1).__next__

    def codec(self, meeting: Meeting, /) -> Notes:
        return type(self)()

    def opening(self) -> Sequence[Data]:
        return [b"hello\n"]

    def owed(self) -> Sequence[Data]:
        owed, self.greetings = self.greetings, []
        return owed

    def decode(self, data: Data) -> Sequence[Message]:
        *lines, self.rest = (self.rest + (data.encode() if isinstance(data, str) else data)).split(b"\n")
        return [message for line in lines for message in self.read(line)]

    def read(self, line: bytes) -> Sequence[Message]:
        if line == b"hello":
            self.greetings += [] if self.is_ready else [b"hello\n"]
            self.is_ready = True
            return []
        parts = line.split(b" ", 3)
        if len(parts) != 4 or not parts[2].isalpha() or not parts[3].isascii():
            raise DialectError(f"no note: {line!r}")
        kind, key, name, body = (part.decode("latin-1") for part in parts)
        is_reply = kind in ("answer", "refusal")
        return [
            Message(
                name,
                body,
                line,
                None,
                key if is_reply else None,
                key,
                is_reply,
                is_reply,
                kind == "refusal",
                kind == "request",
            )
        ]

    def encode(self, name: str, body: Any, kind: str = "event", key: str = "0") -> Message:
        if not isinstance(body, str) or not body.isascii() or "\n" in body:
            raise DialectError(f"{body!r} is no text of a note")
        return Message(name, body, f"{kind} {key} {name} {body}\n".encode())

    def request(self, name: str, body: Any) -> Message:
        key = str(self.new_id())
        request = self.encode(name, body, "request", key)
        request.asks = key
        return request

    def answer(self, request: Message, body: Any) -> Message:
        return self.encode(request.name, body, "answer", str(request.asks))

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        return self.encode(request.name, refusal.message, "refusal", str(request.asks))


def notes(dialect: Notes) -> Speech:
    return Speech(dialect, samples=[("door", "open"), ("ping", "")], asks=("count", "a b"), answer="2", is_stream=True)


@pytest.mark.parametrize("check", dialects.CHECKS, ids=dialects.name_of)
def test_a_stream_with_an_opening_keeps_the_contract(check: Callable[[Speech], None]) -> None:
    check(notes(Notes()))


class LosesBodies(Notes):
    def encode(self, name: str, body: Any, kind: str = "event", key: str = "0") -> Message:
        return super().encode(name, "" if kind == "event" else body, kind, key)


class HearsTwice(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        return [*super().read(line)] * 2


class BundlesTheFirst(Notes):
    def bundle(self, messages: Sequence[Message]) -> Sequence[Data]:
        return [messages[0].raw]


class ForgetsTheRest(Notes):
    def decode(self, data: Data) -> Sequence[Message]:
        self.rest = b""
        return super().decode(data)


class FailsToSay(Notes):
    def encode(self, name: str, body: Any, kind: str = "event", key: str = "0") -> Message:
        return super().encode(name, body + "", kind, key)


class SaysHalfCharacters(Notes):
    def encode(self, name: str, body: Any, kind: str = "event", key: str = "0") -> Message:
        if body == "\ud800":
            return Message(name, body, body)
        return super().encode(name, body, kind, key)


class FailsToHear(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        if line != b"hello":
            line.decode("ascii").split(" ")[3]
        return super().read(line)


class GivesNoName(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        return [Message("", "", line)] if not line else super().read(line)


class HidesWhatItCannotRead(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        return [Message(UNREADABLE, "", line)] if not line.isascii() else super().read(line)


class IsOneForAll(Notes):
    def codec(self, meeting: Meeting, /) -> Notes:
        return self


class SharesItsRest(Notes):
    shared: ClassVar[dict[str, bytes]] = {}

    def decode(self, data: Data) -> Sequence[Message]:
        self.rest = self.shared.pop("rest", b"")
        try:
            return super().decode(data)
        finally:
            self.shared["rest"] = self.rest


class OwesNumbers(Notes):
    def closing(self) -> Sequence[Data]:
        return [5]  # type: ignore[list-item]


class IsNeverReady(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        heard = super().read(line)
        self.is_ready = False
        self.greetings = []
        return heard


class GreetsForEver(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        self.is_ready = False
        return super().read(line)


class ThanksForThanks(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        if line != b"hello":
            self.greetings.append(b"thanks\n")
        return [] if line == b"thanks" else super().read(line)


class AsksWithoutAKey(Notes):
    def request(self, name: str, body: Any) -> Message:
        return self.encode(name, body, "request")


class RepeatsKeys(Notes):
    def __init__(self) -> None:
        super().__init__()
        self.new_id = iter([1, 2, 3, 1, 2, 3]).__next__


class AnswersTheWrongOne(Notes):
    def answer(self, request: Message, body: Any) -> Message:
        return self.encode(request.name, body, "answer", f"{request.asks}0")


class AnswersWithARefusal(Notes):
    def answer(self, request: Message, body: Any) -> Message:
        return self.encode(request.name, body, "refusal", str(request.asks))


class NeverEnds(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        heard = super().read(line)
        for message in heard:
            message.is_last = False
        return heard


class RefusesWithAnAnswer(Notes):
    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        return self.answer(request, refusal.message)


class TakesRequestsForReplies(Notes):
    def read(self, line: bytes) -> Sequence[Message]:
        heard = super().read(line)
        for message in heard:
            message.reply_to = message.asks
        return heard


FAULTS = {
    LosesBodies: dialects.what_is_said_is_heard,
    HearsTwice: dialects.order_is_kept_both_ways,
    BundlesTheFirst: dialects.a_bundle_is_heard_as_its_messages,
    ForgetsTheRest: dialects.a_stream_may_be_cut_anywhere,
    FailsToSay: dialects.what_cannot_be_said_is_a_dialect_error,
    SaysHalfCharacters: dialects.what_cannot_be_said_is_a_dialect_error,
    FailsToHear: dialects.garbage_is_a_dialect_error,
    GivesNoName: dialects.garbage_is_a_dialect_error,
    HidesWhatItCannotRead: dialects.garbage_is_a_dialect_error,
    IsOneForAll: dialects.each_connection_has_its_own_codec,
    SharesItsRest: dialects.each_connection_has_its_own_codec,
    OwesNumbers: dialects.a_codec_owes_data,
    IsNeverReady: dialects.a_codec_owes_data,
    GreetsForEver: dialects.a_codec_owes_data,
    ThanksForThanks: dialects.what_is_said_is_heard,
    AsksWithoutAKey: dialects.an_answer_belongs_to_its_request,
    RepeatsKeys: dialects.an_answer_belongs_to_its_request,
    AnswersTheWrongOne: dialects.an_answer_belongs_to_its_request,
    AnswersWithARefusal: dialects.an_answer_belongs_to_its_request,
    NeverEnds: dialects.an_answer_belongs_to_its_request,
    RefusesWithAnAnswer: dialects.a_refusal_is_a_failure,
    TakesRequestsForReplies: dialects.a_request_of_the_peer_is_no_reply,
}


@pytest.mark.parametrize(("faulty", "check"), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS])
def test_the_contract_notices(faulty: type[Notes], check: Callable[[Speech], None]) -> None:
    with pytest.raises(AssertionError) as failure:
        check(notes(faulty()))
    assert str(failure.value)


class Faulty(Club):
    """A club both of whose sides have one fault, a method that takes the place of another."""

    def __init__(self, name: str, method: Any, **options: Any) -> None:
        super().__init__(**{"silence": "20", **options})
        self.fault = (name, method)

    def codec(self, meeting: Meeting, /) -> ClubCodec:
        name, method = self.fault
        kind = type("Faulty", (Guest if meeting.side == "client" else Doorkeeper,), {name: method})
        codec: ClubCodec = kind(self, meeting)
        for option, value in self.options.items():
            setattr(codec, option, value)
        return codec


def ends_too_early(codec: ClubCodec, request: Message, body: Any) -> Message:
    return codec.answer(request, body)


def says_that_it_is_the_last(codec: ClubCodec, request: Message, body: Any) -> Message:
    answer = Message("answer", body, f"MORE {request.asks} {body}")
    answer.is_last = True
    return answer


def keeps_its_goodbye(codec: ClubCodec, line: str, _rest: str) -> Message:
    return Message("bye", None, line, is_protocol=True)


def fails_on_a_channel(codec: ClubCodec, line: str, rest: str) -> Message:
    if codec.meeting.subprotocols is not None and getattr(codec, "has_heard", False):
        raise IndexError("list index out of range")
    codec.has_heard = True  # type: ignore[attr-defined]
    return Message(rest.partition(" ")[0], rest.partition(" ")[2], line)


CLUB_FAULTS = {
    "an interim answer that is a last one": (
        ("answer_interim", ends_too_early),
        dialects.several_answers_belong_to_their_request,
        "ends its exchange, and others follow|ends the exchange, and others follow",
    ),
    "an interim answer that is said to be the last": (
        ("answer_interim", says_that_it_is_the_last),
        dialects.several_answers_belong_to_their_request,
        "was to be an answer before the last",
    ),
    "a word for what is given up that nobody knows": (
        ("cancel", lambda codec, request: ("FORGET it",)),
        dialects.what_is_given_up_is_told,
        "is not understood",
    ),
    "another request is given up": (
        ("cancel", lambda codec, request: (f"STOP {request.asks + 1}",)),
        dialects.what_is_given_up_is_told,
        "withdraws another request than 0",
    ),
    "a goodbye that is not answered": (
        ("read_bye", keeps_its_goodbye),
        dialects.a_goodbye_is_answered,
        "is waited for in vain",
    ),
    "a heart that stands still": (
        ("heartbeat", lambda codec: ()),
        dialects.it_holds_a_conversation,
        "the codec wants a heartbeat, and nothing was said|after some silence the connection has ended",
    ),
    "a greeting that never comes": (
        ("agree", lambda codec, silence: setattr(codec, "is_ready", False)),
        dialects.a_codec_owes_data,
        "the opening is over, but the codec is not ready",
    ),
    "a login that is refused": (
        ("read_welcome", Guest.read_refused),
        dialects.it_holds_a_conversation,
        "on a channel: ",
    ),
    "a bug that shows at the second message": (
        ("read_say", fails_on_a_channel),
        dialects.it_holds_a_conversation,
        "raised IndexError: list index out of range",
    ),
    "an answer with another body": (
        ("answer", lambda codec, request, body: Message("answer", body, f"LAST {request.asks} nothing")),
        dialects.it_holds_a_conversation,
        "was said with 'done' and heard with 'nothing'",
    ),
}


@pytest.mark.parametrize(("fault", "check", "told"), CLUB_FAULTS.values(), ids=CLUB_FAULTS)
def test_the_contract_notices_a_fault_of_a_club(fault: tuple[str, Any], check: Any, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check(club(Faulty(*fault)))


def test_the_contract_notices_what_is_heard_otherwise_than_written_down() -> None:
    speech = club(Club(), peer=Script(greet), hears=[("SAY news all", "news", "nothing")])
    with pytest.raises(AssertionError, match="news was said with 'nothing' and heard with 'all'"):
        dialects.what_the_peer_says_is_heard(speech)


def test_the_contract_notices_a_script_without_an_answer() -> None:
    speech = club(Club(), peer=Script(lambda data: [] if str(data).startswith("ASK") else greet(data)))
    with pytest.raises(AssertionError, match="list was answered, and nothing was heard"):
        dialects.an_answer_belongs_to_its_request(speech)
    with pytest.raises(AssertionError, match=r"on a channel: ours\.line waited 60.000 s for the reply to list"):
        dialects.it_holds_a_conversation(speech)


def test_a_script_may_speak_first_and_remember() -> None:
    """Each connection has a script of its own."""

    class Greeting(Codec):
        is_ready = False

        def decode(self, data: Data) -> Sequence[Message]:
            self.is_ready = True
            return [Message("line", str(data), data)]

        def encode(self, name: str, body: Any) -> Message:
            if not isinstance(body, str) or not body.isascii():
                raise DialectError("no ASCII")
            return Message(name, body, body)

    class Counting:
        heard = 0

        def __call__(self, _data: Data) -> Sequence[Data]:
            self.heard += 1
            assert self.heard <= 2
            return []

    speech = Speech(
        Greeting(),
        samples=[("a", "x"), ("b", "y")],
        peer=Script(Counting(), greeting=["220 hello"]),
        hears=[("x", "line", "x")],
    )
    for check in dialects.CHECKS:
        check(speech)


def test_checks_say_what_they_ask_for_in_vain() -> None:
    speech = Speech(Text(), samples=[("text", "x")], peer=Script(lambda _: []))
    assert dialects.missing(dialects.a_refusal_is_a_failure, speech) == ("asks", "has_codec_of_peer")
    assert dialects.missing(dialects.what_does_not_correlate_says_so, speech) == ()
    assert dialects.missing(dialects.garbage_is_a_dialect_error, speech) == ()
    dialects.a_refusal_is_a_failure(speech)


class GoesDeaf(Json):
    """Its codec hears nothing more after it could not read something."""

    def codec(self, meeting: Meeting, /) -> Codec:
        codec = super().codec(meeting)
        heard = codec.decode

        def decode(data: Data) -> Sequence[Message]:
            try:
                return heard(data)
            except DialectError:
                codec.decode = lambda _: ()  # type: ignore[method-assign]
                raise

        codec.decode = decode  # type: ignore[method-assign]
        return codec


def test_the_contract_notices_a_codec_that_goes_deaf() -> None:
    with pytest.raises(AssertionError, match="was heard 0 times"):
        dialects.garbage_is_a_dialect_error(Speech(GoesDeaf(), samples=BODIES))


def test_the_contract_notices_a_dialect_that_correlates_unasked() -> None:
    with pytest.raises(AssertionError, match="give `asks`"):
        dialects.what_does_not_correlate_says_so(Speech(Json(id="id"), samples=BODIES))


class Pieces(Codec):
    """Words of a stream, which may be cut anywhere: a dialect and its codec in one, with an option and with state."""

    def __init__(self, end: bytes) -> None:
        self.end = end
        self.pieces: list[bytes] = []

    def decode(self, data: Data) -> Sequence[Message]:
        self.pieces.append(data.encode() if isinstance(data, str) else data)
        *words, rest = b"".join(self.pieces).split(self.end)
        self.pieces[:] = [rest]
        return [Message("word", word, word) for word in words]

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, body + self.end)


def test_a_codec_is_a_dialect_whose_connections_share_no_state() -> None:
    words = Pieces(b";")
    one, other = words.codec(Meeting()), words.codec(Meeting())

    assert one.decode(b"gre") == []
    assert [message.body for message in other.decode(b"red;")] == [b"red"]
    assert [message.body for message in one.decode(b"en;bl")] == [b"green"]
    assert words.pieces == []
