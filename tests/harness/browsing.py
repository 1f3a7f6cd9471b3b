"""Our pages in a real browser: what drives it, and a look at a page that fails a test for whatever it complains of."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

__all__ = ["CHROMIUM", "FLAGS", "MARKS", "WITHIN_MS", "expect", "looking_at", "playwright"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

MARKS = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]
"""Of a module whose tests are in the browser."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WITHIN_MS = 10_000


def playwright() -> Any:
    """What drives the browser, imported by the first test that has one: that takes a second, and most tests do not."""
    return pytest.importorskip("playwright.async_api", reason="playwright drives the browser")


def expect(locator: Any) -> Any:
    """What must soon be so of a part of the page."""
    return playwright().expect(locator)


@asynccontextmanager
async def looking_at(
    tab: Any, address: str, fragment: str = "", *, width: int, height: int, scheme: str
) -> AsyncIterator[Any]:
    """The page in the tab; whatever it complains of, runs of what was said, or asks for fails the test."""
    trouble: list[str] = []
    listeners = {
        "console": lambda said: trouble.append(f"{said.type}: {said.text}"),
        "pageerror": lambda error: trouble.append(str(error)),
        "dialog": lambda dialog: trouble.append(f"a dialog: {dialog.message}"),
        "request": lambda request: trouble.append(request.url) if not request.url.startswith(address) else None,
    }
    await tab.set_viewport_size({"width": width, "height": height})
    await tab.emulate_media(color_scheme=scheme)
    for event, listener in listeners.items():
        tab.on(event, listener)
    await tab.goto(address + fragment)
    yield tab
    assert await tab.evaluate("typeof window.harm") == "undefined", "what was said has been run"
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    assert trouble == []
