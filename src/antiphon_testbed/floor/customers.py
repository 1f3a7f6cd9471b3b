"""What the outside world begins: customers call, write and leave, and tasks come."""

from __future__ import annotations

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import Effect
from antiphon_testbed.floor.chats_and_tasks import Chat, write
from antiphon_testbed.floor.contacts import Contact
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.floor.interactions import Party

__all__ = ["customer_calls", "customer_chats", "customer_leaves", "customer_writes", "task_comes"]


def customer_calls(
    floor: Floor,
    origin: str,
    now_ms: int,
    *,
    to: str = "",
    skill: str | None = None,
    ring_s: float = 0.0,
    talk_s: float | None = None,
) -> tuple[str, list[Effect]]:
    """A customer calls from the number `origin`; gives the interaction's id.

    to: the number that was called. An agent's line, if that agent is free, rings there first.
    skill: what the agent must be able to do; None for anybody.
    ring_s: how long after `acceptRtc` the customer is on the line. talk_s: how long after that the customer hangs up.
    """
    about = {"from": origin, **({"to": to} if to else {}), **_wanted(skill)}
    contact = floor.ledger.open(
        "voice",
        Party("customer", origin, now_ms),
        f"call/from/{origin}",
        destination=to,
        origin=origin,
        skill=skill,
        about=about,
        ring_s=ring_s,
        talk_s=talk_s,
    )
    floor.dispatch.submit(contact, now_ms)
    agent = floor.agent_at(to)
    direct = []
    if agent is not None and agent.can_take("voice"):
        direct = floor.dispatch.offer(contact, agent, now_ms)
    return contact.id, floor.settled(direct, now_ms)


def customer_chats(
    floor: Floor, origin: str, text: str, now_ms: int, *, skill: str | None = None
) -> tuple[str, list[Effect]]:
    """A customer, known as `origin`, begins a chat with `text`; gives the interaction's id."""
    contact = floor.ledger.open(
        "chat",
        Party("customer", origin, now_ms),
        f"chat/from/{origin}",
        origin=origin,
        skill=skill,
        extras={"messages": []},
        about={"from": origin, "text": text, **_wanted(skill)},
    )
    write(contact, floor.ledger.message_id(contact), "customer", origin, text, now_ms)
    floor.dispatch.submit(contact, now_ms)
    return contact.id, floor.settled([], now_ms)


def customer_writes(floor: Floor, interaction_id: str, text: str, now_ms: int) -> tuple[str, list[Effect]]:
    """A customer writes in a chat; gives the message's id. ErrorReply for no such chat, or no such text."""
    contact = _contact(floor, "chat", interaction_id)
    message_id = floor.ledger.message_id(contact)
    message = write(contact, message_id, "customer", contact.interaction.origin, text, now_ms)
    floor.ledger.note(contact.interaction)
    return message_id, contact.owner.hear(message) if isinstance(contact.owner, Chat) else []


def task_comes(
    floor: Floor, title: str, due: str | None, now_ms: int, *, skill: str | None = None
) -> tuple[str, list[Effect]]:
    """There is something to do, until `due` (ISO 8601) if that is said; gives the interaction's id."""
    contact = floor.ledger.open(
        "task",
        None,
        "task",
        skill=skill,
        extras={"title": title, "due": due, "outcome": None},
        about={"title": title, "due": due, **_wanted(skill)},
    )
    floor.dispatch.submit(contact, now_ms)
    return contact.id, floor.settled([], now_ms)


def customer_leaves(floor: Floor, channel: str, interaction_id: str, now_ms: int) -> list[Effect]:
    """The customer hangs up, or leaves the chat. ErrorReply if there is no such customer."""
    contact = _contact(floor, channel, interaction_id)
    return floor.settled(floor.ledger.end(contact, "customer", now_ms), now_ms)


def _contact(floor: Floor, channel: str, interaction_id: str) -> Contact:
    contact = floor.ledger.contacts.get(interaction_id)
    if contact is None or contact.channel != channel:
        raise ErrorReply("unknownInteraction", f"there is no {channel} interaction {interaction_id[:64]!r} under way")
    if contact.customer is None or not contact.customer.is_there:
        raise ErrorReply("wrongState", "the customer has not answered yet")
    return contact


def _wanted(skill: str | None) -> dict[str, str]:
    return {"skill": skill} if skill is not None else {}
