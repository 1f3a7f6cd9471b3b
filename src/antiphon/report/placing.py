"""Each entry of a journal with the business step that it is shown under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from antiphon.conversation.message import Message
from antiphon.journal import Handled, RunStarted, StepEnded, StepStarted, WaitEnded, WaitStarted
from antiphon.journal.file import WrittenMessage
from antiphon.report.blocks import Blocks

__all__ = ["placed"]


def placed(entries: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """The entries in order, each with the number of its step; 0 for none.

    A received message is kept back, with what its handlers did, until the next entry tells which wait it satisfied.
    """
    blocks = Blocks()
    held: list[Any] = []
    for entry in entries:
        if held and _is_aside(entry, held[0]):
            held.append(entry)
            continue
        wait = blocks.wait_ended(entry) if isinstance(entry, WaitEnded) else None
        if held:
            yield from _released(held, wait if _is_for(entry, wait, held[0]) else None, blocks)
            held = []
        if isinstance(entry, (Message, WrittenMessage)) and not entry.is_sent:
            held = [entry]
            continue
        yield entry, _step_of(entry, wait)
        _track(blocks, entry)
    if held:
        yield from _released(held, None, blocks)


def _is_aside(entry: Any, received: Message | WrittenMessage) -> bool:
    """True for what is written between a message and the end of the wait that it satisfies."""
    is_handlers = isinstance(entry, Handled) or (isinstance(entry, (Message, WrittenMessage)) and entry.is_sent)
    return is_handlers and (entry.actor, entry.channel) == (received.actor, received.channel)


def _is_for(entry: Any, wait: WaitStarted | None, received: Message | WrittenMessage) -> bool:
    return wait is not None and (wait.actor, wait.channel, entry.message) == (
        received.actor,
        received.channel,
        received.number,
    )


def _released(held: list[Any], wait: WaitStarted | None, blocks: Blocks) -> Iterator[tuple[Any, int]]:
    step = blocks.step_of_received(held[0], wait)
    for entry in held:
        yield entry, getattr(entry, "step", 0) or step


def _step_of(entry: Any, wait: WaitStarted | None) -> int:
    if wait is not None:
        return wait.step
    if isinstance(entry, (StepStarted, StepEnded)):
        return entry.number
    return int(getattr(entry, "step", 0))


def _track(blocks: Blocks, entry: Any) -> None:
    match entry:
        case RunStarted():
            blocks.actors = list(entry.actors)
        case StepStarted():
            blocks.step_started(entry)
        case StepEnded():
            blocks.step_ended(entry)
        case WaitStarted():
            blocks.wait_started(entry)
