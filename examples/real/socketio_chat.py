"""The chat of Socket.IO's own example: `antiphon run socketio_chat.py`, with `chat = "ws://…"` in antiphon.toml."""

from typing import Any

from antiphon import Actor, SocketIo, WebSocket, action, scenario


class Chatter(Actor):
    """Somebody in the chat."""

    chat = WebSocket("{chat}", dialect=SocketIo(), within_s=10)

    @action
    async def join(self) -> int:
        """Enter under the actor's name; gives how many there are."""
        self.send("add user", self.name)
        return int((await self.expect("login"))["numUsers"])

    @action
    async def write(self, text: str) -> None:
        self.send("typing")
        self.send("new message", text)
        self.send("stop typing")

    @action
    async def read(self, writer: str) -> str:
        """The next message of that one, who has been seen typing."""
        await self.expect("typing", {"username": writer})
        message = await self.expect("new message", {"username": writer})
        await self.expect("stop typing", {"username": writer})
        return str(message["message"])


@scenario(strict=True)
async def small_talk(ann: Chatter, bob: Chatter) -> list[Any]:
    await ann.join()
    await bob.expect("user joined", {"username": ann.name})
    count = await bob.join()
    await ann.expect("user joined", {"username": bob.name, "numUsers": count})
    await bob.write("hello")
    said = await ann.read(bob.name)
    await bob.close()
    left = await ann.expect("user left", {"username": bob.name})
    return [count, said, left["numUsers"]]
