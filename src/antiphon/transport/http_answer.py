"""An answer over HTTP whose head is there, and whose body is still to come, for as long as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from multidict import CIMultiDict

from antiphon.errors import TransportError
from antiphon.transport.content_coding import PIECE_BYTES, decoder_for

__all__ = ["HttpAnswer", "why_broken"]


class HttpAnswer:
    """`status` and `headers`, and a body to be read once: in pieces as they come, or whole. `place` says of what."""

    def __init__(self, response: aiohttp.ClientResponse, place: str) -> None:
        self.status = response.status
        self.headers: CIMultiDict[str] = CIMultiDict(response.headers)
        self.place = place
        self._response = response

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, decompressed. Raises TransportError if it breaks off, or is not in its own coding."""
        content = self._response.content
        try:
            decoder = decoder_for(self.headers.get("Content-Encoding", ""))
            while not content.at_eof():
                for piece in decoder.decode(await content.readany()):
                    yield piece
                    if len(piece) == PIECE_BYTES:
                        await asyncio.sleep(0)  # a little data may say a lot, and the loop has others to serve
            decoder.end()
        except (ValueError, aiohttp.ClientError, OSError) as error:
            raise TransportError(f"the answer broke off: {why_broken(error)}", place=self.place) from error

    async def read(self, most_bytes: int) -> bytes:
        """The body, or its first so many bytes; the rest is let go of."""
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) >= most_bytes:
                break
        self.close()
        return bytes(body[:most_bytes])

    def close(self) -> None:
        """Read no more: a body that has not come to its end takes its connection with it."""
        self._response.close()


def why_broken(error: Exception) -> str:
    """What an error of aiohttp's means, met while a body was read, in words."""
    if isinstance(error, aiohttp.ClientPayloadError) and "not completed" in str(error):
        return "the connection ended in the middle of its body"
    cause = getattr(error, "os_error", None) or error
    return str(getattr(cause, "strerror", None) or cause or type(error).__name__)
