"""Headers: their names have no case, and lines of one name are one list (RFC 9110 sections 5.1 to 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from multidict import CIMultiDict

__all__ = ["Headers", "combine", "single_lines"]

Headers = Mapping[str, str]

_SEPARATORS: Final = {"cookie": "; "}


def combine(lines: Iterable[tuple[str, str]]) -> CIMultiDict[str]:
    """The headers that these lines say, looked up without regard to case, named as the last line of each.

    Lines of one name are joined by commas, those of Cookie by semicolons (RFC 6265 section 4.2.1: a server that reads
    one line must see all of them). Set-Cookie holds commas of its own and stays in lines: see its `getall`.
    """
    headers = CIMultiDict(lines)
    if len({*map(str.lower, headers)}) == len(headers):  # as nearly always: no name comes twice
        return headers
    values: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        names[key] = name
        values.setdefault(key, []).append(value)
    combined: CIMultiDict[str] = CIMultiDict()
    for key, found in values.items():
        if key == "set-cookie":
            for value in found:
                combined.add(names[key], value)
        else:
            combined.add(names[key], found[0] if len(found) == 1 else _SEPARATORS.get(key, ", ").join(found))
    return combined


def single_lines(headers: Headers) -> dict[str, str]:
    """The same as plain data, a value for each name: the lines of Set-Cookie joined by commas."""
    single: dict[str, str] = {}
    for name, value in combine(headers.items()).items():
        single[name] = f"{single[name]}, {value}" if name in single else value
    return single
