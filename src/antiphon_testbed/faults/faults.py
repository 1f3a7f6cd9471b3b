"""The ways in which a centre misbehaves on purpose: values that say what goes wrong with which message.

A fault names a message that the centre says (an answer, as `resultHangUp`, or an event, as `newWorkitemState`; `"*"` is
any), and what happens to it. Without more it happens every time; four fields aim it:

user: only at this user's desk, or at those of several.
nth: only the n-th time (1, 2, …) that such a message is for a user; the count goes on over that user's desks.
probability: only so often, by the centre's seed.
where: only to messages whose data fit this pattern (see `antiphon.conversation.match`), as `{"state": "wrapUp"}`.

On the command line a fault is `KIND:MESSAGE[:ARGUMENT][,AIM=VALUE]…`, as `late:resultHangUp:2.5,user=alice,nth=2` or
`missing:newWorkitemState,where.state=wrapUp`; `str(fault)` writes it, and `parse.read_fault` reads it.

Raises ScenarioError when it is made, if it could not happen.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from antiphon.errors import ScenarioError
from antiphon.transport.websocket.rfc6455 import ABNORMAL, check_close
from antiphon_testbed.protocol import MESSAGES, answer_to

__all__ = [
    "ANY_MESSAGE",
    "KINDS",
    "Closed",
    "Fault",
    "HalfFrame",
    "Late",
    "Missing",
    "NotJson",
    "Overtaken",
    "Reordered",
    "Twice",
    "WithoutField",
    "WrongField",
    "WrongId",
]

ANY_MESSAGE: Final = "*"
IDS: Final = ("workitemID", "interactionID", "requestID", "messageID", "sessionID")
"""The fields that hold ids, in the order in which `WrongId` looks for one."""

BAD_GATEWAY: Final = "<html><body><h1>502 Bad Gateway</h1></body></html>"


class _Aim(msgspec.Struct, frozen=True, kw_only=True):
    """When a fault happens; see the module."""

    user: str | tuple[str, ...] | None = None
    nth: int | None = None
    probability: float | None = None
    where: Mapping[str, Any] = {}

    @property
    def users(self) -> tuple[str, ...]:
        """The users that are meant; empty for all."""
        if self.user is None:
            return ()
        return (self.user,) if isinstance(self.user, str) else tuple(self.user)

    def _written(self) -> str:
        aims = {"user": "+".join(self.users), "nth": self.nth, "probability": self.probability}
        written = [f",{name}={value}" for name, value in aims.items() if value not in (None, "")]
        return "".join(written + [f",where.{field}={_plain(value)}" for field, value in self.where.items()])


class Fault(_Aim, frozen=True):
    """Something that goes wrong with a message. `word` is its kind on the command line."""

    message: str

    word: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.message != ANY_MESSAGE and self.message not in MESSAGES:
            raise self._impossible(f"the centre says no {self.message!r}", _said_instead(self.message))
        if self.nth is not None and (self.nth.__class__ is not int or self.nth < 1):
            raise self._impossible(f"nth is {self.nth!r}", "it counts 1, 2, …; leave it out for every time")
        if self.probability is not None and not 0 < self.probability <= 1:
            raise self._impossible(f"probability is {self.probability!r}", "it is more than 0 and at most 1")
        # Which would count first? Neither is what anybody means.
        if self.nth is not None and self.probability is not None:
            raise self._impossible("nth and probability are given", "say when, or how often")
        if not isinstance(self.where, Mapping):
            raise self._impossible(f"where is {self.where!r}", 'it is a pattern of the data, as {"state": "wrapUp"}')
        self._check()

    def __str__(self) -> str:
        argument = self._argument()
        return f"{self.word}:{self.message}" + (f":{argument}" if argument else "") + self._written()

    def fits(self, data: Mapping[str, Any]) -> bool:
        """Whether it can happen to a message with these data, beside its aim."""
        return True

    def _check(self) -> None:
        """Raise ScenarioError for an argument that cannot be."""

    def _argument(self) -> str:
        """The argument as the command line has it."""
        return ""

    def _impossible(self, text: str, hint: str) -> ScenarioError:
        return ScenarioError(f"a fault {self.word!r} of {self.message!r} cannot be: {text}", hint=hint)


class Late(Fault, frozen=True):
    """The message is `seconds` late, and what the centre says after it waits behind it."""

    seconds: float

    word: ClassVar[str] = "late"

    def _check(self) -> None:
        if not _is_time(self.seconds) or self.seconds == 0:
            raise self._impossible(f"seconds is {self.seconds!r}", "0.5, for instance")

    def _argument(self) -> str:
        return f"{self.seconds:g}"


class Twice(Fault, frozen=True):
    """The message comes twice: the second time right behind the first, or `after_s` seconds later."""

    after_s: float = 0.0

    word: ClassVar[str] = "twice"

    def _check(self) -> None:
        if not _is_time(self.after_s):
            raise self._impossible(f"after_s is {self.after_s!r}", "0.5, for instance")

    def _argument(self) -> str:
        return f"{self.after_s:g}" if self.after_s else ""


class Overtaken(Fault, frozen=True):
    """The message comes after all else that is said to its desk at the same moment: an answer after its events."""

    word: ClassVar[str] = "overtaken"


class Reordered(Fault, frozen=True):
    """The message, and what is said to its desk after it at the same moment, come in another order, by the seed."""

    word: ClassVar[str] = "reordered"


class Missing(Fault, frozen=True):
    """The message never comes."""

    word: ClassVar[str] = "missing"


class Closed(Fault, frozen=True):
    """Instead of the message the connection is closed, with this code and reason.

    code: one that a close frame can carry (RFC 6455 section 7.4); 1006 cuts the connection without a goodbye.
    """

    code: int
    reason: str = ""

    word: ClassVar[str] = "closed"

    def _check(self) -> None:
        # 1006 says that there was no close frame (RFC 6455 section 7.4.1), so there is no reason either.
        if self.code == ABNORMAL and not self.reason:
            return
        try:
            check_close(self.code, self.reason)
        except ValueError as error:
            raise self._impossible(str(error), "4000, for instance; 1006, without a reason, cuts it off") from error

    def _argument(self) -> str:
        return f"{self.code} {self.reason}".rstrip()


class HalfFrame(Fault, frozen=True):
    """Half of the message's frame comes, and nothing after it; the connection stays open."""

    word: ClassVar[str] = "half"


class NotJson(Fault, frozen=True):
    """Instead of the message comes a text that is not JSON."""

    text: str = BAD_GATEWAY

    word: ClassVar[str] = "notjson"

    def _check(self) -> None:
        try:
            msgspec.json.decode(self.text)
        except (msgspec.DecodeError, UnicodeError):
            return
        # A text that is JSON is another fault, and a test that hopes for this one would pass for nothing.
        raise self._impossible(f"{self.text!r} is JSON", "oops, for instance")

    def _argument(self) -> str:
        return "" if self.text == BAD_GATEWAY else self.text


class WrongId(Fault, frozen=True):
    """An id in the message is another one, of nothing that there is.

    field: which; "" for the first that the message has of workitemID, interactionID, requestID, messageID, sessionID.
    """

    field: str = ""

    word: ClassVar[str] = "wrongid"

    def field_in(self, data: Mapping[str, Any]) -> str | None:
        """The field that is meant in these data, if they have it."""
        return next((name for name in ((self.field,) if self.field else IDS) if name in data), None)

    def fits(self, data: Mapping[str, Any]) -> bool:
        return self.field_in(data) is not None

    def _check(self) -> None:
        if self.field and self.field not in IDS:
            raise self._impossible(f"{self.field!r} holds no id", f"{', '.join(IDS)} do; or leave it out")

    def _argument(self) -> str:
        return self.field


class WrongField(Fault, frozen=True):
    """A field of the message's data has this value (of any JSON type) instead of its own."""

    field: str
    value: Any

    word: ClassVar[str] = "wrongfield"

    def fits(self, data: Mapping[str, Any]) -> bool:
        # A fault that changes nothing has not happened, and must not count as one.
        return self.field in data and not _is_same(data[self.field], self.value)

    def _check(self) -> None:
        try:
            msgspec.json.encode(self.value)
        except (TypeError, ValueError, RecursionError) as error:
            raise self._impossible(f"{self.field}={self.value!r} has no JSON form", "a string, for instance") from error

    def _argument(self) -> str:
        return f"{self.field}={_plain(self.value)}"


class WithoutField(Fault, frozen=True):
    """A field of the message's data is not there."""

    field: str

    word: ClassVar[str] = "nofield"

    def fits(self, data: Mapping[str, Any]) -> bool:
        return self.field in data

    def _argument(self) -> str:
        return self.field


KINDS: Final[tuple[type[Fault], ...]] = (
    *(Late, Twice, Overtaken, Reordered, Missing, Closed, HalfFrame, NotJson),
    *(WrongId, WrongField, WithoutField),
)
"""Every kind of fault."""


def _said_instead(name: str) -> str:
    if answer_to(name) in MESSAGES:
        return f"the answer to {name} is {answer_to(name)}"
    alike = difflib.get_close_matches(name, MESSAGES, n=1)
    return f"did you mean {alike[0]}?" if alike else f"it says {', '.join(sorted(MESSAGES))}; {ANY_MESSAGE} is any"


def _is_time(seconds: Any) -> bool:
    return seconds.__class__ in (int, float) and math.isfinite(seconds) and seconds >= 0


def _is_same(one: Any, other: Any) -> bool:
    """Equal as JSON is: 1 and true are not."""
    return bool(one.__class__ is other.__class__ and one == other)


def _plain(value: Any) -> str:
    """A value as the command line has it: JSON, or the text itself where that cannot be taken for JSON."""
    if isinstance(value, str):
        try:
            msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return msgspec.json.encode(value).decode()
