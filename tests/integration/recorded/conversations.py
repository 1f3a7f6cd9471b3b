"""A conversation that records an entry of nearly every kind. Its journals beside it hold these lines' numbers."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import msgspec
from tests.integration.conftest import Peer

from antiphon import (
    Actor,
    ExpectationFailed,
    Json,
    Link,
    Message,
    RequestRefused,
    action,
    all_of,
    at,
    await_signal,
    call,
    check,
    expect,
    first_of,
    on,
    repeat,
    saved,
    scenario,
    send,
    signal,
    soft,
    together,
    wait,
    within,
)

DIALECT = Json(name="action", body="data", id="id", reply="result{Name}", failed={"result": "error"})


class Desk(Actor):
    """Who converses: each action leaves other kinds of entries."""

    line = Link("{peer}", dialect=DIALECT, within_s=2)

    def __repr__(self) -> str:
        return self.name

    @on("ring")
    def pick_up(self, message: Message) -> None:
        self.send("pickUp", call=message["call"])

    @on("query")
    async def look_up(self, message: Message) -> None:
        await self.ask("lookUp", call=message["call"])

    @action
    async def dial(self, phone: str, password: str = "") -> Any:
        return (await self.ask("dial", phone=phone, password=password, check={"state": "ready"}))["state"]

    @action
    async def dial_often(self, times: int) -> None:
        for number in range(times):
            await self.dial(str(number))
            await self.hear(number)

    @action
    async def hear(self, number: int) -> None:
        await self.expect("news", where={"n": number})

    @action
    async def be_refused(self) -> None:
        with suppress(RequestRefused):
            await self.ask("refuseMe")

    @action
    async def misfit(self) -> None:
        with suppress(ExpectationFailed):
            await self.ask("dial", phone="0", check={"state": "busy"})

    @action
    async def softly(self) -> None:
        await self.expect("news", check=soft({"n": ...}))

    @action
    async def wait_in_vain(self, within_s: float) -> None:
        with suppress(ExpectationFailed):
            await self.expect("nothing", where=lambda body: body["n"] == 1, within_s=within_s)

    @action
    async def hear_the_first(self) -> None:
        await first_of(self.expect("news"), self.expect("other"))

    @action
    async def hear_all(self) -> None:
        await all_of(self.expect("news"), self.expect("other"))

    @action
    async def hear_none(self) -> None:
        await self.expect_none("other", within_s=0.25)

    @action
    async def look(self) -> None:
        await self.until(lambda: self.mark() > 3)
        self.drain("news")

    @action
    async def read_on(self) -> None:
        exchange = self.ask("many")
        async for _reply in exchange:
            await wait(0.1)

    @action
    async def give_up(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await self.expect("nothing")
        self.expect("other").cancel()


class Talker(Peer):
    """A peer that answers after times that its seed decides."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)

    def on_data(self, data: Any) -> None:
        document = msgspec.json.decode(data)
        name, asked = document["action"], document.get("id")
        loop = asyncio.get_running_loop()

        def later(name: str, body: Any, key: Any = None, longest_s: float = 0.2) -> None:
            said = {"action": name, "data": body} | ({"id": key} if key is not None else {})
            loop.call_later(self.chance.random() * longest_s, self.say_if_open, msgspec.json.encode(said).decode())

        match name:
            case "dial":
                later("resultDial", {"state": "ready", "token": f"secret-{self.chance.randrange(1000)}"}, asked)
                later("news", {"n": int(document["data"]["phone"])})
                later("other", {"n": self.chance.randrange(3)})
            case "refuseMe":
                later("resultRefuseMe", {"result": "error", "message": "no"}, asked)
                later("ring", {"call": 1})
            case "many":
                for _ in range(3):
                    later("news", {"n": 7})
                later("resultMany", {"part": 1}, asked)
            case "pickUp" | "speak":
                later("query", {"call": 2})
                later("news", {"n": 9})
                later("other", {"n": 9})
            case "lookUp":
                later("resultLookUp", {"found": True}, asked)

    def say_if_open(self, data: str) -> None:
        if self.connection is not None:
            self.connection.send(data)


DEEDS: list[tuple[str, tuple[Any, ...]]] = [
    ("dial", ("0", "hunter-22")),
    ("dial_often", (2,)),
    ("be_refused", ()),
    ("misfit", ()),
    ("wait_in_vain", (0.3,)),
    ("hear_the_first", ()),
    ("hear_all", ()),
    ("hear_none", ()),
    ("look", ()),
    ("read_on", ()),
    ("give_up", ()),
]


@scenario
async def everything(alice: Desk, bob: Desk, order: list[int]) -> None:
    """Every deed in an order that the seed decides, two actors side by side."""

    async def do_all(desk: Desk, numbers: list[int]) -> None:
        for number in numbers:
            name, arguments = DEEDS[number]
            desk.send("speak", of=number)
            with suppress(ExpectationFailed):
                await getattr(desk, name)(*arguments)

    await together(call(do_all, alice, order), call(do_all, bob, order[::-1]))
    await alice.close(4001, "enough")


@scenario
def as_a_list(alice: Desk, order: list[int]) -> Any:
    """The words of a workflow; the order is given to a function."""
    return [
        together([wait(0.1), signal("go", 5)], await_signal("go", save_as="went")),
        send("speak", by=alice, n=saved.went),
        expect("news", where={"n": 9}, by=alice, save_as="heard"),
        check(saved.heard, {"n": 9}),
        repeat(2, alice.dial("1", password="hunter-23"), wait(0.05)),
        at(5, alice.be_refused(), late_s=1),
        within(1, wait(0.5)),
        call(sum, order, save_as="total"),
        check({"n": saved.total}, soft({"n": 1})),
        within(0.1, alice.wait_in_vain(5)),
    ]
