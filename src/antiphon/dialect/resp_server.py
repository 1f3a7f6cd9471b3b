"""The server's side of RESP 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Final

from antiphon.conversation.message import Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.resp_subscriptions import CONFIRMED_BY_PUSHES, Subscriptions
from antiphon.dialect.resp_values import Failure, Push, RespReader, write
from antiphon.dialect.stream_codec import StreamCodec
from antiphon.errors import DialectError, ErrorReply

__all__ = ["RespServer"]


class RespServer(StreamCodec):
    """Its answers leave in the order of the commands, whenever they are given."""

    def __init__(self, limit_bytes: int, user: str | None, password: str | None, hide: Callable[[str], object]) -> None:
        super().__init__()
        self._reader = RespReader(limit_bytes)
        self._user = user
        self._password = password
        self._hide = hide
        self._new_key = count(1).__next__
        self._answers: dict[int, bytes | None] = {}
        self._subscriptions = Subscriptions()

    # -- what is said -------------------------------------------------------------------------------------------------

    def encode(self, name: str, body: Any) -> Message:
        words = body if isinstance(body, (list, tuple)) else [] if body is None else [body]
        return Message(name, body, write(Push([name, *words])))

    def answer(self, request: Message, body: Any) -> Message:
        command = request.name.lower()
        if command in CONFIRMED_BY_PUSHES:
            body = [push.words for push in self._subscriptions.confirm(command, request.body)]
            raw = b"".join(write(Push(words)) for words in body)
        else:
            raw = write(body)
        return self._in_order(request.asks, Message(f"{request.name}.result", body, raw))

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        text = f"{refusal.code} {refusal.message}"
        return self._in_order(request.asks, Message(f"{request.name}.error", text, write(Failure(text))))

    def _in_order(self, key: Any, answer: Message) -> Message:
        """The answer, with those that have waited for it; with nothing to send if it has to wait itself."""
        assert isinstance(answer.raw, bytes)
        self._answers[key] = answer.raw
        ready = []
        while self._answers:
            first = next(iter(self._answers))
            if (raw := self._answers[first]) is None:
                break
            ready.append(raw)
            del self._answers[first]
        answer.frames = [b"".join(ready)] if ready else ()
        return answer

    # -- what is heard ------------------------------------------------------------------------------------------------

    def read(self, data: bytes) -> Iterator[Message]:
        for value, raw in self._reader.feed(data):
            yield self._read_command(value, raw)

    def _read_command(self, words: Any, raw: bytes) -> Message:
        is_command = isinstance(words, list) and all(isinstance(word, (str, bytes)) for word in words)
        if not is_command or not words or not words[0] or not isinstance(words[0], str):
            raise DialectError(f"no command: {shorten(words)}", hint="a command is an array of bulk strings")
        name, key = words[0].upper(), self._new_key()
        self._answers[key] = None
        if name == "HELLO":
            return self._take_hello(key, words[1:], raw)
        if not self.is_ready:
            self._owe(key, name, Failure(_NOAUTH if self._password is not None else _HELLO_FIRST))
            return Message(name, None, raw, is_protocol=True)
        return Message(name, words[1:], raw, asks=key, is_request=True)

    def _take_hello(self, key: int, words: Sequence[str | bytes], raw: bytes) -> Message:
        version, given = _read_hello(words)
        self._hide(given.get("password", ""))
        if version != "3":
            self._owe(key, "HELLO", Failure("NOPROTO unsupported protocol version"))
        elif self._password is not None and not given and not self.is_ready:
            self._owe(key, "HELLO", Failure(_NOAUTH))
        elif given and not self._knows(given):
            self._owe(key, "HELLO", Failure("WRONGPASS invalid username-password pair or user is disabled."))
        else:
            self.is_ready = True
            facts = {"server": "antiphon", "version": "7.0.0", "proto": 3, "mode": "standalone", "role": "master"}
            self._owe(key, "HELLO", {**facts, "modules": []})
        return Message("HELLO", {"version": version, **given}, raw, is_protocol=True)

    def _knows(self, given: dict[str, str]) -> bool:
        return (self._user or given["user"], self._password or given["password"]) == (given["user"], given["password"])

    def _owe(self, key: int, name: str, value: Any) -> None:
        kind = "error" if isinstance(value, Failure) else "result"
        self.debts.append(self._in_order(key, Message(f"{name}.{kind}", value, write(value))))


def _read_hello(words: Sequence[str | bytes]) -> tuple[str, dict[str, str]]:
    """The version, and what it tells of the user: `version [AUTH user password] [SETNAME name]`."""
    texts = [word if isinstance(word, str) else word.decode(errors="replace") for word in words]
    given: dict[str, str] = {}
    match texts[1:]:
        case [auth, user, password, *_] if auth.upper() == "AUTH":
            given = {"user": user, "password": password}
        case [_, _, auth, user, password, *_] if auth.upper() == "AUTH":
            given = {"user": user, "password": password}
    return "".join(texts[:1]), given


_NOAUTH: Final = "NOAUTH HELLO must be called with the client already authenticated"
_HELLO_FIRST: Final = "ERR HELLO 3 comes first: this server speaks RESP 3"
