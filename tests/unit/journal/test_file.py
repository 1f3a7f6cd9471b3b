"""The journal on disk: whatever happens, what was written is readable."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import journal
from antiphon.conversation.message import Message
from antiphon.errors import RecordingError
from antiphon.journal import Entry, HttpExchange, HttpRequested, Note, RunStarted
from antiphon.journal.file import FILE_NAME, JournalWriter, WrittenMessage, read_journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


def written(path: Path, *entries: Any) -> list[Any]:
    """What is read of these entries when they have been written."""
    path.unlink(missing_ok=True)
    writer = JournalWriter(path)
    for entry in entries:
        writer(entry)
    writer.close()
    return list(read_journal(path))


def run_started(**parameters: Any) -> RunStarted:
    return RunStarted(
        at_ns=0,
        scenario="calls",
        parameters=parameters,
        actors={},
        stand="local",
        started_at="",
        antiphon="1",
        python="3",
        pid=1,
    )


# -- round trips -------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KINDS = [
    kind for name in journal.__all__ if isinstance(kind := getattr(journal, name), type) and issubclass(kind, Entry)
]
KINDS.remove(Entry)


def entries_of(kind: type[Entry]) -> st.SearchStrategy[Entry]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field: from_hint(hints[field]) for field in kind.__struct_fields__})


def from_hint(hint: Any) -> st.SearchStrategy[Any]:
    if hint == dict[str, Any]:
        return st.dictionaries(st.text(), JSON)
    if hint == Sequence[journal.Argument]:
        return st.lists(st.builds(journal.Argument, JSON, st.text()))
    return JSON if hint is Any else st.from_type(hint)


def test_there_are_entries_of_many_kinds() -> None:
    assert len(KINDS) == 23


@given(entries=st.lists(st.one_of([entries_of(kind) for kind in KINDS]), max_size=4))
def test_every_kind_of_entry_is_read_as_it_was_written(entries: list[Entry], tmp_path_factory: Any) -> None:
    read = written(tmp_path_factory.getbasetemp() / "entries.jsonl", *entries)
    told = [*entries, *unanswered(entries)]
    assert [type(entry) for entry in read] == [type(entry) for entry in told]
    assert [msgspec.structs.asdict(entry) for entry in read] == [msgspec.structs.asdict(entry) for entry in told]


def unanswered(entries: list[Entry]) -> list[HttpExchange]:
    """The requests that none of these exchanges ends."""
    open_requests: dict[Any, HttpRequested] = {}
    for entry in entries:
        match entry:
            case HttpRequested():
                open_requests[entry.actor, entry.channel, entry.number] = entry
            case HttpExchange():
                open_requests.pop((entry.actor, entry.channel, entry.number), None)
    return [entry.exchange("the journal ends before it was answered") for entry in open_requests.values()]


def requested(number: int) -> HttpRequested:
    return HttpRequested(
        at_ns=number,
        actor="alice",
        channel="api",
        step=2,
        number=number,
        method="POST",
        url="http://here/login",
        request_headers={"X-A": "b"},
        request_body="{}",
    )


def test_a_request_that_was_under_way_when_the_process_was_killed_is_told_of(tmp_path: Path) -> None:
    first, second = requested(1), requested(2)
    done = first.exchange()
    done.status = 200
    read = written(tmp_path / "j.jsonl", first, second, done)
    assert [type(entry) for entry in read] == [HttpRequested, HttpRequested, HttpExchange, HttpExchange]
    last = read[-1]
    assert (last.number, last.status, last.error) == (2, 0, "the journal ends before it was answered")
    assert (last.method, last.url, last.request_headers, last.request_body, last.step) == (
        "POST",
        "http://here/login",
        {"X-A": "b"},
        "{}",
        2,
    )


MESSAGES = st.builds(
    Message,
    name=st.text(),
    body=st.none(),
    raw=st.text() | st.binary(),
    at_ns=st.integers(0, 2**62),
    number=st.integers(0, 2**40),
    actor=st.text(),
    channel=st.text(),
    is_sent=st.booleans(),
    step=st.integers(0, 2**40),
    asks=st.none() | st.integers() | st.text(),
    reply_to=st.none() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
)


@given(messages=st.lists(MESSAGES, max_size=5))
def test_messages_are_read_as_they_were_written(messages: list[Message], tmp_path_factory: Any) -> None:
    read = written(tmp_path_factory.getbasetemp() / "messages.jsonl", *messages)
    assert all(type(each) is WrittenMessage for each in read)
    fields = ("at_ns", "number", "actor", "channel", "is_sent", "step", "name", "raw")
    assert [[getattr(each, field) for field in fields] for each in read] == [
        [getattr(message, field) for field in fields] for message in messages
    ]
    for each, message in zip(read, messages, strict=True):
        for key in ("asks", "reply_to"):
            original = getattr(message, key)
            is_great = type(original) is int and abs(original) >= 1 << 64
            assert getattr(each, key) == (repr(original) if is_great else original)


def test_text_is_text_and_binary_is_base64(path: Path) -> None:
    text, binary, empty = written(path, Message("a", 0, "\x00é"), Message("b", 0, b"\x00\xff"), Message("c", 0, b""))
    assert (text.text, text.base64, text.raw) == ("\x00é", None, "\x00é")
    assert (binary.text, binary.base64, binary.raw) == (None, "AP8=", b"\x00\xff")
    assert empty.raw == b""
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == ["said"] * 3


@pytest.mark.parametrize(
    ("key", "as_written"),
    [
        (0, 0),
        ("", ""),
        (0.5, 0.5),
        (None, None),
        (True, "True"),
        (("a", 1), "('a', 1)"),
        (float("inf"), "inf"),
        (1 << 64, str(1 << 64)),
        ("\ud800", "?"),
    ],
)
def test_a_key_of_any_kind_is_written_so_that_request_and_reply_can_be_paired(
    path: Path, key: Any, as_written: Any
) -> None:
    sent, received = written(path, Message("a", 0, "", asks=key), Message("b", 0, "", reply_to=key))
    assert sent.asks == received.reply_to == as_written
    assert (sent.reply_to, received.asks) == (None, None)


# -- what JSON does not know -------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("not even this")


def circle() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    ("value", "as_written"),
    [
        (Path("/tmp/x"), "PosixPath('/tmp/x')"),
        (Colour.RED, "red"),
        (b"\x00", "AA=="),
        (float("nan"), None),
        ({(1, 2): "x"}, {"(1, 2)": "x"}),
        ({1: 2}, {"1": 2}),
        ({1, 2}, [1, 2]),
        (10**20, 10**20),
        ("\ud800", "?"),
        ({"\ud800": ["\udfff", 1, 2.5, None, True]}, {"?": ["?", 1, 2.5, None, True]}),
        (Unshowable(), "<Unshowable, which cannot be shown: RuntimeError>"),
        ([Unshowable(), "\ud800", 1 << 70], ["<Unshowable, which cannot be shown: RuntimeError>", "?", str(1 << 70)]),
        (10**5000, "<int, which cannot be shown: ValueError>"),
    ],
    ids=repr if sys.flags.dev_mode else lambda value: type(value).__name__,
)
def test_parameters_of_any_kind_are_written_somehow(path: Path, value: Any, as_written: Any) -> None:
    first, last = written(path, run_started(odd=value), Note(at_ns=1, text="after"))
    assert first.parameters == {"odd": as_written}
    assert last.text == "after"


def test_what_contains_itself_is_written_to_some_depth(path: Path) -> None:
    first, last = written(path, run_started(odd=circle()), Note(at_ns=1, text="after"))
    assert "[[...]]" in str(first.parameters["odd"])
    assert last.text == "after"


def test_a_lone_surrogate_anywhere_does_not_lose_the_entry(path: Path) -> None:
    message, note = written(path, Message("na\ud800me", 0, "te\ud800xt", actor="\udcff"), Note(at_ns=1, text="\ud800"))
    assert (message.name, message.raw, message.actor) == ("na?me", "te?xt", "?")
    assert note.text == "?"


# -- the file ----------------------------------------------------------------------------------------------------------


def test_each_entry_is_on_disk_at_once(path: Path) -> None:
    writer = JournalWriter(path)
    for n in range(3):
        writer(Note(at_ns=n, text="x" * 100_000))
        assert len(list(read_journal(path))) == n + 1
    writer.close()
    writer.close()


def test_nothing_is_left_in_memory_of_what_was_written(path: Path) -> None:
    writer = JournalWriter(path)
    gc.collect()
    before = len(gc.get_objects())
    for n in range(200):
        writer(Note(at_ns=n, text="x"))
        writer(Message("a", None, "x", number=n))
    gc.collect()
    assert len(gc.get_objects()) - before < 100
    writer.close()


def test_two_writers_never_share_a_file(path: Path) -> None:
    first = JournalWriter(path)
    first(Note(at_ns=0, text="mine"))
    with pytest.raises(
        RecordingError, match=r"cannot be made: File exists\n  at .*journal.jsonl\n  hint: choose another"
    ):
        JournalWriter(path)
    first(Note(at_ns=1, text="still mine"))
    first.close()
    assert [entry.text for entry in read_journal(path)] == ["mine", "still mine"]
    with pytest.raises(RecordingError):
        JournalWriter(path)


def test_a_link_is_not_followed(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(RecordingError, match="File exists"):
        JournalWriter(path)


def test_a_directory_that_is_not_there(path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file or directory"):
        JournalWriter(path / "deep" / FILE_NAME)


def test_a_writer_that_is_closed_cannot_write(path: Path) -> None:
    writer = JournalWriter(path)
    writer.close()
    with pytest.raises(
        RecordingError, match=r"the journal cannot be written: .*\n.*\n  hint: what was recorded before"
    ):
        writer(Note(at_ns=0, text="late"))


def test_a_disk_that_tells_only_at_the_end_that_it_is_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(path)
    close = os.close

    def fail(file: int) -> None:
        close(file)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", fail)
        with pytest.raises(RecordingError, match="No space left on device"):
            writer.close()
    writer.close()


def test_a_write_that_is_done_by_pieces_is_completed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:7]))
    assert written(path, Note(at_ns=0, text="é" * 50))[0].text == "é" * 50


FULL_DISK = """
import resource, sys
from pathlib import Path
from antiphon.errors import RecordingError
from antiphon.journal import Note
from antiphon.journal.file import JournalWriter

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
writer = JournalWriter(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for n in range(100):
    try:
        writer(Note(at_ns=n, text="x" * 70))
    except RecordingError as error:
        print(n, error, sep="|")
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
writer(Note(at_ns=1000, text="there is room again"))
"""


def test_a_full_disk_is_one_clear_error_and_loses_nothing(path: Path) -> None:
    """The line that fits only in part is taken back: what is written when there is room again can be read too."""
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True)
    number, error = done.stdout.split("|", 1)
    told = "the journal cannot be written: File too large; the limit is 1000 bytes (ulimit -f)"
    assert error.startswith(f"{told}\n  at {path}\n  hint: what was recorded")
    assert [entry.at_ns for entry in read_journal(path)] == [*range(int(number)), 1000]
    assert 5 < int(number) < 20


KILLED = """
import os, signal, sys
from pathlib import Path
from antiphon.journal import Note
from antiphon.journal.file import JournalWriter

writer = JournalWriter(Path(sys.argv[1]))
for n in range(5):
    writer(Note(at_ns=n, text="x"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_a_readable_journal(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [entry.at_ns for entry in read_journal(path)] == [0, 1, 2, 3, 4]


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_a_last_line_that_was_cut_is_left_out(path: Path, cut: int) -> None:
    written(path, Note(at_ns=0, text="whole"), Note(at_ns=1, text="cut in the middle"))
    path.write_bytes(path.read_bytes()[:-cut])
    assert [entry.text for entry in read_journal(path)] == ["whole"]


def test_an_empty_journal_has_no_entries(path: Path) -> None:
    path.touch()
    assert list(read_journal(path)) == []


def test_a_journal_that_is_not_there(path: Path) -> None:
    with pytest.raises(
        RecordingError, match=r"no journal can be read: No such file or directory\n  at .*journal.jsonl"
    ):
        next(read_journal(path))
    with pytest.raises(RecordingError, match="Is a directory"):
        next(read_journal(path.parent))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not JSON",
        b"[1]",
        b'{"at_ns": 1}',
        b'{"kind": "from the future", "at_ns": 1}',
        b'{"kind": "note", "at_ns": "soon", "text": ""}',
        b'{"kind": "note", "at_ns": 1}',
        b'{"kind": "note", "at_ns": 1, "text": "\xff"}',
        b"\x00\x00\x00",
        b'{"kind": "run-started", "parameters": ' + b'{"deep":' * 100_000,
    ],
    ids=range(10),
)
def test_a_line_that_is_no_entry_is_named_by_its_number(path: Path, line: bytes) -> None:
    written(path, Note(at_ns=0, text="one"), Note(at_ns=1, text="two"))
    with path.open("ab") as file:
        file.write(line + b"\n")
    entries = read_journal(path)
    assert [next(entries).text, next(entries).text] == ["one", "two"]
    with pytest.raises(RecordingError, match="this line is no journal entry") as failure:
        next(entries)
    assert failure.value.place == f"{path}:3"
    assert "the lines before it are readable" in str(failure.value)


def test_what_comes_behind_a_run_that_is_over_is_written_behind_its_entries(path: Path) -> None:
    written(path, Note(at_ns=0, text="one"))
    writer = JournalWriter(path, is_begun=True)
    writer(journal.TestEnded(at_ns=1, test="test_a.py::test_b", outcome="xfailed"))
    writer.close()
    note, ended = read_journal(path)
    assert (note.text, ended.test, ended.outcome) == ("one", "test_a.py::test_b", "xfailed")


def test_nothing_is_written_behind_a_journal_that_is_not_there(path: Path) -> None:
    with pytest.raises(RecordingError, match="the journal cannot be written: No such file"):
        JournalWriter(path, is_begun=True)
    assert not path.exists()
