"""A channel that could not be opened, in words: whose it is, what it was told, and what it had offered."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.actor.opening_failure import tell_of_opening
from antiphon.dialect.meeting import Meeting
from antiphon.errors import ConnectFailed, OpeningRefused, UpgradeRefused


def refused(body: bytes, address: str = "ws://centre/desk", **meeting: Any) -> list[str]:
    failed = UpgradeRefused("the server refused the upgrade: 403 Forbidden", status=403, headers={}, body=body)
    tell_of_opening(failed, "ann.line", Meeting("client", address, **meeting))
    return failed.text.split("\n")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"members only", "members only"),
        (b"<p>members\n  only</p>", "members only"),
        (
            b"<html><head><title>Desk</title></head><body><h1>404</h1><p>no such desk</p></body></html>",
            "404 no such desk",
        ),
        (b"<title>Forbidden</title><script>late()</script>", "Forbidden"),
        (b'{"error": {"code": 7, "message": "token expired"}}', "7 token expired"),
        (b'{"by": "op"}', '{"by": "op"}'),
        (b"\xff\x00", "2 bytes that are no text"),
    ],
)
def test_what_the_body_says(body: bytes, says: str) -> None:
    first, said, _ = refused(body)
    assert first == "ann.line: the server refused the upgrade: 403 Forbidden"
    assert said == f"  it says: {says}"


@pytest.mark.parametrize(
    ("address", "meeting", "offered"),
    [
        ("ws://centre", {}, "the path /, no subprotocol, no Origin, no credentials (no Authorization, no Cookie)"),
        (
            "ws://centre/desk?token=s3cr3t",
            {"subprotocols": ("a", "b"), "headers": {"origin": "http://x", "Cookie": "session=s3cr3t"}},
            "the path /desk with a query, subprotocols a, b, Origin http://x, credentials in Cookie",
        ),
        ("ws://ann:s3cr3t@centre/", {}, "the path /, no subprotocol, no Origin, credentials in Authorization"),
    ],
)
def test_what_was_offered_and_of_secrets_only_that_they_were_there(
    address: str, meeting: dict[str, Any], offered: str
) -> None:
    assert refused(b"", address, **meeting) == [
        "ann.line: the server refused the upgrade: 403 Forbidden",
        f"  we offered {offered}",
    ]


def test_other_failures_say_whose_channel_it_is_once() -> None:
    for failed in (ConnectFailed("no server is listening on x"), OpeningRefused(5, "ann.line: not ready")):
        tell_of_opening(failed, "ann.line", Meeting())
        tell_of_opening(failed, "ann.line", Meeting())
        assert failed.text.count("ann.line") == 1
