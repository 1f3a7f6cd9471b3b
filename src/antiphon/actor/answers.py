"""What a handler answers, later or several times."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, Final, Protocol

from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.strict import Ignored
from antiphon.errors import ErrorReply, ScenarioError
from antiphon.transport.interface import Connection

__all__ = ["DEFERRED", "Answering", "Answers"]


class _Deferred:
    """What a handler returns to say that it answers later."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DEFERRED"


DEFERRED: Final = _Deferred()
"""Returned by a handler of a request: no answer now, `answer(request, …)` follows."""


class Answering(Protocol):
    """What a handler's outcome needs of its channel."""

    name: str
    actor: str
    mailbox: Mailbox
    ignored: Ignored

    @property
    def connection(self) -> Connection | None: ...

    def answer(self, request: Message, body: Any = None, /, *, is_last: bool = True) -> bool: ...

    def refuse_with(self, request: Message, refusal: ErrorReply, /) -> None: ...


class Answers:
    """The answers of a handler that is a generator: each is said when it is given.

    Whether one is the last is the dialect's to say, of its body; if none was, one with the body None is said behind
    them, as the end. A request that is none for the dialect is ended only if it was answered.

    Once the connection is gone on which the request came there is nobody to answer: with the next answer it is over.
    """

    def __init__(self, channel: Answering, request: Message | None) -> None:
        self._channel = channel
        self._request = request
        self._connection = channel.connection
        self._is_begun = False
        self._is_over = False

    async def give_each(self, bodies: AsyncGenerator[Any, Any]) -> Any:
        """Answer with each; gives DEFERRED, for all has been said then."""
        async with aclosing(bodies):  # an answer that cannot be said ends the handler, and not sometime later
            async for body in bodies:
                if not self._give(body):
                    break
        self._end()
        return DEFERRED

    def give_all(self, bodies: Iterator[Any]) -> None:
        """Answer with them all, now."""
        for body in bodies:
            if not self._give(body):
                break
        self._end()

    def _give(self, body: Any) -> bool:
        """Say it; False if there is nobody any more."""
        request = self._request
        if request is None:
            raise ScenarioError("there is nobody to answer when a channel opens or ends", hint="use send()")
        if self._channel.connection is not self._connection:
            return False
        if self._is_over:
            text = f"{request.name} has had its last answer, and there is another one"
            raise ScenarioError(text, hint="which answer is the last the dialect tells by its body")
        self._is_begun = True
        self._is_over = self._channel.answer(request, body, is_last=False)
        return True

    def _end(self) -> None:
        request = self._request
        if request is None or self._is_over or self._channel.connection is not self._connection:
            return
        if self._is_begun or request.is_request:
            self._channel.answer(request, None)
