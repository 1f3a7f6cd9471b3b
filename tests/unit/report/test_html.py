"""The trace as a file: what is in it, where it goes, and what it survives. What it shows is tested in a browser."""

from __future__ import annotations

import base64
import json
import os
import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.conversation.wording import visible
from antiphon.errors import RecordingError
from antiphon.journal import Note, RunEnded, RunStarted, StepStarted
from antiphon.journal.file import JournalWriter
from antiphon.report.formats.html import trace
from antiphon.report.formats.html.trace import TRACE, write_trace
from antiphon.report.runs import find_run, find_runs, summary

HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028\u202e\x00\x1b[31m]]>&amp;' \"\\ \ud800"


def started(scenario: str = "outgoing", started_at: str = "2026-11-22T07:41:44.000Z") -> RunStarted:
    return RunStarted(
        at_ns=0,
        scenario=scenario,
        parameters={},
        actors={"operator": ["desk"]},
        stand="local",
        started_at=started_at,
        antiphon="0.1.0",
        python="3.11.7",
        pid=1,
    )


def said(name: str, text: str, at_ns: int = 1, *, sent: bool = False) -> Message:
    return Message(name, None, text, at_ns=at_ns, number=1, actor="operator", channel="desk", is_sent=sent)


def record(directory: Path, *entries: Any) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    writer = JournalWriter(directory / "journal.jsonl")
    for entry in entries:
        writer(entry)
    writer.close()
    return directory


class Page(HTMLParser):
    """What a browser makes of the markup: the elements, and the text in each script, style sheet and title."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, dict[str, str | None], str]] = []
        self._is_inside = False
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._is_inside = tag in ("script", "style", "title")
        if self._is_inside:
            self.texts.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            tag, attributes, text = self.texts[-1]
            self.texts[-1] = (tag, attributes, text + data)

    @property
    def title(self) -> str:
        (title,) = (text for tag, _, text in self.texts if tag == "title")
        return title

    @property
    def journal(self) -> list[Any]:
        blocks = [text for tag, attributes, text in self.texts if attributes.get("class") == "journal"]
        return [json.loads(line) for block in blocks for line in block.split("\n") if line]

    @property
    def code(self) -> list[str]:
        return [text for tag, attributes, text in self.texts if tag == "script" and not attributes]


def test_the_journal_is_in_the_page_as_it_was_written(tmp_path: Path) -> None:
    record(tmp_path, started(), said("offer", '{"a": "<b>"}'), RunEnded(at_ns=2, verdict="passed"))
    page = Page(write_trace(tmp_path))
    written = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert page.journal == written
    assert page.title == "outgoing · antiphon trace"


def test_hostile_content_ends_no_element(tmp_path: Path) -> None:
    record(
        tmp_path,
        started(HOSTILE),
        said(HOSTILE, HOSTILE),
        Message("binary", None, bytes(range(256)), at_ns=1, number=2, actor="operator", channel="../..</script>"),
        RunEnded(at_ns=2, verdict="error", error=HOSTILE),
    )
    page = Page(write_trace(tmp_path))
    plain = Page(write_trace(record(tmp_path / "plain", started(), RunEnded(at_ns=2, verdict="passed"))))
    assert page.tags == plain.tags, "nothing that was said has become an element"
    assert page.code == plain.code
    assert [entry["kind"] for entry in page.journal] == ["run-started", "said", "said", "run-ended"]
    assert page.journal[1]["text"] == HOSTILE.replace("\ud800", "?")
    assert "\x1b" not in page.title
    assert "\u202e" not in page.title


def test_the_policy_lets_exactly_our_code_run_and_nothing_be_loaded(tmp_path: Path) -> None:
    page = Page(write_trace(record(tmp_path, started())))
    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in page.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("script-src").split() == [hashed(text) for text in page.code]
    assert rules.pop("style-src").split() == [hashed(text) for tag, _, text in page.texts if tag == "style"]
    assert rules == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    addresses = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert addresses == ["data:,"]
    assert not re.search(
        r"\binnerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", "".join(page.code)
    )


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def test_a_long_journal_is_split_between_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "BLOCK_BYTES", 100)
    record(tmp_path, started(), *(said(f"m{number}", "x" * (number % 300)) for number in range(500)))
    page = Page(write_trace(tmp_path))
    assert sum(attributes.get("class") == "journal" for _, attributes in page.tags) > 100
    assert [entry["name"] for entry in page.journal[1:]] == [f"m{number}" for number in range(500)]


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    record(tmp_path, started(), said("offer", "{}"))
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"kind":"said","actor":"op')
    assert [entry["kind"] for entry in Page(write_trace(tmp_path)).journal] == ["run-started", "said"]


@pytest.mark.parametrize("first", [b"{}\n", b"\xff\xfe\n", b"", b"[" * 100_000 + b"\n"])
def test_a_journal_that_begins_with_something_else_is_shown(tmp_path: Path, first: bytes) -> None:
    (tmp_path / "journal.jsonl").write_bytes(first + b'{"kind":"note","text":"x","at_ns":1}\n')
    text = write_trace(tmp_path).read_text(encoding="utf-8")
    assert '{"kind":"note","text":"x","at_ns":1}' in text
    assert "<title>a run ·" in text


def test_no_journal_no_trace(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no journal can be read"):
        write_trace(tmp_path)
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(RecordingError, match="holds nothing"):
        write_trace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["journal.jsonl"]


def test_a_trace_that_cannot_be_written_says_where_else(tmp_path: Path) -> None:
    record(tmp_path, started())
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="the trace cannot be written") as raised:
        write_trace(tmp_path, str(tmp_path / "file" / "trace.html"))
    assert "--to FILE" in str(raised.value)


def test_the_report_is_written_when_the_run_is_over(tmp_path: Path) -> None:
    sink = TRACE(record(tmp_path, started(), RunEnded(at_ns=2, verdict="passed")))
    sink(RunEnded(at_ns=2, verdict="passed"))
    assert not (tmp_path / "trace.html").exists()
    sink.close()
    assert len(Page(tmp_path / "trace.html").journal) == 2


# -- the runs in a directory ------------------------------------------------------------------------------------------


def test_the_latest_run_is_the_one_that_began_last(tmp_path: Path) -> None:
    for name, second in (("b-1", 1), ("c-3", 3), ("a-2", 2)):
        record(tmp_path / name, started(started_at=f"2026-11-22T07:41:4{second}.000Z"))
    (tmp_path / "no-run").mkdir()
    assert [run.name for run in find_runs(tmp_path)] == ["c-3", "a-2", "b-1"]
    assert find_run("last", tmp_path).name == "c-3"
    assert find_run("-2", tmp_path).name == "a-2"
    assert find_run("b-1", tmp_path).name == "b-1"
    assert find_run(str(tmp_path / "a-2"), Path("elsewhere")) == tmp_path / "a-2"
    assert find_run(str(tmp_path / "a-2" / "journal.jsonl"), Path("elsewhere")) == tmp_path / "a-2"


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no run is recorded here"):
        find_run("last", tmp_path / "nowhere")
    record(tmp_path / "a", started())
    with pytest.raises(RecordingError, match="there is no run 'b'"):
        find_run("b", tmp_path)


def test_a_run_in_a_few_words(tmp_path: Path) -> None:
    step = StepStarted(at_ns=1, number=1, parent=0, actor="operator", action="call", source="a.py:1")
    entries = [started(), step, said("a", "{}"), said("b", "{}", sent=True), said("c", "{}", 5_000_000)]
    run = summary(record(tmp_path / "killed", *entries))
    assert (run.verdict, run.steps, run.sent, run.received, run.duration_s) == ("unfinished", 1, 1, 2, 0.005)
    assert summary(record(tmp_path / "ended", *entries, RunEnded(at_ns=9, verdict="passed"))).verdict == "passed"
    damaged = record(tmp_path / "damaged", started(), Note(at_ns=7, text="x")) / "journal.jsonl"
    damaged.write_bytes(damaged.read_bytes() + b"damage\n")
    assert summary(damaged.parent).duration_s == 7e-9


def test_the_page_escapes_what_a_terminal_does() -> None:
    script = (Path(trace.__file__).parent / "static" / "words.js").read_text()
    literal = re.search(r"const UNSEEN = new RegExp\((.*?), 'gu'\);", script, re.DOTALL)
    assert literal is not None
    pattern = "".join(re.findall("'([^']*)'", literal[1])).replace("\\\\", "\\").replace(r"\p{Cs}", r"[\ud800-\udfff]")
    unseen = re.compile(re.sub(r"\\u\{(\w+)\}", lambda found: f"\\U{found[1]:0>8}", pattern))
    everything = "".join(map(chr, range(0x110000)))
    escaped = {sign for sign in unseen.findall(everything) if sign == visible(sign)}
    assert escaped == set()
    assert unseen.sub("", everything) == visible(unseen.sub("", everything))


# -- the author's lines -----------------------------------------------------------------------------------------------


def step(source: str, **fields: Any) -> StepStarted:
    return StepStarted(at_ns=1, number=1, parent=0, actor="operator", action="dial", source=source, **fields)


def lines_of(path: Path) -> Any:
    (found,) = re.findall(r'id="sources">(.*?)</script>', path.read_text(encoding="utf-8"))
    return json.loads(found)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file that is older than the runs here."""
    file = tmp_path / "calls.py"
    file.write_text("one = 1\nawait self.dial('</script>', password='s3cret')\n@action\n", encoding="utf-8")
    os.utime(file, (1, 1))
    return file


def test_the_authors_lines_are_there_once_and_without_secrets(tmp_path: Path, source: Path) -> None:
    entries = [step(f"{source}:{line}") for line in (1, 2, 2, 3, 9)]
    path = write_trace(record(tmp_path / "run", started(), *entries, step("nowhere.py:1"), step("ws://host:80")))
    assert lines_of(path) == {
        f"{source}:1": "one = 1",
        f"{source}:2": "await self.dial('</script>', password='***')",
    }


def test_what_was_said_is_no_place(tmp_path: Path, source: Path) -> None:
    text = json.dumps({"source": f"{source}:1"}, separators=(",", ":"))
    assert lines_of(write_trace(record(tmp_path / "run", started(), said("news", text)))) == {}


def test_a_file_that_was_changed_since_has_no_lines(tmp_path: Path, source: Path) -> None:
    os.utime(source, (2e9, 2e9))
    assert lines_of(write_trace(record(tmp_path / "run", started(), step(f"{source}:1")))) == {}


def test_a_line_whose_entry_has_something_masked_is_left_out(tmp_path: Path, source: Path) -> None:
    arguments = [{"name": "pin", "value": "***"}]
    run = record(tmp_path / "run", started(), step(f"{source}:1", arguments=arguments), step(f"{source}:1"))
    assert lines_of(write_trace(run)) == {}


def test_a_run_without_a_beginning_has_no_lines(tmp_path: Path, source: Path) -> None:
    assert lines_of(write_trace(record(tmp_path / "run", step(f"{source}:1")))) == {}
