"""A browser, by the Chrome DevTools Protocol: https://chromedevtools.github.io/devtools-protocol.

    chromium --headless --remote-debugging-port=9222 --user-data-dir=/tmp/profile
    antiphon run chromium_devtools.py:look_at --stand chromium --url https://example.org

with `[stands.chromium]` and `chromium = "http://127.0.0.1:9222"` in antiphon.toml.
"""

from __future__ import annotations

from typing import Any

from antiphon import Actor, ExpectationFailed, Http, Json, Message, WebSocket, action, on, scenario

COMMANDS_AND_EVENTS = Json("method", "params", id="id", failed={"error": dict})
"""`{"id": 1, "method": "Page.enable", "params": {}}` is answered by `{"id": 1, "result": {}}`, or with "error" for
"result"; events are named like commands, and have no id. A reply has no name: its body is all of it."""


class Browser(Actor, user=False):
    """One tab, which is opened for this actor and closed when it leaves."""

    http = Http("{chromium}")
    tab = WebSocket("{tab_address}", dialect=COMMANDS_AND_EVENTS, within_s=30)

    def __init__(self) -> None:
        self.tab_id = self.tab_address = ""
        self.console: list[list[Any]] = []

    async def arrive(self) -> None:
        tab = await self.http.put("/json/new")
        self.tab_id, self.tab_address = tab["id"], tab["webSocketDebuggerUrl"]

    async def leave(self) -> None:
        await self.http.get(f"/json/close/{self.tab_id}")

    @on("Runtime.consoleAPICalled")
    def note(self, said: Message) -> None:
        """What the page writes to its console; of objects only a description is sent."""
        self.console.append([value.get("value", value.get("description")) for value in said["args"]])

    @action
    async def visit(self, url: str) -> None:
        """Open the page, and wait until all of it is loaded."""
        await self.ask("Page.enable")
        await self.ask("Runtime.enable")
        before = self.mark()
        page = await self.ask("Page.navigate", url=url)
        if why := page["result"].get("errorText"):
            raise ExpectationFailed(f"{url} cannot be loaded: {why}")
        await self.expect("Page.loadEventFired", since=before)

    @action
    async def evaluate(self, expression: str) -> Any:
        """What the expression is in the page; a promise is awaited. What it throws fails the step."""
        said = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        result = (await self.ask("Runtime.evaluate", said))["result"]
        if thrown := result.get("exceptionDetails"):
            raise ExpectationFailed(f"{expression} has thrown {thrown['exception'].get('description', thrown['text'])}")
        return result["result"].get("value")


@scenario
async def look_at(browser: Browser, url: str) -> str:
    """The title of a page."""
    await browser.visit(url)
    return str(await browser.evaluate("document.title"))
