"""JSON messages: one frame, one message (RFC 8259)."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from copy import copy
from functools import lru_cache
from itertools import count
from typing import Any, Final

import msgspec

from antiphon.conversation.match import ABSENT, matches
from antiphon.conversation.message import UNNAMED, Data, Message
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec
from antiphon.dialect.json_text import NOT_JSON, NOT_WRITABLE, encode_json, plain, unreadable, unwritable
from antiphon.dialect.meeting import Meeting
from antiphon.errors import DialectError, ErrorReply, ScenarioError

__all__ = ["Json"]


class Json:
    """A JSON object a frame: where its name and body stand, and which messages are replies.

    name: path of the message's name, a string: `"action"`, `"header.type"`. A frame without one is called "unnamed".
    body: path of its body; None when the whole object is the body (the name stays a field of it). A message without
        one has the body `{}`, or all that the frame holds if it has no name either. None is sent as `{}`.
    reply: the name of a request's reply, with `{name}` for the request's own and `{Name}` for it with a capital letter:
        `"result{Name}"`. Without an `id`, replies of one name belong to the requests of that name in their order.
    id: path of the request's id, which its reply repeats: `"id"`, `"data.requestID"`. An id that a request's body holds
        already is kept. Without a `reply`, whatever carries the id of an open request is its reply.
    new_id: makes ids, by default 1, 2, …; what is neither string nor number is sent as a string (`uuid.uuid4`).
    failed: a pattern (see `antiphon.conversation.match`); a reply whose body fits it fails the request at once.
    provisional: a pattern; a reply whose body fits it is followed by others.
    error, error_of: the name of the message by which the peer refuses what it cannot even answer, and the path in its
        body of the refused request's name; it fails the request whose id it carries, else the oldest of that name.
    envelope: fields that every sent message carries beside its name and body.

    A refusal is sent as a reply that fits `failed`, with `code`, `message` and the refusal's further fields in its
    body; where there is no `failed`, as the message `error`. Of a repeated member of an object the last counts.
    """

    def __init__(
        self,
        name: str = "type",
        body: str | None = None,
        *,
        reply: str | None = None,
        id: str | None = None,  # noqa: A002 - the protocols' own word
        new_id: Callable[[], Hashable] | None = None,
        failed: Any = None,
        provisional: Any = None,
        error: str | None = None,
        error_of: str | None = None,
        envelope: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = _path(name)
        self.body = _path(body) if body is not None else ()
        self.id = _path(id) if id is not None else ()
        self.reply = _Template(reply) if reply is not None else None
        self.new_id = new_id
        self.failed = failed
        self.provisional = provisional
        self.error = error
        self.error_of = _path(error_of) if error_of is not None else ()
        self.envelope = dict(envelope or {})
        # Of no connection, so that each codec need not make them again.
        self.failed_field = _text_field(failed)
        self.find_id = _finder(self.id) if self.id else None
        self._model: _EnvelopeCodec | None = None
        self._check()

    def _check(self) -> None:
        if (self.error is None) != (not self.error_of):
            raise ScenarioError("Json takes error= and error_of= together", hint='error="error", error_of="action"')
        for leaf, place in ((self.name, "name"), (self.id, "id")):
            others = [path for path in (self.name, self.body, self.id) if path is not leaf]
            if leaf and any(path[: len(leaf)] == leaf for path in others):
                raise ScenarioError(f"Json: nothing else can stand at or below the {place}, {'.'.join(leaf)!r}")
        if not (self.has_replies or (self.failed is None and self.provisional is None and self.error is None)):
            raise ScenarioError(
                "Json: failed=, provisional= and error= are about replies, but which messages are replies is not said",
                hint='reply="result{Name}" if the name tells, id="id" if the request\'s id does',
            )

    @property
    def _is_envelope(self) -> bool:
        """Whether name and body are a field each, the name alone tells what is a reply, and a text in a field of the
        body what is a failure, as in most protocols."""
        has_more = bool(self.id or self.error or self.envelope) or self.provisional is not None
        is_told_by_field = self.failed is None or self.failed_field is not None
        return self.reply is not None and len(self.name) == len(self.body) == 1 and is_told_by_field and not has_more

    @property
    def has_replies(self) -> bool:
        return self.reply is not None or bool(self.id)

    def codec(self, _meeting: Meeting, /) -> Codec:
        if self._model is None:
            if not self._is_envelope:
                return _JsonCodec(self)
            # Of a copy, for the codec leads to its dialect: this one would lead round in a circle.
            self._model = _EnvelopeCodec(copy(self))
        codec = _EnvelopeCodec.__new__(_EnvelopeCodec)
        vars(codec).update(vars(self._model))  # it remembers nothing, so that nothing is made anew for each connection
        return codec


class _JsonCodec(Codec):
    gives_messages = True

    def __init__(self, dialect: Json) -> None:
        self._dialect = dialect
        self._decode = msgspec.json.Decoder().decode
        # What the dialect's options mean is decided here, once: decode and encode run for every message.
        self._name_key = dialect.name[0] if len(dialect.name) == 1 else None
        self._body_key = dialect.body[0] if len(dialect.body) == 1 else None
        self._reply = dialect.reply
        self._failed = dialect.failed
        self._provisional = dialect.provisional
        self._find_id = dialect.find_id
        self._has_replies = dialect.has_replies
        depth = len(dialect.body)
        self._id_in_body = dialect.id[depth:] if dialect.id[:depth] == dialect.body else ()
        self._is_name_in_body = dialect.name[:depth] == dialect.body
        self._is_flat = self._name_key is not None and depth <= 1 and len(dialect.id) <= 1 and not dialect.envelope
        self._new_id = dialect.new_id if dialect.new_id is not None else count(1).__next__
        self._is_reply = dialect.reply.fits if dialect.reply is not None else bool
        self._reply_to = dialect.reply.render if dialect.reply is not None else str
        self._asked: dict[Hashable, str] = {}

    # -- reading ------------------------------------------------------------------------------------------------------

    def decode(self, data: Data) -> Sequence[Message]:
        read = self._decode  # not called as methods, which these are not: that takes the interpreter longer
        try:
            document = read(data)
        except NOT_JSON as error:
            raise unreadable(data, error) from error
        # __class__ instead of isinstance throughout: msgspec gives no subclasses, and a bool is no number here.
        if document.__class__ is not dict:
            return (Message(UNNAMED, document, data),)
        name = document.get(self._name_key) if self._name_key is not None else _dig(document, self._dialect.name)
        if name.__class__ is not str or not name:
            name = UNNAMED
        key = self._body_key
        body = document.get(key, ABSENT) if key is not None else _dig(document, self._dialect.body)
        if body is ABSENT:
            body = document if name is UNNAMED else {}
        return (self._correlated(name, body, data, document) if self._has_replies else Message(name, body, data),)

    def _correlated(self, name: str, body: Any, data: Data, document: dict[str, Any]) -> Message:
        key = self._find_id(document) if self._find_id is not None else None
        if key.__class__ not in _KEYS:
            key = None  # an object cannot be looked up, and true would be found as 1
        if name == self._dialect.error:
            key = self._refused_key(key, body)
            is_known = key is not None
            return Message(name, body, data, None, key, None, is_known, is_known, is_known)
        reply_to = key
        if self._reply is not None:
            if not self._is_reply(name):
                return Message(name, body, data, None, None, key)
            if self._find_id is None:
                reply_to = name
        if reply_to is None:
            return Message(name, body, data)
        if self._provisional is not None and matches(self._provisional, body):
            return Message(name, body, data, None, reply_to, key)
        if self._asked:  # kept only where errors have to find the request by its name
            self._asked.pop(reply_to, None)
        is_failure = self._failed is not None and matches(self._failed, body)
        return Message(name, body, data, None, reply_to, key, True, True, is_failure)

    def _refused_key(self, key: Hashable, body: Any) -> Hashable:
        dialect = self._dialect
        if key is None:
            name = _dig(body, dialect.error_of)
            if not isinstance(name, str):
                return None
            if not dialect.id:
                return dialect.reply.render(name) if dialect.reply is not None else None
            key = next((asked for asked, asked_name in self._asked.items() if asked_name == name), None)
        self._asked.pop(key, None)
        return key

    # -- writing ------------------------------------------------------------------------------------------------------

    def encode(self, name: str, body: Any, key: Hashable = None) -> Message:
        """A message, with `key` as its id."""
        if body is None:
            body = {}
        try:
            if not self._is_flat or (key is not None and self._id_in_body):
                document = self._document(name, body, key)
            elif self._body_key is not None:
                document = {self._name_key: name, self._body_key: body}
                if key is not None:
                    document[self._dialect.id[0]] = key
            else:
                # Named first for whoever reads the frame, and again: a body may have such a field of its own.
                document = {self._name_key: name, **(body if body.__class__ is dict else _fields(body))}
                document[self._name_key] = name
            return Message(name, body, encode_json(document))
        except NOT_WRITABLE as error:
            raise unwritable(name, body, error) from error

    def request(self, name: str, body: Any) -> Message:
        dialect = self._dialect
        if dialect.id:
            key = self._given_id(body)
            if key is None:
                key = self._new_id()
                if key.__class__ not in _KEYS:
                    key = str(key)  # a UUID is written as text, and its reply carries that text
            request = self.encode(name, body, key)
            request.asks = key
            if dialect.error is not None:
                self._remember(key, name)
            return request
        if self._reply is None:
            return super().request(name, body)
        reply_to = self._reply_to
        request = self.encode(name, body)
        request.asks = reply_to(name)
        return request

    def _given_id(self, body: Any) -> Hashable:
        """The id that a request's body holds already, None if it holds none."""
        if not self._id_in_body:
            return None
        key = _dig(body if body.__class__ is dict or not isinstance(body, Mapping) else dict(body), self._id_in_body)
        return key if key.__class__ in _KEYS else None

    def _remember(self, key: Hashable, name: str) -> None:
        """Note what was asked, for an `error` that names the request without its id."""
        self._asked[key] = name
        if len(self._asked) > _MOST_ASKED:  # a peer that never answers must not fill the memory
            del self._asked[next(iter(self._asked))]

    def answer(self, request: Message, body: Any) -> Message:
        dialect = self._dialect
        if not self._has_replies:
            return super().answer(request, body)
        name = dialect.reply.render(request.name) if dialect.reply is not None else request.name
        return self.encode(name, body, request.asks if dialect.id else None)

    def answer_interim(self, request: Message, body: Any) -> Message:
        if self._provisional is None:
            raise DialectError(
                f"{request.name} has one answer: nothing would tell the peer that others follow",
                hint="Json(provisional=…) is the pattern of an answer that is not the last, {'code': range(100, 200)}",
            )
        answer = self.answer(request, body)
        # The body itself says whether others follow: here, too, it is what the peer will read.
        answer.is_last = not matches(self._provisional, answer.body)
        return answer

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        dialect = self._dialect
        if not self._has_replies:
            return super().refuse(request, refusal)
        told = {"code": refusal.code, "message": refusal.message, **refusal.fields}
        if dialect.failed is None and dialect.error is not None:
            _plant(told, dialect.error_of, request.name)
            return self.encode(dialect.error, told, request.asks if dialect.id else None)
        body = _fill(dialect.failed, told, refusal)
        # Said here, to the author: on the peer's side it would pass for a success.
        if dialect.failed is None or not matches(dialect.failed, body):
            raise DialectError(
                f"the refusal of {request.name} would not be one: {shorten(body)} does not fit this dialect's failed=",
                hint='give the refusal the fields that make it one: ErrorReply(404, "not found", result="error")',
            )
        return self.answer(request, body)

    def _document(self, name: str, body: Any, key: Hashable) -> dict[Any, Any]:
        dialect = self._dialect
        # The name first, where people look for it, and again below where the body is put over it.
        document: dict[Any, Any] = {**dialect.envelope}
        _plant(document, dialect.name, name)
        if key is not None and self._id_in_body:
            body = _fields(body)
            _plant(body, self._id_in_body, key)
        if dialect.body:
            _plant(document, dialect.body, body)
        else:
            document.update(_fields(body))
        if self._is_name_in_body:
            _plant(document, dialect.name, name)
        if key is not None and not self._id_in_body:
            _plant(document, dialect.id, key)
        return document


class _EnvelopeCodec(_JsonCodec):
    """The same for what `_is_envelope`, all in one pass."""

    def __init__(self, dialect: Json) -> None:
        super().__init__(dialect)
        # Functions of their own: to look up what an option means, in the codec, costs as much as to do it.
        self.decode = _envelope_reader(_JsonCodec(dialect))  # type: ignore[assignment,method-assign]
        self.request = _envelope_requester(self)  # type: ignore[assignment,method-assign]


def _envelope_reader(codec: _JsonCodec) -> Callable[[Data], Sequence[Message]]:
    """What decodes in the place of that codec."""
    read, is_reply, name_key, body_key = codec._decode, codec._is_reply, codec._name_key, codec._body_key
    failed_key, failed_text = codec._dialect.failed_field or (None, object())

    def decode(data: Data) -> Sequence[Message]:
        try:
            document = read(data)
            name, body = document[name_key], document[body_key]
            if is_reply(name):
                return (Message(name, body, data, None, name, None, True, True, body.get(failed_key) == failed_text),)
        except Exception:  # no JSON, no object, no name, no body: seldom, and told as elsewhere
            return codec.decode(data)
        return (Message(name, body, data),) if name else codec.decode(data)

    return decode


def _envelope_requester(codec: _JsonCodec) -> Callable[[str, Any], Message]:
    """What makes requests in the place of that codec."""
    reply_to, name_key, body_key = codec._reply_to, codec._name_key, codec._body_key

    def request(name: str, body: Any) -> Message:
        if body is None:
            body = {}
        try:
            return Message(name, body, encode_json({name_key: name, body_key: body}), None, None, reply_to(name))
        except NOT_WRITABLE as error:
            raise unwritable(name, body, error) from error

    return request


class _Template:
    """`result{Name}`: renders a request's name into its reply's, and knows a reply by its name.

    `render` gives the reply's name, `fits` tells whether a message of this name can be a reply. Both are asked for
    every message, and all connections share what they remember.
    """

    def __init__(self, text: str) -> None:
        found = re.fullmatch(r"([^{}]*)\{([nN])ame\}([^{}]*)", text)
        if found is None:
            raise ScenarioError(
                f"reply={text!r} is no template of a reply's name",
                hint='write {name} or {Name} once, as "result{Name}"',
            )
        self._prefix, letter, self._suffix = found.groups()
        self._has_capital = letter == "N"
        # A protocol has some dozen names; the limits are for peers that invent names.
        self.render: Callable[[str], str] = lru_cache(_MOST_NAMES)(self._render)
        self.fits: Callable[[str], bool] = lru_cache(_MOST_NAMES)(self._fits)

    def _render(self, name: str) -> str:
        if self._has_capital:
            name = name[:1].upper() + name[1:]
        return self._prefix + name + self._suffix

    def _fits(self, name: str) -> bool:
        if not name.startswith(self._prefix) or not name.endswith(self._suffix):
            return False
        stem = name[len(self._prefix) : len(name) - len(self._suffix)]
        return bool(stem) and not (self._has_capital and stem[0].islower())


def _text_field(pattern: Any) -> tuple[Any, str] | None:
    """The one field of a pattern, and the text that it wants there: `{"result": "error"}` is most; None for others."""
    if pattern.__class__ is dict and len(pattern) == 1:
        ((field, wanted),) = pattern.items()
        if wanted.__class__ is str:
            return field, wanted
    return None


def _path(text: str) -> tuple[str, ...]:
    keys = tuple(text.split("."))
    if not all(keys):
        raise ScenarioError(f"{text!r} is no path of a field", hint='"action", or "header.type" for a nested one')
    return keys


def _finder(path: tuple[str, ...]) -> Callable[[dict[str, Any]], Any]:
    """A function that finds what stands at `path`, ABSENT or None if there is nothing."""
    if len(path) == 1:
        (only,) = path
        return lambda document: document.get(only)
    if len(path) == 2:
        first, second = path

        def find(document: dict[str, Any]) -> Any:
            inner = document.get(first)
            return inner.get(second) if inner.__class__ is dict else None

        return find
    return lambda document: _dig(document, path)


def _dig(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if document.__class__ is not dict or key not in document:
            return ABSENT
        document = document[key]
    return document


def _plant(document: dict[Any, Any], path: tuple[str, ...], value: Any) -> None:
    """Set what stands at `path`; objects on the way are copied, for they are the caller's."""
    for key in path[:-1]:
        inner = document.get(key)
        document[key] = document = {} if inner is None else _fields(inner)
    document[path[-1]] = value


def _fields(body: Any) -> dict[Any, Any]:
    """A copy of a body's fields; TypeError if it has none, as a list."""
    if body.__class__ is dict or isinstance(body, Mapping):
        return {**body}
    fields = plain(body)
    if not isinstance(fields, dict):
        raise TypeError(f"the dialect puts fields beside its own, so it must be an object, not {shorten(body)}")
    return fields


def _fill(pattern: Any, told: dict[str, Any], refusal: ErrorReply) -> dict[str, Any]:
    """A body that says `told` and, in what that leaves open, fits `pattern` as far as a pattern tells what to say."""
    if not isinstance(pattern, Mapping):
        return told
    filled = dict(told)
    for key, wanted in pattern.items():
        given = filled.get(key, {}) if isinstance(wanted, Mapping) else ABSENT
        if isinstance(given, Mapping):
            filled[key] = _fill(wanted, dict(given), refusal)
        elif key not in filled:
            members = sorted(wanted, key=repr) if isinstance(wanted, Set) else ()
            guesses = (wanted, *members, refusal.message, refusal.code)
            fitting = [guess for guess in guesses if guess.__class__ in _SCALARS and matches(wanted, guess)]
            filled.update(zip((key,), fitting, strict=False))
    return filled


_KEYS: Final = frozenset({str, int, float})
"""JSON objects, arrays, booleans and null are no ids."""
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_MOST_NAMES: Final = 1_024
_MOST_ASKED: Final = 10_000
