"""The report "har": a run as an HTTP archive (HAR 1.2), for Chrome DevTools and whatever else reads those.

Each request over HTTP is an entry, and each connection of a channel one with the messages as `_webSocketMessages`: how
DevTools exports and imports WebSockets. http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import parse_qsl, urlsplit

import msgspec

from antiphon.conversation.clock import iso_utc
from antiphon.conversation.message import Message
from antiphon.journal import ChannelEnded, ChannelOpened, HttpExchange, RunStarted
from antiphon.journal.file import WrittenMessage
from antiphon.report.formats.documents import Document
from antiphon.report.verdict import Verdict

__all__ = ["HAR", "write_har"]

LARGEST: Final = 1_048_576
"""Of a longer body or message, in characters, the beginning is kept."""

TEXT, BINARY = 1, 2
"""Opcodes (RFC 6455 section 5.2)."""


def write_har(entries: Iterable[Any], file: TextIO, directory: Path) -> None:
    """Write the archive of one run, its entries in the order in which they began."""
    verdict = Verdict()
    archive = _Archive()
    for entry in entries:
        verdict(entry)
        archive.add(entry)
    version = verdict.started.antiphon if verdict.started is not None else ""
    comment = f"{verdict.call}: {verdict.told}"
    head = {"version": "1.2", "creator": {"name": "antiphon", "version": version or "unknown"}, "pages": []}
    # Written by hand around the entries, so that an archive is never in memory as a whole.
    file.write(f'{{"log":{_json(head)[:-1]},"comment":{_json(_clean(comment))},"entries":[')
    separator = "\n"
    for piece in archive.entries(verdict.ended_ns):
        file.write(separator)
        file.write(piece)
        separator = ",\n"
    file.write("\n]}}\n")


class _Connection(msgspec.Struct):
    """A connection of a channel, and what was said on it, as JSON."""

    opened: ChannelOpened
    messages: list[str]
    ended_ns: int | None = None


class _Archive:
    """What goes into the archive."""

    def __init__(self) -> None:
        # HAR asks for a date, whatever is known.
        self._began_at = datetime.fromisoformat("1970-01-01T00:00:00Z")
        self._began_s = 0.0
        self._found: list[_Connection | HttpExchange] = []
        self._open: dict[tuple[str, str], _Connection] = {}

    def add(self, entry: Any) -> None:
        """The next entry of the journal."""
        match entry:
            case RunStarted():
                self._begin(entry.started_at)
            case HttpExchange():
                self._found.append(entry)
            case ChannelOpened():
                self._connection(entry)
            case ChannelEnded():
                connection = self._open.pop((entry.actor, entry.channel), None)
                if connection is not None:
                    connection.ended_ns = entry.at_ns
            case Message() | WrittenMessage():
                # Nobody opened it in this journal: a server's end of a connection, or one whose beginning was lost.
                connection = self._open.get((entry.actor, entry.channel)) or self._connection(
                    ChannelOpened(at_ns=entry.at_ns, actor=entry.actor, channel=entry.channel, address="")
                )
                connection.messages.append(self._message(entry))

    def entries(self, ended_ns: int) -> Iterator[str]:
        """The archive's entries as JSON; `ended_ns` is when what is still open ends."""
        for found in sorted(self._found, key=lambda one: _start_ns(one)):
            if isinstance(found, HttpExchange):
                yield _json(self._exchange(found))
            else:
                # A killed run closed nothing: what was open ends with the journal.
                end_ns = found.ended_ns if found.ended_ns is not None else ended_ns
                head = _json(self._opening(found.opened, end_ns))
                yield f'{head[:-1]},"_webSocketMessages":[{",".join(found.messages)}]}}'

    def _begin(self, started_at: str) -> None:
        try:
            self._began_at = datetime.fromisoformat(started_at)
            self._began_s = self._began_at.timestamp()
        except ValueError:
            return  # a journal that does not tell: the times are those since 1970

    def _connection(self, opened: ChannelOpened) -> _Connection:
        connection = _Connection(opened, [])
        self._found.append(connection)
        self._open[opened.actor, opened.channel] = connection
        return connection

    def _message(self, message: Message | WrittenMessage) -> str:
        raw = message.raw
        is_text = isinstance(raw, str)
        data = _cut(raw) if isinstance(raw, str) else base64.b64encode(raw[:LARGEST]).decode()
        fields = {
            "type": "send" if message.is_sent else "receive",
            "time": self._began_s + message.at_ns / 1e9,
            "opcode": TEXT if is_text else BINARY,
            "data": data,
        }
        if len(raw) > LARGEST:
            # A name of our own begins with _, as the specification asks of custom fields.
            fields["_cut"] = f"the first {LARGEST} of {len(raw)} {'characters' if is_text else 'bytes'}"
        return _json(fields)

    def _exchange(self, exchange: HttpExchange) -> dict[str, Any]:
        took_ms = exchange.took_ns / 1e6
        request_type = _content_type(exchange.request_headers)
        response_type = _content_type(exchange.response_headers)
        request = _request(
            exchange.method,
            exchange.url,
            exchange.request_headers,
            len(exchange.request_body.encode("utf-8", "replace")),
        )
        if exchange.request_body:
            request["postData"] = {"mimeType": request_type, "params": [], "text": _cut(exchange.request_body)}
        content = {
            "size": len(exchange.response_body.encode("utf-8", "replace")),
            "mimeType": response_type or "x-unknown",
            "text": _cut(exchange.response_body),
        }
        response = _response(exchange.status, "", exchange.response_headers, content)
        if exchange.error:
            response["_error"] = _clean(exchange.error)
        return self._entry(exchange.at_ns, took_ms, request, response, exchange.actor, exchange.channel, "fetch")

    def _opening(self, opened: ChannelOpened, end_ns: int) -> dict[str, Any]:
        address = opened.address or f"antiphon://{opened.actor}/{opened.channel}"
        # A stand may name a WebSocket's address with http; a viewer tells one from a request by its scheme.
        if address.startswith("http"):
            address = f"ws{address.removeprefix('http')}"
        subprotocol = {"Sec-WebSocket-Protocol": opened.subprotocol} if opened.subprotocol else {}
        request = _request("GET", address, opened.headers, 0)
        response = _response(101, "Switching Protocols", subprotocol, {"size": 0, "mimeType": "x-unknown", "text": ""})
        return self._entry(
            opened.at_ns, (end_ns - opened.at_ns) / 1e6, request, response, opened.actor, opened.channel, "websocket"
        )

    def _entry(
        self, at_ns: int, took_ms: float, request: Any, response: Any, actor: str, channel: str, kind: str
    ) -> dict[str, Any]:
        return {
            "startedDateTime": iso_utc(self._began_at + timedelta(microseconds=at_ns / 1000)),
            "time": took_ms,
            "request": request,
            "response": response,
            "cache": {},
            # -1 is HAR for what does not apply; the three that must not be -1 have the whole time in `wait`.
            "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0, "wait": took_ms, "receive": 0, "ssl": -1},
            "comment": _clean(f"{actor}.{channel}"),
            "_resourceType": kind,
        }


def _start_ns(found: _Connection | HttpExchange) -> int:
    return found.at_ns if isinstance(found, HttpExchange) else found.opened.at_ns


def _request(method: str, url: str, headers: Mapping[str, str], size_bytes: int) -> dict[str, Any]:
    try:
        # An address that is none was refused when it was asked for, and stands in the journal all the same.
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        query = []
    return {
        "method": _clean(method),
        "url": _clean(url),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers.items()),
        "queryString": _pairs(query),
        "headersSize": -1,
        "bodySize": size_bytes,
    }


def _response(status: int, text: str, headers: Mapping[str, str], content: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": status,
        "statusText": text,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers.items()),
        "content": content,
        "redirectURL": next((_clean(value) for name, value in headers.items() if name.lower() == "location"), ""),
        "headersSize": -1,
        "bodySize": content["size"],
    }


def _pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": _clean(name), "value": _clean(value)} for name, value in items]


def _content_type(headers: Mapping[str, str]) -> str:
    return next((_clean(value) for name, value in headers.items() if name.lower() == "content-type"), "")


def _cut(text: str) -> str:
    rest = len(text) - LARGEST
    return _clean(text) if rest <= 0 else f"{_clean(text[:LARGEST])}… ({rest} more characters are in the journal)"


def _clean(text: str) -> str:
    """The text without lone surrogates, which UTF-8 has no form for."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


HAR: Final = Document("run.har", write_har)
