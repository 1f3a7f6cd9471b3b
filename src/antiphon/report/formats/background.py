"""A sink that works in a thread of its own: a run, whose event loop has peers to serve, does not wait for the disk."""

from __future__ import annotations

import threading
from copy import copy
from queue import Queue
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.journal import Sink

__all__ = ["Background"]

MOST: Final = 1000
"""So many entries the thread may be behind: then whoever records waits for it."""

LARGE_BYTES: Final = 64 * 1024
"""Behind messages of more than this it may not be, so that what lies in memory is bounded in bytes as well."""


class Background:
    """Gives entries to `sink` in the order in which they came, and has given it all of them when it is closed.

    The first is given at once, so that a place that cannot be written is told before anything is said there. What the
    sink raises later is raised by the next call, or by `close`; it gets the entries behind that one all the same. Who
    is killed loses what the sink had not got yet: the journal has it.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: Queue[Any] = Queue(MOST)
        self._failure: Exception | None = None
        self._thread: _Thread | None = None

    def __call__(self, entry: Any) -> None:
        if self._thread is None:
            self._thread = _Thread(target=self._work, name="antiphon report", daemon=True)
            self._thread.start()
            self._sink(entry)
            return
        if isinstance(entry, Message):
            self._waiting.put(copy(entry))  # the author has it, too
            if len(entry.raw) > LARGE_BYTES:
                self._waiting.join()
        else:
            self._waiting.put(entry)
        self._tell()

    def close(self) -> None:
        """Wait until the sink has got everything."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None
        self._tell()

    def _work(self) -> None:
        while (entry := self._waiting.get()) is not None:
            try:
                self._sink(entry)
            except Exception as error:
                self._failure = self._failure or error
            finally:
                self._waiting.task_done()

    def _tell(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


class _Thread(threading.Thread):
    is_bystander = True
    """A loop with virtual time waits for no such thread."""
