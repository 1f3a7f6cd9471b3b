"""Customers over HTTP and agents over WebSocket: calls, transfers, chats and tasks through the real doors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


async def ready(desk: Any) -> None:
    await desk.open()
    await desk.say("changeAgentState", state="ready")
    await desk.hear_all("resultChangeAgentState", "newAgentState")


async def offered(desk: Any) -> dict[str, Any]:
    """What is offered to the desk next."""
    _, offer = await desk.hear_all("agentCapacity", "newWorkitemState")
    assert offer["state"] == "offered"
    return offer


async def answer(desk: Any, offer: dict[str, Any]) -> dict[str, str]:
    """Take the call that is offered; gives the workitem's id as a request has it."""
    workitem = {"workitemID": offer["workitemID"]}
    await desk.say("acceptInteraction", **workitem)
    await desk.hear_all("resultAcceptInteraction", "newRtc")
    await desk.say("acceptRtc", **workitem, interactionID=offer["interactionID"], answer="v=0")
    _, state, _ = await desk.hear_all("resultAcceptRtc", "newWorkitemState", "workitemPartyList")
    assert state["state"] == "connected"
    return workitem


async def finish(desk: Any, workitem: dict[str, str]) -> None:
    await desk.say("finishWorkitem", **workitem, dispositionID="resolved")
    await desk.hear_all("newWorkitemState", "resultFinishWorkitem", "agentCapacity", "newAgentState")


def test_a_customer_calls_and_hangs_up(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk("carol") as carol, visitor.desk("bob") as bob:
            await ready(bob)
            await ready(carol)
            status, call = await visitor.ask("POST", "/calls", json={"from": "79990001122", "skill": "support"})
            assert status == 201
            offer = await offered(carol)
            assert (offer["interactionID"], offer["from"]) == (call["interactionID"], "79990001122")
            workitem = await answer(carol, offer)
            path = f"/calls/{call['interactionID']}"
            assert await visitor.ask("DELETE", path) == (200, call)
            ended, state = await carol.hear_all("newWorkitemState", "newAgentState")
            assert (ended["state"], ended["reason"], state["state"]) == ("wrapUp", "customer", "wrapUp")
            status, problem = await visitor.ask("DELETE", path)
            assert (status, problem["code"]) == (409, "wrongState")
            await finish(carol, workitem)
            _, record = await visitor.ask("GET", f"/interactions/{call['interactionID']}")
            assert (record["ended_by"], record["from"], record["users"]) == ("customer", "79990001122", ["carol"])
            _, page = await visitor.ask("GET", "/interactions?user=carol")
            assert page["items"] == [record]
            assert (await visitor.ask("GET", "/interactions?user=bob"))[1]["items"] == []

    visit(test)


def test_an_offer_runs_out_and_a_customer_has_enough(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk("alice") as alice, visitor.desk("bob") as bob:
            await ready(alice)
            await ready(bob)
            await visitor.ask("POST", "/calls", json={"from": "1", "talk_s": 0.01, "answer_after_s": 0.01})
            first = await offered(alice)
            gone, capacity = await alice.hear_all("newWorkitemState", "agentCapacity")
            assert (gone["workitemID"], gone["state"], gone["reason"]) == (
                first["workitemID"],
                "finished",
                "noAnswer",
            )
            assert capacity["voice"] == 1
            await answer(bob, await offered(bob))
            ended, _ = await bob.hear_all("newWorkitemState", "newAgentState")
            assert ended["reason"] == "customer"

    visit(test, offer_timeout_s=0.05)


def test_a_consult_transfer(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk("alice") as alice, visitor.desk("bob") as bob:
            await ready(alice)
            await ready(bob)
            _, call = await visitor.ask("POST", "/calls", json={"from": "79990001122"})
            workitem = await answer(alice, await offered(alice))
            await alice.say("transfer", **workitem, to="bob", kind="consult")
            await alice.hear_all("resultTransfer", "newWorkitemState", "workitemPartyList")
            second = await answer(bob, await offered(bob))
            (parties,) = await alice.hear_all("workitemPartyList")
            assert [(party["name"], party["state"]) for party in parties["parties"]] == [
                ("79990001122", "held"),
                ("alice", "connected"),
                ("bob", "connected"),
            ]
            await alice.say("completeTransfer", **workitem)
            await alice.hear_all("resultCompleteTransfer", "newWorkitemState", "newAgentState", "workitemPartyList")
            await bob.hear_all("newWorkitemState", "workitemPartyList")
            await finish(alice, workitem)
            await bob.say("hangUp", **second)
            await bob.hear_all("resultHangUp", "newWorkitemState", "newAgentState")
            await finish(bob, second)
            _, record = await visitor.ask("GET", f"/interactions/{call['interactionID']}")
            assert (record["state"], record["users"], record["user"]) == ("finished", ["alice", "bob"], "bob")
            for name in ("alice", "bob"):
                _, page = await visitor.ask("GET", f"/interactions?user={name}")
                assert page["items"] == [record]

    visit(test)


def test_a_chat_both_ways(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as alice:
            await ready(alice)
            status, chat = await visitor.ask("POST", "/chats", json={"from": "zoe", "text": "hello"})
            path = f"/chats/{chat['interactionID']}"
            assert status == 201
            offer = await offered(alice)
            workitem = {"workitemID": offer["workitemID"]}
            await alice.say("acceptInteraction", **workitem)
            *_, first = await alice.hear_all(
                "resultAcceptInteraction", "newWorkitemState", "workitemPartyList", "newChatMessage"
            )
            await alice.say("sendChatMessage", **workitem, text="what can I do?")
            (sent,) = await alice.hear_all("resultSendChatMessage")
            status, written = await visitor.ask("POST", f"{path}/messages", json={"text": "nothing"})
            assert status == 201
            (heard,) = await alice.hear_all("newChatMessage")
            assert (heard["messageID"], heard["text"]) == (written["messageID"], "nothing")
            _, shown = await visitor.ask("GET", path)
            assert (shown["state"], shown["agent"], shown["ended_by"]) == ("connected", "alice", None)
            assert [message["messageID"] for message in shown["messages"]] == [
                first["messageID"],
                sent["messageID"],
                written["messageID"],
            ]
            assert await visitor.ask("DELETE", path) == (200, chat)
            (ended,) = await alice.hear_all("newWorkitemState")
            assert (ended["state"], ended["reason"]) == ("wrapUp", "customer")
            status, problem = await visitor.ask("POST", f"{path}/messages", json={"text": "but"})
            assert (status, problem["code"]) == (409, "wrongState")
            assert (await visitor.ask("DELETE", f"/calls/{chat['interactionID']}"))[0] == 404
            assert (await visitor.ask("GET", path))[1]["ended_by"] == "customer"

    visit(test)


def test_a_task(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as alice:
            await ready(alice)
            due = "2026-12-24T19:00:00+01:00"
            status, task = await visitor.ask("POST", "/tasks", json={"title": "call back", "due": due})
            assert status == 201
            offer = await offered(alice)
            assert (offer["title"], offer["due"]) == ("call back", "2026-12-24T18:00:00.000Z")
            await alice.say("acceptInteraction", workitemID=offer["workitemID"])
            await alice.hear_all("resultAcceptInteraction", "newWorkitemState", "workitemPartyList")
            await alice.say("completeTask", workitemID=offer["workitemID"], outcome="reached")
            await alice.hear_all("resultCompleteTask", "newWorkitemState", "agentCapacity")
            _, record = await visitor.ask("GET", f"/interactions/{task['interactionID']}")
            assert (record["state"], record["outcome"]) == ("finished", "reached")

    visit(test)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/calls", {}),
        ("/calls", {"from": ""}),
        ("/calls", {"from": "x" * 65}),
        ("/calls", {"from": 5}),
        ("/calls", {"from": "1", "to": "x" * 65}),
        ("/calls", {"from": "1", "skill": "juggling"}),
        ("/calls", {"from": "1", "talk_s": -1}),
        ("/calls", {"from": "1", "talk_s": 1e9}),
        ("/calls", {"from": "1", "answer_after_s": "soon"}),
        ("/calls", {"from": "1", "colour": "blue"}),
        ("/calls", ["1"]),
        ("/chats", {"from": "zoe"}),
        ("/chats", {"from": "zoe", "text": " "}),
        ("/chats", {"from": "zoe", "text": "x" * 4097}),
        ("/chats", {"from": " ", "text": "hello"}),
        ("/tasks", {"title": ""}),
        ("/tasks", {"title": "x" * 201}),
        ("/tasks", {"title": "x", "due": "tomorrow"}),
        ("/tasks", {"title": "x", "due": "2026-12-24T19:00:00"}),
        ("/tasks", {"title": "x", "due": "9999-12-31T23:59:59-12:00"}),
        ("/tasks", {"title": "x", "skill": "juggling"}),
    ],
)
def test_what_no_customer_can_ask(visit, path: str, body: Any) -> None:
    async def test(visitor) -> None:
        status, problem = await visitor.ask("POST", path, json=body)
        assert (status, problem["code"]) == (400, "badRequest")
        assert problem["message"]
        assert (await visitor.ask("GET", "/interactions"))[1]["items"] == []

    visit(test)


def test_many_customers_and_desks_at_once(visit) -> None:
    async def serve(visitor, name: str, served: list[str]) -> None:
        async with visitor.desk(name) as desk:
            await ready(desk)
            for _ in range(2):
                offer = await offered(desk)
                workitem = await answer(desk, offer)
                await desk.say("hangUp", **workitem)
                await desk.hear_all("resultHangUp", "newWorkitemState", "newAgentState")
                served.append(offer["interactionID"])
                await finish(desk, workitem)

    async def test(visitor) -> None:
        served: list[str] = []
        desks = [serve(visitor, user["name"], served) for user in visitor.centre.users]
        calls = [visitor.ask("POST", "/calls", json={"from": f"{number}"}) for number in range(40)]
        answers = (await asyncio.gather(*desks, *calls))[20:]
        assert sorted(served) == sorted(body["interactionID"] for _, body in answers)
        _, page = await visitor.ask("GET", "/interactions?limit=1000")
        assert {item["state"] for item in page["items"]} == {"finished"}
        assert len(page["items"]) == 40

    visit(test, users=20)


def test_closing_time_while_customers_wait_and_talk(visit) -> None:
    async def test(visitor) -> None:
        async with visitor.desk() as alice:
            await ready(alice)
            for number in range(3):
                await visitor.ask("POST", "/calls", json={"from": f"{number}", "talk_s": 3600})
            await answer(alice, await offered(alice))

    visit(test)
