"""A broker of MQTT, as Mosquitto is: subscribe, publish with an acknowledgement, and a will."""

from antiphon import Actor, Link, Mqtt, action, scenario

WILL = {"topic": "operators/{user.name}", "payload": "lost", "qos": 1}


class Operator(Actor):
    broker = Link("{broker}", dialect=Mqtt("5", user="{user.name}", password="{user.password}", will=WILL))

    @action
    async def follow(self, topic: str) -> None:
        """Hear what is published there, at least once."""
        await self.ask("SUBSCRIBE", topics={topic: 1})

    @action
    async def tell(self, topic: str, payload: str) -> None:
        """Publish it, and wait until the broker has it for sure, exactly once."""
        await self.ask("PUBLISH", topic=topic, payload=payload, qos=2)


@scenario
async def a_call_and_a_loss(operator: Operator, supervisor: Operator) -> list[str]:
    await supervisor.follow("calls/+")
    await supervisor.follow("operators/#")
    await operator.tell("calls/7", "new")
    call = await supervisor.expect("PUBLISH", {"topic": "calls/7"})
    operator.channel.abort()
    loss = await supervisor.expect("PUBLISH", {"payload": "lost"})
    return [call["payload"], loss["topic"]]
