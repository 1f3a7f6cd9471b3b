"""Metadata of gRPC as headers: names in small letters, and binary values (`…-bin`) in base64, as they travel."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from antiphon.conversation.headers import combine, single_lines

__all__ = ["as_headers", "as_metadata"]


def as_metadata(headers: Mapping[str, str]) -> tuple[tuple[str, str | bytes], ...]:
    """Of headers. Raises ValueError for a name or a value that cannot travel so."""
    return tuple(_entry(name.lower(), value) for name, value in headers.items())


def _entry(name: str, value: str) -> tuple[str, str | bytes]:
    if not _NAME.fullmatch(name):
        raise ValueError(f"metadata has no name {name!r}: they are small letters, digits and -_.")
    if name.endswith("-bin"):
        return name, b64decode(value + "=" * (-len(value) % 4), validate=True)
    if not _VALUE.fullmatch(value):
        raise ValueError(f"the value of the metadata {name} is not in ASCII: {name}-bin takes bytes, in base64")
    return name, value


def as_headers(metadata: Iterable[tuple[str, Any]] | None) -> Mapping[str, str]:
    """Of metadata; a name that stands there several times has all its values, in one."""
    shown = (
        (name, b64encode(value).decode().rstrip("=") if isinstance(value, bytes) else str(value))
        for name, value in metadata or ()
    )
    return single_lines(combine(shown))


_NAME: Final = re.compile(r"[0-9a-z_.-]+")
_VALUE: Final = re.compile(r"[ -~]*")
