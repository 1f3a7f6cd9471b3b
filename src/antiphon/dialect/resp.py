"""RESP 3, the protocol of Redis and Valkey (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.resp_server import RespServer
from antiphon.dialect.resp_subscriptions import CONFIRMED_BY_PUSHES, Subscriptions
from antiphon.dialect.resp_values import DEFAULT_LIMIT_BYTES, Failure, Push, RespReader, arguments, write
from antiphon.dialect.stream_codec import StreamCodec
from antiphon.errors import DialectError, OpeningRefused

__all__ = ["Resp"]


class Resp:
    """RESP 3 over a stream, as client or as server.

    A command is a request: `ask("SET", ["key", "value"])`, with one argument or a list of them. Its reply comes as
    `SET.result` with the value as body, or as `SET.error` with the error's text, which fails the request; commands may
    follow each other without waiting, since replies come in order. A push comes under its first word, `message` or
    `invalidate`, with the rest as body; SUBSCRIBE and its like are answered by one for each channel. Texts are `str`
    where they are UTF-8, else `bytes`.

    A server's handler is named by the command in capitals, its body are the arguments, and what it returns is the
    reply; `send(name, words)` is a push.

    user, password, name: what `HELLO 3` says, None for nothing; filled in from the actor, as "{user.password}". On a
        server user and password are what it asks for.
    limit_bytes: the most that one value may take.
    """

    def __init__(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        name: str | None = None,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.user = user
        self.password = password
        self.name = name
        self.limit_bytes = limit_bytes

    def codec(self, meeting: Meeting, /) -> Codec:
        """Raises ScenarioError for an option that cannot be filled in from the actor."""
        user, password = filled(self.user, meeting), filled(self.password, meeting)
        if password:
            meeting.hide(password)
        if meeting.side == "server":
            return RespServer(self.limit_bytes, user, password, meeting.hide)
        words = ["3"]
        if password is not None:
            words += ["AUTH", user or "default", password]
        if self.name is not None:
            words += ["SETNAME", filled(self.name, meeting)]
        return _Client(self.limit_bytes, words, meeting.hide)


class _Asked(msgspec.Struct):
    """A command whose reply is to come; `missing` are the pushes that confirm it, None if it has a reply."""

    name: str
    is_asked: bool
    missing: int | None


class _Client(StreamCodec):
    def __init__(self, limit_bytes: int, hello: list[str], hide: Callable[[str], object]) -> None:
        super().__init__()
        self._reader = RespReader(limit_bytes)
        self._hello = hello
        self._hide = hide
        self._asked: deque[_Asked] = deque()
        self._subscriptions = Subscriptions()

    # -- what is said -------------------------------------------------------------------------------------------------

    def opening(self) -> Iterable[Message]:
        return (self.encode("HELLO", self._hello),)

    def encode(self, name: str, body: Any) -> Message:
        return self._command(name, body, is_asked=False)

    def request(self, name: str, body: Any) -> Message:
        return self._command(name, body, is_asked=True)

    def _command(self, name: str, body: Any, *, is_asked: bool) -> Message:
        words = arguments(name, body)
        command = Message(name, body, write([name, *words], is_command=True), asks=_IN_ORDER if is_asked else None)
        if name.upper() == "AUTH" and words:
            self._hide(str(words[-1]))
        # Without channels it is about all that there are: how many that will be is known when the first is confirmed.
        self._asked.append(_Asked(name, is_asked, len(words) if name.lower() in CONFIRMED_BY_PUSHES else None))
        return command

    # -- what is heard ------------------------------------------------------------------------------------------------

    def read(self, data: bytes) -> Iterator[Message]:
        for value, raw in self._reader.feed(data):
            if isinstance(value, Push):
                yield self._read_push(value, raw)
            elif not self._asked:
                raise DialectError(f"a reply to nothing: {shorten(value)}")
            elif self.is_ready:
                yield _reply(self._asked.popleft(), value, raw)
            else:
                self._asked.popleft()
                yield self._read_hello(value, raw)

    def _read_push(self, push: Push, raw: bytes) -> Message:
        words = [*push.words]
        name = words.pop(0) if words and isinstance(words[0], str) and words[0] else "push"
        message = Message(name, words, raw)
        if name in CONFIRMED_BY_PUSHES:
            self._subscriptions.note(name, words[0] if words else None)
            self._confirm(message)
        return message

    def _confirm(self, message: Message) -> None:
        """A push may be one of those that the oldest command is answered by."""
        asked = self._asked[0] if self._asked else None
        if asked is None or asked.missing is None or asked.name.lower() != message.name:
            return
        if asked.missing == 0:
            is_last = not self._subscriptions.of(message.name)
        else:
            asked.missing -= 1
            is_last = asked.missing == 0
        if asked.is_asked:
            message.reply_to, message.is_answer, message.is_last = _IN_ORDER, True, is_last
        if is_last:
            self._asked.popleft()

    def _read_hello(self, value: Any, raw: bytes) -> Message:
        if isinstance(value, Failure):
            code, _, _ = value.partition(" ")
            refusal = Message("HELLO.error", str(value), raw)
            raise OpeningRefused(code, f"the server refused HELLO: {value}", refusal, hint=_HINTS.get(code))
        self.is_ready = True
        return Message("HELLO.result", value, raw, is_protocol=True)


def _reply(asked: _Asked, value: Any, raw: bytes) -> Message:
    is_failure = isinstance(value, Failure)
    return Message(
        f"{asked.name}.{'error' if is_failure else 'result'}",
        str(value) if is_failure else value,
        raw,
        reply_to=_IN_ORDER if asked.is_asked else None,
        is_answer=asked.is_asked,
        is_last=asked.is_asked,
        is_failure=is_failure,
    )


_IN_ORDER: Final = "in order"
"""The key of all commands: their replies come in the order of the commands."""
_HINTS: Final = {
    "ERR": "RESP 3 is spoken by Redis 6 and later",
    "NOAUTH": 'Resp(password="{user.password}")',
    "WRONGPASS": "does the stand have that user's password?",
}
"""By the code of what HELLO was refused with."""
