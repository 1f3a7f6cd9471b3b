"""A language server as a child process: `antiphon run lsp.py`; `server = ["python", "-m", "pylsp"]` in the stand."""

from typing import Any

from antiphon import Actor, Link, Lsp, action, scenario
from antiphon.dialect.framing import ContentLength


class Editor(Actor):
    server = Link("{server}", dialect=Lsp(), framing=ContentLength(), within_s=30)

    @action
    async def initialize(self) -> dict[str, Any]:
        """Say what we can do; gives what the server can do."""
        answer = await self.ask("initialize", processId=None, rootUri=None, capabilities={})
        self.send("initialized", {})
        return dict(answer["capabilities"])

    @action
    async def show(self, uri: str, text: str) -> list[str]:
        """Open a file; gives what the server finds wrong with it, which it says without being asked."""
        self.send("textDocument/didOpen", textDocument={"uri": uri, "languageId": "python", "version": 1, "text": text})
        found = await self.expect("textDocument/publishDiagnostics", {"uri": uri})
        return [str(each["message"]) for each in found["diagnostics"]]

    @action
    async def complete(self, uri: str, line: int, character: int) -> list[str]:
        """What could stand at this place; lines and characters count from 0."""
        where = {"line": line, "character": character}
        answer = await self.ask("textDocument/completion", textDocument={"uri": uri}, position=where)
        return [str(item["label"]) for item in answer["items"]]

    @action
    async def quit(self) -> None:
        await self.ask("shutdown")
        self.send("exit")
        await self.expect_close(0)


@scenario
async def edit_a_file(editor: Editor) -> list[Any]:
    capabilities = await editor.initialize()
    uri = "file:///tmp/a_file_of_antiphon.py"
    found = await editor.show(uri, "import os\n\nprint(undefined_name)\nos.path.isd\n")
    labels = await editor.complete(uri, 3, len("os.path.isd"))
    await editor.quit()
    return ["completionProvider" in capabilities, sorted(found), labels]
