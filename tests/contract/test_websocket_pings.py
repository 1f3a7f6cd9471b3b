"""Pings that we send, by hand or by themselves, and pongs that we withhold (RFC 6455 sections 5.5.2 and 5.5.3)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon import Opening, ScenarioError
from antiphon.testing.transports import Hearing
from antiphon.transport.websocket.client import WebSocketTransport
from antiphon.transport.websocket.connection import WebSocketConnection
from antiphon.transport.websocket.server import WebSocketListener

PING, PONG, BINARY, CLOSE = 0x9, 0xA, 0x2, 0x8
BYE = b"\x03\xe8"


def connection_of(hearing: Hearing) -> WebSocketConnection:
    assert isinstance(hearing.connection, WebSocketConnection)
    return hearing.connection


async def leave(peer: Any) -> None:
    """Say goodbye and read to the end."""
    peer.say(peer.frame(CLOSE, BYE))
    await peer.hear_end()


class Showing(Hearing):
    """Is shown pings and pongs."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: list[tuple[str, bytes, bool]] = []

    def on_protocol(self, name: str, data: Any, *, is_sent: bool) -> None:
        self.protocol.append((name, bytes(data), is_sent))


class TestByHand:
    def test_the_round_trip_is_timed(self, run: Any, against: Any) -> None:
        async def serve(peer: Any) -> None:
            for _ in range(2):
                opcode, _, _, payload = await peer.hear()
                assert opcode == PING
                peer.say(peer.frame(PONG, payload))
            await peer.hear_end()

        async def scene() -> None:
            async with against(serve) as hearing:
                for _ in range(2):
                    took_s = await connection_of(hearing).ping()
                    assert took_s is not None
                    assert 0 <= took_s < 10
                connection_of(hearing).abort()

        run(scene())

    def test_the_pong_of_a_later_ping_answers_the_earlier_ones(self, run: Any, against: Any) -> None:
        async def serve(peer: Any) -> None:
            payloads = [(await peer.hear())[3] for _ in range(3)]
            assert len(set(payloads)) == 3
            peer.say(peer.frame(PONG, b"unasked"), peer.frame(PONG, payloads[1]))
            await peer.hear_end()

        async def scene() -> None:
            async with against(serve) as hearing:
                pings = [asyncio.ensure_future(connection_of(hearing).ping()) for _ in range(3)]
                done, pending = await asyncio.wait(pings[:2])
                assert {type(each.result()) for each in done} == {float}
                assert not pending
                assert not pings[2].done()
                connection_of(hearing).abort()
                assert await pings[2] is None

        run(scene())

    def test_one_that_was_given_up_is_forgotten(self, run: Any, against: Any) -> None:
        async def serve(peer: Any) -> None:
            first, second = (await peer.hear())[3], (await peer.hear())[3]
            peer.say(peer.frame(PONG, first), peer.frame(PONG, second))
            await peer.hear_end()

        async def scene() -> None:
            async with against(serve) as hearing:
                given_up = asyncio.ensure_future(connection_of(hearing).ping())
                await asyncio.sleep(0)
                given_up.cancel()
                assert await connection_of(hearing).ping() is not None
                connection_of(hearing).abort()

        run(scene())

    def test_after_the_end_there_is_none(self, run: Any, against: Any) -> None:
        async def scene() -> None:
            async with against(leave) as hearing:
                await hearing.ended()
                assert await connection_of(hearing).ping() is None

        run(scene())


class TestByThemselves:
    def test_a_peer_that_answers_stays(self, run: Any, against: Any) -> None:
        async def serve(peer: Any) -> None:
            for _ in range(3):
                opcode, _, _, payload = await peer.hear()
                assert opcode == PING
                peer.say(peer.frame(PONG, payload))
            await leave(peer)

        async def scene() -> None:
            async with against(serve, ping_every_s=0.01) as hearing:
                await hearing.ended()
                assert hearing.ending is not None
                assert (hearing.ending.code, hearing.ending.by) == (1000, "peer")

        run(scene())

    def test_a_peer_that_hangs_is_found_out(self, run: Any, against: Any) -> None:
        async def scene() -> None:
            async with against(hang, ping_every_s=0.01, ping_within_s=0.02) as hearing:
                await hearing.ended()
                ending = hearing.ending
                assert ending is not None
                assert (ending.code, ending.by, ending.is_clean) == (1006, "wire", False)
                assert ending.detail == (
                    "no pong came within 0.02 s: the other side hangs, or the connection is half-open"
                )

        async def hang(peer: Any) -> None:
            assert (await peer.hear())[0] == PING
            await peer.hear_end()

        run(scene())

    def test_data_is_no_pong(self, run: Any, against: Any) -> None:
        async def serve(peer: Any) -> None:
            async def talk() -> None:
                while True:
                    peer.say(peer.frame(BINARY, b"on and on"))
                    await asyncio.sleep(0.001)

            talking = asyncio.ensure_future(talk())
            await peer.hear_end()
            talking.cancel()

        async def scene() -> None:
            async with against(serve, ping_every_s=0.01, ping_within_s=0.05) as hearing:
                await hearing.ended()
                assert hearing.ending is not None
                assert "no pong" in hearing.ending.detail

        run(scene())

    def test_while_we_do_not_read_nobody_is_dead(self, run: Any, against: Any) -> None:
        async def serve(peer: Any) -> None:
            opcode, _, _, payload = await peer.hear()
            assert opcode == PING
            peer.say(peer.frame(PONG, payload), peer.frame(BINARY, b"still here"))
            await peer.hear_end()

        async def scene() -> None:
            async with against(serve, ping_every_s=0.01, ping_within_s=0.3) as hearing:
                connection_of(hearing).pause()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1):
                        await hearing.ended()
                connection_of(hearing).resume()
                await hearing.until(lambda: bool(hearing.data), "what was said meanwhile")
                connection_of(hearing).abort()

        run(scene())

    def test_our_goodbye_ends_them(self, run: Any, against: Any) -> None:
        async def serve(peer: Any) -> None:
            heard = [(await peer.hear())[0]]
            while heard[-1] == PING:
                heard.append((await peer.hear())[0])
            assert heard[-1] == CLOSE
            peer.say(peer.frame(CLOSE, BYE))
            await peer.hear_end()

        async def scene() -> None:
            async with against(serve, ping_every_s=0.005) as hearing:
                await asyncio.sleep(0.02)
                connection_of(hearing).close()
                await hearing.ended()
                assert hearing.ending is not None
                assert hearing.ending.is_clean

        run(scene())

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"ping_every_s": 0}, "ping_every_s is 0"),
            ({"ping_every_s": float("inf")}, "ping_every_s is inf"),
            ({"ping_within_s": -1}, "ping_within_s is -1"),
            ({"ping_every_s": "20s"}, "ping_every_s is '20s'"),
            ({"ping_every_s": True}, "ping_every_s is True"),
        ],
    )
    def test_times_that_are_none(self, options: dict[str, Any], told: str) -> None:
        with pytest.raises(ScenarioError, match=told):
            WebSocketTransport(**options)


def test_pongs_may_be_withheld(run: Any, against: Any) -> None:
    async def serve(peer: Any) -> None:
        peer.say(peer.frame(PING, b"there?"), peer.frame(CLOSE, BYE))
        opcode, *_ = await peer.hear()
        assert opcode == CLOSE
        await peer.hear_end()

    async def scene() -> None:
        async with against(serve, answers_pings=False) as hearing:
            await hearing.ended()

    run(scene())


def test_both_sides_show_what_they_send_and_hear(run: Any) -> None:
    async def scene() -> tuple[list[Any], list[Any]]:
        server, client = Showing(), Showing()
        listening = await WebSocketListener().listen("ws://127.0.0.1:0", lambda _opening: server, shows_pings=True)
        try:
            await WebSocketTransport(shows_pings=True).connect(listening.address, Opening(), client)
            await connection_of(client).ping()
        finally:
            await listening.close()
        return server.protocol, client.protocol

    theirs, ours = run(scene())
    assert ours == [("ping", b"1", True), ("pong", b"1", False)]
    assert theirs == [("ping", b"1", False), ("pong", b"1", True)]
