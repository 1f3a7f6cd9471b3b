"""Every failure names the author's line: each public word that can fail, used where it is used.

A case fails at its line that ends in `# here`; what is raised must name that line, and none of ours or of a library.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import antiphon
from antiphon import (
    Actor,
    AntiphonError,
    Backoff,
    Cbor,
    Channel,
    GraphqlWs,
    HandlerFailed,
    Http,
    HttpChannel,
    Json,
    Link,
    Message,
    MessagePack,
    Mqtt,
    Ocpp,
    Plan,
    Protobuf,
    Proxy,
    Run,
    SocketIo,
    Stand,
    Step,
    Tls,
    User,
    Xml,
    action,
    all_of,
    at,
    await_signal,
    call,
    check,
    expect,
    feed,
    first_of,
    listen,
    load_stand,
    on,
    part,
    perform,
    play,
    play_load,
    repeat,
    saved,
    scenario,
    send,
    signal,
    soft,
    timer,
    together,
    wait,
    within,
)
from antiphon.runtime.tracebacks import author_frame

Play = Callable[..., Run]
HERE = Path(__file__).relative_to(Path.cwd())
DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Party(Actor):
    line = Link("{peer}", dialect=DIALECT, within_s=0.01)
    spare = Link("memory://nobody", dialect=DIALECT, within_s=0.01, opens="manually")
    again = Link("{peer}", dialect=DIALECT, opens="manually", reopens=Backoff(first_s=60))
    api = Http("http://127.0.0.1:1", within_s=5)

    @action
    async def say(self, number: int) -> None:
        """Says nothing."""


CASES: dict[str, Any] = {}


def case(*words: str) -> Callable[[Any], Any]:
    """A case of these words: names of `antiphon.__all__`, or `Class.method`."""

    def add(function: Any) -> Any:
        for word in words:
            CASES[f"{word} {function.__name__}"] = function
        return function

    return add


def lines_of(function: Any) -> set[str]:
    """Where the function is marked."""
    lines, first = inspect.getsourcelines(function)
    return {f"{HERE}:{number}" for number, line in enumerate(lines, first) if line.rstrip().endswith("# here")}


def places_in(error: BaseException) -> set[str]:
    """Every place that an error names."""
    text = "\n".join([str(error), *getattr(error, "__notes__", ())])
    return set(re.findall(r"[\w./-]+\.py:\d+", text))


def require_place(error: BaseException, function: Any) -> None:
    named = places_in(error)
    assert named & lines_of(function), f"{named} is not {lines_of(function)}: {error}"
    foreign = {place for place in named if not place.startswith(str(HERE))}
    assert not foreign, error


# -- in an actor's own code -------------------------------------------------------------------------------------------

Spoken = Callable[[Party, Any], Awaitable[Any]]


@case("Actor.expect", "Channel.expect")
async def not_said(party: Party, peer: Any) -> None:
    await party.expect("news")  # here


@case("Channel.expect")
async def not_said_on_the_channel(party: Party, peer: Any) -> None:
    await party.line.expect("news")  # here


@case("Actor.expect", "CheckFailed")
async def said_otherwise(party: Party, peer: Any) -> None:
    peer.say("news", n=1)
    await party.expect("news", check={"n": 2})  # here


@case("Actor.expect")
async def awaited_later(party: Party, peer: Any) -> None:
    news = party.expect("news")  # here
    await asyncio.sleep(0)
    await news


@case("Actor.expect")
async def a_wrong_deadline(party: Party, peer: Any) -> None:
    party.expect("news", within_s="soon")  # type: ignore[arg-type] # here


@case("Actor.expect_none", "Channel.expect_none")
async def said_though_it_should_not(party: Party, peer: Any) -> None:
    peer.say("news")
    await party.expect_none("news", within_s=1)  # here


@case("Actor.expect_close", "Channel.expect_close")
async def not_closed(party: Party, peer: Any) -> None:
    await party.expect_close()  # here


@case("Actor.expect_finish", "Channel.expect_finish")
async def not_finished(party: Party, peer: Any) -> None:
    await party.expect_finish()  # here


@case("Actor.finish", "Channel.finish")
async def finish_what_is_closed(party: Party, peer: Any) -> None:
    await party.close()
    party.finish()  # here


@case("Actor.until", "Channel.until")
async def not_true(party: Party, peer: Any) -> None:
    await party.until(lambda: False)  # here


@case("Actor.until")
async def a_predicate_that_raises(party: Party, peer: Any) -> None:
    await party.until(lambda: {}["x"])  # here


@case("Actor.forbid", "Channel.forbid")
async def forbidden(party: Party, peer: Any) -> None:
    with party.forbid("news"):  # here
        peer.say("news")
        await asyncio.sleep(1)


@case("Actor.ask", "Channel.ask", "Channel.exchange", "Exchange")
async def not_answered(party: Party, peer: Any) -> None:
    await party.ask("hello")  # here


@case("Channel.ask")
async def not_answered_on_the_channel(party: Party, peer: Any) -> None:
    await party.line.ask("hello")  # here


@case("Actor.ask", "Exchange")
async def refused(party: Party, peer: Any) -> None:
    peer.on_request["hello"] = lambda _: peer.say("resultHello", result="error")
    async for _ in party.ask("hello"):  # here
        pass


@case("Actor.ask")
async def a_body_twice(party: Party, peer: Any) -> None:
    await party.ask("hello", [1], n=2)  # here


@case("Actor.ask")
async def unwritable(party: Party, peer: Any) -> None:
    await party.ask("hello", n=object())  # here


@case("Actor.send", "Channel.send")
async def unsayable(party: Party, peer: Any) -> None:
    party.send("hello", n=object())  # here


@case("Actor.send", "Channel.send", "ChannelClosed")
async def said_after_the_close(party: Party, peer: Any) -> None:
    await party.close()
    party.send("hello")  # here


@case("Channel.send_data")
async def data_after_the_close(party: Party, peer: Any) -> None:
    await party.close()
    party.line.send_data("x")  # here


@case("Channel.batch")
async def a_batch_in_a_batch(party: Party, peer: Any) -> None:
    with party.line.batch(), party.line.batch():  # here
        pass


@case("Channel.batch")
async def a_batch_after_the_close(party: Party, peer: Any) -> None:
    await party.close()
    with party.line.batch():
        party.send("x")  # here


@case("Actor.answer", "Channel.answer")
async def an_answer_that_cannot_be_written(party: Party, peer: Any) -> None:
    peer.say("news")
    party.answer(await party.expect("news"), object())  # here


@case("Actor.refuse", "Channel.refuse", "Channel.refuse_with")
async def a_refusal_that_cannot_be_written(party: Party, peer: Any) -> None:
    peer.say("news")
    party.refuse(await party.expect("news"), 1, "no", more=object())  # here


@case("Actor.close", "Channel.close")
async def a_close_that_cannot_be_sent(party: Party, peer: Any) -> None:
    party.close(1000, "x" * 200)  # here


@case("Channel.open", "ConnectFailed")
async def nobody_there(party: Party, peer: Any) -> None:
    await party.spare.open()  # here


@case("Channel.reconnect")
async def nobody_there_any_more(party: Party, peer: Any) -> None:
    await party.spare.reconnect()  # here


@case("Channel.expect_refusal")
async def not_refused(party: Party, peer: Any) -> None:
    await party.close()
    await party.line.expect_refusal(403)  # here


@case("Channel.reopened")
async def not_opened_by_itself(party: Party, peer: Any) -> None:
    party.line.reopened()  # here


@case("Channel.reopened")
async def not_opened_again_in_time(party: Party, peer: Any) -> None:
    await party.again.open()
    peer.abort()
    await party.again.expect_close()
    await party.again.reopened(within_s=0.01)  # here


@case("Channel.send")
async def said_while_it_is_opened_again(party: Party, peer: Any) -> None:
    await party.again.open()
    peer.abort()
    await party.again.expect_close()
    party.again.send("news")  # here


@case("Channel.flushed")
async def closed_before_it_left(party: Party, peer: Any) -> None:
    await party.close()
    await party.line.flushed()  # here


@case("Channel.ping")
async def a_ping_over_memory(party: Party, peer: Any) -> None:
    await party.line.ping()  # here


@case("first_of")
async def none_of_them(party: Party, peer: Any) -> None:
    await first_of(party.expect("news"), party.expect("x"))  # here


@case("first_of")
async def of_nothing(party: Party, peer: Any) -> None:
    first_of()  # here


@case("all_of")
async def not_all_of_them(party: Party, peer: Any) -> None:
    await all_of(party.expect("news"), party.expect("x"))  # here


@case("Wait")
async def through_wait_for(party: Party, peer: Any) -> None:
    await asyncio.wait_for(party.expect("news"), 5)  # here


@case("Message", "FieldMissing")
async def a_field_that_is_not_there(party: Party, peer: Any) -> None:
    peer.say("news")
    news = await party.expect("news")
    news["x"]  # here


@case("soft")
async def softly(party: Party, peer: Any) -> None:
    peer.say("news", n=1)
    await party.expect("news", check=soft({"n": 2}))  # here


@case("HttpChannel.get", "HttpChannel.request")
async def nobody_at_get(party: Party, peer: Any) -> None:
    await party.api.get("/x")  # here


@case("HttpChannel.post")
async def nobody_at_post(party: Party, peer: Any) -> None:
    await party.api.post("/x")  # here


@case("HttpChannel.put")
async def nobody_at_put(party: Party, peer: Any) -> None:
    await party.api.put("/x")  # here


@case("HttpChannel.patch")
async def nobody_at_patch(party: Party, peer: Any) -> None:
    await party.api.patch("/x")  # here


@case("HttpChannel.delete")
async def nobody_at_delete(party: Party, peer: Any) -> None:
    await party.api.delete("/x")  # here


@case("Actor.later")
async def later_it_raises(party: Party, peer: Any) -> None:
    party.later(0, lambda: party.send("hello", n=object()))  # here
    await asyncio.sleep(1)


@case("Actor.user")
async def nobody_to_be(party: Party, peer: Any) -> None:
    party.user.name  # here


@pytest.mark.parametrize("name", CASES)
def test_what_an_actor_does(peer: Any, play_with: Play, name: str) -> None:
    function = CASES[name]

    @scenario
    async def talk(party: Party) -> None:
        await function(party, peer)

    with pytest.raises(AntiphonError) as failed:
        play_with(talk)
    require_place(failed.value, function)


@pytest.mark.parametrize("name", CASES)
def test_what_an_actor_does_in_an_action(peer: Any, play_with: Play, name: str) -> None:
    function = CASES[name]

    class Acting(Party):
        @action
        async def perform(self) -> None:
            await function(self, peer)

    @scenario
    def talk(party: Acting) -> list[Step[Any]]:
        return [Acting.perform()]

    with pytest.raises(AntiphonError) as failed:
        play_with(talk)
    require_place(failed.value, function)


class Hearing(Party):
    """Its handlers fail at a line of their own, not at the one where they are defined."""

    @on("field")
    def miss_a_field(self, message: Message) -> None:
        message["nothing"]  # here

    @on("saying")
    async def say_what_cannot_be_said(self, message: Message) -> None:
        await asyncio.sleep(0)
        self.send("hello", n=object())  # here

    @on("within")
    def fail_further_in(self, message: Message) -> None:
        self.further_in(message)

    def further_in(self, message: Message) -> None:
        raise ValueError(message.name)  # here


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("field", Hearing.miss_a_field),
        ("saying", Hearing.say_what_cannot_be_said),
        ("within", Hearing.further_in),
    ],
)
def test_what_a_handler_does(peer: Any, play_with: Play, name: str, function: Any) -> None:
    @scenario
    async def talk(party: Hearing) -> None:
        peer.say(name)
        await asyncio.sleep(1)

    with pytest.raises(HandlerFailed) as failed:
        play_with(talk)
    require_place(failed.value, function)


# -- in lists ---------------------------------------------------------------------------------------------------------


def fail() -> None:
    raise ValueError("x")


LISTED: dict[str, Callable[[Any], Any]] = {}


def listed(*words: str) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for word in words:
            LISTED[f"{word} {function.__name__}"] = function
        return function

    return add


@listed("expect")
def expect_in_vain(party: Party) -> Any:
    return [
        wait(0),
        expect("news"),  # here
    ]


@listed("expect", "together")
def expect_together(party: Party) -> Any:
    return [
        together(
            wait(0),
            expect("news"),  # here
        )
    ]


@listed("expect", "repeat")
def expect_in_each_round(party: Party) -> Any:
    return [
        repeat(
            2,
            expect("news", by=party),  # here
        )
    ]


@listed("send")
def send_what_cannot_be_said(party: Party) -> Any:
    return [
        wait(0),
        send("hello", n=object()),  # here
    ]


@listed("send")
def send_a_body_twice(party: Party) -> Any:
    return [
        wait(0),
        send("hello", [1], n=1),  # here
    ]


@listed("await_signal")
def await_what_nobody_gives(party: Party) -> Any:
    return [
        wait(0),
        await_signal("x", within_s=0.01),  # here
    ]


@listed("within")
def within_too_little(party: Party) -> Any:
    return [
        wait(0),
        within(0.001, wait(1)),  # here
    ]


@listed("at")
def at_a_moment_that_is_past(party: Party) -> Any:
    return [
        wait(0.1),
        at(0.01),  # here
    ]


@listed("repeat")
def repeat_until_what_never_comes(party: Party) -> Any:
    return [
        wait(0),
        repeat(2, wait(0), until=lambda: False),  # here
    ]


@listed("call", "saved")
def call_with_what_was_not_saved(party: Party) -> Any:
    return [
        wait(0),
        call(print, saved.nothing),  # here
    ]


@listed("Step", "action")
def an_action_with_too_little(party: Party) -> Any:
    return [
        wait(0),
        Party.say(),  # type: ignore[call-arg] # here
    ]


@listed("check")
def check_what_is_not_so(party: Party) -> Any:
    return [
        wait(0),
        check(1, 2),  # here
    ]


@listed("signal")
def a_signal_without_a_name(party: Party) -> Any:
    return [
        wait(0),
        signal(""),  # here
    ]


@listed("wait")
def wait_for_less_than_nothing(party: Party) -> Any:
    return [
        wait(-1),  # here
    ]


@pytest.mark.parametrize("name", LISTED)
def test_what_stands_in_a_list(peer: Any, play_with: Play, name: str) -> None:
    function = LISTED[name]

    @scenario
    def talk(party: Party) -> Any:
        return function(party)

    with pytest.raises(AntiphonError) as failed:
        play_with(talk)
    require_place(failed.value, function)


@pytest.mark.parametrize("name", LISTED)
def test_what_an_async_scenario_returns(peer: Any, play_with: Play, name: str) -> None:
    function = LISTED[name]

    @scenario
    async def talk(party: Party) -> Any:
        return function(party)

    with pytest.raises(AntiphonError) as failed:
        play_with(talk)
    require_place(failed.value, function)


# -- outside of runs --------------------------------------------------------------------------------------------------


DIRECT: dict[str, Callable[[], Any]] = {}


def direct(*words: str) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for word in words:
            DIRECT[f"{word} {function.__name__}"] = function
        return function

    return add


@direct("play", "Scenario")
def play_no_scenario() -> None:
    play(5)  # type: ignore[arg-type] # here


@direct("perform")
def perform_no_scenario() -> None:
    asyncio.run(perform(5))  # type: ignore[arg-type] # here


@direct("play", "Stand")
def play_on_a_stand_that_is_not_there() -> None:
    play(nothing, stand="nowhere", runs=None)  # here


@direct("load_stand")
def load_what_is_not_there() -> None:
    load_stand("nowhere")  # here


@direct("play")
def play_with_a_parameter_too_much() -> None:
    play(nothing, stand=Stand("x"), runs=None, more=1)  # here


@direct("User")
def a_user_without_such_a_field() -> None:
    User(name="alice").colour  # here


@direct("scenario")
def a_scenario_with_any_number_of_parameters() -> None:
    @scenario  # here
    def talk(*args: Any) -> None: ...


@direct("action")
def an_action_that_is_not_async() -> None:
    class Wrong(Actor):
        @action  # type: ignore[arg-type] # here
        def act(self) -> None: ...


@direct("on")
def a_handler_of_no_name() -> None:
    class Wrong(Actor):
        @on(5)  # type: ignore[arg-type] # here
        def hear(self, message: Message) -> None: ...


@direct("Proxy")
def a_proxy_that_is_none() -> None:
    Proxy("proxy:3128")  # here


@direct("Tls")
def tls_of_no_version() -> None:
    Tls(min_version="2")  # here


@direct("Link", "WebSocket")
def a_link_that_opens_by_magic() -> None:
    Link("{peer}", dialect=DIALECT, opens="by magic")  # here


@direct("Backoff")
def a_backoff_that_goes_back() -> None:
    Backoff(factor=0.5)  # here


@direct("Plan")
def a_plan_of_nothing() -> None:
    Plan()  # here


@direct("part")
def a_part_without_a_unit() -> None:
    part(nothing, rate="20")  # here


@direct("feed")
def a_feed_of_nothing() -> None:
    feed(5)  # type: ignore[arg-type] # here


@direct("Json", "JsonRpc", "Lsp")
def a_dialect_without_a_path() -> None:
    Json(name="")  # here


@direct("MessagePack")
def messagepack_without_a_name() -> None:
    MessagePack(name="")  # here


@direct("Cbor")
def cbor_without_a_name() -> None:
    Cbor(name="")  # here


@direct("Ocpp")
def ocpp_of_another_version() -> None:
    Ocpp("1.5")  # here


@direct("GraphqlWs")
def graphql_that_would_wait() -> None:
    async def admit(payload: Any) -> bool: ...  # type: ignore[empty-body]

    GraphqlWs(admit=admit)  # here


@direct("SocketIo")
def a_namespace_that_is_none() -> None:
    SocketIo(namespaces=["admin"])  # here


@direct("Xml")
def a_name_without_a_root() -> None:
    Xml("@type")  # here


@direct("Mqtt")
def mqtt_of_another_version() -> None:
    Mqtt("4")  # type: ignore[arg-type] # here


@direct("Protobuf")
def protobuf_of_what_protoc_has_not_made() -> None:
    Protobuf(dict, dict)  # here


@direct("listen", "Server")
def listen_where_nobody_can() -> None:
    async def main() -> None:
        await listen("ws://127.0.0.1:99999", lambda opening: Party())  # here

    asyncio.run(main())


@direct("Actor", "Actor.channel", "Actor.runtime")
def an_actor_outside_of_a_run() -> None:
    Party().send("hello")  # here


@direct("timer", "Timer")
def a_timer_outside_of_a_run() -> None:
    timer("rest").stop()  # here


@direct("perform_load", "play_load")
def a_load_of_users_whom_the_stand_does_not_have() -> None:
    plan, small = Plan(part(somebodys, users=2), during=1), Stand("small", users=[{"name": "ann"}])
    play_load(plan, stand=small, runs=None)  # here


@scenario
async def somebodys(somebody: Party) -> None:
    """Is somebody."""


@scenario
async def nothing() -> None:
    """Does nothing."""


@pytest.mark.parametrize("name", DIRECT)
def test_what_is_done_outside_of_runs(name: str) -> None:
    function = DIRECT[name]
    with pytest.raises(AntiphonError) as failed:
        function()
    frame = author_frame(failed.value)
    assert frame is not None
    named = {*places_in(failed.value), f"{HERE}:{frame.lineno}"}
    # A decorator is called on the line that it decorates from, as Python tells it.
    assert named & lines_of(function), failed.value


# -- every word -------------------------------------------------------------------------------------------------------

VALUES = {
    *(
        "ABSENT",
        "ANY",
        "Accepted",
        "DEFERRED",
        "Data",
        "Ending",
        "ErrorReply",
        "HttpResponse",
        "Load",
        "Opening",
        "Peer",
    ),
    *("RejectConnection", "Run", "Soft", "UNNAMED", "UNREADABLE", "Unreadable", "Withdrawal"),
}
"""What is given, or read, and cannot fail."""

PARTS = {"Channel", "Codec", "Dialect", "Http", "HttpChannel", "Meeting", "Raw", "Resp", "Stomp", "Text"}
"""What words are said through: their methods are here, or the words that call them."""

AT_ONCE = {
    *(
        "Actor.be",
        "Actor.channels",
        "Actor.connections",
        "Actor.drain",
        "Actor.has_async_handlers",
        "Actor.ignore",
        "Actor.is_connected",
        "Actor.mark",
    ),
    *("Actor.message_channels", "Actor.name", "Actor.needs_user", "Actor.wanted_user", "Channel.abort"),
    *("Channel.connection", "Channel.drain", "Channel.ending", "Channel.ignore", "Channel.is_open", "Channel.mark"),
    *("Channel.unsent_bytes", "Channel.within_s", "HttpChannel.close", "HttpChannel.session"),
}
"""What takes, tells or declares, and waits for nobody."""

CALLED_BY_US = {
    *("Actor.arrive", "Actor.attach", "Actor.connect", "Actor.disconnect", "Actor.leave"),
    *("Channel.meet", "Channel.on_data", "Channel.on_ended", "Channel.on_finished", "Channel.on_opened"),
}


def test_every_public_word_is_here() -> None:
    errors = {name for name in antiphon.__all__ if is_error(getattr(antiphon, name))}
    words = {name for name in antiphon.__all__ if name not in errors}
    for kind in (Actor, Channel, HttpChannel):
        words |= {f"{kind.__name__}.{name}" for name in dir(kind) if not name.startswith("_")}
    tried = {name.split(" ")[0] for name in (*CASES, *LISTED, *DIRECT)}

    assert words - tried == VALUES | PARTS | AT_ONCE | CALLED_BY_US


def is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, AntiphonError)
