"""Actors: the parties that we play. A class has channels, actions, handlers, and attributes for what it learns."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, ClassVar, Literal, TypeVar
from weakref import ref

from antiphon.actor.channel import Channel, Mark
from antiphon.actor.declarations import Accepted, Declaration, Link
from antiphon.actor.handlers import Handlers, Trigger, triggers_of
from antiphon.actor.http_channel import HttpChannel
from antiphon.actor.party import Party
from antiphon.actor.typed_handlers import typed_handler
from antiphon.conversation.ending import Ending
from antiphon.conversation.message import Message
from antiphon.conversation.names import B, Wanted
from antiphon.conversation.waits import Exchange, Wait
from antiphon.errors import ScenarioError
from antiphon.runtime.call_site import place_of
from antiphon.runtime.runtime import Runtime
from antiphon.stand.stand import Stand
from antiphon.stand.users import User

__all__ = ["Actor"]


A = TypeVar("A", bound=Callable[..., Any])


def _quick(ask: A) -> A:
    """`Actor.ask`, with the two parameters that are given seldom left among the fields.

    The interpreter compares the name of each field with those of all the parameters that are given by name: with four
    that is a fiftieth of a round trip.
    """

    @wraps(ask)
    def quick(
        self: Actor,
        name: object,
        body: Any = None,
        /,
        *,
        check: Any = None,
        within_s: float | None = None,
        **fields: Any,
    ) -> Any:
        if "reply" in fields or "provisional" in fields:
            return ask(self, name, body, check=check, within_s=within_s, **fields)
        # Not through the property: this is called as often as anything, and a property is a call more.
        try:
            exchange = self._channel.exchange  # type: ignore[union-attr]
        except AttributeError:  # in no run, or None
            raise self._not_attached() from None
        return exchange(name, body, fields, check, within_s)

    return quick  # type: ignore[return-value]  # it takes what the other takes


class Actor:
    """One party that we play.

    Subclasses declare channels (`desk = WebSocket("{centre}/desk", dialect=…)`), actions (`@action async def`),
    handlers (`@on("ping")`), and set plain attributes for what they learn. `name` is that of the scenario's
    parameter, `user` who it is (see `antiphon.stand.users.User`). `send`, `ask`, `expect` and the like speak on the
    first channel declared; the others are reached by their names, as `self.media.expect(…)`.
    """

    name: str = ""
    _channel: Channel | None
    _declarations: ClassVar[dict[str, Declaration[Any]]] = {}
    _reactions: ClassVar[dict[str, tuple[Trigger, ...]]] = {}
    _heard: ClassVar[dict[str, tuple[tuple[str, Any, str], ...]]] = {}
    _misplaced: ClassVar[tuple[str, str] | None] = None
    _arriving: ClassVar[tuple[str, ...]] = ()
    _speaking: ClassVar[tuple[str, ...]] = ()
    _has_async_handlers: ClassVar[bool] = False
    _wanted_user: Mapping[str, Any] | None = None
    needs_user: ClassVar[bool] = True

    def __init_subclass__(cls, *, user: str | Mapping[str, Any] | Literal[False] | None = None, **options: Any) -> None:
        """`user` is who its actors are: a pattern for the fields of users, the name of one, or False for nobody."""
        super().__init_subclass__(**options)
        cls.needs_user = user is not False and (cls.needs_user or user is not None)
        if user is not None and user is not False:
            cls._wanted_user = _user_pattern(user)
        # Copies, so that a subclass adds to what it inherits and changes nothing there.
        cls._declarations = dict(cls._declarations)
        cls._reactions = dict(cls._reactions)
        for name, value in vars(cls).items():
            made = triggers_of(value)
            if made or isinstance(value, Declaration) or getattr(value, "is_action", False):
                _require_free(cls, name, value)
            if isinstance(value, Declaration):
                cls._declarations[name] = value
            if made:
                cls._reactions[name] = made
        # What every run of the class would find again.
        links = [(name, each) for name, each in cls._declarations.items() if isinstance(each, (Link, Accepted))]
        cls._speaking = tuple(name for name, _ in links)
        cls._arriving = tuple(name for name, each in links if each.opens == "arriving")
        cls._heard = {name: _heard_on(name, each, cls._reactions) for name, each in cls._declarations.items()}
        placed = ((method, only) for method, made in cls._reactions.items() for _, only in made if only is not None)
        cls._misplaced = next((each for each in placed if each[1] not in cls._declarations), None)
        cls._has_async_handlers = any(
            inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
            for method in (getattr(cls, name) for name in cls._reactions)
        )

    def __init__(self, *, user: str | Mapping[str, Any] | None = None) -> None:
        """`user` is who this actor is: a pattern for the fields of users, or the name of one."""
        if user is not None:
            self.be(user)

    def be(self, user: str | Mapping[str, Any]) -> None:
        """Say who this actor is to be, as `__init__` does: before its scenario is performed."""
        self._wanted_user = _user_pattern(user)

    # -- what subclasses may define -----------------------------------------------------------------------------------

    async def arrive(self) -> None:
        """Called before the channels open: log in, set headers."""

    async def leave(self) -> None:
        """Called before the channels close, also after a failure: log out."""

    @property
    def wanted_user(self) -> Mapping[str, Any] | None:
        """A pattern (see `antiphon.conversation.match`) for the fields of the user that it is to be; None for any."""
        return self._wanted_user

    @property
    def user(self) -> User:
        """Who this actor is on the stand. Raises ScenarioError if the stand has no users."""
        user: User | None = self.__dict__.get("_user")
        if user is None and not self.needs_user:
            raise ScenarioError(
                f"{self.name or type(self).__name__} is nobody's user",
                hint=f"its class says so: class {type(self).__name__}(…, user=False)",
            )
        if user is None:
            raise ScenarioError(
                f"{self.name or type(self).__name__} needs a user, and the stand has none",
                hint='add users to the stand: users = [{ name = "alice", password = "…" }]',
            )
        return user

    # -- speaking and waiting on the first channel --------------------------------------------------------------------

    def send(self, name: object, body: Any = None, /, **fields: Any) -> None:
        """Say it: a message of that name, whose body is `body` or is made of `fields`; or an instance of its type.

        Raises ChannelClosed when there is no connection, ScenarioError when such a message cannot be said.
        """
        self.channel.send(name, body, **fields)

    @_quick
    def ask(
        self,
        name: object,
        body: Any = None,
        /,
        *,
        reply: type[B] | tuple[type[B], ...] | None = None,
        provisional: Any = None,
        check: Any = None,
        within_s: float | None = None,
        **fields: Any,
    ) -> Exchange[B]:
        """Send a request now, as `send` does; await what this returns for its answer, or iterate it for every reply.

        Only replies to this request count. An error reply raises RequestRefused at once; an answer that does not fit
        `check`, or the type `reply` that is to be given, CheckFailed. `provisional` replies (of these names, or whose
        body fits this pattern) are followed by others. The deadline runs from the sending.
        """
        return self.channel.ask(
            name, body, reply=reply, provisional=provisional, check=check, within_s=within_s, **fields
        )

    def answer(self, request: Message, body: Any = None, /, *, is_last: bool = True, **fields: Any) -> bool:
        """Answer a received request with that body; nothing happens if the connection that it came on is gone.

        `is_last` is False if other answers follow; gives whether this one is the last, as the dialect says it.
        """
        return self.channel.answer(request, body, is_last=is_last, **fields)

    def refuse(self, request: Message, code: int | str, message: str, /, **fields: Any) -> None:
        """Answer a received request with the dialect's failure; nothing happens if its connection is gone."""
        self.channel.refuse(request, code, message, **fields)

    def expect(
        self,
        name: Wanted[B] = None,
        where: Any = None,
        *,
        check: Any = None,
        since: Mark = 0,
        within_s: float | None = None,
    ) -> Wait[B]:
        """Wait for a message: the oldest in the mailbox that matches, or else the first that comes.

        name: one, or a tuple of several; None for a message of any name; a type, or several, to be given an instance.
        where: a pattern or a predicate of the body (see `antiphon.conversation.match`); it selects.
        check: a pattern that the selected message must fit. since: a `mark()`; what came before does not count.
        """
        return self.channel.expect(name, where, check=check, since=since, within_s=within_s)

    def expect_none(
        self, name: Wanted[Any] = None, where: Any = None, *, within_s: float, since: Mark = 0
    ) -> Wait[None]:
        """Wait for `within_s` to pass without such a message.

        One that lies in the mailbox already, or comes, raises ForbiddenMessage.
        """
        return self.channel.expect_none(name, where, within_s=within_s, since=since)

    def expect_close(self, code: int | None = None, *, within_s: float | None = None) -> Wait[Ending]:
        """Wait for the connection to end, with that close code if given; a connection that has ended counts."""
        return self.channel.expect_close(code, within_s=within_s)

    def expect_finish(self, *, within_s: float | None = None) -> Wait[None]:
        """Wait for the peer to say that it says no more: by its end of sending (`allow_half_open`), or its goodbye."""
        return self.channel.expect_finish(within_s=within_s)

    def until(self, predicate: Callable[[], Any], *, within_s: float | None = None) -> Wait[None]:
        """Wait until `predicate()` is true; it is looked at now and after every message of this channel."""
        return self.channel.until(predicate, within_s=within_s)

    def forbid(self, name: Wanted[Any], where: Any = None) -> AbstractContextManager[None]:
        """Inside the `with`, a message of such a name that fits `where` fails the run at once."""
        return self.channel.forbid(name, where)

    def drain(self, name: Wanted[B] = None, where: Any = None, *, since: Mark = 0) -> list[B]:
        """Take every such message out of the mailbox, oldest first. Of types it gives instances, as `expect` does."""
        return self.channel.drain(name, where, since=since)

    def mark(self) -> Mark:
        """This moment, for `since=`."""
        return self.channel.mark()

    def ignore(self, name: Wanted[Any], where: Any = None) -> None:
        """Such messages, of any moment of this run, need not be expected in strict mode; name None: of any name."""
        self.channel.ignore(name, where)

    def close(self, code: int | None = None, reason: str = "") -> Wait[Ending]:
        """Say goodbye now, with that code (WebSocket: 1000 if none is given) and reason; await it for how it ended.

        Raises ScenarioError for a code or reason that cannot be sent.
        """
        return self.channel.close(code, reason)

    def finish(self) -> None:
        """Say no more, and hear on. Raises ScenarioError without a connection, or on one whose ways end together."""
        self.channel.finish()

    def later(self, delay_s: float, function: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        """Call it after `delay_s` if the run lasts. What it raises fails the run. The handle has `cancel()`."""
        return self.runtime.later(delay_s, function, *arguments)

    @property
    def channel(self) -> Channel:
        """The first channel declared that carries messages."""
        channel: Channel | None = self.__dict__.get("_channel")
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
    def runtime(self) -> Runtime:
        """The run that this actor is in."""
        runtime: Runtime | None = self.__dict__.get("_runtime")
        if runtime is None:
            raise self._not_attached()
        return runtime

    def _not_attached(self) -> ScenarioError:
        kind = type(self)
        if "_runtime" in self.__dict__:
            return ScenarioError(
                f"{kind.__name__} declares no channel that carries messages", hint="desk = WebSocket(…)"
            )
        return ScenarioError(
            f"this {kind.__name__} is in no scenario, so it is not connected",
            hint="actors are connected while play() or perform() performs a scenario that has them as parameters",
        )

    # -- the life of an actor in a run --------------------------------------------------------------------------------

    def attach(self, runtime: Runtime, name: str, stand: Stand, user: User | None = None) -> None:
        """Put the actor into a run: make its channels, not yet open. Whoever performs a run calls this."""
        self.name = name
        # Past `__setattr__`, which is the author's: an actor may be a dataclass, or watch its attributes. In a table
        # of its own: in one that shares its names with other actors' the interpreter (CPython 3.11 and 3.12) looks
        # each name up, and in this one it tries first where it found it last.
        ours: dict[str, Any] = {
            "_runtime": runtime,
            "_user": user,
            "_channels": {},
            "_channel": None,
            "_handlers_made": [],
        }
        object.__setattr__(self, "__dict__", {**self.__dict__, **ours})
        if user is not None:
            runtime.masker.learn_later(dict(vars(user)).copy)
        if self._misplaced is not None:
            raise self._no_such_channel(*self._misplaced)
        itself = ref(self)

        def fields() -> Mapping[str, Any]:
            # Asked when an address or a codec needs them: `arrive` learns what belongs there.
            actor = itself()
            return vars(actor) if actor is not None else {}

        for declared, declaration in self._declarations.items():
            handlers = self._handlers(declared)
            channel = declaration.make(runtime, name, handlers, stand, Party(fields, user, runtime.masker))
            self.__dict__["_channels"][declared] = channel
            self.__dict__["_handlers_made"].append(handlers)
            if isinstance(channel, Channel):
                self._channel = self._channel or channel

    @classmethod
    def connections(cls) -> int:
        """How many connections an actor of it may have at once: one for each channel that it declares."""
        return len(cls._declarations)

    @classmethod
    def message_channels(cls) -> list[str]:
        """The names of the channels that carry messages, in the order of declaration."""
        return list(cls._speaking)

    @classmethod
    def has_async_handlers(cls) -> bool:
        """True if a message may set off more than a plain function."""
        return cls._has_async_handlers

    async def connect(self) -> None:
        """Arrive, and open every channel that opens by itself, in the order of declaration."""
        # Before any channel: what it learns (a login's token) goes into their addresses and headers.
        await self.arrive()
        for name in self._arriving:
            await self.__dict__["_channels"][name].open()

    async def disconnect(self) -> None:
        """Close every channel; nothing reacts any more."""
        try:
            channels = self.channels.values()
            for channel in channels:
                if isinstance(channel, Channel):
                    await channel.close()
            for channel in channels:  # later: a stream may have borrowed its session
                if isinstance(channel, HttpChannel):
                    await channel.close()
        finally:
            # They lead from the channels back here: all would stay until the garbage collector finds them.
            for handlers in self.__dict__["_handlers_made"]:
                handlers.clear()

    def _handlers(self, channel: str) -> Handlers:
        """Those of one channel."""
        handlers = Handlers()
        for name, kind, method in self._heard[channel]:
            handler = getattr(self, method)
            handlers.put(name, handler if kind is None else typed_handler(handler, kind))
        return handlers

    def _no_such_channel(self, method: str, only: str) -> ScenarioError:
        return ScenarioError(
            f"the handler {method} is for the channel {only!r}, which {type(self).__name__} does not have",
            place=place_of(getattr(self, method)),
            hint=f"its channels are: {', '.join(self._declarations) or 'none'}",
        )


def _heard_on(
    channel: str, declaration: Declaration[Any], reactions: Mapping[str, tuple[Trigger, ...]]
) -> tuple[tuple[str, Any, str], ...]:
    """Which names trigger which method there, as which type of body (None: as messages); a handler that is for this
    channel only goes before one for all."""
    if not isinstance(declaration, (Link, Accepted)):
        return ()
    found = [(only, trigger, method) for method, made in reactions.items() for trigger, only in made]
    # The sort keeps the order of the class otherwise; the last one put for a trigger is the one that counts.
    found.sort(key=lambda reaction: reaction[0] is not None)
    names_of = declaration.vocabulary.names_of
    return tuple(
        (name, None if name is trigger else trigger, method)
        for only, trigger, method in found
        if only in (None, channel)
        for name in ((trigger,) if isinstance(trigger, str) else names_of(trigger))
    )


def _require_free(cls: type[Actor], name: str, value: object) -> None:
    """Raise ScenarioError if a channel, handler or action would hide a word of `Actor`, as it would without a word.

    What `Actor` calls on its own, `arrive` and `leave`, is there to be defined, and a plain method may say more of its
    own before it calls what it overrides.
    """
    if name.startswith("_") or name in ("arrive", "leave") or name not in vars(Actor):
        return
    kind = "channel" if isinstance(value, Declaration) else "handler" if triggers_of(value) else "action"
    raise ScenarioError(
        f"the {kind} {cls.__name__}.{name} would hide the {name} that every actor has",
        place=place_of(getattr(value, "function", value)),
        hint=f"give it another name: {name}_…",
    )


def _user_pattern(user: str | Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": user} if isinstance(user, str) else user
