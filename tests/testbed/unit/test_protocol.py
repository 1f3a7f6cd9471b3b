"""What is a frame of the protocol, and what the centre says."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import antiphon_testbed
from antiphon_testbed.protocol import EVENTS, MESSAGES, malformation


@pytest.mark.parametrize(
    ("name", "body", "raw"),
    [
        ("unnamed", {}, "[1, 2]"),
        ("unnamed", {}, '"pong"'),
        ("unnamed", {}, "null"),
        ("unnamed", {"seq": 1}, '{"data": {"seq": 1}}'),
        ("unnamed", {"seq": 1}, '{"action": 5, "data": {"seq": 1}}'),
        ("unnamed", {}, '{"action": "", "data": {}}'),
        ("getAgentData", {}, '{"action": "getAgentData"}'),
        ("getAgentData", [], '{"action": "getAgentData", "data": []}'),
        ("getAgentData", None, '{"action": "getAgentData", "data": null}'),
        ("getAgentData", "x", '{"action": "getAgentData", "data": "x"}'),
        ("getAgentData", {}, b'{"action": "getAgentData", "data": {}}'),
    ],
)
def test_frames_that_are_no_request(name: str, body: Any, raw: Any) -> None:
    assert malformation(name, body, raw)


@pytest.mark.parametrize(
    ("name", "body", "raw"),
    [
        ("getAgentData", {}, '{"action": "getAgentData", "data": {}}'),
        ("getAgentData", {}, '{"d\\u0061ta": {}, "action": "getAgentData"}'),
        ("pong", {"seq": 1}, '{"action": "pong", "data": {"seq": 1}, "more": 1}'),
        ("unnamed", {"x": 1}, '{"action": "unnamed", "data": {"x": 1}}'),
    ],
)
def test_frames_that_are_a_request(name: str, body: Any, raw: Any) -> None:
    assert malformation(name, body, raw) is None


def test_every_event_that_the_centre_says_is_known() -> None:
    said = set()
    for path in Path(antiphon_testbed.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event":
                name = node.args[1]
                if isinstance(name, ast.Constant):
                    said.add(name.value)
    assert said <= EVENTS
    assert said >= {"newWorkitemState", "ping", "error"}
    assert EVENTS <= MESSAGES
