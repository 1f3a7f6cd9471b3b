"""Redis, or Valkey: commands, a pipeline, and what others publish."""

from antiphon import Actor, Link, Resp, action, scenario


class Cache(Actor):
    redis = Link("{redis}", dialect=Resp(user="{user.name}", password="{user.password}", name="{user.name}"))

    @action
    async def count_calls(self, number: int) -> int:
        """Count them, without waiting for each."""
        counts = [self.ask("INCR", "calls") for _ in range(number)]
        return int([(await count).body for count in counts][-1])

    @action
    async def follow(self, channel: str) -> None:
        """Hear what is published there."""
        await self.ask("SUBSCRIBE", channel)


@scenario
async def a_counter_and_its_news(cache: Cache, watcher: Cache) -> tuple[int, str]:
    await watcher.follow("news")
    number = await cache.count_calls(3)
    await cache.ask("PUBLISH", ["news", f"{number} calls"])
    channel, text = (await watcher.expect("message")).body
    return number, f"{channel}: {text}"
