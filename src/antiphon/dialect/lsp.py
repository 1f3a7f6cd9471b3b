"""The Language Server Protocol, both sides: JSON-RPC 2.0 whose requests may be taken back (LSP 3.17)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final

from antiphon.conversation.message import Data, Message, Withdrawal
from antiphon.dialect.codec import Codec
from antiphon.dialect.jsonrpc import JsonRpc, JsonRpcCodec
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.notation import KEYS
from antiphon.errors import ErrorReply

__all__ = ["Lsp"]


class Lsp(JsonRpc):
    """See `JsonRpc`; over a stream with `framing=ContentLength()` (LSP 3.17, "Base Protocol").

    A request that is given up (its deadline passed, its `async for` left) is taken back by `$/cancelRequest`, and that
    it was cancelled, which the peer must say, is in the journal only. One of the peer's that is taken back ends its
    handler and is answered with RequestCancelled (-32800); what is answered to it after that is not sent. A
    `$/cancelRequest` for what has been answered already has crossed the answer, and is in the journal only.
    """

    def codec(self, _meeting: Meeting, /) -> Codec:
        return _LspCodec(self)


class _LspCodec(JsonRpcCodec):
    def __init__(self, dialect: JsonRpc) -> None:
        super().__init__(dialect)
        self._open: dict[Hashable, Message] = {}
        self._taken_back: dict[Hashable, Message] = {}
        self._given_up: dict[Hashable, Message] = {}

    def decode(self, data: Data) -> Sequence[Message]:
        # Here, and not where one message is read: a request of a batch is another one afterwards.
        return [self._heard(message) for message in super().decode(data)]

    def _heard(self, message: Message) -> Message:
        if message.is_request:
            _remember(self._open, message)
        elif message.name == _CANCEL and message.reply_to is None:
            return self._withdrawal(message)
        elif self._given_up.pop(message.reply_to, None) is not None and message.is_failure:
            # It is what the protocol wants said, and nobody has missed it. Any other answer has crossed our word.
            message.is_protocol = message.body.__class__ is dict and message.body.get("code") == _CANCELLED.code
        return message

    def _withdrawal(self, message: Message) -> Message:
        key = message.get("id")
        if key.__class__ not in KEYS:
            return message
        request = self._open.pop(key, None)
        if request is None:
            message.is_protocol = True
            return message
        self._owed.append(self.refuse(request, _CANCELLED))
        _remember(self._taken_back, request)
        return Withdrawal(message.name, message.body, message.raw, withdraws=request.asks)

    def cancel(self, request: Message, /) -> Iterable[Message]:
        _remember(self._given_up, request)
        return (self.encode(_CANCEL, {"id": request.asks}),)

    def _reply(self, request: Message, name: str, body: Any, member: dict[str, Any]) -> Message:
        if self._taken_back.get(request.asks) is request:
            return self._unsent(request, name, body, member)
        if self._open.get(request.asks) is request:
            del self._open[request.asks]
        return super()._reply(request, name, body, member)

    def _unsent(self, request: Message, name: str, body: Any, member: dict[str, Any]) -> Message:
        """An answer that comes too late: the peer has had one."""
        alone = Message(request.name, request.body, request.raw, asks=request.asks, is_request=True)
        answer = super()._reply(alone, name, body, member)
        answer.frames, answer.is_protocol = (), True
        return answer


def _remember(messages: dict[Hashable, Message], message: Message) -> None:
    messages[message.asks] = message
    if len(messages) > _MOST_REMEMBERED:  # whoever never answers must not fill the memory
        del messages[next(iter(messages))]


_CANCEL: Final = "$/cancelRequest"
_CANCELLED: Final = ErrorReply(-32800, "Request cancelled")
_MOST_REMEMBERED: Final = 10_000
