"""What can stand in the record of a run: what was said, awaited and done, each as plain data.

All times are nanoseconds since the run began.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal

import msgspec

from antiphon.conversation.awaited import WaitKind, describe_awaited
from antiphon.conversation.ending import EndedBy
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names
from antiphon.conversation.waits import Wait
from antiphon.conversation.wording import seconds
from antiphon.journal.arguments import Argument, arguments_told
from antiphon.journal.performed import PerformedStep, StepOutcome

__all__ = [
    "NO_SUBPROTOCOL",
    "Aside",
    "Called",
    "ChannelEnded",
    "ChannelOpened",
    "ChannelReopened",
    "ChannelReopening",
    "Dropped",
    "Entry",
    "Failed",
    "Handled",
    "HttpExchange",
    "HttpRequested",
    "MomentKept",
    "Note",
    "Recorded",
    "RunEnded",
    "RunStarted",
    "RunVerdict",
    "SignalGiven",
    "SoftCheckFailed",
    "StepEnded",
    "StepOutcome",
    "StepStarted",
    "TestEnded",
    "TestOutcome",
    "TimerStopped",
    "WaitEnded",
    "WaitOutcome",
    "WaitStarted",
    "kind_of",
]


NO_SUBPROTOCOL: Final = "no subprotocol"
"""The name of the aside that tells of it."""

RunVerdict = Literal["passed", "failed", "error", "interrupted"]
"""How a run ended: "failed" is the peer's fault, "error" anybody else's."""

TestOutcome = Literal["passed", "failed", "error", "xfailed", "xpassed", "skipped", "rerun"]
"""How a test ended: "error" is one in its setup or teardown, "rerun" an attempt that was made again."""

WaitOutcome = Literal["satisfied", "failed", "cancelled"]


class Entry(msgspec.Struct, tag_field="kind", omit_defaults=True, kw_only=True, eq=False, gc=False):
    """Something that happened, `at_ns` nanoseconds after the run began."""

    at_ns: int


class RunStarted(Entry, tag="run-started", omit_defaults=False):
    """The first entry: what is run, with which parameters, on which stand, by which process.

    `started_at` is the wall-clock time of zero.
    """

    scenario: str
    parameters: dict[str, Any]
    actors: dict[str, list[str]]
    stand: str
    started_at: str
    antiphon: str
    python: str
    pid: int


class RunEnded(Entry, tag="run-ended"):
    """The last entry that the run itself makes."""

    verdict: RunVerdict
    error: str = ""


class TestEnded(Entry, tag="test-ended"):
    """The test that made the run has ended: `test` is its node id. `at_ns` is that of the run's end.

    It is written behind the run's last entry, because a test's outcome is known after those of its runs: it may have
    expected a failure, or fail after a run that passed.
    """

    __test__: ClassVar[bool] = False  # pytest takes a class of such a name for a test

    test: str
    outcome: TestOutcome


class ChannelOpened(Entry, tag="opened"):
    """A channel's connection is there. `headers` are those that were sent with the opening request.

    `took_ns` is how long it took to open it; None for one that the peer opened.
    """

    actor: str
    channel: str
    address: str
    headers: dict[str, str] = {}
    subprotocol: str = ""
    took_ns: int | None = None


class ChannelEnded(Entry, tag="closed"):
    """A channel's connection has ended: see `antiphon.conversation.ending.Ending`."""

    actor: str
    channel: str
    code: int | None
    reason: str
    by: EndedBy
    detail: str = ""
    unsent_bytes: int = 0


class ChannelReopening(Entry, tag="reopening"):
    """A channel whose connection has ended is to be opened again: attempt number `attempt` begins after `in_ns`.

    `error` is what the attempt before it met, "" if it is the first; `took_ns` after how long, None if there was a
    connection, whose beginning and end are entries. `in_ns` is None if that was the last: then `attempt` is the number
    of that one, and the channel stays closed.
    """

    actor: str
    channel: str
    attempt: int
    in_ns: int | None
    error: str = ""
    took_ns: int | None = None

    @property
    def what(self) -> str:
        """It in words, behind the channel's name."""
        if self.in_ns is None:
            return f"is given up after attempt {self.attempt}: {self.error}"
        met = f": {self.error}" if self.error else ""
        return f"is to be opened again, attempt {self.attempt} in {seconds(self.in_ns)}{met}"


class ChannelReopened(Entry, tag="reopened"):
    """A channel is open again, by that attempt, and speaks: `away_ns` after its connection had ended."""

    actor: str
    channel: str
    attempt: int
    away_ns: int

    @property
    def what(self) -> str:
        """It in words, behind the channel's name."""
        return f"is open again by attempt {self.attempt}, after {seconds(self.away_ns)}"


class Aside(Entry, tag="aside"):
    """Something beside the messages of a connection, which no one waits for.

    `name` is what it is: "stderr" (its lines in `text`), "response headers" (in `headers`), "finished" (that side says
    no more, and still hears), "no subprotocol" (a server of WebSocket chose none of ours; `text` has them), "refused"
    and "not opened" (there is no connection; `text` says why).
    """

    actor: str
    channel: str
    name: str
    text: str = ""
    headers: dict[str, str] = {}
    is_sent: bool = False

    @property
    def lines(self) -> list[str]:
        """What it says, a line for each line or header."""
        return [*self.text.splitlines(), *(f"{name}: {value}" for name, value in self.headers.items())]


class StepStarted(Entry, tag="step-started", gc=True):
    """A business step begins.

    `number` counts from 1; `parent` is the step around it, 0 for none; `source` is its FILE:LINE. `arguments` are
    without secrets also in memory, where they are made when somebody reads them (`GivenArguments`).

    The collector looks into it, as into `WaitStarted`: the arguments may be the actor that did the step.
    """

    number: int
    parent: int
    actor: str
    action: str
    source: str
    arguments: Sequence[Argument] = ()

    @classmethod
    def of(cls, step: PerformedStep) -> StepStarted:
        """The beginning of a step, whatever has become of it since."""
        definition = step.definition
        return cls(
            at_ns=step.at_ns,
            number=step.number,
            parent=step.parent,
            actor=step.actor,
            action=definition.name,
            source=definition.source,
            arguments=definition.given(step.masker),
        )

    @property
    def title(self) -> str:
        """The step as it was written: `outbound_call('890000002')`."""
        return f"{self.action}({arguments_told(self.arguments)})"


class StepEnded(Entry, tag="step-ended"):
    """A business step has ended."""

    number: int
    outcome: StepOutcome
    error: str = ""

    @classmethod
    def of(cls, step: PerformedStep) -> StepEnded:
        """The end of a step that is over."""
        return cls(at_ns=step.ended_ns, number=step.number, outcome=step.outcome, error=step.error)


class WaitStarted(Entry, tag="wait-started", gc=True):
    """Someone waits, until `deadline_ns` (None: for ever), from FILE:LINE `source`.

    awaits: what kind of wait it is. name: of the message (None: any; a list: one of these), of the request whose
    replies are awaited, of the signal, or of the condition that is to be true. where: the pattern or predicate of the
    message's body; sinks get it, and the disk has it, as data (see `antiphon.conversation.awaited.where_as_data`).
    code: the close code that is wanted. place: FILE:LINE where the condition is written. times: how often the signal is
    to have been given.

    The collector looks into it, unlike into other entries: a predicate may hold its actor, which holds the record.
    """

    number: int
    actor: str
    channel: str
    awaits: WaitKind
    step: int
    deadline_ns: int | None
    source: str
    name: Names = None
    where: Any = None
    code: int | None = None
    place: str = ""
    times: int = 1

    @classmethod
    def of(cls, wait: Wait[Any]) -> WaitStarted:
        """The beginning of a channel's wait, whatever has become of it since."""
        asked: Any = wait
        kind, driver, step = wait.kind, wait.driver, wait.step
        started = cls(
            at_ns=wait.made_ns,
            number=wait.order,
            actor=driver.actor,
            channel=driver.channel,
            awaits=kind,
            step=step.number if step is not None else 0,
            deadline_ns=wait.deadline_ns,
            source=wait.source or "",
        )
        # By what each kind is called, one for each class: of waits on disk there are as many as messages.
        if kind == "reply":
            started.name = asked.request.name
        elif kind == "close":
            started.code = asked.code
        else:
            started.name = asked.name
            if kind == "until":
                started.place = asked.place
            else:
                started.where = asked.where
        return started

    @property
    def what(self) -> str:
        """What is waited for, in words: they are made when somebody asks."""
        return describe_awaited(self.awaits, self.name, self.where, code=self.code, place=self.place, times=self.times)


class WaitEnded(Entry, tag="wait-ended"):
    """A wait has ended.

    `message` is the number of the received message, 0 for none. `step` is the business step which that message is shown
    under because this wait took it as it came; None for one that is shown where it came, or for none.
    """

    number: int
    outcome: WaitOutcome
    message: int = 0
    error: str = ""
    step: int | None = None

    @classmethod
    def of(cls, wait: Wait[Any]) -> WaitEnded:
        """The end of a channel's wait, as it is now: what is abandoned later gives back what it had."""
        error, message = wait.error, wait.message
        if error is None:  # nearly all
            return cls(
                at_ns=wait.settled_ns,
                number=wait.order,
                outcome="cancelled" if wait.is_abandoned else "satisfied",
                message=message.number if message is not None else 0,
            )
        ended = cls(at_ns=wait.settled_ns, number=wait.order, outcome="cancelled")
        # What nobody wanted to hear of any more has not failed.
        if not getattr(wait, "is_left", False):
            ended.outcome, ended.error = "failed", type(error).__name__
            ended.message = message.number if message is not None else 0
        return ended


class Handled(Entry, tag="handled"):
    """A handler has seen a received message; `took_ns` is how long it took, `error` what it raised.

    `step` is the business step that it is shown under, 0 for none.
    """

    actor: str
    channel: str
    message: int
    handler: str
    took_ns: int
    error: str = ""
    step: int = 0


class Called(Entry, tag="called"):
    """A function was called by a workflow and returned.

    `number` is its step, `result` a short form of what it returned; in memory that is made when somebody reads it.
    """

    number: int
    function: str
    save_as: str
    result: str


class HttpRequested(Entry, tag="http-requested"):
    """A request over HTTP is sent; its `HttpExchange` follows when it has come to an end."""

    actor: str
    channel: str
    step: int
    number: int
    method: str
    url: str
    request_headers: dict[str, str]
    request_body: str

    def exchange(self, error: str = "") -> HttpExchange:
        """The exchange that this begins, without an answer."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return HttpExchange(**fields, took_ns=0, error=error)


class HttpExchange(Entry, tag="http"):
    """A request over HTTP and what came of it; `status` is 0 and `error` tells why when nothing did."""

    actor: str
    channel: str
    step: int
    number: int
    method: str
    url: str
    took_ns: int
    request_headers: dict[str, str]
    request_body: str
    status: int = 0
    response_headers: dict[str, str] = {}
    response_body: str = ""
    error: str = ""


class Dropped(Entry, tag="dropped"):
    """Messages fell out of a full mailbox: `count` so far.

    `limit` is how many it keeps; `limit_bytes` how much data of theirs, where that was too much, else None. `step` is
    the business step that it is shown under, 0 for none.
    """

    actor: str
    channel: str
    count: int
    limit: int
    step: int = 0
    limit_bytes: int | None = None

    @property
    def crossed(self) -> str:
        """The limit that was crossed, in words."""
        return str(self.limit) if self.limit_bytes is None else f"{self.limit_bytes} bytes"


class Failed(Entry, tag="failed"):
    """The run failed, and why."""

    error: str
    text: str


class SoftCheckFailed(Entry, tag="soft-check-failed"):
    """A check that collects has failed; the run goes on."""

    text: str


class Note(Entry, tag="note"):
    """Something worth knowing that is no failure: a blocked event loop, a message that came too late."""

    text: str


class SignalGiven(Entry, tag="signal"):
    """A branch of the scenario gave a signal; `value` is a short form of what went along."""

    name: str
    actor: str
    step: int
    value: str = ""


class MomentKept(Entry, tag="moment"):
    """`at()` began its step. `due_ns` is when it was to begin, `error_ns` how much later it did."""

    step: int
    due_ns: int
    error_ns: int


class TimerStopped(Entry, tag="timer"):
    """What an author times is over, `took_ns` after it began. `step` is the business step it ended in, 0 for none."""

    name: str
    took_ns: int
    step: int = 0


Recorded = Entry | Message


def kind_of(entry: Recorded) -> type:
    """What tells a reader of which kind an entry is: its class, and `Message` for whatever a dialect makes of that."""
    return Message if isinstance(entry, Message) else type(entry)
