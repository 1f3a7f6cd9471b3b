"""What a protocol owes by itself on a connection: its opening, acknowledgements, heartbeats, its goodbye."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from antiphon.actor.codec_failure import codec_failure
from antiphon.actor.sending import Sender
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message
from antiphon.dialect.codec import Codec, Dialect
from antiphon.errors import ConnectFailed
from antiphon.runtime.runtime import Runtime

__all__ = ["Housekeeping"]


class Housekeeping:
    """The duties of one codec on one connection. Most codecs have none, and then this does nothing.

    What a codec raises here fails the run, in the codec's name: it would leave through the transport otherwise, and be
    told as a connection that broke.
    """

    def __init__(self, runtime: Runtime, sender: Sender, dialect: Dialect, owner: str) -> None:
        codec = sender.codec
        # By the class, so that it need not be asked after every message what nobody has overridden.
        self.has_duties = (
            not codec.is_ready or type(codec).owed is not Codec.owed or type(codec).heartbeat is not Codec.heartbeat
        )
        """Whether there may be something to do when data was decoded; fixed, so that most channels look no further."""
        self._runtime = runtime
        self._sender = sender
        self._codec = codec
        self._dialect = dialect
        self._owner = owner
        self._became_ready: asyncio.Future[None] | None = None
        self._heartbeat_s: float | None = None
        self._next_beat: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The connection is there: say what opens the protocol, and keep its heart beating."""
        self._say("opening", self._codec.opening)
        self._set_heartbeat()

    def pay(self) -> None:
        """Data was decoded: say what the protocol owes for it, and see what it has changed."""
        self._say("owed", self._codec.owed)
        self._set_heartbeat()
        if self._became_ready is not None and self._codec.is_ready and not self._became_ready.done():
            self._became_ready.set_result(None)

    async def until_ready(self, address: str, within_s: float) -> None:
        """Wait for the protocol's own opening to be done.

        Raises ConnectFailed if that takes longer than `within_s`, or the connection ends before.
        """
        if self._codec.is_ready:
            return
        self._became_ready = self._runtime.loop.create_future()
        try:
            async with asyncio.timeout(within_s):
                await self._became_ready
        except TimeoutError:
            if self._sender.connection is not None:
                # Without a goodbye: in a protocol that is not open there are no words for one.
                self._sender.connection.abort()
            text = f"the connection is there, but its protocol did not open within {within_s:g} s"
            raise ConnectFailed(text, place=address) from None
        finally:
            self._became_ready = None

    def part(self) -> None:
        """We are about to close: say goodbye."""
        self._say("closing", self._codec.closing)

    def end(self, ending: Ending) -> None:
        """The connection has ended."""
        if self._next_beat is not None:
            self._next_beat.cancel()
        if self._became_ready is not None and not self._became_ready.done():
            self._became_ready.set_exception(ConnectFailed(f"{self._owner}: {ending}, before its protocol was open"))

    def _say(self, duty: str, owed: Callable[[], Iterable[Data | Message]]) -> None:
        try:
            for each in owed():
                self._sender.send_owed(duty, each)
        except Exception as error:
            failure = codec_failure(self._dialect, error, f"in its {duty}()")
            failure.place = failure.place or self._owner
            self._runtime.fail(failure)

    def _set_heartbeat(self) -> None:
        """Many protocols agree on the interval after the connection is there, and may do so again."""
        # Else every message would put the next beat off.
        if self._codec.heartbeat_s == self._heartbeat_s:
            return
        self._heartbeat_s = self._codec.heartbeat_s
        if self._next_beat is not None:
            self._next_beat.cancel()
            self._next_beat = None
        if self._heartbeat_s is not None:
            self._next_beat = self._runtime.later(self._heartbeat_s, self._beat)

    def _beat(self) -> None:
        if self._heartbeat_s is not None:
            self._next_beat = self._runtime.later(self._heartbeat_s, self._beat)
        self._say("heartbeat", self._codec.heartbeat)
