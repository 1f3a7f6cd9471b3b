"""Conversations with an endpoint of aiohttp that sends events, behind a login, over a connection that breaks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiohttp import web
from aiohttp_events import Reader, follow

from antiphon import ChannelClosed, ExpectationFailed, Run, Stand, UpgradeRefused, perform, scenario
from antiphon.journal.file import WrittenMessage, read_journal

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("aiohttp_events")]

PASSWORD = "the-pass-word-of-ann"


class Site:
    """Headlines 1, 2, …, an event each, to whoever has logged in; the connection breaks within the event after some."""

    def __init__(self, breaks_after: int = 0) -> None:
        self.breaks_after = breaks_after
        self.asked: list[tuple[str | None, str | None]] = []
        """Of each stream who it was for, and the id that it was to go on from."""
        self.sessions: dict[str, str] = {}
        self.address = ""

    async def log_in(self, request: web.Request) -> web.Response:
        said = await request.json()
        if said["password"] != PASSWORD:
            raise web.HTTPUnauthorized
        session = secrets.token_hex(16)
        self.sessions[session] = said["name"]
        answer = web.json_response({"name": said["name"]})
        answer.set_cookie("session", session, httponly=True)
        return answer

    async def send_news(self, request: web.Request) -> web.StreamResponse:
        name, last = self.sessions.get(request.cookies.get("session", "")), request.headers.get("Last-Event-ID")
        self.asked.append((name, last))
        if name is None:
            raise web.HTTPUnauthorized
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await stream.prepare(request)
        await stream.write(b"retry: 10\n\n: welcome\n\n")
        first = int(last or 0) + 1
        for number in range(first, first + (self.breaks_after or 5)):
            await stream.write(_event(number))
        if self.breaks_after:
            await stream.write(_event(first + self.breaks_after)[:-1])
            assert request.transport is not None
            request.transport.close()  # what was written leaves, and no last chunk
        return stream

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Stand]:
        application = web.Application()
        application.add_routes([web.post("/login", self.log_in), web.get("/news", self.send_news)])
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            users = [{"name": "ann", "password": PASSWORD}, {"name": "eve", "password": "guessed"}]
            yield Stand("site", {"site": f"http://{host}:{port}"}, users=users)
        finally:
            await runner.cleanup()


def _event(number: int) -> bytes:
    return f'id: {number}\nevent: headline\ndata: {{"number": {number},\ndata:  "text": "No {number}"}}\n\n'.encode()


Play = Callable[..., Run]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def play_at(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Performs a scenario at a site."""

    def played(site: Site, what: Any, **parameters: Any) -> Run:
        async def at_site() -> Run:
            async with site.serving() as stand:
                return await perform(what, stand=stand, runs=tmp_path, **parameters)

        run_loop: Callable[[Awaitable[Run]], Run] = request.param
        return run_loop(at_site())

    return played


def test_events_come_to_who_has_logged_in(play_at: Play) -> None:
    site = Site()
    run = play_at(site, follow, how_many=5, reader=Reader(user="ann"))
    assert run.value == ["No 1", "No 2", "No 3", "No 4", "No 5"]
    assert site.asked == [("ann", None)]


def test_a_lost_stream_goes_on_behind_the_last_whole_event(play_at: Play) -> None:
    site = Site(breaks_after=2)
    run = play_at(site, follow, how_many=7, reader=Reader(user="ann"))
    assert run.value == [f"No {number}" for number in range(1, 8)]
    assert site.asked == [("ann", None), ("ann", "2"), ("ann", "4"), ("ann", "6")]
    said = [entry for entry in read_journal(run.directory / "journal.jsonl") if isinstance(entry, WrittenMessage)]
    assert [entry.name for entry in said].count("headline") == 8, "whole ones, each once"


def test_a_stream_that_ends_within_an_event_says_so(play_at: Play) -> None:
    @scenario
    async def wait_too_long(reader: Reader) -> list[str]:
        with pytest.raises(ChannelClosed) as closed:
            await reader.expect("headline", {"number": 4})
        assert "the answer broke off" in str(closed.value)
        assert reader.news.ending is not None
        assert not reader.news.ending.is_clean
        return [headline["text"] for headline in reader.drain("headline")]

    assert play_at(Site(breaks_after=3), wait_too_long, reader=Reader(user="ann")).value == ["No 1", "No 2", "No 3"]


def test_who_may_not_log_in_is_told(play_at: Play) -> None:
    with pytest.raises(ExpectationFailed, match="/login was answered with 401"):
        play_at(Site(), follow, reader=Reader(user="eve"))


def test_a_stream_without_the_cookie_is_refused(play_at: Play) -> None:
    class Stranger(Reader):
        async def arrive(self) -> None:
            """Do not log in."""

    @scenario
    async def follow_as_a_stranger(_stranger: Stranger) -> None: ...

    site = Site()
    with pytest.raises(UpgradeRefused) as refused:
        play_at(site, follow_as_a_stranger)
    assert refused.value.status == 401
    assert site.asked == [(None, None)]


def test_neither_password_nor_session_is_on_disk(play_at: Play) -> None:
    site = Site()
    run = play_at(site, follow, reader=Reader(user="ann"))
    (session,) = site.sessions
    written = [path.read_bytes() for path in run.directory.rglob("*") if path.is_file()]
    assert written
    assert not any(secret.encode() in text for secret in (PASSWORD, session) for text in written)
