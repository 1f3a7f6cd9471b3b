"""What is called how: an event with its namespace, its arguments as a body, and what an acknowledgement belongs to."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

__all__ = ["arguments_of", "body_of", "joined_name", "key_of", "place_of", "split_name"]


def arguments_of(body: Any) -> list[Any]:
    """What an event or an acknowledgement with that body is called with."""
    if body is None:
        return []
    return [*body] if isinstance(body, (list, tuple)) else [body]


def body_of(arguments: list[Any]) -> Any:
    """The body of these arguments: the one that there is, unless it is a list or None; None for none, else all."""
    if not arguments:
        return None
    return arguments if len(arguments) > 1 or isinstance(arguments[0], (list, type(None))) else arguments[0]


def joined_name(namespace: str, event: str, home: str) -> str:
    """What a message is called: by its event alone if it is of the namespace `home`, and nobody can mistake it."""
    is_plain = namespace == home and split_name(event, "")[0] == ""
    return event if is_plain else f"{namespace},{event}"


def split_name(name: str, home: str) -> tuple[str, str]:
    """The namespace and the event of what is called so."""
    namespace, comma, event = name.partition(",")
    return (namespace, event) if comma and name.startswith("/") else (home, name)


def key_of(namespace: str, number: int | None) -> int | str | None:
    """The key of an event that wants to be acknowledged: each namespace counts for itself."""
    return number if number is None or namespace == "/" else f"{namespace},{number}"


def place_of(key: Hashable) -> tuple[str, int]:
    """The namespace and the number that a key is made of."""
    namespace, _, number = str(key).rpartition(",")
    return namespace or "/", int(number)
