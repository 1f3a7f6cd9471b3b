"""A time limit for a block: who is told what when it is over, and when others cancel."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.testing import run_virtual
from antiphon.transport.timeouts import timeout


async def until_cancelled() -> None:
    await asyncio.get_running_loop().create_future()


def test_a_block_that_takes_too_long() -> None:
    async def main() -> int:
        with pytest.raises(TimeoutError) as failed:
            async with timeout(0):
                await until_cancelled()
        assert isinstance(failed.value.__cause__, asyncio.CancelledError)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(main()) == 0


def test_a_block_that_is_done_in_time_is_not_cancelled_later() -> None:
    async def main() -> str:
        async with timeout(0):
            pass
        for _ in range(100):
            await asyncio.sleep(0)
        return "done"

    assert asyncio.run(main()) == "done"


def test_others_may_cancel_as_well() -> None:
    """Their cancellation is not taken for ours, whichever comes first, and also if both come together."""

    async def limited(within_s: float, here: asyncio.Event) -> None:
        async with timeout(within_s):
            here.set()
            try:
                await until_cancelled()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None
                if within_s == 0:
                    task.cancel()
                raise

    async def main(within_s: float) -> bool:
        here = asyncio.Event()
        task = asyncio.create_task(limited(within_s, here))
        await here.wait()
        if within_s > 0:
            task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(main(60))
    assert asyncio.run(main(0))


def test_what_the_block_raises_is_raised() -> None:
    async def main() -> None:
        async with timeout(60):
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(main())


def test_a_limit_is_for_a_task() -> None:
    scope = timeout(1).__aenter__()

    def begin(loop: asyncio.AbstractEventLoop, done: asyncio.Future[str]) -> None:
        try:
            scope.send(None)
        except RuntimeError as error:
            done.set_result(str(error))
        assert loop.is_running()

    async def main() -> str:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()
        loop.call_soon(begin, loop, done)
        return await done

    assert asyncio.run(main()) == "a time limit is for a task"


def test_what_is_left_can_be_told_until_its_end() -> None:
    async def main() -> list[float]:
        told: list[float] = []
        limit = timeout(16)

        async def look() -> None:
            async with limit:
                for _ in range(3):
                    told.append(limit.left_s)
                    await asyncio.sleep(5.5)

        with pytest.raises(TimeoutError):
            await look()
        return [*told, limit.left_s]

    assert run_virtual(main()) == [16, 10.5, 5, 0]
