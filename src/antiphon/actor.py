"""Actors: the parties that we play. A class has channels, actions, handlers, and attributes for what it learns."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from functools import wraps
from types import MethodType
from typing import Any, ClassVar, Concatenate, Final, Generic, ParamSpec, TypeVar, overload

from antiphon.channel import Channel, Mark
from antiphon.declaration import Accepted, Declaration, Line
from antiphon.ending import Ending
from antiphon.engine import Engine
from antiphon.errors import ScenarioError
from antiphon.handling import Handlers
from antiphon.http_channel import HttpChannel
from antiphon.journal import StepStarted
from antiphon.message import UNREADABLE, Message
from antiphon.pending import Exchange, Pending
from antiphon.source import caller, place_of
from antiphon.stand import Stand, User
from antiphon.step import Stage, Step, require_fit

__all__ = ["ANY", "Actor", "action", "on"]

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
F = TypeVar("F", bound=Callable[..., Any])

ANY: Final = "*"
"""In `@on(ANY)`: every name that has no handler of its own."""


class Actor:
    """One party that we play.

    Subclasses declare channels (`desk = WebSocket("{centre}/desk", dialect=…)`), actions (`@action async def`),
    handlers (`@on("ping")`), and set plain attributes for what they learn. `name` is that of the scenario's
    parameter, `user` who it is (see `antiphon.stand.User`). `send`, `ask`, `expect` and the like speak on the first
    channel declared; the others are reached by their names, as `self.media.expect(…)`.
    """

    name: str = ""
    _channel: Channel | None = None
    _declarations: ClassVar[dict[str, Declaration[Any]]] = {}
    _reactions: ClassVar[dict[str, tuple[str, str | None]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._declarations = dict(cls._declarations)
        cls._reactions = dict(cls._reactions)
        for name, value in vars(cls).items():
            if isinstance(value, Declaration):
                cls._declarations[name] = value
            for reaction in getattr(value, "_antiphon_reactions", ()):
                cls._reactions[name] = reaction

    # -- what subclasses may define -----------------------------------------------------------------------------------

    async def arrive(self) -> None:
        """Called before the channels open: log in, set headers."""

    async def leave(self) -> None:
        """Called before the channels close, also after a failure: log out."""

    @property
    def user(self) -> User:
        """Who this actor is on the stand. Raises ScenarioError if the stand has no users."""
        user: User | None = self.__dict__.get("_user")
        if user is None:
            raise ScenarioError(
                f"{self.name or type(self).__name__} needs a user, and the stand has none",
                hint='add users to the stand: users = [{ name = "alice", password = "…" }]',
            )
        return user

    # -- speaking and waiting on the first channel --------------------------------------------------------------------

    def send(self, name: str, body: Any = None, /, **fields: Any) -> None:
        """See `Channel.send`."""
        self.channel.send(name, body, **fields)

    def ask(
        self, name: str, body: Any = None, /, *, check: Any = None, within_s: float | None = None, **fields: Any
    ) -> Exchange:
        """See `Channel.ask`."""
        return (self._channel or self.channel).exchange(name, body, fields, check, within_s)

    def answer(self, request: Message, body: Any = None, /, **fields: Any) -> None:
        """See `Channel.answer`."""
        self.channel.answer(request, body, **fields)

    def refuse(self, request: Message, code: int | str, message: str, /, **fields: Any) -> None:
        """See `Channel.refuse`."""
        self.channel.refuse(request, code, message, **fields)

    def expect(
        self,
        name: str | None = None,
        where: Any = None,
        *,
        check: Any = None,
        since: Mark = 0,
        within_s: float | None = None,
    ) -> Pending[Message]:
        """See `Channel.expect`."""
        return self.channel.expect(name, where, check=check, since=since, within_s=within_s)

    def expect_none(
        self, name: str | None = None, where: Any = None, *, within_s: float, since: Mark = 0
    ) -> Pending[None]:
        """See `Channel.expect_none`."""
        return self.channel.expect_none(name, where, within_s=within_s, since=since)

    def expect_close(self, code: int | None = None, *, within_s: float | None = None) -> Pending[Ending]:
        """See `Channel.expect_close`."""
        return self.channel.expect_close(code, within_s=within_s)

    def until(self, predicate: Callable[[], Any], *, within_s: float | None = None) -> Pending[None]:
        """See `Channel.until`."""
        return self.channel.until(predicate, within_s=within_s)

    def forbid(self, name: str, where: Any = None) -> AbstractContextManager[None]:
        """See `Channel.forbid`."""
        return self.channel.forbid(name, where)

    def drain(self, name: str | None = None, where: Any = None, *, since: Mark = 0) -> list[Message]:
        """See `Channel.drain`."""
        return self.channel.drain(name, where, since=since)

    def mark(self) -> Mark:
        """See `Channel.mark`."""
        return self.channel.mark()

    def close(self, code: int = 1000, reason: str = "") -> Pending[Ending]:
        """See `Channel.close`."""
        return self.channel.close(code, reason)

    def later(self, delay_s: float, function: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        """Call it after `delay_s` if the run lasts. What it raises fails the run. The handle has `cancel()`."""
        return self.engine.later(delay_s, function, *arguments)

    @property
    def channel(self) -> Channel:
        """The first channel declared that carries messages."""
        channel = self._channel
        if channel is None:
            raise self._not_attached()
        return channel

    @property
    def channels(self) -> dict[str, Channel | HttpChannel]:
        """The live channels by name, in the order of their declaration."""
        return dict(self.__dict__.get("_channels", {}))

    @property
    def is_connected(self) -> bool:
        """True while any of its message channels is open."""
        return any(isinstance(channel, Channel) and channel.is_open for channel in self.channels.values())

    @property
    def engine(self) -> Engine:
        """The run that this actor is in."""
        engine: Engine | None = self.__dict__.get("_engine")
        if engine is None:
            raise self._not_attached()
        return engine

    def _not_attached(self) -> ScenarioError:
        kind = type(self)
        if "_engine" in self.__dict__:
            return ScenarioError(
                f"{kind.__name__} declares no channel that carries messages", hint="desk = WebSocket(…)"
            )
        return ScenarioError(
            f"this {kind.__name__} is in no scenario, so it is not connected",
            hint="actors are connected while play() or perform() performs a scenario that has them as parameters",
        )

    # -- the life of an actor in a run --------------------------------------------------------------------------------

    def attach(self, engine: Engine, name: str, stand: Stand, user: User | None = None) -> None:
        """Put the actor into a run: make its channels, not yet open. Whoever performs a run calls this."""
        self.name = name
        self.__dict__.update(_engine=engine, _user=user, _channels={}, _channel=None)
        if user is not None:
            engine.journal.masker.learn_from(vars(user))
        for declared, declaration in self._declarations.items():
            channel = declaration.make(engine, name, self._handlers(declared), stand, lambda: vars(self))
            self.__dict__["_channels"][declared] = channel
            if isinstance(channel, Channel):
                self._channel = self._channel or channel

    @classmethod
    def message_channels(cls) -> list[str]:
        """The names of the channels that carry messages, in the order of declaration."""
        return [name for name, declared in cls._declarations.items() if isinstance(declared, (Line, Accepted))]

    async def connect(self) -> None:
        """Arrive, and open every channel that opens by itself, in the order of declaration."""
        await self.arrive()
        for name, declaration in self._declarations.items():
            channel = self.channels[name]
            if (
                isinstance(channel, Channel)
                and isinstance(declaration, (Line, Accepted))
                and declaration.opens == "arriving"
            ):
                await channel.open()

    async def disconnect(self) -> None:
        """Close every channel."""
        for channel in self.channels.values():
            await channel.close()

    def _handlers(self, channel: str) -> Handlers:
        handlers = Handlers()
        for method, (trigger, only) in self._reactions.items():
            if only not in (None, channel):
                continue
            bound = getattr(self, method)
            if trigger == ANY:
                handlers.other = bound
            elif trigger == _OPENED:
                handlers.opened = bound
            elif trigger == _CLOSED:
                handlers.closed = bound
            else:
                handlers.named[trigger] = bound
        return handlers


_OPENED = "(opened)"
_CLOSED = "(closed)"


class _On:
    """Marks handlers; see `on`."""

    def __call__(self, name: str, *, channel: str | None = None) -> Callable[[F], F]:
        if not isinstance(name, str):
            raise ScenarioError(f"@on takes the name of a message, not {name!r}", hint='@on("ping")')
        return self._mark(name, channel)

    def opened(self, function: F) -> F:
        """A handler without arguments: the channel is open, and nothing has been received yet."""
        return self._mark(_OPENED, None)(function)

    def closed(self, function: F) -> F:
        """A handler of the channel's `Ending`."""
        return self._mark(_CLOSED, None)(function)

    def unreadable(self, function: F) -> F:
        """A handler of data that the dialect cannot read; without one such data fails the run."""
        return self._mark(UNREADABLE, None)(function)

    def _mark(self, trigger: str, channel: str | None) -> Callable[[F], F]:
        def mark(function: F) -> F:
            function._antiphon_reactions = ((trigger, channel),)  # type: ignore[attr-defined]
            return function

        return mark


on: Final = _On()
"""`@on("ping")` makes a method a handler: it sees every message of that name, first, in order, in every wait.

It does not take the message from the mailbox. What it returns answers a request; `Refusal` refuses it; anything else
that it raises fails the run. `channel=` restricts it to one channel. Also `@on(ANY)`, `@on.opened`, `@on.closed`,
`@on.unreadable`.
"""


class action(Generic[A, P, R]):  # noqa: N801 - a decorator, and written as one
    """Makes an `async def` method an action: calling it gives a step.

    On the class the step is for whoever plays that class, on an instance it is that actor's. Awaiting it performs it
    now.
    """

    def __init__(self, function: Callable[Concatenate[A, P], Awaitable[R]]) -> None:
        if not inspect.iscoroutinefunction(function):
            raise ScenarioError(
                f"the action {getattr(function, '__name__', function)} is not async",
                place=place_of(function),
                hint="write `async def`, or leave the decorator out if it is no step",
            )
        self.function = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

        @wraps(function)
        def make(actor: A, /, *args: P.args, **kwargs: P.kwargs) -> Step[R]:
            step: _ActionStep[R] = _ActionStep(self.__name__, args, kwargs, caller())
            step.actor = actor
            step.function = function
            return step

        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name

    @overload
    def __get__(self, instance: None, owner: type) -> Callable[P, Step[R]]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Callable[P, Step[R]]: ...
    def __get__(self, instance: Any, owner: type) -> Callable[P, Step[R]]:
        if instance is not None:
            return MethodType(self._make, instance)

        @wraps(self.function)
        def make(*args: P.args, **kwargs: P.kwargs) -> Step[R]:
            step: _ActionStep[R] = _ActionStep(self.__name__, args, kwargs, caller())
            step.actor_kind = owner
            step.function = self.function
            return step

        return make


class _ActionStep(Step[R]):
    """An action with its arguments, of one actor or of whoever plays the class."""

    actor: Any = None
    function: Callable[..., Awaitable[R]]

    def who(self) -> str:
        return self.actor.name if self.actor is not None else ""

    def stage_outside(self) -> Stage:
        return _Alone(self.actor.engine) if self.actor is not None else super().stage_outside()

    def perform(self, stage: Stage) -> Coroutine[Any, Any, R]:
        if self.actor_kind is None:
            return self._perform(stage)
        bound = copy.copy(self)
        bound.actor, bound.actor_kind = stage.actor_for(self.actor_kind, self), None
        overriding = inspect.getattr_static(type(bound.actor), self.name, None)
        if isinstance(overriding, action):
            bound.function = overriding.function
        return bound._perform(stage)

    def check(self) -> None:
        require_fit(self, self.function, None, *self.args, **self.kwargs)

    def _do(self, stage: Stage, step: StepStarted) -> Awaitable[R]:
        args = [stage.resolve(value) for value in self.args] if self.args else ()
        kwargs = {name: stage.resolve(value) for name, value in self.kwargs.items()} if self.kwargs else {}
        try:
            return self.function(self.actor, *args, **kwargs)
        except TypeError:
            # Calling an async function only binds its arguments: they are what is wrong.
            self.check()
            raise


class _Alone:
    """The stage of an actor that is in no scenario: the server's end of a connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def actor_for(self, kind: type, step: Step[Any]) -> Any:
        raise ScenarioError(
            f"{step.name} was made on the class {kind.__name__}, and there is no scenario to find its actor in"
        )

    def resolve(self, value: Any) -> Any:
        return value

    def save(self, name: str, value: Any) -> None:
        """Nothing is kept outside a scenario."""
