"""Why a conversation failed with a server that others wrote: the text alone must tell.

Each case breaks one thing. The fact that decides stands in the first three lines, and the text has at most 30: a reader
who has nothing else knows the cause then.
"""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha1
from pathlib import Path
from typing import Any

import msgspec
import pytest
import websockets
from foreign_servers import Foreign, Guest, Serve, failure_at, failure_of

from antiphon import (
    Actor,
    GraphqlWs,
    Json,
    JsonRpc,
    Link,
    Message,
    Mqtt,
    Ocpp,
    Opening,
    RejectConnection,
    Resp,
    Scenario,
    Stomp,
    Text,
    action,
    on,
    scenario,
    soft,
    together,
    within,
)
from antiphon.cli import main
from antiphon.journal.file import read_journal
from antiphon.report.verdict import CUT_OFF, Verdict
from antiphon.transport.interface import Receiver

MOST_LINES = 30
DECIDING_LINES = 3


def numeric(line: str) -> str | None:
    """The command of a line of IRC: `001`, `433`, `PRIVMSG`."""
    words = line.split()
    return words[1] if words and words[0].startswith(":") else words[0] if words else None


class Chatter(Actor):
    line = Link("{server}", dialect=Text(name=numeric), within_s=5)

    @action
    async def register(self, nick: str) -> None:
        self.send("NICK", f"NICK {nick}")
        self.send("USER", f"USER {nick} 0 * :{nick}")
        await self.expect("001")


class Visitor(Actor):
    line = Link("{server}", dialect=Json(name="type"), within_s=5)

    @action
    async def join(self, room: str) -> None:
        self.send("join", room=room)
        await self.expect("joined", {"room": room})


class Asker(Actor):
    line = Link("{server}", dialect=Json(name="method", id="id"), within_s=5)


class Caller(Actor):
    line = Link("{server}", dialect=JsonRpc(), within_s=5)


class Point(Actor):
    line = Link("{server}", dialect=Ocpp(), within_s=5)


class Subscriber(Actor):
    line = Link("{server}", dialect=GraphqlWs(), within_s=5)


class Redis(Actor):
    line = Link("{server}", dialect=Resp(), within_s=5)


class Client(Actor):
    line = Link("{server}", dialect=Stomp(), within_s=5)


class Sensor(Actor):
    line = Link("{server}", dialect=Mqtt(client_id="s1"), within_s=5)


class Case(msgspec.Struct):
    """A scenario with a server, and what its text must say in its first lines, and anywhere; and must not say."""

    scenario: Scenario[Any, Any]
    server: Callable[[], Foreign]
    decides: tuple[str, ...]
    says: tuple[str, ...] = ()
    says_not: tuple[str, ...] = ()


def read(data: Any) -> Any:
    return json.loads(data)


# -- an error instead of an answer ------------------------------------------------------------------------------------


@scenario
async def register(ann: Chatter) -> None:
    await ann.register("ann")


def irc(*answers: str) -> Callable[[], Foreign]:
    def hear(guest: Guest, data: Any) -> None:
        if data.startswith("USER"):
            guest.say(*answers)
            guest.say("PING :irc.example", after_s=2)

    return lambda: Foreign(hear, lambda guest: guest.say(":irc.example NOTICE * :*** Looking up your hostname"))


@scenario
async def join(ann: Visitor) -> None:
    await ann.join("lobby")


def room(*answers: dict[str, Any], after_s: float = 0.0) -> Callable[[], Foreign]:
    def hear(guest: Guest, data: Any) -> None:
        if read(data)["type"] == "join":
            guest.say(*answers, after_s=after_s)

    def greet(guest: Guest) -> None:
        guest.say({"type": "welcome", "server": "chat-3"})
        for second in range(1, 5):
            guest.say({"type": "ping", "seq": second}, after_s=second)

    return lambda: Foreign(hear, greet)


@scenario
async def ask_with_a_check(ann: Asker) -> None:
    await ann.ask("login", user="ann", check={"result": {"user": "ann"}})


def replying(make: Callable[[Any], Any]) -> Callable[[], Foreign]:
    return lambda: Foreign(lambda guest, data: guest.say(make(read(data))))


@scenario
async def ask(ann: Asker) -> None:
    await ann.ask("login", user="ann")


@scenario
async def call(ann: Caller) -> None:
    await ann.ask("transfer", amount=7)


@scenario
async def boot(point: Point) -> None:
    await point.ask("BootNotification", chargePointModel="X", chargePointVendor="Y")


@scenario
async def subscribe(ann: Subscriber) -> None:
    async for _ in ann.ask("subscribe", query="subscription { ticks }"):
        pass


def graphql(answer: Callable[[str], Any]) -> Callable[[], Foreign]:
    def hear(guest: Guest, data: Any) -> None:
        said = read(data)
        if said["type"] == "connection_init":
            guest.say({"type": "connection_ack"})
        elif said["type"] == "subscribe":
            guest.say(answer(said["id"]))

    return lambda: Foreign(hear)


class Legacy(Actor):
    line = Link("{server}", dialect=Json(name="type", body="payload"), within_s=5)


@scenario
async def initialise(ann: Legacy) -> None:
    ann.send("connection_init", token="t0p")
    await ann.expect("connection_ack")


@scenario
async def set_a_key(ann: Redis) -> None:
    await ann.ask("SET", ["key", "value"])


def redis(answer: bytes) -> Callable[[], Foreign]:
    def hear(guest: Guest, data: Any) -> None:
        guest.say(b"%1\r\n+server\r\n+redis\r\n" if b"HELLO" in data else answer)

    return lambda: Foreign(hear)


@scenario
async def publish(ann: Client) -> None:
    ann.send("SUBSCRIBE", id="0", destination="/queue/orders")
    await ann.expect("MESSAGE")


def stomp(*answers: str) -> Callable[[], Foreign]:
    def hear(guest: Guest, data: Any) -> None:
        if data.startswith("CONNECT"):
            guest.say("CONNECTED\nversion:1.2\n\n\0")
        elif data.startswith("SUBSCRIBE"):
            guest.say(*answers)
            guest.leave()

    return lambda: Foreign(hear)


@scenario
async def listen_to_a_topic(sensor: Sensor) -> None:
    await sensor.ask("SUBSCRIBE", topics=["secret/#"])


def mqtt(connack: bytes, suback: bytes = b"") -> Callable[[], Foreign]:
    def hear(guest: Guest, data: Any) -> None:
        kind = data[0] >> 4
        if kind == 1:
            guest.say(connack)
        elif kind == 8:
            guest.say(b"\x90\x03" + data[2:4] + suback)

    return lambda: Foreign(hear)


INSTEAD = {
    "irc_nickname_in_use": Case(
        register,
        irc(":irc.example 433 * ann :Nickname is already in use"),
        ("expected 001", "433", "Nickname is already in use"),
    ),
    "irc_wrong_password": Case(
        register,
        irc(":irc.example 020 * :Please wait", ":irc.example 464 ann :Wrong password"),
        ("expected 001", "464", "Wrong password"),
    ),
    "irc_banned_and_closed": Case(
        register, irc("ERROR :Closing Link: ann (You are banned)"), ("ERROR", "You are banned")
    ),
    "denied": Case(
        join,
        room({"type": "denied", "reason": "room is members only", "room": "lobby"}),
        ("expected joined", "denied", "room is members only"),
    ),
    "state_left_by_an_earlier_run": Case(
        join,
        room({"type": "join_failed", "code": "already_joined", "detail": "ann joined lobby at 09:13 yesterday"}),
        ("join_failed", "already_joined", "ann joined lobby at 09:13 yesterday"),
    ),
    "a_body_that_says_failure": Case(
        join,
        room({"type": "response", "to": "join", "ok": False, "error": {"code": 403, "message": "not invited"}}),
        ("expected joined", "response", "403", "not invited"),
    ),
    "error_for_the_result": Case(
        ask_with_a_check,
        replying(lambda said: {"id": said["id"], "error": {"code": 7, "message": "bad token"}}),
        ("login", "7", "bad token"),
    ),
    "json_rpc_error": Case(
        call,
        replying(lambda said: {"jsonrpc": "2.0", "id": said["id"], "error": {"code": -32001, "message": "no funds"}}),
        ("transfer", "-32001", "no funds"),
    ),
    "json_rpc_error_to_nobody": Case(
        call,
        replying(lambda _: {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Invalid Request"}}),
        ("transfer", "-32600", "Invalid Request"),
    ),
    "ocpp_call_error": Case(
        boot,
        replying(lambda said: [4, said[1], "SecurityError", "unknown charge point", {}]),
        ("BootNotification", "SecurityError", "unknown charge point"),
    ),
    "graphql_error": Case(
        subscribe,
        graphql(lambda key: {"id": key, "type": "error", "payload": [{"message": "Unknown field ticks"}]}),
        ("subscribe", "Unknown field ticks"),
    ),
    "graphql_connection_error": Case(
        initialise,
        replying(lambda _: {"type": "connection_error", "payload": {"message": "token expired"}}),
        ("expected connection_ack", "connection_error", "token expired"),
    ),
    "redis_error": Case(
        set_a_key,
        redis(b"-READONLY You can't write against a read only replica.\r\n"),
        ("SET", "READONLY You can't write against a read only replica"),
    ),
    "stomp_error": Case(
        publish,
        stomp("ERROR\nmessage:access refused\n\nno right to /queue/orders\0"),
        ("expected MESSAGE", "ERROR", "access refused"),
    ),
    "mqtt_connect_refused": Case(listen_to_a_topic, mqtt(b"\x20\x02\x00\x05"), ("sensor.line", "authori")),
    "mqtt_subscription_refused": Case(listen_to_a_topic, mqtt(b"\x20\x02\x00\x00", b"\x80"), ("SUBSCRIBE", "refused")),
}

# -- what is asked of us, what goes to others, what comes too late ----------------------------------------------------


@scenario
async def two_ask(ann: Asker, bob: Asker) -> None:
    await bob.ask("hello")
    await ann.ask("login", user="ann")


def mixed_up() -> Foreign:
    """Answers whoever came last."""
    server = Foreign()

    def hear(guest: Guest, data: Any) -> None:
        said = read(data)
        to = server.guests[-1] if said["method"] == "login" else guest
        to.say({"method": said["method"], "id": said["id"], "result": "ok", "user": said.get("user")})

    server.hear = hear
    return server


@scenario
async def await_a_start(point: Point) -> None:
    await point.ask("BootNotification", chargePointModel="X", chargePointVendor="Y")
    await point.expect("ChangeAvailability")


def central() -> Foreign:
    """Asks for a remote start, and goes on when it is answered."""

    def hear(guest: Guest, data: Any) -> None:
        said = read(data)
        if said[0] == 2:
            guest.say([3, said[1], {"status": "Accepted"}])
            guest.say([2, "s-1", "RemoteStartTransaction", {"idTag": "A1"}], after_s=1)
        else:
            guest.say([2, "s-2", "ChangeAvailability", {"connectorId": 1}])

    return Foreign(hear)


@scenario
async def sit_in_silence(ann: Visitor, bob: Visitor) -> None:
    bob.send("join", room="lobby")
    await bob.expect("joined")
    await ann.expect("message", {"from": "bob"})


def throws_out_the_second() -> Foreign:
    server = Foreign()

    def hear(guest: Guest, data: Any) -> None:
        guest.say({"type": "joined"})
        guest.leave(4001, "logged in elsewhere", after_s=0.5)

    server.hear = hear
    return server


def mutes_the_second() -> Foreign:
    def hear(guest: Guest, _data: Any) -> None:
        guest.say({"type": "joined"})
        guest.say({"type": "error", "reason": "you are muted"}, after_s=0.5)

    return Foreign(hear)


def says_nothing_more() -> Foreign:
    return Foreign(lambda guest, _data: guest.say({"type": "joined"}))


class Second(Visitor):
    line = Link("{server}", dialect=Json(name="type"), within_s=5, opens="manually")


@scenario
async def the_second_is_refused(ann: Visitor, bob: Second) -> None:
    await bob.line.expect_refusal()
    await ann.expect("message", {"from": "bob"})


class OneSeat(Foreign):
    """Has room for one guest."""

    def accept(self, opening: Opening) -> Receiver:
        if self.guests:
            raise RejectConnection(503, "no seat is free")
        return super().accept(opening)


@scenario
async def look_later(ann: Visitor) -> None:
    ann.send("join", room="lobby")
    await asyncio.sleep(1)
    await ann.expect("joined")


@scenario
async def meter(ann: Chatter) -> None:
    await ann.expect("PING")
    await asyncio.sleep(10)
    ann.send("METER", "METER 17")


def expects_pongs() -> Foreign:
    def greet(guest: Guest) -> None:
        guest.say("PING :1", after_s=2)
        guest.leave(after_s=3.2)

    return Foreign(greet=greet)


@scenario
async def both_are_thrown_out(ann: Visitor, bob: Visitor) -> None:
    await together(ann.join("lobby"), bob.join("lobby"))


def restarts() -> Foreign:
    return Foreign(greet=lambda guest: guest.leave(1012, "restarting", after_s=0.5))


ELSEWHERE = {
    "answered_to_another_actor": Case(two_ask, mixed_up, ("ann.line", "login", "bob.line")),
    "a_question_that_we_never_answered": Case(
        await_a_start, central, ("for ChangeAvailability", "never answered RemoteStartTransaction")
    ),
    "another_actor_was_thrown_out": Case(
        sit_in_silence, throws_out_the_second, ("bob.line", "4001", "logged in elsewhere")
    ),
    "another_actor_was_sent_an_error": Case(sit_in_silence, mutes_the_second, ("bob.line", "you are muted")),
    "another_actor_was_refused": Case(the_second_is_refused, OneSeat, ("bob.line was refused", "503")),
    "nothing_came": Case(sit_in_silence, says_nothing_more, ("ann.line", "for message", "nothing arrived")),
    "it_lay_unread": Case(
        look_later,
        room({"type": "error", "reason": "lobby is full"}, after_s=0.2),
        ("expected joined", "lobby is full"),
    ),
    "a_late_refusal": Case(
        join,
        room({"type": "error", "reason": "lobby is full"}, after_s=5.3),
        ("expected joined", "lobby is full", "300 ms"),
    ),
    "an_unanswered_heartbeat": Case(
        meter, expects_pongs, ("ann.line", "without a close frame", "PING", "METER cannot be sent")
    ),
    "a_restart_that_ends_all": Case(
        both_are_thrown_out, restarts, ("1012", "restarting"), says=("for the same reason: bob.line",)
    ),
    "an_error_and_then_the_end": Case(
        join,
        lambda: Foreign(
            lambda guest, _: (guest.say({"type": "fatal", "reason": "client too old"}), guest.leave(4400, "bye"))
        ),
        ("fatal", "client too old", "4400"),
    ),
}

# -- nearly right -----------------------------------------------------------------------------------------------------


def saying(*said: Any, before: tuple[Any, ...] = ()) -> Callable[[], Foreign]:
    def hear(guest: Guest, _data: Any) -> None:
        guest.say(*said)

    return lambda: Foreign(hear, lambda guest: guest.say(*before) if before else None)


@scenario
async def await_state(ann: Visitor) -> None:
    ann.send("go")
    await ann.expect("state", {"call": "4858", "words": ["a", "b"], "code": "abc", "room": "lobby"})


RIGHT = {"type": "state", "call": "4858", "words": ["a", "b"], "code": "abc", "room": "lobby"}


@scenario
async def await_call(ann: Visitor) -> None:
    ann.send("go")
    await ann.expect("state", {"call": "c-17", "state": "held"})


@scenario
async def look_too_late(ann: Visitor) -> None:
    ann.send("go")
    await asyncio.sleep(1)
    await ann.expect("state", {"call": "c-17"}, check={"state": "held"})


@scenario
async def with_a_mark(ann: Visitor) -> None:
    ann.send("go")
    await asyncio.sleep(1)
    await ann.expect_none("error", within_s=1, since=ann.mark() - 1)


@scenario
async def in_time(ann: Visitor) -> None:
    await within(3, ann.join("lobby"))


@scenario
async def until_it_is(ann: Visitor) -> None:
    ann.send("go")
    ready: list[str] = []
    await ann.line.until(lambda: bool(ready))


class Handler(Visitor):
    @on("state")
    def note(self, message: Message) -> None:
        self.state = message["state"]


@scenario
async def await_a_name(ann: Handler) -> None:
    ann.send("go")
    await ann.expect("stated", {"call": "c-17"})


@scenario
async def await_by_the_wrong_field(ann: Visitor) -> None:
    ann.send("go")
    await ann.expect("welcome")


@scenario
async def softly(ann: Visitor) -> None:
    ann.send("go")
    await ann.expect("state", check=soft({"state": "held"}))


NEARLY = {
    "a_blank_at_the_end": Case(
        await_state, saying({**RIGHT, "room": "lobby "}), ("for state", "room is 'lobby '", "blank at the end")
    ),
    "a_number_for_a_text": Case(
        await_state, saying({**RIGHT, "call": 4858}), ("call is 4858, wanted '4858'", "a number", "text")
    ),
    "another_order": Case(await_state, saying({**RIGHT, "words": ["b", "a"]}), ("words", "in another order")),
    "reversed": Case(await_state, saying({**RIGHT, "code": "cba"}), ("code is 'cba'", "reversed")),
    "another_case": Case(await_state, saying({**RIGHT, "room": "Lobby"}), ("room is 'Lobby'", "case")),
    "the_same_call_before_a_near_value": Case(
        await_call,
        saying(
            {"type": "state", "call": "c-17", "state": "ringing"},
            {"type": "state", "call": "c-99", "state": "held"},
            {"type": "ping", "call": "c-17", "state": "held"},
        ),
        ("state is 'ringing', wanted 'held'",),
        says_not=("c-99', wanted",),
    ),
    "one_before_the_wait_would_have_counted": Case(
        await_call,
        lambda: Foreign(greet=lambda guest: guest.say({"type": "state", "call": "c-17", "state": "ringing"})),
        ("state is 'ringing', wanted 'held'",),
        says=("would have counted",),
    ),
    "it_lay_there_and_a_newer_one_fits": Case(
        look_too_late,
        saying(
            {"type": "state", "call": "c-17", "state": "ringing"}, {"type": "state", "call": "c-17", "state": "held"}
        ),
        ("state is 'ringing', wanted 'held'", "had lain in the mailbox for 1.000 s", "a newer one", "matches"),
    ),
    "a_mark_that_was_given_is_no_hint": Case(
        with_a_mark, saying({"type": "error", "reason": "boo"}), ("no error", "boo"), says_not=("give since=mark()",)
    ),
    "a_limit_on_several_steps": Case(
        in_time,
        saying({"type": "joined", "room": "Lobby"}),
        ("within 3 s", "room is 'Lobby', wanted 'lobby'"),
    ),
    "a_limit_and_a_refusal": Case(
        in_time, saying({"type": "denied", "reason": "not today"}), ("3 s", "denied", "not today")
    ),
    "a_condition_and_a_refusal": Case(
        until_it_is, saying({"type": "denied", "reason": "not today"}), ("ann.line", "denied", "not today")
    ),
    "what_a_handler_takes_is_not_near": Case(
        await_a_name,
        saying({"type": "state", "call": "c-18", "state": "held"}),
        ("for stated",),
        says_not=("nearest",),
    ),
    "a_name_in_another_field": Case(
        await_by_the_wrong_field,
        saying({"event": "welcome", "id": 1}),
        ("for welcome", "unnamed", "event"),
    ),
}

CASES = {**INSTEAD, **ELSEWHERE, **NEARLY}

# -- over real sockets, with servers that others wrote, or none -------------------------------------------------------


class Browser(Actor):
    line = Link(
        "{server}/desk?room=7",
        dialect=Json(name="type"),
        headers={"Origin": "http://elsewhere", "Authorization": "Bearer s3cr3t-t0ken"},
        subprotocols=("chat.v2",),
        within_s=10,
    )


class Anonymous(Actor):
    line = Link("{server}", dialect=Json(name="type"), within_s=10)


@scenario
async def look_in(ann: Browser) -> None:
    await ann.expect("welcome")


@scenario
async def look_in_anonymously(ann: Anonymous) -> None:
    await ann.expect("welcome")


def refusing(status: int, body: str) -> Serve:
    """A `websockets` server that answers the upgrade with something else."""

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        def refuse(connection: Any, _request: Any) -> Any:
            return connection.respond(status, body)

        async def never(_connection: Any) -> None: ...

        async with websockets.serve(never, "127.0.0.1", 0, process_request=refuse) as server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    return serve


def saying_frames(*frames: bytes) -> Serve:
    """A server that says these bytes behind its handshake, whatever the protocol allows."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = b64encode(sha1(key.partition(b":")[2].strip() + _GUID).digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + b"".join(frames))
        with suppress(OSError):
            await writer.drain()
            await reader.read()
        writer.close()

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        async with server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    return serve


_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CLOSE_1006 = b"\x88\x04\x03\xeegone"


def first_lines(text: str) -> str:
    assert len(text.splitlines()) <= MOST_LINES
    return "\n".join(text.splitlines()[:DECIDING_LINES])


def test_a_refused_upgrade_says_with_which_words_and_what_was_offered(tmp_path: Path) -> None:
    body = json.dumps({"code": "expired", "message": "token expired"})
    text = failure_at(look_in, tmp_path, "", refusing(401, body))
    first = first_lines(text)
    assert "ann.line: the server refused the upgrade: 401 Unauthorized" in first
    assert "it says: expired token expired" in first
    assert "the path /desk with a query, subprotocols chat.v2, Origin http://elsewhere" in first
    assert "credentials in Authorization" in first
    assert "authentication is required" in text
    assert "test_foreign_servers.py" in text
    assert "s3cr3t" not in text


def test_without_credentials_it_says_so(tmp_path: Path) -> None:
    first = first_lines(failure_at(look_in_anonymously, tmp_path, "", refusing(403, "members only")))
    assert "403 Forbidden" in first
    assert "it says: members only" in first
    assert "no subprotocol, no Origin, no credentials" in first


def test_1006_in_a_close_frame_is_the_servers_fault(tmp_path: Path) -> None:
    first = first_lines(failure_at(look_in_anonymously, tmp_path, "", saying_frames(CLOSE_1006)))
    assert "the server broke the protocol" in first
    assert "1006" in first


def test_nobody_is_there(tmp_path: Path) -> None:
    with socket.socket() as bound:  # and not listening, so that nobody else can have the port
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        first = first_lines(failure_at(look_in_anonymously, tmp_path, f"ws://127.0.0.1:{port}"))
    assert f"ann.line: no server is listening on 127.0.0.1:{port}" in first


def test_a_connection_that_is_cut_says_that_nobody_said_goodbye(tmp_path: Path) -> None:
    text = failure_at(look_in_anonymously, tmp_path, "", cut_off())
    assert "ann.line waited for welcome, but the connection was lost without a close frame" in first_lines(text)


def cut_off() -> Serve:
    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        async def cut(connection: Any) -> None:
            connection.transport.abort()

        async with websockets.serve(cut, "127.0.0.1", 0) as server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    return serve


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    known: dict[str, str] = {}

    def text(name: str) -> str:
        if name not in known:
            known[name] = failure_of(CASES[name].scenario, tmp_path_factory.mktemp(name), server=CASES[name].server())
        return known[name]

    return text


@pytest.mark.parametrize("name", CASES)
def test_the_deciding_fact_stands_in_the_first_three_lines(name: str, texts: Callable[[str], str]) -> None:
    case, lines = CASES[name], texts(name).splitlines()
    first = "\n".join(lines[:DECIDING_LINES])
    assert [fact for fact in case.decides if fact not in first] == [], "\n".join(lines)
    assert [fact for fact in case.says if fact not in "\n".join(lines)] == [], "\n".join(lines)
    assert [fact for fact in case.says_not if fact in "\n".join(lines)] == [], "\n".join(lines)
    assert len(lines) <= MOST_LINES


KILLED = [
    *(
        "irc_nickname_in_use",
        "irc_wrong_password",
        "denied",
        "state_left_by_an_earlier_run",
        "a_body_that_says_failure",
    ),
    *("json_rpc_error_to_nobody", "graphql_connection_error", "answered_to_another_actor", "it_lay_unread"),
    *("another_actor_was_thrown_out", "another_actor_was_sent_an_error", "a_condition_and_a_refusal"),
    *("the_same_call_before_a_near_value", "a_number_for_a_text", "a_name_in_another_field"),
]


@pytest.mark.parametrize("name", KILLED)
def test_a_run_that_was_killed_is_explained_as_well(name: str, tmp_path: Path) -> None:
    """From the journal alone, which breaks off where the wait would have failed."""
    case = CASES[name]
    failure_of(case.scenario, tmp_path, server=case.server())
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    end = next(at for at, line in enumerate(lines) if b'"wait-ended"' in line and b'"failed"' in line)
    journal.write_bytes(b"".join(lines[:end]))
    verdict = Verdict()
    for entry in read_journal(journal):
        verdict(entry)
    told = verdict.text.splitlines()
    assert told[0] == CUT_OFF
    # One line more, for the first says that it was cut off.
    first = "\n".join(told[: DECIDING_LINES + 1])
    assert [fact for fact in case.decides if fact not in first] == [], verdict.text
    assert len(told) <= MOST_LINES


def test_whoever_shows_a_run_that_was_killed_is_told_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failure_of(join, tmp_path, server=CASES["denied"].server())
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-4]))
    assert main(["show", str(tmp_path), "--no-open"]) == 0
    assert "and got denied: 'room is members only'" in capsys.readouterr().err
    assert main(["report", str(tmp_path), "junit"]) == 0
    assert "and got denied: &apos;room is members only&apos;" in (tmp_path / "junit.xml").read_text().replace(
        "'", "&apos;"
    )


def test_no_two_faults_have_the_same_text(texts: Callable[[str], str]) -> None:
    """Those of one scenario, whose text differs by its fault only."""
    told = [texts(name) for name in CASES]
    assert len(set(told)) == len(told)
