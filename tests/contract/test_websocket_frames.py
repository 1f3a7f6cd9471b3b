"""RFC 6455 on the wire: frames by hand against our client and against our listener."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.conversation.ending import Ending

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LIMIT_BYTES = 1000

Frames = Callable[[Any], bytes]


def close(code: int, reason: bytes = b"") -> bytes:
    return struct.pack(">H", code) + reason


VIOLATIONS: dict[str, tuple[Frames, int, str]] = {
    "RSV1 on text": (lambda peer: peer.frame(TEXT, b"x", rsv=4), 1002, "RSV1 set"),
    "RSV2 on binary": (lambda peer: peer.frame(BINARY, b"x", rsv=2), 1002, "RSV2 set"),
    "RSV3 on text": (lambda peer: peer.frame(TEXT, b"x", rsv=1), 1002, "RSV3 set"),
    "RSV1 on a ping": (lambda peer: peer.frame(PING, b"x", rsv=4), 1002, "RSV1 set"),
    "RSV2 on a pong": (lambda peer: peer.frame(PONG, b"x", rsv=2), 1002, "RSV2 set"),
    "RSV3 on a close": (lambda peer: peer.frame(CLOSE, close(1000), rsv=1), 1002, "RSV3 set"),
    "RSV1 on a continuation": (
        lambda peer: peer.frame(TEXT, b"a", fin=False) + peer.frame(CONTINUATION, b"b", rsv=4),
        1002,
        "RSV1 set",
    ),
    "a continuation of nothing": (lambda peer: peer.frame(CONTINUATION, b"x"), 1002, "no message to continue"),
    "a continuation after a whole message": (
        lambda peer: (
            peer.frame(TEXT, b"a", fin=False) + peer.frame(CONTINUATION, b"b") + peer.frame(CONTINUATION, b"c")
        ),
        1002,
        "no message to continue",
    ),
    "text inside a message": (
        lambda peer: peer.frame(TEXT, b"a", fin=False) + peer.frame(TEXT, b"b"),
        1002,
        "inside a fragmented one",
    ),
    "binary inside a message": (
        lambda peer: peer.frame(BINARY, b"a", fin=False) + peer.frame(BINARY, b"b", fin=False),
        1002,
        "inside a fragmented one",
    ),
    "opcode 3": (lambda peer: peer.frame(0x3, b"x"), 1002, "opcode=0x3"),
    "opcode 11": (lambda peer: peer.frame(0xB, b"x"), 1002, "opcode=0xb"),
    "a fragmented ping": (lambda peer: peer.frame(PING, b"x", fin=False), 1002, "fragmented control frame"),
    "a long ping": (lambda peer: peer.frame(PING, b"x" * 126), 1002, "125 bytes"),
    "a mask that should not be, or none": (
        lambda peer: peer.frame(TEXT, b"x", masked=not peer.is_client),
        1002,
        "mask",
    ),
    "a length in 16 bits that fits into 7": (
        lambda peer: peer.frame(TEXT, b"x", length=struct.pack(">H", 1)),
        1002,
        "16-bit payload len",
    ),
    "a length in 64 bits that fits into 16": (
        lambda peer: peer.frame(TEXT, b"x", length=struct.pack(">Q", 1)),
        1002,
        "64-bit payload len",
    ),
    "a length with its top bit set": (
        lambda peer: peer.frame(TEXT, b"x", length=struct.pack(">Q", 1 << 63)),
        1002,
        "64-bit payload len",
    ),
    "text that is not UTF-8": (lambda peer: peer.frame(TEXT, b"\xff"), 1007, "not UTF-8"),
    "fragmented text that is not UTF-8": (
        lambda peer: peer.frame(TEXT, b"a", fin=False) + peer.frame(CONTINUATION, b"\xed\xa0\x80", fin=False),
        1007,
        "not UTF-8",
    ),
    "text that ends within a letter": (
        lambda peer: peer.frame(TEXT, b"a", fin=False) + peer.frame(CONTINUATION, b"\xce"),
        1007,
        "not UTF-8",
    ),
    "half a close code": (lambda peer: peer.frame(CLOSE, b"\x03"), 1002, "close code"),
    "a reason that is not UTF-8": (lambda peer: peer.frame(CLOSE, close(1000, b"\xff")), 1007, "UTF-8"),
    **{
        f"close code {code}": (lambda peer, code=code: peer.frame(CLOSE, close(code)), 1002, str(code))
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "a frame over the limit": (
        lambda peer: peer.frame(BINARY, length=struct.pack(">H", LIMIT_BYTES + 1)),
        1009,
        f"a frame of {LIMIT_BYTES + 1} bytes; the limit is {LIMIT_BYTES}: raise max_size_bytes",
    ),
    "a frame of nearly everything": (
        lambda peer: peer.frame(BINARY, length=struct.pack(">Q", (1 << 63) - 1)),
        1009,
        f"a frame of {(1 << 63) - 1} bytes; the limit is {LIMIT_BYTES}: raise max_size_bytes",
    ),
    "fragments over the limit": (
        lambda peer: peer.frame(TEXT, b"a" * LIMIT_BYTES, fin=False) + peer.frame(CONTINUATION, b"b", fin=False),
        1009,
        f"a message of more than {LIMIT_BYTES} bytes; the limit is {LIMIT_BYTES}: raise max_size_bytes",
    ),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_ends_the_connection_and_says_why(against: Any, run: Any, violation: str) -> None:
    frames, code, words = VIOLATIONS[violation]
    heard = []

    async def behave(peer: Any) -> None:
        peer.say(peer.frame(TEXT, b"before"), frames(peer), peer.frame(TEXT, b"after"))
        heard.append(await peer.hear_close())
        peer.say(peer.frame(TEXT, b"much later"))

    async def scene() -> Any:
        async with against(behave, max_size_bytes=LIMIT_BYTES) as hearing:
            pass
        return hearing

    hearing = run(scene())
    assert hearing.data == (["before", "ab"] if "after a whole message" in violation else ["before"])
    ending = hearing.ending
    assert (ending.code, ending.by, ending.reason, ending.is_clean) == (code, "us", "", False)
    assert words in ending.detail
    (payload,) = heard
    assert payload[:2] == struct.pack(">H", code)
    said = payload[2:].decode()
    assert said
    assert ending.detail.startswith(said)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_a_goodbye_is_answered_in_kind(against: Any, run: Any, code: int) -> None:
    async def behave(peer: Any) -> None:
        peer.say(peer.frame(CLOSE, close(code, b"bye")))
        assert await peer.hear_close() == close(code, b"bye")
        if not peer.is_client:
            await peer.leave()
        assert await peer.hear_end() == b""

    async def scene() -> Any:
        async with against(behave) as hearing:
            return await hearing.ended()

    assert run(scene()) == Ending(code=code, reason="bye", by="peer", is_clean=True)


def test_a_goodbye_without_a_code(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        peer.say(peer.frame(CLOSE))
        assert await peer.hear_close() == b""
        if not peer.is_client:
            await peer.leave()
        assert await peer.hear_end() == b""

    async def scene() -> Any:
        async with against(behave) as hearing:
            ending = await hearing.ended()
            hearing.connection.send("too late")
            return ending

    assert run(scene()) == Ending(code=1005, by="peer", is_clean=True)


@pytest.mark.parametrize("after", ["frames", "garbage"])
@pytest.mark.parametrize("payload", [b"", close(4000, b"bye")])
def test_whatever_follows_a_goodbye_is_ignored(against: Any, run: Any, after: str, payload: bytes) -> None:
    async def behave(peer: Any) -> None:
        more = peer.frame(PING, b"?") + peer.frame(TEXT, b"late") if after == "frames" else b"\xff" * 100
        peer.say(peer.frame(TEXT, b"before"), peer.frame(CLOSE, payload), more)
        assert await peer.hear_close() == payload
        peer.say(more)

    async def scene() -> Any:
        async with against(behave) as hearing:
            pass
        return hearing

    hearing = run(scene())
    assert hearing.data == ["before"]
    expected = (4000, "bye") if payload else (1005, "")
    assert hearing.ending == Ending(code=expected[0], reason=expected[1], by="peer", is_clean=True)


def test_pings_are_answered_and_not_shown(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        peer.say(
            peer.frame(PING, b"first"),
            peer.frame(TEXT, b"a", fin=False),
            peer.frame(PING, b""),
            peer.frame(PONG, b"nobody asked"),
            peer.frame(CONTINUATION, b"b", fin=False),
            peer.frame(PING, b"\x00" * 125),
            peer.frame(CONTINUATION, b"", fin=False),
            peer.frame(CONTINUATION, b"c"),
            peer.frame(CLOSE, close(1000)),
        )
        for payload in (b"first", b"", b"\x00" * 125):
            assert await peer.hear() == (PONG, True, 0, payload)
        await peer.hear_close()

    async def scene() -> Any:
        async with against(behave) as hearing:
            pass
        return hearing.data

    assert run(scene()) == ["abc"]


def test_messages_in_every_form(against: Any, run: Any) -> None:
    """Empty, fragmented between bytes of a letter, at the borders of the three lengths, byte by byte."""
    word = "κόσμε😀".encode()

    async def behave(peer: Any) -> None:
        for size in (0, 1, 125, 126, 127, 65535, 65536):
            peer.say(peer.frame(TEXT, b"t" * size), peer.frame(BINARY, b"b" * size))
        peer.say(*(peer.frame(CONTINUATION if at else TEXT, word[at : at + 1], fin=False) for at in range(len(word))))
        peer.say(peer.frame(CONTINUATION, b""))
        for byte in peer.frame(TEXT, b"slowly") + peer.frame(BINARY, b"!"):
            peer.say(bytes([byte]))
            await peer.writer.drain()
            await asyncio.sleep(0)
        peer.say(peer.frame(CLOSE, close(1000)))
        await peer.hear_close()

    async def scene() -> Any:
        async with against(behave) as hearing:
            pass
        return hearing.data

    expected: list[str | bytes] = []
    for size in (0, 1, 125, 126, 127, 65535, 65536):
        expected += ["t" * size, b"b" * size]
    assert run(scene()) == [*expected, "κόσμε😀", "slowly", b"!"]


def test_what_we_send(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        assert await peer.hear() == (TEXT, True, 0, "grüß".encode())
        assert await peer.hear() == (BINARY, True, 0, b"\x00\x01")
        assert await peer.hear() == (TEXT, True, 0, b"")
        assert await peer.hear() == (BINARY, True, 0, b"l" * 70_000)
        assert await peer.hear_close() == close(4001, "ciao ü".encode())
        peer.say(peer.frame(TEXT, b"crossed it"), peer.frame(CLOSE, close(4001)))

    async def scene() -> Any:
        async with against(behave) as hearing:
            for data in ("grüß", b"\x00\x01", "", b"l" * 70_000):
                hearing.connection.send(data)
            hearing.connection.close(4001, "ciao ü")
            await hearing.ended()
        return hearing

    hearing = run(scene())
    assert hearing.data == ["crossed it"]
    assert hearing.ending == Ending(code=4001, reason="ciao ü", by="us", is_clean=True)


def test_text_that_utf8_cannot_carry(against: Any, run: Any) -> None:
    from antiphon.errors import TransportError

    async def behave(peer: Any) -> None:
        assert await peer.hear() == (TEXT, True, 0, b"fine")
        await peer.leave()

    async def scene() -> None:
        async with against(behave) as hearing:
            with pytest.raises(TransportError, match="surrogate at index 2"):
                hearing.connection.send("no\ud800")
            hearing.connection.send("fine")

    run(scene())


def test_an_end_without_a_goodbye(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        peer.say(peer.frame(TEXT, b"last words"), peer.frame(TEXT, b"half a fra")[:-3])
        await peer.writer.drain()
        await peer.leave()

    async def scene() -> Any:
        async with against(behave) as hearing:
            pass
        return hearing

    hearing = run(scene())
    assert hearing.data == ["last words"]
    assert hearing.ending == Ending(code=1006, by="wire")


def test_a_peer_that_does_not_say_goodbye_back(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        await peer.hear_close()
        await peer.hear_end()

    async def scene() -> Any:
        async with against(behave, close_within_s=0.05) as hearing:
            hearing.connection.close(4000, "enough")
            return await hearing.ended()

    expected = Ending(code=4000, reason="enough", by="us", detail="the other side did not close within 0.05 s")
    assert run(scene()) == expected


def test_a_peer_that_vanishes_instead_of_saying_goodbye_back(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        await peer.hear_close()
        await peer.leave()

    async def scene() -> Any:
        async with against(behave) as hearing:
            hearing.connection.close()
            return await hearing.ended()

    assert run(scene()) == Ending(code=1000, by="us")


def test_a_peer_that_breaks_the_protocol_while_we_close(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        assert await peer.hear_close() == close(1000)
        peer.say(peer.frame(TEXT, b"", rsv=1))
        assert await peer.hear_end() == b""

    async def scene() -> Any:
        async with against(behave) as hearing:
            hearing.connection.close()
        return hearing.ending

    ending = run(scene())
    assert (ending.code, ending.by, ending.is_clean) == (1000, "us", False)
    assert "RSV3" in ending.detail


def test_both_say_goodbye_at_once(against: Any, run: Any) -> None:
    async def behave(peer: Any) -> None:
        assert await peer.hear_close() == close(4001)
        peer.say(peer.frame(CLOSE, close(4002, b"me first")))
        if not peer.is_client:
            await peer.leave()
        assert await peer.hear_end() == b""

    async def scene() -> Any:
        async with against(behave) as hearing:
            hearing.connection.close(4001)
            return await hearing.ended()

    assert run(scene()) == Ending(code=4001, by="us", is_clean=True)


def test_the_end_is_told_as_soon_as_both_have_said_goodbye(against: Any, run: Any) -> None:
    """Not when the peer deigns to close its TCP connection, and not after `close_within_s` either."""

    async def behave(peer: Any) -> None:
        peer.say(peer.frame(CLOSE, close(1001, b"tea")))
        assert await peer.hear_close() == close(1001, b"tea")
        assert await peer.hear_end() == b""

    async def scene() -> Any:
        async with against(behave, close_within_s=1000) as hearing:
            return await hearing.ended()

    assert run(scene()) == Ending(code=1001, reason="tea", by="peer", is_clean=True)


@pytest.mark.parametrize("fragmented", [False, True])
@pytest.mark.parametrize("where", ["on_opened", "on_data", "on_ended"])
def test_a_receiver_that_raises(run: Any, raw: Any, where: str, fragmented: bool) -> None:
    """Our own bug is told to the event loop's handler; the connection is closed with 1011, and on_ended is called."""
    from antiphon.transport.websocket.server import WebSocketListener

    class Broken:
        data: list[Any]
        ended: asyncio.Future[Ending]

        def on_opened(self, connection: Any) -> None:
            self.data = []
            self.ended = asyncio.get_running_loop().create_future()
            if where == "on_opened":
                raise KeyError("a secret")

        def on_data(self, data: Any) -> None:
            self.data.append(data)
            if where == "on_data":
                raise KeyError("a secret")

        def on_ended(self, ending: Ending) -> None:
            self.ended.set_result(ending)
            if where == "on_ended":
                raise KeyError("a secret")

    async def scene() -> Any:
        receiver = Broken()
        listening = await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: receiver)
        peer = await raw.client(listening.address)
        await raw.ask(peer)
        one = peer.frame(TEXT, b"one")
        if fragmented:
            one = peer.frame(TEXT, b"o", fin=False) + peer.frame(CONTINUATION, b"ne")
        peer.say(one, peer.frame(TEXT, b"two"), peer.frame(CLOSE, close(1000)))
        payload = await peer.hear_close()
        await peer.leave()
        await receiver.ended
        await listening.close()
        return payload, receiver

    payload, receiver = run(scene(), expected=f"the receiver raised KeyError in {where}")
    if where == "on_ended":
        assert receiver.data == ["one", "two"]
        assert payload == close(1000)
        return
    assert receiver.data == ([] if where == "on_opened" else ["one"])
    assert payload == close(1011, b"internal error")
    ending = receiver.ended.result()
    assert (ending.code, ending.by) == (1011, "us")
    assert "KeyError" in ending.detail
    assert "a secret" not in ending.detail
