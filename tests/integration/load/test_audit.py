"""What a meter counts is what the written journal says, however often it is asked, of a conversation of every kind."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.integration.recorded.conversations import DEEDS, Desk, Talker, as_a_list, everything

from antiphon import Scenario, Stand
from antiphon.journal import HttpExchange, StepEnded, StepStarted, TimerStopped, WaitEnded, WaitStarted
from antiphon.journal.figures import Second
from antiphon.journal.file import FILE_NAME, WrittenMessage, read_journal
from antiphon.load.merging import beside
from antiphon.load.meter import Meter
from antiphon.load.metered_journal import MeteredJournal
from antiphon.scenarios.action import action
from antiphon.scenarios.runner import performed
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork

ACTIONS = {name for kind in Desk.__mro__ for name, value in vars(kind).items() if isinstance(value, action)}
CASES = [(everything, 1), (everything, 2), (everything, 3), (as_a_list, 4)]


def conversed(
    conversation: Scenario[Any, Any], seed: int, directory: Path, every_s: float = 0.25, keep: int = 10_000
) -> Second:
    """Perform it, asking every so many seconds what was measured, and write its journal, as far as it is kept; the
    figures, all together."""
    meter = Meter()
    journal = MeteredJournal(meter.measuring("talk"), keep)
    taken: list[Second] = []

    async def here() -> None:
        network = MemoryNetwork()
        listening = await network.listen("memory://peer", Talker(seed).accept)
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        arguments = {"order": list(range(len(DEEDS)))}
        task = asyncio.create_task(performed(conversation, arguments, stand, journal, linger_s=0))
        while not task.done():
            await asyncio.sleep(every_s)
            taken.append(meter.take(0))
        await listening.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(here())
    journal.write_to(directory)
    return beside([*taken, meter.take(0)])


def microseconds(duration_ns: int) -> int:
    return max(duration_ns // 1_000, 1)


def told_by_the_journal(path: Path) -> dict[str, Counter[str]]:
    """By kind: how many of each name, how many of them failed, and how long all took."""
    begun: dict[tuple[type, int], Any] = {}
    told: dict[str, Counter[str]] = {kind: Counter() for kind in ("step", "ask", "expect", "traffic")}
    kinds = {"reply": "ask", "message": "expect", "until": "expect"}
    for entry in read_journal(path):
        match entry:
            case StepStarted() | WaitStarted():
                begun[type(entry), entry.number] = entry
            case StepEnded():
                step = begun[StepStarted, entry.number]
                if step.action in ACTIONS and entry.outcome != "cancelled":
                    told["step"]["count"] += 1
                    told["step"]["errors"] += entry.outcome == "failed"
                    told["step"]["sum_us"] += microseconds(entry.at_ns - step.at_ns)
            case WaitEnded():
                wait = begun[WaitStarted, entry.number]
                if wait.awaits in kinds and entry.outcome != "cancelled":
                    kind = told[kinds[wait.awaits]]
                    kind["count"] += 1
                    kind["errors"] += entry.outcome == "failed"
                    kind["sum_us"] += microseconds(entry.at_ns - wait.at_ns)
            case WrittenMessage():
                told["traffic"]["sent" if entry.is_sent else "received"] += 1
            case HttpExchange() | TimerStopped():
                raise AssertionError("not in this conversation")
    return told


@pytest.mark.parametrize(("conversation", "seed"), CASES)
@pytest.mark.parametrize("every_s", [0.1, 1_000])
def test_the_meter_and_the_journal_agree(
    conversation: Scenario[Any, Any], seed: int, every_s: float, tmp_path: Path
) -> None:
    second = conversed(conversation, seed, tmp_path, every_s)
    journal = told_by_the_journal(tmp_path / FILE_NAME)
    measured: dict[str, Counter[str]] = {kind: Counter() for kind in ("step", "ask", "expect")}
    for figures in second.series.values():
        if figures.kind in measured:
            measured[figures.kind] += Counter({n: getattr(figures, n) for n in ("count", "errors", "sum_us")})
        if figures.kind == "step":
            assert sum(figures.split.values()) == figures.sum_us
            assert min(figures.split.values()) >= 0
    traffic = {"sent": second.traffic.sent, "received": second.traffic.received}
    assert journal == {**measured, "traffic": Counter(traffic)}
    assert journal["step"]["count"] > 2
    assert journal["ask"]["count"] > 0


def test_how_often_it_is_asked_for_changes_nothing(tmp_path: Path) -> None:
    told = []
    for number, every_s in enumerate((0.05, 0.25, 1_000)):
        directory = tmp_path / str(number)
        directory.mkdir()
        told.append(msgspec.to_builtins(conversed(everything, 2, directory, every_s)))
    assert told[0] == told[1] == told[2]
