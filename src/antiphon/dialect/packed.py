"""Binary notations with the rules of `Json`: MessagePack (msgpack.org) and CBOR (RFC 8949)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import msgspec

from antiphon.conversation.message import Data
from antiphon.conversation.typed import plain_value
from antiphon.dialect.notation import Notation
from antiphon.dialect.structured import Structured
from antiphon.errors import ScenarioError

__all__ = ["Cbor", "MessagePack"]

_NOT_WRITABLE: Final = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
_BYTES: Final = (bytes, bytearray, memoryview)


def _why_unreadable(data: Data, error: Exception) -> str:
    if isinstance(data, str):
        return "it is text; this notation is binary: is this channel's dialect the right one?"
    if not data:
        return "the frame is empty"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "is this channel's dialect the right one? Raw() takes anything"


_pack: Final = msgspec.msgpack.Encoder(decimal_format="number", enc_hook=plain_value).encode


def _plain_pack(value: Any) -> Any:
    return msgspec.to_builtins(value, builtin_types=(*_BYTES, datetime, Decimal), enc_hook=plain_value)


class MessagePack(Structured):
    """A MessagePack map or array a frame, with the options of `Json`.

    Bodies may hold bytes; timestamps are `datetime`, other extensions `msgspec.msgpack.Ext`. Data is binary.
    """

    notation = Notation(
        name="MessagePack",
        read=msgspec.msgpack.Decoder().decode,  # type: ignore[arg-type]  # of text it raises TypeError
        write=_pack,
        plain=_plain_pack,
        not_readable=(msgspec.DecodeError, UnicodeError, RecursionError, TypeError),
        not_writable=_NOT_WRITABLE,
        why_unreadable=_why_unreadable,
    )


class Cbor(Structured):
    """A CBOR map or array a frame, with the options of `Json`; it needs the extra `cbor` (cbor2).

    Bodies may hold bytes, dates, decimals, UUIDs; tags that stand for nothing of Python's stay `cbor2.CBORTag`. What
    refers to other parts of the same data (tags 25, 28, 29, 256) is not read: it could contain itself.
    """

    def __init__(self, *places: Any, **options: Any) -> None:
        super().__init__(*places, **options)
        self.notation = _cbor()  # type: ignore[misc]  # looked for when somebody wants it: it is an extra


@cache
def _cbor() -> Notation:
    try:
        import cbor2
    except ImportError as error:
        hint = "install what it needs: pip install 'antiphon[cbor]'"
        raise ScenarioError(f"the dialect Cbor needs cbor2: {error}", hint=hint) from error

    def refuse(_value: Any, _immutable: bool) -> Any:
        raise ValueError("it refers to other parts of itself, which is not read")

    def keep(tag: int) -> Callable[[Any, bool], Any]:
        return lambda value, _immutable: cbor2.CBORTag(tag, value)

    # A regular expression or an e-mail is not to be parsed only because a peer says so.
    decoders = {**dict.fromkeys((25, 28, 29, 256), refuse), 35: keep(35), 36: keep(36)}

    def read(data: Data) -> Any:
        stream = BytesIO(data)  # type: ignore[arg-type]  # of text it raises TypeError
        value = cbor2.CBORDecoder(stream, semantic_decoders=decoders, max_depth=_DEEPEST).decode()
        if rest := len(data) - stream.tell():
            raise ValueError(f"{rest} bytes follow the value")
        return value

    return Notation(
        name="CBOR",
        read=read,
        # Said plainly first: what is nested too deeply would end the process in the library.
        write=lambda value: cbor2.dumps(_plain_cbor(value)),
        plain=_plain_cbor,
        not_readable=(cbor2.CBORDecodeError, ValueError, TypeError, RecursionError),
        not_writable=(*_NOT_WRITABLE, cbor2.CBOREncodeError),
        why_unreadable=_why_unreadable,
    )


def _plain_cbor(value: Any) -> Any:
    return msgspec.to_builtins(value, builtin_types=(*_BYTES, datetime, date, Decimal, UUID), enc_hook=plain_value)


_DEEPEST: Final = 200
