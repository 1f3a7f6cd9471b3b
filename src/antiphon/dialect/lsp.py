"""The Language Server Protocol, both sides: JSON-RPC 2.0 whose requests may be taken back (LSP 3.17)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final

from antiphon.conversation.message import Message, Withdrawal
from antiphon.dialect.codec import Codec
from antiphon.dialect.jsonrpc import JsonRpc, JsonRpcCodec
from antiphon.dialect.meeting import Meeting
from antiphon.errors import ErrorReply

__all__ = ["Lsp"]


class Lsp(JsonRpc):
    """See `JsonRpc`; over a stream with `framing=ContentLength()` (base protocol).

    A request that is given up (its deadline passed, its `async for` left) is taken back by `$/cancelRequest`; one of
    the peer's that is taken back ends its handler, and is answered with RequestCancelled (-32800), as it must be.
    """

    def codec(self, _meeting: Meeting, /) -> Codec:
        return _LspCodec(self)


class _LspCodec(JsonRpcCodec):
    def __init__(self, dialect: JsonRpc) -> None:
        super().__init__(dialect)
        self._open: dict[Hashable, Message] = {}

    def cancel(self, request: Message, /) -> Iterable[Message]:
        return (self.encode(_CANCEL, {"id": request.asks}),)

    def _read_call(self, document: dict[str, Any], key: Any, raw: Any) -> Message:
        message = super()._read_call(document, key, raw)
        if message.name != _CANCEL or not isinstance(message.body, dict):
            if message.is_request:
                self._open[message.asks] = message
            return message
        request = self._open.pop(message.body.get("id"), None)
        if request is None:  # it has been answered: the two have crossed
            message.is_protocol = True
            return message
        self._owed.append(super().refuse(request, ErrorReply(-32800, "Request cancelled")))
        return Withdrawal(message.name, message.body, raw, withdraws=request.asks)

    def answer(self, request: Message, body: Any) -> Message:
        self._open.pop(request.asks, None)
        return super().answer(request, body)

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        self._open.pop(request.asks, None)
        return super().refuse(request, refusal)


_CANCEL: Final = "$/cancelRequest"
