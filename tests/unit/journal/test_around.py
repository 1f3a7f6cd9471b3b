"""What happened around a failure, from entries in memory and from those of a journal on disk."""

from __future__ import annotations

from typing import Any

from antiphon.conversation.message import Message
from antiphon.journal import Aside, ChannelEnded, Handled, WaitEnded, WaitStarted
from antiphon.journal.around import Around
from antiphon.journal.file import WrittenMessage
from antiphon.journal.masking import Masker

SECOND = 1_000_000_000


class Record:
    """Entries of two actors, made one after the other, a second apart."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.now_ns = 0
        self.numbers: dict[tuple[str, bool], int] = {}

    def say(self, actor: str, name: str, raw: str = "{}", *, is_sent: bool = False, **more: Any) -> Message:
        self.now_ns += SECOND
        number = self.numbers[actor, is_sent] = self.numbers.get((actor, is_sent), 0) + 1
        said = Message(name, more.pop("body", {}), raw, at_ns=self.now_ns, number=number, is_sent=is_sent, **more)
        said.actor, said.channel = actor, "line"
        self.entries.append(said)
        return said

    def end(self, actor: str, by: Any = "peer", code: int | None = 4000) -> None:
        self.now_ns += SECOND
        ended = ChannelEnded(at_ns=self.now_ns, actor=actor, channel="line", code=code, reason="out", by=by)
        self.entries.append(ended)

    def around(self, failed: str = "ann.line", **more: Any) -> Around:
        return Around(self.entries, self.now_ns, failed=failed, **more)

    def on_disk(self) -> list[Any]:
        return [WrittenMessage.of(e) if isinstance(e, Message) else e for e in self.entries]


def test_the_last_messages_are_those_of_all_without_heartbeats_up_to_the_failure() -> None:
    record = Record()
    for number in range(10):
        record.say("ann", "state", f'{{"n": {number}}}')
        record.say("bob", "ping")
    record.say("bob", "hello", '{"to": "ann"}', is_sent=True, is_protocol=True)
    record.say("bob", "go", '{"to": "ann"}', is_sent=True)
    record.end("bob")
    told = record.around().last_messages(4)
    assert told == [
        "the last messages:",
        "   15.000 s  ann.line ← state n=7",
        "   17.000 s  ann.line ← state n=8",
        "   19.000 s  ann.line ← state n=9",
        "   22.000 s  bob.line → go to=ann",
        "   23.000 s  bob.line was closed by the server with code 4000 'out'",
    ]
    assert len(record.around().last_messages(100)) == 9
    on_disk = Around(record.on_disk(), record.now_ns, failed="ann.line")
    assert on_disk.last_messages(4) == told
    assert Around(record.entries, 3 * SECOND).last_messages(4)[-1] == "    3.000 s  ann.line ← state n=1"


def test_without_messages_there_are_no_last_ones() -> None:
    record = Record()
    record.say("ann", "ping")
    assert record.around().last_messages(8) == []


def test_secrets_of_what_is_in_memory_are_masked() -> None:
    record = Record()
    record.say("ann", "login", '{"password": "Sesame1"}', body={"password": "Sesame1"}, is_sent=True)
    assert "Sesame1" not in str(record.around(masker=Masker()).last_messages(8))


def test_another_channel_that_ended_or_was_sent_an_error_is_told() -> None:
    record = Record()
    record.say("bob", "error", body={"reason": "muted"})
    record.end("eve")
    record.end("joe", by="us")
    record.say("ann", "state")
    assert record.around().beside() == [
        "eve.line was closed by the server with code 4000 'out', 2.000 s before",
        "bob.line got error: 'muted', 3.000 s before",
    ]


def test_the_same_is_told_of_a_journal_on_disk() -> None:
    record = Record()
    record.say("bob", "error", '{"type": "error", "reason": "muted"}')
    record.say("eve", "denied", "not JSON")
    record.say("ann", "state")
    assert Around(record.on_disk(), record.now_ns, failed="ann.line").beside() == [
        "eve.line got denied: 'not JSON', 1.000 s before",
        "bob.line got error: 'muted', 2.000 s before",
    ]


def test_another_channel_that_was_refused_is_told() -> None:
    record = Record()
    for actor, name in (("bob", "refused"), ("eve", "not opened"), ("ann", "refused"), ("joe", "stderr")):
        record.entries.append(Aside(at_ns=record.now_ns, actor=actor, channel="line", name=name, text="503\nno seat"))
    record.say("ann", "state")
    assert record.around().beside() == [
        "bob.line was refused, 1.000 s before: 503\\nno seat",
        "eve.line was not opened, 1.000 s before: 503\\nno seat",
    ]


def test_an_error_that_was_expected_or_has_a_handler_is_no_news() -> None:
    record = Record()
    wait: dict[str, Any] = {"awaits": "message", "step": 0, "deadline_ns": None, "source": ""}
    record.entries.append(WaitStarted(at_ns=0, number=7, actor="bob", channel="line", **wait))
    expected = record.say("bob", "error")
    record.entries.append(WaitEnded(at_ns=1, number=7, outcome="satisfied", message=expected.number))
    handled = record.say("eve", "error")
    place: dict[str, Any] = {"actor": "eve", "channel": "line", "message": handled.number}
    record.entries.append(Handled(at_ns=2, handler="note", took_ns=0, **place))
    assert record.around().beside() == []


def test_questions_that_nobody_answered_are_told() -> None:
    record = Record()
    record.say("ann", "start", asks="s-1", is_request=True)
    record.say("ann", "stop", asks="s-2", is_request=True)
    record.say("ann", "stopped", is_sent=True, reply_to="s-2")
    record.say("ann", "boot", is_sent=True, asks="1")
    record.say("ann", "booted", reply_to="1")
    record.say("bob", "boot", is_sent=True, asks="1")
    asked = record.say("ann", "login", is_sent=True, asks="2")
    record.say("ann", "state")
    assert record.around(asked=asked.number).beside() == [
        "ann.line never answered start, 7.000 s before",
        "bob.line asked boot, 2.000 s before, and got no answer",
    ]


def test_an_answer_that_went_to_another_is_told() -> None:
    record = Record()
    record.say("bob", "hello", is_sent=True, asks=1)
    record.say("bob", "hello", reply_to=1)
    asked = record.say("ann", "login", is_sent=True, asks=1)
    record.say("bob", "login", '{"user": "ann"}', reply_to=1)
    assert record.around(asked=asked.number).beside() == [
        "bob.line received an answer with this id, 0 ms before: login user=ann",
    ]


def test_a_heartbeat_that_nobody_answered_is_told_of_a_channel_that_ended() -> None:
    record = Record()
    record.say("ann", "PING")
    record.end("ann", by="wire", code=1006)
    assert record.around().beside() == ["1.000 s after the server's PING, which nobody answered"]
    record = Record()
    record.say("ann", "PING")
    record.say("ann", "PONG", is_sent=True)
    record.end("ann", by="wire", code=1006)
    assert record.around().beside() == []
    record = Record()
    record.say("ann", "pong")
    record.end("ann")
    assert record.around().beside() == []


def test_what_the_channel_heard_later_is_known() -> None:
    record = Record()
    record.say("ann", "state")
    failed_ns = record.now_ns
    later = record.say("ann", "error")
    record.say("bob", "error")
    record.say("ann", "go", is_sent=True)
    assert Around(record.entries, failed_ns, failed="ann.line").later == [later]


def test_a_name_breaks_no_line_and_leaves_room() -> None:
    record = Record()
    odd = "error\n  hint: all is well\x1b[2J" + "x" * 500
    record.say("bob", odd)
    record.say("bob", odd, asks=1, is_request=True)
    record.say("bob", odd, is_sent=True, asks=2)
    record.end("ann")
    record.now_ns += SECOND
    around = record.around()
    told = [*around.beside(), *around.last_messages(8)[1:4]]
    assert len(told) == 6
    for line in told:
        assert "\n" not in line
        assert "\x1b" not in line
        assert "error" in line
        assert len(line) < 180


def test_what_another_said_last_is_told_if_nothing_was_heard_since() -> None:
    record = Record()
    record.say("ann", "subscribed")
    record.say("bob", "publish", '{"to": "new"}', is_sent=True, asks=7)
    record.say("bob", "published", '{"heard": 0}', reply_to=7)
    assert record.around().beside() == ["bob.line said publish to=new and got published heard=0, 1.000 s before"]
    assert Around(record.on_disk(), record.now_ns, failed="ann.line").beside() == record.around().beside()
    record.say("ann", "news")
    assert record.around().beside() == []


def test_of_a_request_without_an_answer_others_are_told_only_if_its_connection_ended() -> None:
    record = Record()
    asked = record.say("ann", "wait", is_sent=True, asks=1)
    record.say("bob", "kill", '{"who": "ann"}', is_sent=True)
    assert record.around(asked=asked.number).beside() == []
    record.end("ann")
    assert record.around(asked=asked.number).beside() == ["bob.line said kill who=ann, 1.000 s before"]


def test_who_was_opened_with_the_same_words_is_told() -> None:
    record = Record()
    record.say("ann", "CONNECT", "s1", is_sent=True, is_protocol=True)
    record.say("ann", "CONNACK", is_protocol=True)
    record.say("bob", "CONNECT", "s1", is_sent=True, is_protocol=True)
    assert record.around().beside() == []
    record.end("ann")
    assert record.around().beside() == ["bob.line was opened with the very same CONNECT, 1.000 s before"]


def test_that_no_subprotocol_was_chosen_is_told_of_the_channel_that_failed() -> None:
    record = Record()
    record.entries.append(Aside(at_ns=0, actor="ann", channel="line", name="no subprotocol", text="none was chosen"))
    assert record.around().beside() == ["none was chosen"]
    assert record.around(failed="bob.line").beside() == []


def test_of_a_wait_without_a_channel_nothing_is_told_of_what_others_said() -> None:
    record = Record()
    record.say("bob", "publish", '{"to": "new"}', is_sent=True, asks=7)
    assert Around(record.entries, record.now_ns, failed="the scenario").beside() == []
