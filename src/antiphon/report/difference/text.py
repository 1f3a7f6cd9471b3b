"""A difference as lines of text, for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from antiphon.conversation.wording import seconds, visible
from antiphon.report.difference.compare import Difference, FieldChange, MessageChange, TimingChange
from antiphon.report.text import Signs

__all__ = ["lines"]

MOST_VARIABLE: Final = 5
"""So many of the fields that differ in any two runs are named."""

_SIGNS: Final = {"new": "+", "added": "+", "missing": "-", "removed": "-", "reordered": "~"}
_STYLES: Final = {"+": "green", "-": "red", "~": "yellow"}


def lines(difference: Difference, before: str, after: str, signs: Signs) -> Iterator[Text]:
    """What differs, by kind; the names of both runs are told first."""
    yield Text.assemble((f"{visible(before)} {signs.sent} {visible(after)}", "bold"))
    if difference.before != difference.after:
        styles = {"passed": "green"}
        yield Text.assemble(
            "  ",
            (difference.before, styles.get(difference.before, "red")),
            f" {signs.sent} ",
            (difference.after, styles.get(difference.after, "red")),
        )
    if difference.before_call != difference.after_call:
        yield Text(f"  {difference.before_call} {signs.sent} {difference.after_call}", "dim")
    yield from _section("messages", [_message(change, signs) for change in difference.messages])
    yield from _section("fields", [_field(change, signs) for change in difference.fields])
    yield from _section("timings (median)", [_timing(change, signs) for change in difference.timings])
    yield Text("")
    yield from _end(difference, signs)


def _section(title: str, told: list[Text]) -> Iterator[Text]:
    if told:
        yield Text("")
        yield Text(title, "bold")
        yield from told


def _message(change: MessageChange, signs: Signs) -> Text:
    sign = _SIGNS[change.kind]
    times = f", {change.count} times" if change.count > 1 else ""
    which = "in the first run" if change.kind == "missing" else "in the second"
    return Text.assemble(
        (f"  {sign} {change.kind:<10}", _STYLES[sign]),
        f"{visible(change.actor)}.{visible(change.channel)} ",
        (f"{_arrow(change.direction, signs)} {visible(change.name)}{times}", "bold"),
        (f"  message {change.number} there, {change.at_s:.3f} s {which}", "dim"),
    )


def _field(change: FieldChange, signs: Signs) -> Text:
    sign = _SIGNS.get(change.kind, "~")
    what = {"added": "new field", "removed": "no field", "id": "another id"}.get(change.kind, f"other {change.kind}")
    values = [visible(value) for value in (change.before, change.after) if value]
    return Text.assemble(
        (f"  {sign} {what:<12}", _STYLES[sign]),
        f"{_arrow(change.direction, signs)} {visible(change.name)} ",
        (visible(change.path) or "the body", "bold"),
        f"  {f' {signs.sent} '.join(values)}",
        (f"  {change.count} of {change.of}", "dim"),
    )


def _timing(change: TimingChange, signs: Signs) -> Text:
    is_slower = change.after_ms > change.before_ms
    factor = change.after_ms / change.before_ms if change.before_ms else 0.0
    told = f"{seconds(round(change.before_ms * 1e6))} {signs.sent} {seconds(round(change.after_ms * 1e6))}"
    return Text.assemble(
        (f"  {'slower' if is_slower else 'faster':<8}", "red" if is_slower else "green"),
        (visible(change.what), "bold"),
        f"  {told}" + (f", {factor:.2g} times" if is_slower and factor else ""),
        (f"  of {change.before_count} and {change.after_count}", "dim"),
    )


def _end(difference: Difference, signs: Signs) -> Iterator[Text]:
    counted = f"{difference.compared} messages compared"
    if difference.is_same:
        yield Text.assemble(("no difference", "bold green"), f": {counted}")
    else:
        count = len(difference.messages) + len(difference.fields) + len(difference.timings)
        count += difference.before != difference.after
        yield Text.assemble((f"{count} difference{'s' if count > 1 else ''}", "bold yellow"), f": {counted}")
    if difference.variable:
        names = sorted(difference.variable, key=lambda name: -difference.variable[name])
        more = f"{signs.ellipsis}" if len(names) > MOST_VARIABLE else ""
        told = ", ".join(visible(name) for name in names[:MOST_VARIABLE])
        yield Text(f"not counted: ids and times in {len(names)} fields ({told}{more})", "dim")
    if difference.renamed:
        yield Text(f"{difference.renamed} ids of the first run are others in the second, wherever they stand", "dim")


def _arrow(direction: str, signs: Signs) -> str:
    return {"sent": signs.sent, "received": signs.received}.get(direction, signs.exchanged)
