"""A child process as the peer, over its standard input and output: `stdio:PROGRAM ARGUMENT…`."""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.transport.interface import Opening, Receiver
from antiphon.transport.stream.byte_stream import ByteStream
from antiphon.transport.stream.connection import StreamConnection
from antiphon.transport.stream.pipes import PipePair, WholeLines

__all__ = ["StdioTransport"]

CLOSE_WITHIN_S: Final = 5.0
KILL_WITHIN_S: Final = 2.0


class StdioTransport(ByteStream[list[str]]):
    """Starts `stdio:PROGRAM ARGUMENT…`, words as a POSIX shell reads them (but there is no shell), and talks to it.

    `cwd` is its working directory; `env` are variables put over ours. A close ends its input and hears its output out;
    if that does not end within `close_within_s`, it is asked to end (SIGTERM), and `kill_within_s` later it is killed
    with all that it started and left in its process group. Its exit code is the ending's code (-15 for SIGTERM), its
    standard error comes as asides called "stderr".
    """

    form = "write stdio:PROGRAM ARGUMENT…, words as a shell reads them"

    def __init__(
        self,
        *,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        close_within_s: float = CLOSE_WITHIN_S,
        kill_within_s: float = KILL_WITHIN_S,
    ) -> None:
        super().__init__(close_within_s=close_within_s)
        self._cwd = cwd
        self._env = dict(env or {})
        self._kill_within_s = kill_within_s

    def read(self, address: str) -> list[str]:
        scheme, _, command = address.partition(":")
        words = shlex.split(command)
        if scheme != "stdio" or not words:
            raise ValueError("this names no program")
        return words

    async def create(self, where: list[str], _opening: Opening, begin: Callable[[], Any]) -> tuple[Any, Any]:
        # A group of its own: Ctrl-C in our terminal is for us, and what it starts can be ended with it.
        starting = asyncio.ensure_future(
            asyncio.get_running_loop().subprocess_exec(
                begin, *where, cwd=self._cwd, env={**os.environ, **self._env}, start_new_session=True
            )
        )
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The loops differ in what becomes of a process whose start is cancelled: it is let start, and ended.
            await asyncio.wait((starting,))
            if starting.exception() is None:
                _, child = starting.result()
                child.abort()
                await child.gone.wait()
            raise

    def explain(self, where: list[str], error: OSError | ValueError) -> tuple[str, str | None]:
        if self._cwd is not None and not Path(self._cwd).is_dir():
            text = f"there is no directory {os.fspath(self._cwd)} to start it in"
            return text, "cwd= of StdioTransport, or in the stand's transports.stdio, says where"
        if isinstance(error, FileNotFoundError):
            return f"there is no program {where[0]}", "is it installed, and in PATH or under that path?"
        if isinstance(error, PermissionError):
            return f"{where[0]} may not be executed", "is it a program, and executable (chmod +x)?"
        if getattr(error, "errno", None) == errno.ENOEXEC:
            return (
                f"{where[0]} is nothing that this system can execute",
                "does a script begin with #! and its interpreter?",
            )
        return f"{where[0]} could not be started: {error}", None

    def protocol(self, receiver: Receiver) -> StreamConnection:
        return _Child(receiver, self.close_within_s, self._kill_within_s)


class _Child(StreamConnection):
    """A process, whose pipes are the stream: also the `asyncio.SubprocessProtocol` of it."""

    def __init__(self, receiver: Receiver, close_within_s: float, kill_within_s: float) -> None:
        super().__init__(receiver, close_within_s)
        self._kill_within_s = kill_within_s
        self._process: Any = None
        self._has_spoken = False
        self._stderr = WholeLines(lambda lines: self._tell("on_aside", "stderr", lines))
        self._kill: asyncio.TimerHandle | None = None
        self.gone = asyncio.Event()

    def open(self) -> None:
        super().open()
        self._stderr.begin()

    def abort(self) -> None:
        super().abort()
        self._signal(signal.SIGKILL)

    def break_off(self) -> None:
        self._signal(signal.SIGTERM)
        self._kill_later(self._kill_within_s)

    # -- what the event loop calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._process = transport
        pipe = self._process.get_pipe_transport
        super().connection_made(cast("asyncio.BaseTransport", PipePair(pipe(_STDOUT), pipe(_STDIN))))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDERR:
            self._stderr.feed(data)
        else:
            self._has_spoken = True
            self.data_received(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == _STDOUT and not (self._is_hearing and self.eof_received()):
            self._stream.close()
        elif fd == _STDIN and exc is not None and self._is_open:
            self._tell("on_aside", "stdin", "the program has closed it before it had read all that was said")

    def process_exited(self) -> None:
        self._kill_later(self._close_within_s)  # those whom it has left may have its output still

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._kill is not None:
            self._kill.cancel()
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.close()
        super().connection_lost(None)
        self.gone.set()

    def _judge(self, exc: Exception | None) -> None:
        super()._judge(exc)
        code = self._process.get_returncode() if self._process is not None else None
        ending = self._goodbye
        if ending is None or ending.by == "wire":  # a process that has gone has said goodbye, by its code
            ending = Ending(by="peer", is_clean=True)
        if ending.by == "peer" and code is not None and code < 0:
            ending = msgspec.structs.replace(ending, is_clean=False, detail=f"ended by {_signal_name(-code)}")
        elif ending.by == "peer" and not self._has_spoken:
            last = f", and on stderr at last: {self._stderr.last}" if self._stderr.last else ""
            ending = msgspec.structs.replace(ending, detail=f"the program said nothing{last}")
        # Whoever had to be told by a signal has said no goodbye.
        is_clean = ending.is_clean and (ending.by == "peer" or not ending.detail)
        self._goodbye = msgspec.structs.replace(ending, code=code, is_clean=is_clean)

    def _tell_end(self) -> None:
        self._stderr.end()
        super()._tell_end()

    def _kill_later(self, within_s: float) -> None:
        if self._kill is not None:
            self._kill.cancel()
        self._kill = self._loop.call_later(within_s, self._signal, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """To the whole group, which the process leads; it may have gone."""
        if self._process is not None and not self._is_lost:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.get_pid(), number)


_STDIN, _STDOUT, _STDERR = range(3)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time one
        return f"signal {number}"
