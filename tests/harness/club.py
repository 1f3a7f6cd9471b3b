"""A protocol with everything that a codec may have: a login, a session to resume, beats, several answers, goodbyes.

Words on a line, `VERB rest`: `LOGIN name password token`, `WELCOME token silence`, `REFUSED code text`, `ASK id name`,
`MORE id body`, `LAST id body`, `STOP id`, `SAY name body`, `BEAT`, `BYE code`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from antiphon.plugins import Codec, Data, DialectError, Ending, Meeting, Message, OpeningRefused, Withdrawal


class Club:
    """`made` are the codecs that it has made, in order."""

    def __init__(self, name: str = "{user.name}", password: str = "{user.password}", **options: Any) -> None:
        self.name = name
        self.password = password
        self.options = options
        self.made: list[ClubCodec] = []

    def codec(self, meeting: Meeting, /) -> ClubCodec:
        codec = (Guest if meeting.side == "client" else Doorkeeper)(self, meeting)
        for option, value in self.options.items():
            setattr(codec, option, value)
        self.made.append(codec)
        return codec


class ClubCodec(Codec):
    """What both sides have."""

    is_ready = False
    waits_for_goodbye = True

    def __init__(self, club: Club, meeting: Meeting) -> None:
        self.meeting = meeting
        self.token = getattr(meeting.previous, "token", "")
        self.new_id = count(0).__next__
        self.debts: list[Data | Message] = []

    def decode(self, data: Data) -> Iterator[Message]:
        for line in str(data).splitlines():
            verb, _, rest = line.partition(" ")
            read: Callable[[str, str], Message] | None = getattr(self, f"read_{verb.lower()}", None)
            if read is None:
                raise DialectError(f"{verb!r} is no word of the club")
            try:
                yield read(line, rest)
            except ValueError as error:
                raise DialectError(f"{line!r} is not what {verb} says: {error}") from error

    def read_say(self, line: str, rest: str) -> Message:
        name, _, body = rest.partition(" ")
        return Message(named(name), body, line)

    def read_ask(self, line: str, rest: str) -> Message:
        key, name = rest.split(" ", 1)
        return Message(named(name), None, line, asks=int(key), is_request=True)

    def read_more(self, line: str, rest: str) -> Message:
        key, _, body = rest.partition(" ")
        return Message("more", body, line, reply_to=int(key), is_answer=True)

    def read_last(self, line: str, rest: str) -> Message:
        key, _, body = rest.partition(" ")
        return Message("last", body, line, reply_to=int(key), is_answer=True, is_last=True)

    def read_beat(self, line: str, _rest: str) -> Message:
        return Message("beat", None, line, is_protocol=True)

    def read_stop(self, line: str, rest: str) -> Message:
        return Withdrawal("stop", int(rest), line, withdraws=int(rest))

    def read_bye(self, line: str, rest: str) -> Message:
        if self.is_done:
            self.ending = Ending(code=int(rest or 0), reason="bye", by="peer", is_clean=True)
            if self.waits_for_goodbye:
                self.debts.append("BYE")
        self.is_done = True
        return Message("bye", None, line, is_protocol=True)

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, f"SAY {name} {written(body)}".rstrip())

    def request(self, name: str, body: Any) -> Message:
        key = self.new_id()
        return Message(name, body, f"ASK {key} {name}", asks=key)

    def answer(self, request: Message, body: Any) -> Message:
        return Message("answer", body, f"LAST {request.asks} {written(body)}".rstrip())

    def answer_interim(self, request: Message, body: Any) -> Message:
        return Message("answer", body, f"MORE {request.asks} {written(body)}")

    def heartbeat(self) -> tuple[Data, ...]:
        return ("BEAT",)

    def cancel(self, request: Message, /) -> tuple[Data, ...]:
        return (f"STOP {request.asks}",)

    def agree(self, silence: str) -> None:
        """On how long either side may be silent, in seconds, "" for ever."""
        self.silence_s = float(silence) if silence else None
        self.heartbeat_s = self.silence_s / 2 if self.silence_s is not None else None

    def owed(self) -> list[Data | Message]:
        debts, self.debts = self.debts, []
        return debts

    def closing(self) -> tuple[Data, ...]:
        self.is_done = not self.waits_for_goodbye
        return ("BYE",)


class Guest(ClubCodec):
    """Whoever comes in."""

    def __init__(self, club: Club, meeting: Meeting) -> None:
        super().__init__(club, meeting)
        self.login = f"LOGIN {meeting.fill(club.name)} {meeting.fill(club.password)} {self.token}".rstrip()
        meeting.headers["X-Token"] = self.token
        meeting.subprotocols.append("club")
        meeting.address += "?club"
        self.agreed = ""

    def opening(self) -> tuple[Message, ...]:
        self.agreed = self.meeting.subprotocol
        return (Message("login", None, self.login),)

    def read_welcome(self, line: str, rest: str) -> Message:
        self.token, _, silence = rest.partition(" ")
        self.agree(silence)
        self.is_ready = True
        return Message("welcome", None, line, is_protocol=True)

    def read_refused(self, line: str, rest: str) -> Message:
        code, _, text = rest.partition(" ")
        raise OpeningRefused(int(code), f"the club refuses: {text}", Message("refused", text, line), hint="who is it?")


class Doorkeeper(ClubCodec):
    """Whoever lets in, but for those whose password is not `sesame`."""

    silence = ""

    def read_login(self, line: str, rest: str) -> Message:
        _, password, *_ = rest.split(" ")
        self.is_ready = password == "sesame"
        self.debts.append(f"WELCOME token-1 {self.silence}".rstrip() if self.is_ready else "REFUSED 5 wrong password")
        self.agree(self.silence)
        if not self.is_ready:
            self.ending = Ending(code=None, by="us", detail="wrong password")
        return Message("login", None, line, is_protocol=True)


def named(name: str) -> str:
    if not name:
        raise ValueError("a name is missing")
    return name


def written(body: Any) -> str:
    """A body on its line."""
    if body is not None and not (isinstance(body, str) and body.isprintable()):
        raise DialectError(f"{body!r:.80} is no text on one line")
    return body or ""


async def become(condition: Callable[[], Any]) -> None:
    """Give way until that is so, as something that happens outside of the scenario."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)
