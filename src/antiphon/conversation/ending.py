"""How a connection ended: by whom, with which code and reason."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from antiphon.conversation.wording import one_line, shorten

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

    def told(self, other: str, at: str = "") -> str:
        """How it ended, in words; `other` is what the other side is called, "the server" or "the client".

        `at` tells when, as " at 3.2 s".
        """
        if self.is_half:
            return f"{other} has finished{at}: it says no more"
        if self.by == "wire":
            # RFC 6455 section 7.1.5: the code is ours, for what nobody said.
            who = "the connection was lost" + (" without a close frame" if self.code == _NO_CLOSE_FRAME else "")
        elif self.by == "us" and self.detail and self.code in _VIOLATIONS:
            who = f"{other} broke the protocol, so we closed the connection"
        else:
            who = f"{other} closed the connection" if self.by == "peer" else "we closed the connection"
        code = "" if self.code is None or self.code == _NO_CLOSE_FRAME else f" with code {self.code}"
        # Beyond WebSocket a peer may say as much as it likes, on as many lines.
        reason = f" {shorten(self.reason, LONGEST_REASON)}" if self.reason else ""
        return f"{who}{code}{reason}{at}" + (f": {one_line(self.detail, LONGEST_DETAIL)}" if self.detail else "")

    def told_of_channel(self, other: str, at: str = "") -> str:
        """The same, said of the channel: "was closed by the server with code 4000 at 3.2 s"."""
        whole = self.told(other, at)
        for begins, instead in (
            ("the connection was lost", "was lost"),
            (f"{other} closed the connection", f"was closed by {other}"),
            (
                f"{other} broke the protocol, so we closed the connection",
                f"broke off, since {other} broke the protocol,",
            ),
            ("we closed the connection", "was closed by us"),
        ):
            if whole.startswith(begins):
                return instead + whole[len(begins) :]
        return f"is half closed: {whole}"

    def __str__(self) -> str:
        return self.told("the server")


LONGEST_REASON: Final = 500
LONGEST_DETAIL: Final = 1_000
_NO_CLOSE_FRAME: Final = 1006
_VIOLATIONS: Final = frozenset({1002, 1003, 1007, 1009, 1010})
"""With these we close because of what came (RFC 6455 section 7.4.1)."""
