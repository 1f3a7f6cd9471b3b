"""What tests of reports share: runs written by hand, plain, hostile and long, and directories that hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from antiphon import journal
from antiphon.conversation.message import Data, Message
from antiphon.journal import Argument, Journal
from antiphon.journal.file import FILE_NAME, JournalWriter

STARTED_AT = "2026-11-22T07:41:44.123Z"


class Telling:
    """Makes the entries of a run, one after the other, a millisecond apart."""

    def __init__(self, actors: dict[str, list[str]] | None = None, **parameters: Any) -> None:
        self.at_ns = 0
        self.entries: list[Any] = []
        self._steps = 0
        self._counts: dict[tuple[str, str, bool], int] = {}
        self.add(
            journal.RunStarted,
            scenario="outgoing",
            parameters=parameters,
            actors={"operator": ["desk"]} if actors is None else actors,
            stand="local",
            started_at=STARTED_AT,
            antiphon="0.1.0",
            python="3.11.7",
            pid=7,
        )

    def add(self, kind: type, **fields: Any) -> Telling:
        self.entries.append(kind(at_ns=self.at_ns, **fields))
        self.at_ns += 1_000_000
        return self

    def open(self, actor: str = "operator", channel: str = "desk", **fields: Any) -> Telling:
        given = {"address": "ws://centre/desk", **fields}
        return self.add(journal.ChannelOpened, actor=actor, channel=channel, **given)

    def close(self, actor: str = "operator", channel: str = "desk", by: str = "us", code: int | None = 1000) -> Telling:
        return self.add(journal.ChannelEnded, actor=actor, channel=channel, code=code, reason="", by=by)

    def begin(self, action: str, *args: Any, parent: int = 0, actor: str = "operator", **named: Any) -> int:
        """A step begins, with these arguments; its number."""
        self._steps += 1
        arguments = [*map(Argument, args), *(Argument(value, name) for name, value in named.items())]
        fields = {"action": action, "arguments": arguments, "actor": actor, "source": "calls.py:7"}
        self.add(journal.StepStarted, number=self._steps, parent=parent, **fields)
        return self._steps

    def end(self, step: int, outcome: str = "passed", error: str = "") -> Telling:
        return self.add(journal.StepEnded, number=step, outcome=outcome, error=error)

    def say(
        self, name: str, body: Any = None, *, raw: Data | None = None, is_sent: bool = False, **fields: Any
    ) -> Telling:
        """A message; its data is `{"action": name, "data": body}` unless it is given."""
        place = {"actor": "operator", "channel": "desk", "is_sent": is_sent}
        place |= {key: fields.pop(key) for key in ("actor", "channel") if key in fields}
        key = (place["actor"], place["channel"], is_sent)
        self._counts[key] = self._counts.get(key, 0) + 1
        data = json.dumps({"action": name, "data": {} if body is None else body}) if raw is None else raw
        fields = {"number": self._counts[key], "at_ns": self.at_ns, **place, **fields}
        self.entries.append(Message(name, body, data, **fields))
        self.at_ns += 1_000_000
        return self

    def exchange(self, **fields: Any) -> Telling:
        given: dict[str, Any] = {
            "actor": "operator",
            "channel": "api",
            "step": 0,
            "number": 1,
            "method": "POST",
            "url": "http://centre/login?user=alice",
            "took_ns": 2_000_000,
            "request_headers": {"Content-Type": "application/json"},
            "request_body": '{"user":"alice"}',
            "status": 200,
            "response_headers": {"content-type": "application/json"},
            "response_body": '{"ok":true}',
        }
        return self.add(journal.HttpExchange, **given | fields)

    def finish(self, verdict: str = "passed", error: str = "") -> list[Any]:
        """The run ends; its entries."""
        if error:
            self.add(journal.Failed, error=error.partition(":")[0], text=error)
        return self.add(journal.RunEnded, verdict=verdict, error=error).entries


@pytest.fixture
def telling() -> type[Telling]:
    """Makes the entries of a run by hand."""
    return Telling


@pytest.fixture
def call(telling: type[Telling]) -> list[Any]:
    """A call that fails: a login, two steps, one in the other, and a message for each."""
    told = telling(telephone="890000002")
    told.exchange().open()
    told.say("connectionStatus", {"status": "connected"})
    outer = told.begin("outbound_call", "890000002", tries=2)
    told.say("newOutInteraction", {"destination": "890000002"}, is_sent=True, step=outer, asks="r1")
    told.say("resultNewOutInteraction", {"result": "success"}, reply_to="r1")
    inner = told.begin("answer", parent=outer)
    told.say("newRtc", {"offer": "v=0"})
    told.end(inner).end(outer, "failed", "DeadlinePassed")
    told.close()
    return told.finish("failed", "DeadlinePassed: operator.desk waited 10 s for newWorkitemState\n  at desk.py:9")


@pytest.fixture
def hostile(telling: type[Telling]) -> list[Any]:
    """A run whose names and data are made to break whatever shows them."""
    evil = (
        "]]></system-out><script>alert('x')</script>&amp; `` ``` | ~~~ #35; %% \x00\x08\x1b[2J\u202eabc\ufffe\r\n## end"
    )
    told = telling({evil: [evil, "../../../etc"], "al/ice": ["desk"]}, **{"../name": evil, "quote": "\"'<"})
    told.open(actor=evil, channel=evil, address=evil, headers={evil: evil}, subprotocol=evil)
    step = told.begin(evil, evil, actor=evil, **{evil: evil})
    odd = told.begin("\x00(", {"$shown": "not python ("}, actor="al/ice", parent=99)
    told.say("../../x\x00/y", raw=evil, actor=evil, channel=evil, step=step, is_sent=True)
    told.say("end", raw=b"\xff\xfe\x00binary", actor="al/ice")
    told.say("", raw=b"\xe2\x82", actor="nobody", channel="nowhere")
    told.say("huge", raw='{"text":"' + "x" * 5 * 1024 * 1024 + '"}', actor="al/ice")
    told.say("hugeBinary", raw=bytes(5 * 1024 * 1024), actor="al/ice")
    told.say("deep", raw="[" * 5000 + "]" * 5000, actor="al/ice")
    told.exchange(url="http://[bad/\x00?a=%zz", method=evil, request_body=evil, error=evil, status=0)
    told.end(odd, "cancelled").end(step, "failed", evil).end(1234)
    return told.finish("failed", evil)


@pytest.fixture
def long_run(telling: type[Telling]) -> Callable[[int], list[Any]]:
    """Runs of so many messages, a hundred in a step."""

    def make(count: int) -> list[Any]:
        told = telling().open()
        step = 0
        for number in range(count // 2):
            if number % 50 == 0:
                told.end(step) if step else None
                step = told.begin("work", number)
            told.say("hold", {"n": number}, is_sent=True, step=step)
            told.say("resultHold", {"result": "success", "n": number})
        return told.end(step).finish()

    return make


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Writes entries into a run's directory as a run does, secrets masked; the directory."""

    def write(entries: Iterable[Any], name: str = "run") -> Path:
        directory = tmp_path / name
        directory.mkdir()
        told = Journal()
        writer = JournalWriter(directory / FILE_NAME)
        told.attach(writer)
        for entry in entries:
            told.record(entry)
        writer.close()
        return directory

    return write
