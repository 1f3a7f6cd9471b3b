"""The named fields of a body, whatever it is: those of an object in JSON, or the attributes of a typed one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

__all__ = ["named_fields"]


def named_fields(body: Any) -> Mapping[Any, Any] | None:
    """The fields of a mapping, a msgspec struct, a dataclass, an attrs class or a pydantic model; None for others.

    Those of a typed one have the names of its attributes, and those that are UNSET are not there.
    """
    if body.__class__ is dict or isinstance(body, Mapping):
        return body
    read = _reader_of(body.__class__)
    return read(body) if read is not None else None


@lru_cache(1024)
def _reader_of(kind: type) -> Callable[[Any], dict[str, Any]] | None:
    if issubclass(kind, msgspec.Struct):
        names: tuple[str, ...] = kind.__struct_fields__
    elif hasattr(kind, "__dataclass_fields__"):
        names = tuple(kind.__dataclass_fields__)
    elif hasattr(kind, "__attrs_attrs__"):
        names = tuple(each.name for each in kind.__attrs_attrs__)
    elif hasattr(kind, "model_fields") and hasattr(kind, "model_dump"):
        return _of_model
    else:
        return None

    def read(body: Any) -> dict[str, Any]:
        found = {name: getattr(body, name, msgspec.UNSET) for name in names}
        return {name: value for name, value in found.items() if value is not msgspec.UNSET}

    return read


def _of_model(body: Any) -> dict[str, Any]:
    """By pydantic's own way of going through a model, which gives the fields that it was not told of, too."""
    return dict(body)
