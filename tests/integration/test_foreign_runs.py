"""Two recorded runs against a server that we did not write, whose ids are of its own shape, and how they differ."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon import Actor, Json, Link, Stand, action, perform, scenario, together
from antiphon.cli import main
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.interface import Connection, Opening
from antiphon.transport.memory import MemoryNetwork


class Broker:
    """Streams quotes: names orders `m4-s5hbwp`, counts streams, and answers when chance has it."""

    def __init__(self, seed: int, **quirks: Any) -> None:
        self.chance = random.Random(seed)
        self.quirks = quirks
        self.streams = 0
        self.connection: Connection | None = None

    def accept(self, _opening: Opening) -> Broker:
        return self

    def on_opened(self, connection: Connection) -> None:
        self.connection = connection

    def on_ended(self, _ending: Any) -> None:
        self.connection = None

    def on_data(self, data: Any) -> None:
        request = json.loads(data)
        topic = request["topic"]
        asyncio.get_running_loop().call_later(self.chance.random(), self.begin, request["id"], topic)

    def begin(self, key: Any, topic: str) -> None:
        self.streams += 1
        stream, order = self.streams, self.order()
        self.say(kind="opened", id=key, stream=stream, topic=topic, order=order)
        at_s = 0.0
        for number in range(3):
            at_s += self.chance.random()
            mine = stream if (topic, number) != self.quirks.get("slips") else 3 - stream
            price = 7 if (topic, number) != self.quirks.get("costs") else 8
            quote = {"kind": "quote", "stream": mine, "n": number, "order": order, "price": price}
            asyncio.get_running_loop().call_later(at_s, lambda quote=quote: self.say(**quote))

    def order(self) -> str:
        letters = "".join(self.chance.choices("abcdefghijklmnopqrstuvwxyz", k=4))
        return f"m{self.chance.randrange(10)}-{letters[0]}{self.chance.randrange(10)}{letters[1:]}"

    def say(self, **message: Any) -> None:
        assert self.connection is not None
        self.connection.send(json.dumps(message))


class Trader(Actor):
    line = Link("{broker}", dialect=Json(name="kind", id="id"), within_s=60)

    @action
    async def watch(self, topic: str) -> None:
        opened = await self.ask("open", topic=topic)
        for number in range(3):
            await self.expect("quote", {"order": opened["order"], "n": number})


@scenario
async def trading(trader: Trader) -> None:
    await together(trader.watch("gold"), trader.watch("silver"))


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., str]:
    def record_here(name: str, seed: int, **quirks: Any) -> str:
        async def trade() -> None:
            network = MemoryNetwork()
            listening = await network.listen("memory://broker", Broker(seed, **quirks).accept)
            (tmp_path / name).mkdir()
            stand = Stand("test", {"broker": "memory://broker"}, transports={"memory": network})
            try:
                await perform(trading, stand=stand, directory=tmp_path / name, reports=(), linger_s=0.0)
            finally:
                await listening.close()

        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(trade())
        return str(tmp_path / name)

    return record_here


@pytest.mark.parametrize("seed", range(2, 12))
def test_runs_that_are_told_in_another_order_are_the_same(
    record: Callable[..., str], capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    assert main(["diff", record("one", 1), record("other", seed), "--no-timings"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("seed", range(2, 12))
def test_a_price_that_is_another_one_is_told_alone(
    record: Callable[..., str], capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    assert main(["diff", record("one", 1), record("other", seed, costs=("silver", 1)), "--no-timings"]) == 1
    told = capsys.readouterr().out
    assert "1 difference" in told
    assert "quote price  7" in told.replace("data.", "")


@pytest.mark.parametrize("seed", range(2, 12))
def test_a_quote_on_the_wrong_stream_is_told(
    record: Callable[..., str], capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    assert main(["diff", record("one", 1), record("other", seed, slips=("gold", 2)), "--no-timings"]) == 1
    assert "stream" in capsys.readouterr().out
