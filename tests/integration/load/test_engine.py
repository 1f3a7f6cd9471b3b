"""An engine by itself, in virtual time: how it stops, and what it leaves as it was."""

from __future__ import annotations

import asyncio
import gc

import pytest

from antiphon import Actor, Stand, scenario
from antiphon.load.engine import Engine
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.testing import VirtualTimeLoop


class Nobody(Actor, user=False):
    """Says nothing."""


@scenario
async def brief(nobody: Nobody, said: asyncio.Event) -> None:
    said.set()


@pytest.mark.parametrize("turns", range(20))
def test_it_stops_in_any_turn_in_which_the_last_conversation_ends(turns: int) -> None:
    async def here() -> tuple[int, int]:
        said = asyncio.Event()
        engine = Engine(Plan(part(brief, count=1, users=1, said=said)), Stand("test"))
        engine.start(asyncio.get_running_loop().time())
        await said.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        figures = (await engine.stop()).second.parts["brief"]
        return figures.started, figures.passed + figures.interrupted

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(here()) == (1, 1)


def test_the_collector_of_a_users_process_is_left_as_it_is() -> None:
    async def here() -> None:
        engine = Engine(Plan(part(brief, count=1, users=1, said=asyncio.Event())), Stand("test"))
        engine.start(asyncio.get_running_loop().time())
        await engine.stop()

    before = gc.get_threshold(), gc.get_freeze_count()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(here())
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
