"""RESP 3: values in whatever pieces, commands and replies in order, pushes, subscriptions, logins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from antiphon import Codec, DialectError, ErrorReply, Meeting, Message, OpeningRefused, Resp
from antiphon.dialect.resp_values import Failure, RespReader, write

LIMIT_BYTES = 1000


def read(*pieces: bytes) -> list[Any]:
    reader = RespReader(LIMIT_BYTES)
    return [value for piece in pieces for value, _ in reader.feed(piece)]


VALUES: dict[bytes, Any] = {
    b"+OK\r\n": "OK",
    b"-ERR no such key\r\n": "ERR no such key",
    b":-42\r\n": -42,
    b":+5\r\n": 5,
    b"(3492890328409238509324850943850943825024385\r\n": 3492890328409238509324850943850943825024385,
    b",1.23\r\n": 1.23,
    b",-inf\r\n": float("-inf"),
    b",1e3\r\n": 1000.0,
    b"#t\r\n": True,
    b"#f\r\n": False,
    b"_\r\n": None,
    b"$-1\r\n": None,
    b"*-1\r\n": None,
    b"$0\r\n\r\n": "",
    b"$4\r\na\r\nb\r\n": "a\r\nb",
    b"$2\r\n\xff\x00\r\n": b"\xff\x00",
    b"=8\r\ntxt:gr\xc3\xbc\r\n": "grü",
    b"!9\r\nERR \xff yes\r\n": "ERR � yes",
    b"*0\r\n": [],
    b"*3\r\n:1\r\n*1\r\n+a\r\n_\r\n": [1, ["a"], None],
    b"~2\r\n+a\r\n+b\r\n": ["a", "b"],
    b"%0\r\n": {},
    b"%2\r\n+a\r\n:1\r\n:2\r\n*0\r\n": {"a": 1, 2: []},
    b"%1\r\n*1\r\n:1\r\n+a\r\n": [[[1], "a"]],
    b"|1\r\n+ttl\r\n:3600\r\n:5\r\n": 5,
    b"*2\r\n|1\r\n+a\r\n*1\r\n+b\r\n:1\r\n|0\r\n:2\r\n": [1, 2],
}


@pytest.mark.parametrize(("data", "value"), VALUES.items())
def test_values(data: bytes, value: Any) -> None:
    assert read(data) == [value]
    assert read(data + data) == [value, value]
    for cut in range(len(data)):
        assert read(data[:cut], data[cut:]) == [value]
    assert read(*[bytes([byte]) for byte in data]) == [value]


def test_each_value_has_its_own_bytes() -> None:
    reader = RespReader(LIMIT_BYTES)
    assert [raw for _, raw in reader.feed(b"+a\r\n|1\r\n+x\r\n+y\r\n*1\r\n:1\r\n:2\r\n")] == [
        b"+a\r\n",
        b"|1\r\n+x\r\n+y\r\n*1\r\n:1\r\n",
        b":2\r\n",
    ]


BROKEN = {
    b"hello\r\n": "begins no value",
    b"\r\n": "begins no value",
    b":1_0\r\n": "begins no value",
    b": 1\r\n": "begins no value",
    b":" + b"9" * 4001 + b"\r\n": "begins no value",
    b",0x5\r\n": "begins no value",
    b"#x\r\n": "begins no value",
    b"_x\r\n": "begins no value",
    b"$x\r\n": "is no size",
    b"$-2\r\n": "is no size",
    b"%-1\r\n": "is no size",
    b"*?\r\n": "not known before",
    b"$1001\r\n": "a value of 1001 bytes or items, and no more than 1,000",
    b"*" + b"9" * 5000 + b"\r\n": "a value of 999999999999999999 bytes",
    b"$2\r\nabc\r\n": "no end behind a string of 2 bytes",
    b"*1\r\n>1\r\n+a\r\n": "a push inside",
    b"*1\r\n" * 33: "nested in more than 32",
    b"+" + b"a" * 70_000: "a line of more than 65,536 bytes",
    b"*900\r\n" + b"$9\r\n123456789\r\n" * 70: "a value of more than 1,000 bytes",
}


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_resp(data: bytes) -> None:
    with pytest.raises(DialectError, match="no RESP") as error:
        read(data)
    assert BROKEN[data] in str(error.value)
    for size in (1, 7):
        with pytest.raises(DialectError) as again:
            read(*[data[at : at + size] for at in range(0, len(data), size)])
        assert str(again.value) == str(error.value)


WRITTEN = {
    None: b"_\r\n",
    True: b"#t\r\n",
    5: b":5\r\n",
    2**63: b"(9223372036854775808\r\n",
    1.5: b",1.5\r\n",
    "grü": b"$4\r\ngr\xc3\xbc\r\n",
    b"\xff": b"$1\r\n\xff\r\n",
    Failure("ERR a\r\nb"): b"-ERR a  b\r\n",
    (1, "a"): b"*2\r\n:1\r\n$1\r\na\r\n",
    frozenset({7}): b"~1\r\n:7\r\n",
}


@pytest.mark.parametrize(("value", "data"), WRITTEN.items(), ids=repr)
def test_values_are_written(value: Any, data: bytes) -> None:
    assert write(value) == data


def test_mappings_are_written() -> None:
    assert write({"a": [False]}) == b"%1\r\n$1\r\na\r\n*1\r\n#f\r\n"


@pytest.mark.parametrize("value", [object(), [{"a": object()}], "\ud800"])
def test_what_has_no_form(value: Any) -> None:
    with pytest.raises(DialectError):
        write(value)


def test_what_contains_itself_has_no_form() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(DialectError, match="nested in more than 32"):
        write(endless)


# -- a client ----------------------------------------------------------------------------------------------------------

HELLO = b"%1\r\n+proto\r\n:3\r\n"


def client(dialect: Resp | None = None, meeting: Meeting | None = None) -> Codec:
    codec = (dialect or Resp()).codec(meeting or Meeting())
    list(codec.opening())
    assert heard(codec, HELLO)[0].is_protocol
    assert codec.is_ready
    return codec


def heard(codec: Codec, *pieces: bytes) -> list[Message]:
    return [message for piece in pieces for message in codec.decode(piece)]


def said(messages: Any) -> list[Any]:
    return [message.raw for message in messages]


def test_a_client_says_hello() -> None:
    hidden: list[str] = []
    meeting = Meeting(fields={"seat": 7, "pin": "sesame"}, hide=hidden.append)
    codec = Resp(user="al", password="{pin}", name="seat-{seat}").codec(meeting)
    (hello,) = codec.opening()
    assert isinstance(hello, Message)
    assert read(bytes(hello.raw))[0] == ["HELLO", "3", "AUTH", "al", "sesame", "SETNAME", "seat-7"]  # type: ignore[arg-type]
    assert hidden == ["sesame"]
    assert not codec.is_ready


def test_without_a_user_it_is_the_default_one() -> None:
    (hello,) = Resp(password="x").codec(Meeting()).opening()
    assert hello.body == ["3", "AUTH", "default", "x"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("error", "code", "hint"),
    [
        ("WRONGPASS invalid", "WRONGPASS", "password"),
        ("NOAUTH HELLO must", "NOAUTH", "Resp(password="),
        ("ERR unknown command", "ERR", "Redis 6"),
        ("BUSY x", "BUSY", None),
    ],
)
def test_a_server_refuses_hello(error: str, code: str, hint: str | None) -> None:
    codec = Resp().codec(Meeting())
    list(codec.opening())
    with pytest.raises(OpeningRefused, match=f"refused HELLO: {error}") as refused:
        heard(codec, f"-{error}\r\n".encode())
    assert refused.value.code == code
    assert (hint or "") in (refused.value.hint or "")
    assert refused.value.message.body == error


def test_commands_are_arrays_of_bulk_strings() -> None:
    codec = client()
    for body, data in {
        None: b"",
        "a": b"$1\r\na\r\n",
        5: b"$1\r\n5\r\n",
        (1.5, b"\xff"): b"$3\r\n1.5\r\n$1\r\n\xff\r\n",
    }.items():
        size = len(body) + 1 if isinstance(body, tuple) else 1 + (body is not None)
        assert codec.encode("GET", body).raw == b"*%d\r\n$3\r\nGET\r\n%s" % (size, data)


@pytest.mark.parametrize("body", [{"a": 1}, [None], [["a"]], True, [True]])
def test_what_is_no_argument(body: Any) -> None:
    with pytest.raises(DialectError, match="is no argument of a command"):
        client().encode("SET", body)


def test_replies_come_in_order() -> None:
    codec = client()
    first, second = codec.request("SET", ["a", 1]), codec.request("NOPE", None)
    codec.encode("PING", None)
    third = codec.request("GET", "a")
    assert first.asks is not None
    ok, error, pong, got = heard(codec, b"+OK\r\n-ERR unknown\r\n+PONG\r\n$1\r\n1\r\n")
    assert (ok.name, ok.body, ok.reply_to, ok.is_answer, ok.is_last) == ("SET.result", "OK", first.asks, True, True)
    assert (error.name, error.body, error.reply_to, error.is_failure) == (
        "NOPE.error",
        "ERR unknown",
        second.asks,
        True,
    )
    assert (pong.name, pong.body, pong.reply_to, pong.is_answer) == ("PING.result", "PONG", None, False)
    assert (got.name, got.body, got.reply_to) == ("GET.result", "1", third.asks)


def test_a_reply_to_nothing_ends_the_connection() -> None:
    codec = client()
    with pytest.raises(DialectError, match="a reply to nothing"):
        heard(codec, b"+OK\r\n")
    assert codec.ending is not None
    assert codec.ending.by == "us"
    assert not codec.ending.is_clean
    assert heard(codec, b">1\r\n+a\r\n") == []


def test_pushes_come_out_of_turn() -> None:
    codec = client()
    asked = codec.request("GET", "a")
    push, reply, odd, empty = heard(codec, b">2\r\n+invalidate\r\n*1\r\n+a\r\n:1\r\n>2\r\n:7\r\n+x\r\n>0\r\n")
    assert (push.name, push.body, push.reply_to) == ("invalidate", [["a"]], None)
    assert reply.reply_to == asked.asks
    assert (odd.name, odd.body) == ("push", [7, "x"])
    assert (empty.name, empty.body) == ("push", [])


def confirmation(word: str, channel: str, number: int) -> bytes:
    return write(["x", channel, number]).replace(b"*3\r\n$1\r\nx", b">3\r\n$%d\r\n%s" % (len(word), word.encode()))


def test_a_subscription_is_confirmed_by_a_push_for_each_channel() -> None:
    codec = client()
    asked, after = codec.request("SUBSCRIBE", ["a", "b"]), codec.request("GET", "x")
    pieces = [confirmation("subscribe", "a", 1), b">3\r\n+message\r\n+a\r\n+hi\r\n", confirmation("subscribe", "b", 2)]
    first, message, second, reply = heard(codec, *pieces, b"+y\r\n")
    assert (first.body, first.reply_to, first.is_answer, first.is_last) == (["a", 1], asked.asks, True, False)
    assert (message.name, message.body, message.reply_to) == ("message", ["a", "hi"], None)
    assert (second.reply_to, second.is_last) == (asked.asks, True)
    assert reply.reply_to == after.asks


def test_an_end_of_all_subscriptions_is_confirmed_for_each_that_there_was() -> None:
    codec = client()
    codec.encode("subscribe", ["a", "b"])
    heard(codec, confirmation("subscribe", "a", 1), confirmation("subscribe", "b", 2))
    asked = codec.request("UNSUBSCRIBE", None)
    ends = heard(codec, confirmation("unsubscribe", "b", 1), confirmation("unsubscribe", "a", 0))
    assert [(end.reply_to, end.is_last) for end in ends] == [(asked.asks, False), (asked.asks, True)]
    again = codec.request("PUNSUBSCRIBE", None)
    (end,) = heard(codec, b">3\r\n+punsubscribe\r\n_\r\n:0\r\n")
    assert (end.reply_to, end.is_last) == (again.asks, True)


def test_a_confirmation_that_nobody_asked_for_is_a_push() -> None:
    codec = client()
    (lone,) = heard(codec, confirmation("sunsubscribe", "a", 0))  # as when a cluster moves a slot
    codec.request("GET", "a")
    (beside,) = heard(codec, confirmation("subscribe", "a", 1))
    codec.request("SUBSCRIBE", "b")
    refused = heard(codec, b"+x\r\n", confirmation("unsubscribe", "a", 0), b"-NOPERM no\r\n")
    assert [message.reply_to for message in (lone, beside, refused[1])] == [None, None, None]
    assert refused[2].is_failure
    assert refused[2].name == "SUBSCRIBE.error"


def test_a_password_that_is_said_later_is_hidden() -> None:
    hidden: list[str] = []
    codec = client(meeting=Meeting(hide=hidden.append))
    codec.request("auth", ["al", "looking-glass"])
    codec.request("AUTH", None)
    assert hidden == ["looking-glass"]


# -- a server ----------------------------------------------------------------------------------------------------------


def server(dialect: Resp | None = None, hello: Sequence[str] = ("HELLO", "3"), **meeting: Any) -> Codec:
    codec = (dialect or Resp()).codec(Meeting("server", **meeting))
    heard(codec, write([*hello]))
    return codec


def owed(codec: Codec) -> list[Any]:
    return [value for message in codec.owed() for value in read(bytes(message.raw))]  # type: ignore[union-attr,arg-type]


def test_a_server_greets() -> None:
    codec = server()
    assert codec.is_ready
    (facts,) = owed(codec)
    assert facts["proto"] == 3
    assert list(codec.owed()) == []


GUARDED = Resp(user="al", password="sesame")


@pytest.mark.parametrize(
    ("hello", "refusal"),
    [
        (["HELLO", "3"], "NOAUTH"),
        (["HELLO", "3", "AUTH", "al", "wrong"], "WRONGPASS"),
        (["HELLO", "3", "AUTH", "bob", "sesame"], "WRONGPASS"),
        (["HELLO", "2", "AUTH", "al", "sesame"], "NOPROTO"),
        (["HELLO"], "NOPROTO"),
        (["GET", "a"], "NOAUTH"),
    ],
)
def test_a_server_asks_who_it_is(hello: list[str], refusal: str) -> None:
    codec = server(GUARDED, hello)
    assert not codec.is_ready
    (error,) = owed(codec)
    assert error.startswith(refusal)
    # As with Redis, who is refused may try again.
    (message,) = heard(codec, write(["hello", "3", "setname", "x", "auth", "al", "sesame"]))
    assert (message.name, message.body) == ("HELLO", {"version": "3", "user": "al", "password": "sesame"})
    assert codec.is_ready


def test_a_server_hides_what_it_was_told() -> None:
    hidden: list[str] = []
    server(GUARDED, ["HELLO", "3", "AUTH", "al", "typo"], hide=hidden.append)
    assert hidden == ["sesame", "typo"]


def test_a_server_without_a_password_takes_anyone_who_says_hello() -> None:
    codec = server(Resp(), ["PING"])
    assert owed(codec) == ["ERR HELLO 3 comes first: this server speaks RESP 3"]
    heard(codec, write(["HELLO", "3", b"AUTH", "any", b"\xff"]))
    assert codec.is_ready


def test_a_second_hello_waits_for_its_turn() -> None:
    codec = server(GUARDED, ["HELLO", "3", "AUTH", "al", "sesame"])
    owed(codec)
    (command,) = heard(codec, write(["GET", "a"]))
    heard(codec, write(["HELLO", "3"]))
    (hello,) = codec.owed()
    assert hello.frames == ()  # type: ignore[union-attr]
    answer = codec.answer(command, 1)
    assert answer.frames is not None
    assert read(*answer.frames)[0] == 1  # type: ignore[arg-type]
    assert read(*answer.frames)[1]["proto"] == 3  # type: ignore[arg-type]


def test_answers_leave_in_the_order_of_the_commands() -> None:
    codec = server()
    owed(codec)
    get, put = heard(codec, write(["get", "a", b"\xff"]) + write(["SET", "a", "1"]))
    assert (get.name, get.body, get.is_request) == ("GET", ["a", b"\xff"], True)
    late = codec.answer(put, "OK")
    assert (late.name, late.body, late.frames) == ("SET.result", "OK", ())
    early = codec.refuse(get, ErrorReply("WRONGTYPE", "not a\r\nlist"))
    assert (early.name, early.body) == ("GET.error", "WRONGTYPE not a\r\nlist")
    assert early.frames == [b"-WRONGTYPE not a  list\r\n$2\r\nOK\r\n"]


@pytest.mark.parametrize(
    "words", [b"*0\r\n", b"+PING\r\n", b"*1\r\n:1\r\n", b"*1\r\n$0\r\n\r\n", b"*1\r\n$1\r\n\xff\r\n"]
)
def test_what_is_no_command(words: bytes) -> None:
    codec = server()
    with pytest.raises(DialectError, match="no command"):
        heard(codec, words)
    assert codec.ending is not None


@pytest.mark.parametrize(("body", "words"), [(None, []), ("a", ["a"]), ([["k"], {"n": 1}], [["k"], {"n": 1}])])
def test_a_server_pushes(body: Any, words: list[Any]) -> None:
    (push,) = heard(client(), bytes(server().encode("news", body).raw))  # type: ignore[arg-type]
    assert (push.name, push.body) == ("news", words)


def test_a_server_confirms_subscriptions() -> None:
    ours, theirs = client(), server()
    owed(theirs)

    def ask(name: str, body: Any) -> list[tuple[str, Any, bool]]:
        request = ours.request(name, body)
        (received,) = heard(theirs, bytes(request.raw))  # type: ignore[arg-type]
        answer = theirs.answer(received, None)
        assert answer.frames is not None
        replies = heard(ours, *answer.frames)  # type: ignore[arg-type]
        assert all(reply.reply_to == request.asks for reply in replies)
        return [(reply.name, reply.body, reply.is_last) for reply in replies]

    assert ask("SUBSCRIBE", ["a", "b"]) == [("subscribe", ["a", 1], False), ("subscribe", ["b", 2], True)]
    assert ask("PSUBSCRIBE", "a*") == [("psubscribe", ["a*", 3], True)]
    assert ask("SSUBSCRIBE", "s") == [("ssubscribe", ["s", 1], True)]
    assert ask("UNSUBSCRIBE", "b") == [("unsubscribe", ["b", 2], True)]
    assert ask("UNSUBSCRIBE", None) == [("unsubscribe", ["a", 1], True)]
    assert ask("UNSUBSCRIBE", None) == [("unsubscribe", [None, 1], True)]
