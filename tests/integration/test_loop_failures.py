"""Whatever a callback of the loop raises ends the run and reaches whoever performs it: it is not only logged."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop

from antiphon import Actor, Json, Link, Run, Stand, call, on, perform, scenario, together, wait
from antiphon.conversation.message import Message
from antiphon.journal import RunEnded
from antiphon.transport.websocket.server import WebSocketListener

ERRORS: list[Callable[[], BaseException]] = [
    KeyboardInterrupt,
    lambda: SystemExit(3),
    lambda: pytest.fail.Exception("Timeout >5.0s"),  # what pytest-timeout raises from a signal's handler
]


class Raiser(Actor):
    """Raises its error where it is told to."""

    line = Link("{peer}", dialect=Json(name="action", body="data"), within_s=5)
    error: BaseException
    waiting: Any = None

    def throw(self) -> None:
        raise self.error

    @on("poke")
    def poked(self, message: Message) -> None:
        self.throw()

    @on("poke later")
    async def poked_later(self, message: Message) -> None:
        await asyncio.sleep(0)
        self.throw()


def in_a_handler(raiser: Raiser, peer: Any) -> None:
    peer.say("poke")


def in_an_async_handler(raiser: Raiser, peer: Any) -> None:
    peer.say("poke later")


def in_a_timer_of_the_actor(raiser: Raiser, peer: Any) -> None:
    raiser.later(0.001, raiser.throw)


def in_a_callback_of_the_loop(raiser: Raiser, peer: Any) -> None:
    asyncio.get_running_loop().call_soon(raiser.throw)


def in_a_timer_of_the_loop(raiser: Raiser, peer: Any) -> None:
    asyncio.get_running_loop().call_later(0.001, raiser.throw)


def in_a_signal(raiser: Raiser, peer: Any) -> None:
    signal.signal(signal.SIGALRM, lambda *_: raiser.throw())
    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGALRM)


def in_a_predicate(raiser: Raiser, peer: Any) -> None:
    raiser.waiting = raiser.expect("news", where=lambda _: raiser.throw())
    peer.say("news")


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.signal(signal.SIGALRM, before)


each_error = pytest.mark.parametrize("error", ERRORS, ids=["interrupt", "exit", "pytest fails"])


@each_error
@pytest.mark.parametrize(
    "place",
    [
        in_a_handler,
        in_an_async_handler,
        in_a_timer_of_the_actor,
        in_a_callback_of_the_loop,
        in_a_timer_of_the_loop,
        in_a_signal,
        in_a_predicate,
    ],
)
def test_it_reaches_whoever_performs_the_run(
    place: Callable[..., None],
    error: Callable[[], BaseException],
    peer: Any,
    play_with: Callable[..., Run],
    caplog: pytest.LogCaptureFixture,
) -> None:
    raised = error()
    entries: list[Any] = []

    @scenario
    async def spoiled(raiser: Raiser) -> None:
        raiser.error = raised
        place(raiser, peer)
        await raiser.expect("never", within_s=2)

    with pytest.raises(type(raised)) as caught, caplog.at_level(logging.DEBUG, "asyncio"):
        play_with(spoiled, watch=entries.append)

    assert caught.value is raised
    assert not [record for record in caplog.records if record.exc_info]
    (ended,) = (entry for entry in entries if isinstance(entry, RunEnded))
    # KeyboardInterrupt and SystemExit, raised by a callback, leave the loop at once: the run is cancelled.
    assert ended.verdict == "interrupted" if isinstance(raised, KeyboardInterrupt) else ended.verdict != "passed"
    if not isinstance(raised, (KeyboardInterrupt, SystemExit)):
        assert (ended.verdict, ended.error.partition("\n")[0]) == ("error", "Failed: Timeout >5.0s")


@each_error
@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("place", [in_a_handler, in_a_predicate])
def test_it_comes_through_a_websocket(
    place: Callable[..., None],
    make_loop: Callable[[], asyncio.AbstractEventLoop],
    error: Callable[[], BaseException],
    peer: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    raised = error()

    @scenario
    async def spoiled(raiser: Raiser) -> None:
        raiser.error = raised
        place(raiser, peer)
        await raiser.expect("never", within_s=2)

    async def perform_here() -> None:
        listening = await WebSocketListener().listen("ws://127.0.0.1:0", peer.accept)
        try:
            await perform(spoiled, stand=Stand("test", {"peer": listening.address}), runs=None, linger_s=0)
        finally:
            await listening.close()

    with (
        pytest.raises(type(raised)) as caught,
        caplog.at_level(logging.DEBUG, "asyncio"),
        asyncio.Runner(loop_factory=make_loop) as runner,
    ):
        runner.run(perform_here())

    assert caught.value is raised
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("error", [ZeroDivisionError("of nobody"), pytest.exit.Exception("enough")], ids=str)
@pytest.mark.parametrize("place", [in_a_timer_of_the_actor, in_a_callback_of_the_loop, in_a_signal])
def test_an_ordinary_error_of_a_callback_ends_the_run_too(
    place: Callable[..., None], error: Exception, peer: Any, play_with: Callable[..., Run]
) -> None:
    @scenario
    async def spoiled(raiser: Raiser) -> None:
        raiser.error = error
        place(raiser, peer)
        await raiser.expect("never", within_s=2)

    with pytest.raises(type(error)) as caught:
        play_with(spoiled)
    assert caught.value is error


def test_a_loop_is_left_as_it_was_whichever_of_its_runs_ends_first(run_loop: Callable[..., Any]) -> None:
    told: list[Any] = []

    second_began, first_ended = asyncio.Event(), asyncio.Event()

    @scenario
    async def short() -> None:
        await second_began.wait()

    @scenario
    async def long() -> None:
        second_began.set()
        await first_ended.wait()
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(60)

    async def both() -> None:
        loop = asyncio.get_running_loop()
        own = lambda _loop, context: told.append(context["message"])  # noqa: E731 - compared below
        loop.set_exception_handler(own)
        first = asyncio.ensure_future(perform(short, runs=None))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(perform(long, runs=None))
        await first
        first_ended.set()
        with pytest.raises(ZeroDivisionError):
            await second
        assert loop.get_exception_handler() is own
        loop.call_exception_handler({"message": "of somebody else"})

    run_loop(both())
    assert told == ["of somebody else"]


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_of_several_runs_in_a_loop_only_the_one_whose_callback_it_was_fails(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    began, failed = asyncio.Barrier(3), asyncio.Event()

    @scenario
    async def going_on() -> None:
        await began.wait()
        await failed.wait()

    @scenario
    async def spoiled(how: str) -> None:
        loop = asyncio.get_running_loop()
        await began.wait()
        if how == "soon":
            loop.call_soon(lambda: 1 / 0)
        elif how == "later":
            loop.call_later(0.001, lambda: 1 / 0)
        else:
            done = loop.create_future()
            done.add_done_callback(lambda _: 1 / 0)
            done.set_result(None)
        await asyncio.Event().wait()

    async def all_of_them(how: str) -> None:
        others = [asyncio.ensure_future(perform(going_on, runs=None, linger_s=0)) for _ in range(2)]
        with pytest.raises(ZeroDivisionError):
            await perform(spoiled, runs=None, linger_s=0, how=how)
        failed.set()
        assert [run.verdict for run in await asyncio.gather(*others)] == ["passed", "passed"]
        failed.clear()

    with asyncio.Runner(loop_factory=make_loop) as runner:
        for how in ("soon", "later", "done"):
            runner.run(all_of_them(how))


def test_what_a_callback_of_a_run_that_is_over_raises_fails_no_other(run_loop: Callable[..., Any]) -> None:
    told: list[Any] = []
    raised = asyncio.Event()

    @scenario
    async def over() -> None:
        asyncio.get_running_loop().call_later(0.02, lambda: 1 / 0)

    @scenario
    async def going_on() -> None:
        await raised.wait()

    def hear(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        told.append(context["exception"])
        raised.set()

    async def both() -> None:
        asyncio.get_running_loop().set_exception_handler(hear)
        other = asyncio.ensure_future(perform(going_on, runs=None, linger_s=0))
        await asyncio.sleep(0)
        await perform(over, runs=None, linger_s=0)
        assert (await other).verdict == "passed"

    run_loop(both())
    assert [type(error) for error in told] == [ZeroDivisionError]


def test_together_raises_it_as_it_is(play_with: Callable[..., Run]) -> None:
    @scenario
    async def spoiled(raiser: Raiser) -> None:
        raiser.error = pytest.fail.Exception("late")
        with pytest.raises(pytest.fail.Exception, match="late"):
            await together(call(raiser.throw), wait(30))

    play_with(spoiled)
