"""Names of files made of names of messages, which may be anything.

A plain name stays as it is. In any other, each byte that could do harm is written as `%` and two hexadecimal digits, as
in a URL (RFC 3986 section 2.1), so a name's files can be told beforehand and no two names share one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Final

__all__ = ["FolderNames", "file_stem", "folder_name", "shortened"]

LONGEST_BYTES: Final = 120
"""Longer names are cut: a file's name may have 255 bytes on most systems, 143 on some that encrypt."""

_FORBIDDEN: Final = frozenset('<>:"/\\|?*%~')
"""What Windows forbids in names, and the two signs that have a meaning here."""

_NOT_FIRST: Final = frozenset(" .-")
"""A hidden file, an option of a command."""

_NOT_LAST: Final = frozenset(" .")
"""Windows drops them."""

_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[\d¹²³]?|lpt[\d¹²³]?)(\..*)?")
"""Devices of Windows, with any ending; `com` and `lpt` become devices by the counter behind them."""


def file_stem(name: str, number: int, namesake: int = 1) -> str:
    """The name of the file of the `number`th message of that name, without its ending.

    Between the name and the counter stands nothing, or `~` where the counter could not be told from the name
    (`name10` is the eleventh `name`, `name1~0` the first `name1`). `namesake` from 2 on makes other names, for when the
    first is taken.
    """
    base = folder_name(name)
    if namesake > 1:
        return f"{base}~{namesake}~{number}"
    is_clear = base and base[-1] not in "0123456789"
    return f"{base}{number}" if is_clear else f"{base}~{number}"


@lru_cache(maxsize=1024)
def folder_name(name: str) -> str:
    """A name that any file system takes; "" for ""."""
    is_reserved = _RESERVED.fullmatch(name) is not None
    last = len(name) - 1
    encoded = "".join(
        character
        if _is_harmless(character, is_first=index == 0, is_last=index == last) and not (is_reserved and index == 0)
        else _percent(character)
        for index, character in enumerate(name)
    )
    if len(encoded.encode()) <= LONGEST_BYTES:
        return encoded
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return encoded.encode()[:LONGEST_BYTES].decode("utf-8", "ignore") + f"~{digest}"


def shortened(text: str, limit: int = 60) -> str:
    """Words of the text with `-` between them, for a name that a number makes unique."""
    return "-".join(re.findall(r"[\w.]*\w", text, re.ASCII))[:limit]


class FolderNames:
    """Names of folders that lie in one: different ones for names that differ, also where `Alice` is `alice`."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._claims: dict[str, int] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._names:
            folder = folder_name(name)
            claims = self._claims[folder.casefold()] = self._claims.get(folder.casefold(), 0) + 1
            self._names[name] = folder if claims == 1 else f"{folder}~{claims}"
        return self._names[name]


def _is_harmless(character: str, *, is_first: bool, is_last: bool) -> bool:
    if (is_first and character in _NOT_FIRST) or (is_last and character in _NOT_LAST):
        return False
    return character.isprintable() and character not in _FORBIDDEN


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
