"""A contact at one desk, as a state machine: what all channels have in common.

`offered` -> `connected` -> `wrapUp` -> `finished`. What was offered and not taken is `finished` at once. What the state
forbids is refused before anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import After, Effect, Event, Request, success
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.contacts import Contact
from antiphon_testbed.floor.interactions import Interaction, Party, iso
from antiphon_testbed.options import Timing
from antiphon_testbed.protocol import DICTIONARIES

__all__ = ["PassOn", "Workitem", "WorkitemHost"]


class WorkitemHost(Protocol):
    """What workitems are written in."""

    timing: Timing

    def note(self, interaction: Interaction) -> None:
        """The interaction's record has changed."""
        ...

    def media_offer(self, agent: Agent) -> str:
        """A media offer for the agent's desk."""
        ...

    def message_id(self, contact: Contact) -> str:
        """The id of the contact's next message."""
        ...

    def end(self, contact: Contact, by: str, now_ms: int) -> list[Effect]:
        """The contact is over, at all desks that have it."""
        ...

    def drop(self, workitem: Workitem) -> None:
        """The workitem is done with."""
        ...


class Workitem:
    """One contact at one desk. `about` is what every `newWorkitemState` of it tells beside the state."""

    channel = ""

    def __init__(
        self,
        host: WorkitemHost,
        workitem_id: str,
        agent: Agent,
        contact: Contact,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.workitem_id = workitem_id
        self.agent = agent
        self.contact = contact
        self.interaction = contact.interaction
        self.state = ""
        self.party = Party("agent", agent.user.name)
        self._host = host
        self._about = contact.about if about is None else about
        self._has_place = False
        self._pass_on: PassOn = _to_nobody

    @property
    def is_helper(self) -> bool:
        """Whether its agent is only consulted."""
        return self.contact.helper is self

    def offer(self, pass_on: PassOn, now_ms: int) -> list[Effect]:
        """Offer it to the desk; `pass_on` says what becomes of the contact if it is not taken."""
        self._pass_on = pass_on
        capacity = self._take_place()
        offered = self._enter("offered", now_ms)
        timeout = After(self.agent.desk, self._host.timing.offer_timeout_s, lambda at_ms: self._time_out(at_ms))
        return [capacity, offered, timeout]

    def accept(self, request: Request, now_ms: int) -> list[Effect]:
        """The agent takes it."""
        self.refuse_unless("offered")
        self._become_owner()
        return [success(request, interactionID=self.interaction.id), *self._connect(now_ms)]

    def reject(self, request: Request, now_ms: int) -> list[Effect]:
        """The agent does not take it."""
        self.refuse_unless("offered")
        return [success(request), *self._decline("rejected", now_ms)]

    def withdraw(self, reason: str, now_ms: int) -> list[Effect]:
        """It is offered no longer."""
        finished = self._enter("finished", now_ms, reason=reason)
        self._host.drop(self)
        return [finished, *self._give_place_back()]

    def finish(self, request: Request, disposition: str, now_ms: int) -> list[Effect]:
        """The agent says how it went. The desk is free a little later."""
        self.refuse_unless("wrapUp")
        if disposition not in DICTIONARIES["dispositions"]:
            raise ErrorReply(
                "unknownDisposition",
                f"{disposition!r} is no disposition; {', '.join(DICTIONARIES['dispositions'])} are",
            )
        if self.contact.owner is self:
            self.interaction.disposition = disposition
        # The event before the answer, which says that all is done; elsewhere the answer comes first.
        event = self._enter("finished", now_ms, disposition=disposition)
        return [event, success(request), self._release_later()]

    def let_go(self, by: str, now_ms: int) -> list[Effect]:
        """The contact is over for this desk: what was only offered is withdrawn, the rest goes on to its end."""
        if self.state == "offered":
            return self.withdraw(by, now_ms)
        if self.state in ("wrapUp", "finished"):
            return []
        return self._wrap_up(by, now_ms)

    def hand_over(self, now_ms: int) -> list[Effect]:
        """The contact goes on at another desk, or in the queue."""
        self.party.leave(now_ms)
        return self._wrap_up("transferred", now_ms)

    def shut(self, reason: str, now_ms: int) -> None:
        """The desk is gone. There is nobody to tell; the record says so."""
        if self.state != "finished":
            self.party.leave(now_ms)
            self._enter("finished", now_ms, reason=reason)
        self._host.drop(self)

    def vanish(self, reason: str, now_ms: int) -> list[Effect]:
        """The desk is gone; gives what others hear of it."""
        state = self.state
        self.shut(reason, now_ms)
        if state == "offered":
            return self._pass_on(self, reason, now_ms)
        if state in ("wrapUp", "finished"):
            return []
        return self._leave_behind(reason, now_ms)

    def say_parties(self) -> list[Effect]:
        """Tell the desk who takes part, if it takes part itself."""
        return [self.party_list()] if self.party.is_there else []

    def _leave_behind(self, reason: str, now_ms: int) -> list[Effect]:
        """What becomes of a contact that was in hand when the desk went: somebody else's."""
        return self._pass_on(self, reason, now_ms)

    def _connect(self, now_ms: int) -> list[Effect]:
        # By identity: an agent who comes back to the contact takes part once more, with times of its own.
        if self.party not in self.interaction.parties:
            self.interaction.parties.append(self.party)
        if self.party.joined_ms is None:
            self.party.joined_ms = now_ms
        connected = self._enter("connected", now_ms)
        holders = (self.contact.owner, self.contact.helper)
        return [connected, *(said for holder in holders if holder is not None for said in holder.say_parties())]

    def _become_owner(self) -> None:
        if not self.is_helper:
            self.interaction.user = self.agent.user.name
            self.contact.passed.clear()

    def _time_out(self, now_ms: int) -> list[Effect]:
        return self._decline("noAnswer", now_ms) if self.state == "offered" else []

    def _decline(self, reason: str, now_ms: int) -> list[Effect]:
        return [*self.withdraw(reason, now_ms), *self._pass_on(self, reason, now_ms)]

    def _wrap_up(self, by: str, now_ms: int) -> list[Effect]:
        return [self._enter("wrapUp", now_ms, reason=by)]

    def _release_later(self) -> After:
        return After(self.agent.desk, self._host.timing.release_s, lambda _: self._release())

    def _release(self) -> list[Effect]:
        self._host.drop(self)
        # Also a call that was never dialled, which took no place: a desk always hears that it is free.
        return self._give_place_back() or [self.agent.say_capacity()]

    def _take_place(self) -> Event:
        said = self.agent.take(self.channel)
        self._has_place = True
        return said

    def _give_place_back(self) -> list[Effect]:
        if not self._has_place:
            return []
        self._has_place = False
        return [self.agent.give_back(self.channel)]

    def refuse_unless(self, *states: str) -> None:
        """Raise ErrorReply if it is in none of these states."""
        if self.state not in states:
            raise ErrorReply("wrongState", f"the workitem is {self.state}, and this needs {' or '.join(states)}")

    def _enter(self, state: str, now_ms: int, **details: Any) -> Event:
        self.state = state
        recorded = {**{name: value for name, value in self._condition().items() if value}, **details}
        self.interaction.enter(state, now_ms, self.agent.user.name, self.workitem_id, **recorded)
        self._host.note(self.interaction)
        self.agent.move_on()
        return self._say_state(now_ms, **details)

    def _condition(self) -> dict[str, Any]:
        """What a state of it has beside its name."""
        return {"consult": True} if self.is_helper else {}

    def _say_state(self, now_ms: int, **details: Any) -> Event:
        data = {
            "workitemID": self.workitem_id,
            "interactionID": self.interaction.id,
            "channel": self.channel,
            **self._about,
            "state": self.state,
            **self._condition(),
            "at": iso(now_ms),
            **details,
        }
        return Event(self.agent.desk, "newWorkitemState", data)

    def party_list(self) -> Event:
        """Who takes part, for this desk."""
        parties = [party.as_listed() for party in self.interaction.parties if party.is_there]
        return Event(
            self.agent.desk,
            "workitemPartyList",
            {"workitemID": self.workitem_id, "interactionID": self.interaction.id, "parties": parties},
        )


PassOn: TypeAlias = Callable[[Workitem, str, int], list[Effect]]
"""What becomes of a contact that a desk did not take, for this reason, at this time (ms)."""


def _to_nobody(_: Workitem, __: str, ___: int) -> list[Effect]:
    return []
