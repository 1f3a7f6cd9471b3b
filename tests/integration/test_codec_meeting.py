"""What a codec knows of whom it speaks for, what it may change of the opening, and how a peer refuses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from club import Club, Guest, become

from antiphon import (
    Actor,
    Codec,
    ConnectFailed,
    Data,
    DialectFailed,
    ExpectationFailed,
    Link,
    Meeting,
    Message,
    OpeningRefused,
    Run,
    ScenarioError,
    Stand,
    User,
    perform,
    scenario,
)
from antiphon.journal import ChannelOpened
from antiphon.journal.file import FILE_NAME
from antiphon.transport.memory import MemoryNetwork

Play = Callable[..., Run]


@pytest.fixture
def club() -> Club:
    return Club()


@pytest.fixture
def member(club: Club) -> type[Actor]:
    class Member(Actor):
        line = Link("{peer}/door", dialect=club, headers={"X-Seat": "4"}, within_s=5, open_within_s=2)

    return Member


@pytest.fixture
def play(peer: Any, run_loop: Any) -> Play:
    """Performs a scenario against the peer, as alice."""

    async def play_here(scene: Any, **options: Any) -> Run:
        network = MemoryNetwork()
        listening = await network.listen("memory://peer", peer.accept, subprotocols=("club",))
        users = [{"name": "alice", "password": "sesame-street"}]
        stand = Stand("test", {"peer": "memory://peer"}, users=users, transports={"memory": network})
        try:
            return await perform(scene, stand=stand, **{"runs": None, "linger_s": 0.0, **options})
        finally:
            await listening.close()

    return lambda scene, **options: run_loop(play_here(scene, **options))  # type: ignore[no-any-return]


def answer_with(peer: Any, **answers: str) -> list[str]:
    """Have the peer answer words with lines; gives what it hears."""
    heard: list[str] = []

    def on_opened(connection: Any) -> None:
        peer.connection = connection

    def on_data(data: Data) -> None:
        heard.append(str(data))
        answer = answers.get(str(data).partition(" ")[0])
        if answer is not None:
            peer.connection.send(answer)

    peer.on_opened, peer.on_data = on_opened, on_data
    return heard


def test_a_login_is_the_actors_own(peer: Any, play: Play, club: Club, member: type[Actor], tmp_path: Path) -> None:
    heard = answer_with(peer, LOGIN="WELCOME t1", BYE="BYE")

    @scenario
    async def enter(guest: member) -> None: ...  # type: ignore[valid-type]

    run = play(enter, runs=tmp_path)
    assert heard == ["LOGIN alice sesame-street", "BYE"]
    written = (run.directory / FILE_NAME).read_text()
    assert "LOGIN alice" in written
    assert "sesame-street" not in written


def test_a_codec_changes_what_its_connection_is_opened_with(
    peer: Any, play: Play, club: Club, member: type[Actor]
) -> None:
    answer_with(peer, LOGIN="WELCOME t1", BYE="BYE")

    @scenario
    async def enter(guest: member) -> Any:  # type: ignore[valid-type]
        return dict(guest.channel.headers), guest.channel.subprotocols  # type: ignore[attr-defined]

    run = play(enter)
    (opening,) = peer.openings
    assert opening.path == "/door?club"
    assert dict(opening.headers) == {"X-Seat": "4", "X-Token": ""}
    assert opening.subprotocols == ("club",)
    assert run.value == ({"X-Seat": "4"}, ())
    (opened,) = [entry for entry in run.journal if isinstance(entry, ChannelOpened)]
    assert (opened.address, opened.subprotocol) == ("memory://peer/door?club", "club")
    assert opened.headers == {"X-Seat": "4", "X-Token": ""}
    (codec,) = club.made
    assert isinstance(codec, Guest)
    assert codec.agreed == "club"


def test_a_codec_is_made_from_its_predecessor(peer: Any, play: Play, club: Club, member: type[Actor]) -> None:
    heard = answer_with(peer, LOGIN="WELCOME t1", BYE="BYE")

    @scenario
    async def enter(guest: member) -> None:  # type: ignore[valid-type]
        await guest.channel.reconnect()  # type: ignore[attr-defined]

    play(enter)
    assert heard == ["LOGIN alice sesame-street", "BYE", "LOGIN alice sesame-street t1", "BYE"]
    assert [opening.headers["X-Token"] for opening in peer.openings] == ["", "t1"]
    # No chain of all codecs that there ever were.
    assert [codec.meeting.previous for codec in club.made] == [None, None]


def test_of_a_connection_that_could_not_be_made_nothing_is_resumed(run_loop: Any) -> None:
    club = Club(name="a", password="b")
    seen: list[Any] = []

    class Watching(Club):
        def codec(self, meeting: Meeting, /) -> Any:
            seen.append(meeting.previous)
            return super().codec(meeting)

    club = Watching(name="a", password="b")

    class Member(Actor):
        line = Link("memory://nobody", dialect=club, opens="manually")

    @scenario
    async def knock(guest: Member) -> None:
        for _ in range(2):
            with pytest.raises(ConnectFailed):
                await guest.line.open()

    run_loop(perform(knock, stand=Stand("test", transports={"memory": MemoryNetwork()}), runs=None))
    assert seen == [None, None]


def test_a_refusal_is_why_it_could_not_be_opened(peer: Any, play: Play, member: type[Actor]) -> None:
    answer_with(peer, LOGIN="REFUSED 5 wrong password")

    @scenario
    async def enter(guest: member) -> None: ...  # type: ignore[valid-type]

    with pytest.raises(OpeningRefused, match="the club refuses: wrong password") as refused:
        play(enter)
    assert (refused.value.code, refused.value.message.name) == (5, "refused")
    first, *rest = str(refused.value).splitlines()
    assert first.startswith("guest.line: ")
    here = f"tests/integration/test_codec_meeting.py:{enter.function.__code__.co_firstlineno}"
    assert rest == ["  at memory://peer/door?club", f"  at {here}", "  hint: who is it?"]
    told = [entry for entry in refused.value.run.journal if isinstance(entry, Message)]
    assert [(entry.name, entry.body, entry.is_protocol) for entry in told] == [
        ("login", None, True),
        ("refused", "wrong password", True),
    ]


def test_a_refusal_can_be_expected_and_the_channel_opened_after_it(peer: Any, play: Play, club: Club) -> None:
    class Member(Actor):
        line = Link("{peer}/door", dialect=club, opens="manually", open_within_s=2, within_s=5)

    @scenario
    async def enter(guest: Member) -> Any:
        answer_with(peer, LOGIN="REFUSED 5 wrong password")
        refusal = await guest.line.expect_refusal(5)
        with pytest.raises(ExpectationFailed, match="was refused with 5, wanted 7"):
            await guest.line.expect_refusal(7)
        assert not guest.line.is_open
        answer_with(peer, LOGIN="WELCOME t1", BYE="BYE")
        with pytest.raises(ExpectationFailed, match="was let in, but a refusal with 5 was expected"):
            await guest.line.expect_refusal(5)
        await guest.line.open()
        return refusal.message.body

    assert play(enter).value == "wrong password"


def test_a_refusal_of_what_is_open_fails_the_run(peer: Any, play: Play, member: type[Actor]) -> None:
    answer_with(peer, LOGIN="WELCOME t1", BYE="BYE")

    @scenario
    async def enter(guest: member) -> None:  # type: ignore[valid-type]
        peer.connection.send("REFUSED 9 no more\nSAY hello there")
        await guest.expect("never")  # type: ignore[attr-defined]

    with pytest.raises(OpeningRefused, match=r"the club refuses: no more\n  at guest\.line"):
        play(enter)


def test_a_connection_that_ends_before_its_protocol_is_open_is_told_at_once(
    peer: Any, play: Play, member: type[Actor]
) -> None:
    answer_with(peer)
    peer.on_data = lambda _: peer.connection.close(4001, "full")

    @scenario
    async def enter(guest: member) -> None: ...  # type: ignore[valid-type]

    with pytest.raises(ConnectFailed, match="with code 4001 'full', before its protocol was open"):
        play(enter)


def test_whoever_is_cancelled_while_it_opens_leaves_nothing_open(peer: Any, play: Play, club: Club) -> None:
    answer_with(peer)

    class Member(Actor):
        line = Link("{peer}/door", dialect=club, opens="manually", open_within_s=20)

    @scenario
    async def enter(guest: Member) -> bool:
        opening = asyncio.ensure_future(guest.line.open())
        await become(lambda: guest.line.is_open)
        opening.cancel()
        await asyncio.wait([opening])
        await guest.line.expect_close(within_s=5)
        return guest.line.is_open

    assert play(enter).value is False


class Buggy(Club):
    def codec(self, meeting: Meeting, /) -> Any:
        return [][1]


class Wrong(Club):
    def codec(self, meeting: Meeting, /) -> Any:
        return "codec"


class Old(Codec):
    def codec(self) -> Any:  # type: ignore[override]
        return self

    def decode(self, data: Data) -> Any: ...
    def encode(self, name: str, body: Any) -> Any: ...


@pytest.mark.parametrize(
    ("dialect", "told"),
    [
        (Buggy(), "the dialect Buggy raised IndexError: list index out of range, in its codec()"),
        (
            Wrong(),
            "the dialect Wrong raised AttributeError: .*'gives_messages', in its codec()",
        ),
        (Old(), "the dialect Old raised TypeError: .* in its codec()"),
    ],
    ids=["raises", "gives none", "takes no meeting"],
)
def test_a_dialect_that_makes_no_codec_is_told(play: Play, dialect: Any, told: str) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=dialect)

    @scenario
    async def enter(guest: Member) -> None: ...

    with pytest.raises(DialectFailed, match=told.replace("(", r"\(").replace(")", r"\)")):
        play(enter)


def test_a_name_that_nobody_has_is_the_authors_fault(play: Play) -> None:
    class Member(Actor):
        line = Link("{peer}", dialect=Club(name="{seat}"))

    @scenario
    async def enter(guest: Member) -> None: ...

    with pytest.raises(ScenarioError, match=r"the dialect's '\{seat\}' needs 'seat', which the actor does not have"):
        play(enter)


def test_a_meeting_fills_in_what_the_actor_is() -> None:
    hidden: list[str] = []
    user = User(name="alice", password="sesame")
    meeting = Meeting(fields={"seat": 4, "_own": 1}, user=user, hide=hidden.append)
    assert meeting.fields == {"seat": 4}
    assert meeting.fill("{{{user.name}-{seat}}}") == "{alice-4}"
    meeting.hide("c2VzYW1l")
    assert hidden == ["c2VzYW1l"]
    Meeting().hide("nobody listens")
    with pytest.raises(ScenarioError, match="this actor is nobody's"):
        Meeting().fill("{user.name}")
    with pytest.raises(ScenarioError, match="attributes are: none"):
        Meeting().fill("{user}")
    with pytest.raises(ScenarioError, match="the user 'alice' has no 'pin'"):
        meeting.fill("{user.pin}")
    with pytest.raises(ScenarioError, match=r"'\{' cannot be filled in"):
        meeting.fill("{")
