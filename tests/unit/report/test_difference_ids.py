"""Ids of shapes that nobody told us of, and what goes on at once in another order each time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from antiphon.report.difference.compare import Difference, compare


def run(telling: Any, *said: tuple[str, Any]) -> list[Any]:
    told = telling()
    for name, body in said:
        told.say(name, body)
    return list(told.finish())


def changes(difference: Difference) -> dict[str, tuple[str, str, str]]:
    return {f"{change.name} {change.path}": (change.kind, change.before, change.after) for change in difference.fields}


class Matchmaker:
    """A server that we did not write: its ids are `m4-s5hbwp`, its sessions six hexadecimal digits."""

    def __init__(self, telling: Any, seed: int) -> None:
        self.chance = random.Random(seed)
        self.told = telling()

    def match(self) -> str:
        letters = self.chance.choices("abcdefghijklmnopqrstuvwxyz", k=5)
        return f"m{self.chance.randrange(10)}-{letters[0]}{self.chance.randrange(10)}{''.join(letters[1:])}"

    def session(self) -> str:
        return f"{self.chance.randrange(16**6):06x}"

    def play(self, *players: str, ends: str = "draw") -> list[Any]:
        for player in players:
            match, session = self.match(), self.session()
            self.told.say("found", {"match": match, "player": player, "by": session})
            self.told.say("ready", {"match": match}, is_sent=True)
            self.told.say("over", {"match": match, "how": ends, "by": session})
        return list(self.told.finish())


@pytest.mark.parametrize("seed", range(2, 60, 2))
def test_ids_of_other_shapes_are_known_by_their_renaming(telling: Any, seed: int) -> None:
    players = ["ann", "bob", "cid", "dan", "eve", "fay"]
    difference = compare(Matchmaker(telling, seed).play(*players), Matchmaker(telling, seed + 1).play(*players))
    assert difference.is_same, difference.fields
    assert {"found data.match", "over data.match", "ready data.match", "found data.by"} <= set(difference.variable)


def test_what_differs_beside_such_ids_is_told(telling: Any) -> None:
    first = Matchmaker(telling, 1).play("ann", "bob")
    second = Matchmaker(telling, 2).play("ann", "bill", ends="lost")
    assert changes(compare(first, second)) == {
        "found data.player": ("value", "'bob'", "'bill'"),
        "over data.how": ("value", "'draw'", "'lost'"),
    }


def test_such_an_id_that_is_another_one_once_is_told(telling: Any) -> None:
    def told(one: str, other: str, last: str) -> list[Any]:
        return run(telling, *[("state", {"match": each}) for each in (one, other, one, other, last)])

    before = told("m4-s5hbwp", "m1-k0x2ab", "m4-s5hbwp")
    assert compare(before, told("m7-q9w8zz", "m2-a1b2c3", "m7-q9w8zz")).is_same
    (change,) = compare(before, told("m7-q9w8zz", "m2-a1b2c3", "m2-a1b2c3")).fields
    assert (change.kind, change.path, change.count, change.of) == ("id", "data.match", 1, 5)
    assert (change.before, change.after) == ("'m4-s5hbwp'", "'m2-a1b2c3'")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("eu-west-1", "us-east-2"),
        ("utf8mb3", "utf8mb4"),
        ("h264-main", "h265-main"),
        ("v2.alpha", "v3.gamma"),
        ("connected", "suspended"),
        ("sha256", "sha512"),
        ("x86_64", "arm_64"),
        ("model-a1b2c3", "model-a1b2c4"),
        ("room7", "room9"),
        ("10:30", "14:45"),
    ],
)
def test_a_constant_that_was_renamed_is_no_id(telling: Any, before: str, after: str) -> None:
    first, second = (run(telling, *[("s", {"x": value}), ("t", {"y": value})] * 3) for value in (before, after))
    assert {change.path for change in compare(first, second).fields} == {"data.x", "data.y"}


def streams(telling: Any, order: str, names: dict[str, int], *, slips: bool = False, odd: str = "") -> list[Any]:
    """Two streams at once, told in that order of `a` and `b`; each is opened, says two things and ends."""
    told, said = telling(), dict.fromkeys("ab", 0)
    for one in order:
        number = said[one] = said[one] + 1
        stream = names[one]
        if number == 1:
            told.say("open", {"topic": one}, is_sent=True, asks=stream)
            told.say("opened", {"stream": stream, "topic": one}, reply_to=stream)
        elif number < 4:
            wrong = names["a"] if slips and one == "b" and number == 3 else stream
            text = odd if odd and one == "b" and number == 2 else f"{one}{number}"
            told.say("item", {"stream": wrong, "n": number, "text": text})
        else:
            told.say("end", {"stream": stream, "topic": one})
    return list(told.finish())


ORDERS = ["abababab", "aabbabab", "bababaab", "babbaaba", "bbaabbaa"]


def numbered(order: str) -> dict[str, int]:
    """The server counts: whoever comes first has 1."""
    return {one: 1 if one == order[0] else 2 for one in "ab"}


@pytest.mark.parametrize("order", ORDERS)
def test_streams_that_were_swapped_by_their_moment_are_the_same(telling: Any, order: str) -> None:
    before = streams(telling, "abababab", {"a": 1, "b": 2})
    difference = compare(before, streams(telling, order, numbered(order)))
    assert difference.is_same, difference


@pytest.mark.parametrize("order", ORDERS)
def test_what_another_stream_says_is_told_in_any_order(telling: Any, order: str) -> None:
    before = streams(telling, "abababab", {"a": 1, "b": 2})
    difference = compare(before, streams(telling, order, numbered(order), odd="odd"))
    assert changes(difference) == {"item data.text": ("value", "'b2'", "'odd'")}


@pytest.mark.parametrize("order", ORDERS)
def test_an_item_on_the_wrong_stream_is_told(telling: Any, order: str) -> None:
    before = streams(telling, "abababab", {"a": 1, "b": 2})
    assert not compare(before, streams(telling, order, numbered(order), slips=True)).is_same


def test_what_was_said_one_after_the_other_has_an_order(telling: Any) -> None:
    def calls(*numbers: str) -> list[Any]:
        told = telling()
        for key, number in enumerate(numbers):
            told.say("call", {"to": number}, is_sent=True, asks=key).say("called", {"to": number}, reply_to=key)
        return list(told.finish())

    assert {change.name for change in compare(calls("ann", "bob"), calls("bob", "ann")).fields} == {"call", "called"}


def test_what_has_no_correlation_is_paired_in_its_order(telling: Any) -> None:
    first, second = (run(telling, *[("s", {"n": n}) for n in order]) for order in ((1, 2, 3), (2, 1, 3)))
    (change,) = compare(first, second).fields
    assert (change.path, change.count) == ("data.n", 2)
