"""The talk's case is performed in both forms, and both pages have the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from manual.blocks import BLOCKS, joined

import antiphon
from antiphon import Stand
from antiphon.scenarios.scenario import load_file, scenarios_of

PAGE, IN_RUSSIAN = "docs/FROM_THE_TALK.md", "docs/FROM_THE_TALK.ru.md"
CENTRE = "antiphon_testbed:ContactCentre"


@pytest.fixture
def page(tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "from_the_talk.py"
    file.write_text(joined(PAGE, "python"), encoding="utf-8")
    return scenarios_of(load_file(str(file)))


def play(scenario: Any) -> antiphon.Run:
    return antiphon.play(scenario, stand=Stand(start=CENTRE), runs=None)


def test_the_twelve_steps_as_a_list(page: dict[str, Any]) -> None:
    sys.modules["from_the_talk"].test_long_case(play)
    assert len([step for step in page["long_case"].function(None, None) if step.name != "sign_in"]) == 12


def test_the_twelve_steps_in_python(page: dict[str, Any]) -> None:
    assert play(page["long_case_in_python"]).value == ["Ada", "connected", True]


def test_both_pages_have_the_same_code() -> None:
    code = {name: [block.text for block in BLOCKS if block.page == name] for name in (PAGE, IN_RUSSIAN)}
    assert code[PAGE] == code[IN_RUSSIAN]


def test_both_pages_have_the_same_parts() -> None:
    def shape(name: str) -> list[int]:
        text = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
        return [text.count(mark) for mark in ("\n## ", "\n| ", "\n- ")]

    assert shape(PAGE) == shape(IN_RUSSIAN)
