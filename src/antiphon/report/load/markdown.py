"""A load in GitHub-flavoured Markdown, for the page of a workflow and the comment under a change."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Final, TextIO

from antiphon.report.formats.markdown import add_to_step_summary, code, escaped, write_code
from antiphon.report.load.compare import Moved
from antiphon.report.load.summary import LoadSummary
from antiphon.report.load.text import (
    accounts,
    depth_and_name,
    example_told,
    moved_told,
    split,
    step_told,
    title,
    verdict,
)
from antiphon.report.load.wording import took

__all__ = ["MARKDOWN_NAME", "write_markdown"]

MARKDOWN_NAME: Final = "summary.md"
MOST_ROWS: Final = 100
LONGEST_TEXT: Final = 4_000
MOST_CAUSES: Final = 20

_SIGNS: Final = {"passed": "✅", "failed": "❌"}


def write_markdown(summary: LoadSummary, file: TextIO, directory: Path) -> None:
    """Write the Markdown of a load, and append it to what GITHUB_STEP_SUMMARY names."""
    text = StringIO()
    _write_head(summary, text)
    _write_thresholds(summary, text)
    _write_series(summary, text)
    _write_causes(summary, text)
    _write_comparison(summary, text)
    text.write(f"Recorded in {code(str(directory))}\n\n")
    file.write(text.getvalue())
    add_to_step_summary(text.getvalue())


def _write_head(summary: LoadSummary, file: TextIO) -> None:
    sign = _SIGNS.get(summary.verdict, "⚠️") if summary.is_valid else "⚠️"
    file.write(f"### {sign} {verdict(summary)}: {escaped(title(summary))}\n\n")
    file.writelines(f"- {escaped(why)}\n" for why in [*summary.doubts, *filter(None, [summary.error])])
    file.write("\n" if summary.doubts or summary.error else "")
    file.write("<br>".join(map(escaped, accounts(summary))) + "\n\n")
    file.writelines(f"{count:,} messages were {escaped(what)}\n\n" for what, count in summary.correctness.items())


def _write_thresholds(summary: LoadSummary, file: TextIO) -> None:
    if not summary.thresholds:
        return
    file.write("| | what had to hold | measured |\n|---|---|---|\n")
    for judged in sorted(summary.thresholds, key=lambda judged: judged.has_passed):
        sign = "✅" if judged.has_passed else "❌"
        file.write(f"| {sign} | {escaped(judged.threshold)} | {escaped(judged.measured)} |\n")
    file.write("\n")


def _write_series(summary: LoadSummary, file: TextIO) -> None:
    if not summary.series:
        return
    file.write("| | count | errors | mean | p50 | p95 | p99 | max |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
    for series in summary.series[:MOST_ROWS]:
        depth, name = depth_and_name(series.name)
        times = (series.mean_ms, series.p50_ms, series.p95_ms, series.p99_ms, series.max_ms)
        told = " | ".join(took(each * 1000) for each in times)
        # Blanks at the beginning of a cell are dropped by GitHub's Markdown; an entity is not.
        file.write(f"| {'&emsp;' * depth}{escaped(name)} | {series.count:,} | {series.errors:,} | {told} |\n")
    left_out = len(summary.series) - MOST_ROWS
    file.write(f"\nand {left_out} more\n\n" if left_out > 0 else "\n")
    file.writelines(f"- {escaped(line)}\n" for line in filter(None, map(split, summary.series[:MOST_ROWS])))
    file.write("\n")


def _write_causes(summary: LoadSummary, file: TextIO) -> None:
    for cause in summary.causes[:MOST_CAUSES]:
        error = escaped(f"{cause.error or 'various'}{step_told(cause)}")
        file.write(f"<details><summary>{cause.count:,} × {error}: ")
        file.write(f"{escaped(cause.text[:300])}</summary>\n\n")
        write_code(file, example_told(cause)[:LONGEST_TEXT])
        file.writelines(f"- kept: {code(kept.directory)}\n" for kept in cause.kept)
        file.write("\n</details>\n\n")
    left_out = len(summary.causes) - MOST_CAUSES
    if left_out > 0:
        file.write(f"and {left_out} more causes\n\n")


def _write_comparison(summary: LoadSummary, file: TextIO) -> None:
    if summary.baseline is None:
        return
    file.write(f"Beside the baseline {code(summary.baseline.baseline)}: ")
    moved: Sequence[Moved] = [*summary.baseline.worse, *summary.baseline.better]
    if not moved:
        is_told = any(each.direction != "unknown" for each in summary.baseline.figures)
        file.write("nothing has moved\n\n" if is_told else "there is too little to tell\n\n")
    else:
        file.write(f"{len(summary.baseline.worse)} figures are worse, {len(summary.baseline.better)} better\n\n")
        file.write("| | what | figure | change |\n|---|---|---|---|\n")
    for each in moved[:MOST_ROWS]:
        sign = "🔺" if each.direction == "worse" else "✅"
        what = f"{sign} {each.direction} | {escaped(each.what)} | {each.figure}"
        file.write(f"| {what} | {escaped(moved_told(each))} |\n")
    file.write("\n" if moved else "")
    file.writelines(f"- {escaped(remark)}\n" for remark in summary.baseline.remarks)
    file.write("\n" if summary.baseline.remarks else "")
