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
from antiphon.conversation.explanation_text import lines_of
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.match import differences
from antiphon.conversation.message import Message
from antiphon.conversation.waits import Exchange, MessageWait
from antiphon.errors import CheckFailed, DeadlinePassed, Line, SoftChecksFailed, plain_line, plain_text
from antiphon.journal import RunEnded, RunStarted
from antiphon.journal.file import FILE_NAME, JournalWriter
from antiphon.report.failure_text import few_lines, painted, show_command

LINES: list[Line] = [
    (("operator.desk", "name"), (" waited 5.000 s for ", ""), ("newState", "name"), (" where {state: 'held'}", "")),
    (("  nearest, 2 ms before the wait began: ", ""), ("newState", "name"), (" (message 4)", "")),
    (("    ", ""), ("state", "name"), (" ", ""), ("is 'connected'", "found"), (", ", ""), ("wanted 'held'", "wanted")),
    (("  it came 2 ms too late", "late"),),
    (("  ", ""), ("at desk.py:12", "place")),
    (("  in the step ", ""), ("hold()", "step"), (" at calls.py:3", "elsewhere")),
    (("  what arrived during the wait: ping", ""),),
    (("  ", ""), ("hint:", "hint"), (" look there", "")),
    (("  because of that all ended", "aside"),),
]
TEXT = plain_text(LINES)


class Told:
    """The facts of a failure, told in these lines."""

    def lines(self) -> list[Line]:
        return LINES


def lines_of_text(text: str) -> list[Line]:
    return [((line, ""),) for line in text.split("\n")]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def styled(lines: list[Any]) -> list[tuple[str, str]]:
    """The parts of the lines that have a style."""
    return [(line.plain[span.start : span.end], str(span.style)) for line in lines for span in line.spans]


def test_every_role_has_its_colour() -> None:
    assert styled(painted(few_lines(LINES))) == [
        ("operator.desk", "bold"),
        ("newState", "bold"),
        (plain_line(LINES[0]), "red"),
        ("newState", "bold"),
        ("state", "bold"),
        ("is 'connected'", "red"),
        ("wanted 'held'", "green"),
        ("  it came 2 ms too late", "bold red"),
        ("at desk.py:12", "dim"),
        ("hold()", "bold"),
        (" at calls.py:3", "dim"),
        ("hint:", "cyan"),
        ("  because of that all ended", "dim"),
    ]


def test_colours_change_no_character() -> None:
    assert [line.plain for line in painted(few_lines(LINES))] == TEXT.splitlines()


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    told = [plain_line(line) for line in few_lines([((f"line {number}", ""),) for number in range(1000)], 20)]
    assert len(told) == 20
    assert told[:2] == ["line 0", "line 1"]
    assert told[11] == "  … 981 lines are left out …"
    assert told[-8:] == [f"line {number}" for number in range(992, 1000)]


def test_a_long_line_is_cut_wherever_its_pieces_end() -> None:
    (line,) = few_lines([(("a" * 998, ""), ("bc", "name"), ("d", "found"))])
    assert line == (("a" * 998, ""), ("b", "name"), ("", "found"), ("…", ""))
    (line,) = few_lines([(("a" * 998, ""), ("bc", "name"))])
    assert line == (("a" * 998, ""), ("bc", "name"))


@given(text=st.text(max_size=3000) | st.text("\n\x1b\r\x0b\x85 a", max_size=3000))
def test_a_text_is_at_most_so_many_lines_and_moves_no_cursor(text: str) -> None:
    told = few_lines(lines_of_text(text))
    assert 1 <= len(told) <= 48
    plain = [plain_line(line) for line in told]
    assert all(line.isprintable() or not set(line) & set("\x1b\r\n\x07\x9b\x0b\x85") for line in plain)
    assert [line.plain for line in painted(told)] == plain


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


@settings(max_examples=max(10, settings.default.max_examples // 3))
@given(body=BODIES, where=BODIES, check=BODIES, name=st.text(max_size=20), count=st.integers(0, 12))
def test_a_failed_wait_is_told_in_few_lines_whatever_was_said(
    body: Any, where: Any, check: Any, name: str, count: int
) -> None:
    mailbox = Mailbox("alice.desk", history=32)
    refused = Exchange(Message("call", body, "{}", asks=1), made_ns=0, deadline_ns=None)
    mailbox.expect_reply(refused)
    wait = MessageWait(name, where, made_ns=0, deadline_ns=9, source="calls.py:1")
    mailbox.expect(wait)
    for number in range(count):
        mailbox.deliver(Message(name, {"n": number, "body": body}, "{}", is_failure=bool(number % 2)), number)
    mailbox.expire(10)
    found = differences(check, body)
    told = [
        Explanation(wait, mailbox, 10, "deadline", tell=lines_of),
        Explanation(wait, mailbox, 10, "closed", tell=lines_of),
        Explanation(wait, mailbox, 10, "check", tell=lines_of, culprit=Message(name, body, "{}"), differences=found),
        Explanation(refused, mailbox, 10, "refused", tell=lines_of, culprit=Message(name, body, "{}")),
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
    assert fail(DeadlinePassed("", explanation=Told()), Screen(), ended=ended, directory=directory, **options) == 1
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
    assert lines[0] == TEXT.splitlines()[0]  # the verdict was shown, with how it ended
    assert lines[1:-1] == TEXT.splitlines()[1:]
    assert lines[-1] == """  transcript: antiphon show 'runs/it'"'"'s one'"""
    assert show_command(Path("/elsewhere/run")) == "antiphon show /elsewhere/run"


def test_where_nothing_was_said_nothing_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = recorded(tmp_path) / "journal.jsonl"
    said = [line for line in journal.read_bytes().splitlines(keepends=True) if b'"kind":"said"' not in line]
    journal.write_bytes(b"".join(said))
    assert "transcript" not in "".join(shown(capsys, tmp_path, TEXT))


def test_what_is_not_recorded_cannot_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for directory in (None, tmp_path):
        assert shown(capsys, directory, TEXT)[-1] == "  because of that all ended"


def test_it_is_never_over_50_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(["it failed", "  at calls.py:1", *(f"  {number}" for number in range(5000))])
    lines = shown(capsys, recorded(tmp_path), text)
    assert len(lines) == 49
    assert lines[-1].startswith("  transcript: ")


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


def test_what_was_masked_in_the_record_is_shown_as_it_stands_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = shown(capsys, None, TEXT.replace("connected", "***"))
    assert lines[2] == "    state is '***', wanted 'held'"
    assert "\x1b[2mat desk.py:12" in lines[4]
