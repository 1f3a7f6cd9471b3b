"""A call at an agent's desk, made by the agent or offered to it, as a state machine.

`created` -> `dialling` or `offered` -> `accepted`, and from there `connected` <-> `held` -> `wrapUp` -> `finished`. The
desk's media come first: the customer's telephone rings from `acceptRtc` on. A call that is not answered (busy, nobody
there, given up) goes to `wrapUp` as well. `dialling` and `accepted` are told by answers and not by events.

While the agent consults another one, the customer is `held`; the other agent's workitem is `connected` with `consult`.
"""

from __future__ import annotations

import re
from typing import Any

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import After, Answer, Effect, Event, Request, failure, success
from antiphon_testbed.floor.workitems import Workitem

__all__ = ["Call", "refuse_destination"]

_DESTINATION_LENGTH = 64
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")
_UNANSWERED = {"busy": "the line is busy", "noanswer": "nobody answers"}


def refuse_destination(destination: str) -> None:
    """Raise ErrorReply for a destination that no call can be made to."""
    if destination == "invalid" or not destination.strip() or len(destination) > _DESTINATION_LENGTH:
        raise ErrorReply("invalidDestination", f"{destination[:_DESTINATION_LENGTH]!r} cannot be called")


class Call(Workitem):
    """A call at one desk."""

    channel = "voice"
    muted = False
    _start: Request | None = None
    _has_media = False

    def create(self, request: Request, now_ms: int) -> list[Effect]:
        """The agent's own call is there; nobody is called yet."""
        self.interaction.parties.insert(0, self.party)
        event = self._enter("created", now_ms)
        answer = success(
            request,
            interactionID=self.interaction.id,
            workitemID=self.workitem_id,
            destination=self.interaction.destination,
        )
        return [answer, event]

    def start(self, request: Request, destination: str, now_ms: int) -> list[Effect]:
        """Dial: the line is taken, media are offered to the desk. The answer comes when the customer has answered."""
        self.refuse_unless("created")
        if destination != self.interaction.destination:
            raise ErrorReply("wrongDestination", f"the interaction was made for {self.interaction.destination!r}")
        capacity = self._take_place()
        self._start = request
        self.party.joined_ms = now_ms
        self._enter("dialling", now_ms)
        return [capacity, self._offer_media()]

    def accept(self, request: Request, now_ms: int) -> list[Effect]:
        """The agent takes the call: media are offered to the desk."""
        self.refuse_unless("offered")
        self._become_owner()
        self._enter("accepted", now_ms)
        return [success(request, interactionID=self.interaction.id), self._offer_media()]

    def accept_rtc(self, request: Request, interaction_id: str, answer: str, now_ms: int) -> list[Effect]:
        """The desk's media are there: the customer's telephone rings, or the caller is on the line."""
        self.refuse_unless("dialling", "accepted")
        if interaction_id != self.interaction.id:
            raise ErrorReply("wrongInteraction", f"the workitem belongs to interaction {self.interaction.id}")
        if self._has_media:
            raise ErrorReply("wrongState", "the offer was accepted before")
        if not answer.strip():
            raise ErrorReply("badAnswer", "the media answer is empty")
        self._has_media = True
        answered = success(request, interactionID=self.interaction.id)
        if self.state == "accepted":
            # The customer answers once; who takes the call after a transfer finds them on the line.
            ring_s, self.contact.ring_s = self.contact.ring_s, 0.0
            if ring_s == 0:
                return [answered, *self._connect(now_ms)]
            return [answered, After(self.agent.desk, ring_s, self._stop_ringing)]
        timing = self._host.timing
        is_noanswer = self.interaction.destination == "noanswer"
        delay_s = timing.give_up_after_s if is_noanswer else timing.answer_after_s
        return [answered, After(self.agent.desk, delay_s, self._stop_ringing)]

    def set_mute(self, request: Request, mute: bool, now_ms: int) -> list[Effect]:
        """The agent's microphone off or on. Off twice is as good as off once."""
        self.refuse_unless("connected", "held")
        if mute == self.muted:  # said again, since an event follows every setMute, but not recorded again
            return [success(request), self._say_state(now_ms)]
        self.muted = mute
        return [success(request), self._enter(self.state, now_ms)]

    def hold(self, request: Request, now_ms: int) -> list[Effect]:
        """The customer waits."""
        self.refuse_unless("connected")
        self._refuse_helper()
        return [success(request), *self.put_on_hold(now_ms)]

    def resume(self, request: Request, now_ms: int) -> list[Effect]:
        """The customer waits no longer."""
        self.refuse_unless("held")
        self.refuse_consulting()
        return [success(request), *self._resume(now_ms)]

    def put_on_hold(self, now_ms: int) -> list[Effect]:
        """The customer waits, whoever wants it."""
        self._set_customer("held")
        return [self._enter("held", now_ms), *self.say_parties()]

    def take_back(self, reason: str, now_ms: int) -> list[Effect]:
        """Nobody is consulted any longer: the customer is back."""
        return self._resume(now_ms, reason=reason)

    def take_over(self, now_ms: int) -> list[Effect]:
        """The customer is this desk's now, and was another's."""
        self.contact.owner, self.contact.helper = self, None
        self._become_owner()
        self._set_customer("connected")
        return [self._enter("connected", now_ms), self.party_list()]

    def send_dtmf(self, request: Request, digits: str) -> list[Effect]:
        """The agent presses keys: 1 to 32 of `0-9 * # A-D`."""
        self.refuse_unless("connected")
        self._refuse_helper()
        if not _DIGITS.fullmatch(digits):
            raise ErrorReply("badDigits", f"{digits[:32]!r} are no digits; 1 to 32 of 0-9 * # A-D are")
        self.interaction.digits += digits
        self._host.note(self.interaction)
        return [success(request)]

    def hang_up(self, request: Request, now_ms: int) -> list[Effect]:
        """The agent ends the call, also before it was answered or even dialled; or ends being consulted."""
        self.refuse_unless("created", "dialling", "accepted", "connected", "held")
        if self.is_helper:
            return [success(request), *self.let_go("agent", now_ms), *self._end_consult("hungUp", now_ms)]
        given_up = self._answer_start(ErrorReply("givenUp", "the agent hung up before the customer answered"))
        return [success(request), *given_up, *self._host.end(self.contact, "agent", now_ms)]

    def refuse_consulting(self) -> None:
        """Raise ErrorReply while the agent consults another one, or is consulted."""
        self._refuse_helper()
        if self.contact.is_consulting:
            raise ErrorReply("wrongState", "a transfer is under way; completeTransfer or cancelTransfer first")

    def shut(self, reason: str, now_ms: int) -> None:
        """See `Workitem`."""
        self._start = None
        self.muted = False
        super().shut(reason, now_ms)

    def _leave_behind(self, reason: str, now_ms: int) -> list[Effect]:
        if self.is_helper:
            return self._end_consult(reason, now_ms)
        return self._host.end(self.contact, reason, now_ms)

    def _end_consult(self, reason: str, now_ms: int) -> list[Effect]:
        owner = self.contact.owner
        self.contact.helper, self.contact.is_consulting = None, False
        return owner.take_back(reason, now_ms) if isinstance(owner, Call) else []

    def _stop_ringing(self, now_ms: int) -> list[Effect]:
        if self.state == "accepted":
            return self._connect(now_ms)
        if self.state != "dialling":
            return []
        destination = self.interaction.destination
        if destination in _UNANSWERED:
            refused = self._answer_start(ErrorReply(destination, f"{destination}: {_UNANSWERED[destination]}"))
            return [*refused, *self._host.end(self.contact, destination, now_ms)]
        if self.contact.customer is not None:
            self.contact.customer.joined_ms = now_ms
        # The answer to startNewOutInteraction comes only now, and before the events of being connected.
        return [*self._answer_start(None), *self._connect(now_ms)]

    def _connect(self, now_ms: int) -> list[Effect]:
        if not self.is_helper:
            self._set_customer("connected")
        connected = super()._connect(now_ms)
        # From the first connection on, wherever the call goes: the customer has had enough, not the desk.
        talk_s, self.contact.talk_s = self.contact.talk_s, None
        if talk_s is not None:
            connected.append(After(None, talk_s, lambda at_ms: self._host.end(self.contact, "customer", at_ms)))
        return connected

    def _resume(self, now_ms: int, **details: Any) -> list[Effect]:
        self._set_customer("connected")
        return [self._enter("connected", now_ms, **details), *self.say_parties()]

    def _set_customer(self, state: str) -> None:
        if self.contact.customer is not None:
            self.contact.customer.state = state

    def _answer_start(self, refusal: ErrorReply | None) -> list[Answer]:
        request, self._start = self._start, None
        if request is None:
            return []
        if refusal is not None:
            return [failure(request, refusal)]
        return [success(request, interactionID=self.interaction.id, workitemID=self.workitem_id)]

    def _wrap_up(self, by: str, now_ms: int) -> list[Effect]:
        self.party.leave(now_ms)
        self.muted = False
        return [*super()._wrap_up(by, now_ms), self.agent.wrap_up()]

    def _release(self) -> list[Effect]:
        return [*super()._release(), self.agent.settle()]

    def _offer_media(self) -> Event:
        offer = self._host.media_offer(self.agent)
        data = {"workitemID": self.workitem_id, "interactionID": self.interaction.id, "offer": offer}
        return Event(self.agent.desk, "newRtc", data)

    def _condition(self) -> dict[str, Any]:
        return {"muted": self.muted, **super()._condition()}

    def _refuse_helper(self) -> None:
        if self.is_helper:
            raise ErrorReply("wrongState", "the agent is only consulted; the customer is another desk's")
