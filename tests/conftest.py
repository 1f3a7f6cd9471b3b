"""What tests of every kind share: how much hypothesis tries, a mailbox worked by hand, records beside journals."""

from __future__ import annotations

import asyncio
import gc
import os
import pkgutil
import ssl
import sys
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from ipaddress import ip_address
from itertools import chain, count, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import trustme
from aiohttp import ClientSession
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import HealthCheck, settings

import antiphon
from antiphon import Run
from antiphon.conversation.ending import Ending
from antiphon.conversation.mailbox import Ban, Mailbox
from antiphon.conversation.message import Message
from antiphon.conversation.waits import AbsenceWait, CloseWait, Exchange, MessageWait, UntilWait, Wait
from antiphon.journal import (
    Argument,
    ChannelOpened,
    Handled,
    HttpExchange,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    WaitEnded,
    WaitStarted,
)
from antiphon.journal.file import FILE_NAME, WrittenMessage
from antiphon_testbed import ContactCentre

# Everything is imported here, and not by whichever test comes first in whichever thread: CPython before 3.11.9 may fail
# to compile in two threads at once (https://github.com/python/cpython/issues/106905), and pytest rewrites our modules.
# Those that import Locust would patch this process for gevent.
for module in pkgutil.walk_packages(antiphon.__path__, "antiphon."):
    if "example" not in module.name and not module.name.endswith("__main__") and "antiphon.locust." not in module.name:
        import_module(module.name)

# `pytest --hypothesis-profile=deep` chooses the other one: 12,000 arrival orders, since there are four kinds of them.
# In CI the same examples are tried every time.
settings.register_profile("default", max_examples=30, deadline=None, derandomize="CI" in os.environ)
settings.register_profile(
    "deep", max_examples=3_000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--hypothesis-profile") == "deep":
        return
    skipped = {"deep": "takes minutes: make test-deep"}
    if config.getoption("markexpr") != "slow":
        skipped["slow"] = "takes seconds: make test-slow"
    for item in items:
        for name, reason in skipped.items():
            if item.get_closest_marker(name) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection() -> None:
    """Some thousand tests are many objects, which the garbage collector need not look at again and again."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Nor while the tests run; what is made from here on is looked at."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def collects_quickly() -> None:
    """`gc.collect()` need not look at what other tests have left, only at what is made from here on."""
    gc.freeze()


EXAMPLES = {path.stem for path in Path(__file__).parents[1].glob("examples/*/*.py")}


@pytest.fixture(autouse=True)
def examples_as_they_were() -> Iterator[None]:
    """A test may load another `calls.py` under that name; the next test has the examples again."""
    before = {name: sys.modules.get(name) for name in EXAMPLES}
    yield
    for name, module in before.items():
        if module is not None:
            sys.modules[name] = module
        else:
            sys.modules.pop(name, None)


class Desk:
    """A mailbox and the time, both moved by hand; times are in seconds, and `Desk()` starts at 0."""

    def __init__(self, **sizes: int) -> None:
        self.mailbox = Mailbox("alice.desk", **sizes)
        self.now_ns = 0

    def at(self, now_s: float) -> Desk:
        """Let it be that time."""
        self.now_ns = round(now_s * 1e9)
        return self

    def expire(self, now_s: float) -> None:
        """Let it be that time, and deadlines pass."""
        self.at(now_s).mailbox.expire(self.now_ns)

    def close(self, code: int | None = 1000, reason: str = "") -> None:
        self.mailbox.close(Ending(code, reason, by="peer", is_clean=True), self.now_ns)

    # -- what comes in ------------------------------------------------------------------------------------------------

    def hear(self, name: str = "state", body: Any = None, **correlation: Any) -> Message:
        """A message comes."""
        message = Message(name, {} if body is None else body, "{}", at_ns=self.now_ns, **correlation)
        self.mailbox.deliver(message, self.now_ns)
        return message

    def reply(self, key: Any, body: Any = None, *, name: str = "reply", **correlation: bool) -> Message:
        """A reply comes: the last one, unless `is_last=False` says otherwise."""
        is_last = correlation.setdefault("is_last", True)
        correlation.setdefault("is_answer", is_last)
        return self.hear(name, body, reply_to=key, **correlation)

    # -- who waits ----------------------------------------------------------------------------------------------------

    def expect(self, name: str | None = "state", where: Any = None, **more: Any) -> MessageWait:
        wait = MessageWait(name, where, **self._timed(more))
        self.mailbox.expect(wait)
        return wait

    def expect_none(self, name: str | None = "state", where: Any = None, **more: Any) -> AbsenceWait:
        wait = AbsenceWait(name, where, **self._timed(more))
        self.mailbox.expect_none(wait)
        return wait

    def ask(self, key: Any, *, request: str = "call", body: Any = None, **more: Any) -> Exchange:
        wait = Exchange(Message(request, {} if body is None else body, "{}", asks=key), **self._timed(more))
        self.mailbox.expect_reply(wait)
        return wait

    def until(self, predicate: Callable[[], Any], place: str = "", **more: Any) -> UntilWait:
        wait = UntilWait(predicate, place, **self._timed(more))
        self.mailbox.expect_until(wait)
        return wait

    def expect_close(self, code: int | None = None, **more: Any) -> CloseWait:
        wait = CloseWait(code, **self._timed(more))
        self.mailbox.expect_close(wait)
        return wait

    def forbid(self, name: str | None = "state", where: Any = None, **more: Any) -> Ban:
        return self.mailbox.forbid(AbsenceWait(name, where, made_ns=self.now_ns, deadline_ns=None, **more))

    def abandon(self, wait: Wait) -> None:
        self.mailbox.abandon(wait, self.now_ns)

    def _timed(self, more: dict[str, Any]) -> dict[str, Any]:
        within_s = more.pop("within_s", 5)
        deadline_ns = None if within_s is None else self.now_ns + round(within_s * 1e9)
        return {"made_ns": self.now_ns, "deadline_ns": deadline_ns, **more}

    # -- what came of it ----------------------------------------------------------------------------------------------

    def woken(self) -> list[Wait]:
        """The waits to wake, once each."""
        settled, self.mailbox.settled = self.mailbox.settled, []
        return settled

    @staticmethod
    def is_satisfied(wait: Wait) -> bool:
        """Whether it ended well."""
        return wait.settled_ns >= 0 and wait.error is None and not wait.is_abandoned

    @property
    def kept(self) -> list[int]:
        """The numbers of the messages that no one has taken."""
        return [message.number for message in self.mailbox.kept]


@pytest.fixture
def desk() -> Desk:
    """A mailbox worked by hand."""
    return Desk()


@pytest.fixture
def new_desk() -> type[Desk]:
    """Makes mailboxes of other sizes: `new_desk(limit=1, history=0)`."""
    return Desk


TOLD_BY_ANSWERS = ("dialling", "accepted")
GONE = ("deskDisconnected", "deskReplaced", "noPong", "centreStopped")


class Disagreement(AssertionError):
    """A centre's records and what the desks heard tell different stories."""


def require(is_so: object, text: str) -> None:
    if not is_so:
        raise Disagreement(text)


class Agreement:
    """What a contact centre has recorded, beside what the desks of some runs have heard: each must tell the same.

    `records` are the centre's, `runs` all that were performed there, each with its whole journal. The constructor
    raises Disagreement for whatever only one side knows, and for what reached a desk that it was not for.
    """

    Disagreement = Disagreement

    def __init__(self, records: Sequence[dict[str, Any]], runs: Iterable[Run]) -> None:
        self.records = {record["interactionID"]: record for record in records}
        self.heard: dict[str, list[tuple[str, Message]]] = defaultdict(list)
        """By workitem: who heard what of it, in order."""
        self.begun: list[str] = []
        """The interactions that the runs began."""
        for run in runs:
            self._read(run)
        only_one_side = Counter(self.begun)
        only_one_side.subtract(record["interactionID"] for record in records)
        odd = [interaction for interaction, count in only_one_side.items() if count]
        require(not odd, f"records and journals do not know the same interactions: {odd}")
        known = Counter(workitem for record in records for workitem in self._compare_record(record))
        require(set(known.values()) <= {1}, f"workitems of several records: {known}")
        strange = self.heard.keys() - known.keys()
        require(not strange, f"no record has these workitems: {[(key, self.heard[key]) for key in strange]}")

    @classmethod
    async def at(cls, centre: ContactCentre, runs: Iterable[Run]) -> Agreement:
        """Read all records over HTTP, and compare them."""
        records: list[dict[str, Any]] = []
        following: str | None = "/interactions?limit=1000"
        async with ClientSession() as session:
            while following is not None:
                async with session.get(centre.address + following) as response:
                    page = await response.json()
                records += page["items"]
                following = page["next"]
        assert centre.failures == []
        return cls(records, runs)

    def count(self, state: str, **details: Any) -> int:
        """How many states of that kind are recorded."""
        wanted = {"state": state, **details}
        states = (entry for record in self.records.values() for entry in record["states"])
        return sum(all(entry.get(name) == value for name, value in wanted.items()) for entry in states)

    # -- the journals -------------------------------------------------------------------------------------------------

    def _read(self, run: Run) -> None:
        entries = run.journal
        assert isinstance(entries[0], RunStarted), "the journal does not keep that much"
        for entry in entries:
            if isinstance(entry, HttpExchange):
                if entry.status == 201 and not entry.url.endswith("/messages"):
                    self.begun.append(msgspec.json.decode(entry.response_body)["interactionID"])
            elif isinstance(entry, Message) and not entry.is_sent:
                if entry.name == "resultNewOutInteraction" and entry["result"] == "success":
                    self.begun.append(entry["interactionID"])
                if "workitemID" in entry:
                    self.heard[entry["workitemID"]].append((run.actors[entry.actor].user.name, entry))

    # -- the records --------------------------------------------------------------------------------------------------

    def _compare_record(self, record: dict[str, Any]) -> set[str]:
        """Compare one record with what was heard of it; gives its workitems."""
        tracks: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in record["states"]:
            tracks[entry["workitemID"] or ""].append(entry)
        tracks.pop("", None)  # the queue, of which no desk hears
        lasted: Counter[str] = Counter()
        for workitem, entries in tracks.items():
            for entry, following in pairwise(entries):
                is_right = entry["seconds"] == pytest.approx(ms_between(entry, following) / 1000)
                require(is_right, f"{entry} lasted until {following['at']}")
            lasted += self._compare_workitem(record, workitem, entries)
        for state, seconds in (("connected", record["talk_s"]), ("held", record["hold_s"])):
            heard_s = lasted[state] / 1000
            require(seconds == pytest.approx(heard_s), f"{state} for {seconds} s, and the desks heard of {heard_s}")
        return set(tracks)

    def _compare_workitem(self, record: dict[str, Any], workitem: str, entries: list[dict[str, Any]]) -> Counter[str]:
        """Compare one desk's part; gives how many ms each state lasted, by what the desk heard."""
        (user, *others) = {entry["user"] for entry in entries}
        require(not others, f"workitem {workitem} is {user}'s, and of {others} too")
        heard: dict[str, list[Message]] = defaultdict(list)
        for listener, message in self.heard[workitem]:
            is_for_it = listener == user and message.get("interactionID", record["interactionID"])
            require(
                is_for_it == record["interactionID"], f"{listener} heard of {user}'s: {message.name} {message.body}"
            )
            heard[message.name].append(message)
        told = states_of(heard["newWorkitemState"])
        recorded = [told_by(entry) for entry in entries if entry["state"] not in TOLD_BY_ANSWERS]
        if len(told) == len(recorded) - 1 and recorded[-1].get("reason") in GONE:
            told.append(recorded[-1])  # who is gone cannot be told
        require(told == recorded, f"{user} heard {told}, and recorded is {recorded}")
        media = sum(entry["state"] in TOLD_BY_ANSWERS for entry in entries)
        require(len(heard["newRtc"]) == media, f"{user} was offered media {len(heard['newRtc'])} times, not {media}")
        self._compare_parties(record, told, heard["workitemPartyList"])
        if record["channel"] == "chat":
            self._compare_chat(record, entries, heard["newChatMessage"])
        lasted: Counter[str] = Counter()
        for state, following in pairwise(told):
            if "consult" not in state:
                lasted[state["state"]] += ms_between(state, following)
        return lasted

    def _compare_parties(self, record: dict[str, Any], told: list[dict[str, Any]], lists: list[Message]) -> None:
        was_there = any(state["state"] == "connected" for state in told)
        require(bool(lists) == was_there, f"{len(lists)} lists of parties at a desk that was told {told}")
        recorded = {(party["role"], party["name"]) for party in record["parties"] if party["joined_at"]}
        for message in lists:
            listed = {(party["role"], party["name"]) for party in message["parties"]}
            require(listed <= recorded, f"{listed} were listed, and recorded are {recorded}")

    def _compare_chat(self, record: dict[str, Any], entries: list[dict[str, Any]], messages: list[Message]) -> None:
        """A desk hears what was written before it took the chat, and then what the customer writes."""
        heard = [{name: message[name] for name in ("messageID", "role", "from", "text", "at")} for message in messages]
        joined = next((entry["at"] for entry in entries if entry["state"] == "connected"), "~")
        left = next((entry["at"] for entry in entries if entry["state"] in ("wrapUp", "finished")), "~")
        for message in record["messages"]:
            is_for_it = message["at"] < joined or message["role"] == "customer"
            least = int(joined < "~" and is_for_it and message["at"] < left)
            require(least <= heard.count(message) <= 1, f"{message} was heard {heard.count(message)} times")
        in_order = iter(record["messages"])
        require(all(message in in_order for message in heard), f"{heard} was heard of {record['messages']}")


def states_of(messages: list[Message]) -> list[dict[str, Any]]:
    """What `newWorkitemState` told, without the repetitions that muting twice makes."""
    told: list[dict[str, Any]] = []
    for message in messages:
        state = told_by(message.body)
        if not told or {**state, "at": told[-1]["at"]} != told[-1] or not {"connected", "held"} & {state["state"]}:
            told.append(state)
    return told


def told_by(state: dict[str, Any]) -> dict[str, Any]:
    """What a record and an event both tell of a state."""
    kept = ("state", "at", "muted", "consult", "reason", "disposition", "outcome")
    return {name: state[name] for name in kept if state.get(name)}


def ms_between(state: dict[str, Any], following: dict[str, Any]) -> float:
    return (datetime.fromisoformat(following["at"]) - datetime.fromisoformat(state["at"])).total_seconds() * 1000


@pytest.fixture(scope="session")
def agreement() -> type[Agreement]:
    """Compares the records of a centre with what the desks heard: `await agreement.at(centre, runs)`."""
    return Agreement


@pytest.fixture(scope="session")
def long_journal() -> Callable[[Path, int], Path]:
    """Writes a journal of that many messages: `long_journal(directory, 100_000)` gives the directory.

    Three operators work through steps of eight requests each. Some of what they receive is a heartbeat, some nobody
    takes. Every third step is inside another.
    """
    return _write_long_journal


def _write_long_journal(directory: Path, messages: int) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    encode = msgspec.json.Encoder().encode
    with (directory / FILE_NAME).open("wb") as file:
        for entry in _long_conversation(messages):
            file.write(encode(WrittenMessage.of(entry) if isinstance(entry, Message) else entry) + b"\n")
    return directory


def _long_conversation(messages: int) -> Iterator[Any]:
    actors = ["alice", "bob", "carol"]
    clock, keys = count(0, 137_000), count(1)
    numbers = {(actor, is_sent): count(1) for actor in actors for is_sent in (False, True)}

    def said(actor: str, name: str, *, is_sent: bool, **options: Any) -> Message:
        body = msgspec.json.encode({"action": name, "data": {"seq": next(keys), "state": "ready"}}).decode()
        number = next(numbers[actor, is_sent])
        return Message(
            name, None, body, actor=actor, channel="desk", is_sent=is_sent, number=number, at_ns=next(clock), **options
        )

    yield RunStarted(
        at_ns=0,
        scenario="busy_day",
        parameters={},
        actors={actor: ["desk"] for actor in actors},
        stand="local",
        started_at="2026-11-22T07:41:44.000Z",
        antiphon="0.1.0",
        python="3.11.7",
        pid=1,
    )
    for actor in actors:
        yield ChannelOpened(at_ns=next(clock), actor=actor, channel="desk", address="ws://centre.local:8080/desk")
    conversation = chain.from_iterable(_step_of_eight(number, actors[number % 3], said, clock) for number in count(1))
    left = messages
    for entry in conversation:
        yield entry
        left -= isinstance(entry, Message)
        if not left:
            break
    yield RunEnded(at_ns=next(clock), verdict="passed")


def _step_of_eight(number: int, actor: str, said: Callable[..., Message], clock: Iterator[int]) -> Iterator[Any]:
    at_ns = next(clock)
    yield StepStarted(
        at_ns=at_ns,
        number=number,
        parent=number - 1 if number % 3 == 0 else 0,
        actor=actor,
        action="fetch_records",
        arguments=[Argument(number)],
        source="calls.py:3",
    )
    for index in range(8):
        request = said(actor, "getRecord", is_sent=True, step=number, asks=f"{number}.{index}")
        yield request
        wait = 8 * number + index
        yield WaitStarted(
            at_ns=request.at_ns,
            number=wait,
            actor=actor,
            channel="desk",
            awaits="reply",
            name="getRecord",
            step=number,
            deadline_ns=request.at_ns + 10**10,
            source="desk.py:9",
        )
        if index % 4 == 0:
            ping = said(actor, "ping", is_sent=False)
            yield ping
            yield said(actor, "pong", is_sent=True)
            yield Handled(
                at_ns=ping.at_ns,
                actor=actor,
                channel="desk",
                message=ping.number,
                handler="answer_ping",
                took_ns=9_000,
            )
        yield said(actor, "newState", is_sent=False)
        reply = said(actor, "resultGetRecord", is_sent=False, reply_to=request.asks)
        yield reply
        yield WaitEnded(at_ns=reply.at_ns, number=wait, outcome="satisfied", message=reply.number)
    if number % 3 != 2:  # the step around another ends after it
        yield StepEnded(at_ns=next(clock), number=number, outcome="passed")
    if number % 3 == 0:
        yield StepEnded(at_ns=next(clock), number=number - 1, outcome="passed")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of PEM files: `ca.pem`; pairs of it, as `server.pem` and `server.key`; and `stranger.pem`, of another.

    `server`, `expired` and `stranger` are localhost and 127.0.0.1, `named` is centre.internal, `client` is a tester.
    `encrypted.key` is the client's with the password "open sesame"; `both.pem` is the client's, with its key.
    """
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    here, long_ago = ("localhost", "127.0.0.1"), datetime(2020, 1, 1, tzinfo=UTC)
    issued = {
        "server": authority.issue_cert(*here),
        "expired": authority.issue_cert(*here, not_before=long_ago, not_after=datetime(2020, 2, 1, tzinfo=UTC)),
        "named": authority.issue_cert("centre.internal"),
        "client": authority.issue_cert("tester@example.com", common_name="tester"),
        "stranger": trustme.CA().issue_cert(*here),
    }
    for name, certificate in issued.items():
        certificate.private_key_pem.write_to_path(folder / f"{name}.key")
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(folder / f"{name}.pem", append=True)
    issued["client"].private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    key = load_pem_private_key(issued["client"].private_key_pem.bytes(), None)
    (folder / "encrypted.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    )
    return folder


class ProxyServer:
    """A proxy on a free port that speaks HTTP, SOCKS 5 and SOCKS 4, whichever it is spoken to in.

    `user` and `password` are wanted if given. `hosts` are names that only it knows, and where they lead. `refusal` is
    what it answers to everybody instead. `asked` is what it was asked for, `credentials` by whom; `open` how many
    connections there are.
    """

    def __init__(self) -> None:
        self.user = self.password = ""
        self.hosts: dict[str, str] = {}
        self.refusal = b""
        self.asked: list[str] = []
        self.credentials: list[str] = []
        self.open = 0
        self.closed = asyncio.Event()
        self.port = 0

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[ProxyServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
            while self.open:
                self.closed.clear()
                await self.closed.wait()
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with suppress(OSError, EOFError):
            first = await reader.readexactly(1)
            if first == b"\x05":
                await self._socks5(reader, writer)
            elif first == b"\x04":
                await self._socks4(reader, writer)
            else:
                await self._http(first, reader, writer)
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()
        self.open -= 1
        self.closed.set()

    async def _http(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        line = next((each for each in head.decode().split("\r\n") if each.startswith("Proxy-Authorization: ")), "")
        self.credentials.append(b64decode(line.partition("Basic ")[2]).decode())
        if self.refusal:
            writer.write(self.refusal)
        elif self.user and self.credentials[-1] != f"{self.user}:{self.password}":
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9\r\n\r\nwho asks?")
        elif method == "CONNECT":
            host, _, port = target.rpartition(":")
            await self._relay(
                host.strip("[]"), int(port), reader, writer, said=b"HTTP/1.0 200 Connection established\r\n\r\n"
            )
        else:
            where = urlsplit(target)
            rest = head.replace(target.encode(), (where.path or "/").encode(), 1)
            await self._relay(where.hostname or "", where.port or 80, reader, writer, asked=rest)

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        wanted = 2 if self.user else 0
        writer.write(bytes([5, wanted if wanted in methods else 0xFF]))
        if wanted not in methods:
            return
        if wanted:
            await reader.readexactly(1)
            user = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            password = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            self.credentials.append(f"{user}:{password}")
            is_right = (user, password) == (self.user, self.password)
            writer.write(bytes([1, not is_right]))
            if not is_right:
                return
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        port = int.from_bytes(await reader.readexactly(2))
        self.asked.append(f"SOCKS5 {host}:{port}")
        if self.refusal:
            writer.write(self.refusal)
            return
        await self._relay(host, port, reader, writer, said=b"\x05\x00\x00\x01" + bytes(6))

    async def _socks4(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(7)
        await reader.readuntil(b"\0")
        host = str(ip_address(head[3:]))
        if head[3:6] == bytes(3):
            host = (await reader.readuntil(b"\0"))[:-1].decode()
        port = int.from_bytes(head[1:3])
        self.asked.append(f"SOCKS4 {host}:{port}")
        await self._relay(host, port, reader, writer, said=b"\0\x5a" + bytes(6))

    async def _relay(
        self,
        host: str,
        port: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        said: bytes = b"",
        asked: bytes = b"",
    ) -> None:
        there, to_there = await asyncio.open_connection(self.hosts.get(host, host), port)
        writer.write(said)
        to_there.write(asked)
        await asyncio.gather(self._pump(reader, to_there), self._pump(there, writer))

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, RuntimeError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
def proxy() -> ProxyServer:
    """A proxy that serves in `async with proxy.serving():`."""
    return ProxyServer()
