"""To ask is to do in one pass what the mailbox and the sending side do each by itself; so both come to the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from antiphon import Actor, Json, Link, Message, Run, SendBufferFull, action, scenario
from antiphon.conversation.waits import Exchange

Play = Callable[..., Run]

STAMPS = ("actor", "channel", "is_sent", "step", "frames", "is_protocol")


@pytest.mark.parametrize("in_action", [True, False])
def test_what_is_asked_is_stamped_as_what_is_sent(play_with: Play, party: Any, in_action: bool) -> None:
    class Teller(party):  # type: ignore[misc]
        @action
        async def tell(self) -> None:
            self.speak()

        def speak(self) -> None:
            for _ in range(2):
                self.send("look", n=1)
                self.ask("look", n=1)

    @scenario
    async def telling(teller: Teller) -> None:
        if in_action:
            await teller.tell()
        else:
            teller.speak()

    said = [each for each in play_with(telling).journal if isinstance(each, Message) and each.is_sent]
    assert [message.number for message in said] == [1, 2, 3, 4]
    assert [message.asks is not None for message in said] == [False, True, False, True]
    assert {tuple(getattr(message, each) for each in STAMPS) for message in said} == {
        ("teller", "line", True, 1 if in_action else 0, None, False)
    }
    assert {message.raw for message in said} == {'{"action":"look","data":{"n":1}}'}
    assert [message.at_ns for message in said] == sorted(message.at_ns for message in said)


def test_an_exchange_is_the_one_that_the_mailbox_would_make_of_it(play_with: Play, party: Any, desk: Any) -> None:
    """The first of its key by itself, further ones in a queue; among waits of other kinds, after what has come."""

    @scenario
    async def asking(teller: party) -> None:  # type: ignore[valid-type]
        mailbox, mine = desk.mailbox, teller.line.mailbox
        for expect, ask in ((desk.expect, desk.ask), (teller.expect, teller.ask)):
            key = ("resultLook",) if ask == desk.ask else ("look",)
            expect("never")
            ask(*key)
            ask(*key)
        assert [type(found).__name__ for found in mine.exchanges.values()] == ["deque"]
        for theirs, ours in zip(mailbox.pending, mine.pending, strict=True):
            assert type(theirs) is type(ours)
            facts = ("order", "after", "settled_ns", "message", "error", "is_seen", "is_abandoned")
            assert [getattr(theirs, each) for each in facts] == [getattr(ours, each) for each in facts]
            assert ours.driver is not None
            assert ours.source.startswith("tests/integration/test_asking.py:")
        assert list(mailbox.exchanges) == list(mine.exchanges)

    play_with(asking)


def test_a_batch_holds_what_is_asked_in_it(peer: Any, play_with: Play, party: Any) -> None:
    @scenario
    async def asking(teller: party) -> str:  # type: ignore[valid-type]
        with teller.line.batch():
            teller.send("look", n=1)
            answer = teller.ask("look", n=2)
            assert peer.heard == []
        peer.say("resultLook", seen="all")
        return (await answer)["seen"]  # type: ignore[no-any-return]

    assert play_with(asking).value == "all"
    assert [body["n"] for _, body in peer.heard] == [1, 2]


@pytest.mark.parametrize("why", ["raised", "too much"])
def test_a_batch_that_does_not_go_out_asks_nothing(peer: Any, play_with: Play, why: str) -> None:
    class Narrow(Actor):
        line = Link("{peer}", dialect=Json("action", "data", reply="result{Name}"), max_unsent_bytes=0)

    @scenario
    async def asking(narrow: Narrow) -> None:
        asked: list[Exchange] = []

        def say() -> None:
            with narrow.line.batch():
                asked.append(narrow.ask("look", n=1))
                asked.append(narrow.ask("look", n=2))
                if why == "raised":
                    raise LookupError(why)

        if why == "too much":
            narrow.send("big", text="x" * 100)
        with pytest.raises(LookupError if why == "raised" else SendBufferFull):
            say()
        assert narrow.line.mailbox.pending == []
        assert list(narrow.line.mailbox.exchanges) == []
        assert all(each.cancelled() for each in asked)
        peer.connection.resume()

    def on_opened(connection: Any) -> None:
        peer.connection = connection
        connection.pause()

    peer.on_opened = on_opened
    play_with(asking)


def test_what_is_asked_counts_among_what_has_not_left(peer: Any, play_with: Play) -> None:
    """A request that is refused is not in the journal, and nobody waits for its reply."""

    class Narrow(Actor):
        line = Link("{peer}", dialect=Json("action", "data", reply="result{Name}"), max_unsent_bytes=1000)

    @scenario
    async def flooding(narrow: Narrow) -> tuple[int, int]:
        asked: list[Exchange] = []

        def flood() -> None:
            while len(asked) < 100:
                asked.append(narrow.ask("look", text="x" * 100))

        with pytest.raises(SendBufferFull):
            flood()
        waited_for = len(narrow.line.mailbox.pending)
        peer.connection.resume()
        return len(asked), waited_for

    def on_opened(connection: Any) -> None:
        peer.connection = connection
        connection.pause()

    peer.on_opened = on_opened
    run = play_with(flooding)
    asked, waited_for = run.value
    assert 0 < asked == waited_for <= 2000 // len(msgspec.json.encode({"text": "x" * 100}))
    assert sum(isinstance(each, Message) for each in run.journal) == asked
