"""What each conversation of a part is given: the values that all have, and its own row of each feed."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import msgspec

from antiphon.conversation.wording import shorten
from antiphon.errors import ScenarioError
from antiphon.load.feed import Feed
from antiphon.load.feed_rows import Row
from antiphon.scenarios.scenario import Parameter, Scenario

__all__ = ["Arguments", "check_arguments"]


def check_arguments(
    scenario: Scenario[Any, Any],
    given: Mapping[str, Any],
    feeds: Sequence[Feed],
    place: str,
    *,
    own_words: Container[str] = (),
) -> None:
    """Raises ScenarioError, with that place, if a part cannot be given this: values and feeds by parameter, and rows.

    `own_words` are names that mean something else to a part, so that parameters with them are given otherwise. Of a
    feed it knows what the first line of a table says; what the values are shows when they are lent.
    """
    for name in given:
        if name not in scenario.parameters:
            raise _unknown(scenario, name, place)
    fed = {name for name, value in given.items() if isinstance(value, Feed)}
    for name in fed:
        _require_column(given[name], name)
    for feed in feeds:
        columns = feed.columns
        # A row that is no table's may have any names.
        others = {name for name in scenario.parameters if name not in given}
        fed |= others if columns is None else _named_columns(scenario, feed, columns, given)
    for parameter in scenario.parameters.values():
        if parameter.is_required and parameter.name not in {*given, *fed}:
            name = parameter.name
            how = f"parameters={{{name!r}: …}}" if name in own_words else f"{name}=…"
            hint = f"give the part {how}, or a feed that has it"
            raise ScenarioError(f"{scenario.name} needs a value for {parameter.name!r}", place=place, hint=hint)
    try:
        scenario.arguments(given, later=fed)
    except ScenarioError as error:
        raise ScenarioError(error.text, place=place, hint=error.hint) from None


class Arguments:
    """The arguments of a part's conversations, by their numbers in the load.

    `stream` names the part where chance is drawn. Files of feeds are opened when the first row is asked for.
    """

    def __init__(
        self,
        scenario: Scenario[Any, Any],
        given: Mapping[str, Any],
        feeds: Sequence[Feed] = (),
        *,
        seed: int = 0,
        stream: str = "",
    ) -> None:
        self._scenario = scenario
        self._constants = {name: value for name, value in given.items() if not isinstance(value, Feed)}
        self._fed = [
            (scenario.parameters[name], feed, feed.lender(seed, f"{stream} {name}"))
            for name, feed in given.items()
            if isinstance(feed, Feed)
        ]
        self._rows = [(feed, feed.lender(seed, stream)) for feed in feeds]
        self._required = [parameter.name for parameter in scenario.parameters.values() if parameter.is_required]

    def of(self, number: int) -> dict[str, Any] | None:
        """What the conversation with that number is given; None if a feed has been used up.

        What a file gives has been made what the parameter's type says. Raises ScenarioError, with the file and line,
        for a value that cannot be that.
        """
        arguments: dict[str, Any] = {}
        read_at = ""
        for feed, rows in self._rows:
            row = rows.row(number)
            if row is None:
                return None
            read_at = row.place or feed.place
            arguments |= self._by_name(feed, row)
        arguments |= self._constants
        for parameter, feed, values in self._fed:
            row = values.row(number)
            if row is None:
                return None
            read_at = row.place or feed.place
            value = _picked(feed, parameter.name, row)
            if value is not _NOT_THERE:
                arguments[parameter.name] = self._converted(parameter, value, row)
            elif parameter.is_required:
                raise _missing(feed.column or parameter.name, read_at)
        for name in self._required:
            if name not in arguments:
                raise _missing(name, read_at)
        return arguments

    def _by_name(self, feed: Feed, row: Row) -> dict[str, Any]:
        """What a row gives, each to the parameter with its name."""
        own, place = self._scenario.parameters, row.place or feed.place
        if not isinstance(row.value, Mapping):
            hint = f"give it to one parameter, as {next(iter(own), 'parameter')}=feed(…)"
            raise ScenarioError(f"{shorten(row.value)} has no names", place=place, hint=hint)
        for name in row.value:
            if name not in own:
                raise _unknown(self._scenario, name, place)
        return {name: self._converted(own[name], value, row) for name, value in row.value.items()}

    def _converted(self, parameter: Parameter, value: Any, row: Row) -> Any:
        """What a file gives, as the parameter's type; what Python gives is what it is."""
        if not row.place or parameter.type is Any:
            return value
        try:
            return _as_type(value, parameter.type, is_text=row.is_text)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            kind = getattr(parameter.type, "__name__", str(parameter.type))
            raise ScenarioError(
                f"{self._scenario.name} takes {parameter.name} as {kind}, not {shorten(value)}", place=row.place
            ) from error


def _as_type(value: Any, kind: Any, *, is_text: bool) -> Any:
    try:
        # A text that may stay one does: a telephone number that may be text or number keeps its zeros.
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError:
        return msgspec.convert(value, kind, strict=not is_text, dec_hook=_made)


def _made(kind: Any, value: Any) -> Any:
    """A value of a class that is none of JSON's, as a path."""
    return kind(value)


def _picked(feed: Feed, name: str, row: Row) -> Any:
    """The value for a parameter that a row has."""
    has_columns = isinstance(row.value, Mapping) and (feed.file is not None or feed.column is not None)
    if has_columns:
        return row.value.get(feed.column or name, _NOT_THERE)
    if feed.column is not None:
        text = f"{shorten(row.value)} has no column {feed.column!r}"
        raise ScenarioError(text, place=row.place or feed.place)
    return row.value


def _require_column(feed: Feed, name: str) -> None:
    columns, column = feed.columns, feed.column or name
    if columns is not None and column not in columns:
        there = ", ".join(map(shorten, columns))
        hint = f"its first line names its columns: {there}; column=… says which is meant"
        raise ScenarioError(f"{feed.title} has no column {column!r}", place=f"{feed.file}:1", hint=hint)


def _named_columns(
    scenario: Scenario[Any, Any], feed: Feed, columns: Sequence[str], given: Mapping[str, Any]
) -> set[str]:
    """The parameters that a table's columns are for."""
    place = f"{feed.file}:1" if feed.file is not None else feed.place
    if feed.column is not None:
        hint = "give it to that one, as telephone=feed(…, column=…)"
        raise ScenarioError("a feed with one column is for one parameter", place=feed.place, hint=hint)
    for column in columns:
        if column not in scenario.parameters:
            raise _unknown(scenario, column, place)
        if column in given:
            hint = "leave it out in one of them"
            raise ScenarioError(f"{column!r} is given by {feed.title} and by the part", place=place, hint=hint)
    return set(columns)


def _unknown(scenario: Scenario[Any, Any], name: str, place: str) -> ScenarioError:
    hint = f"it has {', '.join(scenario.parameters) or 'none'}"
    return ScenarioError(f"{scenario.name} has no parameter {name!r}", place=place, hint=hint)


def _missing(name: str, place: str) -> ScenarioError:
    return ScenarioError(f"there is no value for {name!r} here", place=place)


_NOT_THERE: Any = object()
