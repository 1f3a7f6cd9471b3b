"""What came back over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from antiphon.conversation.headers import Headers, combine
from antiphon.conversation.message import field_missing
from antiphon.conversation.wording import shorten
from antiphon.errors import FieldMissing

__all__ = ["HttpResponse"]


class HttpResponse(msgspec.Struct, eq=False):
    """An answer over HTTP.

    `headers` are looked up without regard to case (see `antiphon.conversation.headers.combine`), `cookies` are those
    that the answer set, `raw` is the whole body. `body` is what it says: the decoded JSON of a JSON answer, the text of
    a text answer, or else the bytes. `response["x"]` reads a field of it.
    """

    status: int
    headers: Headers
    cookies: dict[str, str]
    body: Any
    raw: bytes
    charset: str = "utf-8"

    @classmethod
    def of(
        cls, status: int, lines: Iterable[tuple[str, str]], cookies: dict[str, str], raw: bytes, charset: str
    ) -> HttpResponse:
        """The answer whose body was read to its end, decoded as its Content-Type says (RFC 9110 section 8.3)."""
        response = cls(status, combine(lines), cookies, raw, raw, charset)
        kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json"):
            try:
                response.body = msgspec.json.decode(raw)
            except (msgspec.DecodeError, UnicodeError, RecursionError):  # not JSON, or deeper than can be read
                response.body = response.text
        elif kind.startswith("text/"):
            response.body = response.text
        return response

    @property
    def text(self) -> str:
        """The body as text; what its charset cannot read is replaced by U+FFFD. A charset that is none is UTF-8."""
        try:
            return self.raw.decode(self.charset, "replace")
        except (LookupError, ValueError):
            return self.raw.decode("utf-8", "replace")

    def __getitem__(self, key: Any) -> Any:
        """`body[key]`; a missing field raises `FieldMissing`, which names the fields that are there."""
        try:
            return self.body[key]
        except (KeyError, IndexError, TypeError) as error:
            if isinstance(self.body, str):
                told = f"its body is the text {shorten(self.body)}"
                raise FieldMissing(f"the answer has no field {key!r}", hint=told) from error
            raise field_missing("the answer", key, self.body) from error

    def get(self, key: Any, default: Any = None) -> Any:
        """`body[key]` or `default`."""
        return self.body.get(key, default) if isinstance(self.body, Mapping) else default
