"""A contact centre's floor in virtual time, for tests of what a desk can ask of it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.errors import ErrorReply
from antiphon_testbed.actions import handle_request
from antiphon_testbed.effects import After, Answer, Close, Effect
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.customers import (
    customer_calls,
    customer_chats,
    customer_leaves,
    customer_writes,
    task_comes,
)
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.floor.interactions import Interaction
from antiphon_testbed.options import Timing
from antiphon_testbed.seed import Seed
from antiphon_testbed.users import enrol

START_MS = 1_790_000_000_123
Said = tuple[str, dict[str, Any]]


class Heard(list[Said]):
    """What a desk heard: names and data, in order."""

    @property
    def names(self) -> list[str]:
        """The names, with the state where the message tells of one."""
        return [
            f"{name} {data['state']}" if name in ("newWorkitemState", "newAgentState") else name for name, data in self
        ]

    def refused(self, action: str, code: str) -> dict[str, Any]:
        """It is the refusal of that action, and nothing else; gives its data."""
        assert [name for name, _ in self] == [f"result{action[0].upper()}{action[1:]}"]
        data = self[0][1]
        assert (data["result"], data["code"]) == ("error", code)
        assert data["message"]
        return data


class Hall:
    """A floor, a clock that is moved by hand, and what every desk heard."""

    def __init__(self, *, seed: int = 7, ping_interval_s: float = 1000.0) -> None:
        timing = Timing(answer_after_s=0.5, give_up_after_s=20.0, offer_timeout_s=10.0, release_s=0.3)
        self.now_ms = START_MS
        self.interactions: dict[str, Interaction] = {}
        self.floor = Floor(seed=Seed(seed), timing=timing, ping_interval_s=ping_interval_s, changed=self._changed)
        self.users = {user.name: user for user in enrol(None)}
        self._desks: dict[str, Desk] = {}
        self._due: list[tuple[int, int, After]] = []
        self._order = 0

    def _changed(self, interaction: Interaction) -> None:
        self.interactions[interaction.id] = interaction

    def arrive(self, name: str = "alice") -> Desk:
        agent, effects = self.floor.arrive(self.users[name], self.now_ms)
        desk = self._desks[agent.desk] = Desk(self, agent)
        self.carry_out(effects)
        return desk

    def carry_out(self, effects: list[Effect]) -> None:
        for item in effects:
            if isinstance(item, After):
                self._order += 1
                heapq.heappush(self._due, (self.now_ms + round(item.delay_s * 1000), self._order, item))
                continue
            desk = self._desks[item.desk]
            if isinstance(item, Close):
                desk.closed = (item.code, item.reason)
            elif isinstance(item, Answer):
                name = item.request.name
                desk.hear(f"result{name[0].upper()}{name[1:]}", item.data)
            else:
                desk.hear(item.name, item.data)

    def advance(self, seconds: float) -> None:
        until_ms = self.now_ms + round(seconds * 1000)
        while self._due and self._due[0][0] <= until_ms:
            self.now_ms, _, item = heapq.heappop(self._due)
            if item.desk is None or item.desk in self.floor.agents:
                self.carry_out(item.then(self.now_ms))
        self.now_ms = until_ms

    def ready(self, *names: str) -> list[Desk]:
        """Desks that have become ready, in this order."""
        desks = [self.arrive(name) for name in names]
        for desk in desks:
            desk.ask("changeAgentState", state="ready")
            desk.listen()
        return desks

    def leave(self, desk: Desk) -> None:
        """The desk's connection is lost."""
        self.carry_out(self.floor.leave(desk.agent, "deskDisconnected", self.now_ms))

    def call(self, origin: str = "79990001122", **how: Any) -> str:
        """A customer calls; gives the interaction's id."""
        interaction_id, effects = customer_calls(self.floor, origin, self.now_ms, **how)
        self.carry_out(effects)
        return interaction_id

    def chat(self, origin: str = "zoe", text: str = "hello", **how: Any) -> str:
        """A customer begins a chat; gives the interaction's id."""
        interaction_id, effects = customer_chats(self.floor, origin, text, self.now_ms, **how)
        self.carry_out(effects)
        return interaction_id

    def customer_writes(self, interaction_id: str, text: str) -> str:
        """The customer writes; gives the message's id. ErrorReply if that cannot be."""
        message_id, effects = customer_writes(self.floor, interaction_id, text, self.now_ms)
        self.carry_out(effects)
        return message_id

    def task(self, title: str = "call back", **how: Any) -> str:
        """There is something to do; gives the interaction's id."""
        interaction_id, effects = task_comes(self.floor, title, None, self.now_ms, **how)
        self.carry_out(effects)
        return interaction_id

    def customer_leaves(self, interaction_id: str, channel: str = "voice") -> str | None:
        """The customer hangs up; gives the code if that is refused."""
        try:
            self.carry_out(customer_leaves(self.floor, channel, interaction_id, self.now_ms))
        except ErrorReply as refusal:
            return refusal.code
        return None

    def offered_to(self, interaction_id: str) -> str | None:
        """Whose desk it is offered to now."""
        for workitem in self.floor.ledger.workitems.values():
            if workitem.interaction.id == interaction_id and workitem.state == "offered":
                return workitem.agent.user.name
        return None

    def record(self, interaction_id: str) -> dict[str, Any]:
        return self.interactions[interaction_id].record()


class Desk:
    """One desk: what it says, and what it heard."""

    def __init__(self, hall: Hall, agent: Agent) -> None:
        self.hall = hall
        self.agent = agent
        self.heard = Heard()
        self.log = Heard()
        self.closed: tuple[int, str] | None = None
        self.ids: dict[str, str] = {}

    def hear(self, name: str, data: dict[str, Any]) -> None:
        self.heard.append((name, data))
        self.log.append((name, data))

    def ask(self, action: str, **data: Any) -> Heard:
        """Say it; gives what the desk hears at once."""
        self.heard.clear()
        self.hall.carry_out(handle_request(self.hall.floor, self.agent, action, data, None, self.hall.now_ms))
        return Heard(self.heard)

    def wait(self, seconds: float) -> Heard:
        """Let time pass; gives what the desk hears meanwhile."""
        self.heard.clear()
        self.hall.advance(seconds)
        return Heard(self.heard)

    def listen(self) -> None:
        """Forget what was heard so far."""
        self.heard.clear()

    def news(self) -> Heard:
        """What was heard since then."""
        return Heard(self.heard)

    def offered(self) -> dict[str, Any]:
        """What is offered to this desk: its latest offer's data."""
        work = next(work for work in reversed(self.agent.work) if work.state == "offered")
        return {"workitemID": work.workitem_id, "interactionID": work.interaction.id}

    def take_offer(self) -> str:
        """Accept what is offered, with its media if it is a call; gives the workitem's state."""
        self.ids = self.offered()
        said = self.ask("acceptInteraction", **self.workitem)
        assert said[0][1]["result"] == "success", said
        if "newRtc" in said.names:
            self.ask("acceptRtc", **self.ids, answer="v=0")
        return self.hall.floor.ledger.workitems[self.ids["workitemID"]].state

    def transfer(self, to: str, kind: str) -> Heard:
        """Ask for a transfer of the latest workitem."""
        return self.ask("transfer", **self.workitem, to=to, kind=kind)

    def create(self, destination: str = "890000002") -> None:
        answer = self.ask("newOutInteraction", destination=destination)[0][1]
        assert answer["result"] == "success", answer
        self.ids = {"interactionID": answer["interactionID"], "workitemID": answer["workitemID"]}

    @property
    def workitem(self) -> dict[str, str]:
        return {"workitemID": self.ids["workitemID"]}

    def dial(self, destination: str = "890000002") -> None:
        self.create(destination)
        self.ask("startNewOutInteraction", **self.workitem, destination=destination)

    def ring(self, destination: str = "890000002") -> None:
        self.dial(destination)
        self.ask("acceptRtc", **self.ids, answer="v=0")

    def connect(self) -> None:
        self.ring()
        self.wait(0.5)

    def hold(self) -> None:
        self.connect()
        self.ask("setHold", **self.workitem)

    def wrap_up(self) -> None:
        self.connect()
        self.ask("hangUp", **self.workitem)

    def finish(self) -> None:
        self.wrap_up()
        self.ask("finishWorkitem", **self.workitem, dispositionID="resolved")

    def bring_to(self, state: str) -> None:
        bring: dict[str, Callable[[], None]] = {
            "created": self.create,
            "dialling": self.dial,
            "ringing": self.ring,
            "connected": self.connect,
            "held": self.hold,
            "wrapUp": self.wrap_up,
            "finished": self.finish,
        }
        bring[state]()

    def order(self, action: str) -> Heard:
        """Give a call's order as it should be given."""
        more: dict[str, dict[str, Any]] = {
            "startNewOutInteraction": {"destination": "890000002"},
            "acceptRtc": {"interactionID": self.ids["interactionID"], "answer": "v=0"},
            "setMute": {"mute": True},
            "sendDtmf": {"digits": "1#"},
            "transfer": {"to": "bob", "kind": "blind"},
            "sendChatMessage": {"text": "hello"},
            "completeTask": {"outcome": "done"},
            "finishWorkitem": {"dispositionID": "resolved"},
        }
        return self.ask(action, **self.workitem, **more.get(action, {}))


@pytest.fixture(scope="session")
def new_hall() -> type[Hall]:
    return Hall


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def alice(hall: Hall) -> Desk:
    return hall.arrive("alice")
