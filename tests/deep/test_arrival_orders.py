"""The mailbox against a plain model of its promises, over random orders of whatever can happen.

The model keeps everything in lists and looks through them from the beginning: slow, and short enough to be seen to be
right. After every step both must agree on who was woken, with what, and on what is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.conversation.ending import Ending
from antiphon.conversation.mailbox import Ban, Mailbox
from antiphon.conversation.match import matches
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names
from antiphon.conversation.typed_waits import AskedExchange
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.errors import ChannelClosed, CheckFailed, DeadlinePassed, ForbiddenMessage, RequestRefused, ScenarioError

PENDING, SATISFIED, ABANDONED = "pending", "satisfied", "abandoned"


# -- the model --------------------------------------------------------------------------------------------------------


class Awaited:
    """A wait as the model knows it."""

    def __init__(self, wait: Wait, after: int) -> None:
        self.wait = wait
        self.after = after
        self.state: str | type = PENDING
        self.messages: list[Message] = []
        self.seen = 0
        self.has_ended = False  # an exchange whose last reply has come

    def accepts(self, message: Message) -> bool:
        wait = self.wait
        assert isinstance(wait, (MessageWait, AbsenceWait))
        if not is_named(wait, message) or message.number <= wait.since:
            return False
        if wait.where is None:
            return True
        if not callable(wait.where):
            return matches(wait.where, message.body)
        try:
            return bool(wait.where(message.body))
        except Exception:
            return isinstance(wait, AbsenceWait)


def is_named(wait: MessageWait | AbsenceWait, message: Message) -> bool:
    return wait.name in (None, message.name) or (isinstance(wait.name, tuple) and message.name in wait.name)


def answer_among(messages: list[Message]) -> Message | None:
    """The latest that says it is the answer, else the latest; None for a wait that takes no message."""
    answers = [message for message in messages if message.is_answer] or [None, *messages]
    return answers[-1]


class Model:
    """The promises, done naively."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.received = 0
        self.kept: list[Message] = []
        self.gone: list[int] = []  # the numbers of those that fell out
        self.drained: list[int] = []
        self.waits: list[Awaited] = []
        self.bans: list[Awaited] = []
        self.violations = 0
        self.is_open = True
        self.code: int | None = None
        self.woken: list[Awaited] = []

    def pending(self, *kinds: type) -> list[Awaited]:
        return [each for each in self.waits if each.state is PENDING and isinstance(each.wait, kinds or Wait)]

    def settle(self, each: Awaited, state: str | type) -> None:
        each.state = state
        if each not in self.woken:
            self.woken.append(each)

    def deliver(self, message: Message) -> None:
        self.received += 1
        self.violations += sum(ban.accepts(message) for ban in self.bans)
        self.break_absences(message)
        if message.reply_to is not None and self.reply(message):
            return
        if not self.offer(message):
            self.keep(message)

    def break_absences(self, message: Message) -> None:
        for each in self.pending(AbsenceWait):
            if each.accepts(message):
                self.settle(each, ForbiddenMessage)

    def reply(self, message: Message) -> bool:
        asked = [each for each in self.waits if isinstance(each.wait, Exchange) and not each.has_ended]
        asked = [each for each in asked if each.wait.request.asks == message.reply_to]
        if not asked:
            return False
        exchange = asked[0]
        wait = exchange.wait
        if isinstance(wait, AskedExchange) and message.is_last and not message.is_failure:
            wanted = wait.provisional
            if message.name in wanted if isinstance(wanted, frozenset) else matches(wanted, message.body):
                message.is_last = message.is_answer = False
        exchange.has_ended = message.is_last
        if exchange.state is not PENDING:
            return False
        exchange.messages.append(message)
        if message.is_failure:
            self.settle(exchange, RequestRefused)
        elif message.is_last:
            self.settle(exchange, self.verdict(exchange.wait.check, answer_among(exchange.messages)))
        elif exchange not in self.woken:
            self.woken.append(exchange)
        return True

    def offer(self, message: Message) -> bool:
        for each in self.pending(MessageWait):
            if each.accepts(message):
                self.take(each, message)
                return True
        return False

    def take(self, each: Awaited, message: Message) -> None:
        each.messages.append(message)
        self.settle(each, self.verdict(each.wait.check, message))

    def verdict(self, check: Any, message: Message) -> str | type:
        return SATISFIED if check is None or matches(check, message.body) else CheckFailed

    def keep(self, message: Message) -> None:
        self.kept = sorted([*self.kept, message], key=lambda kept: kept.number)
        if len(self.kept) > self.limit:
            self.gone.append(self.kept.pop(0).number)

    def begin(self, wait: Wait) -> None:
        each = Awaited(wait, self.received)
        self.waits.append(each)
        if isinstance(wait, (MessageWait, AbsenceWait)):
            fitting = [message for message in self.kept if each.accepts(message)]
            if fitting and isinstance(wait, AbsenceWait):
                return self.settle(each, ForbiddenMessage)
            if fitting:
                self.kept.remove(fitting[0])
                return self.take(each, fitting[0])
        if isinstance(wait, UntilWait) and wait.predicate():
            return self.settle(each, SATISFIED)
        if not self.is_open:
            each.has_ended = True
            return self.settle(each, self.ended(each))
        return None

    def ended(self, each: Awaited) -> str | type:
        if not isinstance(each.wait, CloseWait):
            return ChannelClosed
        return SATISFIED if each.wait.code in (None, self.code) else CheckFailed

    def look(self, each: Awaited) -> bool:
        is_true = isinstance(each.wait, UntilWait) and bool(each.wait.predicate())
        if is_true:
            self.settle(each, SATISFIED)
        return is_true

    def expire(self, now_ns: int) -> None:
        due = [each for each in self.pending() if each.wait.deadline_ns is not None and each.wait.deadline_ns <= now_ns]
        for each in sorted(due, key=lambda each: each.wait.deadline_ns):
            if not self.look(each):
                self.settle(each, SATISFIED if isinstance(each.wait, AbsenceWait) else DeadlinePassed)

    def close(self, code: int) -> None:
        if not self.is_open:
            return
        self.is_open, self.code = False, code
        for each in self.waits:
            if each.state is PENDING and not self.look(each):
                self.settle(each, self.ended(each))
            each.has_ended = True

    def drain(self, wanted: Awaited) -> None:
        drained = [message for message in self.kept if wanted.accepts(message)]
        self.kept = [message for message in self.kept if message not in drained]
        self.drained += [message.number for message in drained]

    def abandon(self, each: Awaited, *, is_withdrawn: bool = False) -> None:
        each.state = ABANDONED
        each.has_ended = each.has_ended or is_withdrawn
        if each in self.woken:
            self.woken.remove(each)
        unseen = each.messages[each.seen :]
        del each.messages[each.seen :]
        for message in unseen:
            self.break_absences(message)
            if not self.offer(message):
                self.keep(message)


# -- both, side by side -----------------------------------------------------------------------------------------------


class Both:
    """A mailbox and the model, given the same."""

    def __init__(self, limit: int, history: int) -> None:
        self.mailbox = Mailbox("both", limit=limit, history=history)
        self.model = Model(limit)
        self.bans: list[Ban] = []
        self.level = 0
        self.now_ns = 0

    def do(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])
        self.compare()

    def hear(self, name: str, n: Any) -> None:
        self._deliver(Message(name, {"n": n}, "{}"))

    def reply(self, key: Any, n: int, is_last: bool, is_failure: bool, is_answer: bool) -> None:
        correlation = {"reply_to": key, "is_last": is_last, "is_failure": is_failure, "is_answer": is_answer}
        self._deliver(Message(NAMES[n], {"n": n}, "{}", **correlation))

    def _deliver(self, message: Message) -> None:
        message.at_ns = self.now_ns
        said = message.is_last, message.is_answer
        self.mailbox.deliver(message, self.now_ns)
        judged = message.is_last, message.is_answer
        message.is_last, message.is_answer = said  # as the dialect said, for the model to judge by itself
        self.model.deliver(message)
        assert judged == (message.is_last, message.is_answer)

    def expect(self, name: Names, where: Any, check: Any, back: int | None, within: int | None) -> None:
        wait = MessageWait(name, where, check=check, since=self._mark(back), **self._timed(within))
        self.mailbox.expect(wait)
        self.model.begin(wait)

    def expect_none(self, name: Names, where: Any, back: int | None, within: int) -> None:
        wait = AbsenceWait(name, where, since=self._mark(back), **self._timed(within))
        self.mailbox.expect_none(wait)
        self.model.begin(wait)

    def ask(self, key: Any, check: Any, within: int | None, provisional: Any) -> None:
        request = Message("call", {}, "{}", asks=key)
        wait: Exchange = Exchange(request, check, **self._timed(within))
        if provisional is not None:
            wait = AskedExchange(request, None, provisional=provisional, judge=check, **self._timed(within))
        self.mailbox.expect_reply(wait)
        self.model.begin(wait)

    def until(self, height: int, within: int | None) -> None:
        wait = UntilWait(lambda: self.level >= height, "", **self._timed(within))
        self.mailbox.expect_until(wait)
        self.model.begin(wait)

    def rise(self, is_looked_at: bool) -> None:
        """What `until` waits for comes nearer; the driver looks again, if it was a message that made it so."""
        self.level += 1
        if not is_looked_at:
            return
        self.mailbox.look_again(self.now_ns)
        for each in self.model.pending(UntilWait):
            self.model.look(each)

    def expect_close(self, code: int | None, within: int | None) -> None:
        wait = CloseWait(code, **self._timed(within))
        self.mailbox.expect_close(wait)
        self.model.begin(wait)

    def forbid(self, name: Names, where: Any) -> None:
        wait = AbsenceWait(name, where, **self._timed(None))
        self.bans.append(self.mailbox.forbid(wait))
        self.model.bans.append(Awaited(wait, self.model.received))

    def lift(self, index: int) -> None:
        if self.bans:
            ban = self.bans[index % len(self.bans)]
            self.mailbox.lift(ban)
            self.model.bans = [each for each in self.model.bans if each.wait is not ban.wait]

    def drain(self, name: Names, where: Any, back: int | None) -> None:
        mark = self._mark(back)
        wanted = Awaited(MessageWait(name, where, since=mark, **self._timed(None)), 0)
        if callable(where) and any(self._raises(wanted, message) for message in self.model.kept):
            with pytest.raises(ScenarioError):
                self.mailbox.drain(name, where, mark)
            return
        numbers = [message.number for message in self.mailbox.drain(name, where, mark)]
        self.model.drain(wanted)
        assert numbers == self.model.drained[len(self.model.drained) - len(numbers) :]

    @staticmethod
    def _raises(wanted: Awaited, message: Message) -> bool:
        wait = wanted.wait
        assert isinstance(wait, MessageWait)
        if not is_named(wait, message) or message.number <= wait.since:
            return False
        try:
            wait.where(message.body)
        except Exception:
            return True
        return False

    def wake(self, how: str) -> None:
        """Those who wait are told; and have not looked yet ("later"), see what there is ("all") or not all of it."""
        woken, self.mailbox.settled, self.model.woken = self.model.woken, [], []
        for each in woken:
            if how == "later" or each.state is ABANDONED:
                continue
            each.seen = len(each.messages) if how == "all" else min(each.seen + 1, len(each.messages))
            if isinstance(each.wait, Exchange):
                each.wait.seen = each.seen
            else:
                each.wait.is_seen = True

    def abandon(self, index: int) -> None:
        for each in self._chosen(self.model.waits, index):
            self.mailbox.abandon(each.wait, self.now_ns)
            if each.state is not ABANDONED:
                self.model.abandon(each)

    def withdraw(self, index: int) -> None:
        asked = [each for each in self.model.waits if isinstance(each.wait, Exchange) and each.state is PENDING]
        for each in self._chosen(asked, index):
            assert isinstance(each.wait, Exchange)
            self.mailbox.withdraw(each.wait, self.now_ns)
            self.model.abandon(each, is_withdrawn=True)

    @staticmethod
    def _chosen(waits: list[Awaited], index: int) -> Iterator[Awaited]:
        if waits:
            yield waits[index % len(waits)]

    def expire(self, duration: int) -> None:
        self.now_ns += duration
        self.mailbox.expire(self.now_ns)
        self.model.expire(self.now_ns)

    def close(self, code: int) -> None:
        self.mailbox.close(Ending(code), self.now_ns)
        self.model.close(code)

    def reopen(self) -> None:
        self.mailbox.reopen()
        self.model.is_open = True

    def _mark(self, back: int | None) -> int:
        return 0 if back is None else max(self.model.received - back, 0)

    def _timed(self, within: int | None) -> dict[str, Any]:
        return {"made_ns": self.now_ns, "deadline_ns": None if within is None else self.now_ns + within}

    # -- what must be the same ----------------------------------------------------------------------------------------

    def compare(self) -> None:
        mailbox, model = self.mailbox, self.model
        assert [id(wait) for wait in mailbox.settled] == [id(each.wait) for each in model.woken]
        assert [message.number for message in mailbox.kept] == [message.number for message in model.kept]
        assert len(mailbox) == len(model.kept)
        assert mailbox.dropped == len(model.gone)
        assert len(mailbox.violations) == model.violations
        assert mailbox.received == model.received
        assert (mailbox.ending and mailbox.ending.code) == (None if model.is_open else model.code)
        pending = model.pending()
        assert [id(wait) for wait in mailbox.pending] == [id(each.wait) for each in pending]
        deadlines = [each.wait.deadline_ns for each in pending if each.wait.deadline_ns is not None]
        assert mailbox.next_deadline_ns == min(deadlines, default=None)
        for each in model.waits:
            assert state_of(each.wait) == each.state
            assert messages_of(each.wait) == each.messages
            if each.state is SATISFIED:
                assert each.wait.message is answer_among(each.messages)

    def conclude(self) -> None:
        """Every message is in one place; every failure can be told."""
        model = self.model
        taken = [message.number for each in model.waits for message in messages_of(each.wait)]
        kept = [message.number for message in self.mailbox.kept]
        assert sorted([*taken, *kept, *model.gone, *model.drained]) == list(range(1, self.mailbox.received + 1))
        errors = [each.wait.error for each in model.waits if each.wait.error is not None]
        for error in [*errors, *self.mailbox.violations]:
            assert 2 <= len(str(error).splitlines()) <= 40


def state_of(wait: Wait) -> str | type:
    if wait.is_abandoned:
        return ABANDONED
    if wait.is_pending:
        return PENDING
    return SATISFIED if wait.error is None else type(wait.error)


def messages_of(wait: Wait) -> list[Message]:
    if isinstance(wait, Exchange):
        return wait.messages
    return [wait.message] if wait.message is not None else []


# -- what can happen --------------------------------------------------------------------------------------------------


def at_least(least: int) -> Callable[[Any], bool]:
    """A predicate that raises on what is no mapping of a number: the body whose n is text."""
    return lambda body: bool(body["n"] >= least)


Step = tuple[Any, ...]


def every(kind: str, *choices: Sequence[Any]) -> st.SearchStrategy[Step]:
    """The steps of that kind, each as likely.

    Drawn in two, not one by one, for drawing is what takes the time here; and not at once, for of more than some
    hundred possibilities hypothesis prefers the first.
    """
    first, second = (st.sampled_from(list(product(*some))) for some in (choices[:2], choices[2:]))
    return st.tuples(first, second).map(lambda drawn: (kind, *drawn[0], *drawn[1]))


NAMES = ["a", "b", "c"]
ANY_NAME = ["a", "a", "b", ("a", "b"), ("b", "c"), ("c", "b", "a"), None]
PROVISIONAL = [None, None, frozenset({"b"}), {"n": 0}, lambda body: body["n"] == 1]
WHERE = [None, None, {"n": 0}, {"n": 1}, {"n": int}, {"n": "text"}, at_least(1), at_least(1)]
VALUES = [0, 0, 1, 1, 2, True, "text", [1]]
KEYS = ["kind", "kind", 0]
CHECK = [None, None, {"n": 1}]
BACK = [None, None, 0, 1, 3]
WITHIN = [None, 2, 5]
INDEX = range(40)
BOTH = [False, True]

hear = every("hear", NAMES, VALUES)
reply = every("reply", KEYS, [0, 1], [True], [False], [True])
odd_reply = every("reply", KEYS, [0, 1], BOTH, [False, False, True], BOTH)
expect = every("expect", ANY_NAME, WHERE, [None], [None], WITHIN)
odd_expect = every("expect", ANY_NAME, WHERE, CHECK, BACK, WITHIN)
expect_none = every("expect_none", ANY_NAME, WHERE, BACK, [1, 5])
ask = every("ask", KEYS, CHECK, WITHIN, PROVISIONAL)
wake = every("wake", ["all", "all", "some", "later"])
abandon = every("abandon", INDEX)
withdraw = every("withdraw", INDEX)
expire = every("expire", [0, 1, 3, 9])
until = st.one_of(every("until", range(5), WITHIN), every("rise", BOTH))
drain = every("drain", ANY_NAME, WHERE, BACK)
forbid = st.one_of(every("forbid", ANY_NAME, WHERE), every("lift", range(5)))
close = st.one_of(
    every("close", [1000, 1011]), every("reopen"), every("reopen"), every("expect_close", [None, 1000], WITHIN)
)


def lives(*kinds: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """Short and long ones alike; by itself, hypothesis makes mostly short ones."""
    step = st.sampled_from(kinds).flatmap(lambda kind: kind)
    return st.integers(1, 60).flatmap(lambda size: st.lists(step, min_size=size, max_size=size))


rarely = st.one_of(close, withdraw, expect, hear)
LIVES = {
    "messages": lives(hear, hear, hear, expect, expect, odd_expect, expect_none, wake, abandon, expire, drain),
    "exchanges": lives(ask, ask, ask, reply, odd_reply, odd_reply, odd_reply, wake, abandon, expire, rarely),
    "ends": lives(until, until, close, close, expire, expire, wake, abandon, hear, expect, expect_none, ask),
    "everything": lives(
        hear, hear, expect, odd_expect, ask, ask, reply, odd_reply, expect_none, until, close, wake, abandon, withdraw,
        expire, drain, forbid,
    ),
}  # fmt: skip
SIZES = st.sampled_from(list(product([100, 3, 100, 1, 0], [64, 2, 0], [32, 0])))


@pytest.mark.parametrize("kind", LIVES)
@settings(max_examples=max(60, settings.default.max_examples))
@given(data=st.data())
def test_nothing_is_lost_stale_or_taken_twice(kind: str, data: st.DataObject) -> None:
    limit, history, long = data.draw(SIZES, label="limit, history, what counts as long")
    steps = data.draw(LIVES[kind], label="steps")
    both = Both(limit, history)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("antiphon.conversation.backlog.LONG", long)
        patch.setattr("antiphon.conversation.wait_index.LONG", long)
        for step in steps:
            both.do(step)
        both.conclude()
