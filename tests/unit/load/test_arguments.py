"""What each conversation of a part is given."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from antiphon import Actor, scenario
from antiphon.errors import ScenarioError
from antiphon.load.arguments import Arguments, check_arguments
from antiphon.load.feed import feed

HERE = "plan.py:7"


class Operator(Actor):
    """Somebody."""


class Colour(Enum):
    """A type of an author's."""

    RED = "red"


@scenario
async def outgoing(
    operator: Operator,
    telephone: str,
    tries: int = 1,
    is_vip: bool = False,
    either: str | int = 0,
    where: Path = Path("here"),
    colour: Colour = Colour.RED,
    anything: Any = None,
) -> None:
    """An operator calls."""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(text: str, name: str = "phones.csv") -> None:
    Path(name).write_text(text)


def test_values_and_feeds() -> None:
    table("telephone\n1\n2\n")
    given = {"telephone": feed("phones.csv"), "tries": 3}
    check_arguments(outgoing, given, [], HERE)
    arguments = Arguments(outgoing, given)
    assert [arguments.of(number) for number in range(3)] == [
        {"telephone": "1", "tries": 3},
        {"telephone": "2", "tries": 3},
        {"telephone": "1", "tries": 3},
    ]


def test_the_texts_of_a_table_become_what_the_parameter_is() -> None:
    table("telephone,tries,is_vip,either,where,colour,anything\n007,5,true,007,there,red,5\n")
    rows = feed("phones.csv")
    check_arguments(outgoing, {}, [rows], HERE)
    assert Arguments(outgoing, {}, [rows]).of(0) == {
        "telephone": "007",
        "tries": 5,
        "is_vip": True,
        "either": "007",
        "where": Path("there"),
        "colour": Colour.RED,
        "anything": "5",
    }


def test_a_cell_without_text_is_the_parameters_default() -> None:
    table("telephone,tries\n1,\n,2\n")
    arguments = Arguments(outgoing, {}, [feed("phones.csv")])
    assert arguments.of(0) == {"telephone": "1"}
    with pytest.raises(ScenarioError, match="there is no value for 'telephone' here") as raised:
        arguments.of(1)
    assert raised.value.place == "phones.csv:3"
    tries = Arguments(outgoing, {"telephone": "1", "tries": feed("phones.csv")})
    assert tries.of(0) == {"telephone": "1"}
    with pytest.raises(ScenarioError, match="there is no value for 'telephone' here"):
        Arguments(outgoing, {"telephone": feed("phones.csv")}).of(1)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("1,many,,", "outgoing takes tries as int, not 'many'"),
        ("1,,perhaps,", "outgoing takes is_vip as bool, not 'perhaps'"),
        ("1,,,blue", "outgoing takes colour as Colour, not 'blue'"),
    ],
)
def test_a_value_that_is_not_what_the_parameter_is_has_a_line(cell: str, why: str) -> None:
    table(f"telephone,tries,is_vip,colour\n{cell}\n")
    with pytest.raises(ScenarioError, match=why) as raised:
        Arguments(outgoing, {}, [feed("phones.csv")]).of(0)
    assert raised.value.place == "phones.csv:2"


def test_another_column_and_a_mappings_item() -> None:
    table("number,telephone\n1,2\n")
    assert Arguments(outgoing, {"telephone": feed("phones.csv", column="number")}).of(0) == {"telephone": "1"}
    items = feed([{"number": "1"}], column="number")
    assert Arguments(outgoing, {"telephone": items}).of(0) == {"telephone": "1"}
    whole = feed([{"number": "1"}])
    assert Arguments(outgoing, {"telephone": "1", "anything": whole}).of(0) == {
        "telephone": "1",
        "anything": {"number": "1"},
    }
    with pytest.raises(ScenarioError, match="'1' has no column 'number'") as raised:
        Arguments(outgoing, {"telephone": feed(["1"], column="number")}).of(0)
    assert Path(__file__).name in (raised.value.place or "")


def test_json_lines_keep_their_types() -> None:
    table('{"telephone": "1", "tries": 2}\n{"telephone": 3}\n"4"\n{"tries": "2"}\n', "calls.jsonl")
    calls = feed("calls.jsonl")
    check_arguments(outgoing, {}, [calls], HERE)
    arguments = Arguments(outgoing, {}, [calls])
    assert arguments.of(0) == {"telephone": "1", "tries": 2}
    for number, why in [
        (1, "takes telephone as str, not 3"),
        (2, "'4' has no names"),
        (3, "takes tries as int, not '2'"),
    ]:
        with pytest.raises(ScenarioError, match=why) as raised:
            arguments.of(number)
        assert raised.value.place == f"calls.jsonl:{number + 1}"
    assert Arguments(outgoing, {"telephone": feed("calls.jsonl")}).of(2) == {"telephone": "4"}


def test_rows_from_python() -> None:
    arguments = Arguments(outgoing, {}, [feed([{"telephone": "1"}, {"tries": 1}, {"telefone": "1"}])])
    assert arguments.of(0) == {"telephone": "1"}
    for number, why in [(1, "there is no value for 'telephone'"), (2, "outgoing has no parameter 'telefone'")]:
        with pytest.raises(ScenarioError, match=why) as raised:
            arguments.of(number)
        assert Path(__file__).name in (raised.value.place or "")


def test_two_feeds_of_rows_and_what_the_part_says_itself() -> None:
    rows = [feed([{"telephone": "1"}]), feed([{"tries": 2, "is_vip": True}])]
    check_arguments(outgoing, {"is_vip": False}, rows, HERE)
    assert Arguments(outgoing, {"is_vip": False}, rows).of(0) == {"telephone": "1", "tries": 2, "is_vip": False}


def test_when_one_feed_is_used_up_there_is_nothing_more() -> None:
    once = feed(["1", "2"], order="unique")
    arguments = Arguments(outgoing, {"telephone": once, "tries": feed([1])})
    assert [arguments.of(number) is None for number in range(4)] == [False, False, True, True]
    assert Arguments(outgoing, {}, [feed([{"telephone": "1"}], order="unique")]).of(1) is None


@pytest.mark.parametrize(
    ("given", "why", "hint"),
    [
        ({}, "outgoing needs a value for 'telephone'", "give the part telephone=…, or a feed that has it"),
        ({"telephone": 5}, "outgoing takes telephone as str, not 5", None),
        ({"telefone": "5"}, "outgoing has no parameter 'telefone'", "it has telephone, tries"),
        ({"telephone": "5", "operator": Operator()}, "outgoing has no parameter 'operator'", "it has telephone"),
        ({"telefone": feed(["5"])}, "outgoing has no parameter 'telefone'", "it has telephone"),
    ],
)
def test_what_a_part_cannot_be_given(given: dict[str, Any], why: str, hint: str | None) -> None:
    with pytest.raises(ScenarioError, match=why) as raised:
        check_arguments(outgoing, given, [], HERE)
    assert raised.value.place == HERE
    assert (raised.value.hint or "").startswith(hint or "")


def test_a_table_needs_a_line_that_names_its_columns() -> None:
    table("890000001\n890000002\n")
    with pytest.raises(ScenarioError, match=r"phones\.csv has no column 'telephone'") as raised:
        check_arguments(outgoing, {"telephone": feed("phones.csv")}, [], HERE)
    assert raised.value.place == "phones.csv:1"
    assert raised.value.hint == "its first line names its columns: '890000001'; column=… says which is meant"
    with pytest.raises(ScenarioError, match="outgoing has no parameter '890000001'") as raised:
        check_arguments(outgoing, {}, [feed("phones.csv")], HERE)
    assert raised.value.place == "phones.csv:1"


@pytest.mark.parametrize(
    ("columns", "given", "why", "place"),
    [
        ("telephone,name", {}, "outgoing has no parameter 'name'", "phones.csv:1"),
        ("telephone", {"telephone": "1"}, r"'telephone' is given by phones\.csv and by the part", "phones.csv:1"),
        ("tries", {}, "outgoing needs a value for 'telephone'", HERE),
    ],
)
def test_what_rows_cannot_give(columns: str, given: dict[str, Any], why: str, place: str) -> None:
    table(f"{columns}\n1\n")
    with pytest.raises(ScenarioError, match=why) as raised:
        check_arguments(outgoing, given, [feed("phones.csv")], HERE)
    assert raised.value.place == place


def test_a_feed_of_one_column_is_for_one_parameter() -> None:
    table("telephone\n1\n")
    with pytest.raises(ScenarioError, match="a feed with one column is for one parameter") as raised:
        check_arguments(outgoing, {}, [feed("phones.csv", column="telephone")], HERE)
    assert Path(__file__).name in (raised.value.place or "")


def test_a_file_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(ScenarioError, match="the feed cannot be read: No such file"):
        check_arguments(outgoing, {"telephone": feed("phones.csv")}, [], HERE)
