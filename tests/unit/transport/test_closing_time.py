"""How long a goodbye is waited for: not by the clock alone, but while nothing of what was said is leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from antiphon.conversation.ending import Ending
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.closing_time import ClosingTime, overdue


def ends_after(leaving: Callable[[float], int], within_s: float = 1.0) -> float:
    """When the time is over, in seconds; `leaving` says how much is left to read at a time."""

    async def scene() -> float:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        begun_s = loop.time()
        ClosingTime(loop, within_s, lambda: leaving(loop.time() - begun_s), lambda: ended.set_result(None))
        await ended
        return loop.time() - begun_s

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(scene())


def test_nothing_is_unsent() -> None:
    assert ends_after(lambda at_s: 0) == pytest.approx(1)


def test_nothing_is_leaving() -> None:
    assert ends_after(lambda at_s: 1000) == pytest.approx(1)


def test_a_slow_reader_is_waited_for() -> None:
    assert ends_after(lambda at_s: max(0, 1000 - int(at_s * 10))) == pytest.approx(101, abs=1)


def test_a_reader_that_stops_is_not_waited_for() -> None:
    assert ends_after(lambda at_s: max(500, 1000 - int(at_s * 100))) == pytest.approx(6, abs=1)


def test_the_time_counts_from_when_the_goodbye_has_left() -> None:
    assert 1.5 < ends_after(lambda at_s: 6 if at_s < 0.5 else 0) <= 2.01


def test_a_time_that_is_cancelled_does_not_end() -> None:
    async def scene() -> bool:
        ended: list[bool] = []
        limit = ClosingTime(asyncio.get_running_loop(), 1.0, lambda: 0, lambda: ended.append(True))
        limit.cancel()
        await asyncio.sleep(10)
        return bool(ended)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(scene()) is False


def test_a_peer_that_was_given_everything_is_told_of() -> None:
    ended = overdue(Ending(code=1000, by="us"), 0, 1.0)
    assert str(ended) == "we closed the connection with code 1000: the other side did not close within 1 s"


def test_a_peer_that_was_not_given_everything_is_not_blamed() -> None:
    ended = overdue(Ending(code=1000, by="us"), 1_234_567, 1.0)
    assert ended.unsent_bytes == 1_234_567
    assert "the other side" not in str(ended)
    assert "1,234,567 bytes" in str(ended)
