"""The page of a load in a real browser: what it shows, on which screens, and that it stays quick."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browsing import MARKS, expect, looking_at
from load_records import HOSTILE, LoadBook, write_record

from antiphon.conversation.wording import visible
from antiphon.journal import RunEnded, RunStarted
from antiphon.journal.figures import (
    Audit,
    ConversationKept,
    LoadEnded,
    LoadStarted,
    PartFigures,
    Second,
    SeriesFigures,
)
from antiphon.journal.file import JournalWriter
from antiphon.journal.histogram import Histogram
from antiphon.report.load.reports import make_load_reports

pytestmark = [*MARKS, pytest.mark.slow]

SECTIONS = [
    *("What had to hold", "Beside the baseline", "Rate and conversations", "What was measured", "How long it took"),
    *("Where the time of a step goes", "Why conversations failed", "Conversations that were kept"),
    *("The generator itself", "Messages", "What was asked for"),
]
CHARTS = [
    *("Conversations a second", "Conversations at once", "Percentiles over time", "How they are spread"),
    *("Percentiles", "How often", "Failures in each 1 s", "CPU, % of a core", "How late the event loop was"),
    *("Conversations that began more than 50 ms late", "Memory", "Messages a second", "Bytes a second"),
]


@pytest.fixture(scope="module")
def page_of_load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A load that lost a process, beside one that was quicker; the first conversation that was kept has its journal."""
    home = tmp_path_factory.mktemp("runs")
    before = LoadBook().write(home / "before")
    book = LoadBook(seed=3, slower=1.3, loses_process=True)
    directory = book.write(home / "now")
    kept = directory / book.kept[0].directory
    kept.mkdir(parents=True)
    writer = JournalWriter(kept / "journal.jsonl")
    told = {"scenario": "outgoing", "parameters": {}, "actors": {}, "stand": "", "started_at": "2026-11-27T07:00:00Z"}
    writer(RunStarted(at_ns=0, **told, antiphon="0.1", python="3.11", pid=1))
    writer(RunEnded(at_ns=1, verdict="failed", error="why"))
    writer.close()
    (page,) = make_load_reports(directory, ["html"], baseline=before)
    return page


@pytest.fixture
def opened(tab: Any) -> Callable[..., Any]:
    """Opens a page; whatever it complains of or asks for fails the test."""

    @asynccontextmanager
    async def open_page(
        path: Path, *, width: int = 1200, height: int = 900, scheme: str = "light"
    ) -> AsyncIterator[Any]:
        async with looking_at(tab, path.as_uri(), width=width, height=height, scheme=scheme) as page:
            yield page

    return open_page


async def drawn(page: Any) -> None:
    """After what has changed is drawn."""
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
async def test_everything_is_there_on_every_screen(
    page_of_load: Path, opened: Callable[..., Any], width: int, scheme: str
) -> None:
    async with opened(page_of_load, width=width, scheme=scheme) as page:
        await drawn(page)
        assert await page.locator("main h2:visible").all_inner_texts() == SECTIONS
        assert await page.locator("nav a").all_inner_texts() == SECTIONS
        assert await page.locator("figcaption h3").all_inner_texts() == CHARTS
        assert await page.evaluate("document.documentElement.scrollWidth") == width, "nothing is beside the screen"
        # What is wider has a box of its own to scroll in, and none of it lies over anything else.
        wider = await page.evaluate(
            """() => [...document.querySelectorAll('main *')].filter(element => !element.closest('.scroll, svg'))
                .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
                .map(element => element.outerHTML.slice(0, 80))"""
        )
        assert wider == []
        sizes = await page.eval_on_selector_all(
            "figure svg", "all => all.map(svg => svg.getBoundingClientRect().width)"
        )
        assert len(sizes) == len(CHARTS)
        assert min(sizes) > 300
        lines = await page.eval_on_selector_all("figure svg path", "all => all.map(path => path.getAttribute('d'))")
        assert len(lines) > 20
        assert not any("NaN" in line or "Infinity" in line for line in lines)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("verdict", ["inconclusive", "failed", "passed"])
async def test_all_of_it_can_be_read(
    page_of_load: Path, tmp_path: Path, opened: Callable[..., Any], scheme: str, verdict: str
) -> None:
    """Text stands out from what is behind it: 4.5 to 1, as WCAG 2.2 has it (1.4.3)."""
    if verdict != "inconclusive":
        failing = 0.04 if verdict == "failed" else 0.008
        (page_of_load,) = make_load_reports(LoadBook(seconds=40, failing=failing).write(tmp_path / "load"), ["html"])
    async with opened(page_of_load, scheme=scheme) as page:
        assert await page.locator("#verdict").inner_text() == verdict.upper()
        await page.locator("details").first.evaluate("details => { details.open = true; }")
        faint = await page.evaluate(
            """() => {
                const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
                    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
                const parts = colour => colour.match(/[\\d.]+/g).map(Number);
                const behind = element => {
                    for (let at = element; at; at = at.parentElement) {
                        const found = parts(getComputedStyle(at).backgroundColor);
                        if (found.length === 3 || found[3] > 0) return found;
                    }
                    return [255, 255, 255];
                };
                return [...document.querySelectorAll('body *')].filter(element => element.checkVisibility()
                    && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
                    .filter(element => {
                        const style = getComputedStyle(element);
                        const ink = element.closest('svg') ? style.fill : style.color;
                        const [one, other] = [light(parts(ink)), light(behind(element))].sort((a, b) => b - a);
                        return (one + 0.05) / (other + 0.05) < 4.5;
                    }).map(element => element.outerHTML.slice(0, 100));
            }"""
        )
        assert faint == []


async def test_the_verdict_and_why(page_of_load: Path, opened: Callable[..., Any]) -> None:
    async with opened(page_of_load) as page:
        assert await page.title() == "inconclusive: busy_day · antiphon load"
        assert await page.locator(".badge:visible").all_inner_texts() == ["INCONCLUSIVE"]
        why = await page.locator("#why").inner_text()
        assert "process 1 was lost" in why
        assert "crossed: errors < 1%" in why
        facts = await page.locator("#facts").inner_text()
        assert "stand local · 2026-11-27 07:00:00 UTC · 2 min 10 s · seed 3 · 2 processes · on 4 cores" in facts
        overview = await page.locator("#overview").inner_text()
        assert re.search(r"at once, at most\s+\d{3}", overview)
        assert "91 s: process 1 was lost: it was killed by SIGKILL" in await page.locator("#rate").inner_text()
        assert "lost at 91 s" in await page.locator("#generator").inner_text()
        plan = await page.locator("#plan").inner_text()
        assert "feed phones.csv, order circular" in plan
        assert "begin 20, end 20, duration_s 120" in plan
        assert "null" not in plan
        assert "target" not in plan


async def test_a_load_that_passed_says_that_it_is_valid(tmp_path: Path, opened: Callable[..., Any]) -> None:
    (page_path,) = make_load_reports(LoadBook(seconds=20, failing=0.0).write(tmp_path / "load"), ["html"])
    async with opened(page_path) as page:
        assert await page.locator(".badge:visible").all_inner_texts() == ["PASSED", "VALID"]
        shown = await page.locator("main h2:visible").all_inner_texts()
        absent = {"Beside the baseline", "Why conversations failed", "Conversations that were kept"}
        assert set(shown) == set(SECTIONS) - absent
        assert await page.locator("#why").is_hidden()


async def test_a_step_is_chosen_and_the_charts_show_it(page_of_load: Path, opened: Callable[..., Any]) -> None:
    async with opened(page_of_load) as page:
        histogram = page.locator("figure", has_text="How they are spread")
        before = await histogram.inner_text()
        await page.locator(".steps").get_by_role("button", name="outbound_call").click()
        assert await page.locator("#series").input_value() == "outgoing/outbound_call"
        assert await page.locator("tr[aria-current=true]").inner_text() != ""
        await expect(histogram).not_to_have_text(before)
        curve = await page.locator("figure", has_text="Percentiles over time").locator("path").first.get_attribute("d")
        await page.locator("#log").check()
        again = await page.locator("figure", has_text="Percentiles over time").locator("path").first.get_attribute("d")
        assert curve != again
        await page.locator("#series").select_option("outgoing/hang_up/hangUp")
        assert "hangUp" in await page.locator("tr[aria-current=true]").inner_text()
        await page.locator("#part").select_option("long_case")
        assert "users asked for" in await page.locator("#rate").inner_text()


async def test_a_column_sorts_and_once_more_gives_the_order_back(
    page_of_load: Path, opened: Callable[..., Any]
) -> None:
    async with opened(page_of_load) as page:
        rows = page.locator(".steps tbody tr .named")
        order = await rows.all_inner_texts()
        head = page.locator(".steps").get_by_role("button", name="max")
        await head.click()
        assert (await rows.all_inner_texts())[0] in ("outgoing", "long_case")
        assert await rows.all_inner_texts() != order
        assert await page.locator("th[aria-sort=descending]").inner_text() == "max"
        await head.click()
        assert await rows.all_inner_texts() == order


async def test_a_moment_is_read_in_every_chart_with_the_keys(page_of_load: Path, opened: Callable[..., Any]) -> None:
    async with opened(page_of_load) as page:
        await drawn(page)
        plot = page.locator("#rate .plot").first
        assert "Arrow keys" in await plot.get_attribute("aria-label")
        await plot.focus()
        await page.keyboard.press("End")
        for _ in range(9):
            await page.keyboard.press("ArrowLeft")
        moments = await page.locator(".moment").all_inner_texts()
        assert set(moments) == {"2 min 1 s"}
        assert len(moments) == len(CHARTS) - 2
        await page.keyboard.press("Home")
        assert set(await page.locator(".moment").all_inner_texts()) == {"1 s"}
        legend = await page.locator("#rate .legend").first.inner_text()
        assert re.sub(r"\s+", " ", legend) == "began 28 due 28 passed 0 failed 0"
        await page.mouse.move(5, 5)
        await page.locator("#traffic .plot").first.hover()
        assert set(await page.locator(".moment").all_inner_texts()) != {"1 s"}


async def test_the_keys_reach_all_that_can_be_used(page_of_load: Path, opened: Callable[..., Any]) -> None:
    async with opened(page_of_load, width=390) as page:
        reached = set()
        for _ in range(120):
            await page.keyboard.press("Tab")
            reached.add(
                await page.evaluate(
                    "(({id, tagName, className}) => id || `${tagName}.${className}`)(document.activeElement)"
                )
            )
        wanted = {
            "theme",
            "part",
            "series",
            "log",
            "A.",
            "BUTTON.link",
            "BUTTON.sort",
            "DIV.plot",
            "DIV.scroll",
            "SUMMARY.",
        }
        assert reached >= wanted


async def test_a_cause_unfolds_its_whole_text_and_leads_to_a_conversation(
    page_of_load: Path, opened: Callable[..., Any]
) -> None:
    async with opened(page_of_load) as page:
        cause = page.locator(".cause").first
        await cause.locator("summary").click()
        text = await cause.inner_text()
        assert "waited 5 s for newWorkitemState where state=connected; nearest: state='held'" in text
        assert "in the step outbound_call('890000002')" in text
        assert visible(HOSTILE) in text
        link = cause.locator("a")
        assert await link.count() == 1, "the others have no trace"
        assert await link.get_attribute("href") == f"./conversations/{await link.inner_text()}/trace.html"
    trace = page_of_load.parent / "conversations"
    assert len(list(trace.glob("*/trace.html"))) == 1


async def test_what_moved_is_shown_and_all_else_on_demand(page_of_load: Path, opened: Callable[..., Any]) -> None:
    async with opened(page_of_load) as page:
        baseline = page.locator("#baseline")
        assert "The earlier load is before:" in await baseline.inner_text()
        assert set(await baseline.locator("tbody td:first-child").all_inner_texts()) == {"▲ worse"}
        assert await baseline.locator("tbody tr").count() == 12
        assert await baseline.locator("svg").count() == 12
        button = baseline.get_by_role("button")
        count = int(re.findall(r"\d+", await button.inner_text())[0])
        await button.click()
        assert await baseline.locator("tbody tr").count() == count > 50
        assert "not moved" in await baseline.inner_text()


async def test_dark_and_light_can_be_chosen(page_of_load: Path, opened: Callable[..., Any]) -> None:
    async with opened(page_of_load) as page:
        colour = "getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(colour)
        await page.get_by_role("button", name="Dark or light").click()
        dark = await page.evaluate(colour)
        assert light != dark
        await page.keyboard.press("t")
        assert await page.evaluate(colour) == light


@pytest.mark.parametrize("count", [0, 1, 2, 4])
async def test_a_record_that_has_hardly_begun_is_a_page_too(
    tmp_path: Path, opened: Callable[..., Any], count: int
) -> None:
    directory = write_record(tmp_path / "load", LoadBook(seconds=10).entries()[: count + 1])
    (page_path,) = make_load_reports(directory, ["html"])
    async with opened(page_path, width=390) as page:
        assert await page.locator(".badge:visible").all_inner_texts() == ["UNFINISHED", "INCONCLUSIVE"]
        assert "has no end" in await page.locator("#why").inner_text()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_names_that_are_made_to_break_the_page(tmp_path: Path, opened: Callable[..., Any]) -> None:
    evil = f"<img src=x onerror=harm()>{HOSTILE}{'x' * 200}"
    histogram = Histogram()
    histogram.record(1_000)
    measured = SeriesFigures("step", 1, 1_000, 1_000, 1_000, histogram.to_blob(), 1, {evil: 600, "": 400})
    started = LoadBook(seconds=10).entries()[0]
    assert isinstance(started, LoadStarted)
    started.plan = {"name": evil, evil: {evil: [evil]}, "parts": [{"name": evil, evil: evil}]}
    started.stand = started.machine = evil
    kept = ConversationKept(
        at_ns=1,
        conversation=evil,
        part=evil,
        number=0,
        why="failed",
        directory=f"javascript:{evil}",
        due_ns=0,
        started_ns=0,
        took_us=1,
    )
    second = Second(
        at_ns=10**9,
        from_ns=0,
        parts={evil: PartFigures(1, 1, 1)},
        series={f"{evil}/{evil}/{evil}": measured, "__proto__": measured, f"{evil}/constructor": measured},
        correctness={evil: 1},
    )
    ended = LoadEnded(at_ns=2 * 10**9, verdict="interrupted", doubts=[evil], audit=Audit(1), error=evil)
    (page_path,) = make_load_reports(write_record(tmp_path / "load", [started, second, kept, ended]), ["html"])
    for width in (390, 1200):
        async with opened(page_path, width=width) as page:
            await drawn(page)
            assert await page.locator("img").count() == 0
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            assert not {"\x00", "\u202e"} & set(await page.locator("body").inner_text())


async def test_an_hour_of_fifty_series_is_no_more_to_draw_than_ten_minutes(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    random = Random(7)
    names = [f"part/step{number // 5}/message{number}" for number in range(50)]
    entries: list[Any] = LoadBook(seconds=10).entries()[:1]
    for second in range(3_600):
        histogram = Histogram()
        for _ in range(4):
            histogram.record(round(random.lognormvariate(0, 0.4) * 100_000))
        numbers = (histogram.count, histogram.min_us, histogram.max_us, histogram.sum_us)
        measured = SeriesFigures("ask", *numbers, histogram.to_blob())
        parts = {"part": PartFigures(asked=4, due=4, started=4, passed=4)}
        times = {"at_ns": (second + 1) * 10**9, "from_ns": second * 10**9}
        entries.append(Second(**times, parts=parts, series=dict.fromkeys(names, measured)))
    (page_path,) = make_load_reports(write_record(tmp_path / "load", entries), ["html"])
    assert page_path.stat().st_size < 3 << 20
    async with opened(page_path) as page:
        await drawn(page)
        assert await page.locator(".steps tbody tr").count() == 50
        await page.locator("#series").select_option(names[-1])
        lines = await page.eval_on_selector_all("path.line", "all => all.map(path => path.getAttribute('d'))")
        assert max(len(re.findall("[ML]", line)) for line in lines) <= 600
        assert await page.evaluate("document.querySelectorAll('*').length") < 3_000
