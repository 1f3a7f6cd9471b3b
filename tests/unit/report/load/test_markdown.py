"""A load on the page of a workflow."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import msgspec
import pytest

from antiphon.report.load.markdown import write_markdown
from antiphon.report.load.summary import LoadSummary


def markdown(summary: LoadSummary) -> str:
    file = StringIO()
    write_markdown(summary, file, Path("runs/7"))
    return file.getvalue()


def test_the_verdict_the_thresholds_the_steps_the_causes_and_the_baseline(summary: LoadSummary) -> None:
    text = markdown(summary)
    head, *_ = text.split("\n")
    assert head == "### ⚠️ INCONCLUSIVE: busy&#95;day on local, 1 min 10 s"
    assert "- process 1 was lost" in text
    assert text.index("| ❌ | errors &#60; 1% |") < text.index("| ✅ | outgoing/hang&#95;up p50")
    assert "| &emsp;outbound&#95;call | 1,200 |" in text
    assert "- outgoing/outbound&#95;call " in text
    assert f"<details><summary>{summary.causes[0].count:,} × DeadlinePassed in outbound&#95;call" in text
    assert "| 🔺 worse | outgoing/outbound&#95;call | p50 |" in text
    assert "Beside the baseline <code>baseline</code>" in text


def test_a_good_one(good: LoadSummary) -> None:
    text = markdown(good)
    assert text.startswith("### ✅ PASSED, VALID: busy")
    assert "baseline" not in text


def test_nothing_that_was_said_is_markup(summary: LoadSummary) -> None:
    text = markdown(summary)
    outside = "".join(text.split("```")[::2])
    assert "<script>" not in outside
    assert not {"\x00", "\x1b", "\u202e"} & set(text)


def test_of_much_the_first_is_shown(good: LoadSummary) -> None:
    cause, series = good.causes[0], good.series[0]
    causes = [msgspec.structs.replace(cause, text=f"cause {number}", example="x" * 9_000) for number in range(25)]
    many = msgspec.structs.replace(good, causes=causes, series=[series] * 120, thresholds=[])
    text = markdown(many)
    assert "and 5 more causes" in text
    assert "and 20 more\n" in text
    assert "what had to hold" not in text
    assert len(text) < 200_000


def test_nothing_that_moved_is_said(summary: LoadSummary) -> None:
    assert summary.baseline is not None
    for direction, told in (("same", "nothing has moved"), ("unknown", "there is too little to tell")):
        figures = [msgspec.structs.replace(each, direction=direction) for each in summary.baseline.figures]
        baseline = msgspec.structs.replace(summary.baseline, figures=figures, remarks=[])
        assert told in markdown(msgspec.structs.replace(summary, baseline=baseline))


def test_it_is_appended_to_the_workflows_page(
    good: LoadSummary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "step.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    text = markdown(good)
    assert page.read_text(encoding="utf-8") == f"before\n{text}"
