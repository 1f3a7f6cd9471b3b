"""Requests that say themselves which of their replies are provisional, and waits for one of several names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from antiphon import (
    Actor,
    CheckFailed,
    DeadlinePassed,
    ForbiddenMessage,
    Json,
    Link,
    MessagesLeft,
    RequestRefused,
    Run,
    on,
    scenario,
)

Play = Callable[..., Run]


class Accepted(msgspec.Struct, rename={"call_id": "id"}):
    call_id: int


class Trying(msgspec.Struct):
    pass


class Ringing(msgspec.Struct):
    pass


class ById(Actor):
    line = Link(
        "{peer}",
        dialect=Json(
            name="action", body="data", id="data.id", failed={"state": "failed"}, provisional={"state": "soon"}
        ),
        within_s=5,
    )


class ByOrder(Actor):
    line = Link("{peer}", dialect=Json(name="action", body="data", reply="{name}Result"), within_s=5)


def test_replies_of_these_names_do_not_answer_the_request(peer: Any, play_with: Play) -> None:
    def answer(body: Any) -> None:
        for name in ("trying", "ringing", "accepted", "late"):
            peer.say(name, id=body["id"])

    peer.on_request["call"] = answer

    @scenario
    async def typed(alice: ById) -> None:
        first = await alice.ask("call", provisional=("trying", "ringing"))
        assert first.name == "accepted"
        asked = alice.ask("call", provisional=(Trying, Ringing))
        assert [reply.name async for reply in asked] == ["trying", "ringing", "accepted"]
        assert asked.result().name == "accepted"
        assert (await alice.ask("call", provisional="trying")).name == "ringing"
        assert await alice.ask("call", provisional=("trying", "ringing"), reply=Accepted) == Accepted(4)
        assert (await alice.ask("call")).name == "trying"
        for _ in range(5):
            await alice.expect("late")
        left = ["accepted", "ringing", "accepted"]  # of those that were content with less
        assert [message.name for message in alice.drain()] == left

    play_with(typed)


@pytest.mark.parametrize("provisional", [{"step": range(3)}, lambda body: body["step"] < 3])
@pytest.mark.parametrize("actor", [ById, ByOrder])
def test_replies_of_such_bodies_do_not_answer_the_request(
    peer: Any, play_with: Play, actor: type[Actor], provisional: Any
) -> None:
    def answer(body: Any) -> None:
        for step in range(4):
            peer.say("callResult", step=step, **body)

    peer.on_request["call"] = answer

    @scenario
    async def counted(alice: actor) -> None:  # type: ignore[valid-type]
        asked = alice.ask("call", provisional=provisional, check={"step": 3})
        seen = [reply["step"] async for reply in asked]
        assert seen == [0, 1, 2, 3]
        assert (await asked)["step"] == 3
        assert alice.drain() == []

    play_with(counted)


def test_requests_of_one_kind_keep_their_order_over_provisional_replies(peer: Any, play_with: Play) -> None:
    @scenario
    async def in_order(alice: ByOrder) -> None:
        first = alice.ask("call", provisional={"state": "ringing"})
        given_up = alice.ask("call", provisional={"state": "ringing"})
        last = alice.ask("call")
        given_up.cancel()
        for state in ("ringing", "up", "ringing", "ringing", "down", "away"):
            peer.say("callResult", state=state)
        assert [(await first)["state"], (await last)["state"]] == ["up", "away"]
        assert [message["state"] for message in alice.drain()] == ["ringing", "ringing", "down"]

    play_with(in_order)


def test_a_provisional_reply_extends_no_deadline(peer: Any, play_with: Play) -> None:
    peer.on_request["call"] = lambda body: peer.say("ringing", id=body["id"])

    @scenario
    async def waiting(alice: ById) -> None:
        await alice.ask("call", provisional="ringing", within_s=0.1)

    with pytest.raises(DeadlinePassed, match="of its replies these came, and not the last: ringing"):
        play_with(waiting)


def test_a_refusal_is_one_also_if_it_looks_provisional_and_the_dialects_own_still_are(
    peer: Any, play_with: Play
) -> None:
    def answer(body: Any) -> None:
        peer.say("ringing", id=body["id"], state="soon")
        peer.say("trying", id=body["id"])
        peer.say("ringing", id=body["id"], state="failed")

    peer.on_request["call"] = answer

    @scenario
    async def refused(alice: ById) -> None:
        asked = alice.ask("call", provisional=("ringing", "trying"))
        try:
            assert [reply.name async for reply in asked] == ["ringing", "trying", "ringing"]
        finally:
            assert len(asked.messages) == 3

    with pytest.raises(RequestRefused):
        play_with(refused)


def test_a_predicate_that_raises_is_told_and_answers_nothing(peer: Any, play_with: Play) -> None:
    peer.on_request["call"] = lambda body: peer.say("ringing", id=body["id"])

    @scenario
    async def wrong(alice: ById) -> None:
        await alice.ask("call", provisional=lambda body: body["no such"])

    with pytest.raises(CheckFailed, match=r"wanted what provisional= can judge \(it raised KeyError: 'no such'\)"):
        play_with(wrong)


# -- one of several names, on channels --------------------------------------------------------------------------------


def test_every_word_takes_several_names(peer: Any, play_with: Play) -> None:
    class Several(Actor):
        line = Link("{peer}", dialect=Json("action", "data"), ignored=("tick",), within_s=5)
        heard = ""

        @on(("busy", "idle"))
        def note(self, message: Any) -> None:
            self.heard += message.name

    peer.greeting = [(name, {}) for name in ("tick", "rejected", "busy", "accepted", "idle", "tock")]

    @scenario(strict=True)
    async def several(alice: Several) -> None:
        assert (await alice.expect(("accepted", "rejected"))).name == "rejected"
        assert (await alice.expect(("accepted", "accepted"))).name == "accepted"
        await alice.expect_none(("accepted", "rejected"), within_s=0.1)
        assert alice.heard == "busyidle"
        assert [message.name for message in alice.drain(("idle", "busy"))] == ["busy", "idle"]
        alice.ignore(("tock", "tack"))
        with alice.forbid(("no", "never")):
            peer.say("tack")
            await alice.until(lambda: alice.line.mark() == 7)
            peer.say("never")
            await alice.expect("news")

    with pytest.raises(ForbiddenMessage, match=r"received never \{\}, and no no or never was expected"):
        play_with(several)


def test_what_is_none_of_the_ignored_names_is_left(peer: Any, play_with: Play) -> None:
    peer.greeting = [(name, {}) for name in ("tick", "tack", "tock")]

    @scenario(strict=True)
    async def several(alice: ByOrder) -> None:
        await alice.expect(("x", "tick"))
        alice.ignore(("tack", "x"))
        await alice.until(lambda: alice.line.mark() == 3)

    with pytest.raises(MessagesLeft, match="1 message was received that nobody expected") as left:
        play_with(several)
    assert [message.name for message in left.value.messages] == ["tock"]
