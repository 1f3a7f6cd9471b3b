"""A failure on the screen: few lines, the secrets of nobody, colours where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.cli.failure import fail
from antiphon.cli.screen import Screen
from antiphon.conversation.explanation import Explanation
from antiphon.conversation.explanation_text import text_of
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.match import differences
from antiphon.conversation.message import Message
from antiphon.conversation.waits import MessageWait, ReplyWait
from antiphon.errors import CheckFailed, DeadlinePassed, SoftChecksFailed
from antiphon.journal import RunEnded, RunStarted
from antiphon.journal.file import FILE_NAME, JournalWriter
from antiphon.report.failure_text import few_lines, painted, show_command

TEXT = """\
operator.desk waited 5.000 s for newState where {state: 'held'}, and it did not come
  nearest, 2 ms before the wait began: newState (message 4)
    state is 'connected', wanted 'held'
    sdp
      is      'v=0'
      wanted  'v=1'
    parties has 2 items, wanted 1
      too many  [1] {'role': 'customer'}
      missing   {role: 'agent'}
  at desk.py:12
  in the step hold() at calls.py:3
  what came since: ping
  hint: look there"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def styled(lines: list[Any]) -> list[tuple[str, str]]:
    """The parts of the lines that have a style."""
    return [(line.plain[span.start : span.end], str(span.style)) for line in lines for span in line.spans]


def test_what_is_meant_has_its_colour() -> None:
    assert styled(painted(few_lines(TEXT))) == [
        (TEXT.splitlines()[0], "red"),
        ("operator.desk", "bold"),
        ("newState", "bold"),
        ("newState", "bold"),
        ("state", "bold"),
        ("is 'connected'", "red"),
        ("wanted 'held'", "green"),
        ("is      'v=0'", "red"),
        ("wanted  'v=1'", "green"),
        ("parties", "bold"),
        ("has 2 items", "red"),
        ("wanted 1", "green"),
        ("too many  [1] {'role': 'customer'}", "red"),
        ("missing   {role: 'agent'}", "green"),
        ("  at desk.py:12", "dim"),
        ("hold()", "bold"),
        (" at calls.py:3", "dim"),
        ("hint:", "cyan"),
    ]


@pytest.mark.parametrize(
    ("headline", "names"),
    [
        ("alice.desk was refused call: busy", ["alice.desk", "call"]),
        ("alice.desk waited 1 ms for the reply to call, and it did not come", ["alice.desk", "call"]),
        ("alice.desk received state, but it is not as it should be", ["alice.desk", "state"]),
    ],
)
def test_names_in_a_headline_are_bold(headline: str, names: list[str]) -> None:
    assert [text for text, style in styled(painted([headline])) if style == "bold"] == names


def test_colours_change_no_character() -> None:
    assert [line.plain for line in painted(few_lines(TEXT))] == TEXT.splitlines()


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    told = few_lines("\n".join(f"line {number}" for number in range(1000)), 20)
    assert len(told) == 20
    assert told[:2] == ["line 0", "line 1"]
    assert told[11] == "  … 981 lines are left out …"
    assert told[-8:] == [f"line {number}" for number in range(992, 1000)]


@given(text=st.text(max_size=3000) | st.text("\n\x1b\r\x0b\x85 a", max_size=3000))
def test_a_text_is_at_most_so_many_lines_and_moves_no_cursor(text: str) -> None:
    told = few_lines(text)
    assert 1 <= len(told) <= 48
    assert all(line.isprintable() or not set(line) & set("\x1b\r\n\x07\x9b") for line in told)
    assert [line.plain for line in painted(told)] == told


BODIES = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=9)
    | st.builds(lambda text, n: text * n, st.text(), st.integers(9, 99)),
    lambda inner: (
        st.builds(lambda item, n: [item] * n, inner, st.integers(0, 45))
        | st.builds(lambda item, n: {f"field {i}": item for i in range(n)}, inner, st.integers(0, 30))
    ),
    max_leaves=6,
)


@settings(max_examples=25)
@given(body=BODIES, where=BODIES, check=BODIES, name=st.text(max_size=20), count=st.integers(0, 12))
def test_a_failed_wait_is_told_in_few_lines_whatever_was_said(
    body: Any, where: Any, check: Any, name: str, count: int
) -> None:
    mailbox = Mailbox("alice.desk", history=32)
    refused = ReplyWait(Message("call", body, "{}", asks=1), made_ns=0, deadline_ns=None)
    mailbox.expect_reply(refused)
    wait = MessageWait(name, where, made_ns=0, deadline_ns=9, source="calls.py:1")
    mailbox.expect(wait)
    for number in range(count):
        mailbox.deliver(Message(name, {"n": number, "body": body}, "{}", is_failure=bool(number % 2)), number)
    mailbox.expire(10)
    found = differences(check, body)
    told = [
        Explanation(wait, mailbox, 10, "deadline", tell=text_of),
        Explanation(wait, mailbox, 10, "closed", tell=text_of),
        Explanation(wait, mailbox, 10, "check", tell=text_of, culprit=Message(name, body, "{}"), differences=found),
        Explanation(refused, mailbox, 10, "refused", tell=text_of, culprit=Message(name, body, "{}")),
    ]
    for explanation in told:
        for mask in (None, str):
            explanation.mask = mask
            lines = str(explanation).splitlines()
            assert 3 <= len(lines) <= 30
            assert "  at calls.py:1" in lines or explanation.wait is refused
    soft = SoftChecksFailed([CheckFailed("", explanation=told[2])] * 30)
    assert len(str(soft).splitlines()) <= 25


# -- on the screen ----------------------------------------------------------------------------------------------------


def recorded(directory: Path) -> Path:
    """A run of which many messages are recorded."""
    writer = JournalWriter(directory / FILE_NAME)
    started = RunStarted(
        at_ns=0,
        scenario="case",
        parameters={},
        actors={"alice": ["desk"]},
        stand="",
        started_at="",
        antiphon="",
        python="",
        pid=1,
    )
    writer(started)
    for number in range(1, 200):
        writer(Message("ping", {}, "{}", number=number, actor="alice", channel="desk"))
    writer.close()
    return directory


def shown(capsys: pytest.CaptureFixture[str], directory: Path | None, text: str, **options: Any) -> list[str]:
    ended = RunEnded(at_ns=1, verdict="failed", error=text)
    assert fail(DeadlinePassed("x"), Screen(), ended=ended, directory=directory, **options) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return str(err).splitlines()


def test_below_the_text_stands_the_command_that_shows_the_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "it's one"
    run.mkdir(parents=True)
    lines = shown(capsys, recorded(run), TEXT)
    assert lines[0] == f"error: {TEXT.splitlines()[0]}"
    assert lines[1:-1] == TEXT.splitlines()[1:]
    assert lines[-1] == """  to see what was said: antiphon show 'runs/it'"'"'s one'"""
    assert show_command(Path("/elsewhere/run")) == "antiphon show /elsewhere/run"


def test_what_is_not_recorded_cannot_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for directory in (None, tmp_path):
        assert shown(capsys, directory, TEXT)[-1] == "  hint: look there"


def test_it_is_never_over_60_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(["it failed", "  at calls.py:1", *(f"  {number}" for number in range(5000))])
    lines = shown(capsys, recorded(tmp_path), text, tells_last=True)
    assert len(lines) == 60
    assert lines[-12] == "  the last messages:"
    assert all("← ping" in line for line in lines[-11:-1])


@pytest.mark.parametrize(
    ("environment", "has_colours"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_where_they_are_wanted(
    environment: dict[str, str], has_colours: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    lines = shown(capsys, None, TEXT)
    assert any("\x1b" in line for line in lines) == has_colours
    if has_colours:
        assert "\x1b[31mis 'connected'\x1b[0m, \x1b[32mwanted 'held'\x1b[0m" in lines[2]
