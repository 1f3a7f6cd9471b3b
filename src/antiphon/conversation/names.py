"""What messages are known by where they are waited for: a name, one of several names, or the types of their bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from antiphon.conversation.message import Message
from antiphon.errors import ScenarioError

__all__ = ["HOW_TO_WAIT", "B", "Names", "Wanted", "is_among", "names_told", "not_a_name"]

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # known to every type checker, whether it is installed or not

    B = TypeVar("B", default=Message)
else:
    from typing import TypeVar

    B = TypeVar("B")
"""What awaiting a wait gives: an instance of the type that was named, a Message where a name was."""

Names = str | tuple[str, ...] | None
"""A message's name; two or more, different ones, of which it has one; or None for any."""

Wanted: TypeAlias = "str | tuple[str, ...] | type[B] | tuple[type[B], ...] | None"
"""The same as authors write it, where types stand for the names of their messages (see `Vocabulary`)."""


def is_among(name: str, names: Names) -> bool:
    """Whether a message of that name is meant."""
    return names is None or (name in names if isinstance(names, tuple) else name == names)


def names_told(names: Names) -> str:
    """`accepted`, or `accepted, busy or rejected`; empty for any."""
    if not isinstance(names, tuple):
        return names or ""
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)


def not_a_name(wrong: object, hint: str) -> ScenarioError:
    """What to raise for it."""
    return ScenarioError(f"a message is known by its name, not by {wrong!r:.80}", hint=hint)


HOW_TO_WAIT: Final = 'expect("newCall"), expect(("accepted", "rejected")), or expect() for any message'
