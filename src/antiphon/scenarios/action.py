"""Actions: what an actor can do, in the words of the business. Called, an action gives a step."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from functools import partial, wraps
from operator import attrgetter
from types import MappingProxyType, MethodType
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

import msgspec

from antiphon.conversation.quick_writes import quick_writes
from antiphon.errors import ScenarioError
from antiphon.journal import Argument
from antiphon.journal.arguments import GivenArguments
from antiphon.journal.masking import Masker
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.call_site import Place, caller, find_place, getframe, known_place, place_of
from antiphon.runtime.runtime import Runtime
from antiphon.scenarios.signals import Signals
from antiphon.scenarios.step import (
    STAGE,
    Stage,
    Step,
    WrittenStep,
    may_take_secrets,
    parameter_names,
    require_fit,
    told_arguments,
)
from antiphon.scenarios.timers import Timers

__all__ = ["action"]

_NONE_GIVEN: Mapping[str, Any] = MappingProxyType({})  # else a dict for each step that is kept, and mostly empty
MYPY = False  # true for mypy alone, as it documents
P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R", covariant=True)


class action(Generic[P, R]):  # noqa: N801 - a decorator, and written as one
    """Makes an `async def` method an action: calling it gives a step.

    On the class the step is for whoever plays that class, on an instance it is that actor's. Awaiting it performs it
    now.
    """

    is_action: ClassVar[bool] = True
    """By this an actor's class, which is below scenarios, knows it."""

    # P has the actor in it; what is looked up on a class or an instance has not. To a `Concatenate` mypy lets nothing
    # with `**fields` fit, since one of them may be called self; for pyright an action that a subclass overrides is of
    # another type as long as P has the actor's own class in it.
    if MYPY:

        def __init__(self, function: Callable[P, Awaitable[R]]) -> None:
            self._begin(function)

    else:

        def __init__(
            self: action[Concatenate[Any, Q], R], function: Callable[Concatenate[Any, Q], Awaitable[R]]
        ) -> None:
            self._begin(function)

    def _begin(self, function: Callable[..., Awaitable[R]]) -> None:
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
        def make(actor: Any, /, *args: Any, **kwargs: Any) -> Step[R]:
            frame = getframe(1)
            source = known_place(id(frame.f_code) + frame.f_lasti) or find_place(frame)
            return _ActionStep(self.__name__, args, kwargs or _NONE_GIVEN, source, actor, function)

        self._make = make
        self._of_class: tuple[type, Callable[..., Step[R]]] | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name

    def __get__(self: action[Concatenate[Any, Q], R], instance: object, owner: type) -> Callable[Q, Step[R]]:
        if instance is not None:
            return MethodType(self._make, instance)
        # A workflow is written anew for each run, and mostly for the same class.
        known = self._of_class
        if known is None or known[0] is not owner:
            known = self._of_class = (owner, self._made_on(owner))
        return known[1]

    def _made_on(self, owner: type) -> Callable[..., Step[R]]:
        """What makes a step for whoever plays that class."""

        @wraps(self.function)
        def make(*args: Any, **kwargs: Any) -> Step[R]:
            return _RoleStep(self.__name__, args, kwargs, caller(), owner, self.function)

        return make


@quick_writes
class _ActionStep(Step[R], msgspec.Struct, Generic[R], eq=False):
    """An action of one actor, with its arguments: a struct, for the interpreter makes nothing sooner."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    source: Place
    actor: Any
    function: Callable[..., Awaitable[R]]
    is_awaited: bool = False

    is_action: ClassVar[bool] = True

    who = property(attrgetter("actor.name"))  # all of it in C, as it is asked for each time

    def argument_names(self) -> Sequence[str]:
        return parameter_names(self.function, len(self.args) + 1)[1:]

    def given(self, masker: Masker) -> Sequence[Argument]:
        # Made of what it is given and not of itself: else the record would lead to the actor, and that to the record.
        if not self.args and not self.kwargs:
            return ()
        return GivenArguments(partial(_told, masker, self.function, self.args, self.kwargs))

    def stage_outside(self) -> Stage:
        return _Alone(self.actor.runtime)

    def check(self) -> None:
        require_fit(self, self.function, None, *self.args, **self.kwargs)

    def _do(self, stage: Stage, step: PerformedStep) -> Awaitable[R]:
        try:
            # The most frequent case, and nothing can be a reference then.
            if not self.args and not self.kwargs:
                function = self.function  # else it is looked up as a method would be
                return function(self.actor)
            args, kwargs, function = self.args, self.kwargs, self.function
            masker = stage.runtime.masker
            if may_take_secrets(function) or masker.has_own_fields:
                self.teach(masker)
            resolve = stage.resolve
            return function(self.actor, *map(resolve, args), **{name: resolve(value) for name, value in kwargs.items()})
        except TypeError:
            # Calling an async function only binds its arguments: they are what is wrong.
            self.check()
            raise


def _told(
    masker: Masker, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Iterator[Argument]:
    return told_arguments(masker, parameter_names(function, len(args) + 1)[1:], args, kwargs)


class _RoleStep(WrittenStep[R]):
    """An action with its arguments, of whoever plays the class when it is performed."""

    def __init__(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        source: Place,
        kind: type,
        function: Callable[..., Awaitable[R]],
    ) -> None:
        super().__init__(name, args, kwargs, source)
        self._kind = kind
        self._function = function

    def argument_names(self) -> Sequence[str]:
        return parameter_names(self._function, len(self.args) + 1)[1:]

    @property
    def actor_kind(self) -> type:
        return self._kind

    def check(self) -> None:
        require_fit(self, self._function, None, *self.args, **self.kwargs)

    def __await__(self) -> Generator[Any, Any, R]:
        self.is_awaited = True
        stage = STAGE.get()
        actor = (stage if stage is not None else self.stage_outside()).actor_for(self._kind, self)
        function = self._function
        if type(actor) is not self._kind:
            # Like a method call: the step was made on a base class, and the actor's own class may know better. Looked
            # up statically, since `getattr` would make a step of it.
            overriding = inspect.getattr_static(type(actor), self.name, None)
            function = overriding.function if isinstance(overriding, action) else function
        step: _ActionStep[R] = _ActionStep(self.name, self.args, dict(self.kwargs), self.source, actor, function)
        return step.__await__()


class _Alone:
    """The stage of an actor that is in no scenario: the server's end of a connection."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @property
    def signals(self) -> Signals:
        raise ScenarioError("a signal needs a scenario", hint="signals are given and awaited in scenarios only")

    @property
    def timers(self) -> Timers:
        raise ScenarioError("a timer needs a scenario", hint="timers are used in scenarios only")

    def actor_for(self, kind: type, step: Step[Any]) -> Any:
        raise ScenarioError(
            f"{step.name} was made on the class {kind.__name__}, and there is no scenario to find its actor in"
        )

    def resolve(self, value: Any) -> Any:
        return value

    def save(self, name: str, value: Any) -> None:
        """Nothing is kept outside a scenario."""
