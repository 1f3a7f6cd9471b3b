"""An actor's way to talk HTTP: each request and its answer is one exchange in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from multidict import CIMultiDict

from antiphon.actor.http_exchange import HttpAnswer, PerformedExchange
from antiphon.conversation.failure_signs import code_and_text
from antiphon.conversation.headers import Headers
from antiphon.conversation.http_response import HttpResponse
from antiphon.conversation.match import Difference, differences
from antiphon.conversation.message import Message
from antiphon.conversation.wording import one_line, shorten
from antiphon.dialect.json_text import JSON, NOT_WRITABLE, encode_json
from antiphon.errors import AntiphonError, ExpectationFailed
from antiphon.journal import Deferred
from antiphon.runtime.call_site import caller
from antiphon.runtime.runtime import STEP, Runtime
from antiphon.transport.http_client import HttpClient
from antiphon.transport.http_stream import HttpSession

__all__ = ["HttpChannel"]


class HttpChannel:
    """Requests of one actor to one address.

    `headers` go with every request; cookies are kept. Each method takes a path (or a whole address) and, by keyword:
    `json` or `data` (the body), `params` (the query), `headers`, `status` (the status or statuses that are right; by
    default 200 to 299), `check` (a pattern that the body must fit), `within_s`, `follow` (redirects; true by
    default).

    Raises ExpectationFailed for another status or a body that does not fit, ConnectFailed when nobody answers.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        *,
        actor: str,
        address: Callable[[], str],
        client: HttpClient,
        headers: Mapping[str, str] | None = None,
        within_s: float = 10.0,
    ) -> None:
        self.name = name
        self.actor = actor
        self.headers: CIMultiDict[str] = CIMultiDict(headers or {})
        self.within_s = within_s
        self._runtime = runtime
        self._address = address
        self._client = client
        self._number = 0

    @property
    def session(self) -> HttpSession:
        """Cookies, TLS and headers, for a stream that borrows them."""
        self._runtime.masker.learn_later(self.headers.copy)
        return HttpSession(self._client, self.headers)

    async def get(self, path: str = "", **options: Any) -> HttpResponse:
        """GET (RFC 9110 section 9.3.1)."""
        return await self.request("GET", path, **options)

    async def post(self, path: str = "", **options: Any) -> HttpResponse:
        """POST (RFC 9110 section 9.3.3)."""
        return await self.request("POST", path, **options)

    async def put(self, path: str = "", **options: Any) -> HttpResponse:
        """PUT (RFC 9110 section 9.3.4)."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str = "", **options: Any) -> HttpResponse:
        """PATCH (RFC 5789)."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str = "", **options: Any) -> HttpResponse:
        """DELETE (RFC 9110 section 9.3.5)."""
        return await self.request("DELETE", path, **options)

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        json: Any = None,
        data: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | Collection[int] | None = None,
        check: Any = None,
        within_s: float | None = None,
        follow: bool = True,
    ) -> HttpResponse:
        """Any method."""
        url = path if "://" in path else self._address().rstrip("/") + ("/" + path.lstrip("/") if path else "")
        all_headers = CIMultiDict(self.headers)
        if headers:
            all_headers.update(headers)
        if json is not None:
            data = _json_text(f"{method} {url}", json).encode()
            all_headers.setdefault("Content-Type", "application/json")
        if params:
            self._runtime.masker.learn_from(params)
        exchange = self._begin(method, url, all_headers, data, json)
        try:
            response = await self._client.request(
                method,
                url,
                headers=all_headers,
                within_s=self.within_s if within_s is None else within_s,
                data=data,
                params=params,
                follow=follow,
            )
        except AntiphonError as error:
            self._end(exchange, error=error.text)
            raise
        except asyncio.CancelledError:  # as by a deadline around the step: what was sent was sent all the same
            self._end(exchange, error="given up before it was answered")
            raise
        # A bug of ours or of the client's: the record of what was sent must not depend on whose.
        except BaseException as error:
            self._end(exchange, error=f"{type(error).__name__}: {error}")
            raise
        self._end(exchange, response)
        if check is not None or not _is_right(response.status, status):
            self._judge(exchange, response, status, check, caller())
        return response

    async def close(self) -> None:
        """Close the connections that are kept for further requests."""
        await self._client.close()

    def _begin(self, method: str, url: str, headers: Headers, body: Any, json: Any) -> PerformedExchange:
        self._number += 1
        step = STEP.get()
        exchange = PerformedExchange(
            at_ns=self._runtime.now_ns(),
            actor=self.actor,
            channel=self.name,
            step=step.number if step is not None else 0,
            number=self._number,
            method=method,
            url=url,
            headers=headers,
            # What may be another by the time that it is read, or cannot be read twice, is put into words now.
            body=body if body is None or isinstance(body, (str, bytes)) else _text(body),
        )
        # Before the request is recorded, so that its own secrets are masked in the entry.
        self._runtime.masker.learn_later(lambda: headers)
        if json is not None:
            self._teach(json, body)
        self._runtime.record(Deferred(exchange.at_ns, exchange.requested))
        return exchange

    def _end(self, exchange: PerformedExchange, response: HttpResponse | None = None, error: str = "") -> None:
        exchange.took_ns = self._runtime.now_ns() - exchange.at_ns
        exchange.error = error
        if response is not None:
            answer = exchange.answer = HttpAnswer.of(response)
            self._runtime.masker.learn_later(answer.taught)
            self._teach(response.body, response.raw)
        self._runtime.record(Deferred(exchange.at_ns, exchange.exchanged, exchange))

    def _teach(self, body: Any, data: bytes) -> None:
        """Have the masker learn what stands in a body, whose JSON is in `data`."""
        if isinstance(body, (dict, list)):
            self._runtime.masker.learn_from_json(body, data)
        else:
            self._runtime.masker.learn_from(body)

    def _judge(
        self,
        exchange: PerformedExchange,
        response: HttpResponse,
        status: int | Collection[int] | None,
        check: Any,
        place: str,
    ) -> None:
        request = f"{self.actor}.{self.name}: {exchange.method} {exchange.url}"
        if not _is_right(response.status, status):
            wanted = "200 to 299" if status is None else status
            # Masked before it is cut: half a secret would not be found in the text.
            masked = self._runtime.masker.value(response.body)
            body = shorten(masked)
            why = code_and_text(Message("", masked, b""))[1] if isinstance(masked, (dict, list)) else ""
            wrong = ExpectationFailed(
                f"{request} was answered with {response.status}, wanted {wanted}"
                + (f": it says {one_line(why)!r}" if why else ""),
                place=place,
                hint=f"the body is {body}",
            )
            wrong.status = response.status
            raise wrong
        found: list[Difference] = differences(check, response.body) if check is not None else []
        if found:
            raise ExpectationFailed(f"{request}: " + "; ".join(map(str, found)), place=place)


def _is_right(status: int, wanted: int | Collection[int] | None) -> bool:
    if wanted is None:
        return 200 <= status < 300
    return status == wanted if isinstance(wanted, int) else status in wanted


def _text(body: Any) -> str:
    if isinstance(body, bytearray):
        return body.decode("utf-8", "replace")
    try:
        return encode_json(body)
    except NOT_WRITABLE:
        return shorten(body, _MOST_SHOWN)  # a form, or something to be read while it is sent


_MOST_SHOWN: Final = 10_000


def _json_text(name: str, value: Any) -> str:
    try:
        return encode_json(value)
    except NOT_WRITABLE as error:
        raise JSON.unwritable(name, value, error) from error
