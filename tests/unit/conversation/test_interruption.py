"""What waits while there is no connection, and another one is to follow."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.conversation.ending import Ending
from antiphon.conversation.gap import Gap
from antiphon.conversation.interruption import begin_gap, carry_on, end_gap
from antiphon.conversation.message import Message
from antiphon.errors import ChannelClosed, CheckFailed, DeadlinePassed, ForbiddenMessage

BROKEN = Ending(1006)


def nothing_resumes(_request: Message) -> bool:
    return False


def everything_resumes(_request: Message) -> bool:
    return True


def break_off(desk: Any, resumes: Any = nothing_resumes, gap: Gap | None = None, ending: Ending = BROKEN) -> Gap:
    gap = gap if gap is not None else Gap(ending, desk.now_ns)
    begin_gap(desk.mailbox, ending, gap, resumes, desk.now_ns)
    return gap


def come_back(desk: Any, gap: Gap, resumes: Any = nothing_resumes) -> None:
    carry_on(desk.mailbox, gap, resumes, desk.now_ns)
    end_gap(desk.mailbox, desk.now_ns)


def test_what_waits_waits_on_and_what_is_made_meanwhile_waits_too(desk: Any) -> None:
    before = desk.expect("a")
    gap = break_off(desk)
    meanwhile = desk.expect("b")
    assert before.is_pending
    assert meanwhile.is_pending
    come_back(desk.at(1), gap)
    desk.hear("b")
    desk.hear("a")
    assert desk.woken() == [meanwhile, before]


def test_a_deadline_is_no_other_than_it_was(desk: Any) -> None:
    wait = desk.expect("a", within_s=5)
    gap = break_off(desk.at(1))
    come_back(desk.at(4), gap)
    desk.expire(5)
    assert isinstance(wait.error, DeadlinePassed)
    assert "there was no connection from 1.000 s to 4.000 s of the run, and nothing could come" in str(wait.error)


def test_who_waits_for_the_end_is_told_each_time(desk: Any) -> None:
    first, other = desk.expect_close(1006), desk.expect_close(1000)
    gap = break_off(desk)
    late = desk.expect_close()
    assert first.ending == late.ending == BROKEN
    assert isinstance(other.error, CheckFailed)
    come_back(desk, gap)
    assert desk.expect_close().is_pending


def test_a_condition_that_an_end_has_made_true_is_seen(desk: Any) -> None:
    facts: list[str] = []
    met, unmet = desk.until(lambda: desk.mailbox.ending is not None), desk.until(lambda: facts)
    gap = break_off(desk)
    assert not met.is_pending
    assert unmet.is_pending
    facts.append("open again")
    come_back(desk, gap)
    assert not unmet.is_pending


def test_a_request_fails_at_once_and_holds_no_place(desk: Any) -> None:
    lost = desk.ask(1)
    gap = break_off(desk)
    assert isinstance(lost.error, ChannelClosed)
    assert "what was asked before is not answered on the next connection" in str(lost.error)
    come_back(desk, gap)
    again = desk.ask(1)
    desk.reply(1)
    assert desk.is_satisfied(again)
    assert lost.message is None


def test_a_request_that_is_resumed_is_answered_on_the_next_connection(desk: Any) -> None:
    first, second, given_up = desk.ask(1), desk.ask(1), desk.ask(2)
    desk.abandon(given_up)
    gap = break_off(desk, everything_resumes)
    assert first.is_pending
    come_back(desk, gap, everything_resumes)
    answers = [desk.reply(1), desk.reply(1)]
    assert [first.message, second.message] == answers
    assert desk.ask(2).is_pending


def test_a_request_that_is_not_resumed_after_all_fails_then_and_one_of_the_next_connection_does_not(desk: Any) -> None:
    old, answered = desk.ask(1), desk.ask(2)
    gap = break_off(desk, everything_resumes)
    new = desk.ask(3)
    desk.reply(2)
    come_back(desk, gap)
    assert isinstance(old.error, ChannelClosed)
    assert desk.is_satisfied(answered)
    assert new.is_pending
    desk.reply(3)
    assert desk.is_satisfied(new)


def test_a_connection_that_ends_within_the_gap_takes_its_own_requests_with_it(desk: Any) -> None:
    gap = break_off(desk)
    wait, request = desk.expect("a"), desk.ask(1)
    break_off(desk, gap=gap, ending=Ending(1011, by="peer"))
    assert wait.is_pending
    assert isinstance(request.error, ChannelClosed)
    assert desk.mailbox.gaps == (gap,)


def test_an_absence_does_not_hold_for_a_time_in_which_nothing_could_come(desk: Any) -> None:
    before, over = desk.expect_none("a", within_s=1), desk.expect_none("a", within_s=3)
    desk.expire(1)
    gap = break_off(desk.at(2))
    within = desk.expect_none("a", within_s=9)
    desk.expire(3)
    come_back(desk.at(4), gap)
    behind = desk.expect_none("a", within_s=1)
    desk.expire(5)
    desk.expire(20)
    assert [wait.error for wait in (before, behind)] == [None, None]
    assert isinstance(over.error, ChannelClosed)
    assert isinstance(within.error, ChannelClosed)
    told = str(over.error).splitlines()
    assert told[0] == ("alice.desk waited 3.000 s to hear no a, and none came, but not all that time could any come")
    assert told[1].strip().startswith("there was no connection since 2.000 s of the run")


def test_what_is_ruled_out_and_comes_behind_a_gap_fails_at_once(desk: Any) -> None:
    silence, ban = desk.expect_none("a"), desk.forbid("a")
    come_back(desk, break_off(desk))
    desk.hear("a")
    assert isinstance(silence.error, ForbiddenMessage)
    assert len(desk.mailbox.violations) == 1
    desk.mailbox.lift(ban)


def test_only_the_latest_gaps_are_remembered(desk: Any) -> None:
    gaps = []
    for at_s in range(20):
        gaps.append(break_off(desk.at(at_s)))
        come_back(desk, gaps[-1])
    assert desk.mailbox.gaps == tuple(gaps[-8:])


def test_a_gap_in_words() -> None:
    gap = Gap(Ending(1006), 2_000_000_000)
    assert list(gap.lines()) == [
        (
            "there was no connection since 2.000 s of the run, and nothing could come: "
            "the connection was lost without a close frame"
        )
    ]
    for gap.attempt in (1, 2, 3):
        gap.meet("nobody listens" if gap.attempt < 3 else "refused: 503")
    gap.attempt, gap.next_ns = 4, 9_000_000_000
    assert list(gap.lines())[1:] == [
        "  attempts 1 to 2 to open it again met: nobody listens",
        "  attempt 3 to open it again met: refused: 503",
        "  it is being opened again, attempt 4 at 9.000 s of the run",
    ]
    gap.to_ns = 9_500_000_000
    assert next(gap.lines()).startswith("there was no connection from 2.000 s to 9.500 s of the run")
    assert len(list(gap.lines())) == 3


def test_what_many_attempts_met_stays_small() -> None:
    gap = Gap(Ending(1006), 0)
    for gap.attempt in range(1, 101):
        gap.meet(f"refused: {gap.attempt}")
    assert [met[0] for met in gap.met] == list(range(93, 101))


@pytest.mark.parametrize(
    ("ending", "met", "told"),
    [
        (Ending(1006), ["nobody"], "it could not be opened again in 1 attempt, the last of which met: nobody"),
        (Ending(1006), [], "it could not be opened again in 0 attempts"),
        (Ending(1001, by="peer", detail="x"), [], "x; it could not be opened again in 0 attempts"),
    ],
)
def test_how_a_connection_ended_that_none_follows(ending: Ending, met: list[str], told: str) -> None:
    gap = Gap(ending, 0)
    for text in met:
        gap.attempt += 1
        gap.meet(text)
    assert gap.outcome == Ending(ending.code, by=ending.by, detail=told)


class Line:
    """A channel that breaks and comes back as hypothesis likes; each act happens a quarter of a second later."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.connection = 1
        self.gap: Gap | None = None
        self.waits: list[Any] = []
        self.asked: list[tuple[Any, int]] = []
        self.heard_on: dict[int, int] = {}
        self.keys = count(1)

    def act(self, act: str, number: int) -> None:
        self.desk.at(self.desk.now_ns / 1e9 + 0.25)
        getattr(self, act)(number)

    def expect(self, number: int) -> None:
        self.waits.append(self.desk.expect(f"m{number}", within_s=4))

    def give_up(self, number: int) -> None:
        if self.waits:
            self.desk.abandon(self.waits.pop(number % len(self.waits)))

    def time(self, _: int) -> None:
        self.desk.mailbox.expire(self.desk.now_ns)

    def ask(self, number: int) -> None:
        if self.gap is None:
            body = "carried" if number else "lost"
            self.asked.append((self.desk.ask(next(self.keys), body=body, within_s=None), self.connection))

    def hear(self, number: int) -> None:
        if self.gap is None:
            self.heard_on[self.desk.hear(f"m{number}").number] = self.connection

    def reply(self, number: int) -> None:
        if self.gap is None and self.asked:
            exchange, _ = self.asked[-1 - number % len(self.asked)]
            self.heard_on[self.desk.reply(exchange.key).number] = self.connection

    def end(self, _: int) -> None:
        """The connection, or the one that was to follow."""
        self.gap = break_off(self.desk, lambda request: request.body == "carried", self.gap)

    def come_back(self, number: int) -> None:
        """With the session as it was, or with a new one, whose keys begin anew."""
        if self.gap is not None:
            come_back(self.desk, self.gap, everything_resumes if number else nothing_resumes)
            self.gap, self.connection = None, self.connection + 1
            self.keys = self.keys if number else count(1)


ACTS = st.sampled_from(["expect", "ask", "hear", "reply", "end", "come_back", "give_up", "time"])


@given(acts=st.lists(st.tuples(ACTS, st.integers(0, 2)), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_wait_is_lost_over_breaks_and_none_gets_what_is_not_its_own(
    acts: list[tuple[str, int]], new_desk: Any
) -> None:
    line = Line(new_desk())
    for act in acts:
        line.act(*act)
    line.desk.expire(1_000)

    everyone = [*line.waits, *(exchange for exchange, _ in line.asked)]
    taken = Counter(wait.message.number for wait in everyone if wait.message is not None)
    assert all(times == 1 for times in taken.values())
    for wait in line.waits:
        assert not wait.is_pending
        assert wait.message is not None or isinstance(wait.error, DeadlinePassed)
    for exchange, connection in line.asked:
        assert exchange.error is None or isinstance(exchange.error, ChannelClosed)
        if exchange.message is not None and exchange.request.body == "lost":
            assert line.heard_on[exchange.message.number] == connection
