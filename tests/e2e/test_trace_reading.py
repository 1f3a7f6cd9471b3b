"""What a reader of a failed run looks for in its trace: where, whose, when, what came instead, and on any screen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import MARKS, expect
from tests.e2e.test_trace import Book, consultation, names, opened

from antiphon import journal

__all__ = ["consultation", "opened"]

pytestmark = [*MARKS, pytest.mark.slow]

SIZES = [(390, 844), (820, 1000), (1280, 800)]


@pytest.fixture
def branches(tmp_path: Path) -> Path:
    """Alice calls, in two steps in each other, while bob gets ready beside her."""
    book = Book(tmp_path / "branches", "alice", "bob")
    book.step(1, "", "together")
    book.step(2, "alice", "call", parent=1)
    book.step(3, "bob", "be_ready", parent=1)
    book.step(4, "alice", "dial", parent=2)
    book.say("alice", "dial", {"to": "89"}, step=4)
    book.say("bob", "setReady", {"skill": "sales"}, step=3)
    book.now_ns += 2_000_000_000
    book.say("alice", "busy")
    for step in (4, 3, 2, 1):
        book.end_step(step)
    return book.close()


async def left_of(page: Any, text: str) -> float:
    place = await page.locator(".row.step .title", has_text=text).bounding_box()
    return float(place["x"])


async def test_branches_are_side_by_side_and_what_is_in_a_step_is_inside(
    branches: Path, opened: Callable[..., Any]
) -> None:
    async with opened(branches) as page:
        together, call, dial, beside = [await left_of(page, name) for name in ("together", "call", "dial", "be_ready")]
        indent = call - together
        assert indent > 0
        assert dial - call == pytest.approx(indent)
        assert beside > dial, "a lane of its own, behind all that is in the other"
        assert await page.locator(".lane").count() == 2


async def test_a_hundred_branches_leave_room_for_what_was_said(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path, "alice")
    for number in range(1, 101):
        book.step(number, "alice", f"branch{number}")
    book.say("alice", "news")
    for number in range(1, 101):
        book.end_step(number)
    async with opened(book.close(), "#L103") as page:
        label = await page.locator(".row", has_text="news").locator(".name").bounding_box()
        assert label["x"] < 700
        assert await page.locator("#scroller").evaluate("it => it.scrollWidth <= it.clientWidth")


async def test_an_arrow_says_whose_it_is_where_there_are_several(
    branches: Path, tmp_path: Path, opened: Callable[..., Any]
) -> None:
    async with opened(branches) as page:
        assert await page.locator(".row", has_text="setReady").locator(".whose").inner_text() == "bob"
    book = Book(tmp_path / "alone", "alice")
    book.say("alice", "news")
    async with opened(book.close()) as page:
        assert await page.locator(".whose").count() == 0


async def test_the_nearest_message_is_marked_joined_and_told_field_by_field(
    consultation: Path, opened: Callable[..., Any]
) -> None:
    async with opened(consultation) as page:
        nearest = page.locator(".row.nearest")
        assert await nearest.count() == 1
        assert "state is 'offered', wanted 'connected'" in await nearest.inner_text()
        join, row = await page.locator(".join").bounding_box(), await nearest.bounding_box()
        wait = await page.locator(".row.failing").bounding_box()
        assert row["y"] <= join["y"] <= row["y"] + row["height"]
        assert wait["y"] <= join["y"] + join["height"] <= wait["y"] + wait["height"]
        table = page.locator("#details table.misfits")
        assert (await table.inner_text()).split() == ["field", "got", "wanted", "state", "'offered'", "'connected'"]

        await page.locator("#details").get_by_role("button", name="newState").first.click()
        differing = page.locator("#details .leaf.differs")
        assert await differing.count() == 1
        assert '"state": "offered"' in await differing.inner_text()
        assert "wanted 'connected'" in await differing.inner_text()
        assert await page.locator("#details table.misfits").count() == 1


async def test_what_shares_no_field_that_was_wanted_is_not_called_near(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    book = Book(tmp_path, "alice")
    book.say("alice", "ping", {"state": "connected"})
    book.step(1, "alice", "accept")
    wait = book.wait("alice", "newState", 1, where={"state": "connected"})
    book.say("alice", "other", {"state": "offered"})
    book.end_wait(wait, "failed", error="DeadlinePassed")
    book.end_step(1, "failed", "DeadlinePassed")
    async with opened(book.close("failed", "it did not come")) as page:
        assert await page.locator(".row.nearest, .join").count() == 0


async def test_heartbeats_are_hidden_also_in_a_run_that_failed(
    consultation: Path, tmp_path: Path, opened: Callable[..., Any]
) -> None:
    async with opened(consultation) as page:
        assert "ping" not in await names(page)
        assert await page.get_by_role("button", name="Names", exact=True).count() == 1, "no name was hidden by hand"
    book = Book(tmp_path / "alive", "alice")
    for seq in range(3):
        book.say("alice", "ping", {"seq": seq})
    async with opened(book.close()) as page:
        assert await names(page) == ["ping"] * 3, "there is nothing else"


async def test_a_heartbeat_that_is_to_be_shown_is(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path, "alice")
    ping = book.say("alice", "ping")
    book.say("alice", "news")
    book.add(
        journal.Handled, actor="alice", channel="desk", message=ping, handler="answer", took_ns=5, error="KeyError: 1"
    )
    async with opened(book.close("error", "the handler answer raised")) as page:
        assert "ping" not in await names(page)
        await page.locator("#details").get_by_role("button", name="ping").click()
        assert "ping" in await names(page)


async def test_the_failure_is_told_once(consultation: Path, opened: Callable[..., Any]) -> None:
    async with opened(consultation, height=1400) as page:
        assert "bob.desk waited 5 s for newState" in await page.locator("#failure summary").inner_text()
        assert "bob.desk waited" not in await page.locator("#main").inner_text()
        assert "DeadlinePassed" not in await page.locator(".row.step.failed").inner_text()
        assert await page.locator("#canvas").get_by_text("DeadlinePassed").count() == 1, "where it happened"


async def test_times_count_from_when_the_actors_were_there(tmp_path: Path, opened: Callable[..., Any]) -> None:
    book = Book(tmp_path, "alice", "bob")
    book.now_ns = 2_000_000_000
    book.add(journal.ChannelOpened, actor="bob", channel="more", address="ws://centre:1/more", headers={})
    book.step(1, "alice", "call")
    book.end_step(1)
    async with opened(book.close()) as page:
        at = await page.locator(".row > .at").all_inner_texts()
        assert at == ["−1.999", "−1.998", "0.000", "0.001", "0.003"]
        assert "the actors were there after 2.001 s" in await page.locator("#facts").inner_text()


async def test_the_strip_shows_true_time_and_leads_there(branches: Path, opened: Callable[..., Any]) -> None:
    async with opened(branches) as page:
        strip = page.locator("#strip")
        inked = """(strip, [from, to]) => {
            const {width, height} = strip;
            const copy = Object.assign(document.createElement('canvas'), {width, height});
            const pen = copy.getContext('2d', {willReadFrequently: true});
            pen.drawImage(strip, 0, 0);
            const {data} = pen.getImageData(from * width, 2, (to - from) * width, height - 10);
            const first = data.slice(0, 4).join();
            return data.some((_, index) => index % 4 === 0 && data.slice(index, index + 4).join() !== first);
        }"""
        assert await strip.evaluate(inked, [0.0, 0.1]), "what was said at the beginning"
        assert not await strip.evaluate(inked, [0.1, 0.4]), "and then nothing for long"
        box = await strip.bounding_box()
        await strip.click(position={"x": box["width"] * 0.5, "y": 10})
        chosen = page.locator('.row[aria-selected="true"]')
        await expect(chosen).to_contain_text("busy")
        assert await strip.evaluate(inked, [0.95, 1.0]), "where one is"


async def test_the_authors_line_stands_at_steps_and_waits(tmp_path: Path, opened: Callable[..., Any]) -> None:
    source = tmp_path / "calls.py"
    source.write_text(
        "import antiphon\n\n    await self.dial(to='89', password='s3cret-word')\n    await self.expect('x')\n"
    )
    os.utime(source, (1, 1))
    book = Book(tmp_path / "run", "alice")
    for number, line, arguments in ((1, 3, []), (2, 4, [{"name": "pin", "value": "***"}])):
        book.add(
            journal.StepStarted,
            number=number,
            parent=0,
            actor="alice",
            action=f"deed{number}",
            source=f"{source}:{line}",
            arguments=arguments,
        )
        book.end_step(number)
    async with opened(book.close()) as page:
        await page.locator(".row.step", has_text="deed1").click()
        assert await page.locator("#details pre.source").inner_text() == "await self.dial(to='89', password='***')"
        await page.locator(".row.step", has_text="deed2").click()
        assert await page.locator("#details pre.source").count() == 0, "a secret may be written down there"
        assert "s3cret-word" not in await page.content()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read_on_any_screen(
    consultation: Path, opened: Callable[..., Any], width: int, height: int, scheme: str
) -> None:
    async with opened(consultation, width=width, height=height, scheme=scheme) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.locator("#scroller").evaluate("it => it.scrollWidth - it.clientWidth") <= 0 or width > 560
        failing = await page.locator(".row.failing").bounding_box()
        scroller = await page.locator("#scroller").bounding_box()
        assert scroller["y"] <= failing["y"] <= scroller["y"] + scroller["height"] - failing["height"]
        assert scroller["height"] > 8 * failing["height"], "there is room for what was said"
        label = await page.locator(".row.nearest .label .name").bounding_box()
        assert label["x"] >= 0
        assert label["x"] + label["width"] <= width
        assert label["width"] > 20
        details = await page.locator("#details").bounding_box()
        assert details["y"] + 100 <= height
        await page.locator("#details").get_by_role("button", name="Close the details").click()
        assert await page.locator("#details").is_hidden()
        await page.get_by_role("button", name="Heartbeats 6").click()
        assert json.dumps(await names(page)).count("ping") == 3
