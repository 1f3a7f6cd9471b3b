"""The how-to pages do what they say: each is one file beside its stand, as a reader would save it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from manual.blocks import BLOCKS, joined
from manual.places import ROOT

import antiphon
from antiphon import load_stand, perform
from antiphon.conversation.match import differences
from antiphon.scenarios.scenario import load_file, scenarios_of

CENTRE = '[stands.centre]\nstart = "antiphon_testbed:ContactCentre"\n'

COMES_TO: dict[str, dict[str, Any]] = {
    "log_in_first": {"log_in": True},
    "two_actors": {"at_the_same_time": True, "in_their_order": [[[str, None, None, None], [str, str, None]], str]},
    "heartbeats": {"stay_awake": 1},
    "binary_frames": {"look": [640, 90], "say_what_no_dialect_says": b"\x01\x00\x01"},
    "no_ids": {"buy": [1, 2], "what_says_nothing_of_replies": "seen"},
    "server_first": {"greeted": ["newAgentState", "agentCapacity"], "greeted_again": True},
    "streams": {
        "the_first_three": [0, 1, 2, 0],
        "the_last_one": 4,
        "said_by_the_request": ["trying", "ringing", "connected"],
    },
    "refusals": {
        "of_a_request": "unknownState",
        "of_a_request_that_may_be_refused": True,
        "of_a_login": 401,
        "of_a_connection": 401,
        "by_a_close": [4409, "replaced", "peer"],
    },
    "reconnecting": {"by_hand": 1012, "by_itself": 2},
    "silence": {"nothing_comes": None, "nothing_comes_any_more": None, "nothing_comes_meanwhile": "ready"},
    "waiting": {
        "all_in_any_order": ["agentCapacity", "connectionStatus", "resultGetAgentData"],
        "whichever_comes_first": "ready",
        "a_condition": ["notReady", "ready", "break"],
        "made_now_awaited_later": True,
        "all_that_came": ["agentCapacity", "newAgentState"],
    },
    "patterns": {
        "fits": 12,
        "does_not_fit": [
            "  state is 'held', wanted 'connected'",
            "  parties[1].line is not there, wanted anything",
        ],
        "goes_on": "at the end",
    },
    "answers": {"dinner": [True, "bread", "oil", "inedible"]},
    "json_rpc": {"call_it": [23, -32602, 100], "several_in_one_frame": [1, 2, 3]},
    "users_and_stands": {"two_at_once": True},
}
"""What the scenarios of each page come to, as patterns."""

OF_OTHERS = {"your_own"}
"""Has Python without scenarios, and a test of its own."""

LOOKED_FOR = [
    *("expect_none", "expect_close", "until", "forbid", "drain", "mark", "since", "DEFERRED", "later", "batch"),
    *(
        "refused",
        "reopens",
        "send_data",
        'opens="manually"',
        "first_of",
        "expect_refusal",
        "provisional",
        "JsonRpc",
        "where",
        "ABSENT",
    ),
]
"""Words that nobody found while they stood in docstrings alone."""


@pytest.fixture
def saved_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """The scenarios of a page, which is saved with its stand in the working directory."""

    def save(name: str) -> dict[str, Any]:
        page = f"docs/howto/{name}.md"
        (tmp_path / "antiphon.toml").write_text(joined(page, "toml") or CENTRE, encoding="utf-8")
        (tmp_path / f"{name}.py").write_text(joined(page, "python"), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        # A stand imports the module that its `start` names, and every page has one.
        monkeypatch.delitem(sys.modules, name, raising=False)
        return scenarios_of(load_file(f"{name}.py"))

    return save


@pytest.mark.parametrize("name", COMES_TO)
def test_a_page_comes_to_what_it_says(name: str, saved_page: Callable[[str], dict[str, Any]]) -> None:
    came_to = {}
    for scenario_name, scenario in saved_page(name).items():
        run = asyncio.run(perform(scenario, stand=load_stand(), runs=None))
        came_to[scenario_name] = run.value
    assert differences(COMES_TO[name], came_to) == []
    assert came_to.keys() == COMES_TO[name].keys()


def test_every_page_with_python_is_tried() -> None:
    pages = {
        Path(block.page).stem for block in BLOCKS if block.page.startswith("docs/howto/") and block.language == "python"
    }
    assert pages == {*COMES_TO, *OF_OTHERS}


def test_every_page_is_on_the_list() -> None:
    listed = (ROOT / "docs/howto/README.md").read_text(encoding="utf-8")
    names = {page.name for page in (ROOT / "docs/howto").glob("*.md")} - {"README.md"}
    assert [name for name in sorted(names) if f"]({name})" not in listed] == []


@pytest.mark.parametrize("word", LOOKED_FOR)
def test_the_words_that_nobody_found_are_in_the_code_of_a_page(word: str) -> None:
    assert any(word in joined(f"docs/howto/{name}.md", "python") for name in COMES_TO)


def test_the_report_of_ones_own_counts_entries(tmp_path: Path, saved_page: Callable[[str], dict[str, Any]]) -> None:
    assert saved_page("your_own") == {}

    @antiphon.scenario
    async def quiet() -> None:
        await antiphon.wait(0)

    run = antiphon.play(quiet, runs=tmp_path / "runs")
    assert run.directory is not None
    sys.modules["your_own"].COUNTS(run.directory).close()
    assert "RunStarted 1\n" in (run.directory / "counts.txt").read_text()
