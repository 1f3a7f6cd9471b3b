"""What a run was waiting for whose journal breaks off, from entries written by hand."""

from __future__ import annotations

from typing import Any

from antiphon import journal
from antiphon.conversation.awaited import WaitKind
from antiphon.conversation.message import Message
from antiphon.report.cut_off import CutOff

SECOND = 1_000_000_000


class Journal:
    """Entries of alice's desk, a second apart, and what is told of them."""

    def __init__(self) -> None:
        self.cut_off = CutOff()
        self.now_ns = 0
        self.received = self.sent = 0

    def add(self, entry: Any) -> None:
        self.cut_off(entry)
        self.now_ns += SECOND

    def wait(self, number: int, awaits: WaitKind = "message", channel: str = "desk", **fields: Any) -> None:
        made = {"step": 0, "deadline_ns": self.now_ns + 9 * SECOND, "source": "calls.py:7", **fields}
        self.add(
            journal.WaitStarted(at_ns=self.now_ns, number=number, actor="alice", channel=channel, awaits=awaits, **made)
        )

    def hear(self, name: str, raw: str = "{}", **fields: Any) -> None:
        self.received += 1
        said = Message(name, None, raw, at_ns=self.now_ns, number=self.received, **fields)
        said.actor, said.channel = "alice", "desk"
        self.add(journal.file.WrittenMessage.of(said))

    def say(self, name: str, raw: str = "{}", **fields: Any) -> None:
        self.sent += 1
        said = Message(name, None, raw, at_ns=self.now_ns, number=self.sent, is_sent=True, **fields)
        said.actor, said.channel = "alice", "desk"
        self.add(journal.file.WrittenMessage.of(said))

    @property
    def lines(self) -> list[str]:
        return self.cut_off.lines()


def test_a_message_whose_body_stands_deep_in_the_data() -> None:
    run = Journal()
    step = journal.StepStarted(at_ns=0, number=3, parent=0, actor="alice", action="hold", source="calls.py:5")
    run.add(step)
    run.wait(1, name="state", where={"call": "c-17", "state": "held"}, step=3)
    run.hear("state", '[2, "id", {"data": {"call": "c-17", "state": "ringing"}}]')
    assert run.lines[:7] == [
        "alice.desk was waiting for state where {call: 'c-17', state: 'held'} when the record broke off",
        "  nearest, 1.000 s after the wait began: state (message 1)",
        "    state is 'ringing', wanted 'held'",
        "  what arrived during the wait: state",
        "  at calls.py:7",
        "  in the step hold() at calls.py:5",
        "  waiting since 1.000 s of the run, of which the record has 2.000 s",
    ]


def test_what_was_satisfied_is_over_and_what_it_took_is_taken() -> None:
    run = Journal()
    run.wait(1, name="state")
    run.hear("state")
    run.add(journal.WaitEnded(at_ns=run.now_ns, number=1, outcome="satisfied", message=1))
    assert run.lines == []
    run.wait(2, name="state")
    assert "one that fits, state (message 1), came 2.000 s before the wait began, and was taken by" in run.lines[1]


def test_a_reply_with_its_request() -> None:
    run = Journal()
    run.say("login", '{"user": "ann"}', asks=7)
    run.wait(1, "reply", name="login")
    assert run.lines[0] == "alice.desk was waiting for the reply to login when the record broke off"
    assert "  the request: login {'user': 'ann'} (request id 7)" in run.lines
    run = Journal()
    run.wait(1, "reply", name="login")
    assert "  the request: login {} (request id None)" not in run.lines


def test_a_channel_that_was_lost() -> None:
    run = Journal()
    run.add(journal.ChannelOpened(at_ns=run.now_ns, actor="alice", channel="desk", address="ws://x"))
    run.wait(1, name="state")
    lost = {"actor": "alice", "channel": "desk", "code": 1006, "reason": "", "by": "wire"}
    run.add(journal.ChannelEnded(at_ns=run.now_ns, **lost))
    assert run.lines[0] == "alice.desk waited for state, but the connection was lost without a close frame"


def test_a_channel_that_was_being_opened_again() -> None:
    run, desk = Journal(), {"actor": "alice", "channel": "desk"}
    run.add(journal.ChannelOpened(at_ns=run.now_ns, **desk, address="ws://x"))
    run.wait(1, name="state")
    run.add(journal.ChannelEnded(at_ns=run.now_ns, **desk, code=1006, reason="", by="wire"))
    run.add(journal.ChannelReopening(at_ns=run.now_ns, **desk, attempt=1, in_ns=SECOND))
    run.add(journal.ChannelReopening(at_ns=run.now_ns, **desk, attempt=2, in_ns=2 * SECOND, error="refused: 503"))
    assert run.lines[0] == "alice.desk was waiting for state when the record broke off"
    lost = "the connection was lost without a close frame"
    assert run.lines[1:4] == [
        f"  there was no connection since 2.000 s of the run, and nothing could come: {lost}",
        "    attempt 1 to open it again met: refused: 503",
        "    it is being opened again, attempt 2 at 6.000 s of the run",
    ]
    run.add(journal.ChannelReopened(at_ns=run.now_ns, **desk, attempt=2, away_ns=3 * SECOND))
    assert run.lines[1].startswith("  there was no connection from 2.000 s to 5.000 s of the run")


def test_every_kind_of_wait_and_those_beside_it() -> None:
    run = Journal()
    run.wait(1, "signal", channel="", name="go")
    assert run.lines == []
    run.wait(2, "until", name="is_ready", place="calls.py:3")
    run.wait(3, "close", code=1000)
    run.wait(4, "absence", name="error")
    run.wait(5, name="state", where={"$predicate": "is_held"})
    assert run.lines[0] == "alice.desk was waiting until is_ready at calls.py:3 is true when the record broke off"
    beside = [line for line in run.lines if "too, at" in line]
    assert beside == [
        "  alice.desk was waiting for the close of the connection with code 1000, too, at calls.py:7",
        "  alice.desk was waiting for no error, too, at calls.py:7",
        "  alice.desk was waiting for state that is_held accepts, too, at calls.py:7",
    ]
    for number, kind in ((2, "close with code 1000"), (3, "hear no error"), (4, "for state")):
        run.add(journal.WaitEnded(at_ns=run.now_ns, number=number, outcome="cancelled"))
        assert kind.split()[-1] in run.lines[0]


def test_what_a_handler_hears_is_not_near_and_what_came_beside_is_told() -> None:
    run = Journal()
    run.wait(1, name="stated")
    run.hear("state")
    seen = {"actor": "alice", "channel": "desk", "message": 1, "handler": "note", "took_ns": 0}
    run.add(journal.Handled(at_ns=run.now_ns, **seen))
    said = {"actor": "alice", "channel": "desk", "name": "stderr", "text": "out of memory"}
    run.add(journal.Aside(at_ns=run.now_ns, **said))
    step = {"number": 9, "outcome": "passed"}
    run.add(journal.StepEnded(at_ns=run.now_ns, **step))
    assert not any("nearest" in line for line in run.lines)
    assert "    stderr: out of memory" in run.lines
