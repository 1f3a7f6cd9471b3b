"""Operators who can do anything that their desk allows, at any moment, and a loop for many short runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import uvloop
from reading import Reading, reader
from writing_desk import Clerk

from antiphon import Message, Step, action, on

CAPACITY = {"voice": 1, "chat": 3, "task": 5}
DESTINATIONS = ("890000002", "890000003", "busy", "noanswer")
Choices = dict[str, Callable[[], Step[Any]]]


class Worker(Clerk):
    """A clerk who knows what lies on the desk, and so what can be done now.

    `work` is the latest state of each workitem by its id, `state` the agent's, `capacity` the room left.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sit_down()

    @on.closed
    def sit_down(self, _: Any = None) -> None:
        """Nothing lies on the desk of somebody who is not there, or has just come."""
        self.work: dict[str, dict[str, Any]] = {}
        self.parties: dict[str, list[str]] = {}
        self.consulting: set[str] = set()
        self.state = ""
        self.capacity = dict(CAPACITY)

    @on("newAgentState")
    def see_state(self, message: Message) -> None:
        self.state = message["state"]

    @on("agentCapacity")
    def see_capacity(self, message: Message) -> None:
        self.capacity = message.body

    @on("newWorkitemState")
    def see_workitem(self, message: Message) -> None:
        workitem = message["workitemID"]
        if message["state"] == "finished":
            del self.work[workitem]
            self.drain("newWorkitemState", {"workitemID": workitem})  # an offer that was withdrawn, for instance
        else:
            self.work[workitem] = message.body
        if message["state"] != "held":
            self.consulting.discard(workitem)

    @on("workitemPartyList")
    def see_parties(self, message: Message) -> None:
        self.parties[message["workitemID"]] = [party["role"] for party in message["parties"]]

    @property
    def is_settled(self) -> bool:
        """Whether state and capacity are what the workitems make them: nothing is still to come."""
        load = {channel: full - len(self.of(channel)) for channel, full in CAPACITY.items()}
        return load == self.capacity and (self.state == "wrapUp") == bool(self.of("voice", "wrapUp"))

    @property
    def can_take_call(self) -> bool:
        """Whether a call could be offered."""
        return self.state == "ready" and self.capacity["voice"] == 1

    def of(self, channel: str, *states: str) -> list[str]:
        """The workitems of a channel, in these states if any are given."""
        return [
            workitem
            for workitem, data in self.work.items()
            if data["channel"] == channel and (not states or data["state"] in states)
        ]

    def choices(self, number: int, targets: Sequence[str]) -> Choices:
        """What can be done now, by name. `number` chooses where there is a choice; to `targets` calls can be given."""
        found: Choices = {}
        calls = self.of("voice")
        if self.state != "wrapUp":
            found["ready"] = self.set_ready_status
            found["break"] = self.set_break
            if not calls and self.capacity["voice"] == 1:
                found["outbound_call"] = lambda: self.outbound_call(DESTINATIONS[number % len(DESTINATIONS)])
        for call in calls:
            self.workitem_id, self.interaction_id = call, self.work[call]["interactionID"]
            found.update(self._with_call(self.work[call], number, targets))
        for kind in ("chat", "task"):
            found.update(self._with_writing(kind, number))
        return found

    def _with_call(self, call: dict[str, Any], number: int, targets: Sequence[str]) -> Choices:
        state, is_muted = call["state"], call.get("muted", False)
        if state == "offered":
            return {"accept": self.accept_interaction, "reject": self.reject_interaction}
        if state == "wrapUp":
            return {"finish": lambda: self.finish_wrapup(("resolved", "callback")[number % 2])}
        found: Choices = {"hang_up": self.hang_up, "mute": lambda: self.mute(not is_muted)}
        if "consult" in call:
            return found
        if call["workitemID"] in self.consulting:
            is_answered = self.parties[call["workitemID"]].count("agent") > 1
            complete = {"complete": self.complete_transfer} if is_answered else {}
            return {**found, **complete, "cancel": self.cancel_transfer}
        target = targets[number % len(targets)] if targets else None
        if target is not None:
            found["transfer"] = lambda: self.transfer(target)
        if state == "held":
            return {**found, "resume": self.resume}
        if target is not None:
            found["consult"] = lambda: self.consult(target)
        return {**found, "hold": self.hold, "press": lambda: self.press("12#"[: number % 3 + 1])}

    def _with_writing(self, kind: str, number: int) -> Choices:
        found: Choices = {}
        if self.of(kind, "offered"):
            found[f"accept_{kind}"] = self.accept_chat if kind == "chat" else self.accept_task
        over, open_ones = self.of(kind, "wrapUp"), self.of(kind, "connected")
        if over:
            found["finish_chat"] = lambda: self._finish_chat(over[number % len(over)])
        if open_ones and kind == "chat":
            chat = open_ones[number % len(open_ones)]
            found["write"] = lambda: self.write(chat, f"answer {number}")
            found["end_chat"] = lambda: self.end_chat(chat)
        elif open_ones:
            found["complete_task"] = lambda: self.complete_task(open_ones[number % len(open_ones)], f"done {number}")
        return found

    def _finish_chat(self, chat: str) -> Step[None]:
        self.workitem_id = chat
        return self.finish_wrapup("resolved")

    @action
    async def consult(self, to: str) -> None:
        await super().consult(to)
        self.consulting.add(self.workitem_id)


@pytest.fixture(scope="session")
def worker() -> type[Worker]:
    return Worker


@pytest.fixture(scope="module")
def run_fast() -> Iterator[Callable[..., Any]]:
    """Runs coroutines, one after the other, on a loop as `play` has it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield runner.run


@pytest.fixture(scope="module")
def reading() -> Iterator[Reading]:
    """Either side of a connection without a wire, which reads the same bytes in different pieces."""
    with reader() as reads:
        yield reads
