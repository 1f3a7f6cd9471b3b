"""How much of what was written to a stream its peer has not taken, and whether it takes any, as far as we can know."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import Final

__all__ = ["has_hidden_buffer", "taken", "unsent_bytes", "untaken_bytes"]


def unsent_bytes(stream: asyncio.WriteTransport) -> int:
    """What has not been given to the kernel.

    A TLS stream counts what is not encrypted yet, and has a stream below that may hold megabytes. asyncio's is found
    (CPython 3.11 to 3.14: `_ssl_protocol._transport`), also where that is a TLS stream, too, as to a proxy; uvloop's is
    not, so there what the kernel could not send stands for it: as long as that is not nothing, more may be waiting.
    """
    unsent = stream.get_write_buffer_size()
    if not has_hidden_buffer(stream):
        return unsent
    below = _below(stream)
    if below is None:
        return unsent + _kernel(stream)[1]
    while below is not None:
        unsent += below.get_write_buffer_size()
        below = _below(below)
    return unsent


def _below(stream: asyncio.WriteTransport) -> asyncio.WriteTransport | None:
    return getattr(getattr(stream, "_ssl_protocol", None), "_transport", None)


def has_hidden_buffer(stream: asyncio.WriteTransport) -> bool:
    """Whether part of what is unsent lies where its leaving is not told."""
    return stream.get_extra_info("ssl_object") is not None


def untaken_bytes(stream: asyncio.WriteTransport) -> int:
    """What has not been given to the kernel, and what that has not sent because the peer's has no room for it."""
    return stream.get_write_buffer_size() + _kernel(stream)[1]


def taken(stream: asyncio.WriteTransport) -> tuple[int, int]:
    """Figures that change while the peer takes what it was sent.

    The buffer's own is not enough: the kernel takes from it in large pieces, and a slow reader would seem not to read.
    """
    return stream.get_write_buffer_size(), _kernel(stream)[0]


def _kernel(stream: asyncio.WriteTransport) -> tuple[int, int]:
    """How many bytes the peer has ever acknowledged, and how many the kernel has not sent; zeros where nobody knows.

    Linux tells of them in its `struct tcp_info` (since 4.6), whose beginning is fixed.
    """
    sock = stream.get_extra_info("socket")
    if sys.platform != "linux" or sock is None:
        return 0, 0
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNSENT_AT + 4)
        return struct.unpack_from("=Q", info, _ACKED_AT)[0], struct.unpack_from("=I", info, _UNSENT_AT)[0]
    except (OSError, struct.error):  # closed by now, no TCP, or an older kernel
        return 0, 0


_ACKED_AT: Final = 120
"""Where `tcpi_bytes_acked` stands, 64 bits."""

_UNSENT_AT: Final = 144
"""Where `tcpi_notsent_bytes` stands, 32 bits."""
