"""How a connection ended: by whom, with which code and reason."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = ["EndedBy", "Ending"]

EndedBy = Literal["peer", "us", "wire"]
"""Who ended a connection; "wire" if neither said goodbye."""


class Ending(msgspec.Struct, frozen=True):
    """The end of a connection.

    `code` is the protocol's close code (for WebSocket RFC 6455 section 7.4: 1005 when the close frame had none, 1006
    when there was no close frame), None where the protocol has none. `detail` tells what we found wrong, when we closed
    because of it; `reason` is empty then. `is_clean` is True when both sides said goodbye. `unsent_bytes` is how much
    of what was sent before our goodbye had to be thrown away, because the peer did not read it. `is_half` is True while
    only the peer has ended its sending: it still hears, and what ends the connection is still to come.
    """

    code: int | None = None
    reason: str = ""
    by: EndedBy = "wire"
    detail: str = ""
    is_clean: bool = False
    unsent_bytes: int = 0
    is_half: bool = False

    def told(self, other: str) -> str:
        """How it ended, in words; `other` is what the other side is called, "the server" or "the client"."""
        if self.is_half:
            return f"{other} has finished: it says no more"
        if self.by == "wire":
            # RFC 6455 section 7.1.5: the code is ours, for what nobody said.
            who = "the connection was lost" + (" without a close frame" if self.code == _NO_CLOSE_FRAME else "")
        else:
            who = f"{other} closed the connection" if self.by == "peer" else "we closed the connection"
        code = "" if self.code is None or self.code == _NO_CLOSE_FRAME else f" with code {self.code}"
        reason = f" {self.reason!r}" if self.reason else ""
        return f"{who}{code}{reason}" + (f": {self.detail}" if self.detail else "")

    def __str__(self) -> str:
        return self.told("the server")


_NO_CLOSE_FRAME: Final = 1006
