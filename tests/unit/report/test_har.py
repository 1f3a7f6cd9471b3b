"""The report "har": an archive as HAR 1.2 describes it, with WebSockets as Chrome DevTools imports them."""

from __future__ import annotations

import base64
import json
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from antiphon.report.formats.har import write_har

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$"}
NEVER_OR_MS = {"type": "number", "minimum": -1}


def of(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these fields; others begin with `_`, as the specification has it for custom fields."""
    fields = required | optional | {"comment": TEXT}
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


PAIRS = many(of({"name": TEXT, "value": TEXT}))
REQUEST = of(
    {
        "method": TEXT,
        "url": TEXT,
        "httpVersion": TEXT,
        "cookies": PAIRS,
        "headers": PAIRS,
        "queryString": PAIRS,
        "headersSize": NUMBER,
        "bodySize": NUMBER,
    },
    postData=of({"mimeType": TEXT, "text": TEXT, "params": PAIRS}),
)
RESPONSE = of(
    {
        "status": {"type": "integer"},
        "statusText": TEXT,
        "httpVersion": TEXT,
        "cookies": PAIRS,
        "headers": PAIRS,
        "content": of({"size": NUMBER, "mimeType": TEXT}, compression=NUMBER, text=TEXT, encoding=TEXT),
        "redirectURL": TEXT,
        "headersSize": NUMBER,
        "bodySize": NUMBER,
    }
)
TIMINGS = of(
    {"send": {"type": "number", "minimum": 0}, "wait": {"type": "number", "minimum": 0}, "receive": NUMBER},
    blocked=NEVER_OR_MS,
    dns=NEVER_OR_MS,
    connect=NEVER_OR_MS,
    ssl=NEVER_OR_MS,
)
WEBSOCKET_MESSAGE = {
    "type": "object",
    "properties": {"type": {"enum": ["send", "receive"]}, "time": NUMBER, "opcode": {"enum": [1, 2]}, "data": TEXT},
    "required": ["type", "time", "opcode", "data"],
}
ENTRY = of(
    {
        "startedDateTime": MOMENT,
        "time": {"type": "number", "minimum": 0},
        "request": REQUEST,
        "response": RESPONSE,
        "cache": {"type": "object"},
        "timings": TIMINGS,
    },
    _resourceType={"enum": ["websocket", "fetch"]},
    _webSocketMessages=many(WEBSOCKET_MESSAGE),
)
ARCHIVE = of(
    {
        "log": of(
            {"version": {"const": "1.2"}, "creator": of({"name": TEXT, "version": TEXT}), "entries": many(ENTRY)},
            pages=many({"type": "object"}),
        )
    }
)


def har(entries: list[Any]) -> list[dict[str, Any]]:
    """The entries of the archive, which fits the specification."""
    file = StringIO()
    write_har(iter(entries), file, Path("runs/7"))
    archive = json.loads(file.getvalue())
    jsonschema.validate(archive, ARCHIVE)
    found = archive["log"]["entries"]
    assert [entry["startedDateTime"] for entry in found] == sorted(entry["startedDateTime"] for entry in found)
    return list(found)


def test_a_channel_is_an_entry_with_its_messages(call: list[Any]) -> None:
    _, desk = har(call)
    assert desk["_resourceType"] == "websocket"
    assert (desk["request"]["url"], desk["response"]["status"]) == ("ws://centre/desk", 101)
    assert desk["startedDateTime"] == "2026-11-22T07:41:44.125Z"
    assert desk["time"] == pytest.approx(9)
    assert [message["type"] for message in desk["_webSocketMessages"]] == ["receive", "send", "receive", "receive"]
    first = desk["_webSocketMessages"][0]
    assert first["time"] == pytest.approx(1_795_333_304.126, abs=1e-4), "seconds since 1970"
    assert (first["opcode"], json.loads(first["data"])["action"]) == (1, "connectionStatus")


def test_a_request_over_http_is_an_entry(telling: Any) -> None:
    told = telling().exchange(response_headers={"location": "/there", "Content-Type": "text/plain"}, response_body="é")
    (entry,) = har(told.finish())
    assert entry["request"]["method"] == "POST"
    assert entry["request"]["queryString"] == [{"name": "user", "value": "alice"}]
    assert entry["request"]["postData"] == {"mimeType": "application/json", "params": [], "text": '{"user":"alice"}'}
    assert (entry["time"], entry["timings"]["wait"]) == (2.0, 2.0)
    assert entry["response"]["content"] == {"size": 2, "mimeType": "text/plain", "text": "é"}
    assert entry["response"]["redirectURL"] == "/there"


def test_binary_data_is_base64(telling: Any) -> None:
    (entry,) = har(telling().open().say("b", raw=b"\xff\x00").finish())
    (message,) = entry["_webSocketMessages"]
    assert message["opcode"] == 2
    assert base64.b64decode(message["data"]) == b"\xff\x00"


def test_each_connection_of_a_channel_is_an_entry_of_its_own(telling: Any) -> None:
    told = telling().open(address="http://centre/desk", subprotocol="v2").say("a").close()
    first, second = har(told.open(address="wss://centre/desk").say("b").say("c").finish())
    assert [len(entry["_webSocketMessages"]) for entry in (first, second)] == [1, 2]
    assert [entry["request"]["url"] for entry in (first, second)] == ["ws://centre/desk", "wss://centre/desk"]
    assert first["response"]["headers"] == [{"name": "Sec-WebSocket-Protocol", "value": "v2"}]
    assert second["time"] == pytest.approx(3), "it lasted until the run's end"


def test_hostile_content_stays_data(hostile: list[Any]) -> None:
    entries = har(hostile)
    messages = [message for entry in entries for message in entry.get("_webSocketMessages", [])]
    assert len(messages) == 6
    huge, binary = (message for message in messages if "_cut" in message)
    assert "more characters are in the journal" in huge["data"][-60:]
    assert len(base64.b64decode(binary["data"])) == 1_048_576
    assert entries[-1]["response"]["status"] == 0
    assert entries[-1]["response"]["_error"]


def test_a_run_without_beginning_and_end(call: list[Any]) -> None:
    assert len(har(call[1:6])) == 2
