"""Which event loop a run gets."""

from __future__ import annotations

import asyncio
import sys

import pytest
import uvloop

from antiphon.runtime.event_loop import event_loop_factory


def test_it_is_uvloops_where_there_is_one() -> None:
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        assert isinstance(runner.get_loop(), uvloop.Loop)


def test_it_is_asyncios_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        assert isinstance(runner.get_loop(), asyncio.BaseEventLoop)
