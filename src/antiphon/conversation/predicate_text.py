"""Predicates in words, for whoever was not there: their source, and the values that they read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from antiphon.conversation.awaited import is_predicate
from antiphon.conversation.match import ABSENT, Difference
from antiphon.conversation.message import Message
from antiphon.conversation.source_code import expression_of, names_of, text_of
from antiphon.conversation.values_read import values_told
from antiphon.conversation.waits import AbsenceWait, MessageWait, UntilWait, Wait

__all__ = ["about_predicates", "values_at"]


def about_predicates(
    wait: Wait[Any], found: Sequence[Difference], message: Message | None, condition: Sequence[str]
) -> Iterator[str]:
    """What the predicates of a wait that has failed are, with the values that they read, a line for each.

    `message` is the one that does not fit, or that was not to come, and `found` where it does not fit; `condition` are
    the values that a condition read, as they were when it was looked at last.
    """
    if isinstance(wait, UntilWait):
        yield from _told("the condition", wait.predicate, condition)
    elif isinstance(wait, (MessageWait, AbsenceWait)) and is_predicate(wait.where):
        what = "what must not come" if isinstance(wait, AbsenceWait) else "what it must be"
        yield from _told(what, wait.where, values_at(wait.where, message.body) if message is not None else ())
    for each in found:
        if is_predicate(each.wanted) and each.wanted is not getattr(wait, "where", None):
            values = values_at(each.wanted, each.found) if each.found is not ABSENT else ()
            yield from _told(f"what {each.path or 'the body'} must be", each.wanted, values)


def values_at(predicate: Callable[..., Any], *arguments: Any) -> list[str]:
    """The values that a predicate reads now if it is called with these, a line for each; without calling it."""
    expression, names = expression_of(predicate), names_of(predicate, *arguments)
    return values_told(expression, names) if expression is not None and names is not None else []


def _told(what: str, predicate: Callable[..., Any], values: Sequence[str]) -> Iterator[str]:
    expression = expression_of(predicate)
    if expression is not None and not isinstance(expression, ast.Constant):
        yield f"{what}: {text_of(expression)}"
        yield from (f"  {line}" for line in values)
