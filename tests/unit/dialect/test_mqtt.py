"""MQTT 3.1.1 and 5: packets in whatever pieces, qualities of service, sessions, logins, both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from antiphon import Codec, DialectError, ErrorReply, Meeting, Message, Mqtt, OpeningRefused, ScenarioError
from antiphon.dialect.mqtt_packets import Packet, Reader, write_packet
from antiphon.dialect.mqtt_properties import read_properties, write_properties

VERSIONS: Any = pytest.mark.parametrize("version", ["3.1.1", "5"])


def heard(codec: Codec, *pieces: bytes) -> list[Message]:
    return [message for piece in pieces for message in codec.decode(piece)]


def owed(codec: Codec) -> list[Message]:
    said = list(codec.owed())
    assert all(isinstance(message, Message) for message in said)
    return said  # type: ignore[return-value]


def raw(message: Any) -> bytes:
    assert isinstance(message.raw, bytes)
    return message.raw


def connack(version: str, code: int = 0, flags: int = 0, properties: Mapping[str, Any] | None = None) -> bytes:
    rest = bytes([flags, code]) + (write_properties(properties or {}) if version == "5" else b"")
    return write_packet("CONNACK", rest)


def client(
    version: Any = "3.1.1", *, flags: int = 0, properties: Any = None, meeting: Any = None, **options: Any
) -> Codec:
    codec = Mqtt(version, **options).codec(meeting or Meeting())
    list(codec.opening())
    assert heard(codec, connack(version, 0, flags, properties))[0].is_protocol
    assert codec.is_ready
    return codec


def server(version: Any = "3.1.1", dialect: Mqtt | None = None, **options: Any) -> Codec:
    codec = (dialect or Mqtt(payload=options.get("payload", "text"))).codec(Meeting("server"))
    (connect,) = Mqtt(version, **options).codec(Meeting()).opening()
    heard(codec, raw(connect))
    owed(codec)
    return codec


def pair(version: str, **options: Any) -> tuple[Codec, Codec]:
    return client(version, **options), server(version, **options)


# -- packets -----------------------------------------------------------------------------------------------------------


def test_packets_may_be_cut_anywhere_and_joined() -> None:
    data = raw(client().encode("PUBLISH", {"topic": "a", "payload": "x" * 200})) * 2
    for cut in range(len(data)):
        assert [message.body["payload"] for message in heard(server(), data[:cut], data[cut:])] == ["x" * 200] * 2


BROKEN = {
    b"\x30\xff\xff\xff\xff": "a length of more than four bytes",
    b"\x30\xff\xff\xff\x7f": "a packet of 268,435,455 bytes is over the limit",
    b"\x36\x05\x00\x01a\x00\x01": "quality 3",
    b"\x30\x01\x00": "it ends too early",
    b"\x32\x05\x00\x01a\x00\x00": "the packet identifier 0",
    b"\x30\x03\x00\x01\xff": "no UTF-8",
    b"\x30\x03\x00\x01\x00": "NUL",
    b"\x30\x03\x00\x01#": "its topic is none",
    b"\x30\x02\x00\x00": "its topic is none",
    b"\x60\x02\x00\x01": "flags 0000",
    b"\xd1\x00": "flags 0001",
    b"\x00\x00": "RESERVED is nothing that this side is told",
    b"\xf0\x00": "AUTH is nothing that this side is told after",
    b"\x20\x02\x00\x00": "CONNACK is nothing that this side is told once more",
    b"\x10\x00": "CONNECT is nothing that this side is told once more",
}


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_mqtt_ends_the_connection(data: bytes) -> None:
    codec = client()
    with pytest.raises(DialectError) as error:
        heard(codec, data)
    assert BROKEN[data] in str(error.value)
    assert codec.ending is not None
    assert heard(codec, b"\xd0\x00") == []


def test_nothing_comes_before_the_opening() -> None:
    for side in ("client", "server"):
        with pytest.raises(DialectError, match="PUBLISH is nothing that this side is told first"):
            heard(Mqtt().codec(Meeting(side)), b"\x30\x03\x00\x01a")  # type: ignore[arg-type]


PROPERTIES = {
    "payload_format": 1,
    "server_keep_alive": 300,
    "session_expiry": 2**32 - 1,
    "content_type": "größe",
    "correlation_data": b"\xff",
    "subscription_identifier": 268_435_455,
    "user_properties": [["a", "1"], ["a", "2"]],
}


def properties_of(data: bytes) -> Any:
    return read_properties(Reader(Packet("PUBLISH", 0, data, data)))


def test_properties() -> None:
    assert properties_of(write_properties(PROPERTIES)) == PROPERTIES
    assert properties_of(write_properties({"user_properties": {"a": "b"}})) == {"user_properties": [["a", "b"]]}
    assert properties_of(write_properties({"correlation_data": "x"})) == {"correlation_data": b"x"}


@pytest.mark.parametrize("data", [b"\x02\x7f\x00", b"\x01\x11", b"\xff\xff\xff\xff", b"\x05\x0b\xff\xff\xff\xff"])
def test_what_are_no_properties(data: bytes) -> None:
    with pytest.raises(DialectError):
        properties_of(data)


@pytest.mark.parametrize(
    "properties",
    [
        {"colour": "red"},
        {"payload_format": 300},
        {"payload_format": "x"},
        {"content_type": 5},
        {"correlation_data": 5},
        {"subscription_identifier": 0},
        {"user_properties": 5},
        {"user_properties": [1]},
        "text",
    ],
)
def test_properties_that_cannot_be_said(properties: Any) -> None:
    with pytest.raises(DialectError):
        client("5").encode("PUBLISH", {"topic": "a", "properties": properties})


# -- saying ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("PUBLISH", {"topic": "a/+"}),
        ("PUBLISH", {"topic": "#"}),
        ("PUBLISH", {"topic": ""}),
        ("PUBLISH", {"topic": "a\0"}),
        ("PUBLISH", {"topic": "\ud800"}),
        ("PUBLISH", {"topic": "a" * 70_000}),
        ("PUBLISH", {}),
        ("PUBLISH", None),
        ("PUBLISH", "text"),
        ("PUBLISH", {"topic": "a", "qos": 3}),
        ("PUBLISH", {"topic": "a", "qos": True}),
        ("PUBLISH", {"topic": "a", "payload": object()}),
        ("PUBLISH", {"topic": "a", "payload": "\ud800"}),
        ("PUBLISH", {"topic": "a", "properties": {"content_type": "x"}}),
        ("SUBSCRIBE", {}),
        ("SUBSCRIBE", {"topics": 5}),
        ("SUBSCRIBE", {"topics": [5]}),
        ("SUBSCRIBE", {"topics": {"a": 64}}),
        ("SUBSCRIBE", {"topics": {"a": "x"}}),
        ("CONNECT", {}),
    ],
)
def test_what_cannot_be_said(name: str, body: Any) -> None:
    with pytest.raises(DialectError):
        client().encode(name, body)


def test_a_packet_may_be_too_large() -> None:
    with pytest.raises(DialectError, match="more than a packet of MQTT holds"):
        write_packet("PUBLISH", bytes(268_435_456))


def test_quality_0_is_not_acknowledged() -> None:
    with pytest.raises(DialectError, match="quality 0 is not acknowledged"):
        client().request("PUBLISH", {"topic": "a"})


def test_payloads() -> None:
    for payload, kind, back in [("grü", "text", "grü"), (b"\xff", "text", b"\xff"), ({"a": 1}, "text", '{"a":1}')]:
        ours, theirs = pair("3.1.1", payload=kind)
        assert heard(theirs, raw(ours.encode("PUBLISH", {"topic": "a", "payload": payload})))[0].body["payload"] == back
    ours, theirs = pair("3.1.1", payload="json")
    assert heard(theirs, raw(ours.encode("PUBLISH", {"topic": "a", "payload": "x"})))[0].body["payload"] == "x"
    ours, theirs = pair("3.1.1", payload="bytes")
    assert heard(theirs, raw(ours.encode("PUBLISH", {"topic": "a", "payload": "x"})))[0].body["payload"] == b"x"


def test_a_payload_that_is_no_json_is_its_own_affair() -> None:
    theirs = server(payload="json")
    bad, good = heard(theirs, b"\x32\x06\x00\x01a\x00\x07x" + b"\x30\x04\x00\x01a5")
    assert bad.name == "unreadable"
    assert good.body["payload"] == 5
    assert [message.name for message in owed(theirs)] == ["PUBACK"]


# -- qualities of service ----------------------------------------------------------------------------------------------


@VERSIONS
def test_at_least_once(version: str) -> None:
    ours, theirs = pair(version)
    asked = ours.request("PUBLISH", {"topic": "a", "qos": 1})
    assert heard(theirs, raw(asked))[0].body["qos"] == 1
    (ack,) = owed(theirs)
    (reply,) = heard(ours, raw(ack))
    assert (reply.name, reply.reply_to, reply.is_answer, reply.is_last, reply.is_failure) == (
        *("PUBACK", asked.asks, True, True),
        False,
    )
    assert heard(ours, raw(ack))[0].is_protocol  # once more: nothing is in flight


@VERSIONS
def test_exactly_once(version: str) -> None:
    ours, theirs = pair(version)
    asked = ours.request("PUBLISH", {"topic": "a", "qos": 2})
    assert [message.is_protocol for message in heard(theirs, raw(asked), raw(asked))] == [False, True]
    received, _ = owed(theirs)
    assert heard(ours, raw(received))[0].is_protocol
    (release,) = owed(ours)
    assert heard(theirs, raw(release))[0].is_protocol
    (complete,) = owed(theirs)
    (reply,) = heard(ours, raw(complete))
    assert (reply.name, reply.reply_to, reply.is_last) == ("PUBCOMP", asked.asks, True)
    assert not heard(theirs, raw(asked))[0].is_protocol  # the identifier is free again


def test_an_acknowledgement_may_be_a_failure() -> None:
    codec = client("5")
    asked, sent = codec.request("PUBLISH", {"topic": "a", "qos": 2}), codec.encode("PUBLISH", {"topic": "a", "qos": 1})
    failed, news, fine = heard(
        codec,
        write_packet("PUBREC", b"\x00\x01\x87" + write_properties({"reason": "no"})),
        write_packet("PUBACK", b"\x00\x02\x97"),
        write_packet("PUBACK", b"\x00\x02\x10"),
    )
    assert (failed.reply_to, failed.is_failure, failed.body["properties"]) == (asked.asks, True, {"reason": "no"})
    assert (news.is_protocol, news.reply_to, news.body["code"], sent.asks) == (False, None, 0x97, None)
    assert fine.is_protocol
    assert owed(codec) == []


def test_an_acknowledgement_of_something_else_is_none() -> None:
    codec = client()
    asked = codec.request("SUBSCRIBE", {"topics": "a"})
    assert heard(codec, write_packet("PUBACK", b"\x00\x01"))[0].reply_to is None
    heard(codec, write_packet("PUBREC", b"\x00\x01"), write_packet("PUBREC", b"\x00\x09"))
    assert [message.name for message in owed(codec)] == ["PUBREL", "PUBREL"]
    assert heard(codec, write_packet("SUBACK", b"\x00\x01\x00"))[0].reply_to == asked.asks


def test_identifiers_are_used_again_when_they_are_free() -> None:
    codec = client()
    for _ in range(65_535):
        codec.encode("PUBLISH", {"topic": "a", "qos": 1})
    with pytest.raises(DialectError, match="no packet identifier is free"):
        codec.encode("PUBLISH", {"topic": "a", "qos": 1})
    heard(codec, write_packet("PUBACK", b"\x00\x07"))
    assert codec.request("PUBLISH", {"topic": "a", "qos": 1}).asks == 7


def test_a_topic_may_have_an_alias() -> None:
    ours, theirs = pair("5")
    said = [{"topic": topic, "properties": {"topic_alias": 3}} for topic in ("a/b", "")]
    both = heard(theirs, *[raw(ours.encode("PUBLISH", body)) for body in said])
    assert [message.body["topic"] for message in both] == ["a/b", "a/b"]
    with pytest.raises(DialectError, match="alias 4 stands for nothing"):
        heard(theirs, raw(ours.encode("PUBLISH", {"topic": "", "properties": {"topic_alias": 4}})))


# -- sessions ----------------------------------------------------------------------------------------------------------


@VERSIONS
def test_a_session_is_taken_up_again(version: str) -> None:
    options: dict[str, Any] = {"is_clean": False, "client_id": "me"}
    first = client(version, **options)
    for qos in (1, 2, 2):
        first.request("PUBLISH", {"topic": "a", "payload": str(qos), "qos": qos})
    first.request("SUBSCRIBE", {"topics": "a"})
    none = b"\x00" if version == "5" else b""  # properties
    heard(first, write_packet("PUBREC", b"\x00\x03"), write_packet("PUBLISH", b"\x00\x01b\x00\x09" + none, 4))
    owed(first)
    second = client(version, flags=1, meeting=Meeting(previous=first), **options)
    again = owed(second)
    assert [(message.name, raw(message)[0]) for message in again] == [
        ("PUBLISH", 0x3A),
        ("PUBLISH", 0x3C),
        ("PUBREL", 0x62),
    ]
    assert heard(second, write_packet("PUBLISH", b"\x00\x01b\x00\x09" + none, 12))[0].is_protocol, (
        "it was heard on the connection before"
    )
    (ack,) = heard(second, write_packet("PUBACK", b"\x00\x01"))
    assert (ack.reply_to, ack.is_protocol) == (None, True), "whoever asked was told that the connection ended"


def test_whoever_waits_on_for_an_acknowledgement_gets_it_on_the_next_connection() -> None:
    options: dict[str, Any] = {"is_clean": False, "client_id": "me"}
    first = client(**options)
    asked = [first.request("PUBLISH", {"topic": "a", "qos": qos}) for qos in (1, 2, 1)]
    first.encode("PUBLISH", {"topic": "a", "qos": 1})
    subscribed = first.request("SUBSCRIBE", {"topics": "a"})
    assert [first.resumes(request) for request in (*asked, subscribed)] == [True, True, True, False]
    meeting = Meeting(previous=first, unanswered=asked[:2])
    second = client(flags=1, meeting=meeting, **options)
    assert second.resumes(asked[0])
    assert [message.name for message in owed(second)] == ["PUBLISH"] * 4
    answers = heard(second, *(write_packet("PUBACK", bytes([0, key])) for key in (1, 3, 4)))
    assert [(message.reply_to, message.is_protocol) for message in answers] == [(1, False), (None, True), (None, True)]
    assert not second.resumes(asked[0])
    lost = client(meeting=meeting, **options)
    assert not lost.resumes(asked[0]), "the server knows nothing of the session"
    clean = client(client_id="me")
    assert not clean.resumes(clean.request("PUBLISH", {"topic": "a", "qos": 1}))


def test_a_session_may_be_lost() -> None:
    first = client(is_clean=False)
    first.encode("PUBLISH", {"topic": "a", "qos": 1})
    second = client(is_clean=False, meeting=Meeting(previous=first))
    assert owed(second) == []
    fresh = client(meeting=Meeting(previous=first), flags=1)
    assert owed(fresh) == []


# -- opening, heartbeats, goodbyes -------------------------------------------------------------------------------------


@VERSIONS
def test_what_a_client_says_of_itself_is_heard(version: Any) -> None:
    hidden: list[str] = []
    will = {"topic": "gone/{seat}", "payload": b"\xff", "qos": 1, "retain": True}
    meeting = Meeting(fields={"seat": 7, "pin": "sesame"}, hide=hidden.append)
    properties = {"session_expiry": 9} if version == "5" else None
    dialect = Mqtt(version, client_id="seat-{seat}", user="al", password="{pin}", will=will, properties=properties)
    (connect,) = dialect.codec(meeting).opening()
    theirs = Mqtt(user="al", password="sesame").codec(Meeting("server", hide=hidden.append))
    (message,) = heard(theirs, raw(connect))
    assert message.is_protocol
    assert message.body["will"]["topic"] == "gone/7"
    assert message.body["will"]["payload"] == b"\xff"
    assert (message.body["will"]["qos"], message.body["will"]["retain"]) == (1, True)
    assert [message.body[name] for name in ("client_id", "user", "password", "version", "is_clean")] == [
        *("seat-7", "al", "sesame", version, True)
    ]
    assert hidden == ["sesame"] * 3
    assert theirs.is_ready
    assert theirs.silence_s == 90


@pytest.mark.parametrize(("version", "code"), [("3.1.1", 4), ("5", 0x86)])
@pytest.mark.parametrize("password", ["wrong", None])
def test_a_login_is_refused(version: Any, code: int, password: str | None) -> None:
    theirs = Mqtt(user="al", password="sesame").codec(Meeting("server"))
    ours = Mqtt(version, user="al", password=password).codec(Meeting())
    heard(theirs, *[raw(message) for message in ours.opening()])
    assert theirs.ending is not None
    (answer,) = owed(theirs)
    with pytest.raises(OpeningRefused, match=f"refused CONNECT with {code}: user or password is wrong") as refused:
        heard(ours, raw(answer))
    assert refused.value.code == code
    assert heard(ours, connack(version)) == [], "after a refusal nothing is heard"


def test_a_refusal_may_give_its_own_reason() -> None:
    for properties, told in ({"reason": "come later"}, "come later"), ({}, "a quota is exceeded"):
        codec = Mqtt("5").codec(Meeting())
        with pytest.raises(OpeningRefused, match=told):
            heard(codec, connack("5", 0x97, properties=properties))


def test_what_the_server_decides_counts() -> None:
    codec = client("5", properties={"assigned_client_id": "you", "server_keep_alive": 10}, is_clean=False)
    assert (codec.heartbeat_s, codec.silence_s) == (7.5, 15)
    (connect,) = Mqtt("5", is_clean=False).codec(Meeting(previous=codec)).opening()
    assert connect.body["client_id"] == "you"  # type: ignore[union-attr]
    assert heard(Mqtt("5").codec(Meeting()), write_packet("CONNACK", b"\x00\x00"))[0].body["code"] == 0


def test_a_heart_beats() -> None:
    ours, theirs = pair("3.1.1")
    assert (ours.heartbeat_s, ours.silence_s) == (45, 90)
    (ping,) = ours.heartbeat()
    assert heard(theirs, raw(ping))[0].is_protocol
    (pong,) = owed(theirs)
    assert heard(ours, raw(pong))[0].is_protocol
    assert client(keep_alive_s=0).heartbeat_s is None


@VERSIONS
def test_goodbyes(version: str) -> None:
    ours, theirs = pair(version)
    (goodbye,) = ours.closing()
    assert heard(theirs, raw(goodbye))[0].is_protocol
    assert theirs.ending is not None
    assert theirs.ending.is_clean


def test_either_side_may_say_why() -> None:
    ours, theirs = pair("5")
    heard(ours, write_packet("DISCONNECT", b"\x8e" + write_properties({"reason": "taken over"})))
    heard(theirs, write_packet("DISCONNECT", b"\x04"))
    for codec, code, reason in ((ours, 0x8E, "taken over"), (theirs, 4, "")):
        assert codec.ending is not None
        assert (codec.ending.code, codec.ending.reason, codec.ending.is_clean) == (code, reason, False)
    bare = client("5")
    heard(bare, write_packet("DISCONNECT", b"\x8b"), b"")
    assert bare.ending is not None
    plain = client("5")
    heard(plain, write_packet("DISCONNECT"))
    assert plain.ending is not None
    assert plain.ending.is_clean


@pytest.mark.parametrize(
    "rest",
    [
        b"\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00",
        b"\x00\x04MQTT\x03",
        b"\x00\x04MQTT\x04\x03\x00\x00",
        b"\x00\x04MQTT\x04\x1c\x00\x00",
        b"\x00\x04MQTT\x04\x20\x00\x00",
    ],
)
def test_what_is_no_connect(rest: bytes) -> None:
    with pytest.raises(DialectError, match="no CONNECT of MQTT"):
        heard(Mqtt().codec(Meeting("server")), write_packet("CONNECT", rest))


def test_over_websocket_the_subprotocol_is_offered_once() -> None:
    for address, offered in (("ws://x", ["mqtt"]), ("tcp://x", [])):
        meeting = Meeting(address=address)
        Mqtt().codec(meeting)
        Mqtt().codec(meeting)
        assert meeting.subprotocols == offered


@pytest.mark.parametrize(
    "options",
    [{"version": "3"}, {"keep_alive_s": 70_000}, {"keep_alive_s": 1.5}, {"properties": {"session_expiry": 1}}],
)
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError):
        Mqtt(**options)


@pytest.mark.parametrize("will", [{"qos": 5, "topic": "a"}, {"payload": "x"}])
def test_a_will_that_cannot_be(will: Any) -> None:
    with pytest.raises(DialectError):
        list(Mqtt(will=will).codec(Meeting()).opening())


# -- subscriptions -----------------------------------------------------------------------------------------------------


@VERSIONS
def test_a_subscription_is_granted_as_it_was_asked_for(version: str) -> None:
    ours, theirs = pair(version)
    for name, body, codes in [
        ("SUBSCRIBE", {"topics": {"a/+": 2, "b": 0}}, [2, 0]),
        ("SUBSCRIBE", {"topics": ["a"]}, [0]),
        ("UNSUBSCRIBE", {"topics": "a"}, [0]),
    ]:
        asked = ours.request(name, body)
        (request,) = heard(theirs, raw(asked))
        assert request.is_request
        (reply,) = heard(ours, raw(theirs.answer(request, None)))
        assert reply.reply_to == asked.asks
        assert reply.body["codes"] == ([] if version == "3.1.1" and name == "UNSUBSCRIBE" else codes)
        assert not reply.is_failure


def test_a_subscription_is_refused() -> None:
    ours, theirs = pair("5")
    for code, said in ((0x87, 0x87), ("no", 0x80)):
        (request,) = heard(theirs, raw(ours.request("SUBSCRIBE", {"topics": ["a", "b"]})))
        (reply,) = heard(ours, raw(theirs.refuse(request, ErrorReply(code, "x"))))
        assert reply.body["codes"] == [said, said]
        assert reply.is_failure


def test_answers_that_cannot_be() -> None:
    ours, theirs = pair("3.1.1")
    (request,) = heard(theirs, raw(ours.request("SUBSCRIBE", {"topics": ["a", "b"]})))
    for codes in ([1], [1, 999], "ab", 5):
        with pytest.raises(DialectError, match="a code for each of its 2 topics"):
            theirs.answer(request, codes)
    (end,) = heard(theirs, raw(ours.request("UNSUBSCRIBE", {"topics": ["a"]})))
    with pytest.raises(DialectError, match="no refusal of UNSUBSCRIBE"):
        theirs.refuse(end, ErrorReply(5, "x"))
    (publication,) = heard(theirs, raw(ours.encode("PUBLISH", {"topic": "a"})))
    with pytest.raises(DialectError, match="PUBLISH is acknowledged by the protocol"):
        theirs.answer(publication, "x")


@pytest.mark.parametrize("rest", [b"\x00\x01", b"\x00\x01\x00\x00\x00", b"\x00\x01\x00\x01a\x00\x00\x01a\x00"])
def test_what_is_no_subscription(rest: bytes) -> None:
    with pytest.raises(DialectError, match="no SUBSCRIBE of MQTT"):
        heard(server(), write_packet("SUBSCRIBE", rest))


def test_what_fails_says_why() -> None:
    codec = client("5")
    sent = codec.request("PUBLISH", {"topic": "secret/1", "payload": "x", "qos": 1})
    (refusal,) = heard(codec, write_packet("PUBACK", int(sent.asks).to_bytes(2, "big") + b"\x87"))
    assert (refusal.is_failure, refusal.body["reason"]) == (True, "not authorized")
    heard(codec, write_packet("DISCONNECT", b"\x95"))
    assert codec.ending is not None
    assert (codec.ending.code, codec.ending.reason) == (0x95, "the packet is too large")
