"""Conversations with a Redis, over TCP and a unix socket, on either loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
from real_servers import free_port, serving, without_program

from antiphon import Actor, Link, RequestRefused, Resp, Run, Stand, perform, scenario
from antiphon.scenarios.scenario import load_file

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("redis"), without_program("redis-server")]

PASSWORD = "looking-glass-7"
EXAMPLE = load_file(str(Path(__file__).parents[2] / "examples" / "real" / "redis_commands.py"))


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    lines = [f"port {port}", "bind 127.0.0.1", f"unixsocket {folder}/s", 'save ""', f"dir {folder}"]
    users = [f"user alice on >{PASSWORD} ~* &* +@all", f"user bob on >{PASSWORD} ~* &* +@all", "user default off"]
    (folder / "redis.conf").write_text("\n".join([*lines, *users]) + "\n")
    with serving(["redis-server", str(folder / "redis.conf")], ready="ready to accept connections at"):
        yield {"tcp": f"tcp://127.0.0.1:{port}", "unix": f"unix://{folder}/s"}


@pytest.fixture(params=["tcp", "unix"])
def address(request: pytest.FixtureRequest, addresses: dict[str, str]) -> str:
    return addresses[request.param]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play_there(request: pytest.FixtureRequest, address: str) -> Callable[..., Run]:
    def play(scene: Any, password: str = PASSWORD, **options: Any) -> Run:
        users = [{"name": name, "password": password} for name in ("alice", "bob")]
        stand = Stand("redis", {"redis": address}, users=users)
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(perform(scene, stand=stand, **{"runs": None, **options}))

    return play


class Cache(Actor):
    redis = Link("{redis}", dialect=Resp(user="{user.name}", password="{user.password}"), within_s=30)


def test_the_example(play_there: Callable[..., Run]) -> None:
    number, news = play_there(EXAMPLE.a_counter_and_its_news).value
    assert number % 3 == 0
    assert news == f"news: {number} calls"


@scenario
async def use_it(cache: Cache) -> dict[str, Any]:
    await cache.ask("DEL", ["k", "h", "s", "l"])
    many = [cache.ask("RPUSH", ["l", number]) for number in range(500)]
    lengths = [(await each).body for each in many]
    await cache.ask("SET", ["k", b"\xff\x00" * 50_000])
    await cache.ask("HSET", ["h", "field", "größe", "other", 1.5])
    await cache.ask("SADD", ["s", "only"])
    with pytest.raises(RequestRefused, match="WRONGTYPE"):
        await cache.ask("INCR", "l")
    cache.send("MULTI")
    cache.send("INCR", "l")
    cache.send("PING")
    return {
        "lengths": lengths,
        "transaction": [str(each)[:5] for each in (await cache.ask("EXEC")).body],
        "bytes": (await cache.ask("GET", "k")).body,
        "hash": (await cache.ask("HGETALL", "h")).body,
        "set": (await cache.ask("SMEMBERS", "s")).body,
        "none": (await cache.ask("GET", "nothing")).body,
        "score": (await cache.ask("EVAL", ["redis.setresp(3); return {double=1.25}", 0])).body,
        "flag": (await cache.ask("EVAL", ["redis.setresp(3); return true", 0])).body,
    }


def test_values_of_every_kind(play_there: Callable[..., Run]) -> None:
    said = play_there(use_it).value
    assert said["lengths"] == list(range(1, 501))
    assert said["transaction"] == ["WRONG", "PONG"]
    assert said["bytes"] == b"\xff\x00" * 50_000
    assert said["hash"] == {"field": "größe", "other": "1.5"}
    assert (said["set"], said["none"], said["score"], said["flag"]) == (["only"], None, 1.25, True)


@scenario
async def subscribe(cache: Cache, watcher: Cache) -> dict[str, Any]:
    confirmed = [reply.body async for reply in watcher.ask("SUBSCRIBE", ["a", "b"])]
    await watcher.ask("PSUBSCRIBE", "a*")
    cache.send("PUBLISH", ["a", b"\xff"])
    heard = [(await watcher.expect(name)).body for name in ("message", "pmessage")]
    ended = [reply.body[1] async for reply in watcher.ask("UNSUBSCRIBE")]
    pong = (await watcher.ask("PING")).body  # as before a subscription, and while there is one
    return {"confirmed": confirmed, "heard": heard, "ended": ended, "pong": pong}


def test_subscriptions(play_there: Callable[..., Run]) -> None:
    said = play_there(subscribe).value
    assert said["confirmed"] == [["a", 1], ["b", 2]]
    assert said["heard"] == [["a", b"\xff"], ["a*", "a", b"\xff"]]
    assert sorted(said["ended"]) == [1, 2]
    assert said["pong"] == "PONG"


@scenario
async def be_told_what_changed(cache: Cache, watcher: Cache) -> Any:
    await watcher.ask("CLIENT", ["TRACKING", "ON"])
    await watcher.ask("GET", "tracked")
    await cache.ask("SET", ["tracked", "new"])
    return (await watcher.expect("invalidate")).body


def test_pushes(play_there: Callable[..., Run]) -> None:
    assert play_there(be_told_what_changed).value == [["tracked"]]


@scenario
async def wait_for_another(cache: Cache, other: Cache) -> list[Any]:
    waiting = cache.ask("BLPOP", ["queue", 0])
    behind = cache.ask("PING")
    await other.ask("RPUSH", ["queue", "x"])
    return [(await waiting).body, (await behind).body]


def test_a_command_that_blocks(play_there: Callable[..., Run]) -> None:
    assert play_there(wait_for_another).value == [["queue", "x"], "PONG"]


class Stranger(Actor):
    redis = Link("{redis}", dialect=Resp(user="{user.name}", password="{user.password}"), opens="manually")
    nobody = Link("{redis}", dialect=Resp(), opens="manually")


@scenario
async def knock(stranger: Stranger) -> list[str]:
    wrong = await stranger.redis.expect_refusal("WRONGPASS")
    none = await stranger.nobody.expect_refusal("NOAUTH")
    return [str(wrong), str(none)]


def test_a_login_that_is_refused(play_there: Callable[..., Run]) -> None:
    wrong, none = play_there(knock, "wrong").value
    assert "WRONGPASS invalid username-password pair or user is disabled." in wrong
    assert 'hint: Resp(password="{user.password}")' in none


def test_the_password_is_written_nowhere(play_there: Callable[..., Run], tmp_path: Path) -> None:
    run = play_there(subscribe, runs=tmp_path)
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
