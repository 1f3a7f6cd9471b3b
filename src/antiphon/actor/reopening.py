"""A channel that is opened again by itself, with what waits on it, when its connection has ended."""

from __future__ import annotations

import asyncio
import math
from random import Random
from typing import Any

from antiphon.actor.backoff import Backoff
from antiphon.actor.channel import Channel
from antiphon.actor.codec_failure import codec_failure
from antiphon.conversation.ending import Ending
from antiphon.conversation.gap import Gap
from antiphon.conversation.interruption import begin_gap, carry_on, end_gap
from antiphon.conversation.message import Message
from antiphon.conversation.waits import UntilWait, Wait
from antiphon.conversation.wording import seconds
from antiphon.errors import TransportError
from antiphon.journal import ChannelReopened, ChannelReopening
from antiphon.runtime.runtime import Runtime

__all__ = ["ReopeningChannel"]


class ReopeningChannel(Channel):
    """A channel which a `Backoff` opens again.

    While there is no connection its mailbox has a gap; one task makes the attempts, and ends it. Whoever closes or
    aborts the channel ends the task, too, and the gap with it, as if there had never been another connection to come.
    """

    def __init__(self, runtime: Runtime, name: str, *, backoff: Backoff, **options: Any) -> None:
        super().__init__(runtime, name, **options)
        self._backoff = backoff
        self._is_wanted = False
        self._attempts = 0
        self._opened_ns = 0
        self._chance: Random | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[Ending] | None = None

    # -- what authors call --------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, once; an open channel stays as it is. While it is being opened again, wait for that.

        Raises as `Channel.open` does, and ChannelClosed if it is given up.
        """
        if self.mailbox.gap is not None:
            await self.reopened(within_s=math.inf)
            return
        if self._task is not None and not self._task.done():  # what was closed meanwhile has to be gone
            await asyncio.wait((self._task,))
        self._is_wanted, self._attempts, self._opened_ns = True, 0, self._now_ns()
        try:
            await super().open()
        except BaseException:
            self._is_wanted = False
            raise
        self._look_again()

    def reopened(self, *, within_s: float | None = None) -> Wait[None]:
        """See `Channel.reopened`."""

        def is_open_again() -> bool:
            return self.is_open and self.mailbox.gap is None

        wait = UntilWait(is_open_again, "", **self._made(within_s))
        self.mailbox.expect_until(wait)
        self._begin(wait)
        return wait

    def close(self, code: int | None = None, reason: str = "") -> Wait[Ending]:
        """See `Channel.close`; while it is being opened again that is given up."""
        was_wanted, self._is_wanted = self._is_wanted, False
        if self.is_open:
            self._end_attempts()
        try:
            goodbye = super().close(code, reason)
        except BaseException:
            self._is_wanted = was_wanted
            raise
        self._end_attempts()
        return goodbye

    def abort(self) -> None:
        """See `Channel.abort`; while it is being opened again that is given up."""
        self._is_wanted = False
        super().abort()
        self._end_attempts()

    # -- the end of a connection --------------------------------------------------------------------------------------

    def on_ended(self, ending: Ending) -> None:
        super().on_ended(ending)
        gap = self.mailbox.gap
        if gap is None:
            return
        self._look_again()  # for what a handler of the end has changed
        if self._task is None or self._task.done():  # one that was cancelled before it began has tidied up nothing
            self._task = self._runtime.spawn(self._reopen(gap))
        elif self._ended is not None and not self._ended.done():
            self._ended.set_result(ending)

    def _end_waits(self, ending: Ending, now_ns: int) -> None:
        gap = self.mailbox.gap or self._new_gap(ending, now_ns)
        if gap is None or gap.is_given_up:
            super()._end_waits(gap.outcome if gap is not None else ending, now_ns)
        else:
            # One that was never ready knows nothing of what is to be resumed.
            resumes = self._resumes if self._sender.codec.is_ready else gap.carries
            begin_gap(self.mailbox, ending, gap, resumes, now_ns)

    def _resumes(self, request: Message) -> bool:
        """What the codec says of that; what it raises would leave through the transport."""
        try:
            return self._sender.codec.resumes(request)
        except Exception as error:
            failure = codec_failure(self._dialect, error, "in its resumes()")
            failure.place = failure.place or self.mailbox.owner
            self._runtime.fail(failure)
            return False

    def _new_gap(self, ending: Ending, now_ns: int) -> Gap | None:
        """None if no other connection is to follow."""
        # One whose protocol was not open yet belongs to whoever is opening it.
        if not (self._is_wanted and self._sender.codec.is_ready and self._backoff.follows(ending)):
            return None
        gap, error, lasted_ns = Gap(ending, now_ns), "", now_ns - self._opened_ns
        if self._attempts:
            if self._backoff.has_lasted(lasted_ns, self._attempts, self._asked_s):
                self._attempts = 0
            else:  # it ends as soon as it is open, again and again
                gap.attempt, error = self._attempts, f"it was open for {seconds(lasted_ns)}"
                gap.meet(error)
        self._schedule(gap, error, None)
        return gap

    # -- the attempts -------------------------------------------------------------------------------------------------

    async def _reopen(self, gap: Gap) -> None:
        """Make attempts until one leads to an open channel, or none is to follow."""
        try:
            while not gap.is_given_up:
                await asyncio.sleep((gap.next_ns - self._now_ns()) / 1e9)
                begun_ns = self._now_ns()
                ended = self._ended = self.loop.create_future()
                met = await self._attempt(gap, ended)
                if met is None:
                    return
                took_ns = self._now_ns() - begun_ns if not ended.done() else None
                if isinstance(met, Ending):
                    error, follows, least_s = f"it was open, and ended: {met}", self._backoff.follows(met), 0.0
                else:
                    # Whose attempt it was is said by whoever tells of it.
                    error = met.text.removeprefix(f"{self.mailbox.owner}: ")
                    follows, least_s = self._backoff.tries_again(met), self._backoff.least_s(met)
                gap.meet(error)
                self._schedule(gap, error, took_ns, least_s=least_s if follows else None)
            self._give_up(gap.outcome)
        except Exception:  # no attempt can be made, whoever's fault it is: the run fails with that
            self._give_up(gap.ending)
            raise
        finally:
            self._task = self._ended = None

    def _schedule(self, gap: Gap, error: str, took_ns: int | None, *, least_s: float | None = 0.0) -> None:
        """Say when the next attempt is, or that there is none, after one that met that error.

        It is not before `least_s`, and there is none for None.
        """
        if self._chance is None:
            self._chance = self._runtime.chance(self.mailbox.owner)
        chance = self._chance.random()
        wait_s = self._backoff.wait_s(self._attempts + 1, chance, self._asked_s)
        in_ns = round(max(wait_s, least_s) * 1e9) if wait_s is not None and least_s is not None else None
        if in_ns is None:
            gap.is_given_up = True
        else:
            self._attempts += 1
            gap.attempt, gap.next_ns = self._attempts, self._now_ns() + in_ns
        self._tell(ChannelReopening, in_ns=in_ns, error=error, took_ns=took_ns)

    @property
    def _asked_s(self) -> float | None:
        """How long the peer has asked to be left alone."""
        asked_s: float | None = getattr(self._transport, "retry_s", None)
        return asked_s

    async def _attempt(self, gap: Gap, ended: asyncio.Future[Ending]) -> TransportError | Ending | None:
        """Open it, and have `@on.reopened` do what it has to; gives what it met, None if it is open.

        `ended` is how the connection has ended, if there was one.
        """
        self._party.unanswered = [each.request for each in gap.carried if each.is_pending]
        try:
            await super().open()
        except TransportError as failure:
            return failure
        finally:
            self._party.unanswered = ()
        if not ended.done():
            self._carry_on(gap)
            await self._greet(ended)
        if ended.done():
            return ended.result()
        self._opened_ns = self._now_ns()
        end_gap(self.mailbox, self._opened_ns)
        self._driver.wake()
        return None

    def _carry_on(self, gap: Gap) -> None:
        now_ns = self._now_ns()
        self._tell(ChannelReopened, away_ns=now_ns - gap.from_ns)
        carry_on(self.mailbox, gap, self._resumes, now_ns)
        self._driver.wake()

    async def _greet(self, ended: asyncio.Future[Ending]) -> None:
        """Let the handler of the reopening have its say, as long as the connection lasts."""
        if self._dispatcher.handlers.reopened is None:
            return
        greeting = self._runtime.spawn(self._dispatcher.reopened())
        try:
            await asyncio.wait((greeting, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not greeting.done():
                greeting.cancel()
        await asyncio.wait((greeting,))

    def _give_up(self, ending: Ending) -> None:
        """There is no other connection: what waits fails, as at any end."""
        gap, self._is_wanted, now_ns = self.mailbox.gap, False, self._now_ns()
        if gap is not None:
            gap.is_given_up, gap.to_ns = True, now_ns
            self.mailbox.reopen()
            self.mailbox.close(ending, now_ns)
            self._driver.wake()

    def _end_attempts(self) -> None:
        """We close it: nothing follows."""
        gap, task = self.mailbox.gap, self._task
        if task is not None:
            task.cancel()
        if gap is not None and self.is_open:
            gap.to_ns = self._now_ns()
            self.mailbox.reopen()
        elif gap is not None:
            self._give_up(gap.ending)

    def _look_again(self) -> None:
        """For who waits until something is so that no message changes."""
        self.mailbox.look_again(self._now_ns())
        self._driver.wake()

    def _tell(self, kind: type[ChannelReopening | ChannelReopened], **facts: Any) -> None:
        self._record(kind(at_ns=self._now_ns(), actor=self.actor, channel=self.name, attempt=self._attempts, **facts))
