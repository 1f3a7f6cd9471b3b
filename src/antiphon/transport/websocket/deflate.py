"""Compression of messages: permessage-deflate (RFC 7692), its negotiation and its two halves, on zlib."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from antiphon.transport.websocket.rfc6455 import INVALID_DATA, Violation, too_big

__all__ = ["OFFER", "Deflater", "Inflater", "Terms", "accept_terms", "answer_offers"]

NAME: Final = "permessage-deflate"
OFFER: Final = "permessage-deflate; client_max_window_bits"
"""What a client asks for: any window, and the server may limit ours."""

TAIL: Final = b"\x00\x00\xff\xff"
"""The end of a flush, which does not travel (section 7.2.1)."""

MAX_WINDOW_BITS: Final = 15
WINDOW_BYTES: Final = 1 << MAX_WINDOW_BITS
SEND_WINDOW_BITS: Final = 12
"""Ours is smaller than it might be: 32 KiB a connection instead of 256, and messages are seldom longer."""
SEND_MEMORY_LEVEL: Final = 5
SMALLEST_ZLIB_WINDOW_BITS: Final = 9
"""zlib writes no raw streams with a window of 8 bits."""

SMALLEST_PIECE_BYTES: Final = 64
"""What zlib is given of a payload after a last block; each further piece is twice as long."""

Parameters = Mapping[str, str | None]
Extension = tuple[str, Parameters]


class Terms(msgspec.Struct, frozen=True):
    """What both sides agreed on, seen from one of them (section 7.1).

    Windows are in bits, from 8 to 15. `keeps_*_context` is False where every message is compressed on its own.
    """

    send_window_bits: int = MAX_WINDOW_BITS
    receive_window_bits: int = MAX_WINDOW_BITS
    keeps_send_context: bool = True
    keeps_receive_context: bool = True


def accept_terms(parameters: Parameters) -> Terms:
    """The terms a server answered a client's OFFER with. Raises ValueError if it must not answer so."""
    for name in parameters:
        if name not in _PARAMETERS:
            raise ValueError(f"the parameter {name!r} is not of {NAME}")
    return Terms(
        send_window_bits=_window(parameters, "client_max_window_bits"),
        receive_window_bits=_window(parameters, "server_max_window_bits"),
        keeps_send_context=not _flag(parameters, "client_no_context_takeover"),
        keeps_receive_context=not _flag(parameters, "server_no_context_takeover"),
    )


def answer_offers(extensions: Iterable[Extension]) -> tuple[str, Terms] | None:
    """What a server says to a client's offers, and the terms: the first offer that can be kept, None for none."""
    for name, parameters in extensions:
        if name == NAME:
            try:
                return _answer(parameters)
            except ValueError:
                continue  # an offer that is not understood is declined (section 7)
    return None


def _answer(offer: Parameters) -> tuple[str, Terms]:
    if unknown := [name for name in offer if name not in _PARAMETERS]:
        raise ValueError(f"unknown parameters: {unknown}")
    answer = [NAME]
    if _flag(offer, "server_no_context_takeover"):
        answer.append("server_no_context_takeover")
    if _flag(offer, "client_no_context_takeover"):
        answer.append("client_no_context_takeover")
    send_window_bits = MAX_WINDOW_BITS
    if "server_max_window_bits" in offer:
        send_window_bits = _window(offer, "server_max_window_bits")
        if send_window_bits < SMALLEST_ZLIB_WINDOW_BITS:
            raise ValueError("a window that zlib cannot write")
        answer.append(f"server_max_window_bits={send_window_bits}")
    if offer.get("client_max_window_bits") is not None:
        _window(offer, "client_max_window_bits")  # a hint: whatever window the client has, we can read it
    terms = Terms(
        send_window_bits=send_window_bits,
        keeps_send_context="server_no_context_takeover" not in offer,
        keeps_receive_context="client_no_context_takeover" not in offer,
    )
    return "; ".join(answer), terms


_PARAMETERS: Final = frozenset(
    {"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits"}
)


def _flag(parameters: Parameters, name: str) -> bool:
    if name not in parameters:
        return False
    if parameters[name] is not None:
        raise ValueError(f"{name} takes no value")
    return True


def _window(parameters: Parameters, name: str) -> int:
    if name not in parameters:
        return MAX_WINDOW_BITS
    value = parameters[name]
    # These texts and no others: a number without leading zeros (section 7.1.2.1).
    if value not in ("8", "9", "10", "11", "12", "13", "14", "15"):
        raise ValueError(f"{name}={value} is no window from 8 to 15")
    return int(value)


class Deflater:
    """Compresses what we send. zlib's memory is taken when the first message is."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._stream: zlib._Compress | None = None

    @property
    def is_able(self) -> bool:
        """False where the peer wants a window that zlib cannot write: then messages go as they are, as they may."""
        return self._terms.send_window_bits >= SMALLEST_ZLIB_WINDOW_BITS

    def deflate(self, payload: bytes) -> bytes:
        """The payload of the compressed message (section 7.2.1)."""
        if not payload:
            return b"\x00"  # the empty message has a form of its own (section 7.2.3.6)
        stream = self._stream
        if stream is None or not self._terms.keeps_send_context:
            window_bits = min(self._terms.send_window_bits, SEND_WINDOW_BITS)
            stream = self._stream = zlib.compressobj(wbits=-window_bits, memLevel=SEND_MEMORY_LEVEL)
        return (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


class Inflater:
    """Reads what the peer compressed, and never makes more of it than it is told to.

    A message may hold any number of blocks that call themselves the last (section 7.2.3.4); after each zlib wants to
    begin anew, with the window of what was said before. It costs time and memory in proportion to what came.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._stream: zlib._Decompress | None = None
        self._recent = bytearray()  # zlib has a window too, but does not give it out when a last block has come
        self._window = b""

    def inflate(self, payload: bytes, *, is_final: bool, limit_bytes: int) -> bytes:
        """The data in one frame's payload (section 7.2.2). Raises Violation: 1007 no deflate, 1009 too much."""
        data = self._read(payload + TAIL if is_final else payload, limit_bytes)
        if is_final and not self._terms.keeps_receive_context:
            self._stream, self._window = None, b""
            self._recent.clear()
        return data

    def _read(self, payload: bytes, limit_bytes: int) -> bytes:
        chunks: list[bytes] = []
        room_bytes = limit_bytes
        position, piece_bytes = 0, len(payload)
        while position < len(payload):
            stream = self._stream or self._renew()
            piece = payload[position : position + piece_bytes]
            try:
                chunk = stream.decompress(piece, room_bytes + 1)
            except zlib.error:
                raise Violation(INVALID_DATA, "a compressed message that is not deflate") from None
            room_bytes -= len(chunk)
            if room_bytes < 0:
                raise too_big(f"a compressed message that inflates to more than {limit_bytes} bytes", limit_bytes)
            if chunk:  # an empty one tells nothing, and any number of them fits into a message
                chunks.append(chunk)
                self._remember(chunk)
            position += len(piece) - len(stream.unused_data)
            if stream.eof:
                # zlib copies what it did not use: that must not be all the rest, once for each of many last blocks.
                self._stream, piece_bytes = None, SMALLEST_PIECE_BYTES
            else:
                piece_bytes *= 2
        return b"".join(chunks)

    def _remember(self, chunk: bytes) -> None:
        """Keep at least the last window, and at most two."""
        self._recent += chunk[-WINDOW_BYTES:]
        if len(self._recent) > 2 * WINDOW_BYTES:
            del self._recent[:-WINDOW_BYTES]
        self._window = b""

    def _renew(self) -> zlib._Decompress:
        if self._recent and not self._window:  # made once for all blocks that add nothing to it
            self._window = bytes(self._recent[-WINDOW_BYTES:])
        self._stream = zlib.decompressobj(wbits=-self._terms.receive_window_bits, zdict=self._window)
        return self._stream
