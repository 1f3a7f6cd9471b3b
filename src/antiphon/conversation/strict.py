"""Strict mode: what was received and nobody expected, handled or declared ignored, told at the end of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from antiphon.conversation.failure_signs import sign_of_failure
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names
from antiphon.conversation.waits import MessageWait
from antiphon.conversation.wording import counted, seconds, shorten
from antiphon.errors import MessagesLeft

__all__ = ["Ignored", "messages_left"]

MOST_TOLD: Final = 12


class Ignored:
    """Messages that need not be expected: names that a handler hears (all if `hears_all`), and what was declared."""

    def __init__(self, heard: Iterable[str], hears_all: bool, declared: Iterable[Names] = ()) -> None:
        self._heard = frozenset(heard)
        self._hears_all = hears_all
        self._declared: list[MessageWait] = []
        for name in declared:
            self.add(name)

    def add(self, name: Names, where: Any = None) -> None:
        """Ignore messages of such a name (None: of any) whose body fits `where`."""
        self._declared.append(MessageWait(name, where, made_ns=0, deadline_ns=None))

    def __bool__(self) -> bool:
        return bool(self._hears_all or self._heard or self._declared)

    def __contains__(self, message: object) -> bool:
        return isinstance(message, Message) and (
            self._hears_all or message.name in self._heard or any(each.accepts(message) for each in self._declared)
        )


def messages_left(mailboxes: Sequence[tuple[Mailbox, Ignored]]) -> MessagesLeft | None:
    """The error if a mailbox has received what nobody expected and what is not ignored there; None if none has."""
    left = [(mailbox, each) for mailbox, ignored in mailboxes for each in mailbox.kept if each not in ignored]
    fallen = [mailbox for mailbox, _ in mailboxes if mailbox.dropped > mailbox.dropped_ignored]
    if not left and not fallen:
        return None
    left.sort(key=lambda pair: pair[1].at_ns)
    was = "was" if len(left) == 1 else "were"
    lines = [f"{counted(len(left), 'message')} {was} received that nobody expected, in strict mode"]
    lines += [line for mailbox, message in left[:MOST_TOLD] for line in _told(mailbox, message)]
    if len(left) > MOST_TOLD:
        lines.append(f"and {len(left) - MOST_TOLD} more")
    for mailbox in fallen:
        fell = mailbox.dropped - mailbox.dropped_ignored
        lines.append(f"{mailbox.owner}: {fell} more fell out of its mailbox, which keeps {mailbox.limit}")
    # What came before and after it may be the same twice, or lack what came meanwhile.
    lines += [f"{mailbox.owner}: {next(gap.lines())}" for mailbox, _ in mailboxes for gap in mailbox.gaps]
    names = sorted({message.name for _, message in left})
    hint = None
    if names:
        hint = f"expect them, handle them with @on(…), or declare them: WebSocket(…, ignored={names!r})"
    # To ignore what says that something failed would be to silence the check that has found it.
    if any(sign_of_failure(message) for _, message in left):
        hint = "one of them says that something failed: is that what is to be expected here?"
    error = MessagesLeft("\n  ".join(lines), hint=hint)
    error.messages = tuple(message for _, message in left)
    error.repeated = tuple(message for mailbox, message in left if _said_before(mailbox, message) is not None)
    return error


def _told(mailbox: Mailbox, message: Message) -> Iterator[str]:
    yield f"{mailbox.owner} received {message.name} after {seconds(message.at_ns)}: {shorten(message.body, 160)}"
    if message.reply_to is not None:
        yield "  an answer to no open request"
    before = _said_before(mailbox, message)
    if before is not None:
        yield f"  the one before it, after {seconds(before.at_ns)}, said the same: did it come twice?"


def _said_before(mailbox: Mailbox, message: Message) -> Message | None:
    """The one of its name before it, if that says the same."""
    namesakes = (each for each in reversed(mailbox.history) if each.name == message.name)
    before = next((each for each in namesakes if each.number < message.number), None)
    return before if before is not None and before.body == message.body else None
