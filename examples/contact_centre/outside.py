"""The world outside the desks, over HTTP: customers who call and write, and a supervisor who gives tasks."""

from typing import Any

from antiphon import Actor, Http, HttpResponse, action


class Customer(Actor, user=False):
    """Someone who wants something of the centre, and is none of its users."""

    api = Http("{centre}")

    interaction_id: str

    @action
    async def dials(self, telephone: str = "890000001", skill: str | None = None) -> None:
        """Call the centre from `telephone`."""
        self.interaction_id = await self._begin("/calls", {"from": telephone, "skill": skill})

    @action
    async def hangs_up(self) -> None:
        """End the call."""
        await self._require(await self.api.delete(f"/calls/{self.interaction_id}"))

    @action
    async def asks_in_writing(self, text: str, name: str = "a customer", skill: str | None = None) -> None:
        """Begin a chat."""
        self.interaction_id = await self._begin("/chats", {"from": name, "text": text, "skill": skill})

    @action
    async def writes(self, text: str) -> None:
        """Go on with the chat."""
        await self._require(await self.api.post(f"/chats/{self.interaction_id}/messages", json={"text": text}))

    @action
    async def reads(self) -> list[str]:
        """What has been written to me so far."""
        chat = await self._require(await self.api.get(f"/chats/{self.interaction_id}"))
        return [message["text"] for message in chat["messages"] if message["role"] == "agent"]

    async def _begin(self, door: str, wanted: dict[str, Any]) -> str:
        given = {name: value for name, value in wanted.items() if value is not None}
        return str((await self._require(await self.api.post(door, json=given)))["interactionID"])

    async def _require(self, reply: HttpResponse) -> HttpResponse:
        assert reply.status < 400, f"the centre answered {reply.status}: {reply.body}"
        return reply


class Supervisor(Actor, user=False):
    """Someone who gives tasks, and reads the records."""

    api = Http("{centre}")

    @action
    async def gives_task(self, title: str, skill: str | None = None) -> str:
        """Have something done; gives the interaction."""
        given = {"title": title, **({"skill": skill} if skill is not None else {})}
        return str((await self.api.post("/tasks", json=given))["interactionID"])

    @action
    async def reads_record(self, interaction_id: str) -> dict[str, Any]:
        """The record of one contact."""
        record: dict[str, Any] = (await self.api.get(f"/interactions/{interaction_id}")).body
        return record
