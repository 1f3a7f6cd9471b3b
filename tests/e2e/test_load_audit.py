"""What a server counted, what the engine counted and what the report says is the same, whatever happens to a load."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from load_desk import Desk, Loading, is_late_only, kill

from antiphon.journal.figures import ProcessLost, Second
from antiphon.journal.load_file import LOAD_FILE_NAME, read_load
from antiphon.report.load.figures import LoadFigures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("a load")]

INCONCLUSIVE, THRESHOLD_CROSSED, TERMINATED = 5, 4, 143

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="looks for a process's children in /proc")


def problems(figures: LoadFigures) -> list[str]:
    """Where its books do not agree."""
    assert figures.audit is not None
    return figures.audit.problems


def test_the_books_of_two_processes_are_the_servers(tmp_path: Path) -> None:
    with Desk() as desk, Loading(tmp_path, desk.address, "--rate", "40/s", "--for", "2s", "--processes", "2") as load:
        code = load.ended()
        figures, summary = load.figures(), load.summary()
        asked = desk.count("asked")

        assert desk.count("opened") == asked == desk.count("answered") == 80, load.text
        assert figures.total.due == figures.total.started == figures.total.passed == asked
        assert figures.traffic.sent == figures.traffic.received == asked
        for series in ("calling", "calling/outbound_call", "calling/outbound_call/call", "calling/caller.line"):
            assert figures.series[series].histogram.count == asked, series
        assert {each.process for each in figures.generators.values()} == {0, 1}
        assert summary["conversations"]["started"] == summary["conversations"]["passed"] == asked
        assert problems(figures) == []
        assert is_late_only(figures)
        assert code == (INCONCLUSIVE if figures.doubts else 0), load.text


def test_a_load_that_is_told_to_end_in_the_middle_tells_what_was(tmp_path: Path) -> None:
    options = ("--users", "20", "--processes", "2", "--calls", "1000000")
    with Desk(delays_s=[0.02]) as desk, Loading(tmp_path, desk.address, *options) as load:
        desk.until(lambda: desk.count("opened") == 20 and desk.count("asked") > 200)
        load.tell_to_end()
        code = load.ended()
        figures, summary = load.figures(), load.summary()
        desk.kill()

        assert code == TERMINATED, load.text
        assert figures.ended is not None
        assert figures.ended.verdict == "interrupted"
        assert figures.total.started == figures.total.interrupted == desk.count("opened") == 20
        assert figures.traffic.sent == desk.count("asked")
        assert desk.count("answered") - 20 <= figures.traffic.received <= desk.count("answered")
        assert summary["conversations"]["interrupted"] == 20
        assert problems(figures) == []


@needs_proc
def test_of_a_process_that_is_killed_the_share_is_moved_and_the_numbers_are_doubted(tmp_path: Path) -> None:
    rate = 40
    options = ("--rate", f"{rate}/s", "--for", "8s", "--processes", "2")
    with Desk() as desk, Loading(tmp_path, desk.address, *options) as load:
        desk.until(lambda: desk.count("opened") > 2 * rate)
        kill(load.processes()[0])
        code = load.ended()
        figures = load.figures()
        entries = list(read_load(load.directory / LOAD_FILE_NAME))
        (at,) = (index for index, entry in enumerate(entries) if isinstance(entry, ProcessLost))

        assert code == INCONCLUSIVE, load.text
        assert any("process 0 of the generator was lost: it was ended by SIGKILL" in doubt for doubt in figures.doubts)
        # What the other one counts from when it has taken the share over, until nothing new is due.
        after = [each for each in entries[at:] if isinstance(each, Second) and each.parts["calling"].due][1:-1]
        took_s = (after[-1].at_ns - after[0].from_ns) / 1e9
        assert sum(each.parts["calling"].due for each in after) == pytest.approx(rate * took_s, rel=0.1)
        assert problems(figures) == []
        audit = figures.audit
        assert audit is not None
        assert audit.started == audit.passed + audit.failed + audit.lost
        # What the lost one began since it was last asked nobody knows: a second's share of it, and what had no answer.
        assert 0 <= desk.count("opened") - audit.started <= rate


@needs_proc
def test_of_a_process_that_is_killed_no_conversation_is_begun_again(tmp_path: Path) -> None:
    """Whoever takes over goes on with the number at which the lost one was, not where it last told that it was."""
    users, count = 6, 600
    options = ("--users", str(users), "--count", str(count), "--processes", "2", "--table", "rows.csv:conversation")
    with Desk(delays_s=[0.02]) as desk, Loading(tmp_path, desk.address, *options) as load:
        desk.until(lambda: desk.count("opened") > 100)
        kill(load.processes()[0])
        code = load.ended()
        figures = load.figures()
        opened = desk.count("opened")

        assert code == INCONCLUSIVE, load.text
        assert problems(figures) == []
        rows = (tmp_path / "rows.csv").read_text().splitlines()[1:]
        assert len(rows) == len(set(rows))
        assert set(rows) <= {f"calling-{number}" for number in range(count)}
        # Each of the lost one's users had at most one that had begun and was not heard of by the server.
        assert count - users // 2 <= opened <= count


def test_a_server_that_dies_and_comes_back_is_counted_as_it_was(tmp_path: Path) -> None:
    with Desk() as desk, Loading(tmp_path, desk.address, "--rate", "30/s", "--for", "6s") as load:
        desk.until(lambda: desk.count("opened") > 45)
        desk.kill()
        record = next(iter(tmp_path.glob("runs/*/load.jsonl")))
        desk.until(lambda: b'"ConnectFailed"' in record.read_bytes())
        desk.start()
        code = load.ended()
        figures = load.figures()
        desk.kill()

        assert figures.total.started == figures.total.due == 180, load.text
        assert code == (INCONCLUSIVE if figures.doubts else THRESHOLD_CROSSED), load.text
        assert is_late_only(figures)
        causes = {(cause.error, cause.text.split(";")[0]): cause.count for cause in figures.causes}
        assert {error for error, _ in causes} <= {"ConnectFailed", "ChannelClosed", "TransportError"}, causes
        assert sum(causes.values()) == figures.total.failed == 180 - figures.total.passed
        assert figures.total.failed > 0
        # Each that had no connection failed for that, and none of the others did.
        refused = sum(count for (error, _), count in causes.items() if error == "ConnectFailed")
        assert figures.series["calling/caller.line"].histogram.count == 180 - refused
        # It may be killed between an answer and its line in the log.
        assert desk.count("asked") >= figures.total.passed >= 46
        assert problems(figures) == []


ODD = """
from calling import Caller, calling
from antiphon import scenario
from antiphon.load.feed import feed
from antiphon.load.part import part
from antiphon.load.plan import Plan

class Account:
    def __init__(self, number):
        self.number = number

@scenario
async def odd(caller: Caller, account: Account, title: str) -> None:
    await caller.outbound_call()

busy = Plan(part(odd, count=6, account=feed(list(map(Account, range(6)))), title="lone \\ud800"))
"""


def test_processes_tell_of_conversations_whatever_they_were_given(tmp_path: Path) -> None:
    """What is kept of a conversation has its parameters, which JSON need not know."""
    (tmp_path / "odd.py").write_text(ODD)
    options = ("--processes", "2", "--keep", "sample:100%")
    with Desk() as desk, Loading(tmp_path, desk.address, *options, target="odd.py:busy") as load:
        code = load.ended()

        assert code == 0 or is_late_only(load.figures()), load.text
        assert load.figures().total.passed == desk.count("asked") == 6
        assert [each.parameters["title"] for each in load.figures().kept] == ["lone ?"] * 6
