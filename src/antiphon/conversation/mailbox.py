"""The promises of waiting, as a pure machine.

One ordered mailbox for each channel. Messages are delivered, waits are made, time is told; the mailbox says which waits
that settled. It knows no I/O, no tasks and no clock: whoever drives it passes `now_ns` and wakes what is in `settled`
after the call, when the mailbox has finished its own change. A deadline passes when `expire` tells so: what was
delivered before that is in time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import count
from operator import attrgetter
from typing import Any, Final

from antiphon.conversation import failures
from antiphon.conversation.backlog import Backlog
from antiphon.conversation.checks import is_soft
from antiphon.conversation.ending import Ending
from antiphon.conversation.exchanges import Exchanges
from antiphon.conversation.gap import Gap
from antiphon.conversation.history import History
from antiphon.conversation.match import matches
from antiphon.conversation.message import Message
from antiphon.conversation.names import Names
from antiphon.conversation.overdue import Overdue, mark_late
from antiphon.conversation.refusal import expect_refusal, take_refusal
from antiphon.conversation.wait_index import WaitIndex
from antiphon.conversation.waits import AbsenceWait, Ban, CloseWait, Exchange, MessageWait, UntilWait, Wait, surrender
from antiphon.errors import CheckFailed, DeadlinePassed, ForbiddenMessage, ScenarioError

__all__ = ["DEFAULT_LIMIT_BYTES", "Ban", "Mailbox"]

DEFAULT_LIMIT_BYTES: Final = 64 * 1024 * 1024


class Mailbox:
    """What a channel has received and no one has taken, and who waits for what.

    owner: the channel's name in explanations, where `other` is what the other side is called.
    limit, limit_bytes: how many messages are kept, and how much raw data of theirs, from 0. Beyond it the oldest that
        is in `ignored` falls out, or the oldest of all if none is; both are counted in `dropped`, the former also in
        `dropped_ignored`. With `keeps_all` only what is ignored falls out, and `is_full` asks for a pause.
    history: how many past messages and takers are remembered for explanations, from 0; of large ones fewer.
    next_order: gives the waits their `order`, growing from 1; mailboxes that share a journal share it.

    `received` counts the messages that have come, over all connections. `settled` are the waits to wake: each once, and
    an exchange also when a reply has come that is not its last. `violations` are the forbidden messages that came,
    `soft_failures` the failed soft checks. `has_news`: there is a violation, something fell out, it became full, or
    somebody waits for a predicate or is to be told with others or of a failure. Whoever drives the mailbox takes these.
    `ending` and `ended_ns` tell how and when the latest connection ended; `gap` is there while another one is opened.
    """

    gap: Gap | None = None
    gaps: tuple[Gap, ...] = ()
    other = "the server"
    ended_ns = 0

    def __init__(
        self,
        owner: str = "",
        *,
        limit: int = 10_000,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        keeps_all: bool = False,
        history: int = 64,
        ignored: Container[Message] = (),
        next_order: Callable[[], int] | None = None,
    ) -> None:
        if limit < 0 or history < 0 or limit_bytes < 0:
            these = f"the limits {limit} and {limit_bytes} bytes, and the history {history}"
            raise ScenarioError(f"a mailbox cannot have {these}", hint="all are counts, from 0")
        self.owner = owner
        self.limit = limit
        self.limit_bytes = limit_bytes
        self.received = 0
        self.dropped = 0
        self.dropped_ignored = 0
        self.has_news = False
        self.ending: Ending | None = None
        self.settled: list[Wait[Any]] = []
        self.violations: list[ForbiddenMessage] = []
        self.soft_failures: list[CheckFailed] = []
        self.past = History(history)
        self.history = self.past.messages
        self.taken = self.past.taken
        self.ignored = ignored
        self._backlog = Backlog(ignored)
        self._keeps_all = keeps_all
        self._wait_index = WaitIndex()
        self.exchanges = Exchanges()
        self._absences: dict[int, AbsenceWait] = {}
        self.untils: dict[int, UntilWait] = {}
        self._pending: dict[int, Wait[Any]] = {}
        self._next_order = next_order if next_order is not None else count(1).__next__
        self._bans: list[Ban] = []
        self._overdue = Overdue()
        # Whether a message may concern others than whom it is for: one look for each message, and not three.
        self._has_bystanders = False

    def __len__(self) -> int:
        return len(self._backlog.messages)

    @property
    def kept(self) -> list[Message]:
        """The messages that no one has taken, oldest first."""
        return list(self._backlog.messages.values())

    @property
    def pending(self) -> list[Wait[Any]]:
        """The waits that are not settled, in the order in which they were made."""
        return sorted(self._all_pending(), key=_by_order)

    @property
    def next_deadline_ns(self) -> int | None:
        """The earliest deadline of a pending wait."""
        return min((wait.deadline_ns for wait in self._all_pending() if wait.deadline_ns is not None), default=None)

    def _all_pending(self) -> Iterator[Wait[Any]]:
        yield from self._pending.values()
        yield from (exchange for exchange in self.exchanges.all() if exchange.is_pending)

    # -- what comes in ------------------------------------------------------------------------------------------------

    def deliver(self, message: Message, now_ns: int) -> None:
        """Take in a message: number it, give it to whom it belongs, or keep it. It counts whoever waits (P1)."""
        self.received = message.number = self.received + 1
        self._list(self.hand_out(message, now_ns))

    def hand_out(self, message: Message, now_ns: int) -> Wait[Any] | None:
        """The same with a message that has been numbered and counted. Gives the wait that it has satisfied if that is
        all there is to tell; what else there is stands in `settled`, and there is news."""
        self.history.append(message)
        if self._has_bystanders:
            self._notice(message, now_ns)
        # P2, P3: a reply goes to its request, whoever waits for its name; what nobody takes is kept for whoever asks.
        key = message.reply_to
        if key is not None:
            if message.is_last:
                found: Any = self.exchanges.pop(key, None)
                # Most requests have one reply, their answer, and nobody else is told with them.
                if found.__class__ is Exchange and found.message is None and not (message.is_failure or self.settled):
                    self.taken.append((message.number, found))
                    found.message = message
                    found.settled_ns = now_ns
                    check = found.check
                    if check is None or matches(check, message.body):
                        return found
                    self._blame(found, now_ns)
                    return None
            else:
                found = self.exchanges.get(key)
            if found is not None and self._reply(found, message, now_ns):
                return None
        wait = self._next_for(message)
        if wait is not None:
            return self._take(wait, message, now_ns)
        self._backlog.add(message)
        if self.is_full:
            self._make_room()
        return None

    def is_awaited(self, message: Message) -> bool:
        """Whether somebody who waits now would take the message, which has not been delivered yet."""
        return self._wait_index.first(message) is not None

    def _notice(self, message: Message, now_ns: int) -> None:
        """Tell those who wait for no message, or do not wait any more, but whom this one concerns."""
        if self._bans:
            self._enforce(message, now_ns)
        if self._overdue:
            self._overdue.note(message, now_ns)
        if self._absences:
            self._break_absences(message, now_ns)
        self._has_bystanders = bool(self._bans or self._overdue or self._absences)

    def _next_for(self, message: Message) -> MessageWait | None:
        """The first expectation that accepts the message; it waits no more."""
        wait = self._wait_index.first(message)
        if wait is not None:
            del self._pending[wait.order]
            self._wait_index.remove(wait, wait.name)
        return wait

    def _reply(self, found: Exchange | deque[Exchange], message: Message, now_ns: int) -> bool:
        """Give the message to the first exchange of its key; False if that does not want it any more."""
        exchange = self.exchanges.whose(message, found)
        self.taken.append((message.number, exchange))
        if not exchange.is_pending:
            # P5: it was asked for and given up; it takes its turn among the replies, but is nobody's answer.
            if isinstance(exchange.error, DeadlinePassed):
                mark_late(exchange, now_ns)
            self.exchanges.forget(exchange.key)
            return exchange.is_left
        if exchange.message is None:
            exchange.message = message
        else:
            exchange.add(message)
        if message.is_failure or message.is_last:
            exchange.settled_ns = now_ns
            if not message.is_last:
                self.exchanges.abandon(exchange)  # what follows the refusal still belongs to it
            self._judge(exchange, message, now_ns)
        self._announce(exchange)
        return True

    def _judge(self, exchange: Exchange, last: Message, now_ns: int) -> None:
        """The last reply that matters has come."""
        if last.is_failure and not take_refusal(exchange, last):
            exchange.error = failures.refused(exchange, self, now_ns, last)
        elif exchange.check is not None and not matches(exchange.check, exchange.message.body):  # type: ignore[union-attr]
            self._blame(exchange, now_ns)

    def expect_refusal(self, exchange: Exchange, code: int | str | None) -> None:
        """The exchange is for a refusal with that code (None: with any), also if it is settled already."""
        if expect_refusal(exchange, code):
            exchange.error = None
            self._judge(exchange, exchange.messages[-1], exchange.settled_ns)

    def _take(self, wait: MessageWait, message: Message, now_ns: int) -> MessageWait | None:
        """Satisfy the wait; gives it as `hand_out` does."""
        self.taken.append((message.number, wait))
        wait.message = message
        wait.settled_ns = now_ns
        if wait.check is not None and not matches(wait.check, message.body):
            self._blame(wait, now_ns)
        elif self.settled:
            self._announce(wait)
        else:
            return wait
        return None

    def _blame(self, wait: MessageWait | Exchange, now_ns: int) -> None:
        """What satisfied the wait does not fit its check."""
        check = wait.check  # once: one that reads a type knows afterwards what did not fit
        error = failures.misjudged(wait, check, self, now_ns)
        if is_soft(check):  # P4 but for this: it is told at the end of the run, and the message counts
            self.soft_failures.append(error)
        else:
            wait.error = error
        self._announce(wait)

    def _announce(self, wait: Wait[Any]) -> None:
        """There is more to tell than that the wait is satisfied, or others are told with it."""
        self.has_news = True
        self._list(wait)

    def _enforce(self, message: Message, now_ns: int) -> None:
        for ban in self._bans:
            if ban.wait.accepts(message):
                self.violations.append(failures.forbidden(ban.wait, self, now_ns, message))
                self.has_news = True

    def _break_absences(self, message: Message, now_ns: int) -> None:
        # P9: it only looks. Whoever expects the message gets it all the same, and may come first or last.
        for wait in list(self._absences.values()):
            if wait.accepts(message):
                self._forget(wait)
                self._settle(wait, now_ns, failures.forbidden(wait, self, now_ns, message))
                self.has_news = True

    @property
    def size_bytes(self) -> int:
        """How much raw data the kept messages have; a character counts as a byte."""
        return self._backlog.size_bytes

    @property
    def is_full(self) -> bool:
        """Whether more is kept than the limits allow: for a moment, or until it is taken if all is kept."""
        return len(self._backlog.messages) > self.limit or self._backlog.size_bytes > self.limit_bytes

    def ignore_more(self) -> None:
        """`ignored` has grown, also by messages that are kept already."""
        self._backlog.judge_anew()

    def _make_room(self) -> None:
        """P12: what falls out is counted; what somebody may still expect goes last."""
        backlog = self._backlog
        self.has_news = True
        while self.is_full:
            if backlog.has_spare():
                self.dropped_ignored += 1
            elif self._keeps_all:
                return
            backlog.drop_oldest()
            self.dropped += 1

    # -- who waits ----------------------------------------------------------------------------------------------------

    def expect(self, wait: MessageWait) -> None:
        """Satisfy the wait with the oldest kept message that it accepts, or let it wait for the first that comes."""
        self._number(wait)
        # P2: what came before counts, also on a connection that has ended since: it was said.
        message = self._backlog.oldest(wait) if self._backlog.messages else None
        if message is not None:
            self._backlog.remove(message)
            self._list(self._take(wait, message, wait.made_ns))
        elif self.ending is None or not self._is_closed(wait):
            self._pending[wait.order] = wait
            self._wait_index.add(wait, wait.name)

    def expect_none(self, wait: AbsenceWait) -> None:
        """Fail the wait if a kept message, or one that comes before its deadline, is what it rules out."""
        self._number(wait)
        kept = self._backlog.oldest(wait)  # P9: where `expect` would succeed at once, this fails at once
        if kept is not None:
            self._settle(wait, wait.made_ns, failures.forbidden(wait, self, wait.made_ns, kept))
        elif not self._is_closed(wait):
            self._pending[wait.order] = wait
            self._absences[wait.order] = wait
            self._has_bystanders = True

    def expect_reply(self, exchange: Exchange) -> None:
        """Let the exchange collect what comes for its key from now on."""
        next_order = self._next_order
        exchange.order = next_order()
        exchange.after = self.received  # P5: before the request is sent, so that no reply can come in between
        if self.ending is not None and self._is_closed(exchange):
            return
        if self.exchanges.setdefault(exchange.request.asks, exchange) is not exchange:
            self.exchanges.queue(exchange)

    def withdraw(self, wait: Exchange, now_ns: int) -> None:
        """Undo `expect_reply`: the request could not be sent, so no reply will come."""
        if wait.is_pending:
            self.exchanges.withdraw(wait)
            wait.settled_ns = now_ns  # so that it holds no place
        self.abandon(wait, now_ns)

    def expect_close(self, wait: CloseWait) -> None:
        """Satisfy the wait by the connection's end, also by one that has been."""
        self._number(wait)
        self._pending[wait.order] = wait
        if self.ending is not None:
            self.end((wait,), self.ending, wait.made_ns)

    def expect_until(self, wait: UntilWait) -> None:
        """Look at the predicate now, again whenever `look_again` is called, and when the wait's time is over."""
        self._number(wait)
        if not self._look(wait, wait.made_ns) and not self._is_closed(wait):
            self._pending[wait.order] = wait
            self.untils[wait.order] = wait
            self.has_news = True

    def look_again(self, now_ns: int) -> None:
        """Settle the `until` waits whose predicate has become true (or raised)."""
        for wait in list(self.untils.values()):
            if wait.is_pending and self._look(wait, now_ns):
                self._forget(wait)

    def _look(self, wait: UntilWait, now_ns: int) -> bool:
        """Settle the wait, and return True, if its predicate is true or raises."""
        is_over, failure = wait.look(self.owner)
        if is_over:
            self._settle(wait, now_ns, failure)
        return is_over

    def forbid(self, wait: AbsenceWait) -> Ban:
        """From now on a message that the wait accepts is a violation, until the ban is lifted."""
        wait.after = self.received
        wait.since = max(wait.since, self.received)
        ban = Ban(wait)
        self._bans.append(ban)
        self._has_bystanders = True
        return ban

    def lift(self, ban: Ban) -> None:
        """End a ban; a ban that was lifted before stays so."""
        if ban in self._bans:
            self._bans.remove(ban)

    def drain(self, name: Names = None, where: Any = None, since: int = 0) -> list[Message]:
        """Take every kept message of such a name (None: of any) whose body fits `where`, oldest first.

        Raises ScenarioError, and takes nothing, when `where` is a predicate that raises.
        """
        wanted = MessageWait(name, where, since=since, made_ns=0, deadline_ns=None)
        drained = self._backlog.fitting(wanted)
        wanted.require_answers("drain")
        for message in drained:
            self._backlog.remove(message)
            self.taken.append((message.number, None))
        return drained

    def abandon(self, wait: Wait[Any], now_ns: int) -> None:
        """Cancel a wait: what it had received and nobody has seen goes back to its place in the mailbox.

        A message that goes back is offered to the waits that are pending first. The wait is woken no more.
        """
        if wait.is_abandoned:
            return
        wait.is_abandoned = True
        wait.sleeper = None  # it is woken no more, whatever comes of what it gives back
        if wait in self.settled:
            self.settled.remove(wait)
        if wait.is_pending:
            wait.settled_ns = now_ns
            self._forget(wait)
            if isinstance(wait, Exchange):
                self.exchanges.abandon(wait)
        for message in surrender(wait):  # P10
            self._give_back(message, now_ns)

    def _give_back(self, message: Message, now_ns: int) -> None:
        """As if the message had never been taken."""
        if self._absences:
            self._break_absences(message, now_ns)
        wait = self._next_for(message)
        if wait is not None:
            self._list(self._take(wait, message, now_ns))
        else:
            self._backlog.put_back(message)
            if self.is_full:
                self._make_room()

    # -- time and the end ---------------------------------------------------------------------------------------------

    def expire(self, now_ns: int) -> None:
        """Settle every wait whose deadline is not after `now_ns`, in the order of the deadlines."""
        due = [wait for wait in self.pending if wait.deadline_ns is not None and wait.deadline_ns <= now_ns]
        due.sort(key=_by_deadline)  # of deadlines that passed while the loop was held up, the first fails the run
        for wait in due:
            self._forget(wait)
            if isinstance(wait, AbsenceWait):
                self._settle(wait, now_ns, failures.unproven(wait, self, now_ns))
            # P9: a last look, since what a condition reads may be changed by more than messages.
            elif not (isinstance(wait, UntilWait) and self._look(wait, now_ns)):
                self._settle(wait, now_ns, failures.too_late(wait, self, now_ns))
                if isinstance(wait, Exchange):
                    self.exchanges.abandon(wait)
                elif not isinstance(wait, UntilWait):
                    self._overdue.append(wait)
                    self._has_bystanders = True

    def close(self, ending: Ending, now_ns: int) -> None:
        """The connection has ended, or half of it: so does every wait, at once. Of several endings the first counts."""
        if self.ending is not None and not self.ending.is_half:
            return
        self.ending, self.ended_ns = ending, now_ns
        self.end(self.pending, ending, now_ns)  # P8; a copy: what is settled here is no longer pending
        self._overdue.note_close(now_ns)
        self.exchanges.clear()  # ids begin anew on the next connection: a late reply must not meet an old request

    def end(self, waits: Iterable[Wait[Any]], ending: Ending, now_ns: int) -> None:
        """Settle these waits, which are pending: the connection has ended, or half of it."""
        for wait in waits:
            if isinstance(wait, CloseWait):
                if not ending.is_half:
                    self._forget(wait)
                    wait.ending = ending
                    wait.settled_ns = now_ns
                    if wait.code is not None and wait.code != ending.code:
                        wait.error = failures.misjudged_close(wait, self, now_ns)
                    self.settled.append(wait)
                continue
            self._forget(wait)
            if not (isinstance(wait, UntilWait) and self._look(wait, now_ns)):
                self._settle(wait, now_ns, failures.closed(wait, self, now_ns))

    def reopen(self) -> None:
        """A new connection carries on: what was kept stays, what was closed stays told."""
        self.ending = self.gap = None

    def _is_closed(self, wait: Wait[Any]) -> bool:
        """On a closed channel nothing will come: the wait fails at once."""
        if self.ending is None or self.gap is not None:
            return False
        self._settle(wait, wait.made_ns, failures.closed(wait, self, wait.made_ns))
        return True

    def _number(self, wait: Wait[Any]) -> None:
        wait.order = self._next_order()
        wait.after = self.received

    def _settle(self, wait: Wait[Any], now_ns: int, error: BaseException | None) -> None:
        wait.settled_ns = now_ns
        if error is not None:
            wait.error = error
        self._list(wait)

    def _list(self, wait: Wait[Any] | None) -> None:
        # An exchange may stand there already, for a reply before its last.
        if wait is not None and (wait.message is None or wait not in self.settled):
            self.settled.append(wait)

    def _forget(self, wait: Wait[Any]) -> None:
        """Take a pending wait out of every list; an exchange keeps its place among the exchanges."""
        if isinstance(wait, Exchange):
            return
        del self._pending[wait.order]
        self._absences.pop(wait.order, None)
        self.untils.pop(wait.order, None)
        if isinstance(wait, MessageWait):
            self._wait_index.remove(wait, wait.name)


_by_deadline = attrgetter("deadline_ns")
_by_order = attrgetter("order")
