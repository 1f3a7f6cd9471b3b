"""Server-Sent Events of a web application (aiohttp, or any other), behind its login.

    antiphon run aiohttp_events.py:follow --stand site --how-many 5

with a stand in antiphon.toml:

    [stands.site]
    site = "http://127.0.0.1:8080"
    users = [{ name = "ann", password = "sesame" }]
"""

from __future__ import annotations

from antiphon import Actor, ChannelClosed, Http, Link, action, scenario
from antiphon.dialect.event_stream import EventStream
from antiphon.transport.http_stream import HttpStream


class Reader(Actor):
    """Who reads the news as it comes: each event is a message of the event's name, whose body is its data."""

    news = Link("{site}/news", transport=HttpStream(by="http"), dialect=EventStream())
    http = Http("{site}")

    async def arrive(self) -> None:
        """Log in: the stream has the cookies that this gives."""
        await self.http.post("/login", json={"name": self.user.name, "password": self.user.password})

    @action
    async def read(self, how_many: int) -> list[str]:
        """The next headlines. A stream that is lost is opened again, with the id of the last event in Last-Event-ID."""
        headlines: list[str] = []
        while len(headlines) < how_many:
            try:
                headlines.append((await self.expect("headline"))["text"])
            except ChannelClosed:
                await self.news.open()
        return headlines


@scenario
async def follow(reader: Reader, how_many: int = 5) -> list[str]:
    """Read so many headlines."""
    return await reader.read(how_many)
