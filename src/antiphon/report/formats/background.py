"""A sink that works in a thread of its own: a run, whose event loop has peers to serve, does not wait for the disk.

The thread lets entries gather for a moment and works through them together: woken for each one, it would take the
interpreter from the event loop for as long as it takes to write.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.journal import Sink

__all__ = ["Background"]

GATHER_S: Final = 0.05
"""So long entries gather."""

MOST: Final = 1000
"""Not more of them: then whoever records waits until they are written."""

LARGE_BYTES: Final = 64 * 1024
"""Nor behind a message of more than this, so that what lies in memory is bounded in bytes as well."""


class Background:
    """Gives entries to `sink` in the order in which they came, and has given it all of them when it is closed.

    The first is given at once, so that a place that cannot be written is told before anything is said there. What the
    sink raises later is told in the event loop in which the first was given, to whoever has asked by `tell_failures`;
    else it is raised by the next call, or by `close`. The sink gets the entries behind that one all the same. Who is
    killed loses what it had not got yet: the journal has it.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: deque[Any] = deque()
        self._given = 0
        self._written = 0
        self._is_over = False
        self._failure: Exception | None = None
        self._on_failure: Callable[[Exception], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_news = threading.Event()
        self._is_urgent = threading.Event()
        self._has_caught_up = threading.Event()
        self._thread: _Thread | None = None

    def __call__(self, entry: Any) -> None:
        if self._thread is None:
            self._thread = _Thread(target=self._work, name="antiphon report", daemon=True)
            self._thread.start()
            with suppress(RuntimeError):  # a report may be made without a loop
                self._loop = asyncio.get_running_loop()
            self._sink(entry)
            return
        is_large = False
        if isinstance(entry, Message):
            is_large = len(entry.raw) > LARGE_BYTES
            entry = copy(entry)  # the author has it, too
        self._given += 1
        self._waiting.append(entry)
        if is_large or len(self._waiting) >= MOST:
            self._catch_up()
        elif not self._has_news.is_set():
            self._has_news.set()
        self._tell()

    def tell_failures(self, on_failure: Callable[[Exception], None]) -> None:
        """Call this with what the sink raises, as soon as it does: nothing may be recorded for a long time."""
        self._on_failure = on_failure

    def close(self) -> None:
        """Wait until the sink has got everything."""
        if self._thread is not None:
            self._is_over = True
            self._is_urgent.set()
            self._has_news.set()
            self._thread.join()
            self._thread = None
        self._on_failure = None  # which mostly leads back here
        self._tell()

    def _catch_up(self) -> None:
        while self._written < self._given:  # it may have caught up with what came before
            self._has_caught_up.clear()
            self._is_urgent.set()
            self._has_news.set()
            self._has_caught_up.wait()

    def _work(self) -> None:
        while not self._is_over or self._waiting:
            self._has_news.wait()
            self._has_news.clear()
            self._is_urgent.wait(GATHER_S)
            self._is_urgent.clear()
            while self._waiting:
                try:
                    self._sink(self._waiting.popleft())
                except Exception as error:
                    self._fail(error)
                self._written += 1
            self._has_caught_up.set()

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        if self._loop is not None and self._on_failure is not None:
            with suppress(RuntimeError):  # the loop was closed
                self._loop.call_soon_threadsafe(self._tell_at_once)

    def _tell_at_once(self) -> None:
        failure = self._failure
        if failure is not None and self._on_failure is not None:
            self._failure = None
            self._on_failure(failure)

    def _tell(self) -> None:
        failure = self._failure
        if failure is not None:  # not before, or one that comes in this very moment would be lost
            self._failure = None
            raise failure


class _Thread(threading.Thread):
    is_bystander = True
    """A loop with virtual time waits for no such thread."""
