"""Streams over HTTP that borrow an actor's session: Server-Sent Events, NDJSON, long polling, and what is posted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from aiohttp import web

from antiphon import (
    Accepted,
    Actor,
    Backoff,
    ChannelClosed,
    ConnectFailed,
    Http,
    Json,
    Link,
    Message,
    Run,
    ScenarioError,
    SendBufferFull,
    Stand,
    TransportError,
    listen,
    on,
    perform,
    scenario,
)
from antiphon.dialect.event_stream import Events, EventStream
from antiphon.dialect.framing import Lines
from antiphon.journal import Aside, ChannelEnded, ChannelReopening
from antiphon.transport.http_stream import HttpPolling, HttpStream
from antiphon.transport.http_stream_listener import HttpStreamListener

DIALECT = Json(name="kind", body="data")


class Site:
    """A service with a login, a stream of events for who has it, and a place to say things to."""

    def __init__(self) -> None:
        self.last_ids: list[str | None] = []
        self.said: list[tuple[str, str]] = []
        self.polls: list[str] = []
        self.busy: tuple[int, ...] = ()

    async def log_in(self, request: web.Request) -> web.Response:
        response = web.Response()
        response.set_cookie("session", "7")
        return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        if request.cookies.get("session") != "7":
            return web.Response(status=401, text="who are you?", headers={"X-Why": "no session"})
        self.last_ids.append(request.headers.get("Last-Event-ID"))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Served-By": "node 7"}
        )
        await response.prepare(request)
        await response.write(b': hello\n\nid: 1\ndata: first\n\nevent: news\nid: 2\ndata: {"n":\ndata: 2}\n\n')
        await response.write(b"id: 3\ndata: half of one that never becomes whole\n")
        return response

    async def ticker(self, request: web.Request) -> web.StreamResponse:
        """Two events, and no goodbye; what is said next begins where that ended. Behind the fourth there is nothing."""
        last = int(request.headers.get("Last-Event-ID", "0"))
        self.last_ids.append(request.headers.get("Last-Event-ID"))
        if len(self.last_ids) in self.busy:
            return web.Response(status=503)
        if last >= 4:
            return web.Response(status=204)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number in (last + 1, last + 2):
            await response.write(f"retry: 20\nid: {number}\ndata: {number}\n\n".encode())
        assert request.transport is not None
        request.transport.close()
        return response

    async def lines(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        # The pieces are not the lines.
        for piece in (b'{"kind":"a","da', b'ta":1}\n{"kind":"b","data":2}\n{"kind"', b':"c","data":3}\n'):
            await response.write(piece)
        self.hold = asyncio.Event()
        await self.hold.wait()
        return response

    async def say(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.said.append((request.headers["Content-Type"], body))
        if "wait" in body:
            await self.hold.wait()
        if "bad" in body:
            return web.Response(status=500, text="out of order")
        if "last" in body:
            self.hold.set()
        if "never" in body:
            await asyncio.Event().wait()
        return web.Response(status=202)

    async def poll(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        self.polls.append(since)
        if since == "0":
            return web.Response(text='{"kind":"a","data":1}', headers={"X-Next": "5"})
        if since == "5":
            return web.Response(status=204, headers={"X-Next": "6"})
        if since == "6":
            return web.Response(text='{"kind":"b","data":2}', headers={"X-Next": "9"})
        return web.Response(status=410)

    async def endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503)
        await response.prepare(request)
        await response.write(b"please wait")
        await asyncio.Event().wait()
        return response

    async def broken(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"kind":"a","data":1}\n')
        assert request.transport is not None
        request.transport.close()
        return response


Play = Callable[..., Run]


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Play:
    """Performs a scenario against a site, on either event loop."""
    make_loop = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    async def against(chosen: Any, site: Site, parameters: dict[str, Any]) -> Run:
        application = web.Application()
        application.router.add_post("/login", site.log_in)
        application.router.add_get("/events", site.events)
        application.router.add_get("/ticker", site.ticker)
        application.router.add_get("/lines", site.lines)
        application.router.add_post("/lines", site.say)
        application.router.add_get("/poll", site.poll)
        application.router.add_get("/broken", site.broken)
        application.router.add_get("/endless", site.endless)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            return await perform(chosen, stand=Stand("t", {"site": address}), runs=None, **parameters)
        finally:
            await runner.cleanup()

    def play(chosen: Any, site: Site | None = None, **parameters: Any) -> Run:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(against(chosen, site or Site(), parameters))

    return play


class Reader(Actor):
    events = Link(
        "{site}/events", transport=HttpStream(by="api"), dialect=EventStream(body="text"), opens="manually", within_s=10
    )
    api = Http("{site}")


@scenario
async def read(reader: Reader) -> Any:
    await reader.api.post("/login")
    await reader.events.open()
    first, news = await reader.expect("message"), await reader.expect("news")
    ending = await reader.expect_close()
    await reader.events.open()
    return first.body, news.body, ending.by, ending.is_clean


def test_events_with_the_session_of_another_channel(play: Play) -> None:
    site = Site()
    run = play(read, site)
    assert run.value == ("first", '{"n":\n2}', "peer", True)
    assert site.last_ids == [None, "2"], "the id of the event that did not become whole does not count"
    headers = next(entry for entry in run.journal if isinstance(entry, Aside))
    assert (headers.name, headers.headers["X-Served-By"]) == ("response headers", "node 7")


class Follower(Actor):
    ticker = Link(
        "{site}/ticker",
        transport=HttpStream(by="api"),
        dialect=EventStream(),
        within_s=20,
        reopens=Backoff(first_s=60, factor=1, jitter=0),
    )
    api = Http("{site}")


@scenario
async def follow(follower: Follower) -> Any:
    numbers = [(await follower.ticker.expect("message")).body for _ in range(4)]
    with pytest.raises(ChannelClosed, match="the stream was refused: 204 No Content"):
        await follower.ticker.expect("message")
    return numbers


def test_a_stream_goes_on_where_it_broke_off_when_the_site_says_so_and_until_it_says_no_more(play: Play) -> None:
    site = Site()
    site.busy = (2,)
    run = play(follow, site)
    assert run.value == [1, 2, 3, 4]
    assert site.last_ids == [None, "2", "2", "4"]
    # Not after the 60 s of the Backoff: the site has asked for 20 ms.
    assert {each.in_ns for each in run.journal if isinstance(each, ChannelReopening)} == {20_000_000, None}


@scenario
async def read_without_login(reader: Reader) -> Any:
    refused = await reader.events.expect_refusal(401)
    return refused.body, refused.headers["x-why"]


def test_a_stream_that_is_refused(play: Play) -> None:
    assert play(read_without_login).value == (b"who are you?", "no session")


class Turned(Actor):
    line = Link("{site}/endless", dialect=DIALECT, framing=Lines(), open_within_s=0.2, opens="manually")


@scenario
async def be_turned_away(turned: Turned) -> int:
    return (await turned.line.expect_refusal()).status


def test_a_refusal_whose_body_never_ends(play: Play) -> None:
    assert play(be_turned_away).value == 503


class Borrower(Actor):
    api = Http("{site}")
    line = Link(
        "{site}/lines", transport=HttpStream(by="api", says="POST"), dialect=DIALECT, framing=Lines(), within_s=10
    )


@scenario
async def say_and_leave(borrower: Borrower) -> None:
    await borrower.expect("a")
    for number in range(10):
        borrower.send("good", number)


def test_a_session_outlives_the_streams_that_borrow_it(play: Play) -> None:
    site = Site()
    run = play(say_and_leave, site)
    assert len(site.said) == 10
    assert [entry.name for entry in run.journal if isinstance(entry, Aside)] == ["response headers"]
    (ended,) = (entry for entry in run.journal if isinstance(entry, ChannelEnded))
    assert (ended.by, ended.detail) == ("us", "")


class Talker(Actor):
    line = Link("{site}/lines", transport=HttpStream(says="POST"), dialect=DIALECT, framing=Lines(), within_s=10)


@scenario
async def talk(talker: Talker) -> Any:
    heard = [(await talker.expect(name)).body for name in "abc"]
    talker.send("good", 1)
    talker.send("bad", 2)
    talker.send("last", 3)
    await talker.line.flushed()
    assert talker.line.unsent_bytes == 0
    ending = await talker.expect_close()
    return heard, ending.by, ending.is_clean


def test_lines_are_heard_and_what_is_said_is_posted_one_by_one(play: Play) -> None:
    site = Site()
    run = play(talk, site)
    assert run.value == ([1, 2, 3], "peer", True)
    assert [kind for kind, _ in site.said] == ["application/json"] * 3
    assert [body for _, body in site.said] == [
        '{"kind":"good","data":1}',
        '{"kind":"bad","data":2}',
        '{"kind":"last","data":3}',
    ]
    failed = [entry for entry in run.journal if isinstance(entry, Aside) and entry.name == "POST failed"]
    assert [entry.text for entry in failed] == ["500 Internal Server Error: 'out of order'"]


class Shouter(Actor):
    line = Link(
        "{site}/lines",
        transport=HttpStream(says="POST", says_to="", close_within_s=0.1),
        dialect=DIALECT,
        framing=Lines(),
        max_unsent_bytes=1024 * 1024,
        within_s=10,
    )


@scenario
async def shout(shouter: Shouter) -> None:
    for _ in range(100):
        shouter.send("wait", "x" * 65536)


def test_a_site_that_does_not_answer_what_is_said_is_told_of(play: Play) -> None:
    with pytest.raises(SendBufferFull, match="the server does not read what it is sent"):
        play(shout)


class Listener(Actor):
    line = Link("{site}/lines", dialect=DIALECT, framing=Lines(), within_s=10)  # found by the scheme of its address


@scenario
async def say_on_a_stream_that_hears(listener: Listener) -> None:
    await listener.expect("a")
    listener.send("x", 1)


def test_a_stream_that_only_hears_says_so(play: Play) -> None:
    with pytest.raises(ScenarioError, match="nothing can be said on this stream") as failed:
        play(say_on_a_stream_that_hears)
    assert failed.value.hint == 'HttpStream(says="POST")'


@scenario
async def leave_a_stream(listener: Listener) -> Any:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await listener.expect("what never comes")
    heard = [(await listener.expect(name)).body for name in "abc"]  # nothing was lost by giving up
    ending = await listener.close()
    return heard, ending.by, ending.is_clean


def test_giving_up_loses_nothing_and_a_close_lets_go_of_the_stream(play: Play) -> None:
    assert play(leave_a_stream).value == ([1, 2, 3], "us", True)


class Poller(Actor):
    line = Link(
        "{site}/poll",
        transport=HttpPolling(by="api", follow=lambda headers, _body: f"poll?since={headers['X-Next']}"),
        dialect=DIALECT,
        within_s=10,
    )
    api = Http("{site}")


@scenario
async def poll(poller: Poller) -> Any:
    heard = [(await poller.expect(name)).body for name in "ab"]
    ending = await poller.expect_close()
    return heard, ending.by, ending.detail


def test_polls_follow_one_another_until_one_is_refused(play: Play) -> None:
    site = Site()
    assert play(poll, site).value == ([1, 2], "wire", "a poll was answered with 410 Gone")
    assert site.polls == ["0", "5", "6", "9"]


class Late(Actor):
    line = Link(
        "{site}/lines",
        transport=HttpStream(says="POST", close_within_s=0.2),
        dialect=DIALECT,
        framing=Lines(),
        within_s=10,
    )


@scenario
async def say_more_than_is_waited_for(late: Late, kinds: list[str]) -> Any:
    await late.expect("c")
    for kind in kinds:
        late.send(kind, 1)
    return await late.expect_close()


def test_what_was_said_before_the_peers_end_still_leaves(play: Play) -> None:
    site = Site()
    ending = play(say_more_than_is_waited_for, site, kinds=["last", "more", "most"]).value
    assert (ending.by, ending.is_clean, ending.unsent_bytes) == ("peer", True, 0)
    assert [body[9:13] for _, body in site.said] == ["last", "more", "most"]


def test_what_is_not_answered_after_the_peers_end_is_counted_and_fails_the_run(play: Play) -> None:
    with pytest.raises(TransportError, match=r"25 bytes that were said before had not been answered"):
        play(say_more_than_is_waited_for, kinds=["last", "never"])


class Breaking(Actor):
    line = Link("{site}/broken", dialect=DIALECT, framing=Lines(), within_s=10)


@scenario
async def be_broken_off(breaking: Breaking) -> Any:
    await breaking.expect("a")
    return await breaking.expect_close()


def test_an_answer_that_breaks_off_is_nobodys_goodbye(play: Play) -> None:
    ending = play(be_broken_off).value
    assert (ending.by, ending.is_clean) == ("wire", False)
    assert ending.detail == "the answer broke off: the connection ended in the middle of its body"


class Misled(Actor):
    line = Link("{site}/lines", transport=HttpStream(by="apo"), dialect=DIALECT)
    api = Http("{site}")


@scenario
async def borrow_from_nobody(misled: Misled) -> None: ...


def test_a_session_that_is_not_there(play: Play) -> None:
    with pytest.raises(ScenarioError, match="borrows the session of 'apo', which is no Http channel") as failed:
        play(borrow_from_nobody)
    assert failed.value.hint == "its Http channels are: api"


@scenario
async def nothing(listener: Listener) -> None: ...


def test_nobody_there() -> None:
    with pytest.raises(ConnectFailed, match=r"no server is listening on 127\.0\.0\.1:1") as failed:
        asyncio.run(perform(nothing, stand=Stand("t", {"site": "http://127.0.0.1:1"}), runs=None))
    assert failed.value.place == "http://127.0.0.1:1/lines"


class Desk(Actor):
    desk = Accepted(dialect=DIALECT, framing=Events())

    @on("hello")
    def greet(self, hello: Message) -> None:
        self.send("welcome", f"to {hello.body}")


class Guest(Actor):
    line = Link("{desk}/any", transport=HttpStream(says="POST"), dialect=DIALECT, framing=Events(), within_s=10)


@scenario
async def visit(guest: Guest) -> Any:
    guest.send("hello", "Ann\nand Bob")
    return (await guest.expect("welcome")).body


def test_both_sides_of_a_stream_of_events() -> None:
    async def run() -> Any:
        async with await listen("http://127.0.0.1:0", lambda opening: Desk(), listener=HttpStreamListener()) as server:
            run = await perform(visit, stand=Stand("t", {"desk": server.address}), runs=None)
        assert not server.failures
        return run.value

    assert asyncio.run(run()) == "to Ann\nand Bob"
