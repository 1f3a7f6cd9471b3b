"""The conversation as text: its lines, their places, and what they survive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from antiphon import journal
from antiphon.conversation.message import Message
from antiphon.conversation.wording import visible
from antiphon.journal.file import JournalWriter, WrittenMessage, read_journal
from antiphon.journal.glance import LARGEST_READ, fit, glance
from antiphon.journal.placing import Placing
from antiphon.report.text import ASCII, Conversation, last_lines

MS = 1_000_000
S = 1000 * MS


def started(*actors: str, channels: Iterable[str] = ("desk",), **parameters: Any) -> journal.RunStarted:
    return journal.RunStarted(
        at_ns=0,
        scenario="outgoing",
        parameters=parameters,
        actors={actor: list(channels) for actor in actors},
        stand="local",
        started_at="2026-11-22T07:41:44.000Z",
        antiphon="0.1.0",
        python="3.11.7",
        pid=1,
    )


def said(
    name: str,
    at_ms: float = 0,
    *,
    actor: str = "operator",
    channel: str = "desk",
    number: int = 1,
    step: int = 0,
    sent: bool = False,
    **body: Any,
) -> Message:
    raw = msgspec.json.encode({"action": name, "data": body}).decode()
    return Message(
        name, body, raw, at_ns=round(at_ms * MS), number=number, actor=actor, channel=channel, is_sent=sent, step=step
    )


def step(
    number: int, at_ms: float = 0, *, actor: str = "operator", parent: int = 0, action: str = "call"
) -> journal.StepStarted:
    return journal.StepStarted(
        at_ns=round(at_ms * MS),
        number=number,
        parent=parent,
        actor=actor,
        action=action,
        source="calls.py:3",
    )


def step_over(number: int, at_ms: float = 0, outcome: str = "passed", error: str = "") -> journal.StepEnded:
    return journal.StepEnded(at_ns=round(at_ms * MS), number=number, outcome=outcome, error=error)


def wait(
    number: int, name: str | None, at_ms: float = 0, *, step: int = 0, actor: str = "operator", **awaited: Any
) -> journal.WaitStarted:
    return journal.WaitStarted(
        at_ns=round(at_ms * MS),
        number=number,
        actor=actor,
        channel="desk",
        awaits=awaited.pop("awaits", "message"),
        name=name,
        **awaited,
        step=step,
        deadline_ns=None,
        source="calls.py:4",
    )


def wait_over(
    number: int, at_ms: float = 0, outcome: str = "satisfied", *, message: int = 0, error: str = ""
) -> journal.WaitEnded:
    return journal.WaitEnded(at_ns=round(at_ms * MS), number=number, outcome=outcome, message=message, error=error)


def handled(number: int = 1, error: str = "") -> journal.Handled:
    return journal.Handled(
        at_ns=0, actor="operator", channel="desk", message=number, handler="answer_ping", took_ns=1, error=error
    )


def recorded(entries: Iterable[Any]) -> list[Any]:
    """The entries as they are once they are recorded: each with its step."""
    place, placed = Placing(), []
    for entry in entries:
        place(entry)
        placed.append(entry)
    return placed


def texts(entries: Iterable[Any], **options: Any) -> list[Text]:
    lines: list[Text] = []
    conversation = Conversation(lines.append, **options)
    for entry in recorded(entries):
        conversation(entry)
    conversation.flush()
    return lines


def plain(entries: Iterable[Any], **options: Any) -> list[str]:
    return [line.plain for line in texts(entries, **options)]


def style_of(line: Text, part: str) -> str:
    """The style of the first character of this part of the line."""
    offset = line.plain.index(part)
    return " ".join(str(span.style) for span in line.spans if span.start <= offset < span.end)


A_CALL: list[Any] = [
    started("operator", telephone="89"),
    journal.HttpExchange(
        at_ns=MS, actor="operator", channel="api", step=0, number=1, method="POST", url="http://h:1/login?x=1",
        took_ns=4 * MS, request_headers={}, request_body="", status=200,
    ),
    journal.ChannelOpened(at_ns=6 * MS, actor="operator", channel="desk", address="ws://h:1/desk", subprotocol="v1"),
    said("connectionStatus", 7, status="connected"),
    step(1, 10),
    said("newCall", 11, sent=True, step=1, destination="89"),
    wait(1, "newCall", 11, step=1, awaits="reply"),
    said("resultNewCall", 13, number=2, result="success"),
    wait_over(1, 13, message=2),
    step_over(1, 14),
    journal.ChannelEnded(at_ns=20 * MS, actor="operator", channel="desk", code=1000, reason="bye", by="us"),
    journal.RunEnded(at_ns=1_234 * MS, verdict="passed"),
]  # fmt: skip


def test_a_conversation_reads_like_one() -> None:
    assert plain(A_CALL) == [
        "outgoing(telephone='89') on the stand local",
        "   0.005  ⇄ POST /login?x=1  200, 4 ms",
        "   0.006  ● desk is open  ws://h:1/desk  v1",
        "   0.007  ← connectionStatus  status=connected",
        "   0.010  call()",
        '   0.011    → newCall  destination="89"',
        "   0.013    ← resultNewCall  result=success",
        "   0.014  ✓ call  4 ms",
        "   0.020  ○ desk is closed by us with 1000 'bye'",
        "passed: outgoing in 1.234 s (1 step, 1 sent, 2 received, 1 HTTP request)",
    ]


def test_a_written_journal_reads_as_the_run_did(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "journal.jsonl")
    for entry in A_CALL:
        writer(entry)
    writer.close()

    assert plain(read_journal(tmp_path / "journal.jsonl")) == plain(A_CALL)


def test_binary_data_reads_the_same_from_a_journal() -> None:
    message = Message("unnamed", b"\x00\xff\x10", b"\x00\xff\x10", number=1, actor="operator", channel="desk")

    assert plain([message]) == plain([WrittenMessage.of(message)]) == ["   0.000  ← unnamed  3 bytes: 00 ff 10"]


def test_a_message_stands_under_the_step_that_awaited_it() -> None:
    lines = plain(
        [
            started("operator"),
            step(1, action="together"),
            step(2, parent=1, action="first"),
            step(3, parent=2, action="inner"),
            wait(1, "ring", step=2),
            said("ring", 1),
            wait_over(1, 1, message=1),
        ]
    )

    assert lines[-1] == "   0.001      ← ring"


def test_a_message_that_nobody_has_taken_stands_where_its_name_is_awaited() -> None:
    lines = plain(
        [
            started("operator"),
            step(1, action="outer"),
            step(2, parent=1, action="inner"),
            wait(1, "ring", step=1, where={"id": 5}),
            wait(2, "other", step=2),
            said("ring", 1, id=4),
        ]
    )

    assert lines[-1] == "   0.001    ← ring  id=4"


def test_a_message_that_nobody_awaits_stands_in_what_its_actor_does() -> None:
    lines = plain(
        [
            started("alice", "bob"),
            step(1, actor="alice", action="first"),
            step(2, actor="bob", parent=1, action="second"),
            said("news", 1, actor="alice"),
            said("news", 2, actor="bob"),
        ]
    )

    assert lines[-2:] == ["   0.001  alice    ← news", "   0.002  bob        ← news"]


def test_a_message_comes_into_what_all_do_if_its_actor_does_nothing() -> None:
    lines = plain([started("alice", "bob"), step(1, actor="", action="wait"), said("news", 1, actor="bob")])

    assert lines[-1] == "   0.001  bob      ← news"


def test_steps_of_several_actors_are_told_apart() -> None:
    lines = plain(
        [
            started("alice", "bob"),
            step(1, action="together", actor=""),
            step(2, parent=1, actor="alice", action="call"),
            step(3, parent=1, actor="bob", action="pick_up"),
            said("hello", 5, actor="alice", step=2, sent=True),
            said("hello", 6, actor="bob", step=3),
            step_over(3, 7),
            step_over(2, 8),
            step_over(1, 9),
        ]
    )

    assert lines[1:] == [
        "   0.000         together()",
        "   0.000  alice    call()",
        "   0.000  bob      pick_up()",
        "   0.005  alice      → hello",
        "   0.006  bob        ← hello",
        "   0.007  bob      ✓ pick_up  7 ms",
        "   0.008  alice    ✓ call  8 ms",
        "   0.009         ✓ together  9 ms",
    ]


def test_several_channels_of_one_actor_are_told_apart() -> None:
    lines = plain([started("operator", channels=("desk", "media")), said("hello", channel="media")])

    assert lines[-1] == "   0.000  media  ← hello"


def test_several_channels_of_several_actors_are_told_apart() -> None:
    lines = plain([started("al", "bo", channels=("desk", "media")), said("hello", actor="bo", channel="media")])

    assert lines[-1] == "   0.000  bo.media  ← hello"


def test_what_a_handler_does_is_an_aside() -> None:
    ping, pong = texts(
        [
            said("ping", 1, seq=1),
            said("pong", 2, sent=True, seq=1),
            handled(),
        ]
    )

    assert ping.plain == "   0.001  ← ping  seq=1  ↳ answer_ping"
    assert pong.plain == "   0.002  → pong  seq=1"
    assert style_of(ping, "ping") == style_of(pong, "pong") == "dim"


def test_a_handled_message_that_was_awaited_too_is_no_aside() -> None:
    (line,) = texts([wait(1, "ping"), said("ping", 1), handled(), wait_over(1, 1, message=1)])

    assert line.plain == "   0.001  ← ping  ↳ answer_ping"
    assert style_of(line, "ping") == "magenta"


def test_a_handler_that_raised_is_told_of_where_it_happened() -> None:
    lines = plain(
        [
            said("ping", 1),
            journal.Failed(at_ns=MS, error="HandlerFailed", text="it raised"),
            handled(error="KeyError: 'seq'"),
        ]
    )

    assert lines == [
        "   0.001  ← ping",
        "   0.001  ✗ it raised",
        "   0.000  ✗ answer_ping: KeyError: 'seq'",
    ]


def test_a_message_is_kept_back_until_the_next_entry_or_flush() -> None:
    lines: list[Text] = []
    conversation = Conversation(lines.append)

    conversation(said("ping", 1))
    assert lines == []
    conversation.flush()
    assert [line.plain for line in lines] == ["   0.001  ← ping"]
    conversation(said("ring", 2, number=2))
    conversation(said("ring", 3, number=3))
    assert len(lines) == 2


def test_what_is_sent_after_a_message_follows_it_in_its_own_step() -> None:
    lines = plain(
        [started("operator"), said("news", 1), step(1, 2), said("ask", 3, sent=True, step=1), step_over(1, 4)]
    )

    assert lines[1:] == ["   0.001  ← news", "   0.002  call()", "   0.003    → ask", "   0.004  ✓ call  2 ms"]


def test_long_waits_are_told_of() -> None:
    assert plain([wait(1, "ring"), said("ring", 2500), wait_over(1, 2500, message=1)]) == [
        "   2.500  ← ring  after 2.500 s"
    ]
    assert plain([wait(1, "is_so", awaits="until"), wait_over(1, 1500)]) == [
        "   1.500  ✓ until is_so is true after 1.500 s"
    ]
    assert plain([wait(1, "is_so", awaits="until"), wait_over(1, 900)]) == []
    assert plain([wait(1, "ring"), wait_over(1, 9000, "cancelled")]) == []


def test_a_failed_wait_is_told_of_where_it_stood() -> None:
    lines = plain(
        [
            started("operator"),
            step(1),
            wait(1, "ring", step=1),
            wait_over(1, 2000, "failed", error="DeadlinePassed"),
            step_over(1, 2001, "failed", "DeadlinePassed"),
        ]
    )

    assert lines[2:] == [
        "   2.000    ✗ waited 2.000 s for ring: DeadlinePassed",
        "   2.001  ✗ call  2.001 s  DeadlinePassed",
    ]


def test_a_cancelled_step_is_told_of() -> None:
    assert plain([step(1), step_over(1, 5, "cancelled")])[-1] == "   0.005  – call  5 ms  cancelled"


FAILURE = "operator waited 2 s for ring\n  at calls.py:4\n  nothing came"


def test_a_failure_is_explained_once() -> None:
    entries = [
        journal.Failed(at_ns=2 * S, error="DeadlinePassed", text=FAILURE),
        journal.RunEnded(at_ns=2 * S, verdict="failed", error=FAILURE),
    ]

    assert plain([started("operator"), *entries])[1:] == [
        "   2.000  ✗ operator waited 2 s for ring",
        "              at calls.py:4",
        "              nothing came",
        "failed: outgoing in 2.000 s (0 steps, 0 sent, 0 received)",
    ]
    assert plain(entries, explains=False)[:-1] == ["   2.000  ✗ operator waited 2 s for ring"]


def test_a_failure_that_only_the_end_tells_of_is_explained_there() -> None:
    assert plain([started("operator"), journal.RunEnded(at_ns=0, verdict="error", error="no step\n  at x:1")])[1:3] == [
        "   0.000  ✗ no step",
        "              at x:1",
    ]


def test_an_interruption_needs_no_explanation() -> None:
    lines = plain([started("operator"), journal.RunEnded(at_ns=0, verdict="interrupted", error="interrupted")])

    assert lines[1:] == ["interrupted: outgoing in 0 ms (0 steps, 0 sent, 0 received)"]


def test_everything_else_that_a_journal_holds() -> None:
    lines = plain([
        step(1, action="call"),
        journal.Called(at_ns=MS, number=1, function="fetch", save_as="record", result="{'a': 1}"),
        journal.Dropped(at_ns=MS, actor="operator", channel="desk", count=1, limit=10),
        journal.Note(at_ns=2 * MS, text="the event loop was blocked"),
        journal.HttpExchange(
            at_ns=0, actor="operator", channel="api", step=1, number=1, method="GET", url="http://h", took_ns=3 * MS,
            request_headers={}, request_body="", error="nobody listens",
        ),
        journal.ChannelEnded(
            at_ns=4 * MS, actor="operator", channel="desk", code=1006, reason="", by="wire", detail="reset"
        ),
        journal.ChannelEnded(at_ns=5 * MS, actor="operator", channel="desk", code=None, reason="", by="peer"),
        journal.ChannelReopening(at_ns=5 * MS, actor="operator", channel="desk", attempt=1, in_ns=500 * MS),
        journal.ChannelReopening(
            at_ns=505 * MS, actor="operator", channel="desk", attempt=2, in_ns=1000 * MS, error="nobody listens"
        ),
        journal.ChannelReopened(at_ns=1505 * MS, actor="operator", channel="desk", attempt=2, away_ns=1500 * MS),
        journal.ChannelReopening(
            at_ns=1505 * MS, actor="operator", channel="desk", attempt=2, in_ns=None, error="refused: 403"
        ),
    ])  # fmt: skip

    assert lines[1:] == [
        "   0.001    = record: {'a': 1}",
        "   0.001    ! 1 older message fell out of the mailbox of desk (its limit is 10)",
        "   0.002  ! the event loop was blocked",
        "   0.003    ⇄ GET /  nobody listens, 3 ms",
        "   0.004  ○ desk is lost: reset",
        "   0.005  ○ desk is closed by the server",
        "   0.005  ! desk is to be opened again, attempt 1 in 500 ms",
        "   0.505  ! desk is to be opened again, attempt 2 in 1.000 s: nobody listens",
        "   1.505  ● desk is open again by attempt 2, after 1.500 s",
        "   1.505  ✗ desk is given up after attempt 2: refused: 403",
    ]


def test_an_end_whose_beginning_is_not_known_is_left_out() -> None:
    assert plain([step_over(7), wait_over(8), handled(9)]) == []


def test_ascii_signs_make_ascii_lines() -> None:
    lines = plain([*A_CALL, said("née", 1, text="☎ …", id="0b8a9d52-4b19-4f5b-9f2e-6d0a5c1e8f11")], signs=ASCII)

    assert all(line.isascii() for line in lines)
    assert lines[-1] == '   0.001  <- n\\xe9e  text="\\u260e ..." id=0b8a9d52...'


hostile = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [
        "\x1b[31mred\x1b[2J",
        "[red]x[/red]",
        "a\r\nb\tc",
        "\u202egnp",
        "👩‍👩‍👧‍👦 family",
        "日本語" * 20,
        "\ud800",
        ":smile:",
    ]
)


@given(name=hostile, value=hostile, key=hostile, width=st.integers(40, 200), is_ascii=st.booleans())
def test_no_content_breaks_a_line(name: str, value: str, key: str, width: int, is_ascii: bool) -> None:
    safe = value.encode("utf-8", "replace").decode()
    message = said(name.encode("utf-8", "replace").decode())
    message.raw = msgspec.json.encode(
        {"action": message.name, key.encode("utf-8", "replace").decode(): [safe, {"x": safe}]}
    ).decode()
    entries = [
        started(name, value, telephone=value),
        step(1, actor=name, action=name),
        message,
        msgspec.structs.replace(message, raw=value, name=name, actor=name),
        journal.ChannelOpened(at_ns=0, actor=value, channel=key, address=value),
        journal.ChannelEnded(at_ns=0, actor=value, channel=key, code=4000, reason=value, by="peer"),
        wait(1, value, actor=name),
        wait_over(1, 1, "failed", error=key),
        journal.Failed(at_ns=0, error="X", text=value),
        journal.RunEnded(at_ns=0, verdict="failed", error=value),
    ]

    options: dict[str, Any] = {"signs": ASCII} if is_ascii else {}
    for line in plain(entries, width=width, explains=False, **options):
        assert cell_len(line) <= width
        assert line == visible(line)
        assert line.isascii() or not is_ascii


def test_markup_is_not_interpreted() -> None:
    (line,) = texts([said("news", text="[red]x[/red] :smile:")])

    assert line.plain == '   0.000  ← news  text="[red]x[/red] :smile:"'


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", ""),
        ('{"action":"ping","data":{}}', ""),
        ('{"action":"ping","data":{"seq":1}}', "seq=1"),
        ('{"jsonrpc":"2.0","method":"ping","params":{"a":1},"id":0}', "id=0 params={a=1}"),
        ('{"jsonrpc":"2.0","id":3,"result":[1,2]}', "id=3 result=[1 2]"),
        ('{"ids":["a"],"state":"held","n":null,"ok":true}', "state=held n=null ok=true ids=[a]"),
        ('{"id":"0b8a9d52-4b19-4f5b-9f2e-6d0a5c1e8f11","name":"x"}', "name=x id=0b8a9d52…"),
        ('{"at":"2026-11-22T07:41:44.000Z","name":"x"}', "name=x at=2026-11-22T07:41:44.000Z"),
        (
            '{"text":"two words","q":"a\\"b","e":"","t":"true","n":"5 ","tel":"89"}',
            'text="two words" q="a\\"b" e="" t="true" n="5 " tel="89"',
        ),
        ('{"deep":{"a":{"b":{"c":1}}}}', "a={b={c=1}}"),
        ('{"deep":{"a":{"b":{"c":{}}}},"x":1}', "x=1 deep={a={b={…}}}"),
        ('["a",1,{"b":2}]', "a 1 {b=2}"),
        ('{"cut":', '{"cut":'),
        ("plain\ntext", "plain\\ntext"),
        (b'{"action":"ping","seq":5}', "seq=5"),
        ("naïve".encode(), "naïve"),
        (b"", ""),
        (b"\x80\x81", "2 bytes: 80 81"),
    ],
)
def test_data_at_a_glance(raw: str | bytes, expected: str) -> None:
    assert glance(raw, "ping", 200) == expected


def test_much_binary_data_is_cut() -> None:
    assert glance(bytes(5000), "ping", 30) == "4.9 KiB: 00 00 00 00 00 00 00 00 00 00 00"


@pytest.mark.parametrize("raw", ['{"a":"' + "x" * 5 * 1024 * 1024 + '"}', b"x" * 5 * 1024 * 1024])
def test_large_data_is_not_read(raw: str | bytes) -> None:
    shown = glance(raw, "ping", 80)

    assert shown.endswith("… (5.0 MiB)")
    assert len(shown) < 90


def test_data_of_the_largest_size_that_is_read_is_cut() -> None:
    raw = msgspec.json.encode({"items": list(range(10_000))}).decode()
    assert len(raw) < LARGEST_READ

    assert len(glance(raw, "ping", 80)) < 200


def test_wide_characters_are_cut_by_cells() -> None:
    assert fit("日本語", 6) == "日本語"
    assert fit("日本語", 5) == "日本…"
    assert fit("日本語", 4) == "日…"
    assert fit("日本語", 0) == ""
    assert fit("abcdef", 5, "...") == "ab..."


def test_the_last_lines() -> None:
    many = [started("operator"), step(1), *(said("news", number, number=number) for number in range(1, 500))]

    lines = last_lines(recorded(many), 3)

    assert lines == [f"   0.{number}    ← news" for number in (497, 498, 499)]


def test_the_last_lines_of_a_short_run_are_all() -> None:
    assert last_lines(recorded(A_CALL), 100) == plain(A_CALL)


def test_who_closes_a_connection_is_called_by_its_side() -> None:
    def ends_of(address: str) -> list[str]:
        opened = journal.ChannelOpened(at_ns=0, actor="desk", channel="line", address=address)
        closed = journal.ChannelEnded(at_ns=MS, actor="desk", channel="line", code=1000, reason="", by="peer")
        return plain([opened, closed])[1:]

    assert ends_of("") == ["   0.001  ○ line is closed by the client with 1000"]  # whoever came to us has no address
    assert ends_of("ws://centre/line") == ["   0.001  ○ line is closed by the server with 1000"]
