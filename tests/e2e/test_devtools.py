"""The report "har", imported by the code of Chrome DevTools itself."""

from __future__ import annotations

import asyncio
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from antiphon.conversation.message import Message
from antiphon.journal import ChannelOpened, HttpExchange, RunStarted
from antiphon.report.formats.har import write_har

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

IMPORT = """async text => {
    const { HARFormat, Importer } = await import('devtools://devtools/bundled/models/har/har.js');
    const requests = Importer.Importer.requestsFromHARLog(new HARFormat.HARRoot(JSON.parse(text)).log);
    return requests.map(request => ({
        url: request.url(),
        status: request.statusCode,
        kind: request.resourceType().name(),
        began_s: request.startTime,
        took_s: request.endTime - request.startTime,
        frames: request.frames().map(frame => [frame.type, frame.opCode, frame.mask, frame.time, frame.text]),
    }));
}"""


def archive() -> str:
    place: dict[str, Any] = {"actor": "alice", "channel": "desk"}
    entries = [
        RunStarted(
            at_ns=0,
            scenario="s",
            parameters={},
            actors={"alice": ["desk"]},
            stand="",
            pid=1,
            started_at="2026-11-22T07:41:44.000Z",
            antiphon="0.1.0",
            python="3",
        ),
        HttpExchange(
            at_ns=0,
            actor="alice",
            channel="api",
            step=0,
            number=1,
            method="POST",
            url="http://centre/login?a=1",
            took_ns=5_000_000,
            status=200,
            response_body="{}",
            request_headers={"Cookie": "***"},
            request_body="{}",
        ),
        ChannelOpened(at_ns=10_000_000, address="ws://centre/desk", **place),
        Message("hello", None, "hello </script>", at_ns=20_000_000, is_sent=True, **place),
        Message("bytes", None, b"\xff\x00", at_ns=30_000_000, **place),
    ]
    file = StringIO()
    write_har(iter(entries), file, Path())
    return file.getvalue()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")
@pytest.mark.slow
def test_devtools_imports_requests_and_messages() -> None:
    # Here, as it takes a second, which most runs of the tests need not spend.
    playwright = pytest.importorskip("playwright.async_api", reason="playwright drives the browser")

    async def imported() -> Any:
        async with playwright.async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            try:
                page = await browser.new_page()
                await page.goto("devtools://devtools/bundled/devtools_app.html")
                return await page.evaluate(IMPORT, archive())
            finally:
                await browser.close()

    login, desk = asyncio.run(imported())
    assert (login["url"], login["status"], login["kind"]) == ("http://centre/login?a=1", 200, "fetch")
    assert login["took_s"] == pytest.approx(0.005, abs=1e-5)
    assert (desk["url"], desk["kind"]) == ("ws://centre/desk", "websocket")
    began_s = login["began_s"]
    assert [[*frame[:3], frame[4]] for frame in desk["frames"]] == [
        ["send", 1, True, "hello </script>"],
        ["receive", 2, False, "/wA="],
    ]
    assert [frame[3] - began_s for frame in desk["frames"]] == pytest.approx([0.02, 0.03], abs=1e-5)
