"""RESP, the protocol of Redis and Valkey, version 3, both sides (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Final

import msgspec

from antiphon.conversation.message import Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.resp_values import DEFAULT_LIMIT_BYTES, Failure, Push, RespReader, write
from antiphon.errors import DialectError, ErrorReply, OpeningRefused

__all__ = ["Resp"]


class Resp:
    """RESP 3 over a stream, as client or as server.

    A command is a request: `ask("SET", ["key", "value"])`, with one argument or a list of them. Its reply comes as
    `SET.result` with the value as body, or as `SET.error` with the error's text, which fails the request; commands may
    follow each other without waiting, since replies come in order. A push comes under its first word, `message` or
    `invalidate`, with the rest as body. SUBSCRIBE and its like are replied to by a push for each channel.

    user, password, name: what `HELLO 3` says, None for nothing; filled in from the actor, as "{user.password}". On a
        server `password` is what it asks for.
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
        password = filled(self.password, meeting)
        if password:
            meeting.hide(password)
        if meeting.side == "server":
            return _Server(self.limit_bytes, password)
        words: list[str] = ["3"]
        if password is not None:
            words += ["AUTH", filled(self.user, meeting) or "default", password]
        if self.name is not None:
            words += ["SETNAME", filled(self.name, meeting)]
        return _Client(self.limit_bytes, words)


class _Asked(msgspec.Struct):
    """A command whose reply is to come; `pushes` are those that it still takes, None if it has a reply."""

    name: str
    key: int | None
    pushes: int | None = None


class _RespCodec(Codec):
    is_ready = False

    def __init__(self, limit_bytes: int) -> None:
        self._reader = RespReader(limit_bytes)
        self._new_key = count(1).__next__

    def decode(self, data: Data) -> Iterator[Message]:
        for value, raw in self._reader.feed(data.encode() if isinstance(data, str) else data):
            yield self._read(value, raw)

    def _read(self, value: Any, raw: bytes) -> Message:
        raise NotImplementedError


class _Client(_RespCodec):
    def __init__(self, limit_bytes: int, hello: list[str]) -> None:
        super().__init__(limit_bytes)
        self._hello = hello
        self._asked: deque[_Asked] = deque()

    def opening(self) -> Iterable[Message]:
        return (self.encode("HELLO", self._hello),)

    def encode(self, name: str, body: Any) -> Message:
        return self._command(name, body, None)

    def request(self, name: str, body: Any) -> Message:
        return self._command(name, body, self._new_key())

    def _command(self, name: str, body: Any, key: int | None) -> Message:
        words = [name, *_arguments(name, body)]
        command = Message(name, body, write(words, is_command=True), asks=key)
        pushes = max(len(words) - 1, 1) if name.upper() in _CONFIRMED_BY_PUSHES else None
        self._asked.append(_Asked(name, key, pushes))
        return command

    def _read(self, value: Any, raw: bytes) -> Message:
        if isinstance(value, Push):
            return self._pushed(value, raw)
        if not self._asked:
            raise DialectError(f"a reply to nothing: {shorten(value)}")
        asked = self._asked.popleft()
        if not self.is_ready:
            return self._hear_hello(value, raw)
        is_failure = isinstance(value, Failure)
        kind = "error" if is_failure else "result"
        is_reply = asked.key is not None
        return Message(
            f"{asked.name}.{kind}",
            str(value) if is_failure else value,
            raw,
            reply_to=asked.key,
            is_answer=is_reply,
            is_last=is_reply,
            is_failure=is_failure,
        )

    def _pushed(self, push: Push, raw: bytes) -> Message:
        name = push.words[0] if push.words and isinstance(push.words[0], str) and push.words[0] else "push"
        message = Message(name, push.words[1:], raw)
        asked = self._asked[0] if self._asked else None
        if asked is not None and asked.pushes is not None and name == asked.name.lower():
            asked.pushes -= 1
            message.reply_to, message.is_answer = asked.key, True
            message.is_last = asked.pushes == 0
            if message.is_last:
                self._asked.popleft()
        return message

    def _hear_hello(self, value: Any, raw: bytes) -> Message:
        if isinstance(value, Failure):
            code, _, _ = value.partition(" ")
            hint = {"NOAUTH": "Resp(password=…)", "WRONGPASS": "is it the right password?"}.get(code)
            refusal = Message("HELLO.error", str(value), raw)
            raise OpeningRefused(code, f"the server refused HELLO: {value}", refusal, hint=hint)
        self.is_ready = True
        return Message("HELLO.result", value, raw, is_protocol=True)


class _Server(_RespCodec):
    """Answers in the order of the commands, whenever they are given."""

    def __init__(self, limit_bytes: int, password: str | None) -> None:
        super().__init__(limit_bytes)
        self._password = password
        self._answers: dict[int, bytes | None] = {}
        self._owed: list[Data | Message] = []

    def encode(self, name: str, body: Any) -> Message:
        words = [name, *_arguments(name, body)]
        return Message(name, body, write(Push(words)))

    def answer(self, request: Message, body: Any) -> Message:
        return self._answer(request, f"{request.name}.result", body, write(body))

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        text = f"{refusal.code} {refusal.message}"
        return self._answer(request, f"{request.name}.error", text, write(Failure(text)))

    def _answer(self, request: Message, name: str, body: Any, raw: bytes) -> Message:
        key = request.asks
        assert isinstance(key, int)
        self._answers[key] = raw
        ready = []
        while self._answers and (first := next(iter(self._answers.items())))[1] is not None:
            ready.append(first[1])
            del self._answers[first[0]]
        return Message(name, body, raw, frames=[b"".join(ready)] if ready else ())

    def owed(self) -> Iterable[Data | Message]:
        owed, self._owed = self._owed, []
        return owed

    def _read(self, value: Any, raw: bytes) -> Message:
        if not isinstance(value, list) or not value or not all(isinstance(word, (str, bytes)) for word in value):
            raise DialectError(f"no command: {shorten(value)}", hint="a command is an array of bulk strings")
        name = str(value[0]).upper()
        if name == "HELLO":
            return self._take_hello(value, raw)
        key = self._new_key()
        self._answers[key] = None
        return Message(name, value[1:], raw, asks=key, is_request=True)

    def _take_hello(self, words: list[Any], raw: bytes) -> Message:
        upper = [word.upper() if isinstance(word, str) else word for word in words]
        given = words[upper.index("AUTH") + 2 : upper.index("AUTH") + 3] if "AUTH" in upper else []
        if self._password is not None and given != [self._password]:
            code = "WRONGPASS invalid username-password pair or user is disabled." if given else _NOAUTH
            self._owed.append(Message("HELLO.error", code, write(Failure(code))))
        else:
            self.is_ready = True
            facts = {"server": "antiphon", "version": "7.0.0", "proto": 3, "role": "master", "modules": []}
            self._owed.append(Message("HELLO.result", facts, write(facts)))
        return Message("HELLO", {"protocol": upper[1:2], "password": given}, raw, is_protocol=True)


def _arguments(name: str, body: Any) -> Sequence[Any]:
    if body is None:
        return []
    words = body if isinstance(body, (list, tuple)) else [body]
    for word in words:
        if not isinstance(word, (str, bytes, int, float)) or isinstance(word, bool):
            text = f"{name}: {shorten(word)} is no argument of a command"
            raise DialectError(text, hint=f'arguments are texts, bytes and numbers: ask({name!r}, ["key", 1])')
    return words


_CONFIRMED_BY_PUSHES: Final = frozenset(
    {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"}
)
_NOAUTH: Final = "NOAUTH HELLO must be called with the client already authenticated"
