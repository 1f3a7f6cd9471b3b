"""STOMP 1.2, client and server (https://stomp.github.io/stomp-specification-1.2.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Final

from antiphon.conversation.ending import Ending
from antiphon.conversation.failure_signs import code_and_text
from antiphon.conversation.message import UNREADABLE, Data, Message, Unreadable
from antiphon.conversation.wording import one_line
from antiphon.dialect.codec import Codec
from antiphon.dialect.filling import filled
from antiphon.dialect.meeting import Meeting
from antiphon.dialect.stomp_frames import DEFAULT_LIMIT_BYTES, StompReader, read_body, write
from antiphon.dialect.stream_codec import StreamCodec
from antiphon.errors import DialectError, ErrorReply, OpeningRefused

__all__ = ["SUBPROTOCOL", "Stomp"]

SUBPROTOCOL: Final = "v12.stomp"


class Stomp:
    """STOMP 1.2, over a stream or over WebSocket (where a client offers `v12.stomp`).

    A message is a frame: its name is the command, its body the headers and, as `body`, what the frame carries; a
    content-type of JSON is read and written as values. `send("SEND", destination="/queue/calls", body={"number": 1})`.
    `ask` is the same with a receipt, and is answered when that comes; an ERROR that names the receipt fails it. On a
    server a frame that wants a receipt is a request, which gets it when its handler returns something.

    login, passcode, host: what CONNECT says, None for nothing; filled in from the actor, as "{user.password}". On a
        server they are what it asks for.
    heart_beat_ms: what we can send at least every, and want to receive at least every, so many milliseconds; 0 for
        not. The longer of ours and the peer's counts. A peer that is silent for twice as long has gone.
    limit_bytes: the most that one frame may take.
    """

    def __init__(
        self,
        *,
        login: str | None = None,
        passcode: str | None = None,
        host: str | None = None,
        heart_beat_ms: tuple[int, int] = (0, 0),
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
    ) -> None:
        self.login = login
        self.passcode = passcode
        self.host = host
        self.heart_beat_ms = heart_beat_ms
        self.limit_bytes = limit_bytes

    def codec(self, meeting: Meeting, /) -> Codec:
        given = {"login": self.login, "passcode": self.passcode, "host": self.host}
        told: dict[str, str] = {name: filled(text, meeting) for name, text in given.items() if text is not None}
        if "passcode" in told:
            meeting.hide(told["passcode"])
        if meeting.side == "server":
            return _Server(self, told, meeting.hide)
        if SUBPROTOCOL not in meeting.subprotocols and meeting.address.startswith(("ws", "http")):
            meeting.subprotocols.append(SUBPROTOCOL)
        return _Client(self, told)


class _StompCodec(StreamCodec):
    def __init__(self, dialect: Stomp, told: dict[str, str]) -> None:
        super().__init__()
        self._reader = StompReader(dialect.limit_bytes)
        self._can_ms, self._wants_ms = dialect.heart_beat_ms
        self._told = told

    def read(self, data: bytes) -> Iterator[Message]:
        for name, body, raw in self._reader.feed(data):
            message = self._read(name, body, raw)
            yield message if message.is_protocol else _with_body(message)

    def _read(self, name: str, body: dict[str, Any], raw: bytes) -> Message:
        raise NotImplementedError

    def encode(self, name: str, body: Any) -> Message:
        return _frame(name, body)

    def heartbeat(self) -> Iterable[Data]:
        return ("\n",)

    @property
    def _heart_beat(self) -> str:
        return f"{self._can_ms},{self._wants_ms}"

    def _agree(self, theirs: Any) -> None:
        """On heart-beats: of each direction the longer of what both said, and none if either said 0."""
        can_ms, wants_ms = _heart_beat(theirs)
        if self._can_ms and wants_ms:
            self.heartbeat_s = max(self._can_ms, wants_ms) / 1000
        if self._wants_ms and can_ms:
            self.silence_s = 2 * max(self._wants_ms, can_ms) / 1000  # the specification wants an error margin


class _Client(_StompCodec):
    def __init__(self, dialect: Stomp, told: dict[str, str]) -> None:
        super().__init__(dialect, told)
        self._new_receipt = count(1).__next__
        self._last_receipt = ""

    def opening(self) -> Iterable[Message]:
        headers = {"accept-version": "1.2", "host": "localhost", **self._told, "heart-beat": self._heart_beat}
        return (_frame("CONNECT", headers),)

    def closing(self) -> Iterable[Message]:
        self.is_done = False
        self._last_receipt = f"goodbye-{self._new_receipt()}"
        return (_frame("DISCONNECT", {"receipt": self._last_receipt}),)

    def request(self, name: str, body: Any) -> Message:
        headers = _headers(name, body)
        receipt = str(headers.setdefault("receipt", str(self._new_receipt())))
        request = _frame(name, headers)
        request.asks = receipt
        return request

    def _read(self, name: str, body: dict[str, Any], raw: bytes) -> Message:
        if not self.is_ready and name not in ("CONNECTED", "ERROR"):
            raise DialectError(f"a server of STOMP says CONNECTED first, and not {name}")
        match name:
            case "CONNECTED" if not self.is_ready:
                self.is_ready = True
                self._agree(body.get("heart-beat"))
                return Message(name, body, raw, is_protocol=True)
            case "RECEIPT" if self._last_receipt and body.get("receipt-id") == self._last_receipt:
                self.is_done = True
                return Message(name, body, raw, is_protocol=True)
            case "RECEIPT":
                return Message(name, body, raw, reply_to=body.get("receipt-id"), is_answer=True, is_last=True)
            case "ERROR":
                return self._fail(body, raw)
        return Message(name, body, raw)  # a MESSAGE; whatever else it says is for the scenario to judge

    def _fail(self, body: dict[str, Any], raw: bytes) -> Message:
        text = str(body.get("message") or body.get("body") or "no reason given")
        if not self.is_ready:
            refusal = _with_body(Message("ERROR", body, raw))
            why = one_line(code_and_text(refusal)[1]) or text
            raise OpeningRefused("ERROR", f"the server refused CONNECT: {why}", refusal)
        self.ending = Ending(reason=text, by="peer")  # it closes the connection after it
        key = body.get("receipt-id")
        is_reply = key is not None
        return Message("ERROR", body, raw, None, key, None, is_reply, is_reply, is_failure=True)


class _Server(_StompCodec):
    def __init__(self, dialect: Stomp, told: dict[str, str], hide: Callable[[str], object]) -> None:
        super().__init__(dialect, told)
        self._hide = hide

    def request(self, name: str, body: Any) -> Message:
        raise DialectError(f"{name} cannot be asked: a server of STOMP gets no receipts", hint=f"send({name!r}, …)")

    def answer(self, request: Message, body: Any) -> Message:
        if request.asks is None:
            raise DialectError(f"{request.name} wants no receipt", hint="return None, and use send()")
        return _frame("RECEIPT", {"receipt-id": request.asks, **(body if isinstance(body, Mapping) else {})})

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        self.ending = Ending(reason=refusal.message, by="us")
        receipt = {} if request.asks is None else {"receipt-id": request.asks}
        return _frame("ERROR", {"message": refusal.message, **receipt, "body": str(refusal.code)})

    def _read(self, name: str, body: dict[str, Any], raw: bytes) -> Message:
        if name in ("CONNECT", "STOMP"):
            if self.is_ready:
                self._break_off("CONNECT comes once")
            else:
                self._take_connect(body)
            return Message(name, body, raw, is_protocol=True)
        if not self.is_ready:
            self._break_off("CONNECT comes first")
            return Message(name, body, raw, is_protocol=True)
        receipt = body.get("receipt")
        if name == "DISCONNECT":
            if receipt is not None:
                self.debts.append(_frame("RECEIPT", {"receipt-id": receipt}))
            self.ending = Ending(by="peer", is_clean=True)
            return Message(name, body, raw, is_protocol=True)
        return Message(name, body, raw, asks=receipt, is_request=receipt is not None)

    def _take_connect(self, body: dict[str, Any]) -> None:
        self._hide(body.get("passcode", ""))
        if "1.2" not in str(body.get("accept-version", "1.0")).split(","):
            self._break_off("STOMP 1.2 is spoken here")
        elif any(body.get(name) != text for name, text in self._told.items()):
            self._break_off("login, passcode or host is wrong")
        else:
            self.debts.append(_frame("CONNECTED", {"version": "1.2", "heart-beat": self._heart_beat}))
            self._agree(body.get("heart-beat"))
            self.is_ready = True

    def _break_off(self, why: str) -> None:
        self.debts.append(_frame("ERROR", {"message": why}))
        self.ending = Ending(reason=why, by="us")


def _with_body(message: Message) -> Message:
    """The message, whose body is read as its content-type says; one that is not that is its own affair."""
    try:
        if "body" in message.body:
            message.body["body"] = read_body(message.body["body"], str(message.body.get("content-type", "")))
    except DialectError as error:
        return Unreadable(UNREADABLE, message.raw, message.raw, trouble=error)
    return message


def _headers(name: str, body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, Mapping):
        text = f"{name}: headers are fields, and what it carries is the field body"
        raise DialectError(text, hint=f'send({name!r}, destination="/queue/calls", body="text")')
    return dict(body)


def _frame(name: str, body: Any) -> Message:
    headers = _headers(name, body)
    return Message(name, headers, write(name, headers))


def _heart_beat(value: Any) -> tuple[int, int]:
    parts = str(value or "0,0").split(",")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < _MOST_DIGITS for part in parts):
        raise DialectError(f"heart-beat is {value!r:.80}, and no two numbers")
    return int(parts[0]), int(parts[1])


_MOST_DIGITS: Final = 10
