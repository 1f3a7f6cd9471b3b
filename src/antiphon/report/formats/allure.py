"""The report "allure": a run as Allure 2 results, and as steps of a test that allure-pytest records.

It needs `allure-python-commons`, which comes with `pip install 'antiphon[allure]'`.
"""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from allure_commons import plugin_manager
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Label, Parameter, TestResult, TestResultContainer, TestStepResult
from allure_commons.reporter import AllureReporter

from antiphon.conversation.wording import visible
from antiphon.journal import Sink, TestEnded
from antiphon.journal.private_files import PRIVATE_FILE, make_private_directory
from antiphon.report.formats.allure_tree import attach_trace, build, status_of, take_red_from
from antiphon.report.formats.documents import AtTheEnd
from antiphon.report.formats.html.trace import TRACE_NAME
from antiphon.report.verdict import Verdict

__all__ = ["RESULTS_NAME", "add_to_test", "write_results"]

RESULTS_NAME = "allure-results"


def write_results(directory: Path, target: str = "") -> Sink:
    """The report of one run; see `antiphon.journal.Report`.

    The results go into `allure-results` in the run's directory, or into the target, which many runs may share: every
    file has a name of its own.
    """
    if target:
        return AtTheEnd(directory, lambda entries: _write(entries, Path(target), directory))
    return AtTheEnd(directory, lambda entries: _write_privately(entries, directory / RESULTS_NAME, directory))


def add_to_test(
    entries: Iterable[Any], reporter: AllureReporter
) -> Callable[[TestEnded | None, Path | None], None] | None:
    """Put a run into whatever allure-pytest is recording in this thread: a step, and in it those of the run.

    What it gives is to be called when the test has ended, before allure-pytest writes its result, with how it ended
    and the run's directory: it attaches the trace, and lets nothing be red that the test expected. None if the run did
    not begin.
    """
    step = TestStepResult(start=0)
    verdict = build(entries, step, _save_through_hooks)
    # A run that was refused before it began has said nothing, and the test's own failure says why.
    if verdict.started is None:
        return None
    step.name = visible(verdict.call)
    identity = str(uuid.uuid4())
    reporter.start_step(None, identity, step)
    reporter.stop_step(identity, stop=step.stop, status=status_of(verdict))

    def settle(test: TestEnded | None, directory: Path | None) -> None:
        if directory is not None:
            attach_trace(step, directory / TRACE_NAME, _save_through_hooks)
        if test is None:
            return
        verdict(test)
        if not verdict.is_red:
            step.status = status_of(verdict)
            take_red_from(step)

    return settle


def _write_privately(entries: Iterator[Any], results: Path, directory: Path) -> None:
    """Allure's own writer knows no modes; until its files have theirs, their directory keeps them."""
    make_private_directory(results)
    try:
        _write(entries, results, directory)
    finally:
        for file in results.iterdir():
            file.chmod(PRIVATE_FILE)


def _write(entries: Iterator[Any], results: Path, directory: Path) -> None:
    logger = AllureFileLogger(results)

    def save(content: bytes | Path, file_name: str) -> None:
        if isinstance(content, Path):
            logger.report_attached_file(content, file_name)
        else:
            logger.report_attached_data(content, file_name)

    result = TestResult(uuid=str(uuid.uuid4()), start=0)
    verdict = build(entries, result, save, directory / TRACE_NAME)
    _describe(result, verdict)
    container = TestResultContainer(uuid=str(uuid.uuid4()), name=result.name, children=[result.uuid])
    container.start, container.stop = result.start, result.stop
    logger.report_result(result)
    logger.report_container(container)


def _describe(result: TestResult, verdict: Verdict) -> None:
    """Names, parameters and labels. The history is that of the scenario with these parameters on this stand."""
    started = verdict.started
    parameters = dict(started.parameters) if started is not None else {}
    stand = started.stand if started is not None else ""
    result.name = visible(verdict.call)
    result.fullName = f"antiphon.{verdict.scenario}"
    result.titlePath = ["antiphon"]
    result.testCaseId = _digest(verdict.scenario)
    # Not the run's directory, nor the host: runs of a night's build on any agent are one history.
    result.historyId = _digest(
        verdict.scenario, stand, *(f"{name}={parameters[name]!r}" for name in sorted(parameters))
    )
    result.parameters = [Parameter(name=name, value=visible(repr(value))) for name, value in parameters.items()]
    labels = {
        "suite": verdict.scenario,
        "tag": stand,
        "host": socket.gethostname(),
        "thread": f"{started.pid if started is not None else os.getpid()}-run",
        "framework": "antiphon",
        "language": "python",
    }
    result.labels = [Label(name=name, value=value) for name, value in labels.items() if value]


def _save_through_hooks(content: bytes | Path, file_name: str) -> None:
    hooks = plugin_manager.hook
    if isinstance(content, Path):
        hooks.report_attached_file(source=str(content), file_name=file_name)
    else:
        hooks.report_attached_data(body=content, file_name=file_name)


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "backslashreplace")).hexdigest()[:32]
