"""Everything under way on the floor: contacts, workitems and the queue, and how a contact ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import Effect
from antiphon_testbed.floor.agents import Agent
from antiphon_testbed.floor.calls import Call
from antiphon_testbed.floor.chats_and_tasks import Chat, Task
from antiphon_testbed.floor.contacts import Contact
from antiphon_testbed.floor.interactions import Interaction, Party
from antiphon_testbed.floor.queue import ContactQueue
from antiphon_testbed.floor.workitems import Workitem
from antiphon_testbed.options import Timing
from antiphon_testbed.protocol import media_offer
from antiphon_testbed.seed import Seed

__all__ = ["Ledger"]

_KINDS: Final[Mapping[str, type[Workitem]]] = MappingProxyType({kind.channel: kind for kind in (Call, Chat, Task)})
"""What a contact is at a desk, for each channel."""


class Ledger:
    """The contacts that last and the workitems that desks are not free of, by their ids."""

    def __init__(self, seed: Seed, timing: Timing, changed: Callable[[Interaction], None]) -> None:
        self.timing = timing
        self.contacts: dict[str, Contact] = {}
        self.workitems: dict[str, Workitem] = {}
        self.queue = ContactQueue()
        self._seed = seed
        self._changed = changed
        self._number = 0

    def open(
        self,
        channel: str,
        customer: Party | None,
        scope: str,
        *,
        direction: str = "in",
        destination: str = "",
        origin: str = "",
        user: str = "",
        skill: str | None = None,
        extras: dict[str, Any] | None = None,
        about: dict[str, Any],
        ring_s: float = 0.0,
        talk_s: float | None = None,
    ) -> Contact:
        """A new contact; its id is the next of the scope."""
        interaction = Interaction(
            self._seed.uuid(scope),
            channel=channel,
            direction=direction,
            user=user,
            destination=destination,
            origin=origin,
            skill=skill,
            extras=extras,
        )
        self._number += 1
        contact = Contact(interaction, customer, number=self._number, about=about, ring_s=ring_s, talk_s=talk_s)
        self.contacts[contact.id] = contact
        return contact

    def assign(self, agent: Agent, contact: Contact, about: Mapping[str, Any] | None = None) -> Workitem:
        """The contact at the agent's desk: a new workitem, in no state yet."""
        workitem_id = self._seed.uuid(f"workitem/{agent.user.name}")
        workitem = _KINDS[contact.channel](self, workitem_id, agent, contact, about)
        self.workitems[workitem_id] = workitem
        agent.take_on(workitem)
        return workitem

    def workitem_of(self, agent: Agent, workitem_id: str) -> Workitem:
        """The agent's workitem with this id; ErrorReply if there is none, or if it is another agent's."""
        workitem = self.workitems.get(workitem_id)
        if workitem is None:
            raise ErrorReply(
                "unknownWorkitem",
                f"there is no workitem {workitem_id[:64]!r}; an offer not accepted in time, for instance, is gone",
            )
        if workitem.agent is not agent:
            raise ErrorReply("foreignWorkitem", f"workitem {workitem_id} is not this agent's")
        return workitem

    def note(self, interaction: Interaction) -> None:
        """See `WorkitemHost`."""
        self._changed(interaction)

    def media_offer(self, agent: Agent) -> str:
        """See `WorkitemHost`."""
        return media_offer(self._seed.number(f"offer/{agent.user.name}"))

    def message_id(self, contact: Contact) -> str:
        """See `WorkitemHost`."""
        return self._seed.uuid(f"message/{contact.id}")

    def end(self, contact: Contact, by: str, now_ms: int) -> list[Effect]:
        """The contact is over: it leaves the queue, and every desk that has it. Nothing if it is over already."""
        if self.contacts.pop(contact.id, None) is None:
            return []
        holders = [holder for holder in (contact.owner, contact.helper) if holder is not None]
        contact.interaction.end(by, now_ms)
        self.queue.discard(contact)
        # Nobody's workitem will come to its end, so the history ends here.
        if not holders:
            contact.interaction.enter("finished", now_ms, reason=by)
            self.note(contact.interaction)
        said = [item for holder in holders for item in holder.let_go(by, now_ms)]
        contact.helper, contact.is_consulting = None, False
        return said

    def drop(self, workitem: Workitem) -> None:
        """See `WorkitemHost`; nothing if it was dropped before."""
        if self.workitems.pop(workitem.workitem_id, None) is not None:
            workitem.agent.drop(workitem)
