"""A load as Allure 2 results: one for each threshold, one for each part.

A part's result has its steps, with what was measured of each as parameters, and what its conversations failed with. It
needs `allure-python-commons`, which comes with `pip install 'antiphon[allure]'`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    ATTACHMENT_PATTERN,
    Attachment,
    Label,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)

from antiphon.conversation.wording import visible
from antiphon.errors import plain_text
from antiphon.journal.private_files import PRIVATE_FILE, make_private_directory
from antiphon.report.load.summary import CauseSummary, Conversations, LoadSummary, SeriesSummary, ThresholdSummary
from antiphon.report.load.text import example_told, text_lines, verdict
from antiphon.report.load.wording import amount, percent, rate, took

__all__ = ["RESULTS_NAME", "write_results"]

RESULTS_NAME = "allure-results"
LONGEST_TEXT = 100_000


def write_results(summary: LoadSummary, directory: Path, results: Path) -> None:
    """Write the results into a directory, which many loads may share: every file has a name of its own.

    In the load's own directory they are for their owner alone.
    """
    is_private = results.parent == directory
    if is_private:
        # Allure's own writer knows no modes; until its files have theirs, their directory keeps them.
        make_private_directory(results)
    logger = AllureFileLogger(results)
    try:
        text = ATTACHMENT_PATTERN.format(prefix=uuid.uuid4(), ext="txt")
        logger.report_attached_data(plain_text(text_lines(summary)).encode("utf-8", "backslashreplace"), text)
        for result in _results(summary):
            result.attachments.append(Attachment(name="the load", source=text, type="text/plain"))
            logger.report_result(result)
    finally:
        if is_private:
            for file in results.iterdir():
                file.chmod(PRIVATE_FILE)


def _results(summary: LoadSummary) -> Iterator[TestResult]:
    for name, part in summary.parts.items():
        yield _of_part(summary, name, part)
    for judged in summary.thresholds:
        yield _of_threshold(summary, judged)


def _result(summary: LoadSummary, name: str, room: str) -> TestResult:
    """A result of this load; its history is that of the same name on the same stand."""
    started_ms, stopped_ms = _times_ms(summary)
    result = TestResult(uuid=str(uuid.uuid4()), start=started_ms, stop=stopped_ms, stage="finished")
    result.name = visible(name)
    result.fullName = f"antiphon.{visible(summary.name)}.{visible(name)}"
    result.titlePath = ["antiphon", visible(summary.name)]
    result.testCaseId = _digest("load", summary.name, room, name)
    result.historyId = _digest("load", summary.name, room, name, summary.stand)
    labels = {"suite": summary.name, "subSuite": room, "tag": summary.stand, "framework": "antiphon"}
    result.labels = [Label(name=label, value=visible(value)) for label, value in labels.items() if value]
    result.labels.append(Label(name="language", value="python"))
    return result


def _of_part(summary: LoadSummary, name: str, part: Conversations) -> TestResult:
    result = _result(summary, name, "parts")
    causes = [cause for cause in summary.causes if cause.part == name]
    told = f"{amount(part.started, 'conversation')}, {rate(part.started_per_s)}; {part.failed:,} failed"
    result.status, message = _status(summary, has_failed=bool(part.failed))
    text = "\n\n".join([*summary.doubts, *map(_cause_told, causes)])[:LONGEST_TEXT]
    result.statusDetails = StatusDetails(message=f"{message}{told} ({percent(part.failed_share)})", trace=text)
    result.parameters = [Parameter(name="asked", value=f"{part.asked:g}")] if part.asked is not None else []
    result.steps = [
        _of_step(result, series)
        for series in summary.series
        if series.kind != "conversation" and series.name.startswith(f"{name}/")
    ]
    return result


def _of_step(result: TestResult, series: SeriesSummary) -> TestStepResult:
    times = {
        "mean": series.mean_ms,
        "p50": series.p50_ms,
        "p95": series.p95_ms,
        "p99": series.p99_ms,
        "max": series.max_ms,
    }
    counts = {"count": f"{series.count:,}", "errors": f"{series.errors:,}"}
    told = counts | {name: took(ms * 1000) for name, ms in times.items()}
    return TestStepResult(
        name=visible(series.name.partition("/")[2]),
        status=Status.FAILED if series.errors else Status.PASSED,
        stage="finished",
        start=result.start,
        stop=result.stop,
        parameters=[Parameter(name=name, value=value) for name, value in told.items()],
    )


def _of_threshold(summary: LoadSummary, judged: ThresholdSummary) -> TestResult:
    result = _result(summary, judged.threshold, "thresholds")
    result.status, message = _status(summary, has_failed=not judged.has_passed)
    trace = "\n".join(summary.doubts)
    result.statusDetails = StatusDetails(message=f"{message}{visible(judged.measured)}", trace=trace)
    return result


def _status(summary: LoadSummary, *, has_failed: bool) -> tuple[str, str]:
    """Allure's word, and what is to be said before what was measured: doubtful numbers are the test's defect."""
    if not summary.is_valid or summary.verdict in ("interrupted", "unfinished"):
        return Status.BROKEN, f"{verdict(summary)}: "
    # Failures that all thresholds allow for are no defect.
    is_red = has_failed and summary.verdict == "failed"
    return (Status.FAILED if is_red else Status.PASSED), ""


def _cause_told(cause: CauseSummary) -> str:
    return f"{cause.count:,} × {example_told(cause)}"


def _times_ms(summary: LoadSummary) -> tuple[int, int]:
    try:
        began_ms = round(datetime.fromisoformat(summary.started_at).timestamp() * 1000)
    except ValueError:
        began_ms = 0
    return began_ms, began_ms + round(summary.duration_s * 1000)


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "backslashreplace")).hexdigest()[:32]
