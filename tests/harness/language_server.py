"""A language server of no language, as an actor; run as a program it speaks with whoever has started it."""

from __future__ import annotations

import asyncio
from typing import Any

from club import become

from antiphon import DEFERRED, UNREADABLE, Accepted, Actor, Ending, ErrorReply, Lsp, Message, listen, on
from antiphon.dialect.framing import ContentLength


class LanguageServer(Actor):
    """Asks its editor before it answers, and is slow."""

    editor = Accepted(dialect=Lsp(is_server=True), framing=ContentLength(), within_s=60)

    def __init__(self) -> None:
        self.stopped: list[Any] = []
        self.kept: Message | None = None

    @on("initialize")
    async def initialize(self, _request: Message) -> dict[str, Any]:
        await self.ask("window/workDoneProgress/create", token="ä")
        return {"capabilities": {}}

    @on("slow")
    async def be_slow(self, request: Message) -> str:
        try:
            self.send("$/progress", token="slow", value={"kind": "begin"})
            await self.expect("never")
        finally:
            self.stopped.append(request.asks)
        return "done"

    @on("kept")
    def keep(self, request: Message) -> Any:
        self.kept = request
        self.send("$/progress", token="kept", value={"kind": "begin"})
        return DEFERRED

    @on("answer")
    def answer_kept(self, _request: Message) -> list[Any]:
        assert self.kept is not None
        self.answer(self.kept, "late")
        return self.stopped

    @on("stopped")
    async def tell(self, _request: Message) -> list[Any]:
        await become(lambda: self.stopped)
        return self.stopped

    @on("fail")
    def fail(self, _request: Message) -> None:
        raise ErrorReply(-32803, "it failed", why="so")

    @on(UNREADABLE)
    def hear_nonsense(self, _message: Message) -> None:
        """It is answered by the dialect."""


async def serve() -> None:
    """Until the editor has gone."""
    over = asyncio.get_running_loop().create_future()

    class Server(LanguageServer):
        @on.closed
        def leave(self, ending: Ending) -> None:
            over.set_result(ending)

    async with await listen("stdio:", lambda _: Server()) as server:
        await over
        assert not server.failures, server.failures


if __name__ == "__main__":
    asyncio.run(serve())
