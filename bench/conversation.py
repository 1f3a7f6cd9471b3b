"""The one conversation that every client holds: ask for a workitem, check the reply, carry the reply's id into the
next request.

A request and a reply have about 150 bytes each, in the contact centre's form.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ASK", "FIRST_ID", "READY", "REPLY", "REST_OF_REQUEST", "refusal", "reply"]

ASK: Final = "takeWorkitem"
REPLY: Final = "resultTakeWorkitem"
READY: Final = {"state": "ready"}
"""What every client checks in a reply, beside its name and that it is no failure."""

REST_OF_REQUEST: Final[dict[str, Any]] = {
    "operator": "alice",
    "destination": "890000002",
    "mode": "outgoing",
    "line": 4,
}
"""What a request's body holds beside the id."""

FIRST_ID: Final = "workitem-000000000000"

_HEAD: Final = b'{"action":"resultTakeWorkitem","data":{"result":"success","workitemID":"'
_TAIL: Final = b'","state":"ready","queue":"outgoing calls","operator":"alice"}}'


def reply(workitem_id: bytes) -> bytes:
    """The reply that gives this id."""
    return _HEAD + workitem_id + _TAIL


def refusal(text: str) -> bytes:
    """The reply that fails a request."""
    return b'{"action":"resultTakeWorkitem","data":{"result":"error","message":"%b"}}' % text.encode()
