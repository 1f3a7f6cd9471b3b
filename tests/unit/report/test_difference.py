"""What differs between two runs, and what differs between any two and is left out."""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from antiphon.conversation.wording import visible
from antiphon.report.difference.alignment import aligned, moved
from antiphon.report.difference.compare import Difference, compare
from antiphon.report.difference.text import lines
from antiphon.report.text import ASCII, UNICODE

NAMES = st.lists(st.sampled_from("abcd"), max_size=12)


def longest_common(before: list[str], after: list[str]) -> int:
    """How long a longest common subsequence is, by the plain quadratic table."""
    table = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i, first in enumerate(before):
        for k, second in enumerate(after):
            table[i + 1][k + 1] = table[i][k] + 1 if first == second else max(table[i][k + 1], table[i + 1][k])
    return table[-1][-1]


# -- alignment --------------------------------------------------------------------------------------------------------


@given(NAMES, NAMES)
def test_an_alignment_is_a_longest_common_subsequence(before: list[str], after: list[str]) -> None:
    pairs = aligned(before, after)
    assert all(before[first] == after[second] for first, second in pairs)
    assert pairs == sorted(pairs)
    assert len({first for first, _ in pairs}) == len({second for _, second in pairs}) == len(pairs)
    assert len(pairs) == longest_common(before, after)


@given(NAMES, NAMES)
def test_what_is_not_aligned_is_elsewhere_gone_or_new(before: list[str], after: list[str]) -> None:
    pairs = aligned(before, after)
    elsewhere, gone, new = moved(before, after, pairs)
    assert sorted([*(a for a, _ in pairs), *(a for a, _ in elsewhere), *gone]) == list(range(len(before)))
    assert sorted([*(b for _, b in pairs), *(b for _, b in elsewhere), *new]) == list(range(len(after)))
    assert not {before[at] for at in gone} & {after[at] for at in new}


def test_sequences_that_have_little_in_common_are_aligned_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.report.difference.alignment.MOST_EDITS", 5)
    chance = random.Random(7)
    before, after = (["start", *chance.choices("abcdefgh", k=300), "end"] for _ in range(2))
    pairs = aligned(before, after)
    assert pairs[0] == (0, 0)
    assert pairs[-1] == (301, 301)
    assert all(before[first] == after[second] for first, second in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    assert len(pairs) > 30


def test_a_hundred_thousand_names_with_few_edits_are_aligned() -> None:
    names = [f"m{number % 7}" for number in range(100_000)]
    after = [name for number, name in enumerate(names) if number % 20_000 != 9]
    assert len(aligned(names, after)) == len(after)


# -- messages ---------------------------------------------------------------------------------------------------------


def run(telling: Any, *said: Any, verdict: str = "passed") -> list[Any]:
    """The entries of a run in which these were received: a name, or a name and a body."""
    told = telling()
    for one in said:
        told.say(*((one,) if isinstance(one, str) else one))
    return list(told.finish(verdict, "" if verdict == "passed" else "Trouble: it is"))


def found(difference: Difference) -> list[tuple[str, str, int]]:
    return [(change.kind, change.name, change.count) for change in difference.messages]


def changes(difference: Difference) -> dict[str, tuple[str, str, str]]:
    return {f"{change.name} {change.path}": (change.kind, change.before, change.after) for change in difference.fields}


def test_the_same_run_is_the_same(call: list[Any]) -> None:
    difference = compare(call, call)
    assert difference.is_same
    assert difference.compared == 5


def test_messages_are_new_missing_or_elsewhere(telling: Any) -> None:
    before = run(telling, "hello", "state", "offer", "record", "bye")
    after = run(telling, "hello", "offer", "state", "extra", "extra", "bye")
    difference = compare(before, after)
    assert sorted(found(difference)) == [("missing", "record", 1), ("new", "extra", 2), ("reordered", "state", 1)]
    (new,) = (change for change in difference.messages if change.kind == "new")
    assert (new.actor, new.channel, new.direction, new.number) == ("operator", "desk", "received", 4)
    assert not difference.is_same


def test_each_channel_and_direction_is_a_sequence_of_its_own(telling: Any) -> None:
    before = telling().say("a").say("b", is_sent=True).say("c", actor="bob").finish()
    after = telling().say("c", actor="bob").say("b", is_sent=True).say("a").finish()
    assert compare(before, after).is_same
    other = telling().say("a").say("b").say("c", actor="bob").finish()
    assert sorted(found(compare(before, other))) == [("missing", "b", 1), ("new", "b", 1)]


def test_ignored_messages_are_in_neither(telling: Any) -> None:
    before, after = run(telling, "a", "ping", "b"), run(telling, "a", "b", "ping", "ping")
    assert not compare(before, after).is_same
    assert compare(before, after, ignored=["ping"]).is_same


def test_another_verdict_is_a_difference(telling: Any) -> None:
    difference = compare(run(telling, "a"), run(telling, "a", verdict="failed"))
    assert (difference.before, difference.after, difference.is_same) == ("passed", "failed", False)
    assert compare(run(telling, "a"), run(telling, "a")[:-1]).after == "unfinished"


# -- fields -----------------------------------------------------------------------------------------------------------


def test_fields_are_added_removed_and_changed(telling: Any) -> None:
    body = {"state": "connected", "muted": False, "tries": 1, "list": [{"a": 1}, {"a": 2}]}
    other = {"state": "talking", "tries": "1", "reason": "busy", "list": [{"a": 1}, {"a": 3, "b": None}, {"a": 4}]}
    difference = compare(run(telling, ("s", body), ("s", body)), run(telling, ("s", other), ("s", body)))
    assert {(change.kind, change.path, change.before, change.after) for change in difference.fields} == {
        ("value", "data.state", "'connected'", "'talking'"),
        ("removed", "data.muted", "False", ""),
        ("type", "data.tries", "number 1", "string '1'"),
        ("added", "data.reason", "", "'busy'"),
        ("value", "data.list[].a", "2", "3"),
        ("added", "data.list[].a", "", "4"),
        ("added", "data.list[].b", "", "None"),
    }
    assert {(change.count, change.of) for change in difference.fields} == {(1, 2)}


def test_null_is_a_type_and_true_is_not_one(telling: Any) -> None:
    difference = compare(run(telling, ("s", {"a": None, "b": 1})), run(telling, ("s", {"a": "x", "b": True})))
    assert changes(difference) == {
        "s data.a": ("type", "null None", "string 'x'"),
        "s data.b": ("type", "number 1", "boolean True"),
    }


def call_with(telling: Any, chance: random.Random, *, other_id: bool = False) -> list[Any]:
    """A call as a real system tells it, with ids and times of its own."""
    call_id, session = (str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(2))
    number = chance.randrange(100, 999)
    told = telling()
    told.say(
        "welcome", {"sessionID": session, "at": "2026-11-22T11:41:23.939Z", "token": f"tok_{chance.getrandbits(99):x}"}
    )
    for turn in range(6):
        body = {
            "callID": "deadbeef-0000-4000-8000-000000000000" if other_id and turn == 4 else call_id,
            "ticket": {"id": number, "label": f"call {call_id} of ticket"},
            "at": f"2026-11-22T11:41:{chance.randrange(10, 59)}.000Z",
            "since": 1_795_333_304 + chance.randrange(1000),
            "talk_s": chance.random(),
            "noise": f"n{chance.randrange(10**6)}",
            "seq": turn,
            "state": "connected",
        }
        told.say("state", body)
    return list(told.finish())


def test_ids_and_times_are_those_of_each_run(telling: Any) -> None:
    first, second = (call_with(telling, random.Random(seed)) for seed in (1, 2))
    difference = compare(first, second)
    assert difference.is_same, difference
    assert set(difference.variable) == {
        *("welcome data.sessionID", "welcome data.token", "state data.callID", "state data.ticket.id"),
        *("state data.ticket.label", "state data.at", "state data.since", "state data.talk_s", "state data.noise"),
    }
    assert difference.renamed == 4


def test_an_id_that_looks_like_a_time_by_chance_is_an_id(telling: Any) -> None:
    offers = [f"v=0\r\no=- {number} 1 IN IP4 127.0.0.1" for number in (3809644966593347908, 1756325401539834235)]
    difference = compare(*(run(telling, ("newRtc", {"offer": offer})) for offer in offers))
    assert difference.is_same
    assert difference.renamed == 1


def test_an_id_that_is_another_one_elsewhere_is_a_difference(telling: Any) -> None:
    first, second = (call_with(telling, random.Random(seed), other_id=seed == 2) for seed in (1, 2))
    (change,) = compare(first, second).fields
    assert (change.kind, change.path, change.count, change.of) == ("id", "data.callID", 1, 6)
    assert "deadbeef" in change.after


def test_a_value_that_is_another_in_every_message_is_still_a_change(telling: Any) -> None:
    before = run(telling, *[("s", {"state": "connected", "timeout_s": 30})] * 8)
    after = run(telling, *[("s", {"state": "online", "timeout_s": 60})] * 8)
    assert changes(compare(before, after)) == {
        "s data.state": ("value", "'connected'", "'online'"),
        "s data.timeout_s": ("value", "30", "60"),
    }


def test_data_that_is_no_json_is_compared_as_text_and_bytes(telling: Any) -> None:
    before = telling().say("t", raw="plain").say("b", raw=b"\xff\x01").say("u", raw=str(uuid.uuid4())).finish()
    after = telling().say("t", raw="other").say("b", raw=b"\xff\x02").say("u", raw=str(uuid.uuid4())).finish()
    difference = compare(before, after)
    assert {change.name for change in difference.fields} == {"t", "b"}
    assert difference.variable == {"u": 1}


def test_requests_over_http_are_compared_by_path(telling: Any) -> None:
    def fetched(status: int, body: str) -> list[Any]:
        url = f"http://127.0.0.1:{status}/interactions/{uuid.uuid4()}?x=1"
        return list(telling().exchange(url=url, status=status, response_body=body).finish())

    difference = compare(fetched(200, '{"state":"a"}'), fetched(500, '{"state":"b"}'))
    assert changes(difference) == {
        "POST /interactions/* response.status": ("value", "200", "500"),
        "POST /interactions/* response.body.state": ("value", "'a'", "'b'"),
    }


# -- timings ----------------------------------------------------------------------------------------------------------


def timed(telling: Any, took_ms: int) -> list[Any]:
    told = telling()
    for _ in range(3):
        step = told.begin("hang_up")
        told.say("hangUp", is_sent=True, asks="resultHangUp", step=step)
        told.at_ns += took_ms * 1_000_000
        told.say("resultHangUp", reply_to="resultHangUp")
        told.end(step)
    return list(told.finish())


def test_timings_have_moved_by_the_median(telling: Any) -> None:
    slower, request = compare(timed(telling, 100), timed(telling, 300)).timings
    assert {slower.what, request.what} == {"step hang_up", "request hangUp"}
    assert (slower.before_count, slower.after_count) == (3, 3)
    assert request.after_ms - request.before_ms == pytest.approx(200)
    assert compare(timed(telling, 300), timed(telling, 100)).timings[0].after_ms < 110


def test_timings_that_vary_have_not_moved(telling: Any) -> None:
    assert compare(timed(telling, 100), timed(telling, 145)).is_same, "less than half as much again"
    assert compare(timed(telling, 1), timed(telling, 40)).is_same, "less than 50 ms"
    assert compare(timed(telling, 100), timed(telling, 300), has_timings=False).is_same


# -- the whole --------------------------------------------------------------------------------------------------------


def told(difference: Difference) -> str:
    return "\n".join(line.plain for line in lines(difference, "A", "B", UNICODE))


def test_a_difference_is_told_by_kind(telling: Any) -> None:
    before = [*run(telling, "hello", ("state", {"x": 1}), "offer")]
    after = [*run(telling, "hello", ("state", {"x": 2, "y": "new"}), "extra", verdict="failed")]
    assert told(compare(before, after)).splitlines() == [
        "A → B",
        "  passed → failed",
        "",
        "messages",
        "  - missing   operator.desk ← offer  message 3 there, 0.003 s in the first run",
        "  + new       operator.desk ← extra  message 3 there, 0.003 s in the second",
        "",
        "fields",
        "  ~ other value ← state data.x  1 → 2  1 of 1",
        "  + new field   ← state data.y  'new'  1 of 1",
        "",
        "5 differences: 2 messages compared",
    ]


def test_other_parameters_are_told_and_are_no_difference(telling: Any) -> None:
    difference = compare(telling(times=1).say("a").finish(), telling(times=2).say("a").finish())
    assert difference.is_same
    assert "  outgoing(times=1) → outgoing(times=2)" in told(difference).splitlines()


def test_no_difference_is_told_as_such(telling: Any) -> None:
    text = told(compare(call_with(telling, random.Random(1)), call_with(telling, random.Random(2))))
    assert "no difference: 7 messages compared" in text
    assert "not counted: ids and times in 9 fields (state data." in text
    assert "4 ids of the first run are others in the second" in text


def test_hostile_content_is_told_in_lines_that_do_nothing(hostile: list[Any], telling: Any) -> None:
    difference = compare(hostile, telling().finish())
    for signs in (UNICODE, ASCII):
        for line in lines(difference, "\x1b[2J", "B", signs):
            assert isinstance(line, Text)
            assert visible(line.plain) == line.plain
    assert compare(hostile, hostile).is_same
    assert json.dumps([change.name for change in difference.messages])


def test_the_difference_of_long_runs_costs_time_linear_in_them(
    long_run: Callable[[int], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    for count in (400, 1_600):
        before, after = long_run(count), long_run(count)
        del after[4]
        calls = 0

        def count_call(frame: Any, event: str, argument: Any) -> None:
            nonlocal calls
            calls += 1

        profile = sys.getprofile()
        sys.setprofile(count_call)
        try:
            difference = compare(before, after)
        finally:
            sys.setprofile(profile)
        assert [change.count for change in difference.messages] == [1]
        costs.append(calls)
    assert costs[1] < 6 * costs[0]
