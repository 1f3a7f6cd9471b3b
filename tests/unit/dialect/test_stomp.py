"""STOMP 1.2: frames in whatever pieces, receipts, heart-beats, logins, goodbyes, both sides."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon import Codec, DialectError, ErrorReply, Meeting, Message, OpeningRefused, Stomp

CONNECTED = b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0"
CONNECT = b"CONNECT\naccept-version:1.1,1.2\nhost:x\n\n\0"


def heard(codec: Codec, *pieces: bytes) -> list[Message]:
    return [message for piece in pieces for message in codec.decode(piece)]


def raw(message: Any) -> bytes:
    return message.raw if isinstance(message.raw, bytes) else message.raw.encode()


def owed(codec: Codec) -> list[Any]:
    return list(codec.owed())


def client(**options: Any) -> Codec:
    codec = Stomp(**options).codec(Meeting())
    assert heard(codec, CONNECTED)[0].is_protocol
    return codec


def server(**options: Any) -> Codec:
    codec = Stomp(**options).codec(Meeting("server"))
    heard(codec, CONNECT)
    owed(codec)
    return codec


FRAMES: dict[bytes, tuple[str, dict[str, Any]]] = {
    b"MESSAGE\ndestination:/queue/a\n\nhi\0": ("MESSAGE", {"destination": "/queue/a", "body": "hi"}),
    b"MESSAGE\r\na:b:c \r\n\r\n\0": ("MESSAGE", {"a": "b:c "}),
    b"\n\r\nMESSAGE\na:\\c\\n\\r\\\\\na:second\n\n\0\n\n": ("MESSAGE", {"a": ":\n\r\\"}),
    b"MESSAGE\ncontent-length:3\n\na\0b\0": ("MESSAGE", {"content-length": "3", "body": "a\0b"}),
    b"MESSAGE\n\n\xff\0": ("MESSAGE", {"body": b"\xff"}),
    b"MESSAGE\ncontent-type:application/json;charset=utf-8\n\n[1]\0": (
        "MESSAGE",
        {"content-type": "application/json;charset=utf-8", "body": [1]},
    ),
    b"ODD\n\n\0": ("ODD", {}),
}


@pytest.mark.parametrize(("data", "frame"), FRAMES.items())
def test_frames(data: bytes, frame: tuple[str, dict[str, Any]]) -> None:
    for cut in range(len(data)):
        assert [(message.name, message.body) for message in heard(client(), data[:cut], data[cut:] + data)] == [
            frame
        ] * 2


BROKEN = {
    b"hello\0": "its head does not end",
    b"SEND\na:\0b\n\nx\0": "its head does not end",
    b"SEND\n" + b"a" * 70_000: "its head does not end",
    b"SEND\n" + b"a" * 66_000 + b"\n\n\0": "its head does not end",
    b"send\n\n\0": "is no command",
    b"SEND\nx\n\n\0": "no header of STOMP",
    b"SEND\na:\\t\n\n\0": "stands for nothing",
    b"SEND\na:\\\n\n\0": "stands for nothing",
    b"SEND\na:\xff\n\n\0": "its head is no UTF-8",
    b"SEND\ncontent-length:x\n\n\0": "content-length is",
    b"SEND\ncontent-length:" + b"9" * 30 + b"\n\n\0": "content-length is",
    b"SEND\ncontent-length:101\n\n": "more than 100 bytes",
    b"SEND\ncontent-length:1\n\nab\0": "does not end",
    b"SEND\n\n" + b"a" * 200: "more than 100 bytes",
    b"SEND\n\n" + b"a" * 200 + b"\0": "more than 100 bytes",
}


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_stomp_ends_the_connection(data: bytes) -> None:
    for pieces in ([data], [data[at : at + 3000] for at in range(0, len(data), 3000)]):
        codec = server(limit_bytes=100)
        with pytest.raises(DialectError) as error:
            heard(codec, *pieces)
        assert BROKEN[data] in str(error.value)
        assert codec.ending is not None
        assert heard(codec, b"SEND\n\n\0") == []


def test_json_that_is_none_is_its_own_affair() -> None:
    bad, good = heard(client(), b"MESSAGE\ncontent-type:application/json\n\n{\0MESSAGE\n\n\0")
    assert (bad.name, good.name) == ("unreadable", "MESSAGE")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("send", {}),
        ("SEND", "text"),
        ("SEND", {"a": [1]}),
        ("SEND", {5: "a"}),
        ("SEND", {"body": object()}),
        ("SEND", {"body": "\ud800"}),
        ("SEND", {"a": "\ud800"}),
        ("SEND", {"\ud800": "a"}),
        ("CONNECT", {"a": "b\nc"}),
        ("CONNECT", {"a:b": "c"}),
    ],
)
def test_what_cannot_be_said(name: str, body: Any) -> None:
    with pytest.raises(DialectError):
        client().encode(name, body)


def test_what_is_said() -> None:
    codec = client()
    assert codec.encode("ACK", {"id": 5, "last": True}).raw == "ACK\nid:5\nlast:true\n\n\0"
    assert codec.encode("SEND", {"a:b": "c\nd", "body": "ü"}).raw == "SEND\na\\cb:c\\nd\ncontent-length:2\n\nü\0"
    assert codec.encode("SEND", {"body": b"\xff"}).raw == b"SEND\ncontent-length:1\n\n\xff\0"
    assert codec.encode("CONNECT", {"a": "b:c"}).raw == "CONNECT\na:b:c\n\n\0"
    assert codec.encode("BEGIN", None).raw == "BEGIN\n\n\0"
    sent = codec.encode("SEND", {"body": [1]}).raw
    assert sent == "SEND\ncontent-type:application/json\ncontent-length:3\n\n[1]\0"


# -- opening -----------------------------------------------------------------------------------------------------------


def test_a_login() -> None:
    hidden: list[str] = []
    meeting = Meeting(fields={"pin": "se:same"}, hide=hidden.append)
    (connect,) = Stomp(login="al", passcode="{pin}", host="h").codec(meeting).opening()
    theirs = Stomp(login="al", passcode="se:same", host="h").codec(Meeting("server", hide=hidden.append))
    (message,) = heard(theirs, raw(connect))
    assert message.is_protocol
    assert theirs.is_ready
    assert hidden == ["se:same"] * 3
    (answer,) = owed(theirs)
    ours = Stomp().codec(Meeting())
    heard(ours, raw(answer))
    assert ours.is_ready


@pytest.mark.parametrize(
    ("connect", "why"),
    [
        (CONNECT, "login, passcode or host is wrong"),
        (b"STOMP\nhost:x\n\n\0", "STOMP 1.2 is spoken here"),
        (b"SEND\n\n\0", "CONNECT comes first"),
    ],
)
def test_a_server_refuses(connect: bytes, why: str) -> None:
    theirs, ours = Stomp(login="al").codec(Meeting("server")), Stomp().codec(Meeting())
    heard(theirs, connect)
    assert theirs.ending is not None
    (error,) = owed(theirs)
    with pytest.raises(OpeningRefused, match=why) as refused:
        heard(ours, raw(error))
    assert refused.value.code == "ERROR"


def test_connect_comes_once() -> None:
    codec = server()
    heard(codec, CONNECT)
    assert codec.ending is not None
    assert owed(codec)[0].name == "ERROR"


def test_connected_comes_first_and_once() -> None:
    with pytest.raises(DialectError, match="says CONNECTED first, and not MESSAGE"):
        heard(Stomp().codec(Meeting()), b"MESSAGE\n\n\0")
    assert not heard(client(), CONNECTED)[0].is_protocol


@pytest.mark.parametrize(
    ("content_type", "body"), [("text/plain", '{"n":"größe"}'), ("application/json", {"n": "größe"})]
)
def test_what_a_refusal_carries_is_read(content_type: str, body: Any) -> None:
    error = f'ERROR\nmessage:no\ncontent-type:{content_type}\n\n{{"n":"größe"}}\0'.encode()
    with pytest.raises(OpeningRefused) as refused:
        heard(Stomp().codec(Meeting()), error)
    assert refused.value.message["body"] == body


def test_an_error_without_a_reason() -> None:
    with pytest.raises(OpeningRefused, match="no reason given"):
        heard(Stomp().codec(Meeting()), b"ERROR\n\n\0")


@pytest.mark.parametrize("beats", ["1", "a,b", "1,2,3", "1,99999999999", "٥,1"])
def test_heart_beats_that_are_none(beats: str) -> None:
    with pytest.raises(DialectError, match="and no two numbers"):
        heard(Stomp().codec(Meeting()), f"CONNECTED\nheart-beat:{beats}\n\n\0".encode())


def test_heart_beats_are_agreed_on() -> None:
    codec = Stomp(heart_beat_ms=(1000, 4000)).codec(Meeting())
    heard(codec, b"CONNECTED\nheart-beat:2000,3000\n\n\0")
    assert (codec.heartbeat_s, codec.silence_s) == (3, 8)
    assert list(codec.heartbeat()) == ["\n"]
    none = Stomp(heart_beat_ms=(1000, 4000)).codec(Meeting())
    heard(none, b"CONNECTED\n\n\0")
    assert (none.heartbeat_s, none.silence_s) == (None, None)


def test_over_websocket_the_subprotocol_is_offered_once() -> None:
    for address, offered in (("ws://x", ["v12.stomp"]), ("tcp://x", [])):
        meeting = Meeting(address=address)
        Stomp().codec(meeting)
        Stomp().codec(meeting)
        assert meeting.subprotocols == offered


# -- receipts and goodbyes ---------------------------------------------------------------------------------------------


def test_receipts() -> None:
    ours, theirs = client(), server()
    asked, named = ours.request("SEND", {"body": "x"}), ours.request("SEND", {"receipt": "mine"})
    assert named.asks == "mine"
    (request,) = heard(theirs, raw(asked))
    assert (request.is_request, request.asks) == (True, asked.asks)
    (receipt,) = heard(ours, raw(theirs.answer(request, None)))
    assert (receipt.name, receipt.reply_to, receipt.is_last) == ("RECEIPT", asked.asks, True)
    (refused,) = heard(ours, raw(theirs.refuse(request, ErrorReply(5, "no"))))
    assert (refused.reply_to, refused.is_failure, refused.body["message"]) == (asked.asks, True, "no")
    for codec in (ours, theirs):
        assert codec.ending is not None
        assert codec.ending.reason == "no"


def test_without_a_receipt_there_is_no_answer() -> None:
    theirs = server()
    (plain,) = heard(theirs, b"SEND\n\n\0")
    assert not plain.is_request
    with pytest.raises(DialectError, match="wants no receipt"):
        theirs.answer(plain, None)
    assert raw(theirs.refuse(plain, ErrorReply(5, "no"))) == b"ERROR\nmessage:no\ncontent-length:1\n\n5\0"
    with pytest.raises(DialectError, match="a server of STOMP gets no receipts"):
        theirs.request("MESSAGE", {})


def test_an_error_that_nobody_asked_for() -> None:
    ours = client()
    (error,) = heard(ours, b"ERROR\nmessage:down\n\n\0")
    assert (error.reply_to, error.is_answer, error.is_failure) == (None, False, True)


def test_goodbyes() -> None:
    ours, theirs = client(), server()
    (goodbye,) = ours.closing()
    assert not ours.is_done
    assert heard(theirs, raw(goodbye))[0].is_protocol
    assert theirs.ending is not None
    assert theirs.ending.is_clean
    (receipt,) = owed(theirs)
    assert heard(ours, raw(receipt))[0].is_protocol
    assert ours.is_done
    quiet = server()
    heard(quiet, b"DISCONNECT\n\n\0")
    assert owed(quiet) == []
