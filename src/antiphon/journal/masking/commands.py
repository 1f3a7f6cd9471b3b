"""Secrets behind words that are no names of fields: in command lines, SQL, SDP, and schemes of authentication."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

__all__ = ["MARKS", "find_after_mark"]


def find_after_mark(text: str, mark: str, start: int) -> tuple[int, int] | None:
    """Where the secret is that belongs to the mark at `start`; None if there is none."""
    found = MARKS[mark].match(text, start)
    if found is None:
        return None
    secret = found["secret"]
    # Of words nothing is secret: `Bearer authentication`, `identified by name`.
    if (mark.startswith("bearer") or found.groupdict().get("mark", "'") is None) and not _is_made(secret):
        return None
    if mark.startswith("basic") and not _is_user_and_password(secret):
        return None
    return found.span("secret")


def _is_made(secret: str) -> bool:
    """Whether it is no word: `Bearer authentication` is none of a bearer's tokens."""
    return any(map(str.isdecimal, secret)) or (len(secret) > 19 and not secret.islower()) or len(secret) > 40


def _is_user_and_password(secret: str) -> bool:
    try:
        return b":" in base64.b64decode(secret + "=" * (-len(secret) % 4))
    except (binascii.Error, ValueError):
        return False


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_BEARER: Final = _pattern(r"bearer(?:[ \t]{1,8}|,[ ]|%20|\+)\\{0,4}[\"']?(?P<secret>[\w.~+/-]{6,}+=*+)")
_BASIC: Final = _pattern(r"basic(?:[ \t]{1,8}|%20|\+)(?P<secret>[A-Za-z0-9+/_-]{6,}+={0,2}+)")
_USER: Final = _pattern(
    r"(?:--user|--proxy-user|(?<![\w-])-u)(?:[ \t=]{1,8}|\\{0,4}[\"'],[ \t]{0,8})?\\{0,4}[\"']?"
    r"(?![0-9]+:[0-9]+\b)[\w.@+\\-]{1,100}+:(?P<secret>[^\s\"'\\]{1,500}+)"
)
_RESPONSE: Final = _pattern(r"response=\\{0,15}[\"']?(?P<secret>[0-9a-f]{32,128}+)")

MARKS: Final = {
    "bearer": _BEARER,
    "basic ": _BASIC,
    "digest username=": _pattern(
        r"digest (?:[^\r\n]{0,2000}?)\bresponse=\\{0,15}[\"']?(?P<secret>[^\s\"'\\,]{1,200}+)"
    ),
    "response=": _RESPONSE,
    "identified ": _pattern(
        r"identified[ \t]+(?:with[ \t]+\S{1,64}[ \t]+)?(?:by|as)[ \t]+(?:password[ \t]+|values[ \t]+)?"
        r"(?P<mark>\\{0,15}[\"'])?(?P<secret>(?(mark)(?:(?!(?P=mark)|[\r\n]).){1,1000}+|[^\s\"';,\\]{6,200}+))"
    ),
    "-u": _USER,
    "--user": _USER,
    "--proxy-user": _USER,
    "inline:": _pattern(r"inline:(?P<secret>[A-Za-z0-9+/=]{16,}+)"),
    "k=clear:": _pattern(r"k=clear:(?P<secret>[^\s\"'\\]{1,500}+)"),
    "k=base": _pattern(r"k=base64:(?P<secret>[^\s\"'\\]{1,500}+)"),
    "auth plain ": _pattern(r"auth plain (?P<secret>[A-Za-z0-9+/=]{8,}+)"),
    "sshpass -p": _pattern(r"sshpass -p ?[\"']?(?P<secret>[^\s\"'\\]{1,500}+)"),
    "mysql -": _pattern(r"mysql (?:[^\r\n|;]{0,200}? )?-p(?P<secret>[^\s\"'\\]{1,500}+)"),
    "redis-cli ": _pattern(r"redis-cli (?:[^\r\n|;]{0,200}? )?-a[ \t]+(?P<secret>[^\s\"'\\]{1,500}+)"),
}
"""By the word in lower case that a text has at least, the secret behind it.

All are of letters, blanks, and `-`, `=`, `:`: with an alphabet of more than 32 the automaton takes half as long again.
"""
