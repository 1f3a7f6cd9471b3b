"""What says in a message that something failed, and why: by its dialect, by its body, and at last by its name.

No protocol but the dialect's own knows for certain. What follows from this is told, and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from antiphon.conversation.message import Message
from antiphon.conversation.named_fields import named_fields
from antiphon.conversation.names import Names
from antiphon.conversation.wording import one_line, shorten

__all__ = ["Sign", "code_and_text", "is_heartbeat", "is_name_of_failure", "reason", "sign_of_failure"]

Sign = Literal["", "name", "body", "dialect"]
"""By what a message says that something failed; "" if by nothing."""


def sign_of_failure(message: Message) -> Sign:
    """By what the message says that something failed: what is most certain comes first."""
    if message.is_failure:
        return "dialect"
    if _body_fails(message.body):
        return "body"
    return "name" if is_name_of_failure(message.name) else ""


def is_name_of_failure(name: Names) -> bool:
    """Whether people call a failure so: `login_failed`, `AccessDenied`, `-ERR`, or the `433` of a numeric reply.

    Of several names, whether they call any of them so.
    """
    if name is None or isinstance(name, tuple):
        return any(map(is_name_of_failure, name or ()))
    if name.isdecimal():
        # RFC 2812 section 5.2, and of three digits nearly everybody else: RFC 5321, RFC 3261, RFC 9110.
        return len(name) == 3 and name[0] in "456"
    return not _FAILURES.isdisjoint(_words(name))


def is_heartbeat(name: str) -> bool:
    """Whether people call so what only says that somebody is there."""
    words = _words(name)
    return bool(words) and (words[0] in _BEATS or "".join(words) in _BEATS or words[-1] in _BEATS)


def reason(message: Message) -> str:
    """Why, in the message's own words: its code and its text for people; else a part of its body, "" for none."""
    code, text = code_and_text(message)
    text = _trailing(text) if text is message.body else text
    if text:
        return f"{code} {text!r}" if str(code) and not text.startswith(str(code)) else repr(text)
    body = message.body
    fields = named_fields(body)
    told = {key: value for key, value in fields.items() if value != message.name} if fields is not None else body
    return "" if told in (None, "", b"", {}, []) else one_line(shorten(told), 160)


def code_and_text(message: Message | None) -> tuple[str | int, str]:
    """What a refusal says of why, in the fields that look like a code and a text for people; "" for what it has not."""
    body = message.body if message is not None else None
    if isinstance(body, str):
        return "", body
    for fields in _places(body, 0):
        # No dialect says which fields tell why; these are what people call them.
        code = next((fields[field] for field in _CODES if _is_code(fields.get(field))), "")
        text = next((fields[field] for field in _TEXTS if isinstance(fields.get(field), str)), "")
        if text or code:
            return code, _with_details(text, fields)
    return "", ""


def _with_details(text: str, fields: Mapping[Any, Any]) -> str:
    """The text and what says more: the `data` of JSON-RPC 2.0 (section 5.1), the body of STOMP's ERROR."""
    more = next((fields[name] for name in _DETAILS if isinstance(fields.get(name), str)), "").strip()
    return f"{text}: {more}" if text and more and more not in text else text


def _places(body: Any, depth: int) -> list[Mapping[Any, Any]]:
    """The objects in the body that may tell why: what it calls its error first, then itself, then what is around it."""
    if isinstance(body, (list, tuple)):
        body = body[0] if body else None
    fields = named_fields(body)
    if fields is None or depth > _DEEPEST:
        return []
    found: list[Mapping[Any, Any]] = []
    for name in _ERRORS:
        found += _places(fields.get(name), depth + 1)
    found.append(fields)
    for name in _AROUND:
        found += _places(fields.get(name), depth + 1)
    return found


def _is_code(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def _body_fails(body: Any) -> bool:
    fields = named_fields(body)
    if fields is None:
        return False
    if any(fields.get(name) not in (None, False, "", 0, [], {}) for name in _ERRORS if name in fields):
        return True
    if any(fields.get(name) is False for name in _SUCCESSES):
        return True
    told = [(_FAILED, name) for name in _OUTCOMES] + [(_GONE, name) for name in _STATES]
    return any(isinstance(fields.get(name), str) and not words.isdisjoint(_words(fields[name])) for words, name in told)


def _trailing(text: str) -> str:
    """The last argument of a line whose arguments before it are for machines (RFC 2812 section 2.3.1)."""
    before, is_there, after = text.strip().partition(" :")
    return after if is_there and before and len(before) < len(text) else text.strip()


def _words(name: str) -> list[str]:
    """`LoginFailed_again` as its words, in small letters."""
    return [word.lower() for word in _WORD.findall(name[:_LONGEST])]


_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST: Final = 80
_DEEPEST: Final = 3
_ERRORS: Final = ("error", "errors", "err")
_AROUND: Final = ("payload", "data", "body", "details", "result", "response", "params")
_SUCCESSES: Final = ("ok", "success", "succeeded", "successful")
_OUTCOMES: Final = ("result", "outcome", "status")
_STATES: Final = ("state", "status", "execution_state")
_CODES: Final = ("code", "errorCode", "error_code", "ename", "status")
_TEXTS: Final = ("message", "reason", "description", "detail", "text", "error", "evalue")
_DETAILS: Final = ("data", "body")
_GONE: Final = frozenset({"dead", "died", "crashed", "restarting"})
_FAILED: Final = frozenset({"error", "failed", "failure", "fail", "rejected", "denied", "refused"})
_FAILURES: Final = _FAILED | {
    *("err", "errors", "fails", "reject", "deny", "refuse", "invalid", "forbidden", "unauthorized", "unauthorised"),
    *("exception", "nack", "nak", "fatal", "kicked", "banned", "unsupported", "aborted", "killed"),
}
_BEATS: Final = frozenset(
    {"ping", "pong", "heartbeat", "heartbeats", "keepalive", "noop", "hb", "beat", "ka", "pingreq", "pingresp"}
)
