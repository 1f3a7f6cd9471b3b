"""Every message of a run as a file of its own, written soon after it was said.

    received/NAME<n>.json           what the actor received; n counts each name from 0
    sent/NAME<n>.json               what it said
    http/<nnn>-POST-login.json      its requests over HTTP and their answers

A run of several actors has these folders for each: `alice/received/…`. An actor with several channels that carry
messages has a folder for each of them: `received/desk/…`.

A file holds the whole frame, secrets masked: indented JSON if it is a JSON object or array, in a text frame or a binary
one; `.txt` if it is other text; of other binary data what its dialect read in it, as JSON, or else a hexadecimal dump
`.hex.txt` (`xxd -r` makes the bytes of it again), and `.bin` if that would be long. It is whole, or not there: it is
written as `.unfinished` and then renamed. What the protocol said by itself is in the journal alone.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from antiphon.conversation.message import Message
from antiphon.journal import HttpExchange, RunStarted
from antiphon.journal.file import WrittenMessage, readable
from antiphon.journal.private_files import make_private_directory, open_private
from antiphon.report.formats.background import Background
from antiphon.report.formats.file_names import FolderNames, file_stem, shortened
from antiphon.report.readable import exchange_content, frame_content

__all__ = ["UNFINISHED", "MessageFiles", "message_files"]

UNFINISHED: Final = ".unfinished"
"""The name of a file that is being written."""


def message_files(directory: Path) -> Background:
    """The report "files"; see `antiphon.journal.Report`. A file takes the system 60 to 170 µs: no run waits for it."""
    return Background(MessageFiles(directory))


class MessageFiles:
    """Writes the files of one run.

    No file is ever overwritten: where one of that name is there already (as on file systems that do not tell `Ping`
    from `ping`), the later message's files are called `NAME~2~<n>`. One of exactly that name and content is the
    message's own: what a killed run has not written can be written later. Raises OSError if a file cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._actors: dict[str, list[str]] = {}
        self._folders: dict[tuple[str, str, str], _Folder] = {}
        self._exchanges: dict[str, tuple[int, _Files]] = {}
        self._actor_names = FolderNames()
        self._channel_names: dict[str, FolderNames] = {}

    def __call__(self, entry: Any) -> None:
        if isinstance(entry, (Message, WrittenMessage)):
            folder = self._folder(entry.actor, entry.channel, "sent" if entry.is_sent else "received")
            folder.write(entry.name, *frame_content(readable(entry)))
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
        actor = exchange.actor
        number, files = self._exchanges.get(actor) or (0, _Files(self._of_actor(actor) / "http"))
        self._exchanges[actor] = number + 1, files
        stem = f"{number:03d}-{shortened(exchange.method + ' ' + urlsplit(exchange.url).path)}"
        files.write(f"{stem}.json", exchange_content(exchange))


class _Folder:
    """A folder of messages, and how many of each name are in it."""

    def __init__(self, path: Path) -> None:
        self._files = _Files(path)
        self._counts: dict[str, int] = {}
        self._namesakes: dict[str, int] = {}

    def write(self, name: str, content: bytes, suffix: str) -> None:
        """Save a message as the next of its name."""
        number = self._counts.get(name, 0)
        self._counts[name] = number + 1
        while True:
            namesake = self._namesakes.get(name, 1)
            try:
                self._files.write(file_stem(name, number, namesake) + suffix, content)
            except FileExistsError:
                self._namesakes[name] = namesake + 1
            else:
                return


class _Files:
    """The files of one directory, which is made."""

    def __init__(self, path: Path) -> None:
        make_private_directory(path)
        self._path = f"{path}{os.sep}"
        self._earlier = frozenset(each.name for each in path.iterdir())

    def write(self, name: str, content: bytes) -> None:
        """Make this one, or leave what was exactly this before we came. Raises FileExistsError if there is another."""
        path = self._path + name
        try:
            _write(path, content)
        except FileExistsError:
            # By its very name: where `ping0.json` is `Ping0.json`, it is another message's.
            there = Path(path)
            if name not in self._earlier or not there.is_file() or there.read_bytes() != content:
                raise


def _write(path: str, content: bytes) -> None:
    """Make the file, whole or not at all: whoever is killed in between leaves `.unfinished` beside it.

    By way of the system's own calls it takes half the time, and the run waits for it. Raises FileExistsError if there
    is one; nobody else writes into a run's directory (its journal was made there, and can be made once), so none comes
    between the look and the renaming.
    """
    if os.path.lexists(path):
        raise FileExistsError(path)
    unfinished = f"{path[: path.rindex(os.sep)]}{os.sep}{UNFINISHED}"
    try:
        file = open_private(unfinished, os.O_WRONLY | os.O_TRUNC)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
        os.rename(unfinished, path)  # noqa: PTH104 - see above
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)  # noqa: PTH108
        raise
