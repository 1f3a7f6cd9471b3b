"""What the centre does in return, as values: say, answer, close, and look again after a while.

Every request and every moment gives one ordered list of these. Who carries them out decides when, and nothing else.
A desk is named by its `sessionID`: what is meant for a desk that is gone reaches nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from antiphon.errors import ErrorReply
from antiphon_testbed.protocol import answer_to

__all__ = ["After", "Answer", "Close", "Effect", "Event", "Request", "failure", "success"]


class Request(msgspec.Struct, frozen=True):
    """What a desk asked.

    `id` is what the answer repeats (None for nothing); `handle` is what whoever carries out the answer knows it by.
    """

    desk: str
    name: str
    id: str | int | None = None
    handle: Any = None


class Event(msgspec.Struct, frozen=True):
    """An event for a desk. `is_prompt`: it does not wait behind late answers."""

    desk: str
    name: str
    data: dict[str, Any]
    is_prompt: bool = False


class Answer(msgspec.Struct, frozen=True):
    """The answer to a request, for the desk that asked."""

    request: Request
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The message's name on the wire."""
        return answer_to(self.request.name)

    @property
    def desk(self) -> str:
        """Who asked."""
        return self.request.desk


class After(msgspec.Struct, frozen=True):
    """`then(now_ms)` is due in `delay_s` and gives what to do then, unless the desk is gone by that time.

    Without a desk it is due in any case.
    """

    desk: str | None
    delay_s: float
    then: Callable[[int], list[Effect]]


class Close(msgspec.Struct, frozen=True):
    """The desk is closed with this code and reason (RFC 6455 section 7.4)."""

    desk: str
    code: int
    reason: str


Effect: TypeAlias = Event | Answer | After | Close


def success(request: Request, **fields: Any) -> Answer:
    """The answer to a request that was carried out."""
    return _answer(request, {"result": "success", **fields})


def failure(request: Request, refusal: ErrorReply) -> Answer:
    """The answer to a request that was refused."""
    return _answer(request, {"result": "error", "code": refusal.code, "message": refusal.message, **refusal.fields})


def _answer(request: Request, data: dict[str, Any]) -> Answer:
    if request.id is not None:
        data["requestID"] = request.id
    return Answer(request, data)
