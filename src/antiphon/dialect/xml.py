"""XML with the rules of `Json`."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any
from xml.parsers import expat

import msgspec

from antiphon.conversation.message import Data, Message, Textual
from antiphon.dialect.codec import Codec
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.notation import Notation
from antiphon.dialect.structured import Structured, StructuredCodec
from antiphon.dialect.xml_names import XmlNames
from antiphon.dialect.xml_reader import NAME, XmlReader, is_known_encoding
from antiphon.dialect.xml_writer import NOT_WRITABLE, XmlWriter, texts
from antiphon.errors import ErrorReply, ScenarioError

__all__ = ["Xml"]


class Xml(Structured):
    """An XML document a frame, named by its root element, with the options of `Json`.

    A document is an object: attributes under `@name`, elements under their names, text under `#text`, the name of the
    root under `#name`. An element with nothing but text is that text, also where it is empty; several of one name are a
    list. All values are texts: `{"@id": "7", "item": ["a", "b"]}`. Numbers, booleans, dates and None are written as
    texts, bytes as base64, and ids are compared as texts. Where elements stand between pieces of text, their order is
    not kept; comments and processing instructions are not heard.

    Paths are those of `Json`: `name="@type"`, `body="payload"`, `id="header.id"`, `id="@id"`. With another name than
    the root's, `envelope={"#name": "message"}` says how that is called.

    namespaces: prefixes by which elements and attributes are called here and written, whatever those of the peer are:
        `{"o": "urn:orders"}` makes `o:item`, `{"": "urn:orders"}` makes `item`. What is of another namespace is called
        `{urn:other}item`; None has all of them called so.
    lists: names of elements that are a list also where there is one.
    encoding: None to send text; "utf-8" and the like to send bytes with an XML declaration. Both are read, in UTF-8,
        UTF-16, ISO-8859-x or Windows-125x, with a byte order mark or without.
    limit_elements: the most elements and attributes that a document may have.

    A document with a document type is not read, so there are no entities to expand, and nothing is fetched.
    """

    def __init__(
        self,
        name: str = NAME,
        body: str | None = None,
        *,
        namespaces: Mapping[str, str] | None = None,
        lists: Collection[str] = (),
        encoding: str | None = None,
        limit_elements: int = 100_000,
        **options: Any,
    ) -> None:
        super().__init__(name, body, **options)
        if self.kind is list:
            raise ScenarioError(f"the root of an XML document is no array: {name!r}", hint='"#name", "@type", "a.b"')
        if self.name != (NAME,) and NAME not in self.envelope:
            hint = 'envelope={"#name": "message"}'
            raise ScenarioError("the name is not the root element's, so what is that called?", hint=hint)
        if isinstance(lists, str):
            raise ScenarioError(f"lists= has names of elements, not {lists!r}", hint=f"lists=[{lists!r}]")
        if encoding is not None and not is_known_encoding(encoding):
            raise ScenarioError(f"XML is not written in {encoding!r}", hint='"utf-8"')
        names = XmlNames(namespaces or {})
        self.notation = Notation(  # type: ignore[misc]  # each has namespaces of its own
            name="XML",
            read=XmlReader(names, lists, limit_elements).read,
            write=XmlWriter(names, encoding).write,
            plain=texts,
            not_readable=(expat.ExpatError, ValueError),
            not_writable=NOT_WRITABLE,
            why_unreadable=_why_unreadable,
            keys=frozenset({str}),
        )

    def codec(self, _meeting: Meeting, /) -> Codec:
        return _XmlCodec(self)


class _XmlCodec(StructuredCodec):
    """Says what the peer will read: texts."""

    def decode(self, data: Data) -> Sequence[Message]:
        messages = [Textual(*msgspec.structs.astuple(message)) for message in super().decode(data)]
        for message in messages:
            if message.body == "":  # of nothing nobody can tell whether it was a text, and mostly it was none
                message.body = {}
        return messages

    def encode(self, name: str, body: Any, key: Hashable = None) -> Message:
        return super().encode(name, self._texts(name, body), key)

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        fields = {field: self._texts(request.name, value) for field, value in refusal.fields.items()}
        return super().refuse(request, ErrorReply(str(refusal.code), refusal.message, **fields))

    def _texts(self, name: str, body: Any) -> Any:
        try:
            return {} if body is None else texts(body)
        except NOT_WRITABLE as error:
            raise self._notation.unwritable(name, body, error) from error


def _why_unreadable(data: Data, error: Exception) -> str:
    if not data:
        return "the frame is empty"
    if "DOCTYPE" in str(error):
        return "with its entities a small document could be endless, or have files read"
    return "is this channel's dialect the right one? Text() and Raw() take anything"
