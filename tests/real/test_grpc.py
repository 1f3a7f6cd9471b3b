"""Conversations with a gRPC server as its users write it, on either loop; and a client of theirs at our listener."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest
import uvloop

from antiphon import Accepted, Actor, Link, Message, Protobuf, Run, Stand, listen, on, perform, scenario
from antiphon.scenarios.scenario import load_file

EXAMPLE = load_file(str(Path(__file__).parents[2] / "examples" / "real" / "grpc_desk.py"))
desk_pb2 = EXAMPLE.desk_pb2
TOKEN = "looking-glass-7"
WITHIN_S = 30.0


async def talk(said: Any, context: Any) -> None:
    """`rpc Talk`, with a login, events, and answers by id."""
    if ("authorization", f"Bearer {TOKEN}") not in tuple(context.invocation_metadata()):
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")
    number = 0
    async for each in said:
        if each.WhichOneof("event") == "order":
            number += 1
            await context.write(desk_pb2.Heard(note=f"{each.order.what} {list(each.order.many)}"))
            await context.write(desk_pb2.Heard(accepted={"number": f"n-{number}"}))
        elif each.WhichOneof("event") == "cancel":
            await context.write(
                desk_pb2.Heard(request=each.request, cancelled={"number": each.cancel.number, "message": "as you wish"})
            )


async def serving(use: Callable[[str], Coroutine[Any, Any, Any]]) -> Any:
    handler = grpc.stream_stream_rpc_method_handler(talk, desk_pb2.Said.FromString, desk_pb2.Heard.SerializeToString)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("desk.Desk", {"Talk": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        return await asyncio.wait_for(use(f"grpc://127.0.0.1:{port}"), WITHIN_S)
    finally:
        await server.stop(None)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play_there(request: pytest.FixtureRequest) -> Callable[..., Run]:
    def play(scene: Any, token: str = TOKEN, **options: Any) -> Run:
        async def use(address: str) -> Run:
            stand = Stand("grpc", {"desk": address}, users=[{"name": "alice", "token": token}])
            return await perform(scene, stand=stand, **{"runs": None, **options})

        with asyncio.Runner(loop_factory=request.param) as runner:
            run: Run = runner.run(serving(use))
            return run

    return play


def test_the_example(play_there: Callable[..., Run]) -> None:
    assert play_there(EXAMPLE.an_order_and_its_end).value == "n-1: as you wish"


class Stranger(Actor):
    desk = Link("{desk}/desk.Desk/Talk", dialect=Protobuf(desk_pb2.Said, desk_pb2.Heard), opens="manually")


@scenario
async def knock(stranger: Stranger) -> str:
    return str(await stranger.desk.expect_refusal(16))


def test_a_login_that_is_refused(play_there: Callable[..., Run]) -> None:
    assert "the stream was refused: UNAUTHENTICATED: who are you?" in play_there(knock).value


def test_many_orders_in_order_and_a_record_that_can_be_read(play_there: Callable[..., Run], tmp_path: Path) -> None:
    @scenario
    async def order_much(customer: EXAMPLE.Customer) -> list[str]:
        for number in range(200):
            customer.send("order", what=f"tea {number}")
        return [(await customer.expect("note")).body for _ in range(200)]

    run = play_there(order_much, runs=tmp_path)
    assert run.value == [f"tea {number} []" for number in range(200)]
    written = (run.directory / "journal.jsonl").read_text()
    assert r'"body":"{\"what\":\"tea 7\"' in written  # of a frame that is binary
    assert TOKEN not in written


class Desk(Actor):
    line = Accepted(dialect=Protobuf(desk_pb2.Said, desk_pb2.Heard, id="request"))

    @on("cancel")
    def note_cancel(self, cancel: Message) -> None:
        self.send("cancelled", number=cancel["number"], message="by us")
        self.channel.close(5, "no more")


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_client_of_theirs_at_our_listener(make_loop: Any) -> None:
    async def use() -> list[Any]:
        server = await listen("grpc://127.0.0.1:0/desk.Desk/Talk", lambda _opening: Desk())
        try:
            target = server.address.removeprefix("grpc://").partition("/")[0]
            async with grpc.aio.insecure_channel(target) as channel:
                method = channel.stream_stream(
                    "/desk.Desk/Talk", desk_pb2.Said.SerializeToString, desk_pb2.Heard.FromString
                )
                call = method()
                await call.write(desk_pb2.Said(cancel={"number": "n-1"}))
                heard = await call.read()
                with pytest.raises(grpc.aio.AioRpcError):
                    await call.read()
                return [heard.cancelled.number, heard.cancelled.message, await call.code(), await call.details()]
        finally:
            await server.close()

    with asyncio.Runner(loop_factory=make_loop) as runner:
        heard = runner.run(asyncio.wait_for(use(), WITHIN_S))
    assert heard == ["n-1", "by us", grpc.StatusCode.NOT_FOUND, "no more"]


def test_without_the_extra_there_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon import ScenarioError
    from antiphon.transport.grpc.address import library

    library.cache_clear()
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ScenarioError, match="need grpcio") as caught:
        asyncio.run(perform(knock, stand=Stand("grpc", {"desk": "grpc://127.0.0.1:1"}), runs=None))
    assert caught.value.hint == "install what it needs: pip install 'antiphon[grpc]'"
    library.cache_clear()
