"""One conversation of a load: performed as any run is, measured as it is recorded, kept whole if it is worth it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final, Literal

from antiphon.journal import KEEP
from antiphon.journal.figures import ConversationKept, WhyKept
from antiphon.journal.masking import Masker
from antiphon.load.keeping import Keeper, conversation_name, kept_directory
from antiphon.load.measuring import Measuring
from antiphon.load.meter import Meter
from antiphon.load.metered_journal import LASTING, MeteredJournal
from antiphon.load.pacing import Start
from antiphon.load.plain_values import as_recorded
from antiphon.load.plan import Plan, PlannedPart
from antiphon.load.table import Columns, moment
from antiphon.scenarios.run import Run
from antiphon.scenarios.runner import performed
from antiphon.stand.stand import Stand

__all__ = ["Conversation", "Holder", "Outcome"]

Outcome = Literal["passed", "failed", "interrupted"]


class Holder:
    """What all conversations of a part have in common, prepared once."""

    def __init__(
        self,
        part: PlannedPart,
        plan: Plan,
        stand: Stand,
        meter: Meter,
        *,
        keeper: Keeper | None,
        columns: Columns | None,
        whole: int,
    ) -> None:
        self.part = part
        self.meter = meter
        self.keeper = keeper
        self.columns = columns
        self.rows: list[list[str]] = []
        self.epoch_s = 0.0
        """When the load began, in seconds since the epoch."""
        self._arguments = part.arguments()
        self._seed = plan.seed
        self._stand = stand
        self._whole = whole

    def begin(self, start: Start, due_ns: int, started_ns: int) -> Conversation | None:
        """Have it performed from now on, in a task; None if a feed of the part has been used up."""
        part, keeper = self.part, self.keeper
        given: dict[str, Any] | Exception | None
        try:
            given = self._arguments.of(start.number)
        except Exception as error:  # what a feed gives is wrong: that is this conversation's failure
            given = error
        if given is None:
            return None
        is_sample = keeper is not None and keeper.keep.is_drawn(self._seed, part.name, start.number)
        measuring, masker = self.meter.measuring(part.name), Masker(self._stand.secrets)
        # One that is kept whatever comes of it is kept whole, as a run of its own would be.
        keep, whole = (KEEP, KEEP) if is_sample else (min(LASTING, self._whole), self._whole)
        loop = asyncio.get_running_loop()
        journal = MeteredJournal(measuring, keep, masker, whole=whole, soon=loop.call_soon)
        journal.seed = f"{self._seed} {part.name} {start.number}"
        conversation = Conversation(self, start, due_ns, started_ns, journal, measuring, is_sample)
        # An empty context: what runs around the load is nobody's part of it.
        conversation.task = loop.create_task(self._perform(conversation, given), context=Context())
        return conversation

    async def _perform(self, conversation: Conversation, given: dict[str, Any] | Exception) -> Run:
        if isinstance(given, Exception):
            raise given
        scenario, journal = self.part.scenario, conversation.journal
        arguments = conversation.parameters = scenario.arguments(given)
        for known in filter(None, (self._stand.environment, arguments)):
            journal.masker.learn_from(known)
        return await performed(scenario, arguments, self._stand, journal, stay=conversation.stay)


class Conversation:
    """A conversation that is under way, or over; `parameters` are those of its scenario."""

    task: asyncio.Task[Run]

    def __init__(
        self,
        holder: Holder,
        start: Start,
        due_ns: int,
        started_ns: int,
        journal: MeteredJournal,
        measuring: Measuring,
        is_sample: bool,
    ) -> None:
        self.start: Final = start
        self.journal = journal
        self.parameters: dict[str, Any] = {}
        self.name = conversation_name(holder.part.name, start.number)
        self._holder = holder
        self._due_ns = due_ns
        self._started_ns = started_ns
        self._is_sample = is_sample
        self._is_slow = False
        self._held: asyncio.Event | None = None
        self._now_ns: Callable[[], int] | None = None
        self._done_ns: int | None = None  # when all was done that it was held open for
        self._measuring = measuring

    @property
    def is_staying(self) -> bool:
        """Whether all is done, and it is only held open."""
        return self._done_ns is not None

    def hold(self, now_ns: Callable[[], int]) -> None:
        """Have it stay, when all is done, until `let_go`: what that takes is not its time, by the clock `now_ns`."""
        if self._held is None or self._held.is_set():
            self._held, self._now_ns = asyncio.Event(), now_ns

    def let_go(self) -> None:
        """Have it part when all is done, or now."""
        if self._held is not None:
            self._held.set()

    async def stay(self) -> None:
        """All is done: be held open, if somebody wants that."""
        if self._held is not None and self._now_ns is not None and not self._held.is_set():
            self._done_ns = self._now_ns()
            await self._held.wait()

    def conclude(self, now_ns: int) -> Outcome:
        """It is over: count it, and keep it if it is to be kept; how it ended."""
        now_ns = self._done_ns if self._done_ns is not None else now_ns
        run, error = self._ended()
        outcome: Outcome = "passed" if error is None else "failed"
        if isinstance(error, asyncio.CancelledError):
            outcome = "interrupted"
        else:
            cause = self._measure(run, error, now_ns)
            if self._holder.columns is not None:
                self._holder.rows.append(self._row(self._holder.columns, run, outcome, cause, now_ns))
        if not self._is_slow:  # of one of the slowest it is written at the end
            self.journal.forget()
        return outcome

    def _ended(self) -> tuple[Run | None, BaseException | None]:
        """The run, None if there never was one, and what went wrong."""
        if self.task.cancelled():
            return None, asyncio.CancelledError()
        error = self.task.exception()
        if error is not None:
            return None, error
        run = self.task.result()
        return run, run.error

    def _measure(self, run: Run | None, error: BaseException | None, now_ns: int) -> str:
        """Count it, and keep it if it is to be kept; the cause that it failed for, "" for none."""
        part, keeper = self._holder.part.name, self._holder.keeper
        cause = self._holder.meter.conversation_ended(
            self._measuring,
            due_ns=self._due_ns,
            ended_ns=now_ns,
            error=error,
            conversation=self.name,
            mask=self.journal.masked,
        )
        text = cause.text if cause is not None else ""
        if keeper is None or run is None:  # of one that could not begin nothing is recorded
            return text
        took_us = (now_ns - self._due_ns) // 1000
        if cause is not None and keeper.wants_failed((part, cause.error, cause.text)):
            keeper.keep_now(self._kept("failed", run, took_us, text), self.journal.write_to)
        elif self._done_ns is not None:
            keeper.keep_now(self._kept("held", run, took_us), self.journal.write_to)
        elif self._is_sample:
            keeper.keep_now(self._kept("sample", run, took_us), self.journal.write_to)
        elif cause is None and keeper.is_slow(part, took_us):
            self._is_slow = True
            keeper.keep_slow(self._kept("slowest", run, took_us), self.journal.write_to)
        return text

    def _row(self, columns: Columns, run: Run | None, outcome: Outcome, cause: str, now_ns: int) -> list[str]:
        epoch_s = self._holder.epoch_s
        about = {
            "conversation": self.name,
            "part": self._holder.part.name,
            "outcome": outcome,
            "cause": cause,
            "user": ", ".join(_users(run).values()),
            "due": moment(epoch_s, self._due_ns),
            "started": moment(epoch_s, self._started_ns),
            "ended": moment(epoch_s, now_ns),
            "took_s": f"{(now_ns - self._due_ns) / 1e9:.3f}",
        }
        return columns.row(about, self.parameters, run, self.journal.masked)

    def _kept(self, why: WhyKept, run: Run | None, took_us: int, cause: str = "") -> ConversationKept:
        part = self._holder.part.name
        masker = self.journal.masker
        return ConversationKept(
            at_ns=self._due_ns + took_us * 1000,
            conversation=self.name,
            part=part,
            number=self.start.number,
            why=why,
            directory=kept_directory(part, self.start.number),
            due_ns=self._due_ns,
            started_ns=self._started_ns,
            took_us=took_us,
            parameters=masker.value({name: as_recorded(value) for name, value in self.parameters.items()}),
            users=_users(run),
            cause=cause,
        )


def _users(run: Run | None) -> dict[str, str]:
    """Who its actors were."""
    if run is None:
        return {}
    lent = {name: actor.__dict__.get("_user") for name, actor in run.actors.items()}
    return {name: user.name for name, user in lent.items() if user is not None}
