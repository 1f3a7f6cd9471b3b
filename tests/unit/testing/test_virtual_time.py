"""The loop with virtual time: it jumps, exactly; it waits for threads, really; it never hangs without a word."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Accepted,
    Actor,
    DeadlinePassed,
    Json,
    Link,
    ScenarioError,
    Stand,
    call,
    listen,
    perform,
    scenario,
    wait,
)
from antiphon.testing import VirtualTimeLoop, run_virtual
from antiphon.transport.memory import MemoryNetwork


@pytest.fixture(autouse=True)
def _really_fast() -> Iterator[None]:
    """None of these tests may take as long as the time that passes in it."""
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < 30


def test_a_sleep_takes_no_time_and_exactly_its_time() -> None:
    async def main() -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        await asyncio.sleep(3600)
        return loop.time(), loop.now_ns()

    assert run_virtual(main()) == (3600.0, 3_600_000_000_000)


def test_timers_fire_in_their_order_at_their_times() -> None:
    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        fired: list[tuple[str, float]] = []

        def fire(name: str) -> None:
            fired.append((name, loop.time()))

        for name, delay_s in (("c", 30.0), ("a", 0.1), ("b", 7.25), ("never", 50.0)):
            timer = loop.call_later(delay_s, fire, name)
            if name == "never":
                timer.cancel()
        await asyncio.sleep(60)
        return fired

    assert run_virtual(main()) == [("a", 0.1), ("b", 7.25), ("c", 30.0)]


def test_time_stands_still_while_there_is_something_to_do() -> None:
    async def main() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 0.0


def test_steps_of_milliseconds_add_up_without_drift() -> None:
    async def main() -> int:
        for _ in range(2000):
            await asyncio.sleep(0.001)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        return loop.now_ns()

    assert run_virtual(main()) == 2_000_000_000


def test_a_timeout_passes_at_its_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(12.5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 12.5


def test_everything_waiting_for_ever_is_an_error_that_says_where() -> None:
    cleaned = []

    async def main() -> None:
        try:
            await asyncio.get_running_loop().create_future()  # here
        finally:
            cleaned.append(True)

    with pytest.raises(ScenarioError, match="everything waits for ever") as caught:
        run_virtual(main())
    assert caught.value.place is not None
    assert f"{__file__}:{main.__code__.co_firstlineno + 2}" in caught.value.place
    assert cleaned == [True]


def test_timers_without_end_reach_the_limit_and_clean_up_has_time() -> None:
    cleaned_at: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def tick() -> None:
            loop.call_later(60, tick)

        tick()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(5)
            cleaned_at.append(loop.time())

    with pytest.raises(ScenarioError, match=r"3600 s of virtual time have passed") as caught:
        run_virtual(main(), limit_s=3600)
    assert __file__ in (caught.value.place or "")
    assert cleaned_at == [3665.0]


def test_a_thread_at_work_is_waited_for_and_no_timer_is_jumped_to() -> None:
    release = threading.Event()
    fired: list[float] = []

    def work() -> str:
        release.wait()
        return "done"

    async def main() -> str:
        loop = asyncio.get_running_loop()
        loop.call_later(3600, lambda: fired.append(loop.time()))
        loop.call_later(0.02, release.set)
        result = await asyncio.to_thread(work)
        assert 0.02 <= loop.time() < 3600
        return result

    assert run_virtual(main()) == "done"
    assert fired == []


def test_a_thread_of_any_origin_is_waited_for() -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[str] = loop.create_future()
        released = threading.Event()

        def work() -> None:
            released.wait()
            loop.call_soon_threadsafe(outcome.set_result, "done")

        threading.Thread(target=work).start()
        loop.call_later(0.02, released.set)
        return await outcome

    assert run_virtual(main()) == "done"


def test_a_thread_that_ends_without_a_word_is_not_waited_for_longer() -> None:
    async def main() -> None:
        released = threading.Event()
        threading.Thread(target=released.wait).start()
        asyncio.get_running_loop().call_later(0.02, released.set)
        await asyncio.get_running_loop().create_future()

    with pytest.raises(ScenarioError, match="everything waits for ever"):
        run_virtual(main())


def test_after_a_job_time_jumps_again_though_the_pool_lives_on() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(int)
        with ThreadPoolExecutor(1) as pool:
            await loop.run_in_executor(pool, int)
        before_s = loop.time()
        await asyncio.sleep(20)
        return round(loop.time() - before_s)

    assert run_virtual(main()) == 20


def test_a_thread_that_hands_nothing_over_and_says_so_is_not_waited_for() -> None:
    async def main() -> float:
        released = threading.Event()
        bystander = threading.Thread(target=released.wait)
        bystander.is_bystander = True  # type: ignore[attr-defined]
        bystander.start()
        await asyncio.sleep(3600)
        released.set()
        bystander.join()
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 3600


def test_a_run_whose_messages_become_files_takes_its_virtual_time_exactly(tmp_path: Path) -> None:
    @scenario
    def patient() -> list[Any]:
        return [wait(600), wait(3000)]

    run = run_virtual(perform(patient, stand=Stand("nowhere", {}), directory=tmp_path, reports=["files"]))
    assert run.duration_s == 3600


def test_a_thread_that_was_there_before_is_not_waited_for() -> None:
    released = threading.Event()
    earlier = threading.Thread(target=released.wait)
    earlier.start()
    try:
        run_virtual(asyncio.sleep(20))
    finally:
        released.set()
        earlier.join()


async def connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def serve() -> None:
    await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)


async def exchange_datagrams() -> None:
    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))


async def read_by_hand() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_recv(ours, 1)


@pytest.mark.parametrize("attempt", [connect, serve, exchange_datagrams, read_by_hand])
def test_sockets_are_refused_with_a_clear_error(attempt: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with pytest.raises(ScenarioError, match="cannot wait for sockets"):
        run_virtual(attempt())


class Caller(Actor):
    line = Link("{centre}", dialect=Json())


class Centre(Actor):
    line = Accepted(dialect=Json())


@scenario
async def late(caller: Caller) -> float:
    with pytest.raises(DeadlinePassed, match=r"waited 90\.000 s"):
        await caller.expect("answer", within_s=90)
    return caller.runtime.now_ns() / 1e9


def test_a_conversation_in_virtual_time() -> None:
    async def main() -> float:
        network = MemoryNetwork()
        stand = Stand("here", {"centre": "memory://centre"}, transports={"memory": network})
        async with await listen("memory://centre", lambda opening: Centre(), listener=network):
            run = await perform(late, stand=stand, runs=None)
        assert isinstance(run.value, float)
        return run.value

    assert run_virtual(main()) == 90.0


@scenario
def with_a_blocking_call(caller: Caller) -> list[object]:
    return [wait(600), call(threading.Event().wait, 0.02, save_as="waited"), wait(600)]


def test_a_blocking_call_of_a_workflow() -> None:
    async def main() -> float:
        network = MemoryNetwork()
        stand = Stand("here", {"centre": "memory://centre"}, transports={"memory": network})
        async with await listen("memory://centre", lambda opening: Centre(), listener=network):
            run = await perform(with_a_blocking_call, stand=stand, runs=None)
        assert run.returned["waited"] is False
        return run.duration_s

    assert 1200.01 <= run_virtual(main()) < 1202
