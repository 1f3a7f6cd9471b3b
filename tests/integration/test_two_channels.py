"""One actor with two channels: a desk, and the media that its calls run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    Actor,
    ChannelClosed,
    DeadlinePassed,
    Ending,
    Json,
    Link,
    Message,
    Run,
    ScenarioError,
    Stand,
    Step,
    action,
    all_of,
    expect,
    first_of,
    on,
    perform,
    saved,
    scenario,
    send,
    together,
)
from antiphon.conversation.message import Message as Said
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Operator(Actor):
    desk = Link("{centre}", dialect=DIALECT, within_s=5)
    media = Link("{media}/{seat}", dialect=DIALECT, within_s=5, opens="manually")
    seat = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: list[tuple[str, str]] = []

    @on("ping")
    def anywhere(self, message: Message) -> None:
        self.seen.append(("ping", message.channel))

    @on("state", channel="media")
    def of_media(self, message: Message) -> None:
        self.seen.append(("state", message.channel))

    @on("both", channel="desk")
    @on("twice", channel="media")
    def two_marks(self, message: Message) -> None:
        self.seen.append((message.name, message.channel))

    @on("any")
    def general(self, message: Message) -> None:
        self.seen.append(("general", message.channel))

    @on("any", channel="media")
    def special(self, message: Message) -> None:
        self.seen.append(("special", message.channel))

    @on.opened(channel="media")
    def media_opened(self) -> None:
        self.seen.append(("opened", "media"))

    @on.closed
    def one_closed(self, ending: Ending) -> None:
        self.seen.append(("closed", ending.by))

    @action
    async def sit_down(self) -> None:
        self.seat = (await self.ask("sitDown"))["seat"]
        await self.media.open()

    @action
    async def hear_media(self, name: str) -> Message:
        return await self.media.expect(name)


@pytest.fixture
def media_peer(peer: Any) -> Any:
    return type(peer)()


@pytest.fixture
def play_both(peer: Any, media_peer: Any) -> Callable[..., Run]:
    """Performs a scenario with a desk and media behind it."""
    peer.on_request["sitDown"] = lambda _: peer.say("resultSitDown", seat="7")

    async def main(case: Any, options: dict[str, Any]) -> Run:
        network = MemoryNetwork()
        doors = [
            await network.listen("memory://centre", peer.accept),
            await network.listen("memory://media/7", media_peer.accept),
        ]
        addresses = {"centre": "memory://centre", "media": "memory://media"}
        stand = Stand("test", addresses, transports={"memory": network})
        try:
            return await perform(case, stand=stand, runs=None, linger_s=0.0, **options)
        finally:
            for door in doors:
                await door.close()

    def play(case: Any, **options: Any) -> Run:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(main(case, options))

    return play


def test_what_one_channel_told_leads_to_the_other(peer: Any, media_peer: Any, play_both: Callable[..., Run]) -> None:
    @scenario
    async def case(alice: Operator) -> str:
        await alice.sit_down()
        media_peer.say("news", at="media")
        peer.say("news", at="desk")
        return str((await alice.media.expect("news"))["at"] + " " + (await alice.expect("news"))["at"])

    run = play_both(case)
    assert run.value == "media desk"
    heard = [(entry.channel, entry.body) for entry in run.journal if isinstance(entry, Said) and entry.name == "news"]
    assert heard == [("media", {"at": "media"}), ("desk", {"at": "desk"})]


def test_every_way_of_waiting_is_there_on_the_second(media_peer: Any, play_both: Callable[..., Run]) -> None:
    media_peer.on_request["dial"] = lambda body: media_peer.say("resultDial", number=body["number"] + 1)

    @scenario
    async def case(alice: Operator) -> list[Any]:
        await alice.sit_down()
        media = alice.media
        found: list[Any] = [(await media.ask("dial", number=1))["number"]]
        mark = media.mark()
        media_peer.say("state", to="ringing")
        await media.until(lambda: ("state", "media") in alice.seen)
        found.append(len(media.drain("state", since=mark)))
        with media.forbid("alarm"):
            await media.expect_none("news", within_s=1)
        media_peer.close(1000, "over")
        found.append((await media.expect_close()).reason)
        return found

    assert play_both(case).value == [2, 1, "over"]


def test_handlers_see_what_is_theirs(peer: Any, media_peer: Any, play_both: Callable[..., Run]) -> None:
    @scenario
    async def case(alice: Operator) -> None:
        await alice.sit_down()
        for name in ("ping", "state", "both", "twice", "any"):
            peer.say(name)
            media_peer.say(name)
        await together(alice.hear_media("any"), alice.hear_media("ping"))
        await alice.expect("any")

    seen = play_both(case).alice.seen
    assert sorted(seen[:-2]) == [
        ("both", "desk"),
        ("general", "desk"),
        ("opened", "media"),
        ("ping", "desk"),
        ("ping", "media"),
        ("special", "media"),
        ("state", "media"),
        ("twice", "media"),
    ]
    assert seen[-2:] == [("closed", "us"), ("closed", "us")]


def test_waits_on_two_channels_are_taken_together(peer: Any, media_peer: Any, play_both: Callable[..., Run]) -> None:
    @scenario
    async def case(alice: Operator) -> list[Any]:
        await alice.sit_down()
        alice.later(1, media_peer.say, "offer")
        alice.later(2, peer.say, "state")
        first = await first_of(alice.expect("state"), alice.media.expect("offer"))
        alice.later(1, media_peer.say, "offer")
        both = await all_of(alice.expect("state"), alice.media.expect("offer"))
        return [first.channel, *(message.channel for message in both)]

    assert play_both(case).value == ["media", "desk", "media"]


def test_the_end_of_one_is_not_the_end_of_the_other(peer: Any, media_peer: Any, play_both: Callable[..., Run]) -> None:
    @scenario
    async def case(alice: Operator) -> str:
        await alice.sit_down()
        alice.later(1, media_peer.abort)
        alice.later(2, peer.say, "news")
        news = alice.expect("news")
        with pytest.raises(ChannelClosed, match=r"alice\.media waited for offer"):
            await alice.media.expect("offer")
        return (await news).name

    assert play_both(case).value == "news"


def test_a_failure_names_the_channel(play_both: Callable[..., Run]) -> None:
    @scenario
    async def case(alice: Operator) -> None:
        await alice.sit_down()
        await alice.hear_media("never")

    with pytest.raises(DeadlinePassed, match=r"alice\.media waited 5\.000 s for never"):
        play_both(case)


def test_the_words_of_a_list_take_a_channel(peer: Any, media_peer: Any, play_both: Callable[..., Run]) -> None:
    media_peer.on_request["offer"] = lambda body: media_peer.say("answer", number=body["number"] + 1)
    peer.on_request["note"] = lambda body: peer.say("noted", **body)

    @scenario
    def case(alice: Operator) -> list[Step[Any]]:
        return [
            Operator.sit_down(),
            send("offer", number=1, by=Operator.media),
            expect("answer", save_as="first", by=alice.media),
            send("offer", number=saved.first["number"], by=alice.media),
            expect("answer", save_as="second", by=Operator.media),
            send("note", number=saved.second["number"]),
            expect("noted", {"number": 3}, by=Operator.desk),
        ]

    play_both(case)
    assert media_peer.heard == [("offer", {"number": 1}), ("offer", {"number": 2})]
    assert peer.heard == [("sitDown", {}), ("note", {"number": 3})]


def test_a_handler_of_a_channel_that_is_not_there(play_both: Callable[..., Run]) -> None:
    class Slip(Operator):
        @on("state", channel="medai")
        def slipped(self, message: Message) -> None: ...

    @scenario
    async def case(alice: Slip) -> None: ...

    with pytest.raises(ScenarioError, match="slipped is for the channel 'medai', which Slip does not have") as failed:
        play_both(case)
    assert "its channels are: desk, media" in str(failed.value)
    assert "test_two_channels.py:" in str(failed.value)
