"""Feeds: where conversations take their values from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.load.profiles import shares

from antiphon.errors import ScenarioError
from antiphon.load.feed import Feed, feed
from antiphon.load.shares import Share

PHONES = "telephone,name\n890000001,Ann\n890000002,Bob\n890000003,Cid\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a file into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str | bytes) -> Path:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return Path(name)

    return write


def lent(source: Feed, numbers: Any, seed: int = 0, stream: str = "") -> list[Any]:
    """What the conversations with these numbers get."""
    lender = source.lender(seed, stream)
    rows = [lender.row(number) for number in numbers]
    return [None if row is None else row.value for row in rows]


@pytest.mark.parametrize("text", [PHONES, "\ufeff" + PHONES, PHONES.replace("\n", "\r\n"), PHONES.replace(",", ";")])
def test_a_table(write: Callable[..., Path], text: str) -> None:
    write("phones.csv", text)
    phones = feed("phones.csv")
    assert phones.columns == ["telephone", "name"]
    assert phones.order == "circular"
    row = phones.lender(0, "").row(1)
    assert row is not None
    assert (row.value, row.place, row.is_text) == ({"telephone": "890000002", "name": "Bob"}, "phones.csv:3", True)
    # Behind the last the first again.
    assert [value["name"] for value in lent(phones, range(7))] == ["Ann", "Bob", "Cid", "Ann", "Bob", "Cid", "Ann"]


def test_cells_without_text_and_lines_without_cells(write: Callable[..., Path]) -> None:
    write("phones.csv", 'telephone,name\n\n890000001,\n , \n"a, b",\tAnn \n')
    assert lent(feed("phones.csv", order="unique"), range(3)) == [
        {"telephone": "890000001"},
        {"telephone": "a, b", "name": "Ann"},
        None,
    ]


def test_json_lines(write: Callable[..., Path]) -> None:
    write("calls.jsonl", '{"telephone": "1", "tries": 3}\n\n"2"\n3\n')
    calls = feed("calls.jsonl", order="unique")
    assert calls.columns is None
    assert lent(calls, range(4)) == [{"telephone": "1", "tries": 3}, "2", 3, None]
    assert calls.how_many() == 3


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        ("x.csv", "telephone\n1,2\n", 2, "there are 2 values for 1 columns"),
        ("x.csv", 'telephone\n1\n"2\n', 3, "this is no CSV"),
        ("x.csv", b"telephone\n1\n\xff\n", 3, "byte 0xff is no UTF-8"),
        ("x.csv", "telephone,\n1,2\n", 1, "the first line does not name the columns, each once"),
        ("x.csv", "a,a\n1,2\n", 1, "the first line does not name the columns, each once"),
        ("x.csv", "", 1, "the first line does not name the columns, each once"),
        ("x.jsonl", '"1"\n{"a": }\n', 2, "this line is no JSON"),
        ("x.jsonl", '"1"\n' + "[" * 100_000 + "\n", 2, "this line is no JSON"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(
    write: Callable[..., Path], name: str, text: str | bytes, line: int, why: str
) -> None:
    write(name, text)
    with pytest.raises(ScenarioError, match=why) as raised:
        lent(feed(name), range(5))
    assert raised.value.place == f"{name}:{line}"
    assert raised.value.hint


def test_a_file_that_is_not_there(write: Callable[..., Path]) -> None:
    with pytest.raises(ScenarioError, match="the feed cannot be read: No such file") as raised:
        feed("phones.csv").how_many() or lent(feed("phones.csv"), [0])
    assert raised.value.place == "phones.csv"


@pytest.mark.parametrize("name", ["phones.xlsx", "phones", "phones.json"])
def test_a_file_of_another_kind(name: str) -> None:
    with pytest.raises(ScenarioError, match="told by its name") as raised:
        feed(name)
    assert ".jsonl" in (raised.value.hint or "")


def test_no_file_has_such_a_name() -> None:
    with pytest.raises(ScenarioError, match="is no file's name"):
        feed("a\0.csv")


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
@pytest.mark.parametrize("order", ["circular", "random", "unique"])
def test_a_feed_without_values(write: Callable[..., Path], name: str, order: Any) -> None:
    write(name, "telephone\n" if name == "x.csv" else "\n")
    with pytest.raises(ScenarioError, match="has no values"):
        lent(feed(name, order=order), [0])
    with pytest.raises(ScenarioError, match="has no values"):
        lent(feed([], order=order), [0])


def test_a_file_is_sought_beside_the_plan_too(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "load").mkdir()
    write("load/phones.csv", PHONES)
    plan = tmp_path / "load" / "plan.py"
    plan.write_text("from antiphon.load.feed import feed\nphones = feed('phones.csv')\n")
    names: dict[str, Any] = {}
    exec(compile(plan.read_text(), str(plan), "exec"), names)
    assert names["phones"].columns == ["telephone", "name"]
    # The working directory comes first.
    write("phones.csv", "telephone\n1\n")
    exec(compile(plan.read_text(), str(plan), "exec"), names)
    assert names["phones"].columns == ["telephone"]


def test_a_large_file_is_read_as_far_as_it_is_lent(write: Callable[..., Path]) -> None:
    write("phones.csv", b"telephone\n1\n2\n" + b"3\n" * 100_000 + b"\xff\n")
    assert lent(feed("phones.csv"), [1]) == [{"telephone": "2"}]  # the last line would be an error


def test_each_value_once(write: Callable[..., Path]) -> None:
    write("phones.csv", PHONES)
    phones = feed("phones.csv", order="unique")
    assert phones.how_many() == 3
    assert [value and value["name"] for value in lent(phones, range(5))] == ["Ann", "Bob", "Cid", None, None]
    assert feed("phones.csv").how_many() is None


@pytest.mark.parametrize("order", ["circular", "random", "unique"])
@given(every=shares())
def test_shares_get_of_a_file_what_the_whole_gets(order: Any, every: list[Share], tmp_path_factory: Any) -> None:
    file = tmp_path_factory.getbasetemp() / "numbers.csv"
    file.write_text("number\n" + "".join(f"{number}\n" for number in range(10)))
    numbers = feed(file, order=order)
    whole = lent(numbers, range(40), seed=5)
    ours = [lent(numbers, range(share.index, 40, share.of), seed=5) for share in every]
    assert [ours[number % len(every)][number // len(every)] for number in range(40)] == whole
    if order == "unique":
        values = [value["number"] for own in ours for value in own if value is not None]
        assert sorted(values, key=int) == [str(number) for number in range(10)]


@given(st.lists(st.integers(0, 30), max_size=30))
def test_what_a_number_gets_does_not_depend_on_who_asked_before(numbers: list[int]) -> None:
    for source in (feed([10, 20, 30]), feed(Rereadable())):
        assert lent(source, numbers) == [[10, 20, 30][number % 3] for number in numbers]


class Rereadable:
    """An iterable without a length."""

    def __iter__(self) -> Iterator[int]:
        yield from (10, 20, 30)


def test_drawn_values_are_those_of_the_seed() -> None:
    names = feed(["Ann", "Bob", "Cid"], order="random")
    drawn = lent(names, range(300), seed=1)
    assert lent(names, range(300), seed=1) == drawn
    assert lent(names, range(300), seed=2) != drawn != lent(names, range(300), seed=1, stream="another")
    assert {name: drawn.count(name) for name in drawn} == pytest.approx({"Ann": 100, "Bob": 100, "Cid": 100}, abs=33)


def test_two_parameters_get_values_of_the_same_drawn_row(write: Callable[..., Path]) -> None:
    write("phones.csv", PHONES)
    first, second = (feed("phones.csv", order="random", column=column) for column in ("telephone", "name"))
    assert lent(first, range(20), stream="telephone") == lent(second, range(20), stream="name")


def test_values_of_python() -> None:
    assert lent(feed([1, 2]), range(3)) == [1, 2, 1]
    assert lent(feed((1, 2), order="unique"), range(3)) == [1, 2, None]
    assert lent(feed(range(10**12)), [10**11]) == [10**11]
    assert lent(feed(Rereadable()), range(4)) == [10, 20, 30, 10]
    assert lent(feed(Rereadable(), order="unique"), range(4)) == [10, 20, 30, None]
    assert (feed([1, 2], order="unique").how_many(), feed(Rereadable(), order="unique").how_many()) == (2, None)


def test_an_iterator_is_read_once() -> None:
    numbers = feed(count(10))
    assert (numbers.order, numbers.how_many()) == ("unique", None)
    lender = numbers.lender(0, "")
    assert [row.value for row in map(lender.row, (0, 1, 5, 5)) if row] == [10, 11, 15, 15]
    with pytest.raises(ScenarioError, match="cannot be read a second time"):
        lender.row(2)
    with pytest.raises(ScenarioError, match=r"count at .*test_feed\.py:\d+ cannot be read a second"):
        numbers.lender(0, "")
    assert lent(feed(iter([1])), range(2)) == [1, None]


def test_an_iterator_that_fails_is_told_of_and_gives_nothing_more() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the database is gone")

    lender = feed(broken()).lender(1, "test")
    assert lender.row(0) is not None
    with pytest.raises(
        ScenarioError, match=r"the feed generator at .* failed for conversation 1: OSError: the database is gone"
    ):
        lender.row(1)
    assert lender.row(2) is None


def test_a_function_is_called_for_each_conversation() -> None:
    calls = count(1)
    assert lent(feed(lambda: next(calls)), [0, 7, 7]) == [1, 2, 3]
    assert lent(feed(lambda number: f"89{number:07}"), [0, 7]) == ["890000000", "890000007"]
    assert lent(feed(lambda *args: args), [3]) == [()]
    assert lent(feed(str), [3]) in ([""], ["3"])
    assert (feed(lambda: 1).how_many(), feed(lambda: 1).order) == (None, None)


def test_a_function_that_fails_is_told_of() -> None:
    def broken(number: int) -> int:
        return 1 // (number - 2)

    with pytest.raises(
        ScenarioError, match=r"the feed broken at .* failed for conversation 2: ZeroDivisionError"
    ) as raised:
        lent(feed(broken), range(5))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)

    def refused() -> None:
        raise ScenarioError("no more phones")

    with pytest.raises(ScenarioError, match=r"^no more phones"):
        lent(feed(refused), [0])


async def asynchronous() -> None: ...


def generating() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("source", "why", "hint"),
    [
        ({1, 2}, "a set is no row of values", "sorted"),
        ({"a": 1}, "a dict is no row of values", "list"),
        (b"phones.csv", "a bytes is no row of values", "list"),
        (5, "5 is no feed", "a file's name"),
        (asynchronous, "an async function cannot be a feed", "let the scenario await it"),
        (generating, "generating makes a generator", "call it: feed(generating())"),
        (lambda a, b: a, "takes 2 arguments", "the conversation's number"),
        (lambda *, a: a, "takes 1 arguments", "the conversation's number"),
    ],
)
def test_what_is_no_feed(source: Any, why: str, hint: str) -> None:
    with pytest.raises(ScenarioError, match=why) as raised:
        feed(source)
    assert Path(__file__).name in (raised.value.place or "")
    assert hint in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("source", "order", "why"),
    [
        ([1], "backwards", "there is no order 'backwards'"),
        (iter([1]), "circular", "cannot be circular"),
        (iter([1]), "random", "cannot be random"),
        (lambda: 1, "unique", "cannot be unique"),
    ],
)
def test_an_order_that_there_is_not(source: Any, order: Any, why: str) -> None:
    with pytest.raises(ScenarioError, match=why) as raised:
        feed(source, order=order)
    assert raised.value.hint


def test_what_is_recorded_of_a_feed(write: Callable[..., Path]) -> None:
    write("phones.csv", PHONES)
    assert feed("phones.csv", column="telephone").as_data() == {
        "feed": "phones.csv",
        "order": "circular",
        "column": "telephone",
    }
    secret = feed(["hunter2"]).as_data()
    assert "hunter2" not in str(secret)
    assert secret["feed"].startswith("list at ")
