"""The journal as log lines: quiet by default, who did what and how long when asked, secrets masked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from antiphon import (
    Actor,
    Backoff,
    DeadlinePassed,
    Json,
    JsonRpc,
    Link,
    Message,
    Run,
    action,
    call,
    on,
    scenario,
    signal,
    soft,
    wait,
)
from antiphon.cli.log_flags import JsonLines, configure_logs, split_log_flags

Play = Callable[..., Run]


class Desk(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data"), within_s=5)

    @on("ping")
    def answer_ping(self, ping: Message) -> None:
        self.send("pong", seq=ping["seq"])

    @action
    async def hear_news(self, within_s: float = 5) -> None:
        await self.expect("news", within_s=within_s, check=soft({"n": 2}))


@scenario
def hearing(desk: Desk) -> list[Any]:
    return [Desk.hear_news(), call(lambda: 7, save_as="seven"), signal("heard"), wait(0)]


@scenario
def hearing_nothing(desk: Desk) -> list[Any]:
    return [Desk.hear_news(0.01)]


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("antiphon")
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers = handlers


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    return [
        (record.name, record.levelname, record.getMessage())
        for record in caplog.records
        if "asyncio" not in record.name
    ]


def test_quiet_by_default(peer: Any, play_with: Play, caplog: pytest.LogCaptureFixture) -> None:
    peer.greeting = [("news", {"n": 2})]
    play_with(hearing)
    assert told(caplog) == []


def test_what_is_done_is_told_at_info(peer: Any, play_with: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="antiphon")
    peer.greeting = [("ping", {"seq": 1}), ("news", {"n": 2})]
    play_with(hearing)
    lines = told(caplog)
    assert ("antiphon.run", "INFO", "hearing begins on the stand test") in lines
    assert ("antiphon.channel", "INFO", "desk.line is open: memory://peer") in lines
    assert ("antiphon.call", "INFO", "<lambda> returned 7") in lines
    assert ("antiphon.signal", "INFO", "signal 'heard'") in lines
    told_of = {name: text for name, _, text in lines}
    assert told_of["antiphon.handler"].startswith("desk.answer_ping handled message 1 in ")
    assert any(text.startswith("desk: hear_news() passed in ") for name, _, text in lines if name == "antiphon.step")
    assert lines[-1][2].startswith("hearing passed after ")
    assert not {"antiphon.message", "antiphon.wait"} & {name for name, _, _ in lines}


def test_how_a_channel_is_opened_again_is_told(peer: Any, play_with: Play, caplog: pytest.LogCaptureFixture) -> None:
    class Listener(Actor):
        line = Link("{peer}", dialect=Json(name="action", body="data"), reopens=Backoff(first_s=0))

    @scenario
    async def listening(desk: Listener) -> None:
        peer.abort()
        await desk.expect_close()
        await desk.line.reopened()

    caplog.set_level(logging.INFO, logger="antiphon")
    play_with(listening)
    lines = told(caplog)
    assert ("antiphon.channel", "WARNING", "desk.line is to be opened again, attempt 1 in 0 ms") in lines
    assert any(text.startswith("desk.line is open again by attempt 1, after ") for _, _, text in lines)


def test_every_message_and_wait_is_told_at_debug(peer: Any, play_with: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="antiphon")
    peer.greeting = [("ping", {"seq": 1}), ("news", {"n": 2, "password": "open-sesame"})]
    play_with(hearing)
    lines = [text for name, _, text in told(caplog) if name in ("antiphon.message", "antiphon.wait")]
    assert "desk.line heard ping (1): {'seq': 1}" in lines
    assert "desk.line said pong (1): {'seq': 1}" in lines
    assert any(text.startswith("desk: waits for news at tests/integration/test_logs.py:") for text in lines)
    assert any(text.startswith("desk: waited for news: satisfied after ") for text in lines)
    assert not any("open-sesame" in text for text in lines)


def test_what_went_wrong_is_louder(peer: Any, play_with: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="antiphon")
    with pytest.raises(DeadlinePassed):
        play_with(hearing_nothing)
    loud = {(name, level) for name, level, _ in told(caplog) if level in ("WARNING", "ERROR")}
    assert loud >= {("antiphon.step", "WARNING"), ("antiphon.run", "ERROR")}


def test_lines_of_json(peer: Any, play_with: Play, caplog: pytest.LogCaptureFixture, logger: logging.Logger) -> None:
    caplog.set_level(logging.INFO, logger="antiphon")
    peer.greeting = [("news", {"n": 2})]
    play_with(hearing)
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == "antiphon.step"]
    (step,) = [line for line in lines if line["step"] == "hear_news()"]
    assert step["level"] == "info"
    assert step["scenario"] == "hearing"
    assert step["actor"] == "desk"
    assert step["outcome"] == "passed"
    assert 0 <= step["took_s"] < 60
    assert step["time"].endswith("Z")


def test_a_traceback_is_in_its_line(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord("antiphon.x", logging.ERROR, __file__, 1, "%s", ("broken",), None)
    try:
        raise LookupError("nobody")
    except LookupError as error:
        record.exc_info = (LookupError, error, error.__traceback__)
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "broken"
    assert "LookupError: nobody" in line["traceback"]


@pytest.mark.parametrize(
    ("given", "left", "level"),
    [
        (["run", "x.py"], ["run", "x.py"], None),
        (["run", "-v", "x.py"], ["run", "x.py"], logging.INFO),
        (["run", "x.py", "-vv"], ["run", "x.py"], logging.DEBUG),
        (["--log-json", "run"], ["run"], logging.INFO),
        (["--log-json", "-vv", "run"], ["run"], logging.DEBUG),
    ],
)
def test_the_flags_of_the_command_line(
    given: list[str], left: list[str], level: int | None, logger: logging.Logger
) -> None:
    before, count = logger.level, len(logger.handlers)
    tokens, flags = split_log_flags(given)
    configure_logs(flags)
    assert tokens == left
    if level is None:
        assert (logger.level, len(logger.handlers)) == (before, count)
    else:
        assert (logger.level, len(logger.handlers)) == (level, count + 1)
        assert isinstance(logger.handlers[-1].formatter, JsonLines) is ("--log-json" in flags)


def test_what_a_library_warns_of_moves_no_cursor(logger: logging.Logger) -> None:
    configure_logs(set())
    last = logging.lastResort
    assert last is not None
    try:
        raise ValueError("said \x1b[2J\u202e")
    except ValueError as error:
        record = logging.LogRecord("asyncio", logging.ERROR, "", 1, "failed:\n%s", ("\x9b1m",), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    told = last.format(record).split("\n")
    assert told[:2] == ["failed:", r"\x9b1m"]
    assert told[-1] == r"ValueError: said \x1b[2J\u202e"


class Caller(Actor):
    line = Link("{peer}", dialect=JsonRpc(), within_s=5)

    @on("question")
    def answer_question(self, _question: Message) -> int:
        return 7

    @on.unreadable
    def bear(self, _data: Message) -> None:
        """It happens."""


def test_members_of_a_batch_are_told_too(peer: Any, play_with: Play, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="antiphon")

    @scenario
    async def asked(caller: Caller) -> None:
        peer.on_data = lambda data: None
        peer.say_raw('[{"jsonrpc":"2.0","id":1,"method":"question"},{"jsonrpc":"1.0"}]')
        await caller.expect("unreadable")

    play_with(asked)
    heard = [text for name, _, text in told(caplog) if name == "antiphon.message" and " heard " in text]
    assert [text.split()[2] for text in heard] == ["question", "unreadable"]
