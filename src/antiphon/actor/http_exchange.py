"""A request over HTTP and what came of it, as they were: entries and secrets are found in them when somebody asks."""

from __future__ import annotations

from typing import Any

import msgspec
from multidict import CIMultiDict

from antiphon.conversation.headers import Headers, single_lines
from antiphon.conversation.http_response import HttpResponse
from antiphon.journal import HttpExchange, HttpRequested

__all__ = ["HttpAnswer", "PerformedExchange"]


class HttpAnswer(msgspec.Struct, frozen=True):
    """What came back. The response itself is the author's, who may change it; this stays as it came."""

    status: int
    headers: Headers
    cookies: tuple[str, ...]
    raw: bytes
    charset: str

    @classmethod
    def of(cls, response: HttpResponse) -> HttpAnswer:
        """The same, as it is now."""
        cookies = tuple(response.cookies.values())
        return cls(response.status, CIMultiDict(response.headers), cookies, response.raw, response.charset)

    def taught(self) -> list[Any]:
        """In what beside the body secrets may stand: see `Masker.learn_from`."""
        return [self.headers, *({"cookie": value} for value in self.cookies)]

    @property
    def text(self) -> str:
        """See `HttpResponse.text`."""
        return HttpResponse(self.status, self.headers, {}, None, self.raw, self.charset).text


class PerformedExchange(msgspec.Struct):
    """A request of one channel, `answer` and `error` once it has come to its end; times are those of the run."""

    at_ns: int
    actor: str
    channel: str
    step: int
    number: int
    method: str
    url: str
    headers: Headers
    body: str | bytes | None
    took_ns: int = 0
    answer: HttpAnswer | None = None
    error: str = ""

    def requested(self) -> HttpRequested:
        """The entry of its beginning."""
        return HttpRequested(
            at_ns=self.at_ns,
            actor=self.actor,
            channel=self.channel,
            step=self.step,
            number=self.number,
            method=self.method,
            url=self.url,
            request_headers=single_lines(self.headers),
            request_body=self._body_text,
        )

    def exchanged(self) -> HttpExchange:
        """The entry of its end."""
        exchange = self.requested().exchange(self.error)
        exchange.took_ns = self.took_ns
        if (answer := self.answer) is not None:
            exchange.status = answer.status
            exchange.response_headers = single_lines(answer.headers)
            exchange.response_body = answer.text
        return exchange

    @property
    def _body_text(self) -> str:
        body = self.body
        if body is None:
            return ""
        return body if isinstance(body, str) else body.decode("utf-8", "replace")
