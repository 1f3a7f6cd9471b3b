"""Every message of a run as a file of its own, written when it is said.

    received/NAME<n>.json           what the actor received; n counts each name from 0
    sent/NAME<n>.json               what it said
    http/<nnn>-POST-login.json      its requests over HTTP and their answers

A run of several actors has these folders for each: `alice/received/…`. An actor with several channels that carry
messages has a folder for each of them: `received/desk/…`.

A file holds the whole frame, secrets masked: indented JSON if it is a JSON object or array, in a text frame or a binary
one; `.txt` if it is other text; a hexadecimal dump `.hex.txt` (`xxd -r` makes the bytes of it again) if it is neither,
and `.bin` if that would be long.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from antiphon.journal import HttpExchange, RunStarted
from antiphon.journal_file import Said
from antiphon.message import Data, Message
from antiphon.report.file_names import FolderNames, file_stem, shortened
from antiphon.report.readable import as_json, hexadecimal, is_plain_text

__all__ = ["MessageFiles"]

LARGEST_DUMP: Final = 16_384
"""Longer binary data, in bytes, is saved as it is."""


class MessageFiles:
    """The report "files" of one run; see `antiphon.journal.Report`.

    No file is ever overwritten: where one of that name is there already (as on file systems that do not tell `Ping`
    from `ping`), the later message's files are called `NAME~2~<n>`. Raises OSError if a file cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._actors: dict[str, list[str]] = {}
        self._folders: dict[tuple[str, str, str], _Folder] = {}
        self._exchanges: dict[str, int] = {}
        self._actor_names = FolderNames()
        self._channel_names: dict[str, FolderNames] = {}

    def __call__(self, entry: Any) -> None:
        if isinstance(entry, (Message, Said)):
            folder = self._folder(entry.actor, entry.channel, "sent" if entry.is_sent else "received")
            folder.write(entry.name, *_content(entry.raw))
        elif isinstance(entry, HttpExchange):
            self._write_exchange(entry)
        elif isinstance(entry, RunStarted):
            self._actors = entry.actors
            for actor, channels in entry.actors.items():
                for channel in channels:
                    self._folder(actor, channel, "received")
                    self._folder(actor, channel, "sent")

    def _folder(self, actor: str, channel: str, direction: str) -> _Folder:
        key = (actor, channel, direction)
        if key not in self._folders:
            path = self._of_actor(actor) / direction
            if self._actors.get(actor) != [channel]:
                path /= self._channel_names.setdefault(actor, FolderNames())[channel]
            self._folders[key] = _Folder(path)
        return self._folders[key]

    def _of_actor(self, actor: str) -> Path:
        return self._directory if list(self._actors) == [actor] else self._directory / self._actor_names[actor]

    def _write_exchange(self, exchange: HttpExchange) -> None:
        folder = self._of_actor(exchange.actor) / "http"
        number = self._exchanges.get(exchange.actor, 0)
        self._exchanges[exchange.actor] = number + 1
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{number:03d}-{shortened(exchange.method + ' ' + urlsplit(exchange.url).path)}"
        _write(str(folder / f"{stem}.json"), _exchange_content(exchange))


class _Folder:
    """A folder of messages, and how many of each name are in it."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = f"{path}{os.sep}"
        self._counts: dict[str, int] = {}
        self._namesakes: dict[str, int] = {}

    def write(self, name: str, content: bytes, suffix: str) -> None:
        """Save a message as the next of its name."""
        number = self._counts.get(name, 0)
        self._counts[name] = number + 1
        while True:
            namesake = self._namesakes.get(name, 1)
            try:
                _write(self._path + file_stem(name, number, namesake) + suffix, content)
            except FileExistsError:
                self._namesakes[name] = namesake + 1
            else:
                return


def _write(path: str, content: bytes) -> None:
    """Make the file. By way of the system's own calls it takes half the time, and the run waits for it."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _content(raw: Data) -> tuple[bytes, str]:
    """What is written for a frame, and the end of the file's name."""
    text = raw if isinstance(raw, str) else _decoded(raw)
    if text is not None:
        json = as_json(text)
        if json is not None:
            return json, ".json"
        if isinstance(raw, str) or is_plain_text(text):
            return text.encode("utf-8", "backslashreplace"), ".txt"
    assert isinstance(raw, bytes)
    if len(raw) > LARGEST_DUMP:
        return raw, ".bin"
    return hexadecimal(raw), ".hex.txt"


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _exchange_content(exchange: HttpExchange) -> bytes:
    content = {
        "method": exchange.method,
        "url": exchange.url,
        "channel": exchange.channel,
        "at_s": exchange.at_ns / 1e9,
        "took_s": exchange.took_ns / 1e9,
        "request": {"headers": exchange.request_headers, "body": _body(exchange.request_body)},
    }
    if exchange.status:
        body = _body(exchange.response_body)
        content["response"] = {"status": exchange.status, "headers": exchange.response_headers, "body": body}
    if exchange.error:
        content["error"] = exchange.error
    text = msgspec.json.encode(content).decode()
    return as_json(text) or text.encode()


def _body(text: str) -> Any:
    """A JSON body as it is, so that it is indented with the rest; any other as a string."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return msgspec.Raw(text.encode()) if as_json(text) is not None else text
