"""What RFC 6455 asks of frames: how they make messages, which close codes may travel, what is too much.

Pure: bytes in, messages or a `Violation` out. Nothing in here reads or writes.
"""

from __future__ import annotations

import codecs
from base64 import b64encode
from hashlib import sha1
from typing import Final, Protocol

from antiphon.conversation.message import Data

__all__ = [
    "ABNORMAL",
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "GOING_AWAY",
    "INTERNAL_ERROR",
    "INVALID_DATA",
    "NORMAL",
    "NO_CODE",
    "PING",
    "PONG",
    "PROTOCOL_ERROR",
    "TEXT",
    "TOO_BIG",
    "Assembly",
    "Inflating",
    "Violation",
    "accept_value",
    "check_close",
    "frame_head",
    "is_close_code",
    "masked",
    "read_close",
]

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_CODE: Final = 1005
ABNORMAL: Final = 1006
INVALID_DATA: Final = 1007
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011

MAX_REASON_BYTES: Final = 123
"""A control frame holds 125 bytes (section 5.5), of which the close code takes two."""

RSV1: Final = 0b100
"""The reserved bits of a frame as one number: RSV1 is 4, RSV2 is 2, RSV3 is 1 (section 5.2)."""


class Violation(Exception):
    """The peer broke the protocol: `code` is the close code it gets, `text` what was wrong, `hint` what we could do."""

    def __init__(self, code: int, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.hint = hint

    @property
    def detail(self) -> str:
        """The text with its hint, in one line."""
        return f"{self.text}: {self.hint}" if self.hint else self.text


class Inflating(Protocol):
    """The receiving half of a compression extension."""

    def inflate(self, payload: bytes, *, is_final: bool, limit_bytes: int) -> bytes:
        """The data in one frame's payload. Raises Violation if it cannot be read or is more than `limit_bytes`."""
        ...


def accept_value(key: str) -> str:
    """The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (section 4.2.2)."""
    # The constant shows that the server knows WebSocket; SHA-1 is asked for, and keeps no secret here (section 10.8).
    return b64encode(
        sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    ).decode()


def frame_head(opcode: int, size_bytes: int, *, mask: bytes = b"", has_rsv1: bool = False) -> bytes:
    """The head of a whole frame (section 5.2), which ends with the mask where there is one."""
    mask_bit = 0x80 if mask else 0
    if size_bytes < 126:
        length = bytes([mask_bit | size_bytes])
    elif size_bytes < 1 << 16:
        length = bytes([mask_bit | 126]) + size_bytes.to_bytes(2, "big")
    else:
        length = bytes([mask_bit | 127]) + size_bytes.to_bytes(8, "big")
    return bytes([0x80 | has_rsv1 << 6 | opcode]) + length + mask


def masked(payload: bytes, mask: bytes) -> bytes:
    """The payload under a mask of four bytes (section 5.3); without one it is as it was."""
    if not mask:
        return payload
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def is_close_code(code: int) -> bool:
    """May this code stand in a close frame? (Section 7.4 and the registry of section 11.7.)"""
    # 1004, 1005, 1006 and 1015 are for programs to tell themselves and must not travel (section 7.4.1).
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def check_close(code: int, reason: str) -> None:
    """Raise ValueError unless a close frame can carry this code and this reason."""
    if not isinstance(code, int) or not is_close_code(code):
        raise ValueError(
            f"{code} is no close code that can be sent: 1000-1003, 1007-1014 and 3000-4999 are (RFC 6455, 7.4)"
        )
    if not isinstance(reason, str):
        raise ValueError(f"the close reason is a text, not {reason!r}")
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"the close reason {reason!r} has no UTF-8 form") from error
    if size > MAX_REASON_BYTES:
        raise ValueError(
            f"the close reason has {size} bytes of UTF-8; {MAX_REASON_BYTES} fit into a close frame (RFC 6455, 5.5)"
        )


def read_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame, (1005, "") for an empty one (section 7.1.5). Raises Violation."""
    if not payload:
        return NO_CODE, ""
    if len(payload) == 1:  # a body begins with a code of two bytes (section 5.5.1)
        raise Violation(PROTOCOL_ERROR, "a close frame of one byte, which is half a close code")
    code = int.from_bytes(payload[:2], "big")
    if not is_close_code(code):
        raise Violation(PROTOCOL_ERROR, f"a close frame with the code {code}, which must not be sent")
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(INVALID_DATA, "a close frame whose reason is not UTF-8") from None


def fit_reason(text: str) -> str:
    """The text cut so that it fits into a close frame."""
    # Bytes are cut, and half a letter at the end is dropped: the reason must be UTF-8 (section 5.5.1).
    return text.encode(errors="replace")[:MAX_REASON_BYTES].decode(errors="ignore")


class Assembly:
    """Makes messages of the data frames of one direction (sections 5.4, 5.6, 8.1).

    `is_between` is True while no fragmented message has begun. `max_size_bytes` bounds a whole message, inflated.
    """

    def __init__(self, max_size_bytes: int, inflater: Inflating | None = None) -> None:
        self.is_between = True
        self._max_size_bytes = max_size_bytes
        self._inflater = inflater
        self._is_deflated = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._data = bytearray()  # a list would keep a piece for each fragment, also for an empty one

    def take(self, opcode: int, is_final: bool, reserved: int, payload: bytes) -> Data | None:
        """Take a data frame; gives the message that it completes, or None. Raises Violation."""
        if opcode == CONTINUATION:
            self._continue(reserved)
        else:
            self._begin(opcode, reserved)
        chunk = payload
        if self._is_deflated:
            assert self._inflater is not None
            room_bytes = self._max_size_bytes - len(self._data)
            chunk = self._inflater.inflate(payload, is_final=is_final, limit_bytes=room_bytes)
        if len(self._data) + len(chunk) > self._max_size_bytes:
            raise too_big(f"a message of more than {self._max_size_bytes} bytes", self._max_size_bytes)
        self.is_between = is_final  # only now: a frame that breaks a rule begins no message
        # Text is judged as it comes: the frame that would complete a letter may never come (section 8.1).
        whole = _decoded(self._decoder, chunk, is_final) if self._decoder is not None else chunk
        if is_final and not self._data:
            return whole
        self._data += chunk
        if not is_final:
            return None
        data, self._data = bytes(self._data), bytearray()
        return data.decode() if self._decoder is not None else data

    def _begin(self, opcode: int, reserved: int) -> None:
        if not self.is_between:  # fragments of two messages must not be mixed (section 5.4)
            raise Violation(PROTOCOL_ERROR, "a new message inside a fragmented one")
        # RSV1 on a message's first frame says that all of it is compressed (RFC 7692 section 6).
        self._is_deflated = bool(reserved & RSV1) and self._inflater is not None
        check_reserved(reserved & ~RSV1 if self._is_deflated else reserved)
        self._decoder = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None

    def _continue(self, reserved: int) -> None:
        if self.is_between:
            raise Violation(PROTOCOL_ERROR, "a continuation frame with no message to continue")
        # Not even RSV1: what the first frame said holds for the rest (RFC 7692 section 6).
        check_reserved(reserved)


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, is_final: bool) -> str:
    try:
        return decoder.decode(chunk, is_final)
    except UnicodeDecodeError:
        raise invalid_text() from None


def check_reserved(reserved: int) -> None:
    """Raise Violation if a reserved bit is set that no extension gave a meaning to (section 5.2)."""
    if reserved:
        names = [name for name, bit in (("RSV1", 4), ("RSV2", 2), ("RSV3", 1)) if reserved & bit]
        raise Violation(PROTOCOL_ERROR, f"a frame with {' and '.join(names)} set, which no extension gave a meaning to")


def invalid_text() -> Violation:
    """The violation of text that is not UTF-8 (section 8.1)."""
    return Violation(INVALID_DATA, "a text message that is not UTF-8")


def too_big(what: str, limit_bytes: int) -> Violation:
    """The violation of something that is more than we take (section 7.4.1)."""
    return Violation(TOO_BIG, f"{what}; the limit is {limit_bytes}", "raise max_size_bytes")
