"""Strict mode without a run: mailboxes, and what is ignored in each."""

from __future__ import annotations

from typing import Any

from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.strict import Ignored, messages_left


def mailbox_with(*messages: tuple[str, Any], limit: int = 100) -> Mailbox:
    mailbox = Mailbox("alice.desk", limit=limit)
    for name, body in messages:
        mailbox.deliver(Message(name, body, ""), 0)
    return mailbox


def test_nothing_kept_is_nothing_left() -> None:
    assert messages_left([(mailbox_with(), Ignored((), False))]) is None


def test_what_is_heard_or_declared_is_not_left() -> None:
    mailbox = mailbox_with(("ping", {}), ("capacity", {}), ("news", {"n": 1}))
    left = messages_left([(mailbox, Ignored(("ping",), False, ("capacity",)))])
    assert left is not None
    assert [message.name for message in left.messages] == ["news"]
    assert messages_left([(mailbox, Ignored((), True))]) is None


def test_a_declaration_may_have_a_pattern_and_no_name() -> None:
    ignored = Ignored((), False)
    ignored.add(None, {"n": 1})
    assert Message("news", {"n": 1}, "", number=1) in ignored
    assert Message("news", {"n": 2}, "", number=2) not in ignored


def test_what_is_left_in_several_mailboxes_is_told_in_the_order_of_time() -> None:
    first, second = mailbox_with(("late", {})), mailbox_with(("early", {}))
    first.kept[0].at_ns = 2
    second.kept[0].at_ns = 1
    left = messages_left([(first, Ignored((), False)), (second, Ignored((), False))])
    assert left is not None
    assert [message.name for message in left.messages] == ["early", "late"]


def test_of_many_the_first_are_told_and_the_others_counted() -> None:
    left = messages_left([(mailbox_with(*[(f"news{number}.", {}) for number in range(15)]), Ignored((), False))])
    assert left is not None
    assert len(left.messages) == 15
    assert "news11." in left.text
    assert "news12." not in left.text
    assert "and 3 more" in left.text


def test_what_fell_out_is_told() -> None:
    left = messages_left([(mailbox_with(("a", {}), ("b", {}), limit=1), Ignored((), False))])
    assert left is not None
    assert "alice.desk: 1 more fell out of its mailbox, which keeps 1" in str(left)


def test_what_is_ignored_may_fall_out() -> None:
    ignored = Ignored(("ping",), False)
    mailbox = Mailbox("alice.desk", limit=1, ignored=ignored)
    for _ in range(3):
        mailbox.deliver(Message("ping", {}, ""), 0)
    assert messages_left([(mailbox, ignored)]) is None


def test_no_hint_would_silence_a_failure() -> None:
    left = messages_left([(mailbox_with(("news", {}), ("error", {"reason": "full"})), Ignored((), False))])
    assert left is not None
    assert left.hint is not None
    assert "ignored=" not in left.hint
    quiet = messages_left([(mailbox_with(("news", {})), Ignored((), False))])
    assert quiet is not None
    assert quiet.hint is not None
    assert "ignored=['news']" in quiet.hint


def test_where_nothing_is_left_but_what_fell_out_there_is_nothing_to_declare() -> None:
    left = messages_left([(mailbox_with(("a", {}), limit=0), Ignored((), False))])
    assert left is not None
    assert left.hint is None
    assert "1 more fell out" in left.text
