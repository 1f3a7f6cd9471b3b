"""Streams over HTTP, as a client: an answer whose body does not end (Server-Sent Events, NDJSON), and long polling.

What is said goes by requests of its own, if it is declared how. The session may be that of an actor's `Http` channel,
with its cookies, headers and TLS.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from copy import copy
from typing import Any, ClassVar, Final, Self
from urllib.parse import urljoin

import msgspec
from multidict import CIMultiDict

from antiphon.conversation.headers import single_lines
from antiphon.errors import ConnectFailed, TransportError, UpgradeRefused
from antiphon.transport.http1_head import phrase
from antiphon.transport.http_answer import HttpAnswer
from antiphon.transport.http_client import HttpClient
from antiphon.transport.http_stream_connection import HttpStreamConnection, Saying
from antiphon.transport.interface import Opening, Receiver
from antiphon.transport.resumption import Resumption
from antiphon.transport.timeouts import timeout

__all__ = ["HttpPolling", "HttpSession", "HttpStream"]

CLOSE_WITHIN_S: Final = 1.0
_MOST_OF_A_REFUSAL_BYTES: Final = 1024 * 1024
_EVENTS: Final = "text/event-stream"
_PAGE: Final = "text/html"
_NOTHING: Final = 204


class HttpSession(msgspec.Struct):
    """What a stream borrows: a client with its cookies and TLS, and the headers that go with every request now."""

    client: HttpClient
    headers: Mapping[str, str]


class HttpStream:
    """Opens `http://…` or `https://…`, and gives what comes of the answer's body, in whatever pieces.

    by: the name of the actor's `Http` channel whose session is used; "" for a session of its own.
    method: of the request that opens the stream.
    says: the method of the requests that carry what is said, each send in one; "" for a stream that only hears.
    says_to: where those go, if not to the stream's own address.
    session_header: a header that, if the answer has it, goes with what is said and tells which stream is meant.
    close_within_s: how long what was said has for leaving after a close, while none of it does.

    An answer that is no 2xx, or 204, or a page of HTML, refuses the connection (`UpgradeRefused`). Headers of the
    answer, and a saying that failed, are asides. Of Server-Sent Events the id of the last one goes with the next
    opening as `Last-Event-ID`, and a channel that is opened again by itself waits as long as `retry:` has asked for.
    """

    _takes_nothing: ClassVar[bool] = False
    """Whether an answer without a body is one: by 204 a service says that there is no stream (HTML, section 9.2.3)."""

    def __init__(
        self,
        *,
        by: str = "",
        method: str = "GET",
        says: str = "",
        says_to: str = "",
        session_header: str = "Mcp-Session-Id",
        close_within_s: float = CLOSE_WITHIN_S,
    ) -> None:
        self.by = by
        self._method = method
        self._says = says
        self._says_to = says_to
        self._session_header = session_header
        self._close_within_s = close_within_s
        self._borrow: Callable[[str], HttpSession] | None = None
        self._resumption = Resumption()

    def for_channel(self, borrow: Callable[[str], HttpSession]) -> Self:
        """The same for one channel, which keeps the id of its last event; `borrow` gives a session by its name."""
        channels = copy(self)
        channels._borrow = borrow
        channels._resumption = Resumption()
        return channels

    @property
    def retry_s(self) -> float | None:
        """How long the service has asked to be left alone before the next stream; None if it said nothing of that."""
        return self._resumption.retry_s

    async def connect(self, address: str, opening: Opening, receiver: Receiver) -> HttpStreamConnection:
        """Send the request, and have its answer be a 2xx. Raises ConnectFailed, or UpgradeRefused for another one."""
        if opening.subprotocols:
            raise ConnectFailed("a stream over HTTP has no subprotocols", place=address, hint="leave them out")
        is_own = not self.by
        session = self._own_session(opening) if is_own else self._borrowed(address)
        headers = CIMultiDict({"Accept": f"{_EVENTS}, */*;q=0.9", **session.headers})
        headers.update(opening.headers)
        self._resumption.begin()
        if self._resumption.last_event_id:
            headers["Last-Event-ID"] = self._resumption.last_event_id
        try:
            answer = await self._open(session.client, address, headers, opening.within_s)
        except BaseException:
            if is_own:
                await session.client.close()
            raise
        saying = self._saying(session.client, address, headers, answer, opening.within_s) if self._says else None

        async def let_go() -> None:
            answer.close()  # also one that nobody has begun to read
            if is_own:
                await session.client.close()

        connection = HttpStreamConnection(
            receiver,
            self._pieces(session.client, address, headers, answer),
            saying,
            self._close_within_s,
            let_go,
        )
        connection.open(single_lines(answer.headers))
        return connection

    async def _open(self, client: HttpClient, address: str, headers: Mapping[str, str], within_s: float) -> HttpAnswer:
        try:
            answer = await client.answer(self._method, address, headers=headers, within_s=within_s)
        except ConnectFailed as failed:
            raise ConnectFailed(failed.text, place=address, hint=failed.hint) from failed
        except TransportError as error:
            hint = error.hint or "does it answer a stream's request before there is something to say?"
            raise ConnectFailed(error.text, place=address, hint=hint) from error
        is_page = not self._takes_nothing and _type_of(answer) == _PAGE
        if 200 <= answer.status < 300 and (answer.status != _NOTHING or self._takes_nothing) and not is_page:
            return answer
        body = b""
        with suppress(TimeoutError, TransportError):  # the status tells more than half a body
            async with timeout(within_s):
                body = await answer.read(_MOST_OF_A_REFUSAL_BYTES)
        answer.close()
        text = f"the stream was refused: {answer.status} {phrase(answer.status)}".rstrip()
        if is_page and answer.status < 300:
            text += f" with {_PAGE}, which is a page and no stream"
        raise UpgradeRefused(text, status=answer.status, headers=answer.headers, body=body, place=address)

    async def _pieces(
        self, _client: HttpClient, _address: str, _headers: Mapping[str, str], answer: HttpAnswer
    ) -> AsyncGenerator[bytes, None]:
        """What is heard, from the first answer on."""
        has_events = _type_of(answer) == _EVENTS
        try:
            async for piece in answer.pieces():
                if has_events:
                    self._resumption.feed(piece)
                yield piece
        finally:
            answer.close()

    def _saying(
        self, client: HttpClient, address: str, headers: CIMultiDict[str], answer: HttpAnswer, within_s: float
    ) -> Saying:
        said = headers.copy()
        for name in ("Accept", "Last-Event-ID"):
            said.popall(name, None)
        said.setdefault("Content-Type", "application/json")
        if self._session_header in answer.headers:
            said[self._session_header] = answer.headers[self._session_header]
        return Saying(client, self._says, self._says_to or address, said, within_s)

    def _own_session(self, opening: Opening) -> HttpSession:
        return HttpSession(HttpClient(lambda _address: opening.tls), {})

    def _borrowed(self, address: str) -> HttpSession:
        if self._borrow is None:
            text = f"this stream borrows the session of {self.by!r}, and belongs to no actor's channel"
            raise ConnectFailed(text, place=address, hint="declare it: Link(…, transport=HttpStream(by=…))")
        return self._borrow(self.by)


class HttpPolling(HttpStream):
    """Asks again and again, and gives the body of each answer as one piece; an empty one says nothing.

    `follow` gives where the next request goes (relative to the last one) from an answer's headers and body, None for
    the same again. A
    request may take `poll_within_s` seconds; an answer that is no 2xx ends the connection. The rest is `HttpStream`'s.
    """

    _takes_nothing = True

    def __init__(
        self,
        *,
        follow: Callable[[Mapping[str, str], bytes], str | None] | None = None,
        poll_within_s: float = 120.0,
        most_bytes: int = 16 * 1024 * 1024,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._follow = follow
        self._poll_within_s = poll_within_s
        self._most_bytes = most_bytes

    async def _pieces(
        self, client: HttpClient, address: str, headers: Mapping[str, str], answer: HttpAnswer
    ) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                body = await answer.read(self._most_bytes + 1)
                if len(body) > self._most_bytes:
                    text = f"an answer has more than {self._most_bytes:,} bytes"
                    raise TransportError(text, place=address, hint="HttpPolling(most_bytes=…) takes larger ones")
                if body:
                    yield body
                if self._follow is not None:
                    address = urljoin(address, self._follow(answer.headers, body) or "")
                answer = await client.answer(self._method, address, headers=headers, within_s=self._poll_within_s)
                if not 200 <= answer.status < 300:
                    text = f"a poll was answered with {answer.status} {phrase(answer.status)}".rstrip()
                    raise TransportError(text, place=address)
        finally:
            answer.close()


def _type_of(answer: HttpAnswer) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
