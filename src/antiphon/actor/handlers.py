"""Handlers: what reacts on a channel whenever a message comes, whoever waits for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

import msgspec

from antiphon.conversation.ending import Ending
from antiphon.conversation.mailbox import Mailbox
from antiphon.conversation.message import UNREADABLE, Message, Unreadable
from antiphon.conversation.wording import shorten
from antiphon.errors import AntiphonError, DialectError, ErrorReply, HandlerFailed
from antiphon.journal import Handled
from antiphon.runtime.call_site import place_of
from antiphon.runtime.runtime import Runtime

__all__ = ["DEFERRED", "Answering", "Dispatcher", "Handlers"]


class _Deferred:
    """What a handler returns to say that it answers later."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DEFERRED"


DEFERRED: Final = _Deferred()
"""Returned by a handler of a request: no answer now, `answer(request, …)` follows."""


class Handlers(msgspec.Struct):
    """What reacts on a channel: by message name, to any other name, to its opening and to its end."""

    named: dict[str, Callable[[Message], Any]] = {}
    other: Callable[[Message], Any] | None = None
    opened: Callable[[], Any] | None = None
    closed: Callable[[Ending], Any] | None = None


class Answering(Protocol):
    """What a handler's outcome needs of its channel."""

    name: str
    actor: str
    mailbox: Mailbox

    def answer(self, request: Message, body: Any = None, /) -> None: ...

    def refuse_with(self, request: Message, refusal: ErrorReply, /) -> None: ...


class Dispatcher:
    """The handlers of one channel at work.

    What a handler returns answers the request, `ErrorReply` refuses it, anything else that it raises fails the run. A
    handler that is `async def` goes on beside the reading; the others end before the next message is looked at.
    """

    def __init__(self, runtime: Runtime, channel: Answering, handlers: Handlers) -> None:
        self.handlers = handlers
        self._runtime = runtime
        self._channel = channel

    def opened(self) -> None:
        """The channel is open."""
        if self.handlers.opened is not None:
            self._guard(self.handlers.opened, None)

    def closed(self, ending: Ending) -> None:
        """The channel has ended."""
        if self.handlers.closed is not None:
            self._guard(self.handlers.closed, None, ending)

    def react(self, message: Message) -> None:
        """Let the message's handler see it; data that nobody can read and nobody handles fails the run."""
        handler = self.handlers.named.get(message.name)
        if handler is None:
            if message.name == UNREADABLE:
                self._runtime.fail(self._unreadable(message))
                return
            handler = self.handlers.other
            if handler is None:
                return
        begun_ns = self._runtime.now_ns()
        error = self._guard(handler, message, message)
        self._runtime.record(
            Handled(
                at_ns=begun_ns,
                actor=self._channel.actor,
                channel=self._channel.name,
                message=message.number,
                handler=handler.__name__,
                took_ns=self._runtime.now_ns() - begun_ns,
                error=error,
            )
        )

    def _unreadable(self, message: Message) -> DialectError:
        error = message.trouble if isinstance(message, Unreadable) else None
        if error is None:
            error = DialectError(f"data that the dialect cannot read: {shorten(message.raw)}")
        error.place = f"{self._owner}, received message {message.number}"
        return error

    def _guard(self, handler: Callable[..., Any], request: Message | None, *arguments: Any) -> str:
        """Call a handler and make of its outcome what it means; gives the text of what it raised."""
        try:
            outcome = handler(*arguments)
            if inspect.iscoroutine(outcome):
                self._runtime.spawn(self._finish(handler, request, outcome))
            else:
                self._conclude(request, outcome)
        except ErrorReply as refusal:
            return self._refuse(handler, request, refusal)
        except Exception as error:
            return self._blame(handler, request, error)
        return ""

    async def _finish(
        self, handler: Callable[..., Any], request: Message | None, outcome: Coroutine[Any, Any, Any]
    ) -> None:
        try:
            self._conclude(request, await outcome)
        except ErrorReply as refusal:
            self._refuse(handler, request, refusal)
        except Exception as error:
            self._blame(handler, request, error)

    def _conclude(self, request: Message | None, outcome: Any) -> None:
        if request is None or outcome is DEFERRED or (outcome is None and not request.is_request):
            return
        self._channel.answer(request, outcome)

    def _refuse(self, handler: Callable[..., Any], request: Message | None, refusal: ErrorReply) -> str:
        if request is None:
            return self._blame(handler, request, refusal)
        try:
            self._channel.refuse_with(request, refusal)
        except AntiphonError as error:
            return self._blame(handler, request, error)
        return f"refused with {refusal}"

    def _blame(self, handler: Callable[..., Any], request: Message | None, error: Exception) -> str:
        what = f"the handler {handler.__name__}" + (f" of {request.name}" if request is not None else "")
        told, hint = str(error), None
        if isinstance(error, AntiphonError) and error.text:
            told, hint = error.text, error.hint
        text = f"{self._owner}: {what} raised {type(error).__name__}: {told}"
        failure = HandlerFailed(text, place=place_of(handler) or None, hint=hint)
        failure.__cause__ = error
        self._runtime.fail(failure)
        return f"{type(error).__name__}: {error}"

    @property
    def _owner(self) -> str:
        return f"{self._channel.actor}.{self._channel.name}"
