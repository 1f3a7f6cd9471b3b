"""How a protocol ends, above the wire: its own goodbye, ours and the peer's, and a peer that has fallen silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from antiphon.actor.reading_pause import ReadingPause
from antiphon.actor.sending import Sender
from antiphon.conversation.ending import Ending
from antiphon.conversation.wording import seconds
from antiphon.errors import ScenarioError
from antiphon.journal import Note
from antiphon.runtime.runtime import Runtime
from antiphon.transport.closing_time import ClosingTime
from antiphon.transport.timeouts import BusyTolerantTimer

__all__ = ["ProtocolEnding"]

GOODBYE_WITHIN_S: Final = 5.0
"""How long the peer's goodbye is waited for while nothing comes and nothing leaves."""


class ProtocolEnding:
    """Of one connection."""

    def __init__(self, runtime: Runtime, sender: Sender, owner: str, reading: ReadingPause) -> None:
        self._runtime = runtime
        self._sender = sender
        self._codec = sender.codec
        self._owner = owner
        self._reading = reading
        self._silence_s: float | None = None
        self._silence: BusyTolerantTimer | None = None
        self._heard = 0
        self._heard_ns = 0
        self._broken_off: Ending | None = None
        self._close_with: tuple[int | None, str] | None = None
        self._waiting: ClosingTime[tuple[int, int]] | None = None
        self._is_closed = False

    def hear(self) -> None:
        """The peer has said something."""
        self._heard += 1
        self._heard_ns = self._runtime.now_ns()

    def look(self) -> None:
        """See what the codec says of itself now."""
        codec = self._codec
        if codec.silence_s != self._silence_s:
            self._set_silence(codec.silence_s)
        if not self._is_closed and (codec.ending is not None or (self._waiting is not None and codec.is_done)):
            self._close_wire()

    def begin(self, code: int | None, reason: str, say: Callable[[], None]) -> None:
        """We part: say the protocol's goodbye, once, and close the wire when the peer has said its own.

        Raises ValueError for a code or reason that cannot be sent, if it is sent at once.
        """
        if self._close_with is None and not self._is_closed:
            self._close_with = code, reason
            say()
            connection = self._sender.connection
            if connection is not None and not self._codec.is_done and self._codec.ending is None:
                connection.resume()  # what is full need not be read any more, but for this
                self._waiting = ClosingTime(self._runtime.loop, GOODBYE_WITHIN_S, self._progress, self._wait_no_more)
        if self._waiting is None and self._sender.connection is not None:
            self._is_closed = True
            self._sender.connection.close(*self._last_word(code, reason))

    def end(self, ending: Ending) -> Ending:
        """The connection has ended; gives how it has, as the protocol says it."""
        self._is_closed = True
        self._stop()
        if self._silence is not None:
            self._silence.cancel()
        said = self._codec.ending or self._broken_off
        if said is None:
            return ending
        code = said.code if said.code is not None else ending.code
        return msgspec.structs.replace(said, code=code, unsent_bytes=ending.unsent_bytes)

    # -- a goodbye ----------------------------------------------------------------------------------------------------

    def _progress(self) -> tuple[int, int]:
        connection = self._sender.connection
        return self._heard, connection.unsent_bytes if connection is not None else 0

    def _wait_no_more(self) -> None:
        text = f"{self._owner}: the other side did not say its protocol's goodbye within {GOODBYE_WITHIN_S:g} s"
        self._runtime.record(Note(at_ns=self._runtime.now_ns(), text=text))
        self._close_wire()

    def _close_wire(self) -> None:
        self._is_closed = True
        self._stop()
        connection = self._sender.connection
        if connection is None:
            return
        try:
            connection.close(*self._last_word(*(self._close_with or (None, ""))))
        except ValueError as error:
            connection.abort()
            self._runtime.fail(ScenarioError(f"{self._owner} cannot be closed like that: {error}"))

    def _last_word(self, code: int | None, reason: str) -> tuple[int | None, str]:
        """What the wire is closed with: what the protocol closes it with, if it does, else what was asked for."""
        ending = self._codec.ending
        if ending is not None and ending.by == "us" and ending.code is not None:
            return ending.code, ending.reason
        return code, reason

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    # -- silence ------------------------------------------------------------------------------------------------------

    def _set_silence(self, silence_s: float | None) -> None:
        self._silence_s = silence_s
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if silence_s is not None:
            self._heard_ns = self._heard_ns or self._runtime.now_ns()
            self._listen_for(silence_s)

    def _listen_for(self, within_s: float) -> None:
        # By turns of the loop: what lies unread because our own loop stood still was said in time.
        self._silence = BusyTolerantTimer(self._runtime.loop, within_s, self._judge_silence)

    def _judge_silence(self) -> None:
        connection, silence_s = self._sender.connection, self._silence_s
        if connection is None or silence_s is None:
            return
        if self._reading.is_paused:  # it may have said anything
            self._listen_for(silence_s)
            return
        quiet_ns = self._runtime.now_ns() - self._heard_ns
        rest_s = silence_s - quiet_ns / 1e9
        if rest_s > 0:
            self._listen_for(rest_s)
            return
        detail = f"the other side said nothing for {seconds(quiet_ns)}, and its protocol allows {silence_s:g} s"
        self._broken_off = Ending(by="us", detail=detail)
        connection.abort()
