"""JSON messages: one frame, one message (RFC 8259)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from typing import Any

from antiphon.conversation.message import Data, Message
from antiphon.dialect.codec import Codec
from antiphon.dialect.json_text import JSON, NOT_WRITABLE, encode_json
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.structured import Structured, StructuredCodec

__all__ = ["Json"]


class Json(Structured):
    """A JSON object a frame: where its name and body stand, and which messages are replies.

    name: path of the message's name, a string: `"action"`, `"header.type"`, `"[3]"` in an array. A frame without one is
        called "unnamed".
    body: path of its body; None when the whole object is the body (the name stays a field of it). A message without
        one has the body `{}`, or all that the frame holds if it has no name either. None is sent as `{}`.
    reply: the name of a request's reply, with `{name}` for the request's own and `{Name}` for it with a capital letter:
        `"result{Name}"`. Without an `id`, replies of one name belong to the requests of that name in their order.
    id: path of the request's id, which its reply repeats: `"id"`, `"data.requestID"`. An id that a request's body holds
        already is kept. Without a `reply`, whatever carries the id of an open request is its reply.
    new_id: makes ids, by default 1, 2, …; what is neither string nor number is sent as a string (`uuid.uuid4`).
    failed: a pattern (see `antiphon.conversation.match`); a reply whose body fits it fails the request at once.
    provisional: a pattern; a reply whose body fits it is followed by others.
    error, error_of: the name of the message by which the peer refuses what it cannot even answer, and the path in its
        body of the refused request's name; it fails the request whose id it carries, else the oldest of that name.
    envelope: fields that every sent message carries beside its name and body; of arrays items, as `{"[0]": 2}`.

    A refusal is sent as a reply that fits `failed`, with `code`, `message` and the refusal's further fields in its
    body; where there is no `failed`, as the message `error`. Of a repeated member of an object the last counts.
    """

    notation = JSON

    def codec(self, _meeting: Meeting, /) -> Codec:
        if not self._is_envelope:
            return StructuredCodec(self)
        codec = _EnvelopeCodec.__new__(_EnvelopeCodec)
        vars(codec).update(self._model)  # it remembers nothing, so that nothing is made anew for each connection
        return codec

    @cached_property
    def _model(self) -> dict[str, Any]:
        """What such a codec is made of: of a copy, for it leads to its dialect, and this one would lead in a circle."""
        return vars(_EnvelopeCodec(copy(self)))

    @cached_property
    def _is_envelope(self) -> bool:
        """Whether name and body are a field each, the name alone tells what is a reply, and a text in a field of the
        body what a failure, as in most protocols."""
        has_more = bool(self.id or self.error or self.envelope) or self.provisional is not None
        is_told_by_field = self.failed is None or _text_field(self.failed) is not None
        are_fields = self.kind is dict and len(self.name) == len(self.body) == 1
        return self.reply is not None and are_fields and is_told_by_field and not has_more


class _EnvelopeCodec(StructuredCodec):
    """The same for what `_is_envelope`, all in one pass."""

    def __init__(self, dialect: Json) -> None:
        super().__init__(dialect)
        # Functions of their own: to look up what an option means, in the codec, costs as much as to do it.
        self.decode = _envelope_reader(StructuredCodec(dialect))  # type: ignore[assignment,method-assign]
        self.request = _envelope_requester(self)  # type: ignore[assignment,method-assign]


def _envelope_reader(codec: StructuredCodec) -> Callable[[Data], Sequence[Message]]:
    """What decodes in the place of that codec."""
    read, is_reply, name_key, body_key = codec._decode, codec._is_reply, codec._name_key, codec._body_key
    failed_key, failed_text = _text_field(codec._dialect.failed) or (None, object())

    def decode(data: Data) -> Sequence[Message]:
        try:
            document = read(data)
            name, body = document[name_key], document[body_key]
            if is_reply(name):
                return (Message(name, body, data, None, name, None, True, True, body.get(failed_key) == failed_text),)
        except Exception:  # no JSON, no object, no name, no body: seldom, and told as elsewhere
            return codec.decode(data)
        return (Message(name, body, data),) if name else codec.decode(data)

    return decode


def _envelope_requester(codec: StructuredCodec) -> Callable[[str, Any], Message]:
    """What makes requests in the place of that codec."""
    reply_to, name_key, body_key = codec._reply_to, codec._name_key, codec._body_key

    def request(name: str, body: Any) -> Message:
        if body is None:
            body = {}
        try:
            return Message(name, body, encode_json({name_key: name, body_key: body}), None, None, reply_to(name))
        except NOT_WRITABLE as error:
            raise JSON.unwritable(name, body, error) from error

    return request


def _text_field(pattern: Any) -> tuple[Any, str] | None:
    """The one field of a pattern, and the text that it wants there: `{"result": "error"}` is most; None for others."""
    if pattern.__class__ is dict and len(pattern) == 1:
        ((field, wanted),) = pattern.items()
        if wanted.__class__ is str:
            return field, wanted
    return None
