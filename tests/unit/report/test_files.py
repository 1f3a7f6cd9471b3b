"""The saved messages: one file each, named after the message, inside the run's directory, never overwritten."""

from __future__ import annotations

import errno
import json
import os
import string
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.conversation.message import UNREADABLE, Data, Message
from antiphon.journal import Entry, HttpExchange, RunStarted
from antiphon.journal.file import JournalWriter, WrittenMessage, read_journal
from antiphon.report.formats.file_names import FolderNames, file_stem, folder_name
from antiphon.report.formats.files import UNFINISHED, MessageFiles
from antiphon.report.readable import hexadecimal

ALONE = {"operator": ["desk"]}


def started(actors: dict[str, list[str]]) -> RunStarted:
    return RunStarted(
        at_ns=0, scenario="s", parameters={}, actors=actors, stand="", started_at="", antiphon="", python="", pid=1
    )


def said(
    name: str, raw: Data = "{}", *, actor: str = "operator", channel: str = "desk", is_sent: bool = False
) -> Message:
    return Message(name, None, raw, actor=actor, channel=channel, is_sent=is_sent)


def exchanged(**fields: Any) -> HttpExchange:
    given: dict[str, Any] = {
        "at_ns": 1_500_000_000,
        "actor": "operator",
        "channel": "api",
        "step": 0,
        "number": 1,
        "method": "POST",
        "url": "http://127.0.0.1:1/login?user=alice",
        "took_ns": 2_000_000,
        "request_headers": {"Authorization": "***"},
        "request_body": '{"user":"alice"}',
    }
    return HttpExchange(**given | fields)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., list[str]]:
    """Saves entries, by default of one actor with one channel, and gives the files there are then."""

    def save(*entries: Entry | Message, actors: dict[str, list[str]] | None = None) -> list[str]:
        report = MessageFiles(tmp_path)
        report(started(ALONE if actors is None else actors))
        for entry in entries:
            report(entry)
        return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())

    return save


def test_name_and_counter(save: Callable[..., list[str]]) -> None:
    messages = [
        said("agentCapacity"),
        said("newRtc"),
        said("acceptRtc", is_sent=True),
        said("agentCapacity"),
        said("resultAcceptRtc"),
    ]
    assert save(*messages) == [
        "received/agentCapacity0.json",
        "received/agentCapacity1.json",
        "received/newRtc0.json",
        "received/resultAcceptRtc0.json",
        "sent/acceptRtc0.json",
    ]


def test_the_folders_are_there_before_the_first_message(save: Callable[..., list[str]], tmp_path: Path) -> None:
    assert save() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["received", "sent"]


def test_each_of_several_actors_has_folders_of_its_own(save: Callable[..., list[str]]) -> None:
    both = {"alice": ["desk"], "bob": ["desk"]}
    assert save(said("a", actor="alice"), said("a", actor="bob"), exchanged(actor="bob"), actors=both) == [
        "alice/received/a0.json",
        "bob/http/000-POST-login.json",
        "bob/received/a0.json",
    ]


def test_each_of_several_channels_has_a_folder_of_its_own(save: Callable[..., list[str]]) -> None:
    messages = [said("a", channel="desk"), said("a", channel="media"), said("b", channel="media", is_sent=True)]
    assert save(*messages, actors={"operator": ["desk", "media"]}) == [
        "received/desk/a0.json",
        "received/media/a0.json",
        "sent/media/b0.json",
    ]


def test_what_the_run_did_not_announce_is_kept_apart(save: Callable[..., list[str]]) -> None:
    assert save(said("a"), said("a", channel="other"), said("a", actor="guest")) == [
        "guest/received/desk/a0.json",
        "received/a0.json",
        "received/other/a0.json",
    ]


def test_actors_whose_names_differ_by_case_only_do_not_share_a_folder() -> None:
    names = FolderNames()
    assert [names["alice"], names["Alice"], names["ALICE"], names["bob"]] == ["alice", "Alice~2", "ALICE~3", "bob"]
    assert names["Alice"] == "Alice~2"


def test_json_is_indented_and_otherwise_as_it_came(save: Callable[..., list[str]], tmp_path: Path) -> None:
    save(
        said("a", '{"n":1.0,"big":12345678901234567890123,"n":1e400,"empty":[],"word":"\\u043f\\ud83d\\ude00\\u0007"}')
    )
    assert (tmp_path / "received/a0.json").read_text(encoding="utf-8") == (
        '{\n  "n": 1.0,\n  "big": 12345678901234567890123,\n  "n": 1e400,\n  "empty": [],\n  "word": "п😀\\u0007"\n}\n'
    )


@given(text=st.text(string.printable + 'é"\\/🙂\u2028\x00', max_size=20), is_ascii=st.booleans())
def test_every_text_in_json_means_what_it_meant(
    tmp_path_factory: pytest.TempPathFactory, text: str, is_ascii: bool
) -> None:
    directory = tmp_path_factory.mktemp("run")
    MessageFiles(directory)(said("a", json.dumps([text, {text: "\\" + text}], ensure_ascii=is_ascii)))
    (file,) = (path for path in directory.rglob("*") if path.is_file())
    assert json.loads(file.read_text(encoding="utf-8")) == [text, {text: "\\" + text}]


@pytest.mark.parametrize(
    ("raw", "file", "content"),
    [
        (b'{"a":1}', "a0.json", b'{\n  "a": 1\n}\n'),
        (" [1] ", "a0.json", b"[\n  1\n]\n"),
        ("hello\r\nthere", "a0.txt", b"hello\r\nthere"),
        ("", "a0.txt", b""),
        ("42", "a0.txt", b"42"),
        ('{"cut":', "a0.txt", b'{"cut":'),
        ('{"a":NaN}', "a0.txt", b'{"a":NaN}'),
        ("bell\x07", "a0.txt", b"bell\x07"),
        ('{"lone":"\ud800"}', "a0.txt", b'{"lone":"\\ud800"}'),
        ("lone \ud800", "a0.txt", b"lone \\ud800"),
        (b"OPTIONS sip:a@b SIP/2.0\r\n\r\n", "a0.txt", b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"),
        (b"bell\x07", "a0.hex.txt", b"00000000: 6265 6c6c 07                             bell.\n"),
        (b'{"a":"\xff"}', "a0.hex.txt", b'00000000: 7b22 6122 3a22 ff22 7d                   {"a":"."}\n'),
        (b"\x00" * 20_000, "a0.bin", b"\x00" * 20_000),
    ],
)
def test_the_form_fits_what_is_in_the_frame(
    save: Callable[..., list[str]], tmp_path: Path, raw: Data, file: str, content: bytes
) -> None:
    assert save(said("a", raw)) == [f"received/{file}"]
    assert (tmp_path / "received" / file).read_bytes() == content


def test_what_nobody_could_read_is_saved_too(save: Callable[..., list[str]]) -> None:
    assert save(said(UNREADABLE, "<html>"), said(UNREADABLE, b"\xff\x00")) == [
        "received/unreadable0.txt",
        "received/unreadable1.hex.txt",
    ]


@given(st.binary(max_size=100))
def test_a_dump_holds_every_byte(data: bytes) -> None:
    lines = hexadecimal(data).decode("ascii").splitlines()
    assert bytes.fromhex("".join(line[10:49] for line in lines)) == data
    assert [int(line[:8], 16) for line in lines] == list(range(0, len(data), 16))


def test_json_too_deep_to_be_indented_is_left_as_it_came(save: Callable[..., list[str]], tmp_path: Path) -> None:
    deep = "[" * 65 + "1,1" + "]" * 65
    wide = "[" + ",".join(["[[]]"] * 200) + "]"
    bottomless = "[" * 100_000 + "]" * 100_000
    tricky = json.dumps(["[" * 200, "\\" * 3 + '"' + "{" * 200])
    assert save(said("deep", deep), said("wide", wide), said("bottomless", bottomless), said("tricky", tricky)) == [
        "received/bottomless0.txt",
        "received/deep0.json",
        "received/tricky0.json",
        "received/wide0.json",
    ]
    assert (tmp_path / "received/deep0.json").read_text() == deep
    assert (tmp_path / "received/wide0.json").read_text().startswith("[\n  [\n")
    assert json.loads((tmp_path / "received/tricky0.json").read_text()) == json.loads(tricky)
    assert (tmp_path / "received/tricky0.json").read_text().startswith("[\n  ")


def test_a_frame_of_20_mib_is_saved_as_it_came(save: Callable[..., list[str]], tmp_path: Path) -> None:
    raw = json.dumps({"x": "y" * (20 << 20)})
    assert save(said("big", raw)) == ["received/big0.json"]
    assert (tmp_path / "received/big0.json").read_text() == raw


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["newRtc", "new_rtc", "new-rtc", "call.answered", "my event", "звонок", "$progress"])
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert file_stem(name, 0) == f"{name}0"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("textDocument/didOpen", "textDocument%2FdidOpen0"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd0"),
        ("..", "%2E%2E0"),
        (".hidden", "%2Ehidden0"),
        ("-rf", "%2Drf0"),
        ("a\\b", "a%5Cb0"),
        ("C:x", "C%3Ax0"),
        ("nul", "%6Eul0"),
        ("COM", "%43OM0"),
        ("aux.txt", "%61ux.txt0"),
        ("a\0b", "a%00b0"),
        ("a\n", "a%0A0"),
        ("a\x1b[2J", "a%1B[2J0"),
        ("a\u202etxt", "a%E2%80%AEtxt0"),
        ("100%", "100%250"),
        ("~", "%7E0"),
        ("", "~0"),
        ("name1", "name1~0"),
        ("a\x01", "a%01~0"),
        ("\ud800", "%ED%A0%80~0"),
    ],
)
def test_a_hostile_name_is_encoded(name: str, stem: str) -> None:
    assert file_stem(name, 0) == stem.replace("%250", "%25~0")


@given(st.text(max_size=400), st.integers(0, 10**6))
def test_a_stem_is_one_harmless_part_of_a_path(name: str, number: int) -> None:
    stem = file_stem(name, number)
    assert not set(stem) & set('/\\:*?"<>|\0')
    assert stem not in ("", ".", "..")
    assert stem[0] not in ".- "
    assert stem[-1] not in ". "
    assert stem.isprintable()
    assert len(os.fsencode(stem + ".hex.txt")) <= 170


@given(
    st.lists(
        st.tuples(
            st.text("aA1~%./_ 2\x01é", max_size=6) | st.text("x", min_size=100, max_size=300), st.integers(0, 120)
        ),
        unique=True,
        max_size=15,
    )
)
def test_no_two_messages_share_a_stem(messages: list[tuple[str, int]]) -> None:
    assert len({file_stem(name, number) for name, number in messages}) == len(messages)


def test_a_counter_cannot_be_mistaken_for_the_name(save: Callable[..., list[str]]) -> None:
    files = save(*[said("name") for _ in range(11)], said("name1"), said("name10"))
    assert len(files) == 13
    assert {"received/name10.json", "received/name1~0.json", "received/name10~0.json"} <= set(files)


def test_nothing_leaves_the_directory_whatever_its_name(tmp_path: Path) -> None:
    hostile = [
        "..",
        "../x",
        "/etc/x",
        "a/../../x",
        "\0",
        "",
        " ",
        ".",
        "x" * 300,
        "я" * 300,
        "CON",
        "com",
        "a\nb",
        "*",
        "~",
    ]
    inside = tmp_path / "run"
    inside.mkdir()
    report = MessageFiles(inside)
    report(started({"a/..": ["../c", "d"], "..": ["e"]}))
    for name in hostile:
        report(said(name, actor="a/..", channel="../c"))
        report(said(name, actor="..", channel="e", is_sent=True))
        report(exchanged(actor="..", method=f"../{name}"[:20], url=f"http://h/{name}/../../x"))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert sum(path.is_file() for path in inside.rglob("*")) == 3 * len(hostile)


def test_a_file_that_is_there_is_not_overwritten(save: Callable[..., list[str]], tmp_path: Path) -> None:
    """As on a file system on which `Ping0.json` is there once `ping0.json` is."""
    (tmp_path / "received").mkdir()
    (tmp_path / "received/Ping0.json").write_text("somebody else's")
    assert save(said("Ping"), said("Ping"), said("pong")) == [
        "received/Ping0.json",
        "received/Ping~2~0.json",
        "received/Ping~2~1.json",
        "received/pong0.json",
    ]
    assert (tmp_path / "received/Ping0.json").read_text() == "somebody else's"


def test_two_reports_in_one_directory_share_no_file(tmp_path: Path) -> None:
    first, second = MessageFiles(tmp_path), MessageFiles(tmp_path)
    for number in range(5):
        first(said("a", f"[{number}]"))
        second(said("a", f"[{number + 10}]"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(json.loads(path.read_text())[0] for path in files) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]


# -- HTTP -------------------------------------------------------------------------------------------------------------


def test_http_exchanges_have_files_of_their_own(save: Callable[..., list[str]], tmp_path: Path) -> None:
    login = exchanged(
        status=200, response_headers={"Content-Type": "application/json"}, response_body='{"token":"***"}'
    )
    failed = exchanged(method="GET", url="http://h/interactions/4711?since=1", request_body="", error="nobody answers")
    assert save(login, failed, exchanged(method="GET", url="http://h")) == [
        "http/000-POST-login.json",
        "http/001-GET-interactions-4711.json",
        "http/002-GET.json",
    ]
    assert json.loads((tmp_path / "http/000-POST-login.json").read_text()) == {
        "method": "POST",
        "url": "http://127.0.0.1:1/login?user=alice",
        "channel": "api",
        "at_s": 1.5,
        "took_s": 0.002,
        "request": {"headers": {"Authorization": "***"}, "body": {"user": "alice"}},
        "response": {"status": 200, "headers": {"Content-Type": "application/json"}, "body": {"token": "***"}},
    }
    assert json.loads((tmp_path / "http/001-GET-interactions-4711.json").read_text())["error"] == "nobody answers"


def test_a_body_that_is_no_json_is_a_string(save: Callable[..., list[str]], tmp_path: Path) -> None:
    save(exchanged(status=500, request_body="a=1", response_body='<html>\ud800 "'))
    content = json.loads((tmp_path / "http/000-POST-login.json").read_text())
    assert content["request"]["body"] == "a=1"
    assert content["response"]["body"] == '<html>\\ud800 "'


# -- afterwards, and in the long run ----------------------------------------------------------------------------------


def test_a_written_journal_gives_the_same_files(tmp_path: Path) -> None:
    entries: list[Entry | Message] = [
        started(ALONE),
        said("a", '{"x":1}'),
        said("b", b"\x00\x01", is_sent=True),
        exchanged(status=204),
    ]
    direct, again = tmp_path / "direct", tmp_path / "again"
    direct.mkdir()
    again.mkdir()
    writer = JournalWriter(tmp_path / "journal.jsonl")
    report = MessageFiles(direct)
    for entry in entries:
        writer(entry)
        report(entry)
    writer.close()
    report = MessageFiles(again)
    for entry in read_journal(tmp_path / "journal.jsonl"):
        assert not isinstance(entry, Message)
        report(entry)

    def contents(directory: Path) -> dict[str, bytes]:
        return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}

    assert contents(again) == contents(direct)
    assert len(contents(again)) == 3
    assert any(isinstance(entry, WrittenMessage) for entry in read_journal(tmp_path / "journal.jsonl"))


def test_what_a_killed_run_has_not_written_is_added_from_its_journal(tmp_path: Path) -> None:
    entries = [started(ALONE), said("a", "1"), said("b", "2"), exchanged(status=204), said("a", "3"), said("b", "2")]
    killed = MessageFiles(tmp_path)
    for entry in entries[:4]:
        killed(entry)
    again = MessageFiles(tmp_path)
    for entry in entries:
        again(entry)
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.txt")}
    assert found == {
        "received/a0.txt": "1",
        "received/b0.txt": "2",
        "received/a1.txt": "3",
        "received/b1.txt": "2",
    }
    assert [path.name for path in (tmp_path / "http").iterdir()] == ["000-POST-login.json"]


def test_another_answer_under_the_number_of_one_that_is_there_is_told(tmp_path: Path) -> None:
    first, second = MessageFiles(tmp_path), MessageFiles(tmp_path)
    first(exchanged(status=204))
    with pytest.raises(FileExistsError):
        second(exchanged(status=500))


def test_the_thousandth_message_costs_what_the_first_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, renamed = [], []
    original, original_rename = os.open, os.rename

    def counting(path: str, *args: Any) -> int:
        opened.append(Path(path).name)
        return original(path, *args)

    def counting_renames(path: str, target: str) -> None:
        renamed.append(Path(target).name)
        original_rename(path, target)

    monkeypatch.setattr(os, "open", counting)
    monkeypatch.setattr(os, "rename", counting_renames)
    report = MessageFiles(tmp_path)
    report(started(ALONE))
    for _ in range(1000):
        report(said("ping"))
    assert opened == [UNFINISHED] * 1000
    assert renamed == [f"ping{number}.json" for number in range(1000)]


def test_a_directory_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "received").write_text("a file")
    with pytest.raises(OSError, match="received"):
        MessageFiles(tmp_path)(started(ALONE))


def test_a_dump_can_be_reversed(tmp_path: Path) -> None:
    data = bytes(range(256)) + b"odd"
    dump = tmp_path / "dump.hex.txt"
    dump.write_bytes(hexadecimal(data))
    try:
        reversed_ = subprocess.run(["xxd", "-r", dump], capture_output=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("xxd is not installed")
    assert reversed_ == data


def test_a_folder_name_is_never_that_of_another() -> None:
    names = ["desk", "Desk", "de/sk", "de%2Fsk", "con", "%63on", "x" * 121, "x" * 122]
    assert len({folder_name(name) for name in names}) == len(names)


# -- whole or not at all ----------------------------------------------------------------------------------------------

KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from antiphon import Message
from antiphon.report.formats.files import MessageFiles

home, kills = Path(sys.argv[1]), int(sys.argv[2])
for turn in range(kills):
    directory = home / str(turn)
    directory.mkdir()
    told, tells = os.pipe()
    writer = os.fork()
    if not writer:
        write = MessageFiles(directory)
        while True:
            os.write(tells, b".")
            write(Message("offer", {}, '{"data":"' + "x" * 300_000 + '"}', at_ns=1, actor="a", channel="c"))
    for _ in range(1 + turn % 4):
        os.read(told, 1)
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    os.close(told)
    os.close(tells)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is killed in the middle of its work")
def test_a_file_is_whole_or_not_there_when_the_process_is_killed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED_WRITER, str(tmp_path), "60"], check=True, timeout=60)
    files = list(tmp_path.rglob("*.json"))
    assert len(files) >= 30
    assert {len(json.loads(path.read_text())["data"]) for path in files} == {300_000}


@pytest.mark.parametrize("call", ["write", "close", "rename"])
def test_a_file_that_cannot_be_finished_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    write = MessageFiles(tmp_path)
    message = Message("ping", {}, '{"seq":1}', at_ns=1, actor="a", channel="c")
    original = getattr(os, call)

    def fail(*args: Any) -> Any:
        if call == "close":
            original(*args)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(OSError, match="No space left"):
            write(message)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    write(message)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ping1.json"], "the number was given away"
