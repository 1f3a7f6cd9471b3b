"""Strict mode: what was received and nobody expected, told at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from antiphon.actor.channel import Channel
from antiphon.conversation.message import Message
from antiphon.conversation.wording import counted, seconds, shorten
from antiphon.errors import MessagesLeft

__all__ = ["messages_left"]

MOST_TOLD: Final = 12


def messages_left(channels: Sequence[Channel]) -> MessagesLeft | None:
    """The error if a channel has received what nobody expected, handled or declared ignored; None if none has."""
    left = [(channel, each) for channel in channels for each in channel.mailbox.kept if not channel.excuses.cover(each)]
    fallen = [channel for channel in channels if channel.mailbox.dropped]
    if not left and not fallen:
        return None
    left.sort(key=lambda pair: pair[1].at_ns)
    was = "was" if len(left) == 1 else "were"
    lines = [f"{counted(len(left), 'message')} {was} received that nobody expected, in strict mode"]
    lines += [line for channel, message in left[:MOST_TOLD] for line in _told(channel, message)]
    if len(left) > MOST_TOLD:
        lines.append(f"and {len(left) - MOST_TOLD} more")
    for channel in fallen:
        count, limit = channel.mailbox.dropped, channel.mailbox.limit
        lines.append(f"{channel.mailbox.owner}: {count} more fell out of its mailbox, which keeps {limit}")
    names = sorted({message.name for _, message in left})
    hint = f"expect them, handle them with @on(…), or declare them: WebSocket(…, ignored={names!r})" if names else None
    error = MessagesLeft("\n  ".join(lines), hint=hint)
    error.messages = tuple(message for _, message in left)
    return error


def _told(channel: Channel, message: Message) -> Iterator[str]:
    owner = channel.mailbox.owner
    yield f"{owner} received {message.name} after {seconds(message.at_ns)}: {shorten(message.body, 160)}"
    if message.reply_to is not None:
        yield "  an answer to no open request"
    namesakes = (each for each in reversed(channel.mailbox.history) if each.name == message.name)
    before = next((each for each in namesakes if each.number < message.number), None)
    if before is not None and before.body == message.body:
        yield f"  the one before it, after {seconds(before.at_ns)}, said the same: did it come twice?"
