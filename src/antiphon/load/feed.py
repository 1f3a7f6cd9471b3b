"""Feeds: where the conversations of a load take the values from that each of them has for itself.

What a conversation gets depends on its number in the load alone, so shares of a load never lend the same value twice
where it must not be, and a conversation that is played again alone gets what it had.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.load.chance import draw
from antiphon.load.feed_rows import Row, columns_of, file_rows, is_json_lines
from antiphon.runtime.call_site import Place, caller

__all__ = ["Feed", "Lender", "Order", "feed"]

Order = Literal["circular", "random", "unique"]
"""In which order values are lent: from the first again behind the last, drawn, or each once."""

ORDERS: Final[tuple[str, ...]] = get_args(Order)


def feed(
    source: str | Path | Iterable[Any] | Callable[..., Any], *, order: Order | None = None, column: str | None = None
) -> Feed:
    """Values for the conversations of a load, one for each: `part(outgoing, telephone=feed("phones.csv"))`.

    source: a file, sought in the working directory and then beside the file that calls this; or values from Python: any
    iterable, or a function that is called for each conversation, with its number (0 and up) if it takes one. A file is
    a table (.csv, .tsv, .txt) whose first line names its columns, or has a value in JSON on each line (.jsonl,
    .ndjson).

    order: "circular" (the first again behind the last), "random" (drawn anew for each, by the plan's seed; then all
    values are kept in memory) or "unique" (each once; when they are used up the part ends). Without it a file or a
    collection is circular, an iterator unique; a function has none.

    column: which column of a file, or item of the mappings that Python gives, the value is; without it that with the
    parameter's name. A feed that is not given to one parameter gives all that its columns name.

    Raises ScenarioError for a source or an order that there is not.
    """
    return Feed(source, order, column, caller())


class Feed:
    """What an author has said of a feed; see `feed`. `place` is where that was."""

    def __init__(self, source: Any, order: Order | None, column: str | None, place: Place) -> None:
        self.place = place
        self.column = column
        if order is not None and order not in ORDERS:
            raise self._wrong(f"there is no order {order!r}", f"orders are {', '.join(ORDERS)}")
        self._source: _File | _Values | _Iterator | _Function
        if isinstance(source, str | Path):
            self._source = _File(str(source), _found(source, place))
        else:
            self._source = _of_python(source, f"{_kind(source)} at {place}", self._wrong)
        if order is not None and order not in self._source.orders:
            possible = " and ".join(self._source.orders) or "none"
            raise self._wrong(f"the order of {self.title} cannot be {order}", f"{self._source.why}: {possible}")
        self.order: Order | None = order or next(iter(self._source.orders), None)

    @property
    def title(self) -> str:
        """What it is called in errors and records: the file as it was written, or what Python gives and where."""
        return self._source.title

    @property
    def file(self) -> Path | None:
        """The file, if it is one."""
        return self._source.file if isinstance(self._source, _File) else None

    @property
    def goes_by_number(self) -> bool:
        """Whether the same number is given the same again: by a function that is not told it, it may not be."""
        return not isinstance(self._source, _Function) or self._source.takes_number

    @property
    def columns(self) -> list[str] | None:
        """The names of its columns, if it is a table. Raises ScenarioError if that cannot be read."""
        return columns_of(self._source.file) if isinstance(self._source, _File) and not self._source.is_json else None

    def how_many(self) -> int | None:
        """How many values can be lent; None if there is no end, or that shows only when it has come.

        Reads a file through. Raises ScenarioError if that cannot be done.
        """
        if self.order != "unique" or isinstance(self._source, _Function):
            return None
        return self._source.how_many()

    def lender(self, seed: int, stream: str) -> Lender:
        """Who lends its rows to the conversations of a load with that seed.

        `stream` names the chance of what is no file: two parameters that are fed from one file get values of one row.
        """
        return self._source.lender(self.order, seed, stream)

    def as_data(self) -> dict[str, Any]:
        """What was said of it, as plain data."""
        return {"feed": self.title, "order": self.order, "column": self.column}

    def _wrong(self, text: str, hint: str) -> ScenarioError:
        return ScenarioError(text, place=self.place, hint=hint)


class Lender(Protocol):
    """Lends rows to conversations."""

    def row(self, number: int) -> Row | None:
        """The row of the conversation with that number in the load, 0 and up; None if all have been lent.

        Growing numbers are quick; for one that is smaller than the last a file is read from its beginning. Raises
        ScenarioError for what cannot be read, and if there are no rows.
        """
        ...


class _InTurn:
    """Rows one after the other, as they are read; behind the last, if it is so, the first again."""

    def __init__(self, title: str, rows: Callable[[], Iterator[Row]], is_circular: bool) -> None:
        self._title = title
        self._open = rows
        self._rows = rows()
        self._is_circular = is_circular
        self._read = 0  # rows of this round
        self._last: Row | None = None
        self._many: int | None = None  # known when the end was seen

    def row(self, number: int) -> Row | None:
        if self._many is not None:
            if number >= self._many and not self._is_circular:
                return None
            number %= self._many
        if number < self._read - 1:
            self._rows, self._read = self._open(), 0
        while self._read <= number:
            try:
                row = next(self._rows, None)
            except ScenarioError:
                raise
            except Exception as error:  # the author's iterable: what it gave before is all that there is of it
                raise _failed(self._title, number, error) from error
            if row is None:
                return self._behind_the_last(number)
            self._last = row
            self._read += 1
        return self._last

    def _behind_the_last(self, number: int) -> Row | None:
        if not self._read:
            raise _no_values(self._title)
        self._many = self._read
        return self.row(number)


class _ByIndex:
    """Rows that can be had in any order: `many` of them, each by its index."""

    def __init__(self, title: str, many: int, get: Callable[[int], Row], order: Order | None) -> None:
        if not many:
            raise _no_values(title)
        self._many = many
        self._get = get
        self._is_circular = order == "circular"

    def row(self, number: int) -> Row | None:
        return self._get(number % self._many) if number < self._many or self._is_circular else None


class _Drawn:
    """Rows of which one is drawn for each conversation."""

    def __init__(self, title: str, rows: Sequence[Row], seed: int, stream: str) -> None:
        if not rows:
            raise _no_values(title)
        self._rows = rows
        self._seed = seed
        self._stream = f"feed {stream}"

    def row(self, number: int) -> Row:
        return self._rows[int(draw(self._seed, self._stream, number) * len(self._rows))]


class _Called:
    """A function's values."""

    def __init__(self, title: str, function: Callable[..., Any], takes_number: bool) -> None:
        self._title = title
        self._function = function
        self._takes_number = takes_number

    def row(self, number: int) -> Row:
        try:
            return Row(self._function(number) if self._takes_number else self._function())
        except ScenarioError:
            raise
        except Exception as error:
            raise _failed(self._title, number, error) from error


class _File:
    """Rows of a file."""

    orders: tuple[Order, ...] = ("circular", "random", "unique")
    why = ""

    def __init__(self, title: str, file: Path) -> None:
        self.title = title
        self.file = file
        self.is_json = is_json_lines(file)

    def how_many(self) -> int:
        return sum(1 for _ in file_rows(self.file))

    def lender(self, order: Order | None, seed: int, stream: str) -> Lender:
        if order == "random":
            return _Drawn(self.title, list(file_rows(self.file)), seed, self.title)
        return _InTurn(self.title, partial(file_rows, self.file), order == "circular")


class _Values:
    """A collection in Python's memory: it can be gone through again."""

    orders: tuple[Order, ...] = ("circular", "random", "unique")
    why = ""

    def __init__(self, title: str, values: Iterable[Any]) -> None:
        self.title = title
        self._values = values

    def how_many(self) -> int | None:
        return len(self._values) if isinstance(self._values, Sequence) else None

    def lender(self, order: Order | None, seed: int, stream: str) -> Lender:
        values = self._values
        if order == "random":
            return _Drawn(self.title, [Row(value) for value in values], seed, stream)
        if isinstance(values, Sequence):
            return _ByIndex(self.title, len(values), lambda index: Row(values[index]), order)
        return _InTurn(self.title, lambda: map(Row, values), order == "circular")


class _Iterator:
    """What Python gives once: nobody knows how much of it there is."""

    orders: tuple[Order, ...] = ("unique",)
    why = "an iterator gives each value once, a list of it could be gone through again"

    def __init__(self, title: str, values: Iterator[Any]) -> None:
        self.title = title
        self._values: Iterator[Any] | None = values

    def how_many(self) -> None:
        return None

    def lender(self, order: Order | None, seed: int, stream: str) -> Lender:
        return _InTurn(self.title, self._once, is_circular=False)

    def _once(self) -> Iterator[Row]:
        values, self._values = self._values, None
        if values is None:
            hint = "make a list of it, or an iterator for each parameter and load"
            raise ScenarioError(f"the feed {self.title} cannot be read a second time", hint=hint)
        return map(Row, values)


class _Function:
    """What a function of the author's gives."""

    orders: tuple[Order, ...] = ()
    why = "a function decides for itself"

    def __init__(self, title: str, function: Callable[..., Any], takes_number: bool) -> None:
        self.title = title
        self.takes_number = takes_number
        self._function = function

    def lender(self, order: Order | None, seed: int, stream: str) -> Lender:
        return _Called(self.title, self._function, self.takes_number)


def _found(source: str | Path, place: Place) -> Path:
    if "\0" in str(source):
        raise ScenarioError(f"{shorten(str(source))} is no file's name", place=place, hint="leave out what is no text")
    given, beside = Path(source), Path(place.rpartition(":")[0]).parent / source
    # The working directory first: it is what whoever starts the load can choose.
    return beside if not given.is_file() and beside.is_file() else given


def _of_python(source: Any, title: str, wrong: Callable[[str, str], ScenarioError]) -> _Values | _Iterator | _Function:
    if isinstance(source, Mapping | Set | bytes | bytearray):
        hint = "give a list: sorted(…) of a set, list(….items()) of a dictionary"
        raise wrong(f"a {type(source).__name__} is no row of values that every process would agree on", hint)
    if isinstance(source, Iterator):
        return _Iterator(title, source)
    if isinstance(source, Iterable):
        return _Values(title, source)
    if not callable(source):
        raise wrong(f"{shorten(source)} is no feed", "a file's name, a list or another iterable, or a function")
    if inspect.iscoroutinefunction(source) or inspect.isasyncgenfunction(source):
        raise wrong("an async function cannot be a feed", "let the scenario await it")
    if inspect.isgeneratorfunction(source):
        raise wrong(f"{source.__name__} makes a generator", f"call it: feed({source.__name__}())")
    return _Function(title, source, _takes_number(source, wrong))


def _kind(source: Any) -> str:
    """What it is called: not what it has in it, which may be secret."""
    name = getattr(source, "__name__", "") if callable(source) else ""
    return name if isinstance(name, str) and name else type(source).__name__


def _takes_number(function: Callable[..., Any], wrong: Callable[[str, str], ScenarioError]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some of Python's own do not tell
        return False
    needed = [each for each in parameters if each.default is each.empty and each.kind not in _ANY_MORE]
    if len(needed) > 1 or any(each.kind is each.KEYWORD_ONLY for each in needed):
        hint = "it is called with nothing, or with the conversation's number"
        raise wrong(f"{getattr(function, '__name__', function)} takes {len(needed)} arguments", hint)
    return bool(needed)


def _failed(title: str, number: int, error: Exception) -> ScenarioError:
    return ScenarioError(f"the feed {title} failed for conversation {number}: {type(error).__name__}: {error}")


def _no_values(title: str) -> ScenarioError:
    return ScenarioError(
        f"the feed {title} has no values", hint="a table needs a line below the names of its columns, a list a value"
    )


_ANY_MORE: Final = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})
