"""WebSocket over a Unix socket, between actors."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from antiphon import (
    Accepted,
    Actor,
    ConnectFailed,
    Message,
    Opening,
    Run,
    Stand,
    Text,
    Tls,
    TransportError,
    WebSocket,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.transport.websocket.client import WebSocketTransport


class Echo(Actor):
    line = Accepted(dialect=Text())

    @on("text")
    def reply(self, message: Message) -> None:
        self.line.send("text", message.body)


class Party(Actor):
    line = WebSocket("{server}/desk?seat=7", dialect=Text(), within_s=5)


@scenario
async def talk(party: Party) -> None:
    party.line.send("text", "hello")
    await party.line.expect("text", "hello")


def test_a_path_follows_the_address_as_with_all_others(tmp_path: Path) -> None:
    openings: list[Opening] = []
    path = tmp_path / "a b:c.sock"

    def accept(opening: Opening) -> Echo:
        openings.append(opening)
        return Echo()

    async def scene() -> Run:
        async with await listen(f"ws+unix://{tmp_path}/a%20b%3Ac.sock", accept) as server:
            assert path.is_socket()
            return await perform(talk, stand=Stand("here", {"server": server.address}), runs=None)

    asyncio.run(scene())
    assert not path.exists()
    assert (openings[0].path, openings[0].headers["Host"], openings[0].peer.address) == (
        "/desk?seat=7",
        "localhost",
        "",
    )


@pytest.mark.parametrize(
    ("address", "told", "hint"),
    [
        ("ws+unix://{folder}/nowhere.sock:", "there is no {folder}/nowhere.sock", "running there"),
        ("ws+unix://{folder}/file:", "{folder}/file is no socket", "right path"),
        ("ws+unix://here.sock:", "the form is ws+unix:///path/of/the.sock:/path", ""),
        ("ws+unix:///run/here.sock:8080", "the form is ws+unix:///path/of/the.sock:/path", ""),
    ],
)
def test_nobody_is_there(tmp_path: Path, address: str, told: str, hint: str) -> None:
    (tmp_path / "file").write_text("")
    stand = Stand("here", {"server": address.replace("{folder}", str(tmp_path))})
    with pytest.raises(ConnectFailed) as caught:
        asyncio.run(perform(talk, stand=stand, runs=None))
    assert told.replace("{folder}", str(tmp_path)) in caught.value.text
    assert hint in (caught.value.hint or "")


def test_where_a_file_is_nobody_can_listen(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TransportError, match="there is a file already"):
        asyncio.run(listen(f"ws+unix://{tmp_path}/file", lambda _opening: Echo()))


def test_with_tls_the_certificate_is_for_localhost_or_whom_the_settings_name(
    tmp_path: Path, certificates: Path
) -> None:
    async def scene(certificate: str, **settings: str) -> None:
        pair = {"certificate": f"{certificate}.pem", "key": f"{certificate}.key"}
        tls = Tls(folder=str(certificates), **pair)
        async with await listen(f"wss+unix://{tmp_path}/s", lambda _opening: Echo(), tls=tls) as server:
            assert server.address == f"wss+unix://{tmp_path}/s:"
            ours = WebSocketTransport(tls=Tls(folder=str(certificates), ca="ca.pem", **settings))
            stand = Stand("here", {"server": server.address}, transports={"wss+unix": ours})
            await perform(talk, stand=stand, runs=None)

    asyncio.run(scene("server"))
    asyncio.run(scene("named", server_name="centre.internal"))
    with pytest.raises(ConnectFailed, match="the certificate of localhost is not accepted"):
        asyncio.run(scene("named"))
    with pytest.raises(ConnectFailed, match=r"there is no .*/s"):
        asyncio.run(perform(talk, stand=Stand("here", {"server": f"wss+unix://{tmp_path}/s:"}), runs=None))
