"""A message's data at a glance: one line, whatever is in it.

JSON is shown as `key=value` pairs without what only repeats the message's name; long ids and texts are cut; bytes that
are no text are shown in hexadecimal. Nothing in the data can move the cursor, colour the text or break the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from rich.cells import cell_len, set_cell_size

from antiphon.conversation.message import Data
from antiphon.conversation.wording import visible

__all__ = ["fit", "glance"]

LARGEST_READ: Final = 65_536
"""Longer data (in characters or bytes) is not read as JSON: its beginning and its size are shown."""

_DEEPEST: Final = 3
_LONGEST_TEXT: Final = 40

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_ID_OR_TIME: Final = re.compile(_UUID.pattern + r"|\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-][\d:]+)?")
_BARE: Final = re.compile(r"[A-Za-z_+/@*][\w.:/@+*-]*")
_TELLING: Final = re.compile("(?i)result|state|status|error|code|event|method|type|text|message")
_ENVELOPE: Final = frozenset({"jsonrpc"})


def glance(raw: Data, name: str, width: int) -> str:
    """The data of the message of that name, on one line of some `width` cells (`fit` cuts it to exactly so many)."""
    if isinstance(raw, bytes):
        text = _as_text(raw[:LARGEST_READ])
        if text is None:
            return _hexadecimal(raw, width)
    else:
        text = raw
    if len(raw) > LARGEST_READ:
        return f"{visible(text[: max(width - 12, 1)])}… ({_size(len(raw))})"
    if text[:1] in ("{", "["):
        try:
            return _join(_members(_content(msgspec.json.decode(text), name)), width)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            pass
    return visible(text[: width + 1])


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """The text, cut at its end to at most `width` cells; wide characters take two."""
    if len(text) * 2 <= width or cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - len(ellipsis), 0)).rstrip() + ellipsis[: max(width, 0)]


def _as_text(raw: bytes) -> str | None:
    """The text that these bytes are; None if they are none. The last character may be cut."""
    text = raw.decode("utf-8", "replace")
    broken = text[:-1].count("�") + sum(character < " " and character not in "\t\r\n" for character in text)
    return None if broken or text == "�" else text


def _hexadecimal(raw: bytes, width: int) -> str:
    return f"{_size(len(raw))}: {raw[: width // 3 + 1].hex(' ')}"


def _size(size_bytes: int) -> str:
    if size_bytes < 1024:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1024:.1f} KiB" if size_bytes < 1024 * 1024 else f"{size_bytes / 1024 / 1024:.1f} MiB"


def _content(value: Any, name: str) -> Any:
    """What is left without the envelope: without the name, and without a sole member around the rest."""
    if not isinstance(value, dict):
        return value
    rest = {key: inner for key, inner in value.items() if inner != name and key not in _ENVELOPE}
    sole = next(iter(rest.values())) if len(rest) == 1 else None
    return sole if isinstance(sole, (dict, list)) else rest


def _members(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in sorted(value.items(), key=_rank):
            yield f"{visible(key)}={_value(inner, 1)}"
    elif isinstance(value, list):
        for inner in value:
            yield _value(inner, 1)
    else:
        yield _value(value, 1)


def _rank(member: tuple[str, Any]) -> int:
    """What tells most comes first: the outcome, short values, then ids and times, then texts and containers."""
    key, value = member
    if isinstance(value, (dict, list)):
        return 3
    if isinstance(value, str) and not _TELLING.fullmatch(key):
        return 2 if _ID_OR_TIME.fullmatch(value) else 3 if len(value) > _LONGEST_TEXT else 1
    return 0 if _TELLING.fullmatch(key) else 1


def _value(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return (
            "{"
            + (
                _join((f"{visible(k)}={_value(v, depth + 1)}" for k, v in value.items()), 60)
                if depth < _DEEPEST
                else "…"
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + (_join((_value(inner, depth + 1) for inner in value), 60) if depth < _DEEPEST else "…") + "]"
    return msgspec.json.encode(value).decode()


def _text(text: str) -> str:
    if _UUID.fullmatch(text):
        return text[:8] + "…"
    short = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    if _ID_OR_TIME.fullmatch(short) or (_BARE.fullmatch(short) and short not in ("true", "false", "null")):
        return short
    return '"' + visible(short.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _join(parts: Iterator[str], width: int) -> str:
    """The parts, as many as are needed to fill the width."""
    taken: list[str] = []
    length = 0
    for part in parts:
        if length > width:
            taken.append("…")
            break
        taken.append(part)
        length += len(part) + 1
    return " ".join(taken)
