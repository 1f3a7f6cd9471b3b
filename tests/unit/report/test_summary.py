"""The report "summary": what a workflow's page on GitHub shows."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from antiphon.report.formats.summary import write_summary


@pytest.fixture
def summary(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Any]], str]:
    """The Markdown of these entries."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def make(entries: list[Any]) -> str:
        file = StringIO()
        write_summary(iter(entries), file, Path("runs/7"))
        return file.getvalue()

    return make


def test_a_run_that_failed(summary: Callable[[list[Any]], str], call: list[Any]) -> None:
    lines = summary(call).splitlines()
    assert html.unescape(lines[0]) == "### ❌ outgoing(telephone='890000002')"
    assert lines[2] == "failed in 13 ms on the stand local: 2 steps, 1 sent, 3 received, 1 HTTP request"
    assert lines[4:6] == ["```text", "DeadlinePassed: operator.desk waited 10 s for newWorkitemState"]
    rows = [html.unescape(line) for line in lines if line.startswith("| ")]
    assert "| ❌ | outbound_call('890000002', tries=2) | operator | 0.004 s | 6 ms |" in rows
    assert "| ✅ | \u2003answer() | operator | 0.007 s | 2 ms |" in rows
    assert any(
        re.fullmatch(r"<details><summary>The last 1\d lines of the conversation</summary>", line) for line in lines
    )
    assert html.unescape(lines[-2]) == "Recorded in <code>runs/7</code>"


def test_a_run_that_passed_is_short(summary: Callable[[list[Any]], str], telling: Any) -> None:
    text = summary(telling().say("hello").finish())
    assert text.startswith("### ✅ outgoing()\n\npassed in 2 ms")
    assert "```" not in text


def test_it_is_appended_to_the_page_of_the_step(
    summary: Callable[[list[Any]], str], call: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    text = summary(call)
    assert page.read_text() == f"before\n{text}"


def test_hostile_content_stays_text(summary: Callable[[list[Any]], str], hostile: list[Any]) -> None:
    text = summary(hostile)
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
    assert "`" not in outside
    assert set(re.findall(r"<[^>]*>", outside)) <= {
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<code>",
        "</code>",
    }
    rows = [line for line in outside.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {6}
    assert "\u202e" not in text


def test_many_steps_are_counted(summary: Callable[[list[Any]], str], telling: Any) -> None:
    told = telling()
    for _ in range(150):
        told.end(told.begin("work"))
    text = summary(told.finish())
    assert text.count("| ✅ |") == 100
    assert "and 50 more steps" in text


def test_a_step_that_was_under_way(summary: Callable[[list[Any]], str], call: list[Any]) -> None:
    text = summary(call[:6])
    assert text.startswith("### ❌")
    assert "unfinished in" in text
    assert "| ✂️ |" in text
