"""A load's percentiles in virtual time, where nothing is late by itself: they are those of the server's sorted log."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from antiphon import Accepted, Actor, Json, Link, Stand, action, listen, on, scenario
from antiphon.load.loads import Load, perform_load
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})
THOUSANDTHS = {"p50_ms": 500, "p90_ms": 900, "p95_ms": 950, "p99_ms": 990, "p999_ms": 999}


class Caller(Actor, user=False):
    line = Link("{peer}", dialect=DIALECT, within_s=60)

    @action
    async def outbound_call(self) -> None:
        await self.ask("call")


@scenario
async def calling(caller: Caller) -> None:
    await caller.outbound_call()


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.3, 2.0], ids=["even", "with a long tail"])
def test_percentiles_are_those_of_the_servers_sorted_log(tmp_path: Path, spread: float) -> None:
    chance = random.Random(5)
    log_us: list[int] = []

    class Server(Actor):
        line = Accepted(dialect=DIALECT)

        @on("call")
        async def call(self, _request: Any) -> dict[str, Any]:
            delay_us = min(max(round(chance.lognormvariate(9.0, spread)), 1), 59_000_000)
            log_us.append(delay_us)
            await asyncio.sleep(delay_us / 1e6)
            return {"state": "connected"}

    async def perform() -> Load:
        network = MemoryNetwork()
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        async with await listen("memory://peer", lambda _opening: Server(), listener=network):
            plan = Plan(part(calling, rate="100/s"), count=2_000, grace_s=90)
            return await perform_load(plan, stand=stand, directory=tmp_path)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        load = runner.run(perform())

    assert load.figures.total.passed == len(log_us) == 2_000
    log_us.sort()
    series = {each["name"]: each for each in json.loads((tmp_path / "summary.json").read_text())["series"]}
    for name in ("calling/outbound_call/call", "calling/outbound_call", "calling"):
        told = series[name]
        assert told["count"] == 2_000
        for field, thousandths in THOUSANDTHS.items():
            expected_us = log_us[thousandths * 2 - 1]
            # A counter stands for a thousandth of its value, and a loop's clock for a microsecond.
            assert told[field] * 1000 == pytest.approx(expected_us, rel=1e-3, abs=2), (name, field)
        assert told["min_ms"] * 1000 == pytest.approx(log_us[0], abs=2)
        assert told["max_ms"] * 1000 == pytest.approx(log_us[-1], abs=2)
        assert told["mean_ms"] * 1000 == pytest.approx(sum(log_us) / 2_000, abs=2)
