"""Why a conversation with Redis, Mosquitto or RabbitMQ failed: what each text must tell, see `test_failure_texts`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from failure_text import Case, judged
from real_servers import free_port, serving, without_program

from antiphon import Actor, Link, Mqtt, Resp, Stomp, scenario

pytestmark = pytest.mark.slow
PASSWORD = "looking-glass-7"

# -- Redis ------------------------------------------------------------------------------------------------------------


class Cache(Actor):
    redis = Link("{server}", dialect=Resp(user="alice", password=PASSWORD), within_s=1)


class Reader(Actor):
    redis = Link("{server}", dialect=Resp(user="reader", password=PASSWORD), within_s=1)


class Nobody(Actor):
    redis = Link("{server}", dialect=Resp(), within_s=1)


class Stranger(Actor):
    redis = Link("{server}", dialect=Resp(user="alice", password="guessed"), within_s=1)


@scenario
async def ask_too_little(ann: Cache) -> None:
    await ann.ask("GET")


@scenario
async def ask_what_is_unknown(ann: Cache) -> None:
    await ann.ask("FETCH", "key")


@scenario
async def count_a_list(ann: Cache) -> None:
    await ann.ask("RPUSH", ["tasks", "one"])
    await ann.ask("INCR", "tasks")


@scenario
async def write_as_a_reader(bob: Reader) -> None:
    await bob.ask("SET", ["key", "value"])


@scenario
async def log_in_as_nobody(eve: Nobody) -> None:
    await eve.ask("GET", "key")


@scenario
async def log_in_with_a_wrong_password(eve: Stranger) -> None:
    await eve.ask("GET", "key")


@scenario
async def wait_in_a_queue_that_stays_empty(ann: Cache) -> None:
    await ann.ask("BLPOP", ["empty", 0])


@scenario
async def pop_from_a_queue_that_stays_empty(ann: Cache) -> None:
    await ann.ask("BLPOP", ["empty", 0.1], check=["empty", "one"])


@scenario
async def follow_another_channel(ann: Cache, bob: Cache) -> None:
    await bob.ask("SUBSCRIBE", "news")
    await ann.ask("PUBLISH", ["new", "hello"])
    await bob.expect("message")


@scenario
async def follow_too_much(ann: Cache, bob: Cache) -> None:
    await bob.ask("SUBSCRIBE", ["news", "new"])
    await ann.ask("PUBLISH", ["new", "hello"])
    await bob.expect("message", ["news", "hello"])


@scenario
async def be_killed_by_another(ann: Cache, bob: Cache) -> None:
    number = (await bob.ask("CLIENT", "ID")).body
    waiting = bob.ask("BLPOP", ["empty", 0])
    await ann.ask("CLIENT", ["KILL", "ID", number])
    await waiting


@scenario
async def have_it_killed(ann: Cache) -> None:
    told = (await ann.ask("INFO", "server")).body
    pid = next(line.partition(":")[2] for line in str(told).splitlines() if line.startswith("process_id:"))
    waiting = ann.ask("BLPOP", ["empty", 0])
    await ann.redis.flushed()
    os.kill(int(pid), signal.SIGKILL)
    await waiting


REDIS = {
    "redis_err": Case(ask_too_little, ("GET", "ERR wrong number of arguments for 'get' command")),
    "redis_unknown_command": Case(ask_what_is_unknown, ("FETCH", "ERR unknown command")),
    "redis_wrong_type": Case(count_a_list, ("INCR", "WRONGTYPE", "holding the wrong kind of value")),
    "redis_no_permission": Case(write_as_a_reader, ("SET", "NOPERM", "no permissions to run the 'set' command")),
    "redis_no_login": Case(log_in_as_nobody, ("eve.redis", "NOAUTH")),
    "redis_wrong_password": Case(log_in_with_a_wrong_password, ("eve.redis", "WRONGPASS")),
    "redis_never_answers": Case(
        wait_in_a_queue_that_stays_empty, ("BLPOP", "did not come", "nothing arrived"), ("BLPOP empty 0",)
    ),
    "redis_gives_up_waiting": Case(pop_from_a_queue_that_stays_empty, ("BLPOP", "None")),
    "redis_another_channel": Case(
        follow_another_channel,
        ("bob.redis", "message", "ann.redis said PUBLISH new hello and got PUBLISH.result 0"),
        ('SUBSCRIBE "news"',),
    ),
    "redis_too_many_channels": Case(follow_too_much, ("message", "'new'", "'news'")),
    "redis_killed_by_a_client": Case(
        be_killed_by_another, ("BLPOP", "closed the connection", "ann.redis said CLIENT KILL ID")
    ),
    "redis_killed": Case(have_it_killed, ("ann.redis waited for the reply to BLPOP, but the ", "was INFO.result")),
}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    lines = [f"port {port}", "bind 127.0.0.1", 'save ""', f"dir {tmp_path}", "user default off"]
    lines += [f"user alice on >{PASSWORD} ~* &* +@all", f"user reader on >{PASSWORD} ~* &* +@read +hello"]
    (tmp_path / "redis.conf").write_text("\n".join(lines) + "\n")
    with serving(["redis-server", str(tmp_path / "redis.conf")], ready="eady to accept connections"):
        yield f"tcp://127.0.0.1:{port}"


@without_program("redis-server")
@pytest.mark.parametrize("name", REDIS)
def test_redis(name: str, redis: str, tmp_path: Path) -> None:
    judged(REDIS, name, redis, tmp_path)


# -- Mosquitto --------------------------------------------------------------------------------------------------------


def party(client_id: str, password: str = PASSWORD, version: Any = "5", **options: Any) -> Link:
    dialect = Mqtt(version, client_id=client_id, user="alice", password=password)
    return Link("{server}", dialect=dialect, within_s=1, **options)


class Sensor(Actor):
    broker = party("s1")


class OldSensor(Actor):
    broker = party("s1", version="3.1.1")


class Display(Actor):
    broker = party("d1")


class Twin(Actor):
    broker = party("s1", opens="manually")


class OldTwin(Actor):
    broker = party("s1", version="3.1.1", opens="manually")


class Intruder(Actor):
    broker = party("i1", password="guessed")


class OldIntruder(Actor):
    broker = party("i1", password="guessed", version="3.1.1")


@scenario
async def intrude(eve: Intruder) -> None:
    await eve.ask("SUBSCRIBE", topics=["open/#"])


@scenario
async def intrude_as_of_old(eve: OldIntruder) -> None:
    await eve.ask("SUBSCRIBE", topics=["open/#"])


@scenario
async def publish_where_it_is_not_allowed(ann: Sensor) -> None:
    await ann.ask("PUBLISH", topic="secret/1", payload="x", qos=1)


@scenario
async def follow_what_is_not_allowed(ann: OldSensor, bob: Display) -> None:
    await bob.ask("SUBSCRIBE", topics=["secret/#"])
    await ann.ask("PUBLISH", topic="secret/1", payload="x", qos=1)
    await bob.expect("PUBLISH", {"topic": "secret/1"})


@scenario
async def be_taken_over(ann: Sensor, bob: Twin) -> None:
    await ann.ask("SUBSCRIBE", topics=["open/#"])
    await bob.broker.open()
    await ann.expect("PUBLISH")


@scenario
async def be_taken_over_as_of_old(ann: OldSensor, bob: OldTwin) -> None:
    await ann.ask("SUBSCRIBE", topics=["open/#"])
    await bob.broker.open()
    await ann.expect("PUBLISH")


@scenario
async def publish_too_much(ann: Sensor) -> None:
    await ann.ask("PUBLISH", topic="open/1", payload="x" * 5000, qos=1)


@scenario
async def go_unacknowledged(ann: Sensor, pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        await ann.ask("PUBLISH", topic="open/1", payload="x", qos=1)
    finally:
        os.kill(pid, signal.SIGCONT)


@scenario
async def lose_the_broker(ann: Sensor, pid: int) -> None:
    await ann.ask("SUBSCRIBE", topics=["open/#"])
    os.kill(pid, signal.SIGKILL)
    await ann.expect("PUBLISH", {"topic": "open/1"})


@scenario
async def follow_another_topic(ann: Sensor, bob: Display) -> None:
    await bob.ask("SUBSCRIBE", topics=["open/+"])
    await ann.ask("PUBLISH", topic="open/2", payload="x", qos=1)
    await bob.expect("PUBLISH", {"topic": "open/1"})


MOSQUITTO = {
    "mqtt_wrong_password": Case(intrude, ("eve.broker", "not authorized")),
    "mqtt_wrong_password_of_old": Case(intrude_as_of_old, ("eve.broker", "not authorized")),
    "mqtt_publish_not_allowed": Case(publish_where_it_is_not_allowed, ("PUBLISH", "not authorized")),
    "mqtt_topic_not_allowed": Case(
        follow_what_is_not_allowed, ("bob.broker", "PUBLISH", "ann.broker said PUBLISH topic=secret/1")
    ),
    "mqtt_taken_over": Case(
        be_taken_over, ("PUBLISH", "closed the connection", "bob.broker was opened with the very same CONNECT")
    ),
    "mqtt_taken_over_of_old": Case(
        be_taken_over_as_of_old,
        ("PUBLISH", "closed the connection", "bob.broker was opened with the very same CONNECT"),
    ),
    "mqtt_too_large": Case(publish_too_much, ("PUBLISH", "149", "the packet is too large")),
    "mqtt_not_acknowledged": Case(go_unacknowledged, ("the reply to PUBLISH", "it came", "too late")),
    "mqtt_killed": Case(
        lose_the_broker, ("where {topic: 'open/1'}, but the server closed the connection", "nothing arrived")
    ),
    "mqtt_another_topic": Case(follow_another_topic, ("PUBLISH", "'open/2'")),
}


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    (tmp_path / "users").write_text(f"alice:{PASSWORD}\n")
    (tmp_path / "users").chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(tmp_path / "users")], check=True)
    (tmp_path / "acl").write_text("user alice\ntopic readwrite open/#\n")
    (tmp_path / "acl").chmod(0o600)
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {tmp_path}/users", "user root"]
    lines += [f"acl_file {tmp_path}/acl", f"pid_file {tmp_path}/pid", "max_packet_size 2000"]
    (tmp_path / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    with serving(["mosquitto", "-c", str(tmp_path / "mosquitto.conf")], ready="mosquitto version .* running"):
        yield f"tcp://127.0.0.1:{port}"


@without_program("mosquitto")
@pytest.mark.parametrize("name", MOSQUITTO)
def test_mosquitto(name: str, mosquitto: str, tmp_path: Path) -> None:
    scene = MOSQUITTO[name].scenario
    given = {"pid": int((tmp_path / "pid").read_text())} if "pid" in scene.parameters else {}
    judged(MOSQUITTO, name, mosquitto, tmp_path, **given)


# -- RabbitMQ ---------------------------------------------------------------------------------------------------------


def clerk(login: str = "alice", passcode: str = PASSWORD, host: str = "/") -> Link:
    return Link("{server}", dialect=Stomp(login=login, passcode=passcode, host=host), within_s=5)


class Clerk(Actor):
    broker = clerk()


class Guesser(Actor):
    broker = clerk(passcode="guessed")


class Elsewhere(Actor):
    broker = clerk(host="/elsewhere")


class Apprentice(Actor):
    broker = clerk("bob")


@scenario
async def guess_the_password(eve: Guesser) -> None:
    await eve.ask("SUBSCRIBE", destination="/queue/a", id="0")


@scenario
async def be_elsewhere(ann: Elsewhere) -> None:
    await ann.ask("SUBSCRIBE", destination="/queue/a", id="0")


@scenario
async def subscribe_nowhere(ann: Clerk) -> None:
    await ann.ask("SUBSCRIBE", destination="/nowhere/at/all", id="0")


@scenario
async def take_without_the_right(bob: Apprentice) -> None:
    await bob.ask("SUBSCRIBE", destination="/queue/a", id="0")


@scenario
async def want_another_queue(ann: Clerk, bob: Clerk) -> None:
    await ann.ask("SUBSCRIBE", destination="/queue/a", id="0", durable="true")
    await bob.ask("SUBSCRIBE", destination="/queue/a", id="0", durable="false")


@scenario
async def acknowledge_what_did_not_come(ann: Clerk) -> None:
    await ann.ask("ACK", id="T_0@@nothing@@1")


@scenario
async def commit_what_never_began(ann: Clerk) -> None:
    await ann.ask("COMMIT", transaction="t")


RABBITMQ = {
    "rabbitmq_wrong_password": Case(guess_the_password, ("eve.broker", "Access refused for user 'alice'")),
    "rabbitmq_no_host": Case(be_elsewhere, ("ann.broker", "Virtual host '/elsewhere' access denied")),
    "rabbitmq_nowhere": Case(subscribe_nowhere, ("SUBSCRIBE", "Unknown destination", "/nowhere/at/all")),
    "rabbitmq_no_right": Case(take_without_the_right, ("SUBSCRIBE", "access to queue 'a'", "refused for user 'bob'")),
    "rabbitmq_precondition": Case(want_another_queue, ("SUBSCRIBE", "RESOURCE_LOCKED", "exclusive access")),
    "rabbitmq_not_subscribed": Case(acknowledge_what_did_not_come, ("ACK", "not found")),
    "rabbitmq_no_transaction": Case(commit_what_never_began, ("COMMIT", "transaction")),
}


def hashed(password: str) -> str:
    """As RabbitMQ keeps it: four bytes of salt, and what SHA-256 makes of it and the password."""
    return b64encode(b"salt" + sha256(b"salt" + password.encode()).digest()).decode()


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("rabbitmq"), free_port()
    rights = {"alice": ".*", "bob": ""}
    definitions = {
        "vhosts": [{"name": "/"}],
        "users": [{"name": name, "password_hash": hashed(PASSWORD), "tags": ""} for name in rights],
        "permissions": [
            {"user": name, "vhost": "/", "configure": right or "^$", "write": right or "^$", "read": right or "^$"}
            for name, right in rights.items()
        ],
    }
    lines = ["listeners.tcp = none", "log.console = true", "log.console.level = info", "log.file = false"]
    lines += [f"stomp.listeners.tcp.1 = 127.0.0.1:{port}", f"load_definitions = {folder}/definitions.json"]
    (folder / "definitions.json").write_text(json.dumps(definitions))
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
    (folder / "enabled_plugins").write_text("[rabbitmq_stomp].\n")
    env = {
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(free_port()),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_NODENAME": f"antiphon{port}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
    }
    server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    with (
        serving(["epmd", "-d"], ready="epmd running", env=env),
        serving([server], ready="Server startup complete", env=env, within_s=180),
    ):
        yield f"tcp://127.0.0.1:{port}"


@without_program("rabbitmq-server")
@pytest.mark.parametrize("name", RABBITMQ)
def test_rabbitmq(name: str, rabbitmq: str, tmp_path: Path) -> None:
    judged(RABBITMQ, name, rabbitmq, tmp_path)
