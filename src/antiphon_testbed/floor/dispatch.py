"""Who gets what: contacts go to the desk that has been idle longest, or wait; desks that become free take who waits.

No contact waits while a fitting desk is free. What a desk did not take goes to another one if another is free.
"""

from __future__ import annotations

from antiphon_testbed.effects import Effect
from antiphon_testbed.floor.agents import CAPACITY, Agent
from antiphon_testbed.floor.contacts import Contact
from antiphon_testbed.floor.idle import IdleDesks
from antiphon_testbed.floor.ledger import Ledger
from antiphon_testbed.floor.workitems import Workitem

__all__ = ["Dispatch"]


class Dispatch:
    """Brings contacts and desks together: `submit` and `requeue` say that a contact wants a desk, `route` finds it."""

    def __init__(self, ledger: Ledger, idle: IdleDesks) -> None:
        self._ledger = ledger
        self._idle = idle
        self._submitted: list[Contact] = []

    def submit(self, contact: Contact, now_ms: int) -> None:
        """The contact wants a desk."""
        contact.owner = None
        contact.interaction.user = ""
        contact.interaction.enter("queued", now_ms)
        self._ledger.note(contact.interaction)
        self._submitted.append(contact)

    def requeue(self, workitem: Workitem, _: str, now_ms: int) -> list[Effect]:
        """A desk has not taken the contact, or has lost it: it wants another one."""
        name = workitem.agent.user.name
        workitem.contact.passed.pop(name, None)  # to the end: who passed it on first is asked again first
        workitem.contact.passed[name] = None
        self.submit(workitem.contact, now_ms)
        return []

    def offer(self, contact: Contact, agent: Agent, now_ms: int) -> list[Effect]:
        """Offer the contact to the agent, who can take it."""
        self._ledger.queue.discard(contact)
        contact.interaction.leave_queue(now_ms)
        workitem = self._ledger.assign(agent, contact)
        contact.owner = workitem
        return workitem.offer(self.requeue, now_ms)

    def route(self, now_ms: int) -> list[Effect]:
        """Bring together whom the latest changes allow to be brought together."""
        effects: list[Effect] = []
        for agent in self._idle.take_freed():
            for channel in CAPACITY:
                # Desks first, then newcomers: who waits already goes before who has just come.
                effects += self._serve(agent, channel, now_ms)
        submitted, self._submitted = self._submitted, []
        for contact in submitted:
            # It may have been taken by a desk just above, or have hung up.
            if contact.owner is None and contact.id in self._ledger.contacts:
                effects += self._place(contact, now_ms)
        return effects

    def _serve(self, agent: Agent, channel: str, now_ms: int) -> list[Effect]:
        effects: list[Effect] = []
        # Again after each: an offer takes room, and for a call the line.
        while agent.can_take(channel):
            contact = self._ledger.queue.first(channel, agent.user.skills)
            if contact is None:
                break
            effects += self.offer(contact, agent, now_ms)
        return effects

    def _place(self, contact: Contact, now_ms: int) -> list[Effect]:
        agent = self._idle.longest_idle(contact.channel, contact.skill, contact.passed)
        if agent is not None:
            return self.offer(contact, agent, now_ms)
        self._ledger.queue.add(contact)
        return []
