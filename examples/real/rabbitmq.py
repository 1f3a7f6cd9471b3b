"""A queue of RabbitMQ by STOMP: `antiphon run rabbitmq.py`, with `broker = "tcp://…:61613"` in antiphon.toml."""

from typing import Any

from antiphon import Actor, Link, Stomp, action, scenario


class Clerk(Actor):
    broker = Link(
        "{broker}",
        dialect=Stomp(login="{user.name}", passcode="{user.password}", host="/", heart_beat_ms=(5_000, 5_000)),
        within_s=10,
    )

    @action
    async def follow(self, queue: str) -> None:
        """Get what comes into the queue, one message at a time, to be acknowledged."""
        headers = {"destination": f"/queue/{queue}", "id": "0", "ack": "client-individual", "prefetch-count": "1"}
        await self.ask("SUBSCRIBE", headers)

    @action
    async def put(self, queue: str, task: dict[str, Any]) -> None:
        """Put a task into the queue; the broker has it when this returns."""
        await self.ask("SEND", destination=f"/queue/{queue}", body=task)

    @action
    async def take(self) -> dict[str, Any]:
        """The next task, which is then done."""
        message = await self.expect("MESSAGE")
        await self.ask("ACK", id=message["ack"])
        return dict(message["body"])


@scenario(strict=True)
async def two_tasks(front: Clerk, back: Clerk) -> list[Any]:
    await back.follow("tasks")
    for number in (1, 2):
        await front.put("tasks", {"number": number, "text": "größer"})
    return [await back.take() for _ in range(2)]
