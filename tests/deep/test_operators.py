"""Three operators do whatever their desks allow, in any order, while customers come and go: desks and records agree.

What is legal is what an operator can know from the desk; so nothing legal may be refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from outside import Customer, Supervisor

from antiphon import RequestRefused, Stand, perform, scenario, together
from antiphon_testbed import ContactCentre

USERS = [
    {"name": "alice", "password": "a", "skills": ["sales", "support"]},
    {"name": "bob", "password": "b", "skills": ["sales"]},
    {"name": "carol", "password": "c", "skills": ["support"]},
]
SKILLS = (None, "sales", "support")
OUTSIDE = ("call", "chat", "task", "customer writes", "customer leaves")
AT_A_DESK = (
    *("ready", "accept", "finish", "hold", "resume", "consult", "complete", "cancel", "transfer", "hang_up", "reject"),
    *("mute", "outbound_call", "accept_chat", "accept_task", "write", "complete_task", "end_chat", "finish_chat"),
    *("press", "break", "desk goes"),
)
NOTHING = "nothing"
WANTED = (
    NOTHING,
    *(*OUTSIDE, "call", "call"),
    *(*AT_A_DESK, *("accept", "consult", "complete") * 4, *("cancel", "resume", "ready") * 2),
    *("anything",) * 17,
)
NOT_WITH_WORK = ("ready", "break", "outbound_call")
UNANSWERED = ("busy", "noanswer")

EXAMPLES = 2000 if settings.default.max_examples > 1000 else 20
"""Each is a whole centre with three desks: only `make test-deep` has time for many."""

Move = tuple[str, int, int]


def moves_of(drawn: bytes) -> list[Move]:
    """A move from each three bytes, which are drawn faster than three numbers, and each as likely; zeros make none."""
    drawn_moves = [(WANTED[a % len(WANTED)], b % 3, c) for a, b, c in zip(*[iter(drawn)] * 3, strict=False)]
    return [move for move in drawn_moves if move[0] != NOTHING]


moves = st.binary(min_size=120, max_size=180).map(moves_of)


class World:
    """Three desks and what is outside of them."""

    def __init__(self, workers: list[Any], customer: Customer, boss: Supervisor) -> None:
        self.workers = workers
        self.customer = customer
        self.boss = boss
        self.contacts: list[tuple[str, str]] = []
        self.done: list[str] = []

    async def begin(self) -> None:
        await together(*([each.sign_in(), each.set_ready_status()] for each in self.workers))

    async def move(self, what: str, who: int, number: int) -> None:
        """Do it, if it can be done now, and let all desks hear what comes of it."""
        worker = self.workers[who]
        if what in OUTSIDE:
            await self.move_outside(what, number)
        elif not worker.is_connected:
            await worker.desk.open()
            await together([worker.sign_in(), worker.set_ready_status()])
            self.done.append("desk comes")
        elif what == "desk goes":
            await self.let_go(worker)
        else:
            choices = worker.choices(number // 7, self.targets_of(worker))
            at_work = [name for name in choices if name not in NOT_WITH_WORK]
            name = at_work[number % len(at_work)] if what == "anything" and at_work else what
            if name not in choices:
                return
            await self.do(name, choices[name])
            if name == "consult" and number % 4:  # two who talk about a customer would else be rare
                await self.settle()
                await self.answer_consult()
        await self.settle()

    async def answer_consult(self) -> None:
        for each in self.workers:
            if any("consult" in each.work[call] for call in each.of("voice", "offered")):
                await self.do("accept", each.accept_interaction)

    async def do(self, name: str, choice: Callable[[], Any]) -> None:
        self.done.append(name)
        try:
            await choice()
        except RequestRefused as refused:
            if name != "outbound_call" or refused.message["code"] not in UNANSWERED:
                raise

    def targets_of(self, worker: Any) -> list[str]:
        """Who and which skills a call can be given to by this worker."""
        free = [each for each in self.workers if each is not worker and each.can_take_call]
        skills = [skill for skill in SKILLS if skill and any(skill in skills_of(each) for each in free)]
        return [each.user.name for each in free] + skills

    async def move_outside(self, what: str, number: int) -> None:
        skill, origin = SKILLS[number % 3], f"customer {len(self.contacts)}"
        if what == "call" and number % 4 and sum(len(each.of("voice")) for each in self.workers) > 1:
            return  # or else there would never be a desk to which a call could be given
        if what == "call":
            await self.customer.dials(origin, skill)
        elif what == "chat":
            await self.customer.asks_in_writing("hello", origin, skill)
        elif what == "task":
            self.contacts.append(("tasks", await self.boss.gives_task(origin, skill)))
        elif what == "customer writes":
            await self.write(number)
        else:
            await self.leave(number)
        if what in ("call", "chat"):
            self.contacts.append((f"{what}s", self.customer.interaction_id))
        self.done.append(what)

    async def write(self, number: int) -> None:
        chats = [interaction for door, interaction in self.contacts if door == "chats"]
        if chats:
            door = f"/chats/{chats[number % len(chats)]}/messages"
            reply = await self.customer.api.post(door, json={"text": f"question {number}"}, status={201, 409})
            assert reply.status == 201 or reply["code"] == "wrongState"

    async def leave(self, number: int) -> None:
        leaving = [(door, interaction) for door, interaction in self.contacts if door != "tasks"]
        if leaving:
            door, interaction = leaving[-1 - number % len(leaving)]
            reply = await self.customer.api.delete(f"/{door}/{interaction}", status={200, 409})
            assert reply.status == 200 or reply["code"] == "wrongState"

    async def let_go(self, worker: Any) -> None:
        await worker.desk.close()
        worker.drain()
        there = sum(each.is_connected for each in self.workers)
        while (await self.customer.api.get("/health"))["desks"] != there:
            pass
        self.done.append("desk goes")

    async def settle(self) -> None:
        """Hear everything that has been said to the desks by now, and what is due at once."""
        there = [each for each in self.workers if each.is_connected]
        for each in there:
            await each.until(lambda each=each: each.is_settled)
        for exchange in [each.ask("getAgentData") for each in there]:
            await exchange
        assert all(each.is_settled for each in there)

    async def go_home(self) -> None:
        """Everything comes to its end: the customers leave, and what is left on the desks is done."""
        for number in range(len(self.contacts)):
            await self.leave(number)
        await self.settle()
        ends = ("accept", "hang_up", "finish", "finish_chat", "accept_task", "complete_task")
        while any(each.work or each.state != "ready" for each in self.workers):
            before = len(self.done)
            for who, worker in enumerate(self.workers):
                for what in (*(["ready"] if worker.state != "ready" else []), *ends):
                    await self.move(what, who, 0)
            assert len(self.done) > before, "nobody can do anything, and not everything is done"


def skills_of(worker: Any) -> list[str]:
    return next(user["skills"] for user in USERS if user["name"] == worker.user.name)


async def play_moves(agreement: Any, played: Any) -> None:
    async with ContactCentre(users=USERS, answer_after_s=0, give_up_after_s=0, release_s=0, seed=1) as centre:
        stand = Stand("test", centre.addresses, users=centre.users, within_s=5)
        run = await perform(played, stand=stand, runs=None, linger_s=0)
        agreed = await agreement.at(centre, [run])
        assert all(record["state"] == "finished" for record in agreed.records.values())


@settings(max_examples=EXAMPLES)
@given(moves=moves)
def test_whatever_operators_do(worker: Any, agreement: Any, run_fast: Callable[..., Any], moves: list[Move]) -> None:
    Worker = worker

    @scenario
    async def played(alice: Worker, bob: Worker, carol: Worker, customer: Customer, boss: Supervisor) -> None:
        world = World([alice, bob, carol], customer, boss)
        await world.begin()
        for move in moves:
            await world.move(*move)
        await world.go_home()
        for name in world.done:
            event(name)

    run_fast(play_moves(agreement, played))
