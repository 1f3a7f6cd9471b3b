"""What a connection tells beside its messages: its opening and its ends, and whatever else the wire says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from antiphon.actor.handlers import Dispatcher
from antiphon.actor.sending import Sender
from antiphon.actor.wait_driver import WaitDriver
from antiphon.conversation.ending import Ending
from antiphon.conversation.gap import gaps_within
from antiphon.conversation.headers import single_lines
from antiphon.conversation.message import Data, Message
from antiphon.conversation.waits import AbsenceWait
from antiphon.dialect.meeting import Meeting
from antiphon.errors import ConnectFailed, OpeningRefused, TransportError
from antiphon.journal import Aside, ChannelEnded, ChannelOpened, Note
from antiphon.journal.entries import NO_SUBPROTOCOL
from antiphon.runtime.runtime import Runtime

__all__ = ["Beside", "thrown_away"]

LARGE_CHARACTERS: Final = 4 * 1024
"""What is remembered of the past is bounded by counts, which is enough for texts up to this length."""


class Beside:
    """Of one channel, for its journal. `allow_half_open` keeps its connection open when the peer says no more."""

    def __init__(
        self, runtime: Runtime, driver: WaitDriver, sender: Sender, dispatcher: Dispatcher, allow_half_open: bool
    ) -> None:
        self._runtime = runtime
        self._driver = driver
        self._mailbox = driver.mailbox
        self._sender = sender
        self._dispatcher = dispatcher
        self._allow_half_open = allow_half_open

    def opened(self, meeting: Meeting, since_ns: int | None) -> None:
        """The connection is there; we began to open it at `since_ns`, None if the peer did."""
        at_ns, driver = self._runtime.now_ns(), self._driver
        is_ours = meeting.side == "client"
        self._runtime.record(
            ChannelOpened(
                at_ns=at_ns,
                actor=driver.actor,
                channel=driver.channel,
                address=meeting.address if is_ours else "",
                headers=single_lines(meeting.headers) if is_ours else {},
                subprotocol=meeting.subprotocol,
                took_ns=at_ns - since_ns if since_ns is not None else None,
            )
        )
        if meeting.subprotocols and not meeting.subprotocol and meeting.address.startswith(("ws", "http")) and is_ours:
            text = f"the server chose none of the subprotocols that we offered: {', '.join(meeting.subprotocols)}"
            self._note(NO_SUBPROTOCOL, text=text)

    def not_opened(self, failed: ConnectFailed) -> None:
        """There is no connection: whoever is about to fail because of that has it in the record."""
        self._note("refused" if isinstance(failed, OpeningRefused) else "not opened", text=failed.text)

    def ended(self, ending: Ending, at_ns: int) -> None:
        """The connection has ended."""
        self._runtime.record(
            ChannelEnded(
                at_ns=at_ns,
                actor=self._driver.actor,
                channel=self._driver.channel,
                code=ending.code,
                reason=ending.reason,
                by=ending.by,
                detail=ending.detail,
                unsent_bytes=ending.unsent_bytes,
            )
        )

    def on_protocol(self, name: str, data: Data, *, is_sent: bool) -> None:
        """See `antiphon.transport.interface.ProtocolReceiver`."""
        if is_sent:
            self._sender.send_owed(name, Message(name, data, data, frames=()))  # it is on its way already
            return
        number = self._mailbox.received = self._mailbox.received + 1
        driver = self._driver
        stamp: dict[str, Any] = {"number": number, "actor": driver.actor, "channel": driver.channel}
        self._runtime.record(Message(name, data, data, is_protocol=True, at_ns=self._runtime.now_ns(), **stamp))

    def on_aside(self, name: str, said: str | Mapping[str, str]) -> None:
        """See `antiphon.transport.interface.AttentiveReceiver`."""
        if isinstance(said, str):
            aside = self._note(name, text=said)
            if len(said) > LARGE_CHARACTERS:
                self._runtime.journal.weigh(aside, len(said))
            self._mailbox.past.add_asides(f"{name}: {line}" for line in aside.lines)  # headers seldom tell why
        else:
            headers = dict(said)
            self._runtime.masker.learn_later(lambda: headers)
            self._note(name, headers=headers)

    def on_finished(self) -> bool:
        """See `antiphon.transport.interface.AttentiveReceiver`."""
        if not self._allow_half_open:
            return False
        self._note("finished")
        self._mailbox.close(Ending(by="peer", is_half=True), self._runtime.now_ns())  # P8: nothing more can come
        self._dispatcher.finished()
        self._driver.wake()
        return True

    def tell_gaps(self, ban: AbsenceWait) -> None:
        """What was forbidden is so no more: it could not come all the time."""
        now_ns = self._runtime.now_ns()
        for gap in gaps_within(self._mailbox.gaps, ban, now_ns):
            text = f"{self._mailbox.owner}: there was to be {ban.describe()}, but {next(gap.lines())}"
            self._runtime.record(Note(at_ns=now_ns, text=text))

    def finish(self) -> None:
        """Say that we say no more."""
        self._sender.finish()
        self._note("finished", is_sent=True)

    def peer_has_finished(self) -> bool:
        """Whether the peer has said, in whatever way, that it says no more."""
        ending = self._mailbox.ending
        return ending is not None and ending.by == "peer"

    def _note(self, name: str, **said: Any) -> Aside:
        driver = self._driver
        aside = Aside(at_ns=self._runtime.now_ns(), actor=driver.actor, channel=driver.channel, name=name, **said)
        self._runtime.record(aside)
        return aside


def thrown_away(owner: str, ending: Ending) -> TransportError:
    """What was said before a close and did not leave: no one's fault that we know of, but not to be lost silently."""
    return TransportError(
        f"{owner}: {ending}", place=owner, hint="await channel.flushed() before the close waits until all has left"
    )
