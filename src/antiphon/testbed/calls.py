"""An outgoing call at an agent's desk, as a state machine.

`created` -> `dialling` -> `connected` <-> `held` -> `wrapUp` -> `finished`. The desk's media come first: the
customer's telephone rings from `acceptRtc` on. A call that is not answered (busy, nobody there, given up) goes to
`wrapUp` as well. What the state forbids is refused before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from antiphon.errors import Refusal
from antiphon.testbed.agents import Agent
from antiphon.testbed.dictionaries import DICTIONARIES
from antiphon.testbed.interactions import Interaction, Party, iso
from antiphon.testbed.outgoing import After, Answer, Outgoing, Request, Say, failure, success

__all__ = ["OutgoingCall", "Timing", "refuse_destination"]

_DESTINATION_LENGTH = 64
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")
_UNANSWERED = {"busy": "the line is busy", "noanswer": "nobody answers"}


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long things take: a customer to answer (or the line to be busy), the centre to give up on one who does not
    answer, and a desk to be free again after the answer to `finishWorkitem`."""

    answer_after_s: float
    give_up_after_s: float
    release_s: float


def refuse_destination(destination: str) -> None:
    """Raise Refusal for a destination that no call can be made to."""
    if destination == "invalid" or not destination.strip() or len(destination) > _DESTINATION_LENGTH:
        raise Refusal("invalidDestination", f"{destination[:_DESTINATION_LENGTH]!r} cannot be called")


class OutgoingCall:
    """One call: the agent's workitem and the interaction behind it. `changed` is told of every change of the record."""

    channel = "voice"

    def __init__(
        self,
        agent: Agent,
        workitem_id: str,
        interaction: Interaction,
        timing: Timing,
        changed: Callable[[Interaction], None],
    ) -> None:
        self.agent = agent
        self.workitem_id = workitem_id
        self.interaction = interaction
        self.state = ""
        self.muted = False
        self._timing = timing
        self._changed = changed
        self._agent_party = Party("agent", agent.user.name)
        self._customer = Party("customer", interaction.destination)
        self._start: Request | None = None
        self._holds_line = False
        self._is_ringing = False
        interaction.parties += [self._agent_party, self._customer]

    @property
    def is_talk_over(self) -> bool:
        """Whether only the agent's own work is left, or nothing."""
        return self.state in ("wrapUp", "finished")

    def create(self, request: Request, now_ms: int) -> list[Outgoing]:
        """The call is there; nobody is called yet."""
        event = self._enter("created", now_ms)
        answer = success(
            request,
            interactionID=self.interaction.id,
            workitemID=self.workitem_id,
            destination=self.interaction.destination,
        )
        return [answer, event]

    def start(self, request: Request, destination: str, offer: str, now_ms: int) -> list[Outgoing]:
        """Dial: the line is taken, media are offered to the desk. The answer comes when the customer has answered."""
        self._refuse_unless("created")
        if destination != self.interaction.destination:
            raise Refusal("wrongDestination", f"the interaction was made for {self.interaction.destination!r}")
        capacity = self.agent.take(self.channel)
        self._holds_line = True
        self._start = request
        self._agent_party.joined_ms = now_ms
        self._enter("dialling", now_ms)
        offered = {"workitemID": self.workitem_id, "interactionID": self.interaction.id, "offer": offer}
        return [capacity, Say(self.agent.desk, "newRtc", offered)]

    def accept_rtc(self, request: Request, interaction_id: str, answer: str) -> list[Outgoing]:
        """The desk's media are there: the customer's telephone rings."""
        self._refuse_unless("dialling")
        if interaction_id != self.interaction.id:
            raise Refusal("wrongInteraction", f"the workitem belongs to interaction {self.interaction.id}")
        if self._is_ringing:
            raise Refusal("wrongState", "the offer was accepted before")
        if not answer.strip():
            raise Refusal("badAnswer", "the media answer is empty")
        self._is_ringing = True
        destination = self.interaction.destination
        delay_s = self._timing.give_up_after_s if destination == "noanswer" else self._timing.answer_after_s
        return [
            success(request, interactionID=self.interaction.id),
            After(self.agent.desk, delay_s, self._stop_ringing),
        ]

    def _stop_ringing(self, now_ms: int) -> list[Outgoing]:
        if self.state != "dialling":
            return []
        destination = self.interaction.destination
        if destination in _UNANSWERED:
            refused = self._answer_start(Refusal(destination, f"{destination}: {_UNANSWERED[destination]}"))
            return [*refused, *self._end_talk(destination, now_ms)]
        self._customer.joined_ms = now_ms
        answered = self._answer_start(None)
        return [*answered, self._enter("connected", now_ms), self._say_parties()]

    def _answer_start(self, refusal: Refusal | None) -> list[Answer]:
        request, self._start = self._start, None
        if request is None:
            return []
        if refusal is not None:
            return [failure(request, refusal)]
        return [success(request, interactionID=self.interaction.id, workitemID=self.workitem_id)]

    def set_mute(self, request: Request, mute: bool, now_ms: int) -> list[Outgoing]:
        """The agent's microphone off or on. Off twice is as good as off once."""
        self._refuse_unless("connected", "held")
        if mute == self.muted:
            return [success(request), self._say_state(now_ms)]
        self.muted = mute
        return [success(request), self._enter(self.state, now_ms)]

    def hold(self, request: Request, now_ms: int) -> list[Outgoing]:
        """The customer waits."""
        self._refuse_unless("connected")
        self._customer.state = "held"
        return [success(request), self._enter("held", now_ms), self._say_parties()]

    def resume(self, request: Request, now_ms: int) -> list[Outgoing]:
        """The customer waits no longer."""
        self._refuse_unless("held")
        self._customer.state = "connected"
        return [success(request), self._enter("connected", now_ms), self._say_parties()]

    def send_dtmf(self, request: Request, digits: str) -> list[Outgoing]:
        """The agent presses keys: 1 to 32 of `0-9 * # A-D`."""
        self._refuse_unless("connected")
        if not _DIGITS.fullmatch(digits):
            raise Refusal("badDigits", f"{digits[:32]!r} are no digits; 1 to 32 of 0-9 * # A-D are")
        self.interaction.digits += digits
        self._changed(self.interaction)
        return [success(request)]

    def hang_up(self, request: Request, now_ms: int) -> list[Outgoing]:
        """The agent ends the call, also before it was answered or even dialled."""
        self._refuse_unless("created", "dialling", "connected", "held")
        given_up = self._answer_start(Refusal("givenUp", "the agent hung up before the customer answered"))
        return [success(request), *given_up, *self._end_talk("agent", now_ms)]

    def finish(self, request: Request, disposition: str, now_ms: int) -> list[Outgoing]:
        """The agent says how it went. The desk is free a little later."""
        self._refuse_unless("wrapUp")
        if disposition not in DICTIONARIES["dispositions"]:
            raise Refusal(
                "unknownDisposition",
                f"{disposition!r} is no disposition; {', '.join(DICTIONARIES['dispositions'])} are",
            )
        self.interaction.disposition = disposition
        event = self._enter("finished", now_ms)
        return [event, success(request)]

    def release(self) -> list[Outgoing]:
        """The desk is free again."""
        if self._holds_line:
            self._holds_line = False
            self.agent.give_back(self.channel)
        return [self.agent.say_capacity(), self.agent.settle()]

    def abandon(self, reason: str, now_ms: int) -> None:
        """The desk is gone. There is nobody to tell; the record says so."""
        if self.state == "finished":
            return
        self._start = None
        self.muted = False
        self.interaction.end(reason, now_ms)
        self._enter("finished", now_ms, reason=reason)

    def _end_talk(self, by: str, now_ms: int) -> list[Outgoing]:
        self.interaction.end(by, now_ms)
        self.muted = False
        return [self._enter("wrapUp", now_ms, reason=by), self.agent.wrap_up()]

    def _refuse_unless(self, *states: str) -> None:
        if self.state not in states:
            raise Refusal("wrongState", f"the workitem is {self.state}, and this needs {' or '.join(states)}")

    def _enter(self, state: str, now_ms: int, **details: Any) -> Say:
        self.state = state
        recorded = {"muted": True, **details} if self.muted else details
        self.interaction.enter(state, now_ms, self.agent.user.name, **recorded)
        self._changed(self.interaction)
        return self._say_state(now_ms, **details)

    def _say_state(self, now_ms: int, **details: Any) -> Say:
        data = {
            "workitemID": self.workitem_id,
            "interactionID": self.interaction.id,
            "channel": self.channel,
            "destination": self.interaction.destination,
            "state": self.state,
            "muted": self.muted,
            "at": iso(now_ms),
            **details,
        }
        return Say(self.agent.desk, "newWorkitemState", data)

    def _say_parties(self) -> Say:
        parties = [party.as_listed() for party in self.interaction.parties if party.is_there]
        return Say(
            self.agent.desk,
            "workitemPartyList",
            {"workitemID": self.workitem_id, "interactionID": self.interaction.id, "parties": parties},
        )
