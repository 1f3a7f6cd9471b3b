"""A channel that could not be opened: whose it is, what the other side said to that, and what it had been offered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from antiphon.conversation.failure_signs import code_and_text
from antiphon.conversation.message import Message
from antiphon.conversation.page_text import page_text
from antiphon.conversation.wording import one_line
from antiphon.dialect.meeting import Meeting
from antiphon.errors import ConnectFailed, UpgradeRefused

__all__ = ["tell_of_opening"]


def tell_of_opening(failed: ConnectFailed, owner: str, meeting: Meeting) -> None:
    """Have the error say which channel it was and, of a refused upgrade, with which words, and what we offered."""
    if failed.text.startswith(owner):
        return
    text = [f"{owner}: {failed.text}"]
    if isinstance(failed, UpgradeRefused):
        if said := _said(failed.body):
            text.append(f"  it says: {said}")
        text.append(f"  we offered {', '.join(_offered(meeting))}")
    failed.text = "\n".join(text)


def _said(body: bytes) -> str:
    """What the body says for people: the text in an object, or all of it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"{len(body)} bytes that are no text"
    if text.lstrip()[:1] == "<":
        return one_line(page_text(text), _LONGEST)
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return one_line(text, _LONGEST)
    code, why = code_and_text(Message("refusal", document, body))
    return one_line(f"{code} {why}".strip() or text, _LONGEST)


def _offered(meeting: Meeting) -> Iterator[str]:
    """What servers refuse an upgrade for. Of what is secret only that it was there."""
    where = urlsplit(meeting.address)
    yield f"the path {where.path or '/'}" + (" with a query" if where.query else "")
    yield f"subprotocols {', '.join(meeting.subprotocols)}" if meeting.subprotocols else "no subprotocol"
    origin = next((value for name, value in meeting.headers.items() if name.lower() == "origin"), None)
    yield f"Origin {origin}" if origin is not None else "no Origin"
    given = [name for name in meeting.headers if name.lower() in _CREDENTIALS]
    if where.username is not None and "Authorization" not in given:
        given.append("Authorization")
    yield f"credentials in {', '.join(given)}" if given else "no credentials (no Authorization, no Cookie)"


_CREDENTIALS: Final = frozenset({"authorization", "cookie", "x-api-key", "x-auth-token", "proxy-authorization"})
_LONGEST: Final = 240
