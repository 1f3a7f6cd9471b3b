"""Faults at work on the way to a desk: what goes over its wire, in which order, and when."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from antiphon_testbed.effects import Answer, Event, Request
from antiphon_testbed.faults.injector import FaultInjector, FaultyLink
from antiphon_testbed.faults.outbox import Delivery, Disconnection, Outbox, RawText, TruncatedFrame
from antiphon_testbed.faults.parse import read_fault
from antiphon_testbed.seed import Seed


class Wire:
    """The way to one desk in virtual time, and what went over it: at which second, and what."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.gone: list[tuple[float, Delivery]] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._timers = 0
        self.put = Outbox(self.hand_over, now_s=lambda: self.now_s, later=self.after).put

    def hand_over(self, item: Delivery) -> None:
        self.gone.append((self.now_s, item))

    def after(self, delay_s: float, function: Callable[[], None]) -> None:
        self._timers += 1
        heapq.heappush(self._due, (self.now_s + delay_s, self._timers, function))

    def run(self) -> None:
        while self._due:
            self.now_s, _, function = heapq.heappop(self._due)
            function()


class Centre:
    """A centre's faults, and links to desks."""

    def __init__(self, *faults: str, seed: int = 7) -> None:
        self.happened: list[str] = []
        self.injector = FaultInjector([read_fault(fault) for fault in faults], Seed(seed), self.happened.append)

    def hears(self, *items: Event | Answer, user: str = "alice", latency_s: float = 0.0) -> list[str]:
        """What the desk hears when all of that is said to it at one moment: names, and when if it is late."""
        return [
            (item.name if isinstance(item, (Event, Answer)) else type(item).__name__)
            + (f" at {at_s:g}" if at_s else "")
            for at_s, item in self.deliveries(items, user, latency_s)
        ]

    def data(self, item: Event | Answer, user: str = "alice") -> dict[str, Any]:
        ((_, heard),) = self.deliveries([item], user)
        assert isinstance(heard, (Event, Answer))
        return heard.data

    def deliveries(
        self, items: Sequence[Event | Answer], user: str = "alice", latency_s: float = 0.0
    ) -> list[tuple[float, Delivery]]:
        wire = Wire()
        link = FaultyLink(self.injector, user, wire)
        for item in items:
            link.put(item, latency_s if isinstance(item, Answer) else 0.0)
        wire.run()
        return wire.gone


def answer(action: str = "hangUp", **data: Any) -> Answer:
    return Answer(Request("desk", action), {"result": "success", **data})


def event(name: str = "newWorkitemState", **data: Any) -> Event:
    return Event("desk", name, data)


HANGING_UP = (answer(), event(state="wrapUp"), event("newAgentState", state="wrapUp"))


def test_without_a_hit_nothing_changes() -> None:
    centre = Centre("missing:newRtc")
    assert centre.hears(*HANGING_UP) == ["resultHangUp", "newWorkitemState", "newAgentState"]
    assert centre.hears(*HANGING_UP, latency_s=2)[0] == "resultHangUp at 2"
    assert centre.happened == []


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ("late:resultHangUp:2", ["resultHangUp at 2", "newWorkitemState at 2", "newAgentState at 2"]),
        ("late:newAgentState:2", ["resultHangUp", "newWorkitemState", "newAgentState at 2"]),
        ("twice:resultHangUp", ["resultHangUp", "resultHangUp", "newWorkitemState", "newAgentState"]),
        ("twice:resultHangUp:0.5", ["resultHangUp", "newWorkitemState", "newAgentState", "resultHangUp at 0.5"]),
        ("overtaken:resultHangUp", ["newWorkitemState", "newAgentState", "resultHangUp"]),
        ("overtaken:newWorkitemState", ["resultHangUp", "newAgentState", "newWorkitemState"]),
        ("overtaken:newAgentState", ["resultHangUp", "newWorkitemState", "newAgentState"]),
        ("reordered:newWorkitemState", ["resultHangUp", "newAgentState", "newWorkitemState"]),
        ("missing:resultHangUp", ["newWorkitemState", "newAgentState"]),
        ("missing:newWorkitemState", ["resultHangUp", "newAgentState"]),
        ("missing:*", []),
        ("closed:newWorkitemState:4000", ["resultHangUp", "Disconnection", "newAgentState"]),
        ("half:newWorkitemState", ["resultHangUp", "TruncatedFrame", "newAgentState"]),
        ("notjson:newWorkitemState", ["resultHangUp", "RawText", "newAgentState"]),
    ],
)
def test_what_a_desk_hears(fault: str, heard: list[str]) -> None:
    centre = Centre(fault)
    assert centre.hears(*HANGING_UP) == heard
    word = fault.partition(":")[0]
    assert centre.happened == [word] * (3 if ":*" in fault else 1)


def test_what_replaces_a_message() -> None:
    item = event(state="held")
    for fault, replaced in {
        "closed:newWorkitemState:4000 maintenance": Disconnection(4000, "maintenance"),
        "half:newWorkitemState": TruncatedFrame(item),
        "notjson:newWorkitemState:oops": RawText("oops"),
    }.items():
        assert Centre(fault).deliveries([item]) == [(0.0, replaced)]


def test_faults_come_on_top_of_the_latency_and_of_each_other() -> None:
    centre = Centre("late:resultHangUp:2", "overtaken:resultHangUp", "twice:resultHangUp:1")
    assert centre.hears(*HANGING_UP, latency_s=0.5) == [
        *("newWorkitemState", "newAgentState", "resultHangUp at 2.5", "resultHangUp at 3.5")
    ]
    assert centre.happened == ["late", "overtaken", "twice"]


def test_the_first_fault_that_replaces_a_message_counts() -> None:
    assert Centre("missing:*", "notjson:*").deliveries([event()]) == []
    assert Centre("notjson:*:oops", "missing:*").deliveries([event()]) == [(0.0, RawText("oops"))]


def test_data_are_falsified_and_the_centres_own_stay_as_they_are() -> None:
    item = event(workitemID="w-1", interactionID="i-1", state="held", muted=False)
    own = dict(item.data)
    changed = Centre("wrongfield:*:muted=1", "nofield:*:state", "wrongid:*:interactionID").data(item)
    assert list(changed) == ["workitemID", "interactionID", "muted"]
    assert (changed["workitemID"], changed["muted"]) == ("w-1", 1)
    assert changed["muted"] is not True
    assert changed["interactionID"] != "i-1"
    assert item.data == own


@pytest.mark.parametrize(
    ("fault", "data", "field"),
    [
        ("wrongid:resultHangUp", {"requestID": "r-1"}, "requestID"),
        ("wrongid:resultHangUp", {"requestID": 5}, "requestID"),
        ("wrongid:resultHangUp", {"requestID": 5, "workitemID": "w"}, "workitemID"),
        ("wrongid:resultHangUp:requestID", {"requestID": 5, "workitemID": "w"}, "requestID"),
    ],
)
def test_a_wrong_id_is_one_of_the_same_type(fault: str, data: dict[str, Any], field: str) -> None:
    changed = Centre(fault).data(answer(**data))
    assert type(changed[field]) is type(data[field])
    assert {name for name in data if changed[name] != data[name]} == {field}


def test_a_message_that_a_fault_cannot_change_is_not_hit() -> None:
    centre = Centre("wrongid:*", "nofield:*:state,nth=1", "wrongfield:*:state=held,nth=1")
    assert centre.data(event("agentCapacity", voice=1)) == {"voice": 1}
    assert centre.happened == []
    assert centre.data(event(state="held")) == {}  # the first that has a state
    assert centre.data(event(state="held")) == {"state": "held"}  # is held already
    assert centre.data(event(state="wrapUp")) == {"state": "held"}
    assert centre.happened == ["nofield", "wrongfield"]


# -- aims -------------------------------------------------------------------------------------------------------------


def test_the_nth_time_counts_for_each_user() -> None:
    centre = Centre("missing:newWorkitemState,nth=2")
    for user in ("alice", "bob"):
        assert [len(centre.hears(event(), user=user)) for _ in range(4)] == [1, 0, 1, 1]


def test_only_some_users() -> None:
    centre = Centre("missing:newWorkitemState,user=alice+carol")
    assert [len(centre.hears(event(), user=user)) for user in ("alice", "bob", "carol")] == [0, 1, 0]


def test_only_where_the_data_fit() -> None:
    centre = Centre("missing:newWorkitemState,where.state=held,nth=2")
    states = ["held", "connected", "held", "held"]
    assert [len(centre.hears(event(state=state))) for state in states] == [1, 1, 0, 1]


def test_a_probability_is_kept_and_repeats_with_the_seed() -> None:
    def lost(seed: int, user: str = "alice") -> list[bool]:
        centre = Centre("missing:newWorkitemState,probability=0.25", seed=seed)
        return [not centre.hears(event(), user=user) for _ in range(400)]

    assert lost(1) == lost(1)
    assert lost(1) != lost(2)
    assert lost(1) != lost(1, "bob")
    assert 70 <= sum(lost(1)) <= 130


def test_what_one_user_gets_does_not_depend_on_the_others() -> None:
    alone, among = (Centre("missing:*,probability=0.5", "wrongid:*", seed=3) for _ in range(2))
    for number in range(50):
        item = event(workitemID=f"w-{number}")
        among.hears(item, user="bob")
        assert alone.deliveries([item]) == among.deliveries([item])


@pytest.mark.parametrize("count", [2, 3, 7])
def test_another_order_is_another_one_and_nothing_is_lost(count: int) -> None:
    names = ("newWorkitemState", "newAgentState", "agentCapacity", "newRtc", "workitemPartyList", "error", "ping")
    items = [event(name) for name in names[:count]]
    orders = set()
    for seed in range(30):
        heard = Centre("reordered:newWorkitemState", seed=seed).hears(*items)
        assert heard == Centre("reordered:newWorkitemState", seed=seed).hears(*items)
        assert sorted(heard) == sorted(names[:count])
        assert heard != list(names[:count])
        orders.add(tuple(heard))
    assert len(orders) > 1 or count == 2


def test_what_is_said_alone_keeps_its_place() -> None:
    assert Centre("reordered:newRtc").hears(event("newRtc")) == ["newRtc"]
    assert Centre("overtaken:newRtc").hears(event("newRtc")) == ["newRtc"]


# -- moments ----------------------------------------------------------------------------------------------------------


def test_a_moment_ends_when_the_request_is_done() -> None:
    wire = Wire()
    link = FaultyLink(Centre("overtaken:resultHangUp").injector, "alice", wire)
    for _ in range(2):
        for item in HANGING_UP:
            link.put(item, 0.0)
        link.end_moment()
    wire.run()
    link.end_moment()
    names = [item.name for _, item in wire.gone if isinstance(item, (Event, Answer))]
    assert names == ["newWorkitemState", "newAgentState", "resultHangUp"] * 2


def test_a_ping_keeps_no_order_but_has_its_faults() -> None:
    def pinged(*faults: str) -> list[tuple[float, Delivery]]:
        wire = Wire()
        link = FaultyLink(Centre(*faults).injector, "alice", wire)
        link.put(answer(), 5.0)
        link.say_now(ping)
        wire.run()
        return [gone for gone in wire.gone if not isinstance(gone[1], Answer)]

    ping = Event("desk", "ping", {"seq": 1}, is_prompt=True)
    assert pinged("missing:newRtc") == [(0.0, ping)]
    assert pinged("missing:ping") == []
    assert pinged("late:ping:2") == [(2.0, ping)]
    assert pinged("twice:ping", "late:ping:1") == [(1.0, ping), (1.0, ping)]
    assert pinged("wrongfield:ping:seq=x") == [(0.0, Event("desk", "ping", {"seq": "x"}, is_prompt=True))]
