"""What the machine has no more of is told as that: not as a bug of antiphon's, nor as the peer's fault."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import resource
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Actor,
    Codec,
    ConnectFailed,
    Data,
    Link,
    Message,
    RecordingError,
    ResourcesExhausted,
    Run,
    ScenarioError,
    Stand,
    call,
    perform,
    play,
    scenario,
)
from antiphon.cli.exit_codes import USAGE
from antiphon.cli.failure import fail
from antiphon.cli.interruption import run_until_told
from antiphon.cli.screen import Screen
from antiphon.journal.recording import make_report
from antiphon.runtime.exhaustion import as_exhaustion
from antiphon.scenarios.outcome import make_presentable
from antiphon.transport.websocket.picows_frames import _ParserLog
from antiphon.transport.websocket.rfc6455 import INTERNAL_ERROR, Violation
from antiphon.transport.websocket.server import WebSocketListener


class Forgetful(Codec):
    """Has no memory for messages."""

    def decode(self, data: Data) -> Sequence[Message]:
        raise MemoryError

    def encode(self, name: str, body: Any) -> Message:
        raise MemoryError


class Party(Actor):
    line = Link("{peer}", dialect=Forgetful(), within_s=5)


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize(
    ("error", "told", "hint"),
    [
        (
            OSError(errno.EMFILE, "x"),
            f"may not open more files and connections; its limit is {LIMIT}",
            "-n",
        ),
        (OSError(errno.ENFILE, "x"), "this machine has no more files and connections", "other processes"),
        (OSError(errno.ENOMEM, "x"), "there is no more memory", "ulimit -v"),
        (MemoryError(), "there is no more memory", "ulimit -v"),
        (RuntimeError("can't start new thread"), "no thread could be started", "ulimit -u"),
        (caused(ConnectFailed("cannot connect", place="ws://x"), OSError(errno.EMFILE, "x")), "cannot connect", "-n"),
    ],
)
def test_it_says_what_there_is_no_more_of(error: Exception, told: str, hint: str) -> None:
    exhausted = as_exhaustion(error)

    assert isinstance(exhausted, ResourcesExhausted)
    assert exhausted.__cause__ is error
    assert told in exhausted.text
    assert exhausted.hint is not None
    assert hint in exhausted.hint
    assert as_exhaustion(exhausted) is exhausted


@pytest.mark.parametrize("error", [OSError(errno.EPIPE, "x"), RuntimeError("x"), ScenarioError("x"), KeyError("x")])
def test_anything_else_stays_what_it_is(error: Exception) -> None:
    assert as_exhaustion(error) is error


def test_what_was_raised_while_it_was_handled_is_found_unless_that_was_ruled_out() -> None:
    def raised(is_ruled_out: bool) -> Exception:
        try:
            try:
                raise MemoryError
            except MemoryError:
                if is_ruled_out:
                    raise KeyError("x") from None
                raise KeyError("x")  # noqa: B904 - this is what is tried
        except KeyError as error:
            return error

    assert isinstance(as_exhaustion(raised(False)), ResourcesExhausted)
    assert isinstance(as_exhaustion(raised(True)), KeyError)


def test_no_memory_for_a_message_is_not_the_connections_fault(peer: Any, play_with: Callable[..., Run]) -> None:
    @scenario
    async def reading(party: Party) -> None:
        peer.say("news")
        await party.expect("news")

    with pytest.raises(ResourcesExhausted, match="no more memory"):
        play_with(reading)


def test_no_memory_for_a_message_of_a_websocket(peer: Any) -> None:
    @scenario
    async def reading(party: Party) -> None:
        peer.say("news")
        await party.expect("news")

    async def perform_here() -> None:
        listening = await WebSocketListener().listen("ws://127.0.0.1:0", peer.accept)
        try:
            await perform(reading, stand=Stand("test", {"peer": listening.address}), runs=None)
        finally:
            await listening.close()

    with pytest.raises(ResourcesExhausted, match="no more memory"):
        asyncio.run(perform_here())


def test_no_memory_for_a_frame_is_not_a_broken_frame() -> None:
    class Listener:
        violation: Violation

        def parser_failed(self, violation: Violation) -> None:
            self.violation = violation

    async def parse() -> tuple[Violation, list[Any]]:
        told: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        log, listener = _ParserLog(), Listener()
        log.listener = listener
        try:
            raise MemoryError
        except MemoryError:
            log.exception("WS parser failure, initiate disconnect")
        return listener.violation, told

    violation, (error,) = asyncio.run(parse())
    assert (violation.code, violation.detail) == (INTERNAL_ERROR, "internal error: no memory for a frame")
    assert isinstance(error, MemoryError)


def test_no_thread_for_a_call(play_with: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    @scenario
    def calling() -> list[Any]:
        return [call(len, "x")]

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(ResourcesExhausted, match="no thread could be started"):
        play_with(calling)


def test_no_file_for_the_journal(
    play_with: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def open_none(*_: Any, **__: Any) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    @scenario
    def nothing() -> list[Any]:
        return []

    monkeypatch.setattr("antiphon.journal.file.os.open", open_none)
    with pytest.raises(ResourcesExhausted, match="the journal cannot be made: Too many open files") as caught:
        play_with(nothing, runs=tmp_path)
    monkeypatch.undo()

    assert fail(caught.value, Screen()) == USAGE
    assert "ulimit -n" in capsys.readouterr().err


@pytest.mark.usefixtures("collects_quickly")
@pytest.mark.filterwarnings("error")
def test_no_file_for_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def make_none() -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    @scenario
    def nothing() -> list[Any]:
        return []

    monkeypatch.setattr("antiphon.runtime.event_loop.event_loop_factory", lambda: make_none)
    for start in (lambda: play(nothing, runs=None), lambda: run_until_told(perform(nothing, runs=None))):
        with pytest.raises(OSError, match="Too many open files") as failed:
            start()
        assert fail(failed.value, Screen()) == USAGE
        gc.collect()  # of a coroutine that was never awaited Python warns when it is thrown away


@pytest.mark.usefixtures("collects_quickly")
@pytest.mark.parametrize("free", [3, 6, 10])
@pytest.mark.filterwarnings("error")
def test_too_few_files_for_a_loop_are_told_and_nothing_is_printed_of_it(
    free: int, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    @scenario
    def nothing() -> list[Any]:
        return []

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(taken[0] + 200, soft), hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(taken[0]))
        for _ in range(free):
            os.close(taken.pop())
        with pytest.raises(ResourcesExhausted, match="may not open more files and connections; its limit is") as told:
            run_until_told(perform(nothing, runs=None))
        gc.collect()
    finally:
        for file in taken:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert told.value.hint is not None
    assert "ulimit -n" in told.value.hint
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_failure_is_made_presentable_once(
    peer: Any, play_with: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    presented: list[Any] = []

    def count(error: BaseException | None, *rest: Any) -> None:
        presented.append(error)
        make_presentable(error, *rest)

    @scenario
    async def failing(party: Party) -> None:
        raise ScenarioError("no")

    monkeypatch.setattr("antiphon.scenarios.runner.make_presentable", count)
    with pytest.raises(ScenarioError) as failed:
        play_with(failing)
    assert presented == [failed.value]


@pytest.mark.parametrize(
    ("spec", "place", "hint"), [("summary={target}", "{target}", "NAME=PATH"), ("summary", "{run}", "--runs")]
)
def test_a_disk_without_room_for_a_report_is_told_with_its_place_and_a_hint(
    spec: str, place: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_none(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    @scenario
    def nothing() -> list[Any]:
        return []

    target = str(tmp_path / "elsewhere.md")
    run = play(nothing, runs=tmp_path)
    assert run.directory is not None
    monkeypatch.setattr("antiphon.report.formats.documents.Document._make", write_none)
    with pytest.raises(RecordingError, match="the report 'summary' cannot be written: No space left") as failed:
        make_report(run.directory, spec.format(target=target))
    assert failed.value.place == place.format(target=target, run=run.directory)
    assert failed.value.hint is not None
    assert hint in failed.value.hint


def test_a_report_for_which_there_are_no_files_is_not_to_be_put_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_none(*_: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    @scenario
    def nothing() -> list[Any]:
        return []

    run = play(nothing, runs=tmp_path)
    assert run.directory is not None
    monkeypatch.setattr("antiphon.report.formats.documents.Document._make", write_none)
    with pytest.raises(RecordingError, match="Too many open files") as failed:
        make_report(run.directory, "summary")
    assert failed.value.hint is None
    assert fail(failed.value, Screen()) == USAGE
