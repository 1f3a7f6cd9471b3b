"""How values, durations and counts are put into words: the same everywhere that antiphon speaks."""

from __future__ import annotations

from typing import Any

__all__ = ["counted", "cut", "cut_middle", "one_line", "seconds", "shorten"]


def seconds(duration_ns: int) -> str:
    """A duration as a person reads it: `312 ms` below a second, `5.000 s` from there."""
    return f"{duration_ns / 1e6:.0f} ms" if duration_ns < 999_500_000 else f"{duration_ns / 1e9:.3f} s"


def shorten(value: Any, limit: int = 120) -> str:
    """`repr(value)`, cut in the middle to at most `limit` characters."""
    if isinstance(value, (str, bytes)) and len(value) > limit * 2:
        text = repr(value[:limit])[:-1] + "…" + repr(value[-limit:])[1:]
    else:
        try:
            text = repr(value)
        except Exception as error:  # nested too deeply, or a foreign __repr__: a report must not fail for that
            text = f"<{type(value).__name__}, which cannot be shown: {type(error).__name__}>"
    return cut_middle(text, limit)


def cut_middle(text: str, limit: int) -> str:
    """The text, cut in its middle to at most `limit` characters: what tells two values apart is often at the end."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def cut(text: str, limit: int) -> str:
    """The text, cut at its end to at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int | None = 200) -> str:
    """The text on one line, white space made single blanks; cut at its end to `limit` characters if there is one."""
    text = " ".join(text.split())
    return text if limit is None else cut(text, limit)


def counted(number: int, what: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {what}" + ("" if number == 1 else "s")
