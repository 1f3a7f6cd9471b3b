"""The peer of every client: bare picows on uvloop, in a process of its own, doing as little as it can.

It replies to a request with a new id, and refuses one that does not carry the id of the reply before: so no client
counts a round trip whose work it has not done.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys

import uvloop
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from bench.conversation import FIRST_ID, refusal, reply

_TEXT = WSMsgType.TEXT
_CLOSE = WSMsgType.CLOSE


class Desk(WSListener):
    """One connection of the peer."""

    __slots__ = ("_number", "_wanted")

    def __init__(self) -> None:
        self._number = 0
        self._wanted = FIRST_ID.encode()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is _TEXT:
            if self._wanted not in frame.get_payload_as_bytes():
                transport.send(_TEXT, refusal("that is not the workitem you were given"))
                return
            self._number = number = self._number + 1
            self._wanted = wanted = b"workitem-%012d" % number
            transport.send(_TEXT, reply(wanted))
        elif frame.msg_type is _CLOSE:
            transport.send_close(WSCloseCode.OK)  # a goodbye need not have a code that could be said again
            transport.disconnect()


def accept(_request: WSUpgradeRequest) -> Desk:
    """A desk for whoever connects."""
    return Desk()


def spin(loop: asyncio.AbstractEventLoop) -> None:
    """Look for data without ever sleeping: else whoever sends pays for waking this process, and the slower the more."""
    loop.call_soon(spin, loop)


async def serve() -> None:
    """Listen on a free port, print the address, and serve until standard input ends."""
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    server = await ws_create_server(accept, "127.0.0.1", 0, backlog=4096)
    print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    gc.freeze()
    spin(asyncio.get_running_loop())
    await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(serve())
    os._exit(0)  # clients are gone, and nothing here needs to be said goodbye to
