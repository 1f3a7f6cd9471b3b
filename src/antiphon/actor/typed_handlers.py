"""Handlers of types: called with an instance of the type instead of the message."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from antiphon.conversation.message import Message
from antiphon.conversation.vocabulary import body_or_failure
from antiphon.errors import CheckFailed
from antiphon.runtime.call_site import place_of

__all__ = ["Misfit", "takes_message", "typed_handler"]


class Misfit(Exception):
    """The body does not fit: the peer's fault, and not that of the handler, which has not been called."""

    def __init__(self, failure: CheckFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


def typed_handler(handler: Callable[..., Any], kind: Any) -> Callable[[Message], Any]:
    """The handler, of an actor, as one of messages. It gives an instance of the type, and the message if that is
    taken, too. Raises Misfit for a body that does not fit."""
    function = getattr(handler, "__func__", handler)

    @wraps(handler)
    def handle(message: Message) -> Any:
        try:
            body = body_or_failure(kind, message, place_of(function))
        except CheckFailed as failure:
            raise Misfit(failure) from failure
        return handler(body, message) if takes_message(function) else handler(body)

    return handle


@lru_cache(1024)
def takes_message(function: Callable[..., Any]) -> bool:
    """Whether a method has a place for the message behind that for its body."""
    taken = [each.kind for each in inspect.signature(function).parameters.values()]
    by_place = [each for each in taken if each in (inspect.Parameter.POSITIONAL_ONLY, _EITHER)]
    return len(by_place) > 2 or inspect.Parameter.VAR_POSITIONAL in taken


_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD
