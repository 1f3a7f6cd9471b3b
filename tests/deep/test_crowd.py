"""A crowd at one centre: hundreds of conversations at once, each of which must stay what it is.

Every pair of an operator and a customer is a run of its own; the centre brings any customer to any operator, and
operators hand customers over to each other. What an operator does is chosen by a seed from what the desk allows.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from outside import Customer

from antiphon import RequestRefused, Run, Stand, call, perform, scenario, together, wait
from antiphon_testbed import ContactCentre

OVERTAKEN = {"wrongState", "unknownWorkitem", "targetBusy", "targetNotReady", "busy", "noanswer"}
"""Why an order may be refused: the customer, or another desk, was faster; or nobody answered."""

LEAST_S, MOST_S = 0.05, 0.4
"""How long one thinks before the next thing."""

RARELY = ("break", "hang_up", "reject", "end_chat")
OFTEN = ("consult", "transfer", "complete")


class Shift:
    """What one operator and one customer do until they may go home; `refused` counts why orders were not obeyed."""

    def __init__(self, operator: Any, customer: Customer, seed: str, colleagues: Sequence[str], pace: float) -> None:
        self.operator = operator
        self.customer = customer
        self.chance = random.Random(seed)
        self.colleagues = colleagues
        self.pace = pace
        self.refused: Counter[str] = Counter()

    async def think(self, times: float = 1) -> None:
        await wait(self.chance.uniform(LEAST_S, MOST_S) * self.pace * times)

    async def work(self, lasts_s: float) -> None:
        """Do anything that can be done, and at the end what must be."""
        operator, loop = self.operator, asyncio.get_running_loop()
        await operator.sign_in()
        await operator.set_ready_status()
        home_at = loop.time() + lasts_s
        while loop.time() < home_at:
            await self.think()
            choices = operator.choices(self.chance.randrange(100), self.targets())
            names = [name for name in choices if name not in RARELY or self.chance.random() < 0.2]
            if operator.state == "ready":
                names = [name for name in names if name != "ready" and (operator.work or self.chance.random() < 0.1)]
            names += [name for name in names if name in OFTEN for _ in range(2)]
            if names:
                await self.order(choices[self.chance.choice(names)])

    async def finish(self) -> None:
        """Bring to its end what lies on the desk; whatever comes is taken on, until there is nothing."""
        operator = self.operator
        wanted = (
            "finish",
            "finish_chat",
            "accept_task",
            "complete_task",
            "accept_chat",
            "end_chat",
            "accept",
            "hang_up",
        )
        while operator.work:
            choices = operator.choices(0, ())
            await self.order(choices[next(name for name in wanted if name in choices)])

    async def order(self, choice: Callable[[], Any]) -> None:
        try:
            await choice()
        except RequestRefused as refused:
            if refused.message["code"] not in OVERTAKEN:
                raise
            self.refused[refused.message["code"]] += 1

    def targets(self) -> list[str]:
        return ["sales", self.chance.choice(self.colleagues)]

    async def call_often(self, lasts_s: float) -> None:
        """Call, write or bring something to do, again and again."""
        customer, loop = self.customer, asyncio.get_running_loop()
        home_at = loop.time() + lasts_s
        while loop.time() < home_at:
            await self.think(4)  # or else nobody would be free to be consulted
            if self.chance.random() < 0.25:
                await customer.asks_in_writing(f"hello from {customer.name}", customer.name)
                door = "chats"
            else:
                await customer.dials(f"8900{self.chance.randrange(10**6):06}", self.chance.choice([None, "sales"]))
                door = "calls"
            for number in range(self.chance.randrange(8)):
                await self.think()
                if door == "chats":
                    reply = await customer.api.post(
                        f"/chats/{customer.interaction_id}/messages", json={"text": f"{number}"}, status={201, 409}
                    )
            reply = await customer.api.delete(f"/{door}/{customer.interaction_id}", status={200, 409})
            assert reply.status == 200 or reply["code"] == "wrongState"


async def play_crowd(
    worker: Any, agreement: Any, *, pairs: int, lasts_s: float, seed: int, pace: float
) -> tuple[Any, list[Run], Counter[str]]:
    """All pairs at one centre; what was recorded, the runs, and why orders were refused."""
    Worker, refused = worker, Counter()
    everybody_went = asyncio.Event()
    at_work = pairs

    async with ContactCentre(
        users=pairs, answer_after_s=0.05, give_up_after_s=0.1, release_s=0.05, seed=seed
    ) as centre:
        names = [user["name"] for user in centre.users]

        @scenario
        async def shift(operator: Worker, customer: Customer, number: int) -> None:
            nonlocal at_work
            colleagues = [name for name in names if name != operator.user.name]
            life = Shift(operator, customer, f"{seed}/{number}", colleagues, pace)
            await together(call(life.work, lasts_s), call(life.call_often, lasts_s))
            await life.finish()
            at_work -= 1
            if not at_work:
                everybody_went.set()
            while not everybody_went.is_set():  # what others give up comes to those who are still there
                await life.finish()
                await wait(0.25 * pace)
            refused.update(life.refused)

        stand = Stand("crowd", centre.addresses, users=centre.users, within_s=20)
        async with asyncio.TaskGroup() as group:
            performances = [
                group.create_task(perform(shift, stand=stand, runs=None, linger_s=0, number=number))
                for number in range(pairs)
            ]
        runs = [performance.result() for performance in performances]
        return await agreement.at(centre, runs), runs, refused


def check_crowd(agreed: Any, runs: list[Run], pairs: int) -> None:
    assert {run.verdict for run in runs} == {"passed"}
    assert {record["state"] for record in agreed.records.values()} == {"finished"}
    assert len({run.operator.user.name for run in runs}) == pairs


@pytest.mark.slow
def test_a_small_crowd(worker: Any, agreement: Any, run_fast: Callable[..., Any]) -> None:
    agreed, runs, _ = run_fast(play_crowd(worker, agreement, pairs=12, lasts_s=1.2, seed=1, pace=0.2))
    check_crowd(agreed, runs, 12)
    assert agreed.count("connected", consult=True) + agreed.count("wrapUp", reason="transferred") > 0
    assert {record["direction"] for record in agreed.records.values()} == {"in", "out"}


@pytest.mark.deep
def test_two_hundred_and_two_hundred_for_a_minute(worker: Any, agreement: Any, run_fast: Callable[..., Any]) -> None:
    agreed, runs, _ = run_fast(play_crowd(worker, agreement, pairs=200, lasts_s=60, seed=1, pace=4))
    check_crowd(agreed, runs, 200)
    channels = Counter((record["channel"], record["direction"]) for record in agreed.records.values())
    assert min(channels["voice", "in"], channels["voice", "out"]) > 200
    assert agreed.count("wrapUp", reason="transferred") > 100
