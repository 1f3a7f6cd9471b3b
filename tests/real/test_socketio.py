"""Socket.IO with socket.io, the JavaScript library that defines the protocol, at either end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Accepted,
    Actor,
    Backoff,
    ErrorReply,
    Message,
    RequestRefused,
    SocketIo,
    Stand,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.scenarios.scenario import load_file

pytestmark = pytest.mark.slow
NEEDS = ("socket.io", "socket.io-client")
EXAMPLE = Path(__file__).parents[2] / "examples" / "real" / "socketio_chat.py"
AUTH = {"token": "{user.password}", "user": "{user.name}"}


class Member(Actor):
    line = WebSocket("{server}", dialect=SocketIo(AUTH, namespaces=["/", "/admin"]), within_s=10)

    @on("question")
    def answer_question(self, question: Message) -> list[Any]:
        text, data = question.body
        return [text.upper(), data + b"\x03"]


class Stranger(Actor):
    line = WebSocket("{server}", dialect=SocketIo({"token": "x"}, namespaces=["/admin"]), opens="manually")


class Nobody(Actor):
    line = WebSocket("{server}", dialect=SocketIo(namespaces=["/nowhere"]), opens="manually")


class Wanderer(Actor, user=False):
    line = WebSocket("{server}", dialect=SocketIo(), within_s=10, reopens=Backoff(first_s=0.01, after={1005}))


class Guest(Actor):
    line = WebSocket("{server}", dialect=SocketIo(), within_s=10)


@scenario(strict=True)
async def ask(member: Member) -> Any:
    stored = await member.ask("store", ["notes", b"\x00\xff\x01"])
    sums = [member.ask("sum", [n, 1]) for n in range(20)]
    asked = await member.ask("ask me", "why?")
    return [
        stored.body,
        [(await each).body for each in sums],
        asked.body,
        (await member.ask("/admin,whoami")).body,
    ]


@scenario(strict=True)
async def be_refused(stranger: Stranger, nobody: Nobody) -> Any:
    refused = await stranger.line.expect_refusal("not authorized")
    return [refused.message.body["data"], (await nobody.line.expect_refusal("Invalid namespace")).code]


@scenario(strict=True)
async def join_and_leave(guest: Guest, member: Member) -> Any:
    with pytest.raises(RequestRefused) as refused:
        await guest.ask("/admin,connect", {"token": "x"})
    await guest.ask("/admin,connect", {"token": "sesame", "user": "guest"})
    told = (await guest.ask("/admin,whoami")).body
    guest.send("/admin,disconnect")
    member.send("/admin,kick me")
    await member.expect("/admin,disconnect")
    return [refused.value.message.body["message"], told, (await guest.ask("sum", [1, 2])).body]


@scenario(strict=True)
async def be_thrown_out(guest: Guest) -> Any:
    await guest.expect_none("never", within_s=0.5)  # some pings
    guest.send("throw me out")
    return (await guest.expect_close()).reason


@scenario
async def be_left_alone(guest: Guest) -> Any:
    guest.send("fall silent")
    ending = await guest.expect_close()
    return "2.1 s" in ending.detail


@scenario(strict=True)
async def be_lost(guest: Guest) -> Any:
    seen = []
    for is_back in (False, True, False):  # what was missed comes before the server says that it is joined, or behind it
        guest.send("burst", 2)
        seen += [(await guest.expect("tick")).body for _ in range(2)]
        guest.send("lose me", is_back)
        await guest.expect_close()
        await guest.connect()
        seen.append((await guest.expect("missed")).body)
    return seen


@scenario(strict=True)
async def be_lost_without_noticing(wanderer: Wanderer) -> Any:
    seen = []
    for is_back in (False, True):
        wanderer.send("burst", 2)
        seen += [(await wanderer.expect("tick")).body for _ in range(2)]
        wanderer.send("lose me", is_back)
        seen.append((await wanderer.expect("missed")).body)
        await wanderer.line.reopened()
    return seen


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (load_file(str(EXAMPLE)).small_talk, [2, "hello", 1]),
        (
            ask,
            [
                [{"name": "notes", "size": 3}, [b"\x01\xff\x00", b"\x00\xff\x01"]],
                list(range(1, 21)),
                [["WHY?", b"\x01\x02\x03"]],
                "alice",
            ],
        ),
        (be_refused, [{"retryable": False}, "Invalid namespace"]),
        (join_and_leave, ["not authorized", "guest", 3]),
        (be_thrown_out, "server disconnect"),
        (be_left_alone, True),
    ],
    ids=["example", "ask", "be_refused", "join_and_leave", "be_thrown_out", "be_left_alone"],
)
def test_its_server(node: Any, run_loop: Any, scene: Any, told: Any) -> None:
    address = node.start("socketio_server.cjs")
    users = [{"name": name, "password": "sesame"} for name in ("alice", "bob")]
    stand = Stand("real", {"server": address, "chat": address}, users=users)
    assert run_loop(perform(scene, stand=stand, runs=None)).value == told


@pytest.mark.parametrize(
    ("scene", "times"), [(be_lost, 3), (be_lost_without_noticing, 2)], ids=["by hand", "by itself"]
)
def test_a_session_is_taken_up_again(node: Any, run_loop: Any, scene: Any, times: int) -> None:
    stand = Stand("real", {"server": node.start("socketio_server.cjs", "recovering")}, users=[{"name": "alice"}])
    told = run_loop(perform(scene, stand=stand, runs=None)).value
    assert told == [0, 1, "while you were away"] * times


class Chat(Actor):
    line = Accepted(
        dialect=SocketIo(
            namespaces=["/", "/admin"],
            failed={"code": ...},
            admit=lambda auth, namespace: let_in(auth),
            ping_every_s=0.05,
        ),
        within_s=10,
    )

    @on("add user")
    def add_user(self, request: Message) -> dict[str, Any]:
        return {"numUsers": 1, "name": request.body}

    @on("new message")
    def say(self, message: Message) -> None:
        self.send("new message", [*message.body, b"\x07"])

    @on("fail")
    def fail(self, _request: Message) -> None:
        raise ErrorReply(404, "not found")

    @on("reverse")
    def reverse(self, request: Message) -> bytes:
        return bytes(reversed(request.body))

    @on("ask me")
    async def ask_back(self, _request: Message) -> Any:
        answer = await self.ask("question", ["why?", b"\x01\x02"])
        return [answer.body]

    @on("/admin,whoami")
    def tell(self, _request: Message) -> str:
        return "an admin"

    @on("throw me out")
    async def throw_out(self, _message: Message) -> None:
        await self.close()


def let_in(auth: Any) -> bool:
    if auth != {"token": "sesame"}:
        raise ErrorReply(401, "who are you?", retryable=True)
    return True


def test_its_client(node: Any, run_loop: Any) -> None:
    async def main() -> Any:
        async with await listen("ws://127.0.0.1:0", lambda _: Chat()) as server:
            written = await node.run("socketio_client.cjs", server.address.replace("ws://", "http://"))
            assert server.failures == []
            return json.loads(written)

    assert run_loop(main()) == {
        "refused": ["who are you?", {"code": 401, "retryable": True}],
        "login": {"numUsers": 1, "name": "alice"},
        "message": ["hello", {"at": 7}, {"type": "Buffer", "data": [7]}],
        "failed": {"code": 404, "message": "not found"},
        "binary": [3, 2, 1],
        "asked": ["WHY?", {"type": "Buffer", "data": [2, 1]}],
        "nowhere": "Invalid namespace",
        "admin": "an admin",
        "gone": "io server disconnect",
    }
