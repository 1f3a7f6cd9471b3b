"""A contact for as long as it lasts: what the outside world wants of the centre, and which desks have it."""

from __future__ import annotations

from typing import Any, Protocol

from antiphon_testbed.effects import Effect
from antiphon_testbed.floor.interactions import Interaction, Party

__all__ = ["Contact", "Holder"]


class Holder(Protocol):
    """A workitem, as its contact sees it."""

    state: str

    def let_go(self, by: str, now_ms: int) -> list[Effect]:
        """The contact is over for this desk."""
        ...

    def say_parties(self) -> list[Effect]:
        """Tell the desk who takes part, if it takes part itself."""
        ...


class Contact:
    """One contact. `number` is its place in the order of all; `skill` what a desk must have for it, if anything.

    `customer` is None for a task, which has nobody to talk to. `owner` is the workitem that has the contact, or is
    offered it; `helper` that of an agent whom the owner consults, or wants to, while `is_consulting`. `passed` are the
    users who did not take it, the latest last.
    """

    def __init__(
        self,
        interaction: Interaction,
        customer: Party | None,
        *,
        number: int,
        about: dict[str, Any],
        ring_s: float = 0.0,
        talk_s: float | None = None,
    ) -> None:
        self.interaction = interaction
        self.customer = customer
        self.number = number
        self.about = about
        self.ring_s = ring_s
        self.talk_s = talk_s
        self.owner: Holder | None = None
        self.helper: Holder | None = None
        self.is_consulting = False
        self.passed: dict[str, None] = {}
        if customer is not None:
            interaction.parties.append(customer)

    @property
    def id(self) -> str:
        """The interaction's."""
        return self.interaction.id

    @property
    def channel(self) -> str:
        """The interaction's."""
        return self.interaction.channel

    @property
    def skill(self) -> str | None:
        """The interaction's."""
        return self.interaction.skill
