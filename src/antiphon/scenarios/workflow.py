"""The words of a workflow beside the actors' own actions. Each makes a step; awaited, it is done now."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec

from antiphon.actor.actor import Actor
from antiphon.actor.channel import Channel
from antiphon.actor.declarations import Link
from antiphon.conversation.checks import is_soft, why
from antiphon.conversation.http_response import HttpResponse
from antiphon.conversation.match import describe, matches
from antiphon.conversation.message import Message
from antiphon.conversation.named_fields import named_fields
from antiphon.conversation.names import B, Wanted
from antiphon.conversation.typed import class_name, is_body_type, is_typed
from antiphon.conversation.wording import shorten
from antiphon.errors import CheckFailed, ScenarioError
from antiphon.journal import Argument, Called, Deferred
from antiphon.journal.arguments import named_things
from antiphon.journal.masking import Masker
from antiphon.journal.performed import PerformedStep
from antiphon.runtime.call_site import Place, caller
from antiphon.runtime.threads import in_thread
from antiphon.scenarios.no_step import close_coroutines, no_function, no_step
from antiphon.scenarios.root_cause import cause_of
from antiphon.scenarios.saved import Reference
from antiphon.scenarios.step import Stage, Step, WrittenStep, parameter_names, require_fit, told_arguments

__all__ = ["call", "check", "expect", "send", "together", "wait", "workflow_steps"]

R = TypeVar("R", covariant=True)


def wait(seconds: float) -> Step[None]:
    """Let time pass; what comes meanwhile is received, handled and answered as ever."""
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or seconds < 0:
        raise ScenarioError(f"wait() takes seconds from 0 on, not {seconds!r}")
    return _Wait("wait", (seconds,), source=caller())


def call(function: Callable[..., Any], /, *args: Any, save_as: str | None = None, **kwargs: Any) -> Step[Any]:
    """Call any function, sync or async, with these arguments; those with `saved` references are looked up then.

    A sync function runs in a thread, so it may block. The result is in `run.returned` and under `saved` as `save_as`,
    or as the function's own name.
    """
    if not callable(function):
        raise no_function(function)
    # Judged where it is written: when the step's turn comes, the author's line is far away.
    step = _Call(function, args, kwargs, save_as, caller())
    require_fit(step, function, *args, **kwargs)
    return step


def together(*steps: Any) -> Step[list[Any]]:
    """Do steps (or whole lists of steps) at the same time; the results in the order given.

    The first failure cancels the others and is raised; its notes tell what was cancelled and what else failed.
    """
    return _Together(steps)


By = Actor | type[Actor] | Channel | Link | None
"""Who does it: an actor or its class, on the first channel; a channel of one (`alice.media`, `Operator.media`)."""


def send(name: object, body: Any = None, /, *, by: By = None, **fields: Any) -> Step[None]:
    """Say a message (see `Channel.send`). `by` is who says it, see `By`; it may be left out if there is one actor."""
    return _Say(name, body, by, fields)


def expect(
    name: Wanted[B],
    where: Any = None,
    *,
    check: Any = None,
    within_s: float | None = None,
    save_as: str | None = None,
    by: By = None,
) -> Step[B]:
    """Wait for a message (see `Channel.expect`); `save_as` keeps it under `saved`. `by` as for `send`."""
    return _Expect(name, where, check, within_s, save_as, by)


def check(value: Any, pattern: Any) -> Step[None]:
    """Require that a value fits a pattern (see `antiphon.conversation.match`).

    Of a message or an HTTP reply it is the body that must fit. The value may be a `saved` reference.
    `check(saved.record, soft({"state": "finished"}))` collects: the scenario goes on, and the run fails at its end.
    Raises CheckFailed, with every field that does not fit.
    """
    return _Check("check", (value, pattern))


def workflow_steps(workflow: Any, place: str, what: str = "the workflow") -> list[Step[Any]]:
    """The steps of a workflow: a step, or a list of steps and such lists. Raises ScenarioError for anything else."""
    try:
        return _flat(workflow, place, what, what)
    except ScenarioError:
        close_coroutines((workflow,))
        raise


def _flat(workflow: Any, place: str, what: str, whole: str) -> list[Step[Any]]:
    if isinstance(workflow, Step):
        return [workflow]
    if not isinstance(workflow, (list, tuple)):
        raise no_step(workflow, what, place)
    flat = (_flat(item, place, f"item {index} of {whole}", whole) for index, item in enumerate(workflow))
    return list(chain.from_iterable(flat))


_LEARNT_FROM: Final = (str, Mapping, list, tuple, int, float, type(None))
"""What `Masker.learn_from` looks through, and what holds no secret."""

_TEACHES_NOTHING: Final = frozenset({Reference, int, float, bool, type(None)})
"""What holds no secret, whatever it is called."""


class _Wait(WrittenStep[None]):
    async def _do(self, stage: Stage, step: PerformedStep) -> None:
        await asyncio.sleep(self.args[0])


class _Call(WrittenStep[Any]):
    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        save_as: str | None,
        source: Place,
    ) -> None:
        super().__init__("call", args, kwargs, source)
        self._function = function
        self._function_name = getattr(function, "__name__", type(function).__name__)
        self._save_as = save_as if save_as is not None else self._function_name

    def argument_names(self) -> Sequence[str]:
        return parameter_names(self._function, len(self.args))

    def arguments(self, masker: Masker) -> Iterator[Argument]:
        yield named_things(self._function_name)
        yield from super().arguments(masker)

    async def _do(self, stage: Stage, step: PerformedStep) -> Any:
        if not _TEACHES_NOTHING.issuperset(map(type, (*self.args, *self.kwargs.values()))):
            self.teach(stage.runtime.masker)
        args = [stage.resolve(value) for value in self.args]
        kwargs = {name: stage.resolve(value) for name, value in self.kwargs.items()}
        if inspect.iscoroutinefunction(self._function):
            result = await self._function(*args, **kwargs)
        else:
            result = await in_thread(self._function, *args, **kwargs)
            # A lambda or a partial around an async function: only its call can tell.
            if inspect.isawaitable(result):
                result = await result
        stage.save(self._save_as, result)
        runtime = stage.runtime
        masker = runtime.masker
        at_ns, names = runtime.now_ns(), (self._function_name, self._save_as)
        told = Deferred(at_ns, partial(_called, at_ns, step.number, names, result, masker))
        if isinstance(result, _LEARNT_FROM):
            # As it is now, and not when the entry is read: by then that may have fallen out of memory.
            self._teach_result(masker, result)
            runtime.record(told)
        else:
            runtime.record(told.make())
        return result

    def _teach_result(self, masker: Masker, result: Any) -> None:
        if isinstance(result, (dict, list)):
            with suppress(TypeError, ValueError, RecursionError):  # what JSON does not have
                masker.learn_from_json(result, msgspec.json.encode(result), self._save_as)
                return
        masker.learn_from({self._save_as: result})


def _called(at_ns: int, number: int, names: tuple[str, str], result: Any, masker: Masker) -> Called:
    function, save_as = names
    told = masker.shown(save_as, result)
    return Called(at_ns=at_ns, number=number, function=function, save_as=save_as, result=told)


class _Together(WrittenStep[list[Any]]):
    def __init__(self, parts: tuple[Any, ...]) -> None:
        super().__init__("together")
        try:
            self.parts = [
                workflow_steps(part, self.source, f"part {number} of together()")
                for number, part in enumerate(parts, start=1)
            ]
        except ScenarioError:
            close_coroutines(parts)
            raise
        self._are_lists = [not isinstance(part, Step) for part in parts]

    def arguments(self, masker: Masker) -> Iterator[Argument]:
        return (named_things(" + ".join(step.name for step in part)) for part in self.parts)

    def with_parts(self) -> Iterable[Step[Any]]:
        return (self, *(inner for part in self.parts for step in part for inner in step.with_parts()))

    async def _do(self, stage: Stage, step: PerformedStep) -> list[Any]:
        tasks: list[asyncio.Task[list[Any]]] = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks += [group.create_task(_in_order(part)) for part in self.parts]
        # A group says only that several things happened; the author wants the one that came first.
        except BaseExceptionGroup as failures:
            raise cause_of(failures) from None
        results = [task.result() for task in tasks]
        return [result if is_list else result[0] for result, is_list in zip(results, self._are_lists, strict=True)]


async def _in_order(steps: Iterable[Step[Any]]) -> list[Any]:
    return [await step for step in steps]


class _Spoken(WrittenStep[R]):
    """A step on a channel."""

    def __init__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], by: By) -> None:
        super().__init__(name, args, kwargs)
        if by is not None and not isinstance(by, (Actor, Channel, Link, type)):
            # Whatever the types say: not everybody has them checked.
            text = f"{name}() takes by= as an actor, its class or a channel, not {shorten(by)}"  # type: ignore[unreachable]
            raise ScenarioError(text, place=self.source)
        self._by = by

    @property
    def who(self) -> str:
        by = self._by
        return by.name if isinstance(by, Actor) else by.actor if isinstance(by, Channel) else ""

    def _channel(self, stage: Stage) -> Channel:
        by = self._by
        if isinstance(by, Channel):
            return by
        if isinstance(by, Link):
            actor = stage.actor_for(by.owner, self)
            channel: Channel = actor.channels[by.name]
            return channel
        if not isinstance(by, Actor):
            by = stage.actor_for(by if by is not None else Actor, self)
        return by.channel


class _Say(_Spoken[None]):
    def __init__(self, name: Any, body: Any, by: By, fields: dict[str, Any]) -> None:
        self._typed = name if is_typed(name) else None
        # By its fields, so that what is told of the step has no secrets of it.
        said = (class_name(name.__class__), dict(named_fields(name) or ())) if is_typed(name) else (name,)
        super().__init__("send", (*said, *([body] if body is not None else [])), fields, by)

    def argument_names(self) -> Sequence[str]:
        return ("", self.args[0], "")[: len(self.args)]

    async def _do(self, stage: Stage, step: PerformedStep) -> None:
        fields = {name: stage.resolve(value) for name, value in self.kwargs.items()}
        said, *given = map(stage.resolve, self.args)
        if self._typed is not None:
            said = _with_fields(self._typed, given.pop(0))
        self._channel(stage).send(said, *given, **fields)


def _with_fields(typed: Any, fields: Mapping[str, Any]) -> Any:
    """The same with these fields: what was saved stands in the place of references."""
    if all(getattr(typed, name) is value for name, value in fields.items()):
        return typed
    made = copy(typed)
    for name, value in fields.items():
        object.__setattr__(made, name, value)  # also of a type whose instances are frozen
    return made


class _Expect(_Spoken[Any]):
    def __init__(self, name: Any, where: Any, check: Any, within_s: float | None, save_as: str | None, by: By) -> None:
        given = {"where": where, "check": check, "within_s": within_s, "save_as": save_as}
        super().__init__("expect", (name,), {key: value for key, value in given.items() if value is not None}, by)
        self._save_as = save_as

    def arguments(self, masker: Masker) -> Iterator[Argument]:
        wanted = self.args[0]
        types = [each for each in (wanted if isinstance(wanted, tuple) else (wanted,)) if is_body_type(each)]
        if not types:
            return super().arguments(masker)
        given = told_arguments(masker, (), (), self.kwargs)
        return chain([named_things(" or ".join(map(class_name, types)))], given)

    async def _do(self, stage: Stage, step: PerformedStep) -> Any:
        options = {key: stage.resolve(value) for key, value in self.kwargs.items() if key != "save_as"}
        message = await self._channel(stage).expect(self.args[0], **options)
        if self._save_as is not None:
            stage.save(self._save_as, message)
        return message


class _Check(WrittenStep[None]):
    async def _do(self, stage: Stage, step: PerformedStep) -> None:
        value, pattern = (stage.resolve(given) for given in self.args)
        body = value.body if isinstance(value, (Message, HttpResponse)) else value
        if matches(pattern, body):
            return
        wanted = describe(pattern.pattern if is_soft(pattern) else pattern)
        lines = [f"the value does not fit {wanted}", *map(str, why(pattern, body))]
        error = CheckFailed("\n  ".join(lines), place=self.source)
        if not is_soft(pattern):
            raise error
        stage.runtime.tell_soft(error)
