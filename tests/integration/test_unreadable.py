"""What cannot be read: it is a message like any other, and fails the run only if nobody takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from antiphon import (
    ANY,
    UNREADABLE,
    Actor,
    Codec,
    Data,
    DialectError,
    DialectFailed,
    Link,
    Message,
    Run,
    on,
    scenario,
)
from antiphon.conversation.message import Unreadable

Play = Callable[..., Run]


class Words(Codec):
    """A frame holds words; a number among them cannot be read, `boom` is met by a bug, `late` by one later on."""

    def decode(self, data: Data) -> Iterator[Message]:
        assert isinstance(data, str)
        for word in data.split():
            if word == "boom":
                raise IndexError("list index out of range")
            if word.isdigit():
                raise DialectError(f"{word} is no word", hint="words have letters")
            yield Message(word, None, word)

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, name)


class Teller(Actor):
    line = Link("{peer}", dialect=Words(), within_s=5)


@pytest.fixture
def talk(peer: Any, play_with: Play) -> Callable[..., Run]:
    """Does what the test does with the actor; the peer says something when it hears the actor's first word."""

    def play(kind: type[Actor], does: Callable[[Any], Any], *said: str, **options: Any) -> Run:
        @scenario
        async def told(teller: kind) -> Any:  # type: ignore[valid-type]
            return await does(teller)

        def on_data(data: Data) -> None:
            for each in said:
                peer.connection.send(each)

        peer.on_data = on_data
        return play_with(told, **options)

    return play


def test_it_can_be_expected(talk: Callable[..., Run]) -> None:
    async def does(teller: Any) -> Any:
        expected = teller.expect(UNREADABLE)
        teller.send("go")
        await teller.expect("end")
        return await expected

    message = talk(Teller, does, "12", "end").value
    assert isinstance(message, Unreadable)
    assert (message.body, message.raw) == ("12", "12")
    assert "12 is no word" in str(message.trouble)


def test_it_can_be_expected_with_a_pattern_and_as_any_message(talk: Callable[..., Run]) -> None:
    async def does(teller: Any) -> Any:
        chosen, any_other = teller.expect(UNREADABLE, "34"), teller.expect()
        teller.send("go")
        return [(await any_other).raw, (await chosen).raw]

    assert talk(Teller, does, "12", "34").value == ["12", "34"]


def test_an_expectation_of_something_else_does_not_take_it(talk: Callable[..., Run]) -> None:
    async def does(teller: Any) -> None:
        teller.send("go")
        await teller.expect(UNREADABLE, "34")

    with pytest.raises(DialectError, match="12 is no word"):
        talk(Teller, does, "12")


def test_it_can_be_ignored(talk: Callable[..., Run]) -> None:
    class Patient(Actor):
        line = Link("{peer}", dialect=Words(), within_s=5, ignored=(UNREADABLE,))

    async def does(teller: Any) -> Any:
        teller.send("go")
        await teller.expect("end")
        return (await teller.expect(UNREADABLE)).raw

    assert talk(Patient, does, "12", "end", strict=True).value == "12"


def test_it_can_be_handled_also_by_a_handler_of_anything(talk: Callable[..., Run]) -> None:
    class Handler(Actor):
        line = Link("{peer}", dialect=Words(), within_s=5)

        @on(ANY)
        def note(self, message: Message) -> None:
            self.noted = [*getattr(self, "noted", []), message.raw]

    async def does(teller: Any) -> Any:
        teller.send("go")
        await teller.expect("end")
        return teller.noted

    assert talk(Handler, does, "12", "end").value == ["12", "end"]


def test_nobody_takes_it(talk: Callable[..., Run]) -> None:
    async def does(teller: Any) -> None:
        teller.send("go")
        await teller.expect("end")

    with pytest.raises(DialectError, match="12 is no word") as failed:
        talk(Teller, does, "12")
    assert failed.value.place == "teller.line, received message 1"


def test_its_good_neighbours_are_heard(talk: Callable[..., Run]) -> None:
    """What a generator gave before its error counts."""

    async def does(teller: Any) -> Any:
        bad = teller.expect(UNREADABLE)
        teller.send("go")
        return [(await teller.expect(name)).name for name in ("one", "two", "three")] + [(await bad).raw]

    assert talk(Teller, does, "one two 12", "three").value == ["one", "two", "three", "one two 12"]


def test_a_bug_in_a_codec_names_the_dialect_and_the_input(talk: Callable[..., Run]) -> None:
    async def does(teller: Any) -> None:
        teller.send("go")
        await teller.expect("end")

    with pytest.raises(DialectFailed) as failed:
        talk(Teller, does, "hello", "one boom two")
    assert isinstance(failed.value.__cause__, IndexError)
    text = str(failed.value)
    assert "Words" in text
    assert "IndexError: list index out of range" in text
    assert "'one boom two'" in text
    assert failed.value.place == "teller.line, received message 3"
    assert failed.value.run.verdict == "error"
    heard = [entry.name for entry in failed.value.run.journal if isinstance(entry, Message)]
    assert heard == ["go", "hello", "one", UNREADABLE]


class Nonsense(Codec):
    """Gives what is none of a codec's answers."""

    def decode(self, data: Data) -> Any:
        good = Message("good", None, data)
        return {"none": None, "words": "words", "number": 5, "list": [good, 5], "tuple": (good, None), "one": good}[
            str(data)
        ]

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, name)


class Hearer(Actor):
    line = Link("{peer}", dialect=Nonsense(), within_s=5)


@pytest.mark.parametrize("said", ["none", "words", "number", "list", "tuple", "one"])
def test_a_codec_that_gives_nonsense_is_named_with_the_input(talk: Callable[..., Run], said: str) -> None:
    async def does(hearer: Any) -> None:
        hearer.send("go")
        await hearer.expect("end")

    with pytest.raises(DialectFailed, match="the dialect Nonsense") as failed:
        talk(Hearer, does, said)
    assert f"on '{said}'" in str(failed.value)
    heard = [entry.name for entry in failed.value.run.journal if isinstance(entry, Message)]
    assert heard == ["go", *["good"] * (said in ("list", "tuple")), UNREADABLE]


class Buggy(Codec):
    """Fails in what the protocol owes; `where` says in which duty."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.heartbeat_s = 0.01 if where == "heartbeat" else None

    def decode(self, data: Data) -> Sequence[Message]:
        return (Message(str(data), None, data),)

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, name)

    def opening(self) -> Sequence[Data]:
        return self._fail("opening")

    def owed(self) -> Sequence[Data]:
        return self._fail("owed")

    def heartbeat(self) -> Sequence[Data]:
        return self._fail("heartbeat")

    def closing(self) -> Sequence[Data]:
        return self._fail("closing")

    def _fail(self, where: str) -> Sequence[Data]:
        if where == self.where:
            raise IndexError("pop from an empty list")
        return ()


@pytest.mark.parametrize("where", ["opening", "owed", "heartbeat", "closing"])
def test_a_bug_in_what_a_protocol_owes_names_the_dialect(peer: Any, talk: Callable[..., Run], where: str) -> None:
    class Owing(Actor):
        line = Link("{peer}", dialect=Buggy(where), within_s=5)

    async def does(owing: Any) -> None:
        owing.send("go")
        if where == "closing":
            await owing.close()
        else:
            await owing.expect("end")

    with pytest.raises(DialectFailed) as failed:
        talk(Owing, does, "hello")
    text = str(failed.value)
    assert "Buggy" in text
    assert where in text
    assert "IndexError: pop from an empty list" in text
    assert len(peer.endings) == 1
