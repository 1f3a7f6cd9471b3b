"""How connections are opened, refused, and given up."""

from __future__ import annotations

from antiphon.errors import ConnectFailed, UpgradeRefused
from antiphon.testing.transport_check import check
from antiphon.testing.wires import Hearing, Wires, play_scene, require
from antiphon.transport.interface import Opening, Receiver, RejectConnection

__all__ = [
    "check_cancelled_connect",
    "check_headers",
    "check_nobody_there",
    "check_path",
    "check_refusal",
    "check_subprotocols",
]


@check("has_paths")
async def check_path(wires: Wires) -> None:
    """The server hears of the path with its query, and is asked once."""
    async with play_scene(wires) as scene:
        address = f"{scene.address.rstrip('/')}/desk/7?shift=late"
        await wires.transport.connect(address, Opening(), Hearing())
        # Once: an accept that is asked twice would cast two actors.
        (opening,) = scene.openings
        require(opening.path.endswith("/desk/7?shift=late"), f"path and query arrive at the server: {opening.path!r}")


@check("has_headers")
async def check_headers(wires: Wires) -> None:
    """The server hears of the headers, whatever their case."""
    async with play_scene(wires) as scene:
        await wires.transport.connect(scene.address, Opening(headers={"X-Seat": "7a"}), Hearing())
        (opening,) = scene.openings
        require(opening.headers.get("x-seat") == "7a", f"the server finds a header whatever its case: {opening!r}")


@check("has_subprotocols")
async def check_subprotocols(wires: Wires) -> None:
    """The client's first choice that the server supports is what both sides have; none is "" on both."""
    async with play_scene(wires, subprotocols=("v2", "v1")) as scene:
        for offered, agreed in ((("v3", "v1", "v2"), "v1"), (("v9",), ""), ((), "")):
            client = await scene.connect(opening=Opening(subprotocols=offered))
            server = scene.servers[-1]
            assert client.connection is not None
            assert server.connection is not None
            heard = (client.connection.subprotocol, server.connection.subprotocol)
            require(heard == (agreed, agreed), f"of {offered} the choice is {agreed!r}, not {heard}")
            require(tuple(scene.openings[-1].subprotocols) == offered, "the server hears what was offered")


@check("has_refusals")
async def check_refusal(wires: Wires) -> None:
    """A refused opening raises UpgradeRefused with status, headers and body; the receiver hears nothing."""

    def refuse() -> Receiver:
        raise RejectConnection(403, "not you", {"X-Why": "the list"})

    async with play_scene(wires) as scene:
        scene.accepts = refuse
        client = Hearing()
        try:
            await wires.transport.connect(scene.address, Opening(), client)
        except UpgradeRefused as refused:
            require(refused.status == 403, f"the status is 403, not {refused.status}")
            require(refused.headers.get("x-why") == "the list", "the refusal's headers arrive")
            require(refused.body == b"not you", f"the refusal's body arrives: {refused.body!r}")
            require(refused.place is not None, "the error says where")
        else:
            require(False, "a refused opening raises UpgradeRefused")
        require(client.connection is None and client.ending is None, "a refused receiver hears nothing")


@check()
async def check_nobody_there(wires: Wires) -> None:
    """Connecting to where nobody listens any more raises ConnectFailed with a place and a hint."""
    async with play_scene(wires) as scene:
        assert scene.listening is not None
        address = scene.address
        await scene.listening.close()
        client = Hearing()
        try:
            await wires.transport.connect(address, Opening(), client)
        except ConnectFailed as failed:
            require(failed.place is not None and failed.hint is not None, "the error has a place and a hint")
        else:
            require(False, "connecting to nobody raises ConnectFailed")
        require(client.connection is None and client.ending is None, "its receiver hears nothing")


@check()
async def check_cancelled_connect(wires: Wires) -> None:
    """A connect that is cancelled, at whatever moment, leaves nothing open on either side."""
    async with play_scene(wires) as scene:
        await scene.cancel_connects()
        await scene.pair()  # the server has by now heard of all that came before
        for server in scene.servers[:-1]:
            if server.connection is not None:
                await server.ended()
