"""What a protocol owes by itself on a connection: its opening, acknowledgements, heartbeats, and what is given up.

How it opens and how it ends stand beside this, in `protocol_opening` and `protocol_ending`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from functools import cache, partial

from antiphon.actor.codec_failure import codec_failure
from antiphon.actor.protocol_ending import ProtocolEnding
from antiphon.actor.protocol_opening import ProtocolOpening
from antiphon.actor.reading_pause import ReadingPause
from antiphon.actor.sending import Sender
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Data, Message, Unreadable, Withdrawal
from antiphon.dialect.codec import Codec, Dialect
from antiphon.dialect.meeting import Side
from antiphon.errors import OpeningRefused
from antiphon.runtime.runtime import Runtime

__all__ = ["Housekeeping"]


class Housekeeping:
    """The duties of one codec on one connection. Most codecs have none, and then this does nothing.

    What a codec raises here fails the run, in the codec's name: it would leave through the transport otherwise, and be
    told as a connection that broke. `stop` is called with the key of each request that the peer has withdrawn.
    """

    def __init__(
        self,
        runtime: Runtime,
        sender: Sender,
        dialect: Dialect,
        reading: ReadingPause,
        side: Side,
        stop: Callable[[Hashable], None],
    ) -> None:
        codec = sender.codec
        may_change, may_owe, may_cancel, may_close, self._may_open = _overridden(type(codec))
        self._may_change = may_change or not codec.is_ready or codec.silence_s is not None
        self.has_duties = self._may_change or may_owe
        """Whether there may be something to do when data was decoded; fixed, so that most channels look no further."""
        self._may_cancel = may_cancel
        self._runtime = runtime
        self._sender = sender
        self._codec = codec
        self.dialect = dialect
        self._owner = owner = sender.owner
        self._stop = stop
        self._heartbeat_s: float | None = None
        self._next_beat: asyncio.TimerHandle | None = None
        is_opening = self._may_change and side == "client"
        self._opening = ProtocolOpening(runtime.loop, sender, owner) if is_opening else None
        is_ending = self._may_change or may_close
        self._ending = ProtocolEnding(runtime, sender, owner, reading) if is_ending else None

    @property
    def give_up(self) -> Callable[[Message], None] | None:
        """Tells the peer that nobody waits for the replies to a request any more; None where there is no word."""
        return self._give_up if self._may_cancel else None  # kept here, it would lead round in a circle

    def begin(self) -> None:
        """The connection is there: say what opens the protocol, and keep its heart beating."""
        if self._may_open:
            self._say("opening", self._codec.opening)
        if self._may_change:
            self._look()

    def hear(self, message: Message) -> None:
        """The protocol has said something by itself."""
        if isinstance(message, Withdrawal):
            self._stop(message.withdraws)
        elif isinstance(message, Unreadable) and isinstance(message.trouble, OpeningRefused):
            refusal, message.trouble = message.trouble, None  # the journal's need not keep what it goes through
            self._be_refused(refusal)

    def pay(self) -> None:
        """Data was decoded: say what the protocol owes for it, and see what it has changed."""
        if self._ending is not None:
            self._ending.hear()
        self._say("owed", self._codec.owed)
        if self._may_change:
            self._look()

    async def until_ready(self, address: str, within_s: float) -> None:
        """Wait for the protocol's own opening to be done.

        Raises ConnectFailed if that takes longer than `within_s`, the connection ends before, or the peer refuses.
        """
        if self._opening is not None:
            await self._opening.until_ready(address, within_s)

    def part(self, code: int | None, reason: str) -> None:
        """Say goodbye, and close the wire, when the peer's goodbye has come if the protocol has one.

        Raises ValueError for a code or reason that cannot be sent, if it is sent at once.
        """
        if self._ending is not None:
            self._ending.begin(code, reason, partial(self._say, "closing", self._codec.closing))
        elif self._sender.connection is not None:
            self._sender.connection.close(code, reason)

    def end(self, ending: Ending) -> Ending:
        """The connection has ended; gives how it has, as the protocol says it."""
        if self._next_beat is not None:
            self._next_beat.cancel()
        if self._ending is not None:
            ending = self._ending.end(ending)
        if self._opening is not None:
            self._opening.end(ending)
        return ending

    def _look(self) -> None:
        """See what the codec says of itself now."""
        self._set_heartbeat()
        if self._opening is not None:
            self._opening.look()
        if self._ending is not None:
            self._ending.look()

    def _be_refused(self, refusal: OpeningRefused) -> None:
        # If it was open, or we did not open it, nobody waits for that, and it must not be lost.
        if self._opening is None or not self._opening.refuse(refusal):
            refusal.place = refusal.place or self._owner
            self._runtime.fail(refusal)

    def _give_up(self, request: Message) -> None:
        # Also where nobody can be told: what is given up is not to be said again on the next connection.
        self._say("cancel", partial(self._codec.cancel, request))

    def _say(self, duty: str, owed: Callable[[], Iterable[Data | Message]]) -> None:
        try:
            for each in owed():
                self._sender.send_owed(duty, each)
        except Exception as error:
            failure = codec_failure(self.dialect, error, f"in its {duty}()")
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


@cache
def _overridden(kind: type[Codec]) -> tuple[bool, bool, bool, bool, bool]:
    """Whether codecs of this class may change what is looked at, owe something after data, have a word for what is
    given up, one at the end, and one at the beginning.

    By the class, so that nobody need be asked, after every message least of all, for what is not there.
    """
    may_change = not kind.gives_messages or kind.heartbeat is not Codec.heartbeat
    owes, cancels, parts, opens = (
        getattr(kind, name) is not getattr(Codec, name) for name in ("owed", "cancel", "closing", "opening")
    )
    return may_change, owes, cancels, parts, opens
