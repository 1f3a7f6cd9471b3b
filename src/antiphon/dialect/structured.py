"""Messages that are objects or arrays, whatever notation they are written in: where name, body and id stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from itertools import count, pairwise
from typing import Any, ClassVar, Final

from antiphon.conversation.match import ABSENT, matches
from antiphon.conversation.message import UNNAMED, Data, Message
from antiphon.conversation.typed import literal_of
from antiphon.conversation.wording import shorten
from antiphon.dialect.codec import Codec, camel_name
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.notation import KEYS, Notation
from antiphon.errors import DialectError, ErrorReply, ScenarioError

__all__ = ["Path", "Structured", "StructuredCodec"]

Path = tuple[str | int, ...]
"""Where something stands: fields of objects by name, items of arrays by number."""


class Structured:
    """A dialect whose frames are objects or arrays in some notation, by rules that say where name, body and id stand.

    The rules are those of `Json`, which is this in JSON; a subclass says its `notation`. A place is a path:
    `"header.type"` a field of an object in an object, `"[3]"` the fourth item of an array, `"items[0].name"` both.
    """

    notation: ClassVar[Notation]

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
        self.kind = list if isinstance(self.name[0], int) else dict
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
        self.find_id = _finder(self.id) if self.id else None
        self._check()

    def _check(self) -> None:
        ours = type(self).__name__
        for path in (self.name, self.body, self.id):
            if path and isinstance(path[0], int) != (self.kind is list):
                raise ScenarioError(f"{ours}: name, body and id stand in one object, or in one array")
        if self.kind is list and not self.body:
            raise ScenarioError(f"{ours}: where the name is an item of an array, so is the body", hint='body="[1]"')
        if odd := [item for item in self.envelope if self.kind is list and not _ITEM.fullmatch(str(item))]:
            raise ScenarioError(f"{ours}: the envelope of an array has items, not {odd[0]!r}", hint='{"[0]": 2}')
        if (self.error is None) != (not self.error_of):
            raise ScenarioError(f"{ours} takes error= and error_of= together", hint='error="error", error_of="action"')
        for leaf, place in ((self.name, "name"), (self.id, "id")):
            others = [path for path in (self.name, self.body, self.id) if path is not leaf]
            if leaf and any(path[: len(leaf)] == leaf for path in others):
                raise ScenarioError(f"{ours}: nothing else can stand at or below the {place}, {_told(leaf)!r}")
        if not (self.has_replies or (self.failed is None and self.provisional is None and self.error is None)):
            raise ScenarioError(
                f"{ours}: failed=, provisional= and error= are about replies, but which messages are replies is not "
                "said",
                hint='reply="result{Name}" if the name tells, id="id" if the request\'s id does',
            )

    def blank(self) -> Any:
        """What every message begins with."""
        if self.kind is dict:
            return {**self.envelope}
        document: list[Any] = []
        for place, value in self.envelope.items():
            (item,) = _path(place)
            put(document, item, value)
        return document

    @property
    def has_replies(self) -> bool:
        return self.reply is not None or bool(self.id)

    def name_of(self, kind: Any) -> str:
        """What the type says of the field in which the name stands, `type: Literal["ping"]`; or as most have it."""
        field = self.name[-1] if self.name[:-1] == self.body else ""
        return (literal_of(kind, field) if isinstance(field, str) else "") or camel_name(kind)

    def codec(self, _meeting: Meeting, /) -> Codec:
        return StructuredCodec(self)


class StructuredCodec(Codec):
    """One connection's side of a `Structured` dialect."""

    gives_messages = True

    def __init__(self, dialect: Structured) -> None:
        self._dialect = dialect
        notation = self._notation = dialect.notation
        self._decode = notation.read
        self._encode = notation.write
        self._kind: Any = dialect.kind
        # What the dialect's options mean is decided here, once: decode and encode run for every message.
        self._name_key = _sole_field(dialect.name)
        self._body_key = _sole_field(dialect.body)
        self._reply = dialect.reply
        self._failed = dialect.failed
        self._provisional = dialect.provisional
        self._find_id = dialect.find_id
        self._has_replies = dialect.has_replies
        depth = len(dialect.body)
        self._id_in_body = dialect.id[depth:] if dialect.id[:depth] == dialect.body else ()
        self._is_name_in_body = dialect.name[:depth] == dialect.body
        is_flat = self._name_key is not None and (not depth or self._body_key is not None)
        self._is_flat = is_flat and (not dialect.id or _sole_field(dialect.id) is not None) and not dialect.envelope
        self._new_id = dialect.new_id if dialect.new_id is not None else count(1).__next__
        self._is_reply = dialect.reply.fits if dialect.reply is not None else bool
        self._reply_to = dialect.reply.render if dialect.reply is not None else str
        self._asked: dict[Hashable, str] = {}

    # -- reading ------------------------------------------------------------------------------------------------------

    def decode(self, data: Data) -> Sequence[Message]:
        read = self._decode  # not called as methods, which these are not: that takes the interpreter longer
        try:
            document = read(data)
        except self._notation.not_readable as error:
            raise self._notation.unreadable(data, error) from error
        # __class__ instead of isinstance throughout: msgspec gives no subclasses, and a bool is no number here.
        if document.__class__ is not self._kind:
            return (Message(UNNAMED, document, data),)
        name = document.get(self._name_key) if self._name_key is not None else _dig(document, self._dialect.name)
        if name.__class__ is not str or not name:
            name = UNNAMED
        key = self._body_key
        body = document.get(key, ABSENT) if key is not None else _dig(document, self._dialect.body)
        if body is ABSENT:
            body = document if name is UNNAMED else {}
        return (self._correlated(name, body, data, document) if self._has_replies else Message(name, body, data),)

    def _correlated(self, name: str, body: Any, data: Data, document: Any) -> Message:
        key = self._find_id(document) if self._find_id is not None else None
        if key.__class__ not in KEYS:
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
                document = {self._name_key: name, **(body if body.__class__ is dict else self._fields(body))}
                document[self._name_key] = name
            return Message(name, body, self._encode(document))
        except self._notation.not_writable as error:
            raise self._notation.unwritable(name, body, error) from error

    def request(self, name: str, body: Any) -> Message:
        dialect = self._dialect
        if dialect.id:
            key = self._given_id(body)
            if key is None:
                key = self._new_id()
            if key.__class__ not in self._notation.keys:
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
        return key if key.__class__ in KEYS else None

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
                f"{request.name} has one answer: nothing would tell the other side that others follow",
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
            self._plant(told, dialect.error_of, request.name)
            return self.encode(dialect.error, told, request.asks if dialect.id else None)
        body = _fill(dialect.failed, told, refusal)
        # Said here, to the author: on the peer's side it would pass for a success.
        if dialect.failed is None or not matches(dialect.failed, body):
            raise DialectError(
                f"the refusal of {request.name} would not be one: {shorten(body)} does not fit this dialect's failed=",
                hint='give the refusal the fields that make it one: ErrorReply(404, "not found", result="error")',
            )
        return self.answer(request, body)

    def _document(self, name: str, body: Any, key: Hashable) -> Any:
        dialect = self._dialect
        # The name first, where people look for it, and again below where the body is put over it.
        document: Any = dialect.blank()
        self._plant(document, dialect.name, name)
        if key is not None and self._id_in_body:
            body = self._copy(body, self._id_in_body[0])
            self._plant(body, self._id_in_body, key)
        if dialect.body:
            self._plant(document, dialect.body, body)
        else:
            document.update(self._fields(body))
        if self._is_name_in_body:
            self._plant(document, dialect.name, name)
        if key is not None and not self._id_in_body:
            self._plant(document, dialect.id, key)
        return document

    def _plant(self, document: Any, path: Path, value: Any) -> None:
        """Set what stands at `path`; objects and arrays on the way are copied, for they are the caller's."""
        for key, following in pairwise(path):
            inner = _dig(document, (key,))
            if inner is ABSENT or inner is None:
                inner = [] if isinstance(following, int) else {}
            else:
                inner = self._copy(inner, following)
            put(document, key, inner)
            document = inner
        put(document, path[-1], value)

    def _copy(self, value: Any, key: str | int) -> Any:
        """A copy of what `key` is a part of."""
        if not isinstance(key, int):
            return self._fields(value)
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"the dialect puts an item there, so it must be an array, not {shorten(value)}")
        return [*value]

    def _fields(self, body: Any) -> dict[Any, Any]:
        """A copy of a body's fields; TypeError if it has none, as a list."""
        if body.__class__ is dict or isinstance(body, Mapping):
            return {**body}
        fields = self._notation.plain(body)
        if not isinstance(fields, dict):
            raise TypeError(f"the dialect puts fields beside its own, so it must be an object, not {shorten(body)}")
        return fields


class _Remembered(dict[str, Any]):
    """What a function makes of names, made once for each.

    Asked by its `__getitem__`, a function in C, which takes a fifth of what an `lru_cache` does.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make = make

    def __missing__(self, name: str) -> Any:
        if len(self) >= _MOST_NAMES:  # a protocol has some dozen; the limit is for peers that invent names
            self.clear()
        made = self[name] = self._make(name)
        return made


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
        self.render: Callable[[str], str] = _Remembered(self._render).__getitem__
        self.fits: Callable[[str], bool] = _Remembered(self._fits).__getitem__

    def _render(self, name: str) -> str:
        if self._has_capital:
            name = name[:1].upper() + name[1:]
        return self._prefix + name + self._suffix

    def _fits(self, name: str) -> bool:
        if not name.startswith(self._prefix) or not name.endswith(self._suffix):
            return False
        stem = name[len(self._prefix) : len(name) - len(self._suffix)]
        return bool(stem) and not (self._has_capital and stem[0].islower())


def _path(text: str) -> Path:
    """`"a.b[0]"` as ("a", "b", 0)."""
    if not _PATH.fullmatch(text):
        raise ScenarioError(
            f"{text!r} is no path of a field", hint='"action", "header.type" for a nested one, "[3]" for an item'
        )
    return tuple(int(item[1:-1]) if item[0] == "[" else item for item in _STEPS.findall(text))


def _told(path: Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _sole_field(path: Path) -> str | None:
    """The field that the path is, None if it is more, or an item of an array."""
    return path[0] if len(path) == 1 and isinstance(path[0], str) else None


def _finder(path: Path) -> Callable[[Any], Any]:
    """A function that finds what stands at `path`, ABSENT or None if there is nothing."""
    if (only := _sole_field(path)) is not None:
        return lambda document: document.get(only)
    if len(path) == 2 and not any(isinstance(key, int) for key in path):
        first, second = path

        def find(document: dict[Any, Any]) -> Any:
            inner = document.get(first)
            return inner.get(second) if inner.__class__ is dict else None

        return find
    return lambda document: _dig(document, path)


def _dig(document: Any, path: Path) -> Any:
    for key in path:
        if isinstance(key, int):
            if document.__class__ is not list or key >= len(document):
                return ABSENT
        elif document.__class__ is not dict or key not in document:
            return ABSENT
        document = document[key]
    return document


def put(document: Any, key: str | int, value: Any) -> None:
    """Set a field of an object, or an item of an array, which grows to that."""
    if isinstance(key, int):
        document.extend([None] * (key + 1 - len(document)))
    document[key] = value


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


_FIELD: Final = r"(?:@?\{[^{}]*\})?[^.\[\]]+"
"""Also one with a namespace, which may have dots and brackets: `{http://example.com}item` of XML."""
_PATH: Final = re.compile(rf"(?:{_FIELD}|\[\d{{1,4}}\])(?:\.{_FIELD}|\[\d{{1,4}}\])*")
_ITEM: Final = re.compile(r"\[\d{1,4}\]")
_STEPS: Final = re.compile(rf"\[\d+\]|{_FIELD}")
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_MOST_NAMES: Final = 1_024
_MOST_ASKED: Final = 10_000
