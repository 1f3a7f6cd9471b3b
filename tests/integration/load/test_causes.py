"""Faults of a peer, each many times: each is one kind, whose text says what is wrong, and no two have the same text."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from tests.integration.load.conftest import Load, SlowPeer

from antiphon import (
    ABSENT,
    Actor,
    Json,
    Link,
    Message,
    RejectConnection,
    action,
    on,
    scenario,
    within,
)

DIALECT = Json(name="action", body="data", id="id", failed={"result": "error"})


class Operator(Actor):
    """Calls somebody, and waits for what the peer says of that call."""

    desk = Link("{peer}", dialect=DIALECT, within_s=5)
    is_ready = False

    @on("bug")
    def stumble(self, message: Message) -> None:
        raise LookupError(f"no seat {message['seat']}")

    @action
    async def call_out(self, telephone: str) -> None:
        call = await self.ask("newCall", telephone=telephone, check={"code": 200})
        await self.expect("newState", where={"call": call["call"], "state": "connected"})

    @action
    async def hang_up(self) -> None:
        await self.expect("newState", where={"state": "over"})

    @action
    async def be_silent(self) -> None:
        await self.expect_none("alarm", within_s=1)

    @action
    async def settle(self) -> None:
        await self.until(lambda: self.is_ready)

    @action
    async def judge(self) -> None:
        await self.expect("record", check={"status": 200, "owner": {"name": str}, "tags": ABSENT})

    @action
    async def stumble_over(self) -> None:
        record = await self.expect("record")
        raise ValueError(f"record {record['number']} is odd at 12:{record['number']}")

    @action
    async def look_wrong(self) -> None:
        await self.expect("record", where=lambda body: body["nowhere"] == 1)


NUMBERS = count(1_000)
"""Ids: no two conversations have the same."""


class Faulty(SlowPeer):
    """Answers as it should, but for one fault, and with other ids each time."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Callable[[], None] = lambda: None
        self.answer: dict[str, Any] | None = {"code": 200}
        self.states: list[str] = ["ringing", "connected"]

    def on_data(self, data: Any) -> None:
        request = json.loads(data)
        self.call = next(NUMBERS)
        if self.answer is not None:
            self.say_raw(
                json.dumps({"action": "newCall", "id": request["id"], "data": {"call": self.call, **self.answer}})
            )
        for state in self.states:
            self.say("newState", call=self.call, state=state)
        self.fault()


def telephone() -> str:
    return f"89000{next(NUMBERS)}"


@scenario
async def calling(operator: Operator) -> None:
    await operator.call_out(telephone())


@scenario
async def calling_in_time(operator: Operator) -> None:
    await within(2, operator.call_out(telephone()))


def doing(name: str, *messages: tuple[str, Callable[[], dict[str, Any]]]) -> Any:
    """A scenario of one action, at whose beginning the peer says something."""

    async def case(operator: Operator) -> None:
        for said, body in messages:
            LOAD[-1].peer.say(said, **body())
        await getattr(operator, name)()

    return scenario(case)


LOAD: list[Load] = []


def number() -> int:
    return next(NUMBERS)


WAITED = "waited 5 s for newState where call=…, state='connected'"
FAULTS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no answer": (calling, {"answer": None, "states": []}, "waited 5 s for the reply to newCall"),
    "a wrong code": (calling, {"answer": {"code": 503}}, "received the reply to newCall, but code is 503, wanted 200"),
    "another wrong code": (
        calling,
        {"answer": {"code": 500}},
        "received the reply to newCall, but code is 500, wanted 200",
    ),
    "a refusal": (
        calling,
        {"answer": {"result": "error", "code": 17, "message": "no line"}},
        "was refused newCall: 17 no line",
    ),
    "a refusal whose text has the code": (
        calling,
        {"answer": {"result": "error", "code": "busy", "message": "busy: the line is busy"}},
        "was refused newCall: busy: the line is busy",
    ),
    "no state": (calling, {"states": []}, "waited 5 s for newState where call=…, state='connected'"),
    "held": (
        calling,
        {"states": ["held"]},
        f"{WAITED}; nearest: state='held'",
    ),
    "busy": (
        calling,
        {"states": ["busy"]},
        f"{WAITED}; nearest: state='busy'",
    ),
    "another call": (
        calling,
        {"states": [], "fault": ("say", "newState", {"call": -1, "state": "connected"})},
        f"{WAITED}; nearest: another call",
    ),
    "no state field": (
        calling,
        {"states": [], "fault": ("say_call", "newState")},
        f"{WAITED}; nearest: no state",
    ),
    "another name": (
        calling,
        {"states": [], "fault": ("say", "NewState", {})},
        f"{WAITED}; nearest: named NewState",
    ),
    "a close": (
        calling,
        {"states": [], "fault": ("close", 1011, "out of lines")},
        "waited for newState where call=…, state='connected', but the server closed with 1011: out of lines",
    ),
    "a break": (
        calling,
        {"states": [], "fault": ("abort",)},
        "waited for newState where call=…, state='connected', but the connection was lost",
    ),
    "an answer to another": (
        calling,
        {"answer": None, "states": [], "fault": ("answer_another",)},
        "waited 5 s for the reply to newCall; a reply to no open request came: newCall",
    ),
    "too slow": (
        calling_in_time,
        {"states": []},
        "within(2, call_out) was not over within 2 s: waited for newState where call=…",
    ),
    "not over": (doing("hang_up"), {}, "waited 5 s for newState where state='over'"),
    "an alarm": (
        doing("be_silent", ("alarm", lambda: {"n": number()})),
        {},
        "received alarm, and no alarm was expected",
    ),
    "never ready": (doing("settle"), {}, "waited 5 s until it at test_causes.py:"),
    "a wrong record": (
        doing("judge", ("record", lambda: {"status": 404, "owner": {"name": number()}, "tags": [number()]})),
        {},
        "received record, but status is 404, wanted 200, owner.name is …, wanted any str, tags is list …, wanted no",
    ),
    "an author's error": (doing("stumble_over", ("record", lambda: {"number": number()})), {}, "record … is odd at …"),
    "a handler's error": (doing("settle", ("bug", lambda: {"seat": number()})), {}, "LookupError: no seat …"),
    "a predicate's error": (
        doing("look_wrong", ("record", lambda: {"a": 1})),
        {},
        "waited 5 s for record that the lambda at test_causes.py:",
    ),
    "a connection refused": (calling, {"refuses": True}, "the connection was refused: 503 Service Unavailable"),
}


class Broken(Faulty):
    """A faulty peer whose faults are told as data."""

    refuses = False

    def accept(self, opening: Any) -> Any:
        if self.refuses:
            raise RejectConnection(503, f"no seat for {number()}")
        return super().accept(opening)

    def do(self, way: str, *given: Any) -> None:
        match way:
            case "say":
                self.say(given[0], **given[1])
            case "say_call":
                self.say(given[0], call=self.call)
            case "answer_another":
                self.say_raw(json.dumps({"action": "newCall", "id": f"other-{number()}", "data": {"code": 200}}))
            case _:
                getattr(self, way)(*given)


def broken(faults: dict[str, Any]) -> Broken:
    peer = Broken()
    fault = faults.get("fault")
    if fault is not None:
        peer.fault = lambda: peer.do(*fault)
    peer.answer = faults.get("answer", peer.answer)
    peer.states = faults.get("states", peer.states)
    peer.refuses = faults.get("refuses", False)
    return peer


def test_each_fault_is_one_kind_that_names_its_cause() -> None:
    load = Load(Broken())
    LOAD.append(load)
    for chosen, faults, _ in FAULTS.values():
        for _ in range(3):
            load.peer = broken(faults)
            assert load.perform(chosen).error is not None
    kinds = load.take().causes

    assert len(FAULTS) > 20
    assert [kind.count for kind in kinds] == [3] * len(FAULTS), "\n".join(f"{k.count} {k.text}" for k in kinds)
    for (name, (_, _, text)), kind in zip(FAULTS.items(), kinds, strict=True):
        assert text in kind.text, name
    assert all(kind.example and kind.conversation for kind in kinds)
