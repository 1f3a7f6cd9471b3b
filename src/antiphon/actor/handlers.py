"""Handlers: `@on` marks them in an actor's class, and every message goes to them first, whoever waits for it."""

from __future__ import annotations

import inspect
from asyncio import Task
from collections.abc import Callable, Container, Coroutine, Hashable
from functools import partial
from typing import Any, Final, TypeVar, overload
from weakref import proxy

import msgspec

from antiphon.actor.answers import DEFERRED, Answering, Answers
from antiphon.actor.typed_handlers import Misfit
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import UNREADABLE, Message, Unreadable
from antiphon.conversation.typed import is_body_type
from antiphon.conversation.wording import own_words, shorten
from antiphon.errors import AntiphonError, ChannelClosed, DialectError, ErrorReply, HandlerFailed, ScenarioError
from antiphon.journal import Handled
from antiphon.runtime.call_site import place, place_of
from antiphon.runtime.failed_code import tell_values
from antiphon.runtime.runtime import Runtime
from antiphon.runtime.tracebacks import author_frame
from antiphon.transport.interface import Connection

__all__ = ["ANY", "Dispatcher", "Handlers", "Trigger", "on", "triggers_of"]

F = TypeVar("F", bound=Callable[..., Any])

Trigger = tuple[Any, str | None]
"""What sets a handler off: the name of a message (or its type, `ANY`, or a moment), and the one channel that counts, or
None for all."""

ANY: Final = "*"
"""In `@on(ANY)`: every name that has no handler of its own."""


class Handlers(msgspec.Struct):
    """What reacts on a channel: by message name, to any other name, to its opening and to its ends."""

    named: dict[str, Callable[[Message], Any]] = {}
    other: Callable[[Message], Any] | None = None
    opened: Callable[[], Any] | None = None
    reopened: Callable[[], Any] | None = None
    finished: Callable[[], Any] | None = None
    closed: Callable[[Ending], Any] | None = None

    @property
    def heard(self) -> Container[str]:
        """The names that the dispatcher must see; what cannot be read always, as it may have to fail the run."""
        return _Everything() if self.other is not None else frozenset({UNREADABLE, *self.named})

    def clear(self) -> None:
        """Let go of them all: nothing is to react any more."""
        self.named, self.other, self.opened, self.reopened = {}, None, None, None
        self.finished, self.closed = None, None

    def put(self, trigger: str, handler: Callable[..., Any]) -> None:
        """Have `handler` called for that; of several the last one put."""
        if trigger == ANY:
            self.other = handler
        elif trigger == _OPENED:
            self.opened = handler
        elif trigger == _REOPENED:
            self.reopened = handler
        elif trigger == _FINISHED:
            self.finished = handler
        elif trigger == _CLOSED:
            self.closed = handler
        else:
            self.named[trigger] = handler


class _Everything:
    """Every name: what a handler of anything hears, in the place of a set of names."""

    def __contains__(self, name: object) -> bool:
        return True


class Dispatcher:
    """The handlers of one channel at work.

    What a handler returns answers the request, `ErrorReply` refuses it, anything else that it raises fails the run.
    What a generator gives are several answers, each said when it is given. A handler that is `async def` goes on beside
    the reading; the others end before the next message is looked at.
    """

    def __init__(self, runtime: Runtime, channel: Answering, handlers: Handlers) -> None:
        self.handlers = handlers
        self._runtime = runtime
        # Weakly, for the channel has this: a run leaves nothing behind that only the garbage collector finds.
        self._channel: Answering = proxy(channel)
        self._at_work: dict[Hashable, Task[Any]] = {}

    def opened(self) -> None:
        """The channel is open."""
        if self.handlers.opened is not None:
            self._guard(self.handlers.opened, None)

    async def reopened(self) -> None:
        """The channel was opened again by itself; returns when the handler has done with that what it has to."""
        if self.handlers.reopened is not None:
            handler, channel = self.handlers.reopened, self._channel
            await self._finish(handler, None, _outcome(handler), channel.connection)

    def finished(self) -> None:
        """The peer says no more."""
        if self.handlers.finished is not None:
            self._guard(self.handlers.finished, None)

    def closed(self, ending: Ending) -> None:
        """The channel has ended."""
        if self.handlers.closed is not None:
            self._guard(self.handlers.closed, None, ending)

    def react(self, message: Message) -> None:
        """Let the message's handler see it, before anyone who waits for it (P11)."""
        handler = self.handlers.named.get(message.name, self.handlers.other)
        if handler is None:
            if not self._is_wanted(message):
                self._runtime.fail(self._unreadable(message))
            return
        begun_ns = self._runtime.now_ns()
        # Recorded when it has ended, with the time when it began: the entry says how long the reader was held up (P11).
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

    def _is_wanted(self, message: Message) -> bool:
        """Whether somebody takes a message that has no handler: only what cannot be read needs that."""
        channel = self._channel
        return message.name != UNREADABLE or channel.mailbox.is_awaited(message) or message in channel.ignored

    def _unreadable(self, message: Message) -> AntiphonError:
        error = message.trouble if isinstance(message, Unreadable) else None
        if error is None:
            error = DialectError(f"data that the dialect cannot read: {shorten(message.raw)}")
        error.place = f"{self._owner}, received message {message.number}"
        return error

    def _guard(self, handler: Callable[..., Any], request: Message | None, *arguments: Any) -> str:
        """Call a handler and make of its outcome what it means; gives the text of what it raised."""
        try:
            outcome = handler(*arguments)
            # Never awaited here: user code must not hold up the reader (P11), nor the heartbeats behind it.
            if inspect.iscoroutine(outcome):
                self._spawn(handler, request, outcome)
            elif inspect.isasyncgen(outcome):
                self._spawn(handler, request, Answers(self._channel, request).give_each(outcome))
            elif inspect.isgenerator(outcome):
                Answers(self._channel, request).give_all(outcome)
            else:
                self._conclude(request, outcome)
        except ErrorReply as refusal:
            return self._refuse(handler, request, refusal)
        except Misfit as misfit:
            self._runtime.fail(misfit.failure)
            return f"{type(misfit.failure).__name__}: {misfit}"
        except Exception as error:
            return self._blame(handler, request, error)
        except BaseException as error:  # a time-out, Ctrl-C: it is nobody's fault, and must not be lost in the loop
            self._runtime.fail(error)
            return f"{type(error).__name__}: {own_words(error)}"
        return ""

    def stop(self, key: Hashable) -> None:
        """The peer has withdrawn its request of that key: whoever is still at it stops."""
        if (task := self._at_work.pop(key, None)) is not None:
            task.cancel()

    def _spawn(self, handler: Callable[..., Any], request: Message | None, outcome: Coroutine[Any, Any, Any]) -> None:
        task = self._runtime.spawn(self._finish(handler, request, outcome, self._channel.connection))
        if request is not None and request.is_request:
            self._at_work[request.asks] = task
            task.add_done_callback(partial(self._is_done, request.asks))

    def _is_done(self, key: Hashable, task: Task[Any]) -> None:
        if self._at_work.get(key) is task:  # a key may be used again
            del self._at_work[key]

    async def _finish(
        self,
        handler: Callable[..., Any],
        request: Message | None,
        outcome: Coroutine[Any, Any, Any],
        connection: Connection | None,
    ) -> None:
        try:
            answer = await outcome
            if self._channel.connection is connection:  # on the next one that request is another's
                self._conclude(request, answer)
        except ErrorReply as refusal:
            if request is None or self._channel.connection is connection:
                self._refuse(handler, request, refusal)
        except ChannelClosed as error:
            # Of a connection that is gone: for the next one the handler is called anew.
            if request is not None or self._channel.connection is connection or self._channel.mailbox.gap is None:
                self._blame(handler, request, error)
        except Exception as error:
            self._blame(handler, request, error)

    def _conclude(self, request: Message | None, outcome: Any) -> None:
        # None answers only what the dialect calls a request: in JSON-RPC it is a result, elsewhere silence.
        if request is None or outcome is DEFERRED or (outcome is None and not request.is_request):
            return
        self._channel.answer(request, outcome)

    def _refuse(self, handler: Callable[..., Any], request: Message | None, refusal: ErrorReply) -> str:
        if request is None:  # of @on.opened and the like: there is nobody to answer
            return self._blame(handler, request, refusal)
        try:
            self._channel.refuse_with(request, refusal)
        except AntiphonError as error:
            return self._blame(handler, request, error)
        return f"refused with {refusal}"

    def _blame(self, handler: Callable[..., Any], request: Message | None, error: Exception) -> str:
        what = f"the handler {handler.__name__}" + (f" of {request.name}" if request is not None else "")
        tell_values(error)
        told, hint = "\n".join([own_words(error), *getattr(error, "__notes__", ())]), None
        # Its text alone: place and hint are told as such, below, and not in the middle of a line.
        if isinstance(error, AntiphonError) and error.text:
            told, hint = error.text, error.hint
        text = f"{self._owner}: {what} raised {type(error).__name__}: {told}"
        frame = author_frame(error)
        where = place(frame.filename, frame.lineno or 0) if frame is not None else place_of(handler)
        failure = HandlerFailed(text, place=where or None, hint=hint)
        failure.__cause__ = error
        self._runtime.fail(failure)
        return f"{type(error).__name__}: {own_words(error)}"

    @property
    def _owner(self) -> str:
        return f"{self._channel.actor}.{self._channel.name}"


async def _outcome(handler: Callable[[], Any]) -> Any:
    """What comes of a handler that may be `async def`."""
    outcome = handler()
    return await outcome if inspect.isawaitable(outcome) else outcome


_OPENED: Final = "(opened)"
_REOPENED: Final = "(reopened)"
_FINISHED: Final = "(finished)"
_CLOSED: Final = "(closed)"


def triggers_of(function: object) -> tuple[Trigger, ...]:
    """What `@on` has marked it for; () for what is no handler."""
    triggers: tuple[Trigger, ...] = getattr(function, "_antiphon_triggers", ())
    return triggers


class _On:
    """Marks handlers; see `on`."""

    def __call__(
        self, name: str | type | tuple[str, ...] | tuple[type, ...], *, channel: str | None = None
    ) -> Callable[[F], F]:
        several = name if isinstance(name, tuple) else (name,)
        for each in several or (name,):
            if not isinstance(each, str) and not is_body_type(each):
                raise ScenarioError(
                    f"@on takes the name of a message, or the type of its body, not {each!r}", hint='@on("ping")'
                )
        return self._mark(several, channel)

    @overload
    def opened(self, function: F) -> F: ...
    @overload
    def opened(self, *, channel: str) -> Callable[[F], F]: ...
    def opened(self, function: Any = None, *, channel: str | None = None) -> Any:
        """A handler without arguments: the channel is open, and nothing has been received yet."""
        mark = self._mark((_OPENED,), channel)
        return mark(function) if function is not None else mark

    @overload
    def reopened(self, function: F) -> F: ...
    @overload
    def reopened(self, *, channel: str) -> Callable[[F], F]: ...
    def reopened(self, function: Any = None, *, channel: str | None = None) -> Any:
        """A handler without arguments: a channel with `reopens` was opened again, and its protocol is open. It may be
        `async def`: `channel.reopened()` waits until it is done."""
        mark = self._mark((_REOPENED,), channel)
        return mark(function) if function is not None else mark

    @overload
    def finished(self, function: F) -> F: ...
    @overload
    def finished(self, *, channel: str) -> Callable[[F], F]: ...
    def finished(self, function: Any = None, *, channel: str | None = None) -> Any:
        """A handler without arguments: the peer says no more, on a channel with `allow_half_open`."""
        mark = self._mark((_FINISHED,), channel)
        return mark(function) if function is not None else mark

    @overload
    def closed(self, function: F) -> F: ...
    @overload
    def closed(self, *, channel: str) -> Callable[[F], F]: ...
    def closed(self, function: Any = None, *, channel: str | None = None) -> Any:
        """A handler of the channel's `Ending`."""
        mark = self._mark((_CLOSED,), channel)
        return mark(function) if function is not None else mark

    @overload
    def unreadable(self, function: F) -> F: ...
    @overload
    def unreadable(self, *, channel: str) -> Callable[[F], F]: ...
    def unreadable(self, function: Any = None, *, channel: str | None = None) -> Any:
        """A handler of data that the dialect cannot read; such data fails the run if nobody takes it."""
        mark = self._mark((UNREADABLE,), channel)
        return mark(function) if function is not None else mark

    def _mark(self, triggers: tuple[Any, ...], channel: str | None) -> Callable[[F], F]:
        def mark(function: F) -> F:
            made = ((trigger, channel) for trigger in triggers)
            function._antiphon_triggers = (*triggers_of(function), *made)  # type: ignore[attr-defined]
            return function

        return mark


on: Final = _On()
"""`@on("ping")` makes a method a handler: it sees every message of that name, first, in order, in every wait.

`@on(("ping", "probe"))` is for several names. `@on(Ping)` is for the messages that a type stands for: the method is
given an instance, and the message itself if it takes a second argument; a body that does not fit fails the run.

It does not take the message from the mailbox. What it returns answers a request, and so does each thing
that it yields where a dialect has several answers; `ErrorReply` refuses it; anything else that it raises fails the run.
`channel=` restricts it to one channel. Also `@on(ANY)`, `@on.opened`, `@on.reopened`, `@on.finished`, `@on.closed`,
`@on.unreadable`, which may be restricted likewise: `@on.closed(channel="media")`. A method may be marked several times.
"""
