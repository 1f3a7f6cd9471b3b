"""antiphon's full path: an actor, an action for every round trip, `ask` with a check, deadlines, the journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

from antiphon import Actor, Json, Stand, WebSocket, action, perform, scenario
from bench.conversation import ASK, FIRST_ID, READY, REST_OF_REQUEST
from bench.meter import Meter

__all__ = ["KEPT_UNDER_LOAD", "Party", "converse", "taking_workitems"]


class Party(Actor):
    """Someone who takes one workitem after the other."""

    desk = WebSocket(
        "{peer}/desk", dialect=Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})
    )
    workitem_id = FIRST_ID
    done = 0

    @action
    async def round_trip(self) -> None:
        """Take the workitem that the last reply gave."""
        reply = await self.ask(ASK, check=READY, workitemID=self.workitem_id, **REST_OF_REQUEST)
        self.workitem_id = reply["workitemID"]
        self.done += 1


@scenario
async def taking_workitems(party: Party, meter: Meter) -> None:
    """A party takes workitems until the meter says that it is over."""
    await meter.join(party)
    while not meter.is_over:
        await party.round_trip()
    await meter.leave()


KEPT_UNDER_LOAD = 64
"""How many entries of each conversation stay in memory where there are many."""


async def converse(address: str, meter: Meter, runs: Path | None = None) -> None:
    """Hold the conversation on as many connections as the meter's plan says, each a run of its own.

    runs: None keeps the latest entries of the journal in memory; else it is the directory of the runs, as in a test.
    """
    stand = Stand("bench", {"peer": address})
    async with asyncio.TaskGroup() as group:
        for _ in range(meter.plan.connections):
            group.create_task(
                perform(taking_workitems, stand=stand, runs=runs, reports=(), keep=KEPT_UNDER_LOAD, meter=meter)
            )
