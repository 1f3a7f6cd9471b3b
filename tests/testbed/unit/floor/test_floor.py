"""The floor: any orders, legal or not, of three desks and their customers: what must always hold."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ErrorReply
from antiphon_testbed.floor.agents import CAPACITY
from antiphon_testbed.protocol import REQUESTS, OfWorkitem

USERS = ("alice", "bob", "dave")
OF_A_WORKITEM = [action for action, fields in REQUESTS.items() if issubclass(fields, OfWorkitem)]
TARGETS = ("bob", "alice", "dave", "sales", "billing", "support", "carol", "nobody")
LEGAL: dict[str, tuple[str, ...]] = {
    "created": ("startNewOutInteraction", "startNewOutInteraction", "hangUp"),
    "dialling": ("acceptRtc", "acceptRtc", "hangUp"),
    "offered": ("acceptInteraction", "acceptInteraction", "acceptInteraction", "rejectInteraction"),
    "accepted": ("acceptRtc", "acceptRtc", "acceptRtc", "hangUp"),
    "connected": ("setHold", "transfer", "transfer", "setMute", "hangUp", "completeTask", "sendChatMessage"),
    "held": ("completeTransfer", "cancelTransfer", "setResume", "transfer", "hangUp", "setMute"),
    "wrapUp": ("finishWorkitem",),
    "finished": ("finishWorkitem",),
}
GONE = ("deskDisconnected", "deskReplaced")
OF_A_DESK = ("desk goes", "ready", "break", "dial", "consult", "complete", "cancel", "tidy up")
CUSTOMERS = ("customer leaves", "customer writes")
STEPS = (
    *("desk comes", "desk goes", "tidy up", "tidy up", "break", "dial"),
    *("call", "call", "call to a line", "chat", "chat", "task"),
    *CUSTOMERS,
    *(
        "talk",
        "consult",
        "consult",
        "take all",
        "take all",
        "complete",
        "complete",
        "cancel",
        "wait",
        "release",
        "any order",
    ),
    *("legal", "legal", "legal", "legal", "legal", "legal", "legal", "legal"),
)
Choice = tuple[int, int, int, int]


def steps_of(drawn: bytes) -> list[tuple[str, Choice]]:
    """A step and four numbers below 12 from each five bytes, which are drawn faster than five numbers."""
    fives = [drawn[at : at + 5] for at in range(0, len(drawn) - 4, 5)]
    return [(STEPS[a % len(STEPS)], (b % 12, c % 12, d % 12, e % 12)) for a, b, c, d, e in fives]


steps = st.binary(min_size=150, max_size=300).map(steps_of)


class World:
    """A hall in which anything happens, and which is looked at after everything."""

    def __init__(self, hall: Any) -> None:
        self.hall = hall
        self.desks: dict[str, Any] = {}
        self.all_desks: list[Any] = []

    @property
    def ledger(self) -> Any:
        return self.hall.floor.ledger

    def happen(self, step: str, choice: Choice) -> None:
        name = USERS[choice[0] % 3]
        desk = self.desks.get(name)
        if step == "desk comes":
            self.desks[name] = self.hall.arrive(name)
            self.all_desks.append(self.desks[name])
        elif step in ("wait", "release"):
            self.hall.advance(choice[0] / 3 if step == "wait" else 0.3)
        elif step == "take all":
            self.take_offers()
        elif step in ("legal", "any order"):
            self.order(step, choice)
        elif step not in OF_A_DESK:
            self.outside(step, choice)
        elif desk is not None:
            self.sit(desk, step, choice)

    def sit(self, desk: Any, step: str, choice: Choice) -> None:
        if step == "desk goes":
            self.hall.leave(self.desks.pop(desk.agent.user.name))
        elif step == "dial":
            self.ask(desk, "newOutInteraction", destination=("890000002", "busy", "noanswer")[choice[1] % 3])
        elif step in ("consult", "complete", "cancel"):
            action = "transfer" if step == "consult" else f"{step}Transfer"
            free = [name for name, other in self.desks.items() if other.agent.can_take("voice")]
            for work in [work for work in desk.agent.work if work.channel == "voice"]:
                to = TARGETS.index(free[0]) if free and choice[1] < 8 else choice[1]
                self.order_of(work, action, (0, 0, to, 1), desk)
            if step == "consult" and choice[2] % 2:
                self.take_offers()
        elif step == "tidy up":
            for work in [work for work in desk.agent.work if work.state == "wrapUp"]:
                self.order_of(work, "finishWorkitem", (0, 0, 0, 0), desk)
            self.hall.advance(0.3)
            self.ask(desk, "changeAgentState", state="ready")
        else:
            self.ask(desk, "changeAgentState", state=step)

    def outside(self, step: str, choice: Choice) -> None:
        contacts = list(self.ledger.contacts.values())
        contact = contacts[choice[0] % len(contacts)] if contacts else None
        skill = (None, "sales", "billing", "support")[choice[1] % 4]
        origin = f"{choice[2]}"
        if sum(contact.channel == "voice" for contact in contacts) > 1 and choice[3] and step not in CUSTOMERS:
            step = "task"  # or else no desk would ever be free to be consulted
        if step in ("call", "talk"):
            self.hall.call(origin, talk_s=(None, 2.0)[choice[3] % 2], ring_s=(0.0, 0.5)[choice[2] % 2], skill=skill)
        elif step == "call to a line":
            self.hall.call(origin, to=self.hall.users[USERS[choice[0] % 3]].line)
        elif step == "chat":
            self.hall.chat(origin, skill=skill)
        elif step == "task":
            self.hall.task(origin, skill=skill)
        elif contact is not None and step == "customer leaves":
            self.hall.customer_leaves(contact.id, contact.channel)
        elif contact is not None:
            with suppress(ErrorReply):  # a call is no chat
                self.hall.customer_writes(contact.id, origin)
        if step == "talk":
            self.take_offers()

    def take_offers(self) -> None:
        for work in list(self.ledger.workitems.values()):
            for action in ("acceptInteraction", "acceptRtc"):
                self.order_of(work, action, (0, 0, 0, 0), self.desks[work.agent.user.name])

    def order(self, step: str, choice: Choice) -> None:
        workitems = list(self.ledger.workitems.values())
        if not workitems:
            return
        calls = [work for work in workitems if work.channel == "voice"]
        among = calls if calls and choice[3] % 3 else workitems
        work = among[choice[0] % len(among)]
        if step == "legal":
            action = LEGAL[work.state][choice[1] % len(LEGAL[work.state])]
            self.order_of(work, action, choice, self.desks[work.agent.user.name])
        else:
            action = OF_A_WORKITEM[(12 * choice[1] + choice[2]) % len(OF_A_WORKITEM)]
            desks = list(self.desks.values())
            self.order_of(work, action, choice, desks[choice[3] % len(desks)])

    def order_of(self, work: Any, action: str, choice: Choice, desk: Any) -> None:
        more: dict[str, dict[str, Any]] = {
            "startNewOutInteraction": {"destination": work.interaction.destination},
            "acceptRtc": {"interactionID": work.interaction.id, "answer": "v=0"},
            "setMute": {"mute": choice[2] % 2 == 0},
            "sendDtmf": {"digits": "1"},
            "finishWorkitem": {"dispositionID": ("resolved", "callback", "shrugged")[choice[2] % 3]},
            "transfer": {"to": TARGETS[choice[2] % len(TARGETS)], "kind": ("blind", "consult")[choice[3] % 2]},
            "sendChatMessage": {"text": "hello"},
            "completeTask": {"outcome": "done"},
        }
        self.ask(desk, action, workitemID=work.workitem_id, **more.get(action, {}))

    def ask(self, desk: Any, action: str, **data: Any) -> None:
        before = self.snapshot()
        said = desk.ask(action, **data)
        answers = [data for name, data in said if name == f"result{action[0].upper()}{action[1:]}"]
        if action == "startNewOutInteraction" and not answers:
            return
        assert len(answers) == 1
        if answers[0]["result"] == "error":
            assert len(said) == 1
            assert self.snapshot() == before

    def snapshot(self) -> Any:
        agents = [(agent.state, dict(agent.free), len(agent.work)) for agent in self.hall.floor.agents.values()]
        holders = (*self.ledger.contacts.values(), *self.ledger.workitems.values())
        interactions = {holder.interaction.id: holder.interaction for holder in holders}
        told = [
            (len(it.stages), it.user, it.disposition, it.ended_by, it.digits, [party.state for party in it.parties])
            for it in interactions.values()
        ]
        return agents, len(self.hall.interactions), told

    def look(self) -> None:
        agents = list(self.hall.floor.agents.values())
        for agent in agents:
            for channel, full in CAPACITY.items():
                assert 0 <= agent.free[channel] <= full
                begun = [work for work in agent.work if work.channel == channel and work.state != "created"]
                unused = [work for work in begun if work.channel == "voice" and not work._has_place]
                assert agent.free[channel] == full - len(begun) + len(unused)
        held = [work for agent in agents for work in agent.work]
        assert sorted(work.workitem_id for work in held) == sorted(self.ledger.workitems)
        for contact in self.ledger.contacts.values():
            self.look_at(contact, agents)

    def look_at(self, contact: Any, agents: list[Any]) -> None:
        at_desks = [
            work
            for work in self.ledger.workitems.values()
            if work.contact is contact and work.state not in ("wrapUp", "finished")
        ]
        assert at_desks == [work for work in (contact.owner, contact.helper) if work is not None]
        is_waiting = contact in self.ledger.queue
        assert is_waiting == (contact.owner is None)
        assert contact.interaction.state != "finished"
        for agent in agents if is_waiting else ():
            fits = contact.skill is None or contact.skill in agent.user.skills
            assert not (fits and agent.can_take(contact.channel)), "somebody waits while a fitting desk is free"

    def go_home(self) -> None:
        """Everything comes to its end."""
        for contact in list(self.ledger.contacts.values()):
            now_ms = self.hall.now_ms
            self.hall.carry_out(self.hall.floor.settled(self.ledger.end(contact, "customer", now_ms), now_ms))
        for desk in self.desks.values():
            for work in list(desk.agent.work):
                if work.state == "wrapUp":
                    desk.ask("finishWorkitem", workitemID=work.workitem_id, dispositionID="resolved")
        self.hall.advance(30)


@given(steps)
def test_after_anything(new_hall, steps: list[tuple[str, Choice]]) -> None:
    world = World(new_hall())
    for number in range(3):
        world.happen("desk comes", (number, 0, 0, 0))
        world.happen("ready", (number, 0, 0, 0))
    for step, choice in steps:
        world.happen(step, choice)
        world.look()
    world.go_home()
    assert not world.ledger.contacts
    assert not world.ledger.workitems
    assert world.ledger.queue.by_channel() == {}
    assert all(agent.free == CAPACITY for agent in world.hall.floor.agents.values())
    for interaction in world.hall.interactions.values():
        check_record(interaction.record(), world.all_desks)


def check_record(record: dict[str, Any], desks: list[Any]) -> None:
    """The seconds add up, everybody has left, and every desk heard of its workitem what the record says."""
    tracks: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for entry in record["states"]:
        tracks[entry["workitemID"]].append(entry)
    assert record["state"] == "finished"
    assert record["ended_by"]
    assert all(party["left_at"] for party in record["parties"] if party["joined_at"])
    talk = [e for e in record["states"] if e["state"] == "connected" and "consult" not in e]
    assert abs(record["talk_s"] - sum(entry["seconds"] for entry in talk)) < 1e-6
    for workitem_id, entries in tracks.items():
        assert len({entry["user"] for entry in entries}) == 1
        if workitem_id is None:
            continue
        assert entries[-1]["state"] == "finished"
        for entry, following in pairwise(entries):
            assert abs(entry["seconds"] - (ms(following["at"]) - ms(entry["at"])) / 1000) < 1e-6
        desk = next(desk for desk in desks if any(data.get("workitemID") == workitem_id for _, data in desk.log))
        assert desk.agent.user.name == entries[0]["user"]
        heard, recorded = told(desk.log, workitem_id), not_silent(entries)
        if desk.agent.desk not in desk.hall.floor.agents and entries[-1].get("reason") in GONE and heard != recorded:
            recorded.pop()  # a desk that is gone does not hear that its workitems end with it
        assert heard == recorded


def told(log: list[tuple[str, dict[str, Any]]], workitem_id: str) -> list[tuple[str, str]]:
    """What the desk heard, without the repetitions that a `setMute` without effect makes."""
    found: list[dict[str, Any]] = []
    for name, data in log:
        if name == "newWorkitemState" and data["workitemID"] == workitem_id:
            same = ("state", "muted", "consult")
            if not found or any(data.get(key) != found[-1].get(key) for key in same):
                found.append(data)
    return [(data["state"], data["at"]) for data in found]


def not_silent(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What the desk must have heard: answers tell of `dialling` and `accepted`."""
    return [(entry["state"], entry["at"]) for entry in entries if entry["state"] not in ("dialling", "accepted")]


def ms(text: str) -> int:
    hours, minutes, seconds = text[11:-1].split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)
