"""Why a conversation with a real server failed: each breaks one thing, and the text alone must tell which.

The fact that decides stands in the first three lines, and the text has at most 30: see `test_foreign_servers` for those
that are broken by servers of our own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from failure_text import Case, judged

from antiphon import Actor, GraphqlWs, Json, Ocpp, SocketIo, WebSocket, scenario

pytestmark = pytest.mark.slow
NEEDS = ("graphql-ws", "ocpp-rpc", "socket.io")

# -- graphql-ws -------------------------------------------------------------------------------------------------------


class Viewer(Actor):
    api = WebSocket("{server}", dialect=GraphqlWs({"authorization": "Bearer sesame"}), within_s=2)


class Forbidden(Actor):
    api = WebSocket("{server}", dialect=GraphqlWs({"authorization": "sesame"}), within_s=2)


class Plain(Actor):
    api = WebSocket("{server}", dialect=Json(name="type", id="id"), subprotocols=["graphql-transport-ws"], within_s=2)


class Legacy(Actor):
    api = WebSocket("{server}", dialect=Json(name="type"), subprotocols=["graphql-ws"], within_s=2)


@scenario
async def ask_for_an_unknown_field(ann: Viewer) -> None:
    await ann.ask("subscribe", query="{ nothing }")


@scenario
async def be_forbidden(eve: Forbidden) -> None:
    await eve.ask("subscribe", query="{ left }")


@scenario
async def introduce_oneself_too_late(ann: Plain) -> None:
    await ann.expect("connection_ack")


@scenario
async def not_introduce_oneself(ann: Plain) -> None:
    ann.send("subscribe", id="1", payload={"query": "{ left }"})
    await ann.expect("next")


@scenario
async def introduce_oneself_twice(ann: Plain) -> None:
    for _ in range(2):
        ann.send("connection_init", payload={"authorization": "Bearer sesame"})
    await ann.expect("next")


@scenario
async def follow_what_breaks(ann: Viewer) -> None:
    async for told in ann.ask("subscribe", query="subscription { breaks }"):
        assert told["data"] == {"breaks": 1}


@scenario
async def speak_the_old_protocol(ann: Legacy) -> None:
    ann.send("connection_init")
    await ann.expect("connection_ack")


GRAPHQL = {
    "graphql_unknown_field": Case(ask_for_an_unknown_field, ("subscribe", 'Cannot query field "nothing"')),
    "graphql_forbidden": Case(be_forbidden, ("eve.api", "4403", "Forbidden")),
    "graphql_too_late": Case(introduce_oneself_too_late, ("4408", "Connection initialisation timeout")),
    "graphql_not_introduced": Case(not_introduce_oneself, ("4401", "Unauthorized")),
    "graphql_introduced_twice": Case(introduce_oneself_twice, ("4429", "Too many initialisation requests")),
    "graphql_breaks": Case(follow_what_breaks, ("the feed of ticks is gone",)),
    "graphql_old_protocol": Case(
        speak_the_old_protocol,
        ("4406", "Subprotocol not acceptable", "none of the subprotocols that we offered: graphql-ws"),
    ),
}


@pytest.mark.parametrize("name", GRAPHQL)
def test_graphql_ws(name: str, node: Any, tmp_path: Path) -> None:
    judged(GRAPHQL, name, node.start("graphql_ws_server.cjs"), tmp_path)


# -- OCPP -------------------------------------------------------------------------------------------------------------


class Station(Actor):
    central = WebSocket("{server}/CP001", dialect=Ocpp(), within_s=1)


class Unknown(Actor):
    central = WebSocket("{server}/CP666", dialect=Ocpp(), within_s=1)


class Early(Actor):
    central = WebSocket("{server}/CP001", dialect=Json(name="type"), subprotocols=["ocpp1.5"], within_s=1)


@scenario
async def ask_what_is_not_supported(point: Station) -> None:
    await point.ask("DataTransfer", vendorId="x")


@scenario
async def break_the_schema(point: Station) -> None:
    await point.ask("BootNotification", chargePointVendor=5)


@scenario
async def leave_it_unanswered(point: Station) -> None:
    await point.ask("StatusNotification", connectorId=1, errorCode="NoError", status="Available")


@scenario
async def be_unknown(point: Unknown) -> None:
    await point.ask("Heartbeat")


@scenario
async def speak_another_version(point: Early) -> None:
    await point.expect("welcome")


OCPP = {
    "ocpp_not_supported": Case(ask_what_is_not_supported, ("DataTransfer", "NotSupported", "not here")),
    "ocpp_schema": Case(break_the_schema, ("BootNotification", "OccurrenceConstraintViolation")),
    "ocpp_unanswered": Case(leave_it_unanswered, ("StatusNotification", "never answered RemoteStartTransaction")),
    "ocpp_unknown": Case(be_unknown, ("point.central", "401", "who are you?")),
    "ocpp_other_version": Case(
        speak_another_version, ("point.central", "none of the subprotocols that we offered: ocpp1.5")
    ),
}


@pytest.mark.parametrize("name", OCPP)
def test_ocpp(name: str, node: Any, tmp_path: Path) -> None:
    judged(OCPP, name, node.start("ocpp_central.cjs"), tmp_path)


# -- Socket.IO --------------------------------------------------------------------------------------------------------


class Member(Actor):
    line = WebSocket("{server}", dialect=SocketIo(), within_s=1)


class Admin(Actor):
    line = WebSocket("{server}", dialect=SocketIo({"token": "x"}, namespaces=["/admin"]), within_s=1)


class Lost(Actor):
    line = WebSocket("{server}", dialect=SocketIo(namespaces=["/nowhere"]), within_s=1)


@scenario
async def be_no_admin(eve: Admin) -> None:
    await eve.ask("/admin,whoami")


@scenario
async def be_nowhere(eve: Lost) -> None:
    await eve.ask("/nowhere,whoami")


@scenario
async def ask_what_nobody_acknowledges(ann: Member) -> None:
    await ann.ask("typing")


@scenario
async def listen_outside_the_room(ann: Member, bob: Member) -> None:
    await bob.ask("join room", "lobby")
    ann.send("to room", ["hall", "hello"])
    await bob.expect("room said")


@scenario
async def be_thrown_out(ann: Member) -> None:
    ann.send("throw me out")
    await ann.expect("login")


@scenario
async def be_shown_something_else(ann: Member, bob: Member) -> None:
    await ann.ask("join room", "lobby")
    bob.send("to room", ["lobby", "hello"])
    await ann.expect("room said", ["lobby", "hallo"])


SOCKETIO = {
    "socketio_namespace_refused": Case(be_no_admin, ("eve.line", "/admin", "not authorized")),
    "socketio_no_namespace": Case(be_nowhere, ("eve.line", "/nowhere", "Invalid namespace")),
    "socketio_not_acknowledged": Case(ask_what_nobody_acknowledges, ("typing", "did not come")),
    "socketio_outside_the_room": Case(
        listen_outside_the_room,
        ("bob.line", "room said", 'ann.line said to room 42["to room","hall","hello"]'),
        ('["join room","lobby"]',),
    ),
    "socketio_thrown_out": Case(be_thrown_out, ("login", "server disconnect")),
    "socketio_something_else": Case(be_shown_something_else, ("room said", "'hello'", "'hallo'")),
}


@pytest.mark.parametrize("name", SOCKETIO)
def test_socketio(name: str, node: Any, tmp_path: Path) -> None:
    judged(SOCKETIO, name, node.start("socketio_server.cjs"), tmp_path)
