"""A dialect of one's own: lines of ASCII, `ID NAME rest`. `17 GET volume` is answered by `17 OK 5` or `17 ERR why`."""

import re

from antiphon.plugins import UNREADABLE, Codec, Data, DialectError, ErrorReply, Message


class Lines(Codec):
    """What is no request has the id 0, `0 DOOR open`. A body is the rest of its line; a frame may hold many lines."""

    last_id = 0

    def decode(self, data: Data) -> list[Message]:
        text = data if isinstance(data, str) else data.decode("ascii", "replace")
        return [self.read(line) for line in text.splitlines() if line]

    def encode(self, name: str, body: object, key: object = 0) -> Message:
        message = self.read(f"{key} {name} {body}" if body else f"{key} {name}")
        if (message.name, message.body) != (name, body or ""):
            raise DialectError(f"{name} {body!r} is no line", hint="a name is a word, a body is ASCII on one line")
        return message

    def request(self, name: str, body: object) -> Message:
        self.last_id += 1
        return self.encode(name, body, self.last_id)

    def answer(self, request: Message, body: object) -> Message:
        return self.encode("OK", body, request.asks)

    def refuse(self, request: Message, refusal: ErrorReply) -> Message:
        return self.encode("ERR", f"{refusal.code} {refusal.message}", request.asks)

    def read(self, line: str) -> Message:
        if not (found := re.fullmatch(r"(\d{1,9}) (\w+)(?: ([ -~]*))?", line, re.ASCII)):
            return Message(UNREADABLE, line, line)
        key, name, body = int(found[1]), found[2], found[3] or ""
        if key and name in ("OK", "ERR"):
            return Message(name, body, line, reply_to=key, is_answer=True, is_last=True, is_failure=name == "ERR")
        return Message(name, body, line, asks=key or None, is_request=key > 0)
