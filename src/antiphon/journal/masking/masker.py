"""Replaces secrets in whatever is to be written: text, data, headers, bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import NoneType
from typing import Any, Final, overload
from urllib.parse import unquote, unquote_plus

import msgspec

from antiphon.conversation.message import Data
from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.journal.masking.field_names import Secrecy, field_names
from antiphon.journal.masking.fields import is_random, is_small_number
from antiphon.journal.masking.finding import find_secrets, may_hold_secret
from antiphon.journal.masking.known_secrets import KnownSecrets
from antiphon.journal.masking.pairs import is_pair, is_value_key, may_name, named_by, options_in
from antiphon.journal.masking.shapes import find_shapes

__all__ = ["MASK", "Masker"]

MASK: Final = "***"

SHORTEST_LEARNT: Final = 6
"""Shorter secrets are masked in their own fields only: as plain text they would hide half of everything."""

LONGEST_LEARNT: Final = 10_000
"""Longer ones too: looking for them everywhere would cost more than they are worth."""


_PLAIN: Final = frozenset({str, int, float, bool, NoneType})
_NUMBERS: Final = frozenset({int, float})
_LONGEST_CLEAN: Final = 100
_MOST_CLEAN: Final = 1_000
_MOST_UNLEARNT: Final = 64
_LONGEST_UNLEARNT: Final = 64 * 1024
_DEEPEST_PLAIN: Final = 20
_UTF_16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
"""What two bytes at a beginning say: a byte order mark, or a `<` (XML 1.0, appendix F)."""
_REWRITTEN: Final = re.compile("[\\\\%&\x00…]")
"""What a secret may be written with otherwise, or cut by: where there are many of these, not all are looked at."""


class Masker:
    """Replaces secrets by `***`.

    What stands in a field with a secret name (`field_names`) is masked: in bodies and headers, and in text wherever it
    looks like a field (`fields`); so is what has the shape of a secret (`shapes`). Below a secret field everything is.
    Null, booleans and the empty string stay. Such values, and those given to `learn`, are then masked in every later
    text, whatever is around them and however they are written (`known_secrets`). JSON stays JSON. `fields` are further
    names, or parts of names, of secret fields.
    """

    def __init__(self, fields: Iterable[str] = ()) -> None:
        own = tuple(field.lower() for field in fields)
        if not all(own):
            raise ScenarioError("a secret field has an empty name", hint="every field's name contains that")
        self._names = field_names(own)
        self.has_own_fields = bool(own)
        self._known = KnownSecrets()
        self.learnt = 0
        """How often a secret was learnt that was not known: whether a look taught something is seen by it."""
        self._unlearnt: list[Callable[[], Any]] = []
        self._plain_names = self._names.plain
        self.clean: set[str] = set()
        """Short texts that hold no secret, as far as they are known: names, places and states come again and again.

        For others to look into, and for nobody else to change."""

    # -- learning -----------------------------------------------------------------------------------------------------

    def learn(self, secret: str) -> None:
        """Mask this value from now on, wherever it stands.

        Left alone are values of less than 6 or more than 10,000 characters, and the names of secret fields: a password
        "password" would make every such field unreadable.
        """
        is_one = SHORTEST_LEARNT <= len(secret) <= LONGEST_LEARNT and secret.strip("*")
        if is_one and not self._names.is_word(secret) and self._known.add(secret):
            self.learnt += 1
            self.clean.clear()

    def learn_later(self, made: Callable[[], Any]) -> None:
        """Learn from what `made` gives as `learn_from` does, before anything is masked.

        In a run that nobody watches mostly nothing ever is. `made` must give the same whenever it is called, whatever
        becomes of the run's objects meanwhile; at most 64 are kept.
        """
        self._unlearnt.append(made)
        self.clean.clear()  # what was clean may hold what this teaches
        if len(self._unlearnt) >= _MOST_UNLEARNT:
            self._catch_up()

    def learn_from_json(self, value: Any, data: bytes, name: str = "") -> None:
        """Learn from a decoded body (as the field `name`) later, of its JSON: the body may be another by then."""
        # The decoder goes as deep as Python's stack has room, and nobody knows how much there will be.
        if len(data) <= _LONGEST_UNLEARNT and data.count(b"[") + data.count(b"{") <= _DEEPEST:
            self.learn_later(lambda: {name: msgspec.json.decode(data)})
        else:
            self.learn_from({name: value})

    def _catch_up(self) -> None:
        unlearnt, self._unlearnt = self._unlearnt, []
        for made in unlearnt:
            self.learn_from(made())

    def learn_from(self, value: Any) -> None:
        """Learn what stands in the secret fields of a decoded body or of headers."""
        if value.__class__ is dict and self._teaches_nothing(value):
            return
        # Not by recursion: a peer may nest a body as deep as its parser allows.
        rest: list[tuple[str, Any]] = [("", value)]
        while rest:
            name, value = rest.pop()
            if isinstance(value, str):
                if name:
                    self._learn_field(name, value)
            elif isinstance(value, Mapping):
                rest += self._learn_members(name, value)
            elif isinstance(value, (list, tuple)):
                if self._is_secret_pair(value):
                    value = [{value[0]: value[1]}]
                rest += [(name, inner) for inner in value]

    def _teaches_nothing(self, members: dict[Any, Any]) -> bool:
        """Whether the object holds plain values only, none under the name of a secret: as most bodies do."""
        names = tuple(members)
        is_plain = self._plain_names.get(names)
        if is_plain is None:
            if len(self._plain_names) >= _MOST_CLEAN:
                self._plain_names.clear()
            is_plain = all(isinstance(name, str) for name in names)
            is_plain = is_plain and not may_name(members) and not any(map(self._secrecy, names))
            self._plain_names[names] = is_plain
        return is_plain and _PLAIN.issuperset(map(type, members.values()))

    def _learn_members(self, name: str, members: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
        """What is to be learnt from further, each with the name of the secret field that it stands in."""
        named = self._named_by(members)
        for key, inner in members.items():
            called = named if named and is_value_key(key) else key
            secrecy = self._secrecy(called)
            if secrecy is not Secrecy.LIKELY or name:
                yield (called if secrecy else name), inner
            elif not isinstance(inner, str):  # what is below such a field is mostly words
                yield "", inner
            elif is_random(inner):
                self.learn(inner)

    def _learn_field(self, name: str, text: str) -> None:
        """Learn a field's value: of `session=abc; theme=dark` in a cookie the values, of `Bearer abc` only `abc`."""
        name = name.lower()
        if "cookie" in name and "=" in text:
            pairs = text.split(";")[: 1 if "set" in name else None]  # after the first, Set-Cookie has attributes
            for pair in pairs:
                self.learn(pair.partition("=")[2].strip().strip('"'))
            if ";" in text:
                return  # otherwise it may be the bare value of a cookie, with = in it
        scheme = _SCHEME.match(text)
        # "Bearer" learnt with the token would leave the token alone, wherever it stands without it.
        bare = text[scheme.end() :] if scheme is not None else text
        self.learn(bare if len(bare) >= SHORTEST_LEARNT else text)

    def _named_by(self, members: Mapping[Any, Any]) -> str:
        """The secret field whose value the object gives in another member, as `{"name": "password", "value": …}`."""
        named = named_by(members)
        return named if named and self._names.secrecy(named) else ""

    def _secrecy(self, key: Any) -> Secrecy:
        return self._names.secrecy(key) if isinstance(key, str) else Secrecy.NONE

    # -- text ---------------------------------------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """The text without what stands in its secret fields, and without learnt values."""
        if self._unlearnt:
            self._catch_up()
        if text in self.clean:
            return text
        # Fields first: what they teach is then looked for in the same text.
        masked = self._mask_fields(text)
        masked = self._mask_shapes(masked)
        masked = self._known.mask(masked, MASK)
        if masked != text:
            return self._keep_json(text, masked)
        if len(text) <= _LONGEST_CLEAN:
            if len(self.clean) >= _MOST_CLEAN:
                self.clean.clear()
            self.clean.add(text)
        # The same object where nothing was masked, by which callers see that at no cost.
        return text

    def known(self, text: str) -> str:
        """The text without learnt values only: for code, where `token = next()` is no secret."""
        if self._unlearnt:
            self._catch_up()
        return self._known.mask(text, MASK)

    def _mask_fields(self, text: str) -> str:
        kept: list[str] = []
        done = 0
        for secret in find_secrets(text, self._names):
            for value in secret.values:
                self._learn_field(secret.name, value)
                if "%" in value or "+" in value:
                    self._learn_field(secret.name, unquote_plus(value))
            kept += (text[done : secret.start], secret.edge, MASK, secret.edge)
            done = secret.stop
        return "".join((*kept, text[done:])) if kept else text

    def _mask_shapes(self, text: str) -> str:
        kept: list[str] = []
        done = 0
        for start, stop in find_shapes(text):
            self.learn(text[start:stop])
            self.learn(unquote(text[start:stop]))
            kept += (text[done:start], MASK)
            done = stop
        return "".join((*kept, text[done:])) if kept else text

    def _keep_json(self, text: str, masked: str) -> str:
        """A JSON object or array must be one still: where it was cut across its grain, it is masked as a document."""
        document = _read_json(text)
        if not isinstance(document, (dict, list)) or _has_shape_of(document, _read_json(masked)):
            return masked
        return msgspec.json.encode(self.value(document)).decode()

    @overload
    def data(self, data: str) -> str: ...
    @overload
    def data(self, data: bytes) -> bytes: ...
    def data(self, data: Data) -> Data:
        """Text as `text` does; binary data byte for byte likewise, and as text what begins like XML in UTF-16."""
        if isinstance(data, str):
            return self.text(data)
        if data[:2] in _UTF_16 and (wide := self._wide(data, _UTF_16[data[:2]])) is not None:
            return wide
        try:
            text, encoding = data.decode(), "utf-8"
        except UnicodeDecodeError:
            # Every byte is a character there, so what was not masked comes back as it was.
            text, encoding = data.decode("latin-1"), "latin-1"
        masked = self.text(text)
        return data if masked is text else masked.encode(encoding)

    def _wide(self, data: bytes, encoding: str) -> bytes | None:
        """The data without the secrets that it holds as text of that encoding; None if there are none."""
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            return None
        masked = self.text(text)
        return None if masked is text else masked.encode(encoding)

    # -- messages -----------------------------------------------------------------------------------------------------

    def is_without(self, body: Any, text: str) -> bool:
        """Whether a body and the text it came with hold nothing to mask, and nothing to learn; True is certain.

        Nearly every message is so, and they are looked through once for both: what is in a body mostly stands in the
        text as it is.
        """
        if self._unlearnt:
            self._catch_up()
        try:
            if body is not None:
                # In most an object of plain values, with names that are known.
                is_plain = (
                    body.__class__ is dict
                    and self._plain_names.get(tuple(body))
                    and _PLAIN.issuperset(map(type, body.values()))
                )
                if not is_plain and not self._is_plain(body, 0):
                    return False
                told = _encode(body).decode()
                if "\\" in told:  # what an escape stands for would be read together with the letter behind it
                    return False
                # Mostly the body is the last of what was read.
                if not text.endswith(told, 0, -1) and told not in text:
                    text = f"{text}\n{told}"
            # No word that is looked for has a quotation mark or a line's end: what is in one of these texts, is in all.
            if may_hold_secret(text, self._names):
                return False
        except ValueError:  # half a character, or a number of thousands of digits
            return False
        return not self.learnt or (_REWRITTEN.search(text) is None and self._known.mask(text, MASK) is text)

    def _is_plain(self, value: Any, depth: int) -> bool:
        """Whether a body is of objects, lists and plain values only, and no name in it is the name of a secret."""
        kind = value.__class__
        if kind is dict and depth <= _DEEPEST_PLAIN:
            self._teaches_nothing(value)
            return self._plain_names[tuple(value)] and all(self._is_plain(inner, depth + 1) for inner in value.values())
        if kind is list and depth <= _DEEPEST_PLAIN:
            # Of words one may be an option of a command, or name what the other is.
            return not self._is_secret_pair(value) and all(
                self._is_plain(inner, depth + 1) and (inner.__class__ is not str or inner[:1] != "-") for inner in value
            )
        # A number may be a secret, and one with a fraction is written in several ways.
        return kind in _PLAIN and (kind is not float or not self._known)

    # -- values -------------------------------------------------------------------------------------------------------

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers (or query parameters), with the same masking."""
        return {name: self._field(name, value, 0) for name, value in headers.items()}

    def shown(self, name: str, value: Any) -> str:
        """A short form of a value that is called so ("" for no name), as an argument or a result is shown."""
        if self._secrecy(name):
            return shorten(self._field(name, value, 0))
        text = shorten(value)
        # Of what is cut in its middle the name of a field may be gone, and half of its value still there.
        return shorten(self.value(value)) if "…" in text else text

    def member(self, name: str, value: Any) -> Any:
        """A value that is called so ("" for no name), as `value` and `headers` mask it in an object."""
        return self._field(name, value, 0)

    def value(self, value: Any) -> Any:
        """A decoded body, with the same masking; what holds no secret is returned as it is.

        What is nested more than 200 levels deep is masked whole.
        """
        if value.__class__ is dict and self._teaches_nothing(value) and self._is_clean(value):
            return value
        return self._value(value, 0)

    def _is_clean(self, members: dict[Any, Any]) -> bool:
        """Whether an object of plain values holds no secret; if it does, its values have been learnt from."""
        for name, inner in members.items():
            if self.text(name) is not name or (inner.__class__ is str and self.text(inner) is not inner):
                return False
        return True

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, bytes):
            return self.data(value)
        if depth > _DEEPEST:
            return MASK
        if value.__class__ in _NUMBERS:  # before it is asked what else it may be, which takes longer
            return self._foreign(value, depth)
        if isinstance(value, Mapping):
            masked = self._members(value, depth)
            return value if all(map(_is_same, masked.items(), value.items())) else masked
        if isinstance(value, (list, tuple)):
            items = [self._value(inner, depth + 1) for inner in value]
            if value and isinstance(value[0], str):
                self._mask_words(items, value, depth)
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        return self._foreign(value, depth)

    def _mask_words(self, items: list[Any], words: Sequence[Any], depth: int) -> None:
        """Mask what one of these words says of the next: `["password", "abc"]`, `["--token", "abc"]`."""
        if self._is_secret_pair(words):
            items[1] = self._field(words[0], words[1], depth + 1)
        for place in options_in(words):
            option, word = f"{words[place]} ", words[place + 1]
            masked = self.text(option + word)
            if masked.startswith(option) and masked != option + word:
                items[place + 1] = masked[len(option) :]

    def _is_secret_pair(self, items: Sequence[Any]) -> bool:
        return is_pair(items) and self._secrecy(items[0]) is Secrecy.CERTAIN and not self._names.is_word(items[1])

    def _members(self, members: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        if self._unlearnt:
            self._catch_up()
        masked: dict[Any, Any] = {}
        named = self._named_by(members)
        for key, inner in members.items():
            name = self._known.mask(key, MASK) if isinstance(key, str) else key
            # Two names with secrets in them may be one when masked; neither field may be lost by that.
            while name in masked:
                name = f"{name}*"
            masked[name] = self._field(named if named and is_value_key(key) else key, inner, depth + 1)
        return masked

    def _field(self, key: Any, value: Any, depth: int) -> Any:
        secrecy = self._secrecy(key)
        if not secrecy:
            return self._value(value, depth)
        self.learn_from({key: value})
        # `pass: 3` counts something, `password: 3` is somebody's password.
        if secrecy is Secrecy.LIKELY and isinstance(value, int) and is_small_number(str(value)):
            return value
        return _hide(value, depth)

    def _foreign(self, value: Any, depth: int) -> Any:
        """A number, or an object of another kind, stays as it is unless what would be written of it holds a secret."""
        if self._unlearnt:
            self._catch_up()
        plain: Any = _show(value)
        if isinstance(value, (int, float)):
            return value if self._known.mask(plain, MASK) is plain else MASK
        with suppress(Exception):  # what msgspec does not know is written as its repr
            plain = msgspec.to_builtins(value)
        masked = self._value(plain, depth + 1)
        return value if masked == plain else masked


def _hide(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, Mapping) and depth <= _DEEPEST:
        return {key: _hide(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)) and depth <= _DEEPEST:
        return [_hide(inner, depth + 1) for inner in value]
    return MASK


def _is_same(new: tuple[Any, Any], old: tuple[Any, Any]) -> bool:
    return new[0] is old[0] and new[1] is old[1]


def _show(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:
        return type(error).__name__


def _has_shape_of(one: Any, other: Any) -> bool:
    """Whether both have the same objects and arrays, of the same sizes."""
    rest = [(one, other)]
    while rest:
        one, other = rest.pop()
        if isinstance(one, (dict, list)) and (one.__class__ is not other.__class__ or len(one) != len(other)):
            return False
        if isinstance(one, dict):
            rest += zip(one.values(), other.values(), strict=True)
        elif isinstance(one, list):
            rest += zip(one, other, strict=True)
    return True


def _read_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


_encode: Final = msgspec.json.Encoder().encode
_DEEPEST: Final = 200
_SCHEME: Final = re.compile(r"(?i)(?:bearer|basic|digest|token|negotiate)(?:[ \t]+|%20|\+)")
