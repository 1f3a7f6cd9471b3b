"""XML over TCP, an actor at either end: whole frames, frames in pieces, what is hostile, and what is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest
import uvloop

from antiphon import (
    Accepted,
    Actor,
    DialectError,
    ErrorReply,
    Link,
    Message,
    Raw,
    RequestRefused,
    Run,
    Stand,
    Xml,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.dialect.framing import Framing, LengthPrefix, NulTerminated
from antiphon.journal.file import WrittenMessage, read_journal

ORDERS: dict[str, Any] = {"reply": "{name}Response", "id": "@id", "failed": {"code": ...}}
TEXT = Xml(**ORDERS, namespaces={"": "urn:orders", "h": "urn:head"})
WIDE = Xml(**ORDERS, namespaces={"o": "urn:orders"}, encoding="utf-16")
PLAIN = Xml(**ORDERS)

Parties = tuple[type[Actor], type[Actor]]


def parties(dialect: Xml, framing: Framing) -> Parties:
    class Shop(Actor):
        line = Accepted(dialect=dialect, framing=framing)

        @on("order")
        def order(self, request: Message) -> dict[str, Any]:
            if request["item"] == "anvil":
                raise ErrorReply(404, "there is none")
            return {"price": 5, "item": request["item"]}

        @on("login")
        def login(self, request: Message) -> dict[str, Any]:
            return {"token": "hidden-two", "user": request["user"]}

    class Customer(Actor):
        line = Link("{shop}", dialect=dialect, framing=framing, within_s=10)

    return Shop, Customer


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[..., Run]:
    def play(scene: Any, customer: type[Actor], shop: type[Actor], **options: Any) -> Run:
        async def main() -> Run:
            async with await listen("tcp://127.0.0.1:0", lambda _: shop()) as server:
                stand = Stand("t", {"shop": server.address})
                run = await perform(scenario(scene), stand=stand, **{"runs": None, **options})
                for failure in server.failures:
                    raise failure
                return run

        scene.__annotations__["customer"] = customer
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(main())

    return play


@pytest.mark.parametrize(
    ("dialect", "framing"),
    [(TEXT, NulTerminated()), (PLAIN, NulTerminated()), (WIDE, LengthPrefix(4))],
    ids=["namespaces", "text", "utf-16"],
)
def test_orders_are_answered(play: Any, dialect: Xml, framing: Framing) -> None:
    async def shop_twice(customer: Actor) -> Any:
        answers = [customer.ask("order", item=[item, "tea"]) for item in ("größe", "x\r\ny")]
        told = [(await answer)["item"] for answer in reversed(answers)]
        with pytest.raises(RequestRefused) as refused:
            await customer.ask("order", item="anvil")
        return [told, refused.value.message["message"], refused.value.message["code"]]

    shop, customer = parties(dialect, framing)
    run = play(shop_twice, customer, shop)
    assert run.value == [[["x\r\ny", "tea"], ["größe", "tea"]], "there is none", "404"]


def test_a_frame_may_come_in_pieces(play: Any) -> None:
    shop, _ = parties(TEXT, NulTerminated())

    class Slow(Actor):
        line = Link("{shop}", dialect=Raw(), within_s=10)

    order = '<?xml version="1.0"?><x:order xmlns:x="urn:orders" id="7"><x:item>größe</x:item></x:order>\0'.encode()

    async def dribble(customer: Actor) -> Any:
        for byte in order:
            customer.channel.send_data(bytes([byte]))
            await customer.channel.flushed()
        customer.channel.send_data(order * 2)
        heard = b""
        while heard.count(b"\0") < 3:
            heard += (await customer.expect("binary")).body
        return heard.decode()

    told = play(dribble, Slow, shop).value
    assert told == 3 * '<orderResponse xmlns="urn:orders" id="7"><price>5</price><item>größe</item></orderResponse>\0'


def test_who_sends_entities_is_told_on(play: Any) -> None:
    _, customer = parties(TEXT, NulTerminated())

    class Laughing(Actor):
        line = Accepted(dialect=Raw())

        @on.opened
        def laugh(self) -> None:
            self.channel.send_data(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>\0')

    async def listen_to_it(customer: Actor) -> None:
        await customer.expect("a")

    with pytest.raises(DialectError, match="not XML: a document type") as failure:
        play(listen_to_it, customer, Laughing)
    assert "customer.line" in str(failure.value)


@pytest.mark.parametrize(("dialect", "framing"), [(TEXT, NulTerminated()), (WIDE, LengthPrefix(4))])
def test_no_secret_is_written(play: Any, dialect: Xml, framing: Framing, tmp_path: Path) -> None:
    async def log_in(customer: Actor) -> Any:
        body = {
            "user": "alice",
            "@password": "hidden-one",
            "{urn:x.y}pin": "x",
            "{urn:x.y}secret": {"of": "hidden-three"},
        }
        return (await customer.ask("login", body))["token"]

    shop, customer = parties(dialect, framing)
    run = play(log_in, customer, shop, runs=tmp_path)
    assert run.value == "hidden-two"
    (journal,) = tmp_path.glob("*/journal.jsonl")
    said = [entry for entry in read_journal(journal) if isinstance(entry, WrittenMessage)]
    assert [entry.name for entry in said] == ["login", "loginResponse"]
    for entry in said:
        data = entry.raw if isinstance(entry.raw, str) else entry.raw.decode("utf-16")
        assert "alice" in data
        assert "***" in data
        for text in (data, entry.body or "", journal.read_text()):
            assert "hidden" not in text


class Line(msgspec.Struct):
    text: str = msgspec.field(name="#text")
    count: int = msgspec.field(name="@count")


class Order(msgspec.Struct):
    id: int = msgspec.field(name="@id")
    item: list[Line]


@dataclass
class Priced:
    price: float
    item: list[Line]
    free: bool = False


class OrderResponse(pydantic.BaseModel):
    id: int = pydantic.Field(alias="@id")
    price: float
    item: list[dict[str, str]]


def test_types_have_attributes_by_their_names(play: Any) -> None:
    shop, customer = parties(Xml(**ORDERS, lists=["item"]), NulTerminated())

    async def order(customer: Actor) -> Any:
        what = Order(7, [Line("tea", 2)])
        return [await customer.ask(what, reply=kind) for kind in (OrderResponse, Priced)]

    told, priced = play(order, customer, shop).value
    assert (told.id, told.price, told.item) == (7, 5.0, [{"@count": "2", "#text": "tea"}])
    assert priced == Priced(5.0, [Line("tea", 2)])
