"""Scenarios as definitions: their parameters, and how they are found in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from antiphon import Actor, ScenarioError, Step, play, scenario
from antiphon.journal import RunEnded
from antiphon.scenarios.scenario import find_scenario, load_file, scenarios_of


class Nobody(Actor):
    pass


@scenario
def sample(
    nobody: Nobody,
    name: str,
    count: int = 3,
    ratio: float = 0.5,
    mode: Literal["a", "b"] = "a",
    tags: list[str] | None = None,
) -> list[Step[Any]]:
    """Does nothing.

    At all.
    """
    return []


def test_a_scenario_knows_its_parts() -> None:
    assert sample.summary == "Does nothing."
    assert sample.actors == {"nobody": Nobody}
    assert list(sample.parameters) == ["name", "count", "ratio", "mode", "tags"]
    assert sample.parameters["name"].is_required
    assert sample.parameters["count"].default == 3
    assert not sample.is_async


def test_parameters_are_checked_and_passed() -> None:
    run = play(sample, runs=None, name="x", ratio=1, tags=["y"])
    assert run.parameters == {"name": "x", "count": 3, "ratio": 1, "mode": "a", "tags": ["y"]}
    assert run.verdict == "passed"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "sample needs a value for 'name'"),
        ({"name": 5}, "sample takes name as str, not 5"),
        ({"name": "x", "count": "3"}, "sample takes count as int, not '3'"),
        ({"name": "x", "count": True}, "sample takes count as int, not True"),
        ({"name": "x", "mode": "c"}, "sample takes mode as"),
        ({"name": "x", "tags": [1]}, "sample takes tags as"),
        ({"name": "x", "nmae": 1}, "sample has no parameter 'nmae'"),
    ],
)
def test_a_wrong_parameter_is_one_clear_error(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told) as wrong:
        play(sample, runs=None, **given)
    assert "test_scenarios.py" in str(wrong.value)


def test_reserved_names_are_refused() -> None:
    with pytest.raises(ScenarioError, match="a parameter 'stand'"):

        @scenario
        def wrong(stand: str) -> list[Step[Any]]:
            return []


def test_variable_parameters_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"takes \*args"):

        @scenario
        def wrong(*args: str) -> list[Step[Any]]:
            return []


def test_unknown_types_are_refused() -> None:
    with pytest.raises(ScenarioError, match="the types of wrong cannot be read"):

        @scenario
        def wrong(who: Unknown) -> list[Step[Any]]:  # type: ignore[name-defined]  # noqa: F821
            return []


SOURCE = """
from antiphon import scenario
from pathlib import Path

@scenario
def one(n: int = 1):
    "The first."
    return []

@scenario
async def two():
    return None
"""


def test_scenarios_are_found_in_files(tmp_path: Path) -> None:
    file = tmp_path / "some_calls.py"
    file.write_text(SOURCE)
    assert find_scenario(f"{file}:two").is_async
    assert list(scenarios_of(load_file(str(file)))) == ["one", "two"]
    with pytest.raises(ScenarioError, match=r"no scenario 'three'.*\n.*\n.*there is one, two"):
        find_scenario(f"{file}:three")
    with pytest.raises(ScenarioError, match="which scenario is meant"):
        find_scenario(str(file))


def test_a_file_with_one_scenario_needs_no_name(tmp_path: Path) -> None:
    file = tmp_path / "single_call.py"
    file.write_text("from antiphon import scenario\n@scenario\ndef only(): return []\n")
    assert find_scenario(str(file)).name == "only"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def (:", "SyntaxError"),
        ("import no_such_module_at_all", "ModuleNotFoundError"),
        ("\n\nraise ValueError('on line 3')", r"broken_\w+\.py:3"),
    ],
)
def test_a_file_that_cannot_be_imported_says_where(tmp_path: Path, source: str, told: str, request: Any) -> None:
    file = tmp_path / f"broken_{abs(hash(source))}.py"
    file.write_text(source)
    with pytest.raises(ScenarioError, match=told):
        find_scenario(f"{file}:x")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ScenarioError, match=r"there is no file 'nowhere\.py'"):
        find_scenario("nowhere.py:x")


def test_the_same_scenario_plays_on_any_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "antiphon.toml").write_text(
        'default = "first"\n[stands.first]\nusers = [{ name = "alice" }]\n[stands.second]\nusers = [{ name = "bob" }]\n'
    )
    monkeypatch.chdir(tmp_path)

    @scenario
    async def who(nobody: Nobody) -> str:
        return str(nobody.user.name)

    assert [play(who, stand=stand, runs=None).value for stand in (None, "first", "second")] == ["alice", "alice", "bob"]


def test_of_a_run_so_many_entries_stay_in_memory() -> None:
    kept = play(sample, runs=None, keep=2, name="x", ratio=1, tags=["y"]).journal
    assert len(kept) == 2
    assert isinstance(kept[-1], RunEnded)
