"""The dialect of lines: what every dialect must do, what this one says, and how a mailbox uses it."""

import asyncio

import pytest
from lines import Lines

from antiphon import (
    UNREADABLE,
    Accepted,
    Actor,
    DialectError,
    ErrorReply,
    Meeting,
    RequestRefused,
    Stand,
    WebSocket,
    action,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.waits import Exchange, MessageWait
from antiphon.testing import dialects
from antiphon.testing.dialects import Speech

SPEECH = Speech(Lines(), samples=[("DOOR", "open"), ("PING", "")], asks=("SET", "volume 5"), answer="volume is 5")


@pytest.mark.parametrize("check", dialects.CHECKS, ids=dialects.name_of)
def test_contract(check):
    if lacking := dialects.missing(check, SPEECH):
        pytest.skip(f"lines have no {' and '.join(lacking)}")
    check(SPEECH)


def test_lines_look_as_they_should():
    ours, theirs = Lines().codec(Meeting()), Lines().codec(Meeting())

    request = ours.request("SET", "volume 5")
    (received,) = theirs.decode(request.raw)

    assert request.raw == "1 SET volume 5"
    assert theirs.answer(received, "volume is 5").raw == "1 OK volume is 5"
    assert theirs.refuse(received, ErrorReply(400, "too loud")).raw == "1 ERR 400 too loud"
    assert theirs.encode("DOOR", "open").raw == "0 DOOR open"


def test_a_frame_holds_many_lines_and_a_bad_one_does_not_hide_the_others():
    heard = Lines().codec(Meeting()).decode(b"0 DOOR open\r\nwhat?\n\n0 DOOR shut\n")

    assert [(message.name, message.body) for message in heard] == [
        ("DOOR", "open"),
        (UNREADABLE, "what?"),
        ("DOOR", "shut"),
    ]


@pytest.mark.parametrize("body", ["two\nlines", "é", 5, {"volume": 5}])
def test_what_is_no_line_cannot_be_said(body):
    with pytest.raises(DialectError, match="is no line"):
        Lines().codec(Meeting()).encode("SET", body)


def test_a_mailbox_gives_each_reply_to_its_request():
    codec, mailbox = Lines().codec(Meeting()), Mailbox("the radio")
    first, second = (
        Exchange(codec.request("GET", what), made_ns=0, deadline_ns=None) for what in ("volume", "station")
    )
    door = MessageWait("DOOR", made_ns=0, deadline_ns=None)
    mailbox.expect_reply(first)
    mailbox.expect_reply(second)
    mailbox.expect(door)

    for message in codec.decode("2 ERR no aerial\n0 DOOR open\n1 OK 5"):
        mailbox.deliver(message, now_ns=1)

    assert first.message is not None
    assert first.message.body == "5"
    assert isinstance(second.error, RequestRefused)
    assert door.message is not None
    assert door.message.body == "open"
    assert len(mailbox) == 0


class Radio(Actor):
    """The server's end."""

    line = Accepted(dialect=Lines())

    @on("SET")
    def set(self, request):
        what, _, value = request.body.partition(" ")
        if int(value) > 10:
            raise ErrorReply(400, "too loud")
        self.send("DISPLAY", request.body)
        return f"{what} is {value}"


class Listener(Actor):
    """Who turns the knob."""

    front = WebSocket("{radio}/front", dialect=Lines())

    @action
    async def set_volume(self, volume):
        answer = await self.ask("SET", f"volume {volume}")
        await self.expect("DISPLAY", lambda text: text == f"volume {volume}")
        return answer.body


@scenario
async def turn_up(listener: Listener, volume: int):
    return await listener.set_volume(volume)


def turn_up_to(volume, runs):
    async def at_radio():
        async with await listen("ws://127.0.0.1:0", lambda opening: Radio()) as server:
            return await perform(turn_up, stand=Stand("radio", {"radio": server.address}), runs=runs, volume=volume)

    return asyncio.run(at_radio())


def test_actors_speak_it_over_a_websocket(tmp_path):
    run = turn_up_to(5, tmp_path)

    assert run.value == "volume is 5"
    assert run.directory is not None
    assert (run.directory / "sent" / "SET0.txt").read_text() == "1 SET volume 5"


def test_a_refusal_of_the_peer_is_told(tmp_path):
    with pytest.raises(RequestRefused, match="400 too loud"):
        turn_up_to(11, tmp_path)
