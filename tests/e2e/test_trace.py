"""The trace in a real browser: what it shows of a run, how one finds one's way in it, and what it survives."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browsing import MARKS, expect, looking_at
from tests.integration.load.test_audit import conversed
from tests.integration.recorded.conversations import everything

from antiphon import journal
from antiphon.cli import main
from antiphon.conversation.message import Message
from antiphon.journal.file import JournalWriter, WrittenMessage, read_journal
from antiphon.journal.placing import Placing
from antiphon.report.formats.html.trace import write_trace
from antiphon.report.placing import placed
from antiphon.report.text import Conversation

CALLS = Path(__file__).parents[2] / "examples" / "contact_centre" / "calls.py"

pytestmark = [*MARKS, pytest.mark.slow]

LARGE_BYTES = 5 << 20


@pytest.fixture
def opened(tab: Any) -> Callable[..., Any]:
    """Opens the trace of the run in a directory; whatever the page complains of or asks for fails the test."""

    @asynccontextmanager
    async def open_trace(
        directory: Path, fragment: str = "", *, width: int = 1400, height: int = 900, scheme: str = "light"
    ) -> AsyncIterator[Any]:
        address = write_trace(directory).as_uri()
        async with looking_at(tab, address, fragment, width=width, height=height, scheme=scheme) as page:
            yield page

    return open_trace


class Book:
    """A journal written by hand; `at` moves the time."""

    def __init__(self, directory: Path, *actors: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.now_ns = 0
        self._writer = JournalWriter(directory / "journal.jsonl")
        self._place = Placing()
        self._numbers: dict[tuple[str, bool], Iterator[int]] = {}
        self._waits = count(1)
        self.add(
            journal.RunStarted,
            scenario="consult",
            parameters={"telephone": "89"},
            actors={actor: ["desk"] for actor in actors},
            stand="local",
            started_at="2026-11-22T07:41:44.000Z",
            antiphon="0.1.0",
            python="3.11.7",
            pid=1,
        )
        for actor in actors:
            self.add(
                journal.ChannelOpened,
                actor=actor,
                channel="desk",
                address="ws://centre:1/desk",
                headers={"X-Seat": "7"},
            )

    def add(self, kind: type, **fields: Any) -> None:
        self.now_ns += 1_000_000
        self._write(kind(at_ns=self.now_ns, **fields))

    def say(self, actor: str, name: str, data: Any = None, *, raw: str | bytes | None = None, **fields: Any) -> int:
        """What an actor says, if it is in a step or answers a ping; or else receives."""
        is_sent = bool(fields.get("step")) or name == "pong"
        number = next(self._numbers.setdefault((actor, is_sent), count(1)))
        said = raw if raw is not None else json.dumps({"action": name, "data": {} if data is None else data})
        self.now_ns += 1_000_000
        self._write(
            Message(
                name,
                data if raw is not None else None,
                said,
                at_ns=self.now_ns,
                number=number,
                actor=actor,
                channel="desk",
                is_sent=is_sent,
                **fields,
            )
        )
        return number

    def step(self, number: int, actor: str, action: str, parent: int = 0) -> None:
        self.add(
            journal.StepStarted,
            number=number,
            parent=parent,
            actor=actor,
            action=action,
            source="calls.py:7",
        )

    def end_step(self, number: int, outcome: str = "passed", error: str = "") -> None:
        self.add(journal.StepEnded, number=number, outcome=outcome, error=error)

    def _write(self, entry: Any) -> None:
        self._place(entry)
        self._writer(entry)

    def wait(self, actor: str, name: str | None, step: int, awaits: Any = "message", **awaited: Any) -> int:
        number = next(self._waits)
        self.add(
            journal.WaitStarted,
            number=number,
            actor=actor,
            channel="desk",
            awaits=awaits,
            name=name,
            **awaited,
            step=step,
            deadline_ns=self.now_ns + 5_000_000_000,
            source="calls.py:9",
        )
        return number

    def end_wait(self, number: int, outcome: str = "satisfied", message: int = 0, error: str = "") -> None:
        self.add(journal.WaitEnded, number=number, outcome=outcome, message=message, error=error)

    def close(self, verdict: str = "passed", error: str = "") -> Path:
        if verdict:
            self.add(journal.RunEnded, verdict=verdict, error=error)
        self._writer.close()
        return self.directory


@pytest.fixture
def consultation(tmp_path: Path) -> Path:
    """Alice asks and gets her reply; bob waits for a state that does not come, while heartbeats go on."""
    book = Book(tmp_path / "consult", "alice", "bob")
    exchange = {"method": "POST", "url": "http://centre:1/login", "took_ns": 2_000_000, "number": 1, "status": 200}
    bodies = {"request_body": '{"user": "alice"}', "response_body": '{"token": "***"}'}
    headers = {"request_headers": {"Accept": "*/*"}, "response_headers": {"X-Served-By": "node-3"}}
    book.add(journal.HttpExchange, actor="alice", channel="api", step=0, **exchange, **bodies, **headers)
    book.step(1, "alice", "outbound_call")
    book.step(2, "alice", "dial", parent=1)
    book.say("alice", "newCall", {"to": "89"}, step=2, asks=7)
    wait = book.wait("alice", "newCall", 2, "reply")
    book.end_wait(
        wait, message=book.say("alice", "resultNewCall", {"result": "success", "id": 12345678901234567890}, reply_to=7)
    )
    book.end_step(2)
    book.end_step(1)
    book.step(3, "bob", "accept")
    wait = book.wait("bob", "newState", 3, where={"state": "connected"})
    book.say("bob", "newState", {"state": "offered", "greeting": "Здравствуйте"})
    for seq in range(3):
        ping = book.say("bob", "ping", {"seq": seq})
        book.say("bob", "pong", {"seq": seq})
        book.add(journal.Handled, actor="bob", channel="desk", message=ping, handler="answer_ping", took_ns=5)
    book.add(journal.SoftCheckFailed, text="greeting is not what it was")
    book.add(journal.Called, number=3, function="fetch", save_as="record", result="{'state': 'x'}")
    book.add(journal.SignalGiven, name="seated", actor="bob", step=3, value="7")
    book.add(journal.TimerStopped, name="delivery", took_ns=12_300_000, step=3)
    book.add(journal.Note, text="the event loop was blocked")
    book.add(journal.Aside, actor="bob", channel="desk", name="stderr", text="warning: low\nwarning: lower")
    book.add(journal.Dropped, actor="bob", channel="desk", count=3, limit=2)
    book.end_wait(wait, "failed", error="DeadlinePassed")
    book.end_step(3, "failed", "DeadlinePassed")
    text = "bob.desk waited 5 s for newState\n  at calls.py:9\n  nearest: newState, but state is 'offered'"
    book.add(journal.Failed, error="DeadlinePassed", text=text)
    book.add(journal.ChannelEnded, actor="bob", channel="desk", code=1001, reason="going", by="peer")
    return book.close("failed", text)


async def names(page: Any) -> list[str]:
    """The names of the messages and requests that are shown, in order."""
    found: list[str] = await page.eval_on_selector_all(
        ".row.message, .row.http",
        """rows => rows.sort((one, other) => one.ariaPosInSet - other.ariaPosInSet)
            .map(row => row.querySelector('.label .name').textContent)""",
    )
    return found


async def chosen(page: Any) -> str:
    return str(await page.locator('.row[aria-selected="true"]').inner_text())


async def drawn(page: Any) -> None:
    """After what has scrolled or changed its size is drawn."""
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


# -- a run that failed ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run against the contact centre, which failed, with the trace that was written at its end."""
    runs = tmp_path_factory.mktemp("runs")
    assert main(["run", f"{CALLS}:outgoing", "--telephone", "busy", "--quiet", "--runs", str(runs)]) == 1
    (run,) = runs.iterdir()
    return run


async def test_a_failed_run_says_why_and_shows_where(busy: Path, opened: Callable[..., Any]) -> None:
    assert (busy / "trace.html").is_file(), "it is made of every run"
    async with opened(busy) as page:
        assert await page.title() == "failed: outgoing · antiphon trace"
        assert await page.locator("#verdict").inner_text() == "failed"
        assert "startNewOutInteraction" in await page.locator("#failure summary").inner_text()
        assert "in the step outbound_call('busy')" in await page.locator("#failure pre").inner_text()
        assert "waited" in await chosen(page)
        assert "RequestRefused" in await chosen(page)
        failing = page.locator(".row.failing")
        assert await failing.count() == 1
        assert await failing.evaluate(
            "row => { const {top, bottom} = row.getBoundingClientRect(); return top > 0 && bottom < innerHeight }"
        )
        assert await page.locator(".bar.failed").count() == 1
        assert await page.locator(".bracket.failed").count() == 1
        await page.locator("#details").get_by_role("button", name="resultStartNewOutInteraction").first.click()
        assert "busy: the line is busy" in await page.locator("#details .tree").inner_text()


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("xfailed", "No failure of its test (xfailed): "), ("failed", "startNewOutInteraction")],
)
async def test_the_test_that_made_the_run_has_the_verdict(
    busy: Path, tmp_path: Path, opened: Callable[..., Any], outcome: Any, told: str
) -> None:
    shutil.copy(busy / "journal.jsonl", tmp_path)
    writer = JournalWriter(tmp_path / "journal.jsonl", is_begun=True)
    writer(journal.TestEnded(at_ns=1, test="test_a.py::test_busy", outcome=outcome))
    writer.close()
    async with opened(tmp_path) as page:
        assert await page.title() == f"{outcome}: outgoing · antiphon trace"
        assert await page.locator("#verdict").inner_text() == outcome
        summary = await page.locator("#failure summary").inner_text()
        assert told in summary
        assert "startNewOutInteraction" in summary
        facts = await page.locator("#facts").inner_text()
        assert "of the test test_a.py::test_busy" in facts
        assert ("the run itself: failed" in facts) is (outcome != "failed")
        assert f"{outcome}: the test test_a.py::test_busy" in await page.locator("#canvas").inner_text()
        is_mild = "mild" in (await page.locator("#failure").get_attribute("class")).split()
        assert is_mild is (outcome != "failed")


async def test_what_happened_is_there_in_its_order(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation, height=1400) as page:
        await page.keyboard.press("h")
        text = await page.locator("#canvas").inner_text()
        for told in (
            *("desk is open", "POST /login", "outbound_call", "dial", "record = {'state': 'x'}", "signal seated"),
            "timer delivery",
            *(
                "the event loop was blocked",
                "desk stderr",
                "warning: low, and 1 more line",
                "3 older messages fell out",
                "soft check: greeting",
                "closed by the server with 1001",
            ),
        ):
            assert told in text, told
        heads = await page.locator(".head").all_inner_texts()
        assert [head.split("\n")[0] for head in heads] == ["alice", "bob", "centre:1"]
        ping, reply = page.locator(".row:has-text('ping')").first, page.locator(".row:has-text('resultNewCall')")
        assert "answer_ping" in await ping.inner_text()
        assert "2.0 ms" in await reply.inner_text()
        step = page.get_by_role("option", name="accept")
        assert await step.get_attribute("aria-expanded") == "true"


# -- one message ------------------------------------------------------------------------------------------------------


async def test_a_message_tells_all_that_is_known_of_it(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation) as page:
        details = page.locator("#details")
        await page.locator(".row.message", has_text="resultNewCall").click()
        told = await details.inner_text()
        assert "centre:1 → alice" in told
        assert "0.006000 s (0.009 s of the run, 07:41:44.009 UTC)" in told
        assert "the reply to newCall" in told
        assert "12345678901234567890" in told, "a long number is not rounded"
        await details.get_by_role("button", name="Raw").click()
        assert '"id": 12345678901234567890' in await details.locator("pre.raw").inner_text()
        await details.get_by_role("button", name="newCall", exact=True).click()
        assert "newCall" in await chosen(page)
        assert "after 2.0 ms" in await details.inner_text()
        assert "resultNewCall" in await page.locator(".row.related").inner_text()
        await page.keyboard.press("r")
        assert "resultNewCall" in await chosen(page)


async def test_a_message_that_nobody_took_tells_why(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation) as page:
        await page.locator(".row.message", has_text="newState").click()
        assert "state is 'offered', wanted 'connected'" in await page.locator("#details").inner_text()
        await page.locator("#details .reasons button").click()
        told = await page.locator("#details").inner_text()
        assert "What came instead" in told
        assert "state is 'offered', wanted 'connected'" in told


async def test_headers_of_an_opening_and_a_request(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation, "#L2") as page:
        assert "X-Seat" in await page.locator("#details").inner_text()
        await page.goto(f"{page.url.partition('#')[0]}#L4")
        await expect(page.locator("#details")).to_contain_text("X-Served-By")
        assert '"user": "alice"' in await page.locator("#details").inner_text()


async def test_of_a_binary_message_what_its_dialect_read_is_shown(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path / "consult", "alice")
    book.say("alice", "order", {"number": 7, "text": "seven"}, raw=b"\x82\xa6number\x07\xff")
    book.say("alice", "dump", {"text": "x" * 20_000}, raw=b"\x82" + b"\x00" * 200_000)
    async with opened(book.close()) as page:
        order = page.locator(".row", has_text="order")
        await expect(order).to_contain_text("text=seven number=7")
        assert "KiB, folded" in await page.locator(".row", has_text="dump").inner_text()
        await order.click()
        await expect(page.locator("#details")).to_contain_text('"seven"')
        await page.get_by_role("button", name="Raw").click()
        await expect(page.locator("#details")).to_contain_text("000000  82 a6 6e")


async def test_a_large_body_stays_folded_until_it_is_opened(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path, "alice")
    rows = [{"id": number, "text": "x" * 1000} for number in range(LARGE_BYTES // 1000)]
    rows[4000]["text"] = "the needle"
    book.say("alice", "dump", rows)
    book.say("alice", "blob", raw=bytes(range(256)) * 1000)
    async with opened(book.close()) as page:
        assert "MiB, folded" in await page.locator(".row", has_text="dump").inner_text()
        await page.locator(".row", has_text="dump").click()
        details = page.locator("#details")
        assert await details.locator(".tree").count() == 0
        await details.get_by_role("button", name="Open it").click()
        await details.get_by_label("Find in this body").fill("NEEDLE")
        assert "the needle" in await details.locator(".hit").inner_text()
        assert await details.locator(".found").inner_text() == "1 of 1"
        await page.locator(".row", has_text="blob").click()
        assert "000010  10 11 12 13" in await details.locator("pre.raw").inner_text()


async def test_the_body_is_copied_as_it_was_said(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation) as page:
        await page.locator(".row.message", has_text="newCall").first.click()
        await page.keyboard.press("c")
        await expect(page.locator("#details .copy")).to_have_text("Copied")
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert json.loads(copied) == {"action": "newCall", "data": {"to": "89"}}


# -- finding one's way ------------------------------------------------------------------------------------------------


async def test_filters(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation) as page:
        count_of = page.locator("#count")
        everything = ["POST /login", "newCall", "resultNewCall", "newState", *["ping", "pong"] * 3]
        heartbeats = page.get_by_role("button", name="Heartbeats 6")
        assert await heartbeats.get_attribute("aria-pressed") == "false"
        await heartbeats.click()
        assert await names(page) == everything
        await heartbeats.click()
        assert await names(page) == ["POST /login", "newCall", "resultNewCall", "newState"]
        assert await count_of.inner_text() == "3 of 9 messages"

        await page.locator("#search").fill("здрав")  # what was said has it as \u0417\u0434…
        await expect(count_of).to_have_text("1 of 9 messages")
        assert await names(page) == ["newState"]
        assert await page.locator(".row.step").all_inner_texts() != [], "with the step that it belongs to"
        await page.locator("#search").fill("nothing has this")
        await expect(page.locator(".row")).to_have_count(0)
        await page.locator("#search").press("Escape")
        assert await names(page) == ["POST /login", "newCall", "resultNewCall", "newState"]

        await page.get_by_role("button", name="bob").click()
        assert await names(page) == ["POST /login", "newCall", "resultNewCall"]
        assert [head.split("\n")[0] for head in await page.locator(".head").all_inner_texts()] == ["alice", "centre:1"]
        await page.get_by_role("button", name="bob").click(modifiers=["Shift"])
        assert await names(page) == ["newState"]
        await page.get_by_role("button", name="alice").click()

        await page.get_by_role("button", name="Names").click()
        await page.get_by_role("checkbox", name="newCall 1", exact=True).uncheck()
        assert "newCall" not in await names(page)
        await page.get_by_role("checkbox", name="ping").check()
        assert (await names(page)).count("ping") == 3
        await page.get_by_role("button", name="All", exact=True).click()
        assert await names(page) == everything


async def test_what_a_protocol_says_by_itself_is_shown_on_demand(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path / "mqtt", "alice")
    book.say("alice", "CONNACK", raw=b"\x20\x02\x00\x00", is_protocol=True)
    book.say("alice", "news")
    async with opened(book.close()) as page:
        assert await names(page) == ["news"]
        assert await page.locator("#count").text_content() == "1 message"
        await page.get_by_role("button", name="Protocol 1").click()
        assert await names(page) == ["CONNACK", "news"]
        await page.locator(".row.message").first.click()
        assert "untaken" not in (await page.locator(".row.message").first.get_attribute("class") or "")
        assert "said bythe protocol itself" in (await page.locator("#details").text_content() or "")
        await page.keyboard.press("p")
        assert await names(page) == ["news"]


async def test_how_a_channel_was_opened_again_is_shown(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path / "gap", "alice")
    alice = {"actor": "alice", "channel": "desk"}
    book.add(journal.ChannelEnded, **alice, code=1006, reason="", by="wire")
    book.add(journal.ChannelReopening, **alice, attempt=1, in_ns=500_000_000)
    book.add(
        journal.ChannelReopening, **alice, attempt=2, in_ns=1_000_000_000, error="<b>nobody</b>", took_ns=3_000_000
    )
    book.add(journal.ChannelOpened, **alice, address="ws://centre:1/desk", headers={})
    book.add(journal.ChannelReopened, **alice, attempt=2, away_ns=1_503_000_000)
    book.add(journal.ChannelReopening, **alice, attempt=3, in_ns=None, error="refused: 403")
    async with opened(book.close()) as page:
        rows = [text for text in await page.locator(".row").all_inner_texts() if "again" in text or "given up" in text]
        told = [" ".join(text.split()) for text in rows]
        assert any("desk is to be opened again, attempt 1 in 500 ms" in text for text in told)
        assert any("desk is to be opened again, attempt 2 in 1.000 s: <b>nobody</b>" in text for text in told)
        assert any("desk is open again by attempt 2, after 1.503 s" in text for text in told)
        assert any("desk is given up after attempt 3: refused: 403" in text for text in told)
        await page.locator(".row", has_text="attempt 2 in").click()
        await expect(page.locator("#details")).to_contain_text("the one before took")
        await expect(page.locator("#details")).to_contain_text("<b>nobody</b>")
        await page.locator(".row", has_text="is open again").click()
        await expect(page.locator("#details")).to_contain_text("was away for")


async def test_steps_fold_and_waits_show(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation) as page:
        await page.locator(".row.step", has_text="outbound_call").locator(".fold").click()
        assert "newCall" not in await names(page)
        assert await page.locator(".row.step", has_text="dial").count() == 0
        await page.keyboard.press("w")
        await page.locator(".row.step", has_text="outbound_call").locator("b").click()
        await page.keyboard.press("Space")
        assert "waited 2.0 ms for the reply to newCall" in await page.locator(".row.wait.satisfied").inner_text()
        await page.keyboard.press("s")
        assert await page.locator(".row.message").count() == 0
        assert await page.locator(".row.step").count() == 3


async def test_keys(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation) as page:
        assert "waited" in await chosen(page)
        await page.keyboard.press("k")
        before = await chosen(page)
        await page.keyboard.press("j")
        assert "DeadlinePassed" in await chosen(page)
        assert before != await chosen(page)
        await page.keyboard.press("f")
        assert "accept()" in await chosen(page), "the next thing that is wrong"
        await page.keyboard.press("Home")
        assert "desk is open" in await chosen(page)
        await page.keyboard.press("]")
        assert "outbound_call" in await chosen(page)
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "details"
        await page.keyboard.press("Escape")
        assert await page.locator("#details").is_hidden()
        assert await page.evaluate("document.activeElement.id") == "scroller"
        await page.keyboard.press("/")
        await page.keyboard.type("jjj?f")
        assert await page.locator("#search").input_value() == "jjj?f", "keys are letters there"
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        assert await page.get_by_role("dialog", name="Keys and signs").is_visible()
        await page.keyboard.press("Escape")
        assert await page.get_by_role("dialog").count() == 0
        await page.keyboard.press("h")
        await page.locator(".row.message", has_text="ping").first.click()
        await page.keyboard.press("x")
        assert "ping" not in await names(page)
        assert "pong" in await names(page)


# -- size -------------------------------------------------------------------------------------------------------------


async def test_a_hundred_thousand_messages(
    tmp_path: Path, long_journal: Callable[[Path, int], Path], opened: Callable[..., Any]
) -> None:
    directory = long_journal(tmp_path, 100_000)
    async with opened(directory) as page:
        await expect(page.locator("#count")).to_have_text(re.compile(r"^\d\d,\d{3} of 100,000 messages$"))
        assert "ping" not in await names(page)
        await page.keyboard.press("h")
        assert await page.locator("#count").inner_text() == "100,000 messages"
        scroller = page.locator("#scroller")
        height = await scroller.evaluate("scroller => scroller.scrollHeight")
        seen = set()
        for part in range(1, 6):
            await scroller.evaluate("(scroller, top) => { scroller.scrollTop = top }", height * part // 6)
            await drawn(page)
            assert await page.evaluate(
                """() => {
                    const {top, bottom} = document.getElementById('scroller').getBoundingClientRect();
                    const seen = [...document.querySelectorAll('.row')].filter(row => {
                        const place = row.getBoundingClientRect();
                        return place.bottom > top && place.top < bottom;
                    });
                    return seen.length > 25;
                }"""
            ), "the window is full of lines"
            assert await page.locator(".row").count() < 120, "only what can be seen is in the document"
            assert await page.locator(".bar, .bracket").count() < 200
            seen.add(await page.locator(".row").last.inner_text())
        assert len(seen) == 5
        await page.keyboard.press("End")
        assert "passed after" in await chosen(page)


# -- what it survives -------------------------------------------------------------------------------------------------

HARM = "window.harm = 1"
HOSTILE = [
    f"</script><script>{HARM}</script>",
    f"<!--<script>{HARM}</script>",
    f'<img src="x" onerror="{HARM}">',
    f"javascript:{HARM}",
    "../../etc/passwd",
    "\x00\x1b[31m\x07\r\n",
    "line\u2028paragraph\u2029",
    "right \u202eto left\u202c",
    "שלום",
    "__proto__",
    "",
]


async def test_hostile_content(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path, *HOSTILE[:4], "alice")
    for text in HOSTILE:
        book.step(len(text) + 1, "alice", text)
        book.wait("alice", text, len(text) + 1, where={text: text})
        book.say("alice", text, raw=text, reply_to=text)
        book.say(HOSTILE[0], text, {text: [text, {text: text}]}, step=len(text) + 1, asks=text)
        book.add(journal.Note, text=text)
        book.end_step(len(text) + 1, "failed", text)
    book.say("alice", "binary", raw=bytes(range(256)))
    book.say("alice", "half a letter", raw='{"text": "\\ud800"}')
    book.say("alice", "deep", raw="[" * 100_000)
    book.say("alice", "no JSON", raw='{"a": 01, "b"')
    async with opened(book.close("error", HOSTILE[0])) as page:
        rows = await page.evaluate("document.querySelector('.row').ariaSetSize")
        for _ in range(int(rows)):
            await page.keyboard.press("j")
        details = page.locator("#details")
        await page.keyboard.press("Home")
        await page.locator(".row.message", has_text="binary").click()
        assert "0000f0  f0 f1" in await details.locator("pre.raw").inner_text()
        await page.locator(".row.message", has_text="half a letter").click()
        assert '"\\ud800"' in await details.locator(".tree").inner_text()
        await page.locator(".row.message", has_text="deep").click()
        assert (await details.locator("pre.raw").inner_text()).startswith("[[[[")
        shown = await page.locator("#canvas").inner_text()
        assert "\u202e" not in shown
        assert "\x1b" not in shown
        await page.get_by_role("button", name="Names").click()
        assert await page.locator("#names-list li").count() == len(HOSTILE) + 4


async def test_a_run_that_was_killed(consultation: Path, opened: Callable[..., Any]) -> None:
    path = consultation / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:16]) + b'{"kind":"what is this","at_ns":99}\nno entry\n' + lines[16][:30])
    async with opened(consultation) as page:
        assert await page.locator("#verdict").inner_text() == "unfinished"
        assert "its journal has no end" in await page.locator("#failure").inner_text()
        assert "was still waiting for newState" in await chosen(page)
        assert "line 18 of the journal cannot be read" in await page.locator("#canvas").inner_text()


async def test_a_request_that_was_under_way_when_the_run_was_killed(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path / "killed", "alice")
    request = {"method": "POST", "url": "http://centre:1/login", "request_headers": {}, "request_body": '{"pin": "12"}'}
    for number in (1, 2):
        begun = journal.HttpRequested(at_ns=number, actor="alice", channel="api", step=0, number=number, **request)
        book._write(begun)
        if number == 1:
            answered = begun.exchange()
            answered.status = 200
            book._write(answered)
    async with opened(book.close("")) as page:
        rows = page.locator(".row.http")
        assert await rows.count() == 2
        assert "the journal ends before it was answered" in await rows.nth(1).inner_text()
        assert await page.locator(".row.note").count() == 0
        await rows.nth(1).click()
        assert "pin" in await page.locator("#details").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read(consultation: Path, opened: Callable[..., Any], scheme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1."""
    async with opened(consultation, scheme=scheme) as page:
        colours = await page.evaluate(
            """names => Object.fromEntries(names.map(name => {
                const probe = document.createElement('i');
                document.body.append(probe);
                probe.style.color = `var(--${name})`;
                const found = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
                probe.remove();
                return [name, found];
            }))""",
            [*INKS, *GROUNDS],
        )
        assert (sum(colours["bg"]) > 384) == (scheme == "light")
        weak = [
            (ink, ground, round(contrast(colours[ink], colours[ground]), 2))
            for ground, inks in GROUNDS.items()
            for ink in inks
            if contrast(colours[ink], colours[ground]) < 4.5
        ]
        assert weak == []
        await page.keyboard.press("t")
        assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") != scheme


INKS = ("text", "dim", "sent", "received", "good", "bad", "mild", "key", "string", "number", "word")
GROUNDS = {
    "bg": INKS,
    "panel": ("text", "dim", "sent", "good", "bad", "mild"),
    "raised": ("text", "dim", "sent"),
    "hover": ("text", "dim", "sent", "received", "bad", "mild"),
    "chosen": ("text", "sent", "received", "bad", "mild"),
    "bad-bg": ("text", "bad"),
    "mild-bg": ("text", "mild"),
    "related": ("text", "sent", "received", "bad"),
}


def contrast(one: list[int], other: list[int]) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: list[int]) -> float:
    parts = [part / 255 for part in colour[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def test_it_is_usable_on_a_narrow_screen(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation, width=700) as page:
        diagram, details = page.locator("#diagram"), page.locator("#details")
        above, below = await diagram.bounding_box(), await details.bounding_box()
        assert above["y"] + above["height"] <= below["y"] + 1
        assert above["height"] > 150
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.locator(".row.message", has_text="newState").click()
        assert await page.locator("#details .tree").is_visible()


# -- what the page and the other reports must agree in ----------------------------------------------------------------


def is_ready(body: Any) -> bool:
    return bool(body)


WHERES: list[Any] = [
    None,
    {"id": 12345678901234567890, "n": -1.5, "t": True, "none": None, "call": {"parties": [{"role": "agent"}, 2]}},
    {"text": 'it\'s "quoted" \\ and\u2028 broken\n', "other": "it's", "tab": "\t", "\u00e9": "\u00e9\u00ad\U0001f600"},
    {"long": "ab" * 200, "more": "c" * 130, "kind": int, "set": {1, "a"}},
    is_ready,
    list[str],
    [1, "a", ...],
    {},
    {"x": "word " * 60},
]


async def test_a_wait_is_told_in_the_same_words_everywhere(tmp_path: Path, opened: Callable[..., Any]) -> None:
    written = journal.Journal()
    written.attach(JournalWriter(tmp_path / "journal.jsonl"))
    awaited: list[dict[str, Any]] = [{"awaits": "message", "name": "state", "where": where} for where in WHERES]
    awaited += [{"awaits": "message", "name": ("a", "b", "c")}, {"awaits": "absence", "name": ("a", "b"), "where": {}}]
    awaited += [{"awaits": "absence", "where": {"id": 1}}, {"awaits": "reply", "name": "a\nb" * 60}]
    awaited += [
        {"awaits": "close"},
        {"awaits": "close", "code": 1000},
        {"awaits": "until", "name": "is_ready", "place": "calls.py:3"},
        {"awaits": "until"},
    ]
    awaited += [{"awaits": "signal", "name": "it's"}, {"awaits": "signal", "name": "rung", "times": 3}]
    for number, about in enumerate(awaited):
        place: dict[str, Any] = {"actor": "alice", "channel": "desk", "step": 0, "deadline_ns": None, "source": ""}
        written.record(journal.WaitStarted(at_ns=number, number=number, **place, **about))
    lines = (tmp_path / "journal.jsonl").read_text().rstrip("\n").split("\n")
    async with opened(tmp_path) as page:
        assert await page.evaluate("lines => lines.map(awaitedTold)", lines) == [
            entry.what for entry in written.entries
        ]


async def test_a_step_is_told_in_the_same_words_everywhere(tmp_path: Path, opened: Callable[..., Any]) -> None:
    written = journal.Journal()
    written.attach(JournalWriter(tmp_path / "journal.jsonl"))
    given = [[journal.Argument(where) for where in WHERES if where is not is_ready], [], [journal.Argument("a" * 121)]]
    given += [[journal.Argument({"$shown": "fetch, 'x'"}), journal.Argument([1.0, {"it's": (1, None)}], "named")]]
    for number, arguments in enumerate(given, 1):
        place: dict[str, Any] = {"number": number, "parent": 0, "actor": "", "action": "work", "source": ""}
        written.record(journal.StepStarted(at_ns=number, arguments=arguments, **place))
    lines = (tmp_path / "journal.jsonl").read_text().rstrip("\n").split("\n")
    async with opened(tmp_path) as page:
        assert await page.evaluate("lines => lines.map((line) => `work(${argumentsTold(line)})`)", lines) == [
            entry.title for entry in written.entries
        ]
        shown = await page.locator(".row.step .arguments").all_inner_texts()
        assert shown[-1] == "(fetch, 'x', named=[1.0, {\"it's\": (1, None)}])"


async def test_where_a_message_does_not_fit_is_told_by_the_plain_fields(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    book = Book(tmp_path, "alice")
    where = {"n": 12345678901234567890, "who": {"name": "bob"}, "t": True, "id": {"$pattern": "any int"}, "gone": "x"}
    wait = book.wait("alice", "state", 0, where=where)
    body = {"n": 12345678901234567891, "who": {"name": "bo"}, "t": 1, "id": "x"}
    book.say("alice", "state", body)
    book.end_wait(wait, "failed", error="DeadlinePassed")
    book.close("failed", "no")
    async with opened(book.directory) as page:
        await page.locator(".row.message", has_text="state").click()
        told = await page.locator("#details .reasons").inner_text()
    for line in (
        "n is 12345678901234567891, wanted 12345678901234567890",
        "who.name is 'bo', wanted 'bob'",
        "t is 1, wanted True",
        "it has no field gone, wanted 'x'",
    ):
        assert line in told
    assert "any int" not in told


def wander(directory: Path, random: Random) -> Book:
    """Whatever may happen, in any order: nested steps of two actors, waits, messages, handlers that answer and fail."""
    book = Book(directory, "alice", "bob")
    steps: list[tuple[int, str]] = []
    waits: list[tuple[int, str]] = []
    for number in range(1, 400):
        actor = random.choice(["alice", "bob"])
        match random.randrange(9):
            case 0:
                who = random.choice([actor, ""])
                book.step(number, who, "act", parent=random.choice([0, *(step for step, _ in steps)]))
                steps.append((number, who))
            case 1 if steps:
                book.end_step(steps.pop(random.randrange(len(steps)))[0])
            case 2 | 3:
                name, step = random.choice(["state", "news", None]), random.choice([0, *(step for step, _ in steps)])
                waits.append((book.wait(actor, name, step, random.choice(["message", "absence"])), actor))
            case 4 if waits:
                book.end_wait(waits.pop(random.randrange(len(waits)))[0], random.choice(["satisfied", "failed"]))
            case 5 if steps:
                book.say(actor, "call", step=random.choice(steps)[0])
            case _:
                heard = book.say(actor, random.choice(["state", "news"]))
                if random.random() < 0.4:
                    for _ in range(random.randrange(3)):
                        book.say(actor, "pong")
                    error = random.choice(["", "ValueError"])
                    place = {"actor": actor, "channel": "desk", "message": heard, "handler": "hear", "took_ns": 1}
                    book.add(journal.Handled, **place, error=error)
                mine = [wait for wait in waits if wait[1] == actor]
                if mine and random.random() < 0.6:
                    taken = random.choice(mine)
                    waits.remove(taken)
                    book.end_wait(taken[0], message=heard)
    return book


@pytest.mark.parametrize("seed", range(5))
async def test_a_message_stands_under_the_same_step_everywhere(
    seed: int, tmp_path: Path, opened: Callable[..., Any]
) -> None:
    directory = wander(tmp_path, Random(seed)).close()
    entries = list(read_journal(directory / "journal.jsonl"))
    by_reports = {
        (entry.actor, entry.is_sent, entry.number): step
        for entry, step in placed(entries)
        if isinstance(entry, WrittenMessage)
    }
    assert len(set(by_reports.values())) > 10
    async with opened(directory) as page:
        items = await page.evaluate(
            """text => new Story(new Lines([text])).items.filter(item => item.kind === 'message').map(item => {
                let depth = 0;
                for (let home = item.home; home; home = home.parent) depth += 1;
                return [item.actor.name, item.isSent, item.number, item.home ? item.home.number : 0, depth];
            })""",
            (directory / "journal.jsonl").read_text(),
        )
    assert {(actor, is_sent, number): step for actor, is_sent, number, step, _ in items} == by_reports
    lines: list[str] = []
    conversation = Conversation(lambda line: lines.append(line.plain))
    for entry in entries:
        conversation(entry)
    conversation.flush()
    columns = [min(line.find(sign) % 1000 for sign in "→←") for line in lines if re.search("[→←]", line)]
    assert [(column - min(columns)) // 2 for column in columns] == [depth for *_, depth in items]


KEPT = (1, 2, 5, 13, 34, 89)


@pytest.fixture
def cut_short(tmp_path: Path) -> list[Path]:
    """Journals of conversations under load, of which only the last was kept: each begins somewhere else."""
    directories = [tmp_path / str(keep) for keep in KEPT]
    for keep, directory in zip(KEPT, directories, strict=True):
        directory.mkdir()
        conversed(everything, 1, directory, keep=keep)
    return directories


async def test_of_a_conversation_that_was_kept_the_end_is_shown(
    cut_short: list[Path], opened: Callable[..., Any]
) -> None:
    for directory in cut_short:
        async with opened(directory) as page:
            text = await page.locator("#canvas").inner_text()
            assert "earlier entries are not kept" in text
            assert re.search(r"failed after|passed after", text)
