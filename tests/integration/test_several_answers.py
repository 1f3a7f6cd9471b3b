"""Exchanges of several replies: given one by one by whoever answers, given up by whoever asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec
import pytest
from club import Club, become

from antiphon import (
    Actor,
    ChannelClosed,
    Data,
    DeadlinePassed,
    ErrorReply,
    HandlerFailed,
    Json,
    JsonRpc,
    Link,
    Meeting,
    Message,
    Run,
    first_of,
    on,
    scenario,
)
from antiphon.journal import WaitEnded

Play = Callable[..., Run]


class Member(Actor):
    line = Link("{peer}", dialect=Club(name="a", password="b", waits_for_goodbye=False), within_s=5)


class Wordless(Actor):
    """Its dialect has no word that tells the peer that nobody waits any more."""

    line = Link(
        "{peer}",
        dialect=Json(name="kind", id="id", provisional={"kind": "next"}),
        within_s=5,
    )


@pytest.fixture
def heard(peer: Any) -> list[Data]:
    """What the peer hears after the login, but for the goodbye; it lets everybody in."""
    heard: list[Data] = []

    def on_opened(connection: Any) -> None:
        peer.connection = connection

    def on_data(data: Data) -> None:
        if str(data).startswith("LOGIN"):
            peer.connection.send("WELCOME t1")
        elif data != "BYE":
            heard.append(data)

    peer.on_opened, peer.on_data = on_opened, on_data
    return heard


async def turns(heard: list[Any], count: int) -> None:
    """Until the peer has heard so much."""
    await become(lambda: len(heard) >= count)


# -- given up ---------------------------------------------------------------------------------------------------------


def test_a_peer_is_told_when_the_time_is_over(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def ask(guest: Member) -> None:
        with pytest.raises(DeadlinePassed):
            await guest.ask("news", within_s=0.01)
        await turns(heard, 2)

    run = play_with(ask)
    assert heard == ["ASK 0 news", "STOP 0"]
    (told,) = [entry for entry in run.journal if isinstance(entry, Message) and entry.name == "cancel"]
    assert told.is_protocol
    assert told.is_sent


def test_a_peer_is_told_when_whoever_iterates_leaves(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def ask(guest: Member) -> list[Any]:
        news = guest.ask("news")
        peer.connection.send("MORE 0 one\nMORE 0 two")
        seen = []
        async for message in news:
            seen.append(message.body)
            break
        await turns(heard, 2)
        return [*seen, news.cancelled()]

    # What had come and was not seen is left behind: else it would depend on the moment what strict mode finds.
    assert play_with(ask, strict=True).value == ["one", True]
    assert heard == ["ASK 0 news", "STOP 0"]


def test_to_leave_tells_the_peer_at_once_and_leaves_nothing_behind(
    peer: Any, play_with: Play, heard: list[Data]
) -> None:
    @scenario
    async def ask(guest: Member) -> list[Any]:
        peer.connection.send("MORE 0 one\nMORE 0 two")
        async with guest.ask("news") as replies:
            seen = [(await anext(aiter(replies))).body]
        guest.send("note", "behind")
        await turns(heard, 3)
        peer.connection.send("MORE 0 three\nLAST 0 four\nSAY enough")
        await guest.expect("enough")
        return [*seen, replies.cancelled(), guest.drain()]

    run = play_with(ask, strict=True)
    assert run.value == ["one", True, []]
    assert heard == ["ASK 0 news", "STOP 0", "SAY note behind"]
    assert next(entry.outcome for entry in run.journal if isinstance(entry, WaitEnded)) == "cancelled"


def test_to_leave_what_is_over_changes_nothing(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def ask(guest: Member) -> Any:
        peer.connection.send("LAST 0 all")
        async with guest.ask("news") as news:
            await news
        news.leave()
        return (await news).body

    assert play_with(ask).value == "all"
    assert heard == ["ASK 0 news"]


@pytest.mark.parametrize("is_awaited", [False, True])
def test_a_loop_that_was_left_without_a_word_for_it_is_over_unless_it_is_awaited(
    peer: Any, play_with: Play, is_awaited: bool
) -> None:
    @scenario
    async def ask(guest: Wordless) -> None:
        asked = guest.ask("subscribe")
        await become(lambda: bool(peer.heard))
        peer.say_raw(f'{{"id": {peer.heard[0]}, "kind": "next", "n": 1}}')
        async for reply in asked:
            assert reply["n"] == 1
            break
        if is_awaited:
            peer.say_raw(f'{{"id": {peer.heard[0]}, "kind": "complete"}}')
            assert (await asked)["kind"] == "complete"
        peer.close(1000)
        await guest.expect_close()

    def on_data(data: Data) -> None:
        peer.heard.append(msgspec.json.decode(data)["id"])

    peer.on_data = on_data
    run = play_with(ask, strict=True)
    ended = [entry for entry in run.journal if isinstance(entry, WaitEnded)]
    assert ended[0].outcome == ("satisfied" if is_awaited else "cancelled")
    assert not any(entry.error for entry in ended)


def test_a_left_loop_that_is_awaited_again_fails_as_ever(peer: Any, play_with: Play) -> None:
    @scenario
    async def ask(guest: Wordless) -> None:
        asked = guest.ask("subscribe")
        await become(lambda: bool(peer.heard))
        peer.say_raw(f'{{"id": {peer.heard[0]}, "kind": "next"}}')
        async for _ in asked:
            break
        peer.close(1000)
        await asked

    def on_data(data: Data) -> None:
        peer.heard.append(msgspec.json.decode(data)["id"])

    peer.on_data = on_data
    with pytest.raises(ChannelClosed):
        play_with(ask)


def test_whoever_awaits_the_rest_after_leaving_has_not_given_up(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def ask(guest: Member) -> Any:
        news = guest.ask("news")
        peer.connection.send("MORE 0 one")
        async for _ in news:
            break
        peer.connection.send("LAST 0 two")
        return (await news).body

    assert play_with(ask).value == "two"
    assert heard == ["ASK 0 news"]


def test_whoever_iterates_to_the_end_has_not_given_up(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def ask(guest: Member) -> Any:
        news = guest.ask("news")
        peer.connection.send("MORE 0 one\nLAST 0 two")
        return [message.body async for message in news]

    assert play_with(ask).value == ["one", "two"]
    assert heard == ["ASK 0 news"]


def test_a_peer_is_told_when_whoever_asked_is_cancelled(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def ask(guest: Member) -> None:
        peer.connection.send("SAY enough")
        await first_of(guest.ask("news"), guest.expect("enough"))
        guest.ask("more").cancel()
        await turns(heard, 4)

    play_with(ask)
    assert heard == ["ASK 0 news", "STOP 0", "ASK 1 more", "STOP 1"]


def test_nobody_is_told_what_is_over_or_gone(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def ask(guest: Member) -> None:
        peer.connection.send("LAST 0 all")
        news = guest.ask("news")
        await news
        assert not news.cancel()
        open_still = guest.ask("more")
        await guest.close()
        assert not open_still.cancel()
        with pytest.raises(ChannelClosed):
            await open_still

    play_with(ask)
    assert heard == ["ASK 0 news", "ASK 1 more"]


# -- answered several times -------------------------------------------------------------------------------------------


class Answering(Member):
    """Answers what it is asked, in several ways."""

    @on("stream")
    async def stream(self, _request: Message) -> AsyncIterator[str]:
        for word in ("one", "two"):
            yield word
            await self.expect("next")

    @on("list")
    def list_all(self, _request: Message) -> Iterator[str]:
        yield from ("one", "two")

    @on("nothing")
    async def nothing(self, _request: Message) -> AsyncIterator[str]:
        for word in ():
            yield word

    @on("by hand")
    def by_hand(self, request: Message) -> None:
        assert not self.answer(request, "one", is_last=False)
        assert self.answer(request, "two")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("list", ["MORE 7 one", "MORE 7 two", "LAST 7"]),
        ("nothing", ["LAST 7"]),
    ],
)
def test_a_generator_answers_several_times(
    peer: Any, play_with: Play, heard: list[Data], asked: str, answered: list[str]
) -> None:
    @scenario
    async def answer(guest: Answering) -> None:
        peer.connection.send(f"ASK 7 {asked}")
        await turns(heard, len(answered))

    play_with(answer)
    assert heard == answered


def test_each_answer_is_said_when_it_is_given(peer: Any, play_with: Play, heard: list[Data]) -> None:
    @scenario
    async def answer(guest: Answering) -> list[int]:
        peer.connection.send("ASK 7 stream")
        seen = []
        for count in (1, 2):
            await turns(heard, count)
            seen.append(len(heard))
            peer.connection.send("SAY next")
        await turns(heard, 3)
        return seen

    assert play_with(answer).value == [1, 2]
    assert heard == ["MORE 7 one", "MORE 7 two", "LAST 7"]


def test_a_handler_ends_with_the_answer_that_cannot_be_said(peer: Any, play_with: Play, heard: list[Data]) -> None:
    ended: list[int] = []

    class Careless(Answering):
        @on("careless")
        async def careless(self, _request: Message) -> AsyncIterator[Any]:
            try:
                yield "fine"
                yield 5
            finally:
                ended.append(len(ended))

    @scenario
    async def answer(guest: Careless) -> None:
        peer.connection.send("ASK 7 careless")
        await guest.expect("never")

    with pytest.raises(HandlerFailed, match="5 is no text on one line"):
        play_with(answer)
    assert ended == [0]
    assert heard == ["MORE 7 fine"]


@pytest.mark.parametrize("asked", ["endless", "late", "sorry"])
def test_a_request_of_a_connection_that_is_gone_is_not_answered_on_the_next(
    peer: Any, play_with: Play, heard: list[Data], asked: str
) -> None:
    ended: list[str] = []

    class Returning(Answering):
        is_back = False

        async def away(self) -> None:
            await become(lambda: self.is_back)
            ended.append(asked)

        @on("endless")
        async def endless(self, _request: Message) -> AsyncIterator[str]:
            try:
                yield "on"
                await self.away()
                yield "on"
                ended.append("which nobody hears")
            finally:
                ended.append("closed")

        @on("late")
        async def late(self, _request: Message) -> str:
            await self.away()
            return "late"

        @on("sorry")
        async def sorry(self, _request: Message) -> str:
            await self.away()
            raise ErrorReply(404, "too late")

    @scenario
    async def answer(guest: Returning) -> None:
        peer.connection.send(f"ASK 7 {asked}\nSAY go")
        await guest.expect("go")
        await guest.line.reconnect()
        heard.clear()
        guest.is_back = True
        await become(lambda: not guest.runtime.tasks)

    play_with(answer)
    assert ended == ([asked, "closed"] if asked == "endless" else [asked])
    assert heard == []


def test_a_request_that_is_withdrawn_is_not_answered_any_more(peer: Any, play_with: Play, heard: list[Data]) -> None:
    stopped: list[str] = []

    class Careful(Answering):
        @on("careful")
        async def careful(self, _request: Message) -> AsyncIterator[str]:
            try:
                while True:
                    yield "on"
                    await self.expect("next")
            finally:
                stopped.append("careful")

        @on("slow")
        async def slow(self, _request: Message) -> str:
            await self.expect("never")
            return "done"

    @scenario
    async def answer(guest: Careful) -> None:
        peer.connection.send("ASK 7 careful\nASK 8 slow\nASK 9 list")
        await turns(heard, 4)
        peer.connection.send("STOP 8\nSTOP 7\nSTOP 9\nSTOP 100\nSAY next\nSAY done")
        await guest.expect("done")
        await become(lambda: stopped)
        await become(lambda: not guest.runtime.tasks)

    play_with(answer)
    assert stopped == ["careful"]
    assert sorted(map(str, heard)) == ["LAST 9", "MORE 7 on", "MORE 9 one", "MORE 9 two"]


SIP = Json("name", "body", reply="{name}!", id="id", provisional={"code": range(100, 200)}, failed={"code": 404})


class Phone(Actor):
    line = Link("{peer}", dialect=SIP, within_s=5)
    is_done = False

    @on("invite")
    async def invite(self, _request: Message) -> AsyncIterator[dict[str, int]]:
        yield {"code": 100}
        yield {"code": 180}
        yield {"code": 200}
        self.is_done = True

    @on("busy")
    async def busy(self, _request: Message) -> AsyncIterator[dict[str, int]]:
        yield {"code": 100}
        raise ErrorReply(404, "nobody there")

    @on("twice")
    async def twice(self, _request: Message) -> AsyncIterator[dict[str, int]]:
        yield {"code": 200}
        yield {"code": 200}

    @on.opened
    def greet(self) -> Iterator[str]:
        yield from (["hello"] if getattr(self, "greets", False) else [])

    @on("by hand")
    def by_hand(self, request: Message) -> None:
        assert not self.answer(request, code=100, is_last=False)
        assert self.answer(request, code=200, is_last=False)


@pytest.mark.parametrize(
    ("asked", "codes"), [("invite", [100, 180, 200]), ("busy", [100, 404]), ("by hand", [100, 200])]
)
def test_the_body_says_which_answer_is_the_last(peer: Any, play_with: Play, asked: str, codes: list[int]) -> None:
    heard: list[Any] = []
    ours = SIP.codec(Meeting("server"))
    peer.on_opened = lambda connection: setattr(peer, "connection", connection)
    peer.on_data = lambda data: heard.extend(ours.decode(data))

    @scenario
    async def answer(phone: Phone) -> None:
        peer.connection.send(ours.request(asked, {}).raw)
        await turns(heard, len(codes))
        await phone.until(lambda: phone.is_done or asked != "invite")

    play_with(answer)
    assert [message.body["code"] for message in heard] == codes
    assert [message.is_last for message in heard] == [code >= 200 for code in codes]


def test_an_answer_after_the_last_fails_the_run(peer: Any, play_with: Play) -> None:
    peer.on_data = lambda _: None

    @scenario
    async def answer(phone: Phone) -> None:
        peer.say_raw('{"name": "twice", "id": 4, "body": {}}')
        await phone.expect("never")

    with pytest.raises(HandlerFailed, match="twice has had its last answer, and there is another one"):
        play_with(answer)


def test_there_is_nobody_to_answer_when_a_channel_opens(peer: Any, play_with: Play) -> None:
    class Greeter(Phone):
        greets = True

    @scenario
    async def answer(phone: Greeter) -> None:
        await phone.expect("never")

    with pytest.raises(HandlerFailed, match="there is nobody to answer when a channel opens or ends"):
        play_with(answer)


@pytest.mark.parametrize(
    ("dialect", "asked", "told"),
    [
        (JsonRpc(), '{"jsonrpc": "2.0", "id": 1, "method": "list"}', "list has one answer: this dialect has no form"),
        (Json("n", reply="{name}!"), '{"n": "list"}', "list has one answer: nothing would tell the other side"),
    ],
)
def test_a_dialect_with_one_answer_says_so(peer: Any, play_with: Play, dialect: Any, asked: str, told: str) -> None:
    peer.on_data = lambda _: None

    class Lister(Actor):
        line = Link("{peer}", dialect=dialect, within_s=5)

        @on("list")
        def list_all(self, _request: Message) -> Iterator[dict[str, int]]:
            yield {"a": 1}

    @scenario
    async def answer(lister: Lister) -> None:
        peer.say_raw(asked)
        await lister.expect("never")

    with pytest.raises(HandlerFailed, match=told):
        play_with(answer)
