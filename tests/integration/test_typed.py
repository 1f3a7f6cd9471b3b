"""Messages as instances of types: said, awaited, handled, drained; and bodies that do not fit their types."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from typed_caller import CallEnded, Caller, NewCall, Ping

from antiphon import (
    DEFERRED,
    Actor,
    CheckFailed,
    Codec,
    Data,
    DeadlinePassed,
    ForbiddenMessage,
    Json,
    Link,
    Message,
    MessagesLeft,
    Run,
    ScenarioError,
    all_of,
    expect,
    first_of,
    on,
    saved,
    scenario,
    send,
    soft,
)
from antiphon.journal import StepStarted
from antiphon.journal.file import FILE_NAME

Play = Callable[..., Run]
DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class NewOutInteraction(msgspec.Struct):
    destination: str


class ResultNewOutInteraction(msgspec.Struct, rename={"workitem_id": "workitemID"}):
    workitem_id: int
    state: str = "new"


@dataclass
class Leg:
    number: int


@dataclass
class CallState:
    state: str
    legs: list[Leg] = field(default_factory=list)


class Record(pydantic.BaseModel):
    record_id: int = pydantic.Field(alias="recordID")
    marks: list[int] = []


class Probe(TypedDict):
    seq: int


class Typed(Actor):
    line = Link("{peer}", dialect=DIALECT, within_s=5)


KINDS = {
    "a struct": (ResultNewOutInteraction, {"workitemID": 7}, ResultNewOutInteraction(7)),
    "a dataclass": (CallState, {"state": "up", "legs": [{"number": 3}]}, CallState("up", [Leg(3)])),
    "a model": (Record, {"recordID": 7, "marks": [1]}, Record(recordID=7, marks=[1])),
    "a typed dict": (Probe, {"seq": 4, "more": True}, {"seq": 4}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_awaiting_a_type_gives_an_instance_and_keeps_the_message(peer: Any, play_with: Play, kind: str) -> None:
    wanted, body, made = KINDS[kind]
    name = wanted.__name__[0].lower() + wanted.__name__[1:]
    peer.greeting = [("other", {}), (name, body), (name, body)]

    @scenario
    async def typed(alice: Typed) -> None:
        waiting = alice.expect(wanted)
        assert await waiting == made
        assert waiting.result() == made
        assert waiting.exception() is None
        assert waiting.message is not None
        assert (waiting.message.name, waiting.message.body) == (name, body)
        assert alice.drain(wanted) == [made]

    play_with(typed)


SAID = {
    "a struct": (NewOutInteraction("890"), "newOutInteraction", {"destination": "890"}),
    "a dataclass": (CallState("up", [Leg(3)]), "callState", {"state": "up", "legs": [{"number": 3}]}),
    "a model": (Record(recordID=7), "record", {"recordID": 7, "marks": []}),
}


@pytest.mark.parametrize("kind", SAID)
def test_an_instance_is_said_under_its_name_and_recorded_plain(peer: Any, play_with: Play, kind: str) -> None:
    said, name, body = SAID[kind]

    @scenario
    async def typed(alice: Typed) -> None:
        alice.send(said)
        alice.send("other", said)
        alice.send("nested", inner=said)

    run = play_with(typed)
    assert peer.heard == [(name, body), ("other", body), ("nested", {"inner": body})]
    sent = [entry.body for entry in run.journal if isinstance(entry, Message)]
    assert sent[:2] == [body, body]


def test_the_member_of_an_enum_of_texts_is_a_name(peer: Any, play_with: Play) -> None:
    class Names(StrEnum):
        NEWS = "news"
        CALL = "call"

    peer.greeting = [("news", {"n": 1}), ("call", {"n": 2})]

    @scenario
    async def named(alice: Typed) -> None:
        alice.send(Names.CALL, n=1)
        assert (await alice.expect((Names.CALL, Names.NEWS)))["n"] == 1
        assert (await alice.expect(Names.CALL))["n"] == 2

    play_with(named)
    assert peer.heard == [("call", {"n": 1})]


def test_a_request_and_its_answer_are_typed(peer: Any, play_with: Play) -> None:
    peer.on_request["newOutInteraction"] = lambda _body: peer.say("resultNewOutInteraction", workitemID=7)

    @scenario
    async def typed(alice: Typed) -> None:
        asked = alice.ask(NewOutInteraction("890"), reply=ResultNewOutInteraction)
        assert await asked == ResultNewOutInteraction(7) == asked.result()
        assert asked.message is not None
        assert asked.message["workitemID"] == 7
        plain = await alice.ask(NewOutInteraction("890"))
        assert plain["workitemID"] == 7
        first = await first_of(alice.ask(NewOutInteraction("1"), reply=ResultNewOutInteraction), alice.expect("never"))
        both = await all_of(alice.ask(NewOutInteraction("2"), reply=ResultNewOutInteraction))
        assert [first, *both] == [ResultNewOutInteraction(7)] * 2
        every = [reply.name async for reply in alice.ask(NewOutInteraction("890"), reply=ResultNewOutInteraction)]
        assert every == ["resultNewOutInteraction"]

    play_with(typed)


MISFITS = {
    "a struct": (ResultNewOutInteraction, {"workitemID": "x"}, "workitemID is 'x', wanted int"),
    "a missing field": (
        ResultNewOutInteraction,
        {"state": "new"},
        "workitemID is not there, wanted what fits ResultNewOutInteraction (it must be there)",
    ),
    "inside of a list": (CallState, {"state": "up", "legs": [{"number": 1}, {}]}, "legs[1].number is not there"),
    "no object": (CallState, {"state": "up", "legs": {"number": 1}}, "legs is {'number': 1}, wanted array"),
    "a model": (
        Record,
        {"recordID": "x", "marks": [1, "q"]},
        "recordID is 'x', wanted a valid integer, unable to parse string as an integer",
    ),
    "all of a model": (Record, {"marks": [1, "q"]}, "recordID is not there"),
    "the second of a model": (Record, {"marks": [1, "q"]}, "marks[1] is 'q', wanted a valid integer"),
    "a typed dict": (Probe, {}, "seq is not there"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_body_that_does_not_fit_fails_the_wait_with_the_place(peer: Any, play_with: Play, misfit: str) -> None:
    kind, body, told = MISFITS[misfit]
    name = kind.__name__[0].lower() + kind.__name__[1:]
    peer.greeting = [(name, body)]

    @scenario
    async def typed(alice: Typed) -> None:
        await alice.expect(kind)

    with pytest.raises(CheckFailed) as failed:
        play_with(typed)
    text = str(failed.value)
    assert told in text
    assert f"alice.line received {name}, but it does not match" in text
    assert "test_typed.py:" in text
    assert failed.value.explanation.differences


def test_a_misfit_is_not_skipped_for_a_later_one_that_fits_and_where_selects_by_fields(
    peer: Any, play_with: Play
) -> None:
    peer.greeting = [("callState", {"state": 1}), ("callState", {"state": "up"}), ("callState", {"state": "down"})]

    @scenario
    async def typed(alice: Typed) -> None:
        assert await alice.expect(CallState, {"state": "down"}) == CallState("down")
        with pytest.raises(CheckFailed):
            await alice.expect(CallState)
        assert await alice.expect(CallState, lambda body: body["state"] == "up") == CallState("up")

    play_with(typed)


def test_a_check_is_judged_behind_the_type(peer: Any, play_with: Play) -> None:
    peer.greeting = [("callState", {"state": "up"})] * 2

    @scenario
    async def typed(alice: Typed) -> None:
        assert await alice.expect(CallState, check=soft({"state": "down"})) == CallState("up")
        with pytest.raises(CheckFailed, match="state is 'up', wanted 'down'"):
            await alice.expect(CallState, check={"state": "down"})

    with pytest.raises(AssertionError, match="soft check"):
        play_with(typed)


def test_a_soft_check_does_not_excuse_a_body_that_does_not_fit(peer: Any, play_with: Play) -> None:
    peer.greeting = [("callState", {"state": 5})]

    @scenario
    async def typed(alice: Typed) -> None:
        await alice.expect(CallState, check=soft({"state": "down"}))

    with pytest.raises(CheckFailed, match="state is 5, wanted str"):
        play_with(typed)


def test_an_answer_that_is_none_of_the_types_is_told(peer: Any, play_with: Play) -> None:
    answers = ["accepted", "busy"]

    class Accepted(msgspec.Struct):
        number: int

    class Rejected(msgspec.Struct):
        reason: str

    class ById(Actor):
        line = Link("{peer}", dialect=Json(name="action", body="data", id="data.id"), within_s=5)

    peer.on_request["call"] = lambda body: peer.say(answers.pop(0), id=body["id"], number=5)

    @scenario
    async def typed(alice: ById) -> None:
        assert await alice.ask("call", reply=(Accepted, Rejected)) == Accepted(5)
        await alice.ask("call", reply=(Accepted, Rejected))

    with pytest.raises(CheckFailed, match="its name is 'busy', wanted accepted or rejected"):
        play_with(typed)


def test_a_wait_that_is_given_up_gives_its_message_back(peer: Any, play_with: Play) -> None:
    peer.greeting = [("callState", {"state": "up"})]

    @scenario
    async def typed(alice: Typed) -> None:
        waiting = alice.expect(CallState)
        assert waiting.done()
        alice.line._driver.abandon(waiting)
        assert await alice.expect(CallState) == CallState("up")

    play_with(typed)


# -- the names that types have ----------------------------------------------------------------------------------------


class Tagged(msgspec.Struct, tag="tagged.one", tag_field="kind"):
    n: int


class Literally(pydantic.BaseModel):
    type: Literal["said-so"] = "said-so"
    n: int = 1


def test_a_type_has_the_name_that_the_line_the_type_or_the_dialect_says(peer: Any, play_with: Play) -> None:
    class Named(Actor):
        line = Link("{peer}", dialect=DIALECT, types={"leg.new": Leg})
        other = Link("{peer}", dialect=DIALECT, types=lambda kind: kind.__name__.upper())
        flat = Link("{peer}", dialect=Json("action"))
        typed = Link("{peer}", dialect=Json("type", "body"))

    flat: list[Any] = []
    hear = peer.on_data
    peer.on_data = lambda data: (flat.append(json.loads(data)), hear(data) if b"data" in data.encode() else None)

    @scenario
    async def typed(alice: Named) -> None:
        alice.send(Leg(1))
        alice.other.send(Leg(1))
        alice.send(Tagged(1))
        alice.other.send(Tagged(1))
        alice.flat.send(Tagged(1))
        alice.flat.send(Literally())

    play_with(typed)
    expected = [
        {"action": "leg.new", "data": {"number": 1}},
        {"action": "LEG", "data": {"number": 1}},
        {"action": "tagged.one", "data": {"n": 1}},
        {"action": "TAGGED", "data": {"n": 1, "kind": "tagged.one"}},
        {"action": "tagged.one", "n": 1},
        {"action": "literally", "type": "said-so", "n": 1},
    ]
    assert sorted(flat, key=repr) == sorted(expected, key=repr)  # of several connections
    assert Json("type").name_of(Literally) == "said-so"
    assert Json("type", "body").name_of(Literally) == "literally"
    assert Json("head.type", "head").name_of(Literally) == "said-so"


def test_a_field_that_is_called_like_the_tag_is_none(peer: Any, play_with: Play) -> None:
    peer.greeting = [("tagged.one", {"n": 1, "kind": "another"})]

    @scenario
    async def typed(alice: Typed) -> None:
        assert await alice.expect(Tagged) == Tagged(1)

    play_with(typed)


def test_a_type_of_several_names_stands_for_each_of_them(peer: Any, play_with: Play) -> None:
    class Named(Actor):
        line = Link("{peer}", dialect=DIALECT, types={"begun": Leg, "ended": Leg}, within_s=5)

    peer.greeting = [("ended", {"number": 1}), ("begun", {"number": 2})]

    @scenario
    async def typed(alice: Named) -> None:
        assert [await alice.expect(Leg), await alice.expect(Leg)] == [Leg(1), Leg(2)]
        alice.send("begun", Leg(3))
        alice.send(Leg(3))

    with pytest.raises(ScenarioError, match="Leg stands for begun or ended: which of them is to be said is not clear"):
        play_with(typed)
    assert peer.heard == [("begun", {"number": 3})]


# -- handlers ---------------------------------------------------------------------------------------------------------


def test_handlers_are_given_instances_and_the_message_if_they_take_it(peer: Any, play_with: Play) -> None:
    class Answering(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=5)

        def __init__(self) -> None:
            self.seen: list[Any] = []

        @on(NewOutInteraction)
        def begin(self, request: NewOutInteraction) -> ResultNewOutInteraction:
            self.seen.append(request)
            return ResultNewOutInteraction(7)

        @on((CallState, Record))
        async def note(self, body: CallState | Record, message: Message) -> Record:
            self.seen.append((body, message.name))
            return Record(recordID=3)

        @on(Probe)
        def probe(self, body: Probe, request: Message) -> object:
            self.answer(request, CallState("up"))
            return DEFERRED

        @on(("one", "other"))
        def either(self, message: Message) -> None:
            self.seen.append(message.name)

    peer.greeting = [
        ("newOutInteraction", {"destination": "890"}),
        ("callState", {"state": "up"}),
        ("probe", {"seq": 1}),
        ("other", {}),
        ("one", {}),
        ("last", {}),
    ]

    @scenario(strict=True)
    async def typed(alice: Answering) -> None:
        await alice.expect("last")
        await alice.until(lambda: len(alice.seen) == 4)
        assert sorted(map(repr, alice.seen)) == sorted(
            map(repr, [NewOutInteraction("890"), "other", "one", (CallState("up"), "callState")])
        )

    play_with(typed)
    assert sorted(peer.heard, key=repr) == [
        ("resultCallState", {"recordID": 3, "marks": []}),
        ("resultNewOutInteraction", {"workitemID": 7, "state": "new"}),
        ("resultProbe", {"state": "up", "legs": []}),
    ]


def test_a_body_that_does_not_fit_its_handler_is_the_peers_fault(peer: Any, play_with: Play) -> None:
    peer.greeting = [("ping", {"seq": "x"})]

    class Answering(Actor):
        line = Link("{peer}", dialect=DIALECT)

        @on(Ping)
        def answer_ping(self, ping: Ping) -> None:
            raise AssertionError("it is not called")

    @scenario
    async def typed(alice: Answering) -> None:
        await alice.expect("never", within_s=1)

    with pytest.raises(CheckFailed) as failed:
        play_with(typed)
    assert "alice.line received ping, but it is no Ping\n  seq is 'x', wanted int" in str(failed.value)
    assert "test_typed.py:" in str(failed.value)


def test_the_last_handler_of_a_name_counts_whether_it_is_for_a_type_or_not(peer: Any, play_with: Play) -> None:
    class Base(Actor):
        line = Link("{peer}", dialect=DIALECT, within_s=5)
        heard = ""

        @on(Ping)
        def of_all(self, _ping: Ping) -> None:
            self.heard += "all"

        @on("ping", channel="line")
        def of_line(self, _ping: Message) -> None:
            self.heard += "line"

    peer.greeting = [("ping", {"seq": 1})]

    @scenario
    async def typed(alice: Base) -> None:
        await alice.expect(Ping)
        assert alice.heard == "line"

    play_with(typed)


# -- the other words --------------------------------------------------------------------------------------------------


def test_types_can_be_forbidden_ruled_out_and_ignored(peer: Any, play_with: Play) -> None:
    peer.greeting = [("leg", {"number": "x"})]

    class Named(Actor):
        line = Link("{peer}", dialect=DIALECT, ignored=(Leg,))

    @scenario(strict=True)
    async def typed(alice: Named) -> None:
        await alice.expect_none(CallState, within_s=1)
        with pytest.raises(ForbiddenMessage, match=r"received leg .*and no callState or leg was expected"):
            await alice.expect_none((CallState, Leg), within_s=1)
        alice.ignore(CallState)
        peer.say("callState", state=1)
        with alice.forbid(Leg):
            peer.say("leg", number=1)
            await alice.expect("never")

    with pytest.raises(ForbiddenMessage, match="no leg"):
        play_with(typed)


def test_what_is_not_ignored_is_left(peer: Any, play_with: Play) -> None:
    peer.greeting = [("leg", {"number": 1}), ("callState", {})]

    @scenario(strict=True)
    async def typed(alice: Typed) -> None:
        alice.ignore((Leg, Record))
        await alice.expect_none("x", within_s=0.1)

    with pytest.raises(MessagesLeft, match="callState"):
        play_with(typed)


def test_what_is_drained_and_does_not_fit_is_told(peer: Any, play_with: Play) -> None:
    peer.greeting = [("leg", {"number": 1}), ("leg", {"number": "x"})]

    @scenario
    async def typed(alice: Typed) -> None:
        alice.drain(Leg)

    with pytest.raises(CheckFailed, match=r"alice.line received leg, but it is no Leg\n  number is 'x', wanted int"):
        play_with(typed)


def test_steps_of_a_workflow_say_and_expect_types_and_tell_no_secrets(
    peer: Any, play_with: Play, tmp_path: Path
) -> None:
    @dataclass(frozen=True)
    class Login:
        user: str
        password: str

    def answer(_body: Any) -> None:
        peer.say("callState", state="up")
        peer.say("leg", number=1)

    peer.on_request["login"] = answer

    @scenario
    def typed(alice: Typed) -> list[Any]:
        return [
            send(Login("alice", "sesame-4711")),
            expect(CallState, {"state": str}, save_as="told"),
            expect((CallState, Leg), within_s=1),
            send(Login(saved.told.state, "x")),
        ]

    run = play_with(typed, runs=tmp_path)
    assert peer.heard[1] == ("login", {"user": "up", "password": "x"})
    written = (run.directory / FILE_NAME).read_text()
    titles = [entry.title for entry in run.journal if isinstance(entry, StepStarted)]
    assert titles == [
        "send('Login', {'user': 'alice', 'password': '***'})",
        "expect(CallState, where={'state': <class 'str'>}, save_as='told')",
        "expect(CallState or Leg, within_s=1)",
        "send('Login', {'user': saved.told.state, 'password': '***'})",
    ]
    assert "sesame-4711" not in written


# -- what cannot be ---------------------------------------------------------------------------------------------------


class Nowhere(msgspec.Struct):
    n: Undefined  # type: ignore[name-defined]  # noqa: F821


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a class of something else": (lambda alice: alice.expect(int), "known by its name, not by <class 'int'>"),
    "names and types": (lambda alice: alice.expect(("a", Leg)), "names and types at once: 'a', Leg"),
    "no names": (lambda alice: alice.expect(()), "of no names at all there is no message"),
    "a list": (lambda alice: alice.expect(["a", "b"]), "not by ['a', 'b']"),
    "one of them": (lambda alice: alice.drain(("a", 5)), "not by 5"),
    "None among them": (lambda alice: alice.forbid(("a", None)).__enter__(), "not by None"),
    "a type as what is said": (lambda alice: alice.send(Leg), "not by <class"),
    "a body beside": (lambda alice: alice.send(Leg(1), {"a": 1}), "Leg is a message's whole body"),
    "fields beside": (lambda alice: alice.ask(Leg(1), a=1), "Leg is a message's whole body"),
    "a reply that is none": (lambda alice: alice.ask("a", reply=5), "reply= is the type of the answer"),
    "a name as the type of the answer": (
        lambda alice: alice.ask("a", reply="yes"),
        'a field of that name is sent in a body: ask("call", {"reply": …})',
    ),
    "a field called provisional": (lambda alice: alice.ask("a", provisional=True), 'ask("call", {"provisional": …})'),
    "two of one name": (lambda alice: alice.other.expect((Leg, CallState)), "Leg and CallState stand for the same"),
    "a name that is none": (lambda alice: alice.odd.expect(Leg), "types= gave 5 as the name of Leg"),
    "what cannot be said": (lambda alice: alice.send(Probing(object())), "Probing cannot be said"),
}


@dataclass
class Probing:
    what: object


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_one_clear_error_at_the_line(peer: Any, play_with: Play, name: str) -> None:
    do, told = WRONG[name]

    class Odd(Actor):
        line = Link("{peer}", dialect=DIALECT)
        other = Link("{peer}", dialect=DIALECT, types=lambda _kind: "same")
        odd = Link("{peer}", dialect=DIALECT, types=lambda _kind: 5)

    @scenario
    async def wrong(alice: Odd) -> None:
        do(alice)

    with pytest.raises(ScenarioError) as failed:
        play_with(wrong)
    assert told in str(failed.value)
    assert "test_typed.py:" in str(failed.value)


@pytest.mark.parametrize("types", [{"a": int}, {5: Leg}, "leg", [("leg", Leg)]])
def test_types_that_are_none_are_told_where_they_are_declared(types: Any) -> None:
    with pytest.raises(ScenarioError, match="types= has the types of bodies by the names of their messages"):
        Link("{peer}", dialect=DIALECT, types=types)


class NowhereModel(pydantic.BaseModel):
    n: Undefined  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize("kind", [Nowhere, NowhereModel])
@pytest.mark.parametrize("how", ["expect", "reply"])
def test_a_type_with_a_wrong_annotation_is_its_authors_mistake(peer: Any, play_with: Play, kind: Any, how: str) -> None:
    """And no failed check: the peer can say nothing that would fit it."""

    @scenario
    async def typed(alice: Typed) -> None:
        await (alice.expect(kind) if how == "expect" else alice.ask("getState", reply=kind))

    with pytest.raises(ScenarioError, match=f"no body can be made a {kind.__name__}: .*") as failed:
        play_with(typed)
    assert "test_typed.py:" in str(failed.value)


def test_a_name_that_is_nearly_that_of_the_type_is_told(peer: Any, play_with: Play) -> None:
    peer.greeting = [("CallState", {"state": "up"})]

    @scenario
    async def typed(alice: Typed) -> None:
        await alice.expect(CallState, within_s=0.1)

    with pytest.raises(DeadlinePassed, match="its name is 'CallState', wanted 'callState'"):
        play_with(typed)


def test_user_code_that_type_checkers_have_read_runs(peer: Any, play_with: Play) -> None:
    def answer(body: Any) -> None:
        for name in ("trying", "ringing", "ended"):
            peer.say_raw(json.dumps({"action": name, "id": ids[-1], "data": body}))

    ids: list[int] = []
    hear = peer.on_data

    def on_data(data: str) -> None:
        ids.append(json.loads(data).get("id"))
        hear(data)

    peer.on_data = on_data
    peer.on_request["newCall"] = answer
    peer.on_request["read"] = lambda body: peer.say_raw(json.dumps({"action": "r", "id": ids[-1], "data": body}))
    peer.greeting = [("ping", {"seq": 9}), ("newCall", {"number": 5}), ("ended", {"number": 6})]

    class Alone(Caller, user=False):
        pass

    @scenario
    async def alone(caller: Alone) -> None:
        assert await caller.either() == 5
        assert await caller.either() == 6
        assert await caller.end(NewCall(5)) == CallEnded(5)
        assert await caller.read(a=1) == {"a": 1}

    play_with(alone)
    assert ("pong", {"seq": 9}) in peer.heard


def test_bytes_stay_bytes_in_a_binary_dialect(peer: Any, play_with: Play) -> None:
    class Packed(Codec):
        def decode(self, data: Data) -> list[Message]:
            name, body = msgspec.msgpack.decode(data)
            return [Message(name, body, data)]

        def encode(self, name: str, body: Any) -> Message:
            return Message(name, body, msgspec.msgpack.encode((name, body)))

    class Blob(msgspec.Struct):
        data: bytes

    class Sender(Actor):
        line = Link("{peer}", dialect=Packed(), within_s=5)

    peer.on_data = lambda data: peer.heard.append(msgspec.msgpack.decode(data))

    @scenario
    async def packed(alice: Sender) -> None:
        alice.send(Blob(b"\xff\0"))
        peer.say_raw(msgspec.msgpack.encode(("blob", {"data": b"\xfe"})))
        assert await alice.expect(Blob) == Blob(b"\xfe")

    play_with(packed)
    assert peer.heard == [["blob", {"data": b"\xff\0"}]]
