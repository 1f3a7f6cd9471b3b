"""JSON-RPC 2.0, as client and as server at once (https://www.jsonrpc.org/specification)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import count
from typing import Any, Final

import msgspec

from antiphon.conversation.match import ABSENT
from antiphon.conversation.message import UNNAMED, UNREADABLE, Data, Message, Unreadable
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.json_text import JSON, NOT_JSON, NOT_WRITABLE, encode_json, plain
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply

__all__ = ["JsonRpc", "JsonRpcCodec"]


class JsonRpc:
    """JSON-RPC 2.0: `ask` sends a request, `send` a notification; what a handler returns answers the peer's request.

    A body is the params: a mapping by name, a list by position (section 4.2), None for none; `{}` is sent as `{}`. Ids
    are 1, 2, … on each connection; a reply belongs to a request if its id is the same and of the same kind, 1 or "1".

    Requests and notifications come under their method's name with their params as body, None if there are none.
    Replies come under their request's name, `initialize.result` with the result as body or `initialize.error` with the
    error object, which fails the request; `result` and `error` are replies to nothing that was asked here. `error` is
    also what a peer says that could not even read an id (section 5: id null).

    A batch (section 6) comes as its members, each a message of its own; a member that is no JSON-RPC comes as an
    "unreadable" message. The answers to a batch go out together when the last of them is there.

    version: what the member "jsonrpc" says; None to send none and to ask for none, as in JSON-RPC 1.0, where a call
        with the id null is one that wants no answer.
    is_strict: False forgives what section 4 and 5 forbid: another "jsonrpc" or none, params that are neither object nor
        array, `"error": null` beside a result, a reply without an id.
    is_server: answer what cannot be read with the error that section 5.1 asks of a server, -32700 or -32600 with id
        null. Otherwise that is left to whoever performs the peer.
    """

    def __init__(self, version: str | None = "2.0", *, is_strict: bool = True, is_server: bool = False) -> None:
        self.version = version
        self.is_strict = is_strict
        self.is_server = is_server

    def codec(self, _meeting: Meeting, /) -> Codec:
        return JsonRpcCodec(self)


class _Batch:
    """The answers that a received batch waits for: one for each request in it, in the order of the requests."""

    def __init__(self) -> None:
        self.answers: list[str | None] = []
        self.errors: list[str] = []
        self._missing = 0

    def add_request(self) -> int:
        """One more request; gives its place."""
        self.answers.append(None)
        self._missing += 1
        return len(self.answers) - 1

    def take(self, place: int, answer: str) -> None:
        """The answer to the request at that place, which has none yet."""
        self.answers[place] = answer
        self._missing -= 1

    @property
    def is_complete(self) -> bool:
        # Counted: to look at all answers after each would cost the square of a batch's length.
        return not self._missing and bool(self.answers or self.errors)

    def text(self) -> str:
        return _array([answer for answer in self.answers if answer is not None] + self.errors)


class _BatchRequest(Message):
    """A request that came in a batch, at `place` among its requests."""

    batch: _Batch | None = None
    place: int = 0


class JsonRpcCodec(Codec):
    """One connection's side of JSON-RPC."""

    gives_messages = True

    def __init__(self, dialect: JsonRpc) -> None:
        self._dialect = dialect
        self._head = {"jsonrpc": dialect.version} if dialect.version is not None else {}
        self._decode = msgspec.json.Decoder().decode
        self._split = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._new_id = count(1).__next__
        self._asked: dict[Hashable, str] = {}
        self._owed: list[Data | Message] = []

    # -- reading ------------------------------------------------------------------------------------------------------

    def decode(self, data: Data) -> Sequence[Message]:
        try:
            document = self._decode(data)
            if document.__class__ is list and document:  # an empty array is one invalid request (section 6)
                return self._read_batch(document, data)
        except NOT_JSON as error:
            self._owe(_PARSE_ERROR)  # the id is null, for nobody knows what it was (section 5)
            raise JSON.unreadable(data, error) from error
        try:
            return (self._read(document, data),)
        except DialectError:
            self._owe(_INVALID_REQUEST)
            raise

    def _read_batch(self, documents: list[Any], data: Data) -> list[Message]:
        """Each member with its own text, exactly as it came."""
        # Read twice: a second reading finds each member's own text, with its spaces and the order of its fields.
        batch, messages = _Batch(), []
        for document, raw in zip(documents, self._split(data), strict=True):
            text: Data = bytes(raw).decode() if isinstance(data, str) else bytes(raw)
            try:
                message = self._read(document, text)
            except DialectError as error:
                message = Unreadable(UNREADABLE, text, text, trouble=error)
                if self._dialect.is_server:
                    batch.errors.append(self._error_text(None, _INVALID_REQUEST))
            if message.is_request:
                message = _BatchRequest(
                    message.name,
                    message.body,
                    text,
                    asks=message.asks,
                    is_request=True,
                    batch=batch,
                    place=batch.add_request(),
                )
            messages.append(message)
        if batch.is_complete:  # nothing but errors: no handler will answer, so that nobody would send them
            self._owed.append(batch.text())
        return messages

    def _read(self, document: Any, raw: Data) -> Message:
        if document.__class__ is not dict:
            told = "an empty batch (section 6 asks for at least one member)" if document == [] else shorten(document)
            raise DialectError(f"no JSON-RPC message: {told}", hint="a message is an object (section 4, 5)")
        self._check_version(document)
        key = document.get("id", ABSENT)
        if key is not ABSENT and key is not None and key.__class__ not in _KEYS:
            raise _invalid("an id is a string, a number or null (section 4)", document)
        if "method" in document:
            return self._read_call(document, key, raw)
        return self._read_reply(document, key, raw)

    def _check_version(self, document: dict[str, Any]) -> None:
        dialect = self._dialect
        if not dialect.is_strict or dialect.version is None or document.get("jsonrpc") == dialect.version:
            return
        found = f'"jsonrpc" is {shorten(document["jsonrpc"])}' if "jsonrpc" in document else 'there is no "jsonrpc"'
        raise DialectError(
            f'no JSON-RPC message: {found} where "{dialect.version}" must be (section 4, 5)',
            hint="JsonRpc(is_strict=False) takes it all the same; JsonRpc(version=None) neither wants nor sends it",
        )

    def _read_call(self, document: dict[str, Any], key: Any, raw: Data) -> Message:
        method, params = document["method"], document.get("params")
        if not isinstance(method, str):
            raise _invalid("a method's name is a string (section 4)", document)
        if self._dialect.is_strict and params is not None and params.__class__ not in (dict, list):
            raise _invalid("params are an object or an array (section 4.2)", document)
        # "id": null is a request whose answer has the id null (section 4); in 1.0 it is what makes a notification.
        is_request = key is not ABSENT and not (key is None and self._dialect.version is None)
        return Message(method or UNNAMED, params, raw, asks=key if is_request else None, is_request=is_request)

    def _read_reply(self, document: dict[str, Any], key: Any, raw: Data) -> Message:
        error, result = document.get("error", ABSENT), document.get("result", ABSENT)
        if not self._dialect.is_strict or self._dialect.version is None:
            # JSON-RPC 1.0 has both members always, one of them null.
            error = ABSENT if error is None and result is not ABSENT else error
            result = ABSENT if error is not ABSENT else result
            key = None if key is ABSENT else key
        if (error is ABSENT) is (result is ABSENT):
            told = "neither method, result nor error" if error is ABSENT else "result and error at once"
            raise _invalid(f"it has {told} (section 4, 5)", document)
        if key is ABSENT:
            raise _invalid("a reply without an id (section 5)", document)
        is_failure = error is not ABSENT
        asked = self._asked.pop(key, None)  # 1 finds 1.0 as well, as it should: JSON has one kind of number
        kind = "error" if is_failure else "result"
        is_reply = key is not None
        return Message(
            kind if asked is None else f"{asked}.{kind}",
            error if is_failure else result,
            raw,
            reply_to=key,
            is_answer=is_reply,
            is_last=is_reply,
            is_failure=is_failure,
        )

    # -- writing ------------------------------------------------------------------------------------------------------

    def encode(self, name: str, body: Any) -> Message:
        return Message(name, body, self._call_text(name, body, {}))

    def request(self, name: str, body: Any) -> Message:
        key = self._new_id()
        request = Message(name, body, self._call_text(name, body, {"id": key}), asks=key)
        self._asked[key] = name
        if len(self._asked) > _MOST_ASKED:  # a peer that never answers must not fill the memory
            del self._asked[next(iter(self._asked))]
        return request

    def answer(self, request: Message, body: Any) -> Message:
        return self._reply(request, f"{request.name}.result", body, {"result": body})

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        if refusal.code.__class__ is not int:
            raise DialectError(
                f"{request.name} cannot be refused with the code {refusal.code!r}: JSON-RPC has integers (section 5.1)",
                hint='ErrorReply(-32602, "invalid params"), or a code of your own outside -32768 to -32000',
            )
        error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
        if refusal.fields:
            error["data"] = refusal.fields
        return self._reply(request, f"{request.name}.error", error, {"error": error})

    def bundle(self, messages: Sequence[Message]) -> Sequence[Data]:
        """One array (section 6); answers that wait for the rest of a received batch are in none of our own."""
        # Frames are what an answer to a batch of the peer's has; it must not go out in another array.
        members = [str(message.raw) for message in messages if message.frames is None]
        rest = [data for message in messages for data in message.frames or ()]
        return [_array(members), *rest] if members else rest

    def owed(self) -> Sequence[Data | Message]:
        owed, self._owed = self._owed, []
        return owed

    def _owe(self, error: dict[str, Any]) -> None:
        if self._dialect.is_server:
            self._owed.append(self._error_text(None, error))

    def _call_text(self, name: str, body: Any, ending: dict[str, Any]) -> str:
        try:
            params = {} if body is None else {"params": _params(body)}
            return encode_json({**self._head, "method": name, **params, **ending})
        except NOT_WRITABLE as error:
            raise JSON.unwritable(name, body, error) from error

    def _reply(self, request: Message, name: str, body: Any, member: dict[str, Any]) -> Message:
        if not request.is_request:
            raise DialectError(
                f"{request.name} was no request: a notification has no answer (section 4.1)",
                hint="return None from its handler",
            )
        try:
            text = encode_json({**self._head, **member, "id": request.asks})
        except NOT_WRITABLE as error:
            raise JSON.unwritable(name, body, error) from error
        answer = Message(name, body, text)
        if isinstance(request, _BatchRequest) and request.batch is not None:
            answer.frames = self._join(request.batch, request, text)
        return answer

    def _join(self, batch: _Batch, request: _BatchRequest, text: str) -> Sequence[Data]:
        """The frames of an answer to a batch: none as long as others are missing."""
        if batch.answers[request.place] is not None:
            raise DialectError(f"{request.name} has been answered already")
        batch.take(request.place, text)
        return (batch.text(),) if batch.is_complete else ()

    def _error_text(self, key: Hashable, error: dict[str, Any]) -> str:
        return encode_json({**self._head, "error": error, "id": key})


def _params(body: Any) -> Any:
    """The body as params; TypeError if it is neither object nor array."""
    params = body if isinstance(body, (Mapping, list, tuple)) else plain(body)
    if not isinstance(params, (Mapping, list, tuple)):
        raise TypeError("params are an object or an array (section 4.2)")
    return params


def _array(members: Sequence[str]) -> str:
    return f"[{','.join(members)}]"


def _invalid(reason: str, document: Any) -> DialectError:
    return DialectError(f"no JSON-RPC message: {reason}; it is {shorten(document)}")


_KEYS: Final = frozenset({str, int, float})
_MOST_ASKED: Final = 10_000
_PARSE_ERROR: Final = {"code": -32700, "message": "Parse error"}
_INVALID_REQUEST: Final = {"code": -32600, "message": "Invalid Request"}
