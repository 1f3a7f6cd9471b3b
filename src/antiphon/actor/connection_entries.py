"""What the journal has of a connection: that it is there, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping

from antiphon.conversation.ending import Ending
from antiphon.conversation.headers import single_lines
from antiphon.journal import ChannelEnded, ChannelOpened

__all__ = ["ended", "opened"]


def opened(
    at_ns: int,
    actor: str,
    channel: str,
    address: str,
    headers: Mapping[str, str],
    subprotocol: str,
    took_ns: int | None,
) -> ChannelOpened:
    """It is there; `headers` are those of the opening request, `took_ns` is None where the peer opened it."""
    return ChannelOpened(
        at_ns=at_ns,
        actor=actor,
        channel=channel,
        address=address,
        headers=single_lines(headers),
        subprotocol=subprotocol,
        took_ns=took_ns,
    )


def ended(at_ns: int, actor: str, channel: str, ending: Ending) -> ChannelEnded:
    """It has ended so."""
    return ChannelEnded(
        at_ns=at_ns,
        actor=actor,
        channel=channel,
        code=ending.code,
        reason=ending.reason,
        by=ending.by,
        detail=ending.detail,
        unsent_bytes=ending.unsent_bytes,
    )
