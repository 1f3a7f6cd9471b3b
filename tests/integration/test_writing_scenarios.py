"""docs/WRITING_SCENARIOS.md: its file runs, and its stands can be read."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

import antiphon
from antiphon import Stand, load_stand, perform
from antiphon.scenarios.scenario import load_file, scenarios_of
from antiphon.testing import VirtualTimeLoop

PAGE = Path(__file__).parents[2] / "docs" / "WRITING_SCENARIOS.md"


def blocks(language: str) -> str:
    return "\n\n".join(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    (tmp_path / "antiphon.toml").write_text(blocks("toml"), encoding="utf-8")
    (tmp_path / "users.csv").write_text("name,password\nalice,${ALICE_PASSWORD}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALICE_PASSWORD", "looking-glass")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return load_stand()


def test_its_scenarios_run(stand: Stand, tmp_path: Path) -> None:
    file = tmp_path / "written_scenarios.py"
    file.write_text(blocks("python"), encoding="utf-8")
    values: dict[str, Any] = {}
    for name, scenario in scenarios_of(load_file(str(file))).items():
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            run = runner.run(perform(scenario, stand=stand, runs=None))
        values[name] = (run.value, round(run.duration_s, 1))
    assert values == {
        "in_a_list": ([[[890000002, 7, None], [7, "accepted by alice", None], [None, None]]], 0.8),
        "in_plain_async": (890000002, 0.3),
        "on_time": (["accepted by alice", ["accepted by alice", None], [["accepted by alice", None]] * 3], 3.7),
        "judged": ([{"state": "finished", "talk_s": 3}, None, None], 0.0),
        "two_desks": (["alice", "bob"], 0.0),
    }


def test_its_stands_can_be_chosen(stand: Stand) -> None:
    assert stand.name == "local"
    staging = load_stand("staging")
    assert staging.addresses == {"centre": "https://staging.example"}
    assert (staging.within_s, staging.users_within_s) == (15, 20)
    assert staging.users.fields() == [{"name": "alice", "password": "looking-glass"}]


def test_its_words_are_all_there() -> None:
    words = set(re.findall(r"^\| `(\w+)\(", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert words == {"wait", "call", "together", "repeat", "at", "within", "signal", "await_signal", "send"}
    assert words <= set(antiphon.__all__)
