"""What stands where a step should, and is none: what to write instead."""

from __future__ import annotations

import inspect
from types import CoroutineType
from typing import Any

from antiphon.actor.actor import Actor
from antiphon.actor.channel import Channel
from antiphon.actor.http_channel import HttpChannel
from antiphon.conversation.waits import Wait
from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError

__all__ = ["close_coroutines", "no_function", "no_step"]


def no_step(item: Any, what: str, place: str) -> ScenarioError:
    """The error for it; `what` says where it stands."""
    if inspect.iscoroutine(item):
        name, said = item.__name__, _called_as(item)
        hint = f"write call({said})"
        if "." not in said or isinstance(_self_of(item), Actor):
            hint = f"make {name} an action of an actor with @action, or write call({said})"
        return ScenarioError(f"{what} is a coroutine of {name}, not a step", place=place, hint=hint)
    return ScenarioError(f"{what} is {shorten(item)}, not a step", place=place, hint=_hint(item))


def no_function(thing: Any) -> ScenarioError:
    """The error for what `call` was given in the place of a function."""
    told, written = shorten(thing), "fetch_record, …"
    if inspect.iscoroutine(thing):
        told, written = f"a coroutine of {thing.__name__}", _called_as(thing)
        thing.close()
    return ScenarioError(
        f"call() takes a function, not {told}", hint=f"call({written}), without brackets after its name"
    )


def _hint(item: Any) -> str:
    if isinstance(item, Wait):
        return "it is under way already: await all_of(…) for several; the step that waits is expect(…) of antiphon"
    if callable(item):
        return f"write {shorten(item)}(…)"
    if item is None:
        return (
            "a step is what an action, wait(), call(), send() and so on return; what `await` stands before has been "
            "done already, and gives its result"
        )
    return "a step is what an action, wait(), call(), send() and so on return"


def _called_as(coroutine: CoroutineType[Any, Any, Any]) -> str:
    """How its function is written for `call`: `alice.line.open`, and `fetch, …` where it was given arguments."""
    owner, name = _self_of(coroutine), coroutine.__name__
    frame = coroutine.cr_frame  # None once it is over
    given = {} if frame is None else frame.f_locals
    more = ", …" if frame is None or set(given) - {"self"} else ""
    if isinstance(owner, (Channel, HttpChannel)):
        # What it can be called without is not worth telling.
        more = "" if isinstance(owner, Channel) and not any(map(_is_said, given.values())) else more
        return f"{owner.actor}.{owner.name}.{name}{more}"
    return f"{owner.name}.{name}{more}" if isinstance(owner, Actor) and owner.name else f"{name}, …"


def _is_said(value: Any) -> bool:
    return value is not None and not isinstance(value, Channel)


def _self_of(coroutine: CoroutineType[Any, Any, Any]) -> Any:
    frame = coroutine.cr_frame
    return frame.f_locals.get("self") if frame is not None else None


def close_coroutines(parts: Any) -> None:
    """Close what nobody will await: else Python warns of each at some later moment, with a line that tells nothing."""
    for part in parts:
        if isinstance(part, (list, tuple)):
            close_coroutines(part)
        elif inspect.iscoroutine(part):
            part.close()
