"""Peers that let us in and then misbehave: each is one clear error, nothing is lost, and the run ends."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Actor,
    ChannelClosed,
    CheckFailed,
    DeadlinePassed,
    DialectError,
    FieldMissing,
    Http,
    Json,
    JsonRpc,
    Message,
    Stand,
    WebSocket,
    action,
    on,
    play,
    scenario,
)
from antiphon.journal import ChannelEnded, Dropped, WaitEnded
from antiphon.journal.file import WrittenMessage, read_journal

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})
BINARY, CLOSE, PING = 0x2, 0x8, 0x9


class Party(Actor):
    line = WebSocket("{peer}/desk", dialect=DIALECT, within_s=60)
    api = Http("{http}")

    @action
    async def call(self, number: str) -> str:
        """Says hello, is welcomed, and dials: what the peer does in the middle of it is what the tests are about."""
        self.send("hello")
        await self.expect("welcome")
        dialled = await self.ask("dial", number=number)
        return str(dialled["id"])


@scenario
async def conversation(party: Party) -> str:
    return await party.call("890000002")


async def begin(line: Any) -> None:
    """The peer's part until it is asked to dial."""
    await line.upgrade()
    assert await line.hear() == ("hello", {})
    line.say("welcome")
    assert await line.hear() == ("dial", {"number": "890000002"})


BEGUN = ["> hello", "< welcome", "> dial"]
PLACE = "tests/e2e/test_bad_peers.py"


# -- what cannot be read ----------------------------------------------------------------------------------------------


UNREADABLE = {
    "no JSON": ("welcome, dear client!", "not JSON", "is this channel's dialect the right one?"),
    "nothing": ("", "not JSON", "the frame is empty"),
    "NaN": ('{"action": "resultDial", "data": {"id": NaN}}', "not JSON", "right one?"),
    "half of it": ('{"action": "resultDial", "data": {', "not JSON", "right one?"),
    "a byte order mark": ('\ufeff{"action": "resultDial"}', "not JSON", "byte order mark"),
    "deep nesting": ('{"data":' * 100_000 + "1" + "}" * 100_000, "not JSON", "nested too deeply"),
    "half a surrogate pair": ('{"action": "resultDial", "data": "\\ud83d"}', "not JSON", "surrogate pair"),
}


@pytest.mark.parametrize("text", UNREADABLE)
def test_text_that_nobody_can_read(fail: Callable[..., Any], serve: Callable[..., Any], text: str) -> None:
    said, told, hint = UNREADABLE[text]

    async def babble(line: Any) -> Any:
        await begin(line)
        line.say_text(said)
        return await line.goodbye()

    peer = serve(babble)
    failure = fail(conversation, DialectError, verdict="failed", peer=peer.address)

    assert told in failure.text
    assert hint in failure.error.hint
    assert failure.error.place == "party.line, received message 2"
    assert len(failure.text) < 1000
    assert failure.said == [*BEGUN, "< unreadable"]
    assert failure.of(WrittenMessage)[-1].raw == said
    assert peer.outcome() == (1000, "")
    saved = sorted(file.name for file in (failure.directory / "received").iterdir())
    assert saved == ["unreadable0.txt", "welcome0.json"]


def test_binary_where_json_was_expected(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def say_bytes(line: Any) -> Any:
        await begin(line)
        line.writer.write(line.frame(BINARY, b"\x00\x01\xff\xfe"))
        return await line.goodbye()

    peer = serve(say_bytes)
    failure = fail(conversation, DialectError, verdict="failed", peer=peer.address)

    assert "not JSON" in failure.text
    assert failure.error.hint
    assert failure.of(WrittenMessage)[-1].raw == b"\x00\x01\xff\xfe"
    assert [file.name for file in (failure.directory / "received").glob("unreadable*")] == ["unreadable0.hex.txt"]


def test_unreadable_data_may_be_handled(serve: Callable[..., Any]) -> None:
    class Patient(Party):
        @on.unreadable
        def note(self, data: Message) -> None:
            self.noted = data.raw

    @scenario
    async def be_patient(party: Patient) -> str:
        return await party.call("890000002")

    async def babble(line: Any) -> Any:
        await begin(line)
        line.say_text("a moment, please")
        line.say("resultDial", {"id": "7"})
        return await line.goodbye()

    run = play(be_patient, stand=Stand("test", {"peer": serve(babble).address}), runs=None)
    assert run.value == "7"
    assert run.party.noted == "a moment, please"


def test_a_batch_with_a_member_that_is_none(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    """What is wrong with the member is said; its neighbours are heard."""

    class Counter(Actor):
        line = WebSocket("{peer}/count", dialect=JsonRpc(), within_s=60)

    @scenario
    async def count(counter: Counter) -> None:
        await counter.expect("never")

    async def babble(line: Any) -> Any:
        await line.upgrade()
        line.say_text('[{"jsonrpc": "2.0", "method": "one"}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "method": "two"}]')
        return await line.goodbye()

    failure = fail(count, DialectError, verdict="failed", peer=serve(babble).address)

    assert "it has neither method, result nor error" in failure.text
    assert failure.error.place == "counter.line, received message 2"
    assert failure.said == ["< one", "< unreadable", "< two"]


# -- what breaks the protocol (RFC 6455) ------------------------------------------------------------------------------


VIOLATIONS: dict[str, tuple[Callable[[Any], bytes], int, str]] = {
    "20 MiB at once": (lambda line: line.frame(0x1, b" " * (20 << 20)), 1009, "16777216"),
    "20 MiB in pieces": (
        lambda line: line.frame(0x1, b" " * (4 << 20), fin=False) + 4 * line.frame(0x0, b" " * (4 << 20), fin=False),
        1009,
        "16777216",
    ),
    "text that is not UTF-8": (lambda line: line.frame(0x1, b'{"action": "\xff"}'), 1007, "not UTF-8"),
    "reserved bits": (lambda line: line.frame(0x1, b"{}", reserved=0b010), 1002, "RSV2"),
    "compressed, and nobody asked": (lambda line: line.frame(0x1, b"{}", reserved=0b100), 1002, "RSV1"),
    "a reserved opcode": (lambda line: line.frame(0x3, b"{}"), 1002, "opcode"),
    "a masked frame": (lambda line: b"\x81\x82\x00\x00\x00\x00{}", 1002, "mask"),
    "a long ping": (lambda line: line.frame(PING, b"x" * 126), 1002, ""),
    "a ping in pieces": (lambda line: line.frame(PING, b"x", fin=False), 1002, ""),
    "a piece of nothing": (lambda line: line.frame(0x0, b"{}"), 1002, "continu"),
    "a close code that is none": (lambda line: line.frame(CLOSE, b"\x03\xed"), 1002, "1005"),
    "half a close code": (lambda line: line.frame(CLOSE, b"\x03"), 1002, "invalid close code"),
    "a reason that is not UTF-8": (lambda line: line.frame(CLOSE, b"\x03\xe8\xff"), 1007, "invalid UTF-8"),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_broken_protocol(fail: Callable[..., Any], serve: Callable[..., Any], violation: str) -> None:
    make, code, told = VIOLATIONS[violation]

    async def break_it(line: Any) -> Any:
        await begin(line)
        line.writer.write(make(line))
        return await line.hear_close()

    peer = serve(break_it)
    failure = fail(conversation, ChannelClosed, verdict="failed", peer=peer.address)

    assert f"we closed the connection with code {code}" in failure.text
    assert told in failure.text
    assert f"{PLACE}:" in failure.text
    assert "the step call('890000002')" in failure.text
    assert failure.said == BEGUN
    (ended,) = failure.of(ChannelEnded)
    assert (ended.code, ended.by) == (code, "us")
    assert ended.detail
    heard_code, heard_reason = peer.outcome()
    assert heard_code == code
    assert heard_reason


def test_the_size_of_what_is_too_much_can_be_raised(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def say_much(line: Any) -> Any:
        await begin(line)
        line.writer.write(VIOLATIONS["20 MiB at once"][0](line))
        return await line.hear_close()

    failure = fail(conversation, ChannelClosed, verdict="failed", peer=serve(say_much).address)
    assert "max_size_bytes" in failure.text

    class Roomy(Actor):
        line = WebSocket("{peer}", dialect=DIALECT, max_size_bytes=32 << 20)

    @scenario
    async def take_it(party: Roomy) -> int:
        return len((await party.expect("big"))["text"])

    async def say_as_much(line: Any) -> Any:
        await line.upgrade()
        line.say("big", {"text": "x" * (20 << 20)})
        return await line.goodbye()

    peer = serve(say_as_much)
    assert play(take_it, stand=Stand("test", {"peer": peer.address}), runs=None).value == 20 << 20
    assert peer.outcome() == (1000, "")


# -- ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_close_in_the_middle_of_a_call(fail: Callable[..., Any], serve: Callable[..., Any], hangs_up: bool) -> None:
    """Once goodbye was said nothing can come any more, whether the peer ends the TCP connection or not."""

    async def replace(line: Any) -> Any:
        await begin(line)
        line.say_close(4409, "replaced")
        heard = await line.hear_close()
        if not hangs_up:
            await line.gone()
        return heard

    peer = serve(replace)
    failure = fail(conversation, ChannelClosed, verdict="failed", peer=peer.address)

    assert "the server closed the connection with code 4409 'replaced'" in failure.text
    assert "dial" in failure.text
    assert f"{PLACE}:" in failure.text
    assert failure.said == BEGUN
    assert peer.outcome() == (4409, "replaced")
    (ended,) = failure.of(ChannelEnded)
    assert (ended.code, ended.reason, ended.by) == (4409, "replaced", "peer")
    assert ended.at_ns - failure.of(WrittenMessage)[-1].at_ns < 0.9e9


def test_a_close_without_a_code(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def close_dumbly(line: Any) -> Any:
        await begin(line)
        line.writer.write(line.frame(CLOSE))
        return await line.hear_frame()

    peer = serve(close_dumbly)
    failure = fail(conversation, ChannelClosed, verdict="failed", peer=peer.address)

    assert "the server closed the connection with code 1005" in failure.text
    assert peer.outcome() == (CLOSE, b"")


def test_a_connection_that_breaks(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def hang_up(line: Any) -> None:
        await begin(line)

    failure = fail(conversation, ChannelClosed, verdict="failed", peer=serve(hang_up).address)

    assert "the connection was lost without a close frame" in failure.text
    assert failure.said == BEGUN


def test_a_connection_that_is_reset(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    async def reset(line: Any) -> None:
        await begin(line)
        line.writer.transport.abort()

    failure = fail(conversation, ChannelClosed, verdict="failed", peer=serve(reset).address)

    assert "the connection was lost without a close frame" in failure.text
    assert failure.said == BEGUN


def test_a_close_that_was_expected_passes(serve: Callable[..., Any]) -> None:
    @scenario
    async def be_replaced(party: Party) -> str:
        party.send("hello")
        return (await party.expect_close(4409)).reason

    async def replace(line: Any) -> Any:
        await line.upgrade()
        await line.hear()
        line.say_close(4409, "replaced")
        return await line.hear_close()

    peer = serve(replace)
    run = play(be_replaced, stand=Stand("test", {"peer": peer.address, "http": peer.http}), runs=None)
    assert (run.verdict, run.value) == ("passed", "replaced")


def test_another_close_than_the_expected_one(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    @scenario
    async def be_replaced(party: Party) -> None:
        await party.expect_close(4409)

    async def go_away(line: Any) -> Any:
        await line.upgrade()
        line.say_close(1001, "maintenance")
        return await line.hear_close()

    failure = fail(be_replaced, CheckFailed, verdict="failed", peer=serve(go_away).address)

    assert "4409" in failure.text
    assert "the server closed the connection with code 1001 'maintenance'" in failure.text


def test_half_a_frame_and_then_silence(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    class Hasty(Actor):
        line = WebSocket("{peer}/desk", dialect=DIALECT, within_s=0.2)

        @action
        async def dial(self) -> None:
            await self.expect("welcome", within_s=60)
            await self.ask("dial")

    @scenario
    async def dial(party: Hasty) -> None:
        await party.dial()

    async def fall_silent(line: Any) -> Any:
        await line.upgrade()
        line.say("welcome")
        await line.hear()
        line.writer.write(line.frame(0x1, b'{"action": "resultDial", "data": {}}')[:-5])
        return await line.hear_close()

    peer = serve(fall_silent)
    failure = fail(dial, DeadlinePassed, verdict="failed", peer=peer.address)

    assert "party.line waited 2" in failure.text
    assert "and it did not come" in failure.text
    assert "dial" in failure.text
    assert "the step dial()" in failure.text
    assert "nothing arrived during the wait" in failure.text
    assert failure.said == ["< welcome", "> dial"]
    assert failure.of(WaitEnded)[1].outcome == "failed"
    assert peer.outcome() == (1000, "")


def test_a_close_that_nobody_awaits_is_told_by_the_next_word(
    fail: Callable[..., Any], serve: Callable[..., Any]
) -> None:
    """The desk is closed while the scenario waits for an answer over HTTP."""

    @scenario
    async def look_away(party: Party) -> None:
        await party.api.get("/health")
        party.send("hello")

    assert _close_meanwhile(fail, serve, look_away).text.startswith(
        "party.line was closed by the server with code 4409 'replaced' at "
    )


def test_a_close_that_nobody_awaits_is_told_by_the_next_wait(
    fail: Callable[..., Any], serve: Callable[..., Any]
) -> None:
    @scenario
    async def look_away(party: Party) -> None:
        await party.api.get("/health")
        await party.expect("welcome")

    failure = _close_meanwhile(fail, serve, look_away)
    assert (
        "party.line waited for welcome, but the server closed the connection with code 4409 'replaced'" in failure.text
    )


def _close_meanwhile(fail: Callable[..., Any], serve: Callable[..., Any], look_away: Any) -> Any:
    is_asked, is_closed = asyncio.Event(), asyncio.Event()

    async def close_meanwhile(line: Any) -> None:
        _, headers = await line.read_head()
        if "upgrade" in headers:
            line.accept(headers)
            await is_asked.wait()
            line.say_close(4409, "replaced")
            await line.hear_close()
            is_closed.set()
            await line.gone()
        else:
            is_asked.set()
            await is_closed.wait()
            line.answer("200 OK", "{}", "application/json")

    failure = fail(look_away, ChannelClosed, verdict="failed", peer=serve(close_meanwhile).address)
    assert f"{PLACE}:" in failure.text
    return failure


# -- what can be read, and is wrong -----------------------------------------------------------------------------------


def test_names_that_are_no_strings(fail: Callable[..., Any], serve: Callable[..., Any]) -> None:
    @scenario
    async def listen(party: Party) -> None:
        party.send("hello")
        await party.expect("welcome", within_s=1)

    async def stammer(line: Any) -> Any:
        await line.upgrade()
        await line.hear()
        for text in ('{"action": 5, "data": {}}', '{"action": null}', "[]", "17", '"welcome"', '{"data": {}}'):
            line.say_text(text)
        return await line.hear_close()

    failure = fail(listen, DeadlinePassed, verdict="failed", peer=serve(stammer).address)

    assert "unnamed ×6" in failure.text
    assert failure.said == ["> hello", *["< unnamed"] * 6]


def test_replies_that_nobody_asked_for_stay_in_the_mailbox(serve: Callable[..., Any]) -> None:
    @scenario
    async def listen(party: Party) -> list[Any]:
        await party.expect("said")
        asked = await party.ask("dial", number="1")
        return [
            asked["id"],
            [message["id"] for message in party.drain("resultDial")],
            (await party.expect("resultRing")).body,
        ]

    async def reply_to_nobody(line: Any) -> Any:
        await line.upgrade()
        line.say("resultRing", {"of": "nobody"})
        line.say("resultDial", {"id": "early"})
        line.say("said")
        await line.hear()
        line.say("resultDial", {"id": "right"})
        return await line.hear_close()

    peer = serve(reply_to_nobody)
    run = play(listen, stand=Stand("test", {"peer": peer.address, "http": peer.http}), runs=None)
    assert run.value == ["right", ["early"], {"of": "nobody"}]


def test_a_second_reply_is_nobodys(serve: Callable[..., Any]) -> None:
    @scenario
    async def dial_twice(party: Party) -> list[Any]:
        first = await party.ask("dial", number="1")
        await party.expect("said")
        second = await party.ask("dial", number="2")
        return [first["id"], second["id"], [message["id"] for message in party.drain("resultDial")]]

    async def reply_twice(line: Any) -> Any:
        await line.upgrade()
        await line.hear()
        line.say("resultDial", {"id": "one"})
        line.say("resultDial", {"id": "one again"})
        line.say("said")
        await line.hear()
        line.say("resultDial", {"id": "two"})
        return await line.hear_close()

    peer = serve(reply_twice)
    run = play(dial_twice, stand=Stand("test", {"peer": peer.address, "http": peer.http}), runs=None)
    assert run.value == ["one", "two", ["one again"]]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ([1, 2], "its body is a list of 2"),
        ("yes", "it is str, not an object"),
        ({"result": "success", "ids": [7]}, "its fields are 'result', 'ids'; did you mean 'ids'?"),
        ({}, "its body is empty"),
    ],
)
def test_a_reply_that_is_not_what_it_should_be(
    fail: Callable[..., Any], serve: Callable[..., Any], body: Any, hint: str
) -> None:
    async def reply_wrongly(line: Any) -> Any:
        await begin(line)
        line.writer.write(line.frame(0x1, _document("resultDial", body)))
        return await line.hear_close()

    failure = fail(conversation, FieldMissing, verdict="failed", peer=serve(reply_wrongly).address)

    assert "resultDial has no field 'id'" in failure.text
    assert failure.error.hint == hint
    assert f"{PLACE}:" in failure.error.place
    assert failure.said == [*BEGUN, "< resultDial"]


def _document(action: str, body: Any) -> bytes:
    return json.dumps({"action": action, "data": body}).encode()


# -- too much of it ---------------------------------------------------------------------------------------------------

FLOOD = 60_000
LIMIT = 1_000


class Swamped(Actor):
    """Looks at the process's memory again and again while it is flooded."""

    line = WebSocket("{peer}", dialect=DIALECT, within_s=60, mailbox_limit=LIMIT)

    def __init__(self) -> None:
        self.resident_kib: list[int] = []

    @on("milestone")
    def look(self, milestone: Message) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.resident_kib.append(pages * os.sysconf("SC_PAGE_SIZE") // 1024)


@scenario
async def swim(party: Swamped) -> list[Any]:
    dry = party.expect("dry")
    party.send("go")
    await dry
    return [message["number"] for message in party.drain("drop")]


@pytest.mark.slow
def test_a_flood_fills_no_memory(serve: Callable[..., Any], tmp_path: Path) -> None:
    async def flood(line: Any) -> Any:
        await line.upgrade()
        await line.hear()
        for begun in range(0, FLOOD, 500):
            drops = (b'{"action":"drop","data":{"number":%d}}' % number for number in range(begun, begun + 500))
            line.writer.write(b"".join(line.frame(0x1, drop) for drop in drops))
            await line.writer.drain()
            if begun % (FLOOD // 5) == FLOOD // 10:
                line.say("milestone")
        line.say("dry")
        return await line.goodbye()

    peer = serve(flood)
    run = play(swim, stand=Stand("test", {"peer": peer.address}), runs=tmp_path, reports=())

    assert run.value == list(range(FLOOD - LIMIT, FLOOD)), "the latest are kept, in order"
    assert len(run.party.resident_kib) == 5
    assert max(run.party.resident_kib) - run.party.resident_kib[0] < 16 * 1024
    entries = list(read_journal(run.directory / "journal.jsonl"))
    dropped = [entry for entry in entries if isinstance(entry, Dropped)]
    assert (dropped[0].count, dropped[0].limit) == (1, LIMIT)
    assert FLOOD // 3 < dropped[-1].count < FLOOD
    assert len(dropped) < 20, "it is said, but not for every message"
    assert sum(isinstance(entry, WrittenMessage) for entry in entries) == FLOOD + 7, "the journal has them all"
    assert peer.outcome() == (1000, "")
