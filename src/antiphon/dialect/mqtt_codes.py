"""What the codes of MQTT say (3.1.1 section 3.2.2.3, 5.0 section 2.4)."""

from __future__ import annotations

from typing import Final

__all__ = ["CODES"]

CODES: Final = {
    1: "the version is not spoken here",
    2: "the client id is not accepted",
    3: "the server is not available",
    4: "user or password is wrong",
    5: "not authorized",
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "an error of this server's own",
    0x84: "the version is not spoken here",
    0x85: "the client id is not accepted",
    0x86: "user or password is wrong",
    0x87: "not authorized",
    0x88: "the server is not available",
    0x89: "the server is busy",
    0x8A: "banned",
    0x8B: "the server is shutting down",
    0x8C: "the authentication method is wrong",
    0x8D: "nothing was heard for the time of keep-alive",
    0x8E: "another connection took over the session",
    0x8F: "the topic filter is invalid",
    0x90: "the topic is invalid",
    0x91: "the packet id is in use",
    0x92: "the packet id is not known",
    0x93: "more was sent at once than may be received",
    0x94: "the topic alias is invalid",
    0x95: "the packet is too large",
    0x96: "messages came too fast",
    0x97: "a quota is exceeded",
    0x98: "ended by an administrator",
    0x99: "the payload has not the format that was told",
    0x9A: "the server keeps no message for later",
    0x9B: "this quality of service is not supported",
    0x9C: "use another server",
    0x9D: "the server has moved",
    0x9E: "shared subscriptions are not supported",
    0x9F: "connections came too fast",
    0xA0: "the longest time of a connection is over",
    0xA1: "subscription ids are not supported",
    0xA2: "wildcards in subscriptions are not supported",
}
"""Those of a refusal of CONNECT below 0x80, which version 3.1.1 has, and all that say that something failed."""
