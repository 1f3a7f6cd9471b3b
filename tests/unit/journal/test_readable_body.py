"""What the journal has of a message whose data is binary, beside that data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from antiphon.conversation.message import Data, Message
from antiphon.journal import Journal
from antiphon.journal.file import JournalWriter, WrittenMessage, read_journal, readable
from antiphon.journal.masking import Masker
from antiphon.report.formats.files import MessageFiles


class Order(msgspec.Struct):
    number: int
    password: str = ""


def written(path: Path, message: Message, masker: Masker | None = None) -> WrittenMessage:
    """The message as a run's journal has it."""
    journal, writer = Journal(masker=masker), JournalWriter(path / "journal.jsonl")
    journal.attach(writer)
    journal.record(message)
    writer.close()
    (line,) = read_journal(path / "journal.jsonl")
    assert isinstance(line, WrittenMessage)
    return line


@pytest.mark.parametrize(
    ("raw", "body", "told"),
    [
        (b"\x81\xa1a\x01", {"a": 1}, '{"a":1}'),
        (b"\x30\x05", {"topic": "news", "payload": b"hello\n"}, '{"topic":"news","payload":"hello\\n"}'),
        (b"\x30\x05", {"payload": b"\xff\x00", "empty": b""}, '{"payload":"b\'\\\\xff\\\\x00\'","empty":""}'),
        (b"\x30\x05", {"payload": b"\x01"}, '{"payload":"b\'\\\\x01\'"}'),
        (b"\x01", {b"key": 1, 2: 3}, '{"key":1,"2":3}'),
        (b"\x01", [1, None, 2.5, True, {3}], "[1,null,2.5,true,[3]]"),
        (b"\x01", Order(7), '{"number":7,"password":""}'),
        (b"\x01", {"order": Order(7)}, '{"order":{"number":7,"password":""}}'),
        (b"\x01", object, "\"<class 'object'>\""),
        (b"\x01", {"n": 1 << 70}, '{"n":"1180591620717411303424"}'),
        (b"\x01", {"half": "\ud800"}, '{"half":"?"}'),
        (b"+OK\r\n", "OK", '"OK"'),
        (b"\x00\xff", b"\xff", "\"b'\\\\xff'\""),
    ],
)
def test_a_body_is_written_where_the_data_is_binary(tmp_path: Path, raw: bytes, body: Any, told: str) -> None:
    line = written(tmp_path, Message("a", body, raw))
    assert (line.raw, line.body) == (raw, told)
    assert readable(line) == readable(Message("a", body, raw)) == told


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        ('{"a":1}', {"a": 1}),
        (b'{"a":1}', {"a": 1}),
        (b"[1]", [1]),
        (b"\x00\xff", b"\x00\xff"),
        (b"hello", "hello"),
        (b"\x00", None),
        ("+OK", "OK"),
    ],
)
def test_what_the_data_shows_by_itself_is_not_written_twice(tmp_path: Path, raw: Data, body: Any) -> None:
    line = written(tmp_path, Message("a", body, raw))
    assert (line.raw, line.body) == (raw, None)
    assert readable(line) == readable(Message("a", body, raw)) == raw


@pytest.mark.parametrize("body", [{"password": "sesame-street", "n": 1}, Order(1, "sesame-street")])
def test_a_body_is_written_without_its_secrets(tmp_path: Path, body: Any) -> None:
    line = written(tmp_path, Message("a", body, b"\x82\xa8password\xadsesame-street\xa1n\x01\xff"))
    assert line.body is not None
    assert json.loads(line.body)["password"] == "***"
    assert b"sesame" not in line.raw
    assert "sesame" not in (tmp_path / "journal.jsonl").read_text()


def test_raw_data_with_a_secret_is_not_written_twice(tmp_path: Path) -> None:
    raw = b"\xffpassword=sesame-street"
    line = written(tmp_path, Message("a", raw, raw))
    assert line.body is None
    assert b"sesame" not in line.raw


def test_what_contains_itself_is_shown_to_some_depth() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert str(readable(Message("a", endless, b"\x91"))).startswith("[[[[")


def test_a_binary_messages_file_is_its_body(tmp_path: Path) -> None:
    save = MessageFiles(tmp_path)
    save(Message("order", {"a": 1}, b"\x81\xa1a\x01", actor="operator", channel="desk"))
    (file,) = [path for path in tmp_path.rglob("order*") if path.is_file()]
    assert file.name == "order0.json"
    assert json.loads(file.read_text()) == {"a": 1}
