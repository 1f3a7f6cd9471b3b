"""Socket.IO, either side; what its packets look like stands in the pages that `antiphon.dialect.socketio` names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from antiphon import (
    Codec,
    Data,
    DialectError,
    ErrorReply,
    Meeting,
    Message,
    OpeningRefused,
    ScenarioError,
    SocketIo,
    User,
)
from antiphon.testing.speech import data_of, data_owed

OPEN = '0{"sid":"e1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'


def client(dialect: SocketIo | None = None, *, joined: Sequence[str] = ("/",), **options: Any) -> Codec:
    codec = (dialect or SocketIo(namespaces=joined or ("/",))).codec(Meeting("client", **options))
    hear(codec, OPEN)
    codec.owed()
    for namespace in joined:
        hear(codec, f'40{"" if namespace == "/" else namespace + ","}{{"sid":"s1"}}')
    return codec


def server(dialect: SocketIo | None = None, *, is_open: bool = True) -> Codec:
    codec = (dialect or SocketIo()).codec(Meeting("server"))
    list(codec.opening())
    if is_open:
        hear(codec, "40")
        codec.owed()
    return codec


def hear(codec: Codec, *frames: Data) -> Message:
    *before, (message,) = [list(codec.decode(frame)) for frame in frames]
    assert not any(before)
    return message


def said(codec: Codec) -> list[Data]:
    return data_owed(codec.owed())


# -- where it is ------------------------------------------------------------------------------------------------------

ASKED = "EIO=4&transport=websocket"


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("ws://here:3000", f"ws://here:3000/socket.io/?{ASKED}"),
        ("wss://us:pw@here/", f"wss://us:pw@here/socket.io/?{ASKED}"),
        ("https://here?seat=7", f"https://here/socket.io/?seat=7&{ASKED}"),
        ("ws://here/chat/", f"ws://here/chat/?{ASKED}"),
        ("ws://here/socket.io/?EIO=3&transport=websocket", "ws://here/socket.io/?EIO=3&transport=websocket"),
        ("ws+unix:///run/io.sock", f"ws+unix:///run/io.sock:/socket.io/?{ASKED}"),
        ("ws+unix:///run/io.sock:/x?a=b", f"ws+unix:///run/io.sock:/x?a=b&{ASKED}"),
        ("memory://here", "memory://here"),
    ],
)
def test_a_client_says_where_it_wants_to(address: str, opened: str) -> None:
    meeting = Meeting("client", address)
    SocketIo().codec(meeting)
    assert meeting.address == opened


# -- the opening ------------------------------------------------------------------------------------------------------


def test_a_client_joins_when_the_server_has_opened() -> None:
    dialect = SocketIo({"token": "{user.password}"}, namespaces=["/", "/admin"])
    codec = dialect.codec(Meeting("client", user=User(name="alice", password="x")))
    assert list(codec.opening()) == []
    opened = hear(codec, OPEN)
    assert (opened.name, opened.is_protocol, codec.silence_s) == ("open", True, 45)
    assert said(codec) == ['40{"token":"x"}', '40/admin,{"token":"x"}']
    joined = hear(codec, '40/admin,{"sid":"s2"}')
    assert (joined.name, joined.is_protocol, codec.is_ready) == ("/admin,connect", True, False)
    assert hear(codec, '40{"sid":"s1"}').name == "connect"
    assert codec.is_ready
    assert said(codec) == []


def test_a_client_may_have_nothing_to_say_for_itself() -> None:
    codec = client(joined=())
    assert not codec.is_ready
    fresh = SocketIo().codec(Meeting())
    hear(fresh, '0{"sid":"e","pingInterval":0,"pingTimeout":0}')
    assert fresh.silence_s is None
    assert said(fresh) == ["40"]
    with pytest.raises(DialectError, match="opens a second time"):
        fresh.decode(OPEN)


@pytest.mark.parametrize(
    ("payload", "code", "told"),
    [
        ('{"message":"not authorized","data":{"a":1}}', "not authorized", "refused /: not authorized"),
        ('"no way"', "no way", "refused /: no way"),
        ("{}", "", "refused /: no reason given"),
    ],
)
def test_a_client_that_is_not_let_in(payload: str, code: str, told: str) -> None:
    codec = client(joined=())
    with pytest.raises(OpeningRefused, match=told) as refused:
        codec.decode(f"44{payload}")
    assert refused.value.code == code
    assert refused.value.message.body == json.loads(payload)


def test_another_namespace_is_joined_later() -> None:
    codec = client(SocketIo({"a": 1}))
    request = codec.request("/admin,connect", None)
    assert (request.raw, request.asks, request.name) == ('40/admin,{"a":1}', "/admin,connect", "/admin,connect")
    reply = hear(codec, '40/admin,{"sid":"s2"}')
    assert (reply.name, reply.reply_to, reply.is_answer, reply.is_last) == ("/admin,connect", request.asks, True, True)
    assert (reply.is_failure, reply.is_protocol) == (False, False)
    assert codec.encode("/admin,x", None).raw == '42/admin,["x"]'
    with pytest.raises(DialectError, match="/admin is joined already"):
        codec.request("/admin,connect", None)


def test_the_first_namespace_is_joined_again() -> None:
    codec = client(joined=["/", "/a"])
    codec.encode("disconnect", None)
    request = codec.request("connect", None)
    assert (request.name, request.raw) == ("connect", "40")
    reply = hear(codec, '40{"sid":"s2"}')
    assert (reply.name, reply.reply_to, reply.is_last) == ("connect", request.asks, True)
    assert not hear(codec, '42["x"]').is_protocol


def test_another_namespace_refuses() -> None:
    codec = client()
    assert codec.request("/x,connect", {"a": 2}).raw == '40/x,{"a":2}'
    reply = hear(codec, '44/x,{"message":"Invalid namespace"}')
    assert (reply.name, reply.reply_to, reply.is_failure) == ("/x,connect_error", "/x,connect", True)
    with pytest.raises(DialectError, match="/x,y cannot be said: /x is not joined"):
        codec.encode("/x,y", None)


def test_a_server_opens() -> None:
    codec = SocketIo(ping_every_s=5, ping_within_s=2.5, limit_bytes=1000).codec(Meeting("server"))
    (opening,) = data_owed(codec.opening())
    told = json.loads(str(opening)[1:])
    assert len(told.pop("sid")) == 20
    assert told == {"upgrades": [], "pingInterval": 5000, "pingTimeout": 2500, "maxPayload": 1000}
    assert (codec.heartbeat_s, codec.silence_s, codec.is_ready) == (5, 7.5, False)
    message = hear(codec, '40{"token":"x"}')
    assert (message.name, message.body, message.is_protocol, codec.is_ready) == ("connect", {"token": "x"}, True, True)
    (answer,) = said(codec)
    assert len(json.loads(str(answer)[2:])["sid"]) == 20


def admit(auth: Any, namespace: str) -> Any:
    if auth is None:
        raise ErrorReply(401, "who are you?", seat=7)
    return auth == {"for": namespace}


def test_a_server_asks_who_comes() -> None:
    codec = server(SocketIo(namespaces=["/", "/a"], admit=admit), is_open=False)
    for packet in ("40", '40{"for":"/a"}', "40/b,{}", '40/a,{"for":"/a"}'):
        hear(codec, packet)
        assert codec.is_ready == (packet[:4] == "40/a")
    *refused, let_in = said(codec)
    assert refused == [
        '44{"message":"who are you?","data":{"code":401,"seat":7}}',
        '44{"message":"not authorized"}',
        '44/b,{"message":"Invalid namespace"}',
    ]
    assert str(let_in).startswith('40/a,{"sid":"')


def test_options_that_cannot_be() -> None:
    async def wait(_auth: Any, _namespace: str) -> bool:
        return True

    with pytest.raises(ScenarioError, match="admit= of SocketIo is called, and not awaited"):
        SocketIo(admit=wait)
    for namespaces in ("/", ()):
        with pytest.raises(ScenarioError, match="namespaces= is a list of them"):
            SocketIo(namespaces=namespaces)
    for namespace in ("admin", "/a,b"):
        with pytest.raises(ScenarioError, match=f"'{namespace}' is no namespace"):
            SocketIo(namespaces=["/", namespace])


# -- events -----------------------------------------------------------------------------------------------------------


class Move(msgspec.Struct):
    to: str
    data: bytes = b"\xff"


ARGUMENTS = [
    (None, []),
    ("x", ["x"]),
    ({"a": 1}, [{"a": 1}]),
    ([1, "b"], [1, "b"]),
    ([[1]], [[1]]),
    ([None], [None]),
    (0, [0]),
]


@pytest.mark.parametrize(("body", "arguments"), ARGUMENTS)
def test_a_body_is_its_argument_or_all_of_them(body: Any, arguments: list[Any]) -> None:
    message = client().encode("a b", body)
    assert json.loads(str(message.raw)[2:]) == ["a b", *arguments]
    heard = hear(server(), message.raw)
    assert (heard.name, heard.body, heard.asks, heard.is_request) == ("a b", body, None, False)


def test_a_name_may_be_a_number() -> None:
    assert hear(client(), "42[5,true]").name == "5"


@pytest.mark.parametrize(
    ("namespaces", "name", "packet"),
    [
        (["/", "/a"], "/a,news", '42/a,["news"]'),
        (["/", "/a"], "/news", '42["/news"]'),
        (["/", "/a"], "/,/a,news", '42["/a,news"]'),
        (["/a", "/"], "news", '42/a,["news"]'),
        (["/a", "/"], "/,news", '42["news"]'),
        (["/a", "/"], "/a,/,x", '42/a,["/,x"]'),
    ],
)
def test_names_say_the_namespace_unless_it_is_the_first(namespaces: list[str], name: str, packet: str) -> None:
    codec = client(joined=namespaces)
    assert codec.encode(name, None).raw == packet
    assert hear(codec, packet).name == name


def test_bytes_travel_as_attachments() -> None:
    codec = client(joined=["/", "/a"])
    message = codec.request(
        "/a,put", [{"f": b"\xff", "n": Decimal("1.50")}, [bytearray(b""), memoryview(b"x")], Move("b")]
    )
    text, *attachments = data_of(message)
    assert attachments == [b"\xff", b"", b"x", b"\xff"]
    places = [f'{{"_placeholder":true,"num":{number}}}' for number in range(4)]
    assert text == (
        f'454-/a,0["put",{{"f":{places[0]},"n":1.50}},[{places[1]},{places[2]}],{{"to":"b","data":{places[3]}}}]'
    )
    assert message.raw == str(text).encode() + b"\xffx\xff"
    heard = hear(client(joined=["/", "/a"]), *data_of(message))
    assert heard.body == [{"f": b"\xff", "n": 1.5}, [b"", b"x"], {"to": "b", "data": b"\xff"}]
    assert (heard.raw, heard.asks) == (message.raw, "/a,0")


def test_an_attachment_may_be_in_two_places_or_in_none() -> None:
    codec = client()
    heard = hear(codec, '451-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]', b"\x00")
    assert heard.body == [b"\x00", b"\x00"]
    assert hear(codec, '451-["x",{"_placeholder":1}]', b"\x00").body == {"_placeholder": 1}
    assert hear(codec, '42["x",{"_placeholder":true,"num":0}]').body == {"_placeholder": True, "num": 0}


def test_pings_come_between_attachments() -> None:
    codec = client()
    assert list(codec.decode('452-["x",{"_placeholder":true,"num":1}]')) == []
    assert hear(codec, "2").name == "ping"
    assert hear(codec, b"a", b"b").body == b"b"


# -- acknowledgements -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "arguments"), ARGUMENTS)
def test_who_asks_is_acknowledged(body: Any, arguments: list[Any]) -> None:
    ours, theirs = client(), server()
    for number in range(2):
        request = ours.request("sum", [1, 2])
        assert (request.raw, request.asks) == (f'42{number}["sum",1,2]', number)
        received = hear(theirs, request.raw)
        assert (received.asks, received.is_request) == (number, True)
        answer = theirs.answer(received, body)
        assert json.loads(str(answer.raw)[3:]) == arguments
        reply = hear(ours, answer.raw)
        assert (reply.name, reply.body, reply.reply_to) == ("sum.ack", body, number)
        assert (reply.is_answer, reply.is_last, reply.is_failure) == (True, True, False)


def test_a_server_asks_too_and_each_namespace_for_itself() -> None:
    codec = server(SocketIo(namespaces=["/", "/a"]))
    hear(codec, "40/a,")
    codec.owed()
    assert codec.request("x", None).raw == '420["x"]'
    request = codec.request("/a,x", b"\x00")
    assert (request.asks, request.frames) == ("/a,1", ('451-/a,1["x",{"_placeholder":true,"num":0}]', b"\x00"))
    reply = hear(codec, '461-/a,1[{"_placeholder":true,"num":0}]', b"\x01")
    assert (reply.name, reply.body, reply.reply_to) == ("/a,x.ack", b"\x01", "/a,1")
    received = hear(codec, '42/a,9007199254740991["y"]')
    assert codec.answer(received, b"z").frames == ('461-/a,9007199254740991[{"_placeholder":true,"num":0}]', b"z")


def test_an_acknowledgement_of_nothing_is_heard() -> None:
    heard = hear(client(), "437[]")
    assert (heard.name, heard.body, heard.reply_to) == ("ack", None, 7)


def test_of_events_that_nobody_acknowledges_the_latest_are_remembered() -> None:
    codec = client()
    for _ in range(10_001):
        codec.request("x", None)
    assert hear(codec, "430[]").name == "ack"
    assert hear(codec, "431[]").name == "x.ack"


def test_what_is_a_failure_is_said() -> None:
    dialect = SocketIo(failed={"code": ...})
    ours, theirs = client(dialect), server(dialect)
    received = hear(theirs, ours.request("sum", None).raw)
    refused = theirs.refuse(received, ErrorReply(404, "not found", place="here"))
    assert refused.raw == '430[{"code":404,"message":"not found","place":"here"}]'
    reply = hear(ours, refused.raw)
    assert (reply.is_failure, reply.body["place"]) == (True, "here")
    for failed in (None, {"status": "error"}):
        with pytest.raises(DialectError, match="the refusal of sum would not be one"):
            server(SocketIo(failed=failed)).refuse(received, ErrorReply(404, "x"))
    assert server(SocketIo(failed={"status": "error"})).refuse(received, ErrorReply(404, "x", status="error"))


def test_what_wants_no_acknowledgement_has_none() -> None:
    codec = server()
    with pytest.raises(DialectError, match="x wants no acknowledgement"):
        codec.answer(hear(codec, '42["x"]'), 5)


# -- goodbyes ---------------------------------------------------------------------------------------------------------


def test_either_side_leaves_a_namespace() -> None:
    ours, theirs = client(joined=["/", "/a"]), server(SocketIo(namespaces=["/", "/a"]))
    hear(theirs, "40/a")
    left = hear(theirs, ours.encode("/a,disconnect", None).raw)
    assert (left.name, left.is_protocol, theirs.ending) == ("/a,disconnect", False, None)
    with pytest.raises(DialectError, match="/a,x cannot be said"):
        theirs.encode("/a,x", None)
    with pytest.raises(DialectError, match="/a,disconnect cannot be said"):
        ours.encode("/a,disconnect", None)
    # What was on its way when it was left has crossed the goodbye, and so has the other side's.
    assert hear(ours, '42/a,["x"]').is_protocol
    assert hear(ours, "41/a,").is_protocol
    assert ours.ending is None
    hear(ours, '42["x"]')
    assert hear(theirs, "40/a").is_protocol  # it comes back
    assert not hear(theirs, '42/a,["x"]').is_protocol


@pytest.mark.parametrize(("codec", "who"), [(client(), "server"), (server(), "client")])
def test_who_leaves_the_last_namespace_has_gone(codec: Codec, who: str) -> None:
    last = hear(codec, "41")
    assert (last.name, last.is_protocol) == ("disconnect", True)
    assert codec.ending is not None
    assert (codec.ending.reason, codec.ending.by, codec.ending.is_clean) == (f"{who} disconnect", "peer", True)


def test_goodbye_is_said_to_each_namespace() -> None:
    codec = client(joined=["/", "/a"])
    assert data_owed(codec.closing()) == ["41", "41/a,"]
    assert data_owed(codec.closing()) == []


def test_engine_io_says_goodbye() -> None:
    codec = client()
    assert hear(codec, "1").is_protocol
    assert codec.ending is not None
    assert (codec.ending.reason, codec.ending.is_clean) == ("close", True)


# -- whether the other side is there ----------------------------------------------------------------------------------


def test_a_server_pings_and_a_client_answers() -> None:
    ours, theirs = client(), server()
    (ping,) = data_owed(theirs.heartbeat())
    assert hear(ours, ping).is_protocol
    (pong,) = said(ours)
    assert (ping, pong) == ("2", "3")
    assert hear(theirs, pong).is_protocol
    assert ours.heartbeat_s is None
    assert hear(ours, "6").name == "noop"


# -- a session that is taken up again ---------------------------------------------------------------------------------


def recovering(previous: Any = None, hidden: list[str] | None = None) -> Codec:
    hidden = [] if hidden is None else hidden
    meeting = Meeting(previous=previous, hide=hidden.append)
    codec = SocketIo({"a": 1}, namespaces=["/", "/a"]).codec(meeting)
    hear(codec, OPEN)
    return codec


def test_a_client_takes_up_its_session_again() -> None:
    hidden: list[str] = []
    codec = recovering(hidden=hidden)
    said(codec)
    for namespace in ("", "/a,"):
        hear(codec, f'40{namespace}{{"sid":"s","pid":"p{namespace}"}}')
    assert hidden == ["p", "p/a,"]
    assert hear(codec, '42["x",{"b":1},"Q8UoewN"]').body == {"b": 1}
    assert hear(codec, '42["x","Q8UoewN.0"]').body is None
    # What is acknowledged, or may get lost, has none.
    assert hear(codec, '420["x","Q8UoewP"]').body == "Q8UoewP"
    assert hear(codec, '42["x","two words"]').body == "two words"
    assert hear(codec, '42["x",5]').body == 5
    assert hear(codec, '42["x"]').body is None

    again = recovering(codec)
    assert said(again) == ['40{"pid":"p","offset":"Q8UoewN.0","a":1}', '40/a,{"a":1}']
    assert hear(again, '42["x","missed","Q8UoewQ"]').body == "missed"  # before it is said to be joined
    hear(again, '40{"sid":"s","pid":"p"}')
    assert said(recovering(again))[0] == '40{"pid":"p","offset":"Q8UoewQ","a":1}'


def test_a_session_that_is_lost_is_not_asked_for_again() -> None:
    codec = recovering()
    hear(codec, '40{"sid":"s","pid":"p"}')
    hear(codec, '42["x","Q8UoewN"]')
    again = recovering(codec)
    hear(again, '40{"sid":"s","pid":"q"}')
    assert said(recovering(again))[0] == '40{"a":1}'
    last = recovering(again)
    hear(last, '40{"sid":"s"}')
    assert hear(last, '42["x","Q8UoewN"]').body == "Q8UoewN"


# -- what is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("connect", None, "no event can be called 'connect'"),
        ("newListener", None, "no event can be called"),
        ("", None, "no event can be called ''"),
        ("/,", None, "no event can be called '/,'"),
        ("x", object(), "x cannot be written as JSON"),
        ("x", {"a": float("nan")}, "x cannot be written as JSON"),
        ("x", "\ud800", "x cannot be written as JSON"),
        ("/\ud800,connect", None, "connect cannot be written as JSON"),
        ("/x,connect", {"a": b"x"}, "bytes are for events and acknowledgements"),
    ],
)
def test_what_cannot_be_said(name: str, body: Any, told: str) -> None:
    codec = client()
    with pytest.raises(DialectError, match=told):
        (codec.request if name.endswith(",connect") else codec.encode)(name, body)


def test_a_server_joins_nothing() -> None:
    with pytest.raises(DialectError, match="no event can be called '/a,connect'"):
        server().request("/a,connect", None)


@pytest.mark.parametrize(
    "data",
    [
        *("", "7", "9x", "2probe", "3", "11", "6x", "hello", "4", "47", "4{}", OPEN, "0{}", "0"),
        *("42", "42{}", "42[]", '42["x"', '42[""]', '42["connect"]', '42["disconnecting"]', "42[true]", "42[null]"),
        *('421-["x"]', '42/a,["x"]', "43/a,1[]", "41/a", "41{}", "43{}", "431", '4299999999999999999["x"]'),
        *('45["x"]', '450-["x"]', '451001-["x"]', '45-["x"]', '46[]"', "451-{}", '4599999999999["x"]'),
        *(
            '40{"sid":"s2"}',
            "40/a,{}",
            "44{}",
            '44/a,{"message":"x"}',
            "40null",
            "40[]",
            "40/a",
            "405",
            "43[]",
            "45" + "9" * 5_000,
        ),
        *(b"", b"\x00", b"42", '42["' + "x" * 100_001),
        '42["x",' + "[" * 100_000,
    ],
)
def test_what_a_client_does_not_understand_ends_it(data: Data) -> None:
    codec = client(SocketIo(limit_bytes=100_000))
    with pytest.raises(DialectError) as told:
        codec.decode(data)
    assert codec.ending is not None
    assert (codec.ending.by, codec.ending.detail) == ("us", str(told.value))


@pytest.mark.parametrize("data", ["2", "0{}", "40", "44{}", "40/a,5", "51", '42/a,["x"]', "41/a"])
def test_what_a_server_does_not_understand_ends_it(data: Data) -> None:
    codec = server(SocketIo(namespaces=["/", "/a"]))
    with pytest.raises(DialectError):
        codec.decode(data)
    assert codec.ending is not None


@pytest.mark.parametrize("data", ["0", "0[]", '0{"sid":5}', '0{"sid":"e","pingInterval":-1,"pingTimeout":0}', "0{"])
def test_an_opening_that_is_none_is_told(data: str) -> None:
    with pytest.raises(DialectError, match=r"no opening of Engine\.IO"):
        SocketIo().codec(Meeting()).decode(data)


@pytest.mark.parametrize("packet", ["40{}", "40", '40{"sid":5}'])
def test_a_server_of_another_version_is_told(packet: str) -> None:
    codec = client(joined=())
    with pytest.raises(DialectError, match="CONNECT without a sid"):
        codec.decode(packet)


def test_attachments_that_do_not_come_are_told() -> None:
    codec = client()
    assert list(codec.decode('452-["x"]')) == []
    codec.decode(b"1")
    with pytest.raises(DialectError, match="1 attachments of a packet have not come, and a text has"):
        codec.decode('42["x"]')
    with pytest.raises(DialectError, match="binary data, and no packet wants it"):
        codec.decode(b"2")


@pytest.mark.parametrize("number", ["1", "-1", "true", '"0"', "null", "0.0"])
def test_places_of_no_attachment_are_told(number: str) -> None:
    codec = client()
    codec.decode(f'451-["x",[{{"_placeholder":true,"num":{number}}}]]')
    with pytest.raises(DialectError, match="there is no attachment"):
        codec.decode(b"x")


def test_a_packet_is_as_large_as_its_attachments() -> None:
    codec = client(SocketIo(limit_bytes=300))
    assert hear(codec, '452-["x"]', b"x" * 200, b"x" * 90).name == "x"
    for large in ('42["' + "x" * 295 + '"]', '42["' + "ä" * 148 + '"]'):
        with pytest.raises(DialectError, match="a packet of more than 300 bytes"):
            codec.decode(large)
    codec.decode('452-["x"]')
    codec.decode(b"x" * 200)
    with pytest.raises(DialectError, match="a packet of more than 300 bytes"):
        codec.decode(b"x" * 100)
    with pytest.raises(DialectError, match="no packet wants it"):
        codec.decode(b"x")


def test_half_a_character_does_not_break_it() -> None:
    """No wire can bring one, and a test may."""
    codec = client(joined=["/", "/a"])
    assert list(codec.decode('451-/\ud800,["x"]')) == []
    with pytest.raises(DialectError, match="which was not joined"):
        codec.decode(b"x")


def test_a_packet_that_is_nested_too_deeply_is_told() -> None:
    told = set()
    for depth in range(
        100, 3_000, 100
    ):  # the reader, and who puts attachments in their places, have limits of their own
        codec = client()
        try:
            codec.decode(f'451-["x",{"[" * depth}{"]" * depth}]')
            codec.decode(b"")
        except DialectError as error:
            told.add("nested too deeply" in str(error))
    assert told == {True}
