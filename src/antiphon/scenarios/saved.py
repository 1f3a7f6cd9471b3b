"""References to values that are not there yet: `saved.interaction_id` is looked up when its step is performed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from antiphon.conversation.message import describe_fields
from antiphon.errors import ScenarioError

__all__ = ["Reference", "Returned", "resolve", "saved"]


class Reference:
    """`saved.x`, `saved.x.y`, `saved.x["y"]`: a path to follow later."""

    __slots__ = ("_path",)

    def __init__(self, path: tuple[tuple[str, Any], ...] = ()) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Reference:
        # copy, pickle and inspect ask for such names to find out what they may do; a reference must not answer yes.
        if name.startswith("__"):
            raise AttributeError(name)
        return Reference((*self._path, ("attribute", name)))

    def __getitem__(self, key: Any) -> Reference:
        return Reference((*self._path, ("item" if self._path else "attribute", key)))

    # Python would go through it by `[0]`, `[1]`, … for ever: each of them is a reference.
    def __iter__(self) -> Iterator[Any]:
        raise ScenarioError(
            f"{self!r} is not there yet, so it cannot be gone through", hint="use it as an argument of a step"
        )

    def __bool__(self) -> bool:
        raise ScenarioError(
            f"{self!r} is not there yet, so it is neither true nor false",
            hint="to decide by it, write the scenario as `async def`, where it is an ordinary value",
        )

    def __repr__(self) -> str:
        return "saved" + "".join(f".{key}" if kind == "attribute" else f"[{key!r}]" for kind, key in self._path)

    def look_up(self, namespace: Mapping[str, Any]) -> Any:
        """Follow the path, beginning in `namespace`. Raises ScenarioError where it does not lead on."""
        if not self._path:
            raise ScenarioError("`saved` alone is no value", hint="saved.name")
        first = self._path[0][1]
        if first not in namespace:
            known = ", ".join(sorted(map(str, namespace))) or "nothing"
            raise ScenarioError(f"{self!r} is not there: nothing of that name was saved", hint=f"there is {known}")
        value = namespace[first]
        for kind, key in self._path[1:]:
            value = self._follow(value, kind, key)
        return value

    def _follow(self, value: Any, kind: str, key: Any) -> Any:
        try:
            if kind == "item" or isinstance(value, Mapping):
                return value[key]
            return getattr(value, key)
        except (AttributeError, LookupError, TypeError) as error:
            text = f"{self!r} is not there: {type(value).__name__} has no {key!r}"
            raise ScenarioError(text, hint=describe_fields(value)) from error


saved: Final[Any] = Reference()  # for type checkers it is whatever it will be
"""What calls returned, by `save_as`; the actors, by name; the attributes of a sole actor: `saved.interaction_id`."""


def resolve(value: Any, namespace: Mapping[str, Any]) -> Any:
    """The value with every reference in it, also inside lists, tuples and dicts, looked up."""
    if isinstance(value, Reference):
        return value.look_up(namespace)
    # Exactly these: a named tuple or a dict with a type of its own cannot be made anew from its items.
    if type(value) in (list, tuple):
        return type(value)(resolve(inner, namespace) for inner in value)
    if type(value) is dict:
        return {key: resolve(inner, namespace) for key, inner in value.items()}
    return value


class Returned(Sequence[Any]):
    """What called functions returned: by position in the order of the calls, or by name.

    The name is `save_as`, or else the function's own.
    """

    def __init__(self) -> None:
        self._items: list[tuple[str, Any]] = []

    def add(self, name: str, value: Any) -> None:
        """The next result."""
        self._items.append((name, value))

    @property
    def names(self) -> list[str]:
        """The names, in order; one may stand there several times."""
        return [name for name, _ in self._items]

    def by_name(self) -> dict[str, Any]:
        """The latest result of each name."""
        return dict(self._items)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return [value for _, value in self._items][key]
        results = self.by_name()
        if key not in results:
            raise KeyError(f"no call returned {key!r}; there is {', '.join(results) or 'nothing'}")
        return results[key]

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self.names

    def __repr__(self) -> str:
        return "Returned(" + ", ".join(f"{name}={value!r}" for name, value in self._items) + ")"
