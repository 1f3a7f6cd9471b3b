"""A dialect of one's own: lines of ASCII, `ID NAME rest`. `17 GET volume` is answered by `17 OK 5` or `17 ERR why`."""

import re
from itertools import count

from antiphon import UNREADABLE, Codec, DialectError, Message


class Lines:
    """What is no request has the id 0, `0 DOOR open`. A body is the rest of its line; a frame may hold many lines."""

    def codec(self):
        return LinesCodec()


class LinesCodec(Codec):
    def __init__(self):
        self.new_id = count(1).__next__

    def decode(self, data):
        text = data if isinstance(data, str) else data.decode("ascii", "replace")
        return [read(line) for line in text.splitlines() if line]

    def encode(self, name, body, key=0):
        message = read(f"{key} {name} {body}" if body else f"{key} {name}")
        if (message.name, message.body) != (name, body or ""):
            raise DialectError(f"{name} {body!r} is no line", hint="a name is a word, a body is ASCII on one line")
        return message

    def request(self, name, body):
        return self.encode(name, body, self.new_id())

    def answer(self, request, body):
        return self.encode("OK", body, request.asks)

    def refuse(self, request, refusal):
        return self.encode("ERR", f"{refusal.code} {refusal.message}", request.asks)


def read(line):
    found = re.fullmatch(r"(\d{1,9}) (\w+)(?: ([ -~]*))?", line, re.ASCII)
    if found is None:
        return Message(UNREADABLE, line, line)
    key, name, body = int(found[1]), found[2], found[3] or ""
    if key and name in ("OK", "ERR"):
        return Message(name, body, line, reply_to=key, is_answer=True, is_last=True, is_failure=name == "ERR")
    return Message(name, body, line, asks=key or None, is_request=key > 0)
