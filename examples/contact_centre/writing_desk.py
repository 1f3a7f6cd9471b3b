"""The same desk with chats and tasks, which go on beside a call: each is known by its workitem."""

from desk import Operator

from antiphon import Message, action


class Clerk(Operator):
    """An operator who also writes, and does tasks."""

    @action
    async def accept_chat(self) -> str:
        """Take the chat that is offered, or the first that will be; gives its workitem."""
        return await self._accept("chat")

    @action
    async def read(self, chat: str) -> str:
        """The next thing that the customer has written."""
        written = await self.expect("newChatMessage", {"workitemID": chat, "role": "customer"})
        return str(written["text"])

    @action
    async def write(self, chat: str, text: str) -> None:
        """Write to the customer."""
        await self.ask("sendChatMessage", workitemID=chat, text=text)

    @action
    async def end_chat(self, chat: str, disposition: str = "resolved") -> None:
        """Say goodbye, and how it went."""
        await self.ask("hangUp", workitemID=chat)
        await self.expect("newWorkitemState", {"workitemID": chat, "state": "wrapUp"})
        await self.ask("finishWorkitem", workitemID=chat, dispositionID=disposition)
        await self.expect("newWorkitemState", {"workitemID": chat, "state": "finished"})

    @action
    async def accept_task(self) -> str:
        """Take the task that is offered, or the first that will be; gives its workitem."""
        return await self._accept("task")

    @action
    async def complete_task(self, task: str, outcome: str) -> None:
        """Have done it."""
        await self.ask("completeTask", workitemID=task, outcome=outcome)
        await self.expect("newWorkitemState", {"workitemID": task, "state": "finished"}, check={"outcome": outcome})

    async def _accept(self, channel: str) -> str:
        offered: Message = await self.expect("newWorkitemState", {"state": "offered", "channel": channel})
        workitem = str(offered["workitemID"])
        await self.ask("acceptInteraction", workitemID=workitem)
        await self.expect("newWorkitemState", {"workitemID": workitem, "state": "connected"})
        return workitem
