"""The journal in memory, and what it lets out."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.journal import (
    Argument,
    ChannelOpened,
    Failed,
    HttpExchange,
    Journal,
    Note,
    RunStarted,
    StepStarted,
    WaitStarted,
)
from antiphon.journal.masking import Masker

SECRET = "s3cr3t-t0ken"


def said(body: Any, raw: str | bytes, **more: Any) -> Message:
    return Message("login", body, raw, actor="alice", channel="desk", number=1, **more)


def recorded(*entries: Any, masker: Masker | None = None) -> tuple[Journal, list[Any]]:
    """A journal of these entries, and what its sink was given."""
    journal = Journal(masker=masker)
    sunk: list[Any] = []
    journal.attach(sunk.append)
    for entry in entries:
        journal.record(entry)
    return journal, sunk


def test_a_journal_without_sinks_keeps_the_latest_as_they_are() -> None:
    journal = Journal(keep=2)
    notes = [Note(at_ns=n, text=f"password={SECRET}") for n in range(3)]
    for note in notes:
        journal.record(note)
    assert list(journal.entries) == notes[1:]
    assert not journal.has_sinks


def test_sinks_are_given_everything_from_then_on_in_order() -> None:
    journal = Journal()
    journal.record(Note(at_ns=0, text="before"))
    first: list[Any] = []
    second: list[Any] = []
    journal.attach(first.append)
    journal.record(Note(at_ns=1, text="one"))
    journal.attach(second.append)
    journal.record(Note(at_ns=2, text="two"))
    assert [entry.text for entry in first] == ["one", "two"]
    assert [entry.text for entry in second] == ["two"]
    assert journal.has_sinks
    assert len(journal.entries) == 3


def test_secrets_stay_in_memory_and_do_not_reach_a_sink() -> None:
    message = said({"password": SECRET, "user": "alice"}, f'{{"password": "{SECRET}", "user": "alice"}}')
    journal, sunk = recorded(message)
    assert journal.entries[0] is message
    assert SECRET in message.raw
    assert sunk[0].body == {"password": "***", "user": "alice"}
    assert sunk[0].raw == '{"password": "***", "user": "alice"}'
    assert (sunk[0].name, sunk[0].actor, sunk[0].number) == ("login", "alice", 1)


def test_a_message_without_secrets_is_passed_on_as_it_is() -> None:
    messages = [
        said({"user": "alice"}, '{"user": "alice"}'),
        said(b"\x00\xff", b"\x00\xff", frames=[b"\x00", b"\xff"], reply_to=("a", 1), asks="id"),
        said(None, "", frames=(b"\x00",)),
    ]
    _, sunk = recorded(*messages)
    assert all(one is other for one, other in zip(sunk, messages, strict=True))


def test_a_secret_that_was_learnt_is_masked_wherever_it_stands() -> None:
    entries = [
        said({"token": SECRET}, f'{{"token": "{SECRET}"}}'),
        said([SECRET], f"say {SECRET}", reply_to=SECRET, asks=f"id-{SECRET}"),
        said({}, f"{SECRET}".encode(), frames=[b"\x01", f"\x02{SECRET}".encode()]),
        Message(f"hello {SECRET}", {}, "{}"),
        Note(at_ns=1, text=f"he said {SECRET}"),
        Failed(at_ns=2, error="DeadlinePassed", text=f"nearest: login {SECRET}"),
        StepStarted(
            at_ns=3, number=1, parent=0, actor="alice", action="log_in", arguments=[Argument(SECRET)], source="a:1"
        ),
    ]
    _, sunk = recorded(*entries)
    assert SECRET not in repr(sunk)
    assert sunk[1].reply_to == "***"
    assert sunk[1].asks == "id-***"
    assert sunk[2].frames == (b"\x01", b"\x02***")
    assert sunk[6].title == "log_in('***')"
    assert sunk[3].name == "hello ***"


def test_a_body_is_masked_also_where_its_data_does_not_show_it() -> None:
    """Compressed, or encrypted by the dialect: a report that writes the body must not write the secret."""
    _, sunk = recorded(said({"password": "short"}, zlib.compress(b'{"password": "short"}')))
    assert sunk[0].body == {"password": "***"}


def test_fields_of_entries_are_masked() -> None:
    entries = [
        RunStarted(
            at_ns=0,
            scenario="login",
            parameters={"password": SECRET, "deep": [{"token": "abc"}]},
            actors={"alice": ["desk"]},
            stand="local",
            started_at="2026-11-22T07:41:44.123Z",
            antiphon="1",
            python="3.11",
            pid=1,
        ),
        ChannelOpened(at_ns=1, actor="alice", channel="desk", address="ws://x", headers={"Cookie": "session=xyz"}),
        HttpExchange(
            at_ns=2,
            actor="alice",
            channel="api",
            step=1,
            number=1,
            method="POST",
            url="http://x/?token=abcdefgh",
            took_ns=1,
            request_headers={"Authorization": "Bearer abcdefgh"},
            request_body='{"password": "p"}',
            response_headers={"Set-Cookie": "session=hijklmno; Path=/"},
            response_body="the token was abcdefgh",
        ),
    ]
    journal, sunk = recorded(*entries)
    assert list(journal.entries) == entries
    assert sunk[0].parameters == {"password": "***", "deep": [{"token": "***"}]}
    assert sunk[1].headers == {"Cookie": "***"}
    assert sunk[2].url == "http://x/?token=***"
    assert sunk[2].request_headers == {"Authorization": "***"}
    assert sunk[2].request_body == '{"password": "***"}'
    assert sunk[2].response_headers == {"Set-Cookie": "***"}
    assert sunk[2].response_body == "the token was ***"


def test_what_is_waited_for_reaches_a_sink_as_data_and_without_secrets() -> None:
    masker = Masker()
    masker.learn(SECRET)
    where = {"password": "hunter2", "token": str, "n": 1, "note": f"for {SECRET}", "kind": {SECRET}}
    waits = [
        WaitStarted(
            at_ns=0,
            number=1,
            actor="",
            channel="",
            awaits="message",
            name=SECRET,
            where=each,
            step=0,
            deadline_ns=1,
            source="",
        )
        for each in (where, None)
    ]
    journal, sunk = recorded(*waits, masker=masker)
    assert journal.entries[0].where is where
    assert sunk[0].where == {
        "password": "***",
        "token": {"$pattern": "***"},
        "n": 1,
        "note": "for ***",
        "kind": {"$pattern": "one of '***'"},
    }
    assert sunk[0].what == "*** where {password: '***', token: ***, n: 1, note: 'for ***', kind: one of '***'}"
    assert sunk[1].what == "***"


def test_an_entry_without_secrets_is_passed_on_as_it_is() -> None:
    note = Note(at_ns=1, text="quiet")
    _, sunk = recorded(note)
    assert sunk[0] is note


def test_the_masker_may_know_further_fields() -> None:
    masker = Masker(["pin"])
    journal, sunk = recorded(said({"pin": "1234"}, '{"pin": "1234"}'), masker=masker)
    assert journal.masker is masker
    assert sunk[0].body == {"pin": "***"}


def test_a_sink_that_fails_does_not_keep_the_entry_from_the_others() -> None:
    journal = Journal()
    sunk: list[Any] = []

    def fail(entry: Any) -> None:
        raise OSError(f"no room for {entry.text}")

    def fail_otherwise(entry: Any) -> None:
        raise ValueError

    for sink in (fail, sunk.append, fail_otherwise):
        journal.attach(sink)
    for text in ("one", "two"):
        with pytest.raises(OSError, match=f"no room for {text}"):
            journal.record(Note(at_ns=0, text=text))
    assert [entry.text for entry in sunk] == ["one", "two"]
    assert len(journal.entries) == 2
