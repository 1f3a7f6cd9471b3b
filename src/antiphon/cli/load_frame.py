"""A load that is under way, put into lines: a frame that fills a terminal, or one line for where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.text import Text

from antiphon.cli.load_picture import FrequentCause, LoadPicture, Row
from antiphon.conversation.wording import one_line, visible
from antiphon.journal.glance import fit
from antiphon.load.looking import Looked
from antiphon.report.load.wording import amount, percent, rate, size, took
from antiphon.report.text import ASCII, Signs

__all__ = ["Course", "frame", "plain_line", "sparkline"]

Pieces = tuple[tuple[str, str], ...]
"""A line: texts with their styles."""

MOST_CAUSES: Final = 5
NARROWEST: Final = 60
_COLUMNS: Final = ("count", "errors", "p50", "p95", "p99", "max")
_WIDTHS: Final = (8, 8, 9, 9, 9, 9)
_BAR: Final = 20
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII_BLOCKS: Final = "_.-:=+*#"


class Course(msgspec.Struct):
    """How the load goes, beside what it measures.

    `length_s` is how long conversations begin, None for until it is ended; `count` how many there are to be, None for
    no limit. `users` are the parts that have users instead of a rate. `keys` is what can be pressed, "" for nothing,
    `looked` the conversation that is looked at.
    """

    title: str
    at_s: float
    length_s: float | None = None
    count: int | None = None
    users: frozenset[str] = frozenset()
    is_paused: bool = False
    is_ending: bool = False
    keys: str = ""
    looked: Looked | None = None


def frame(picture: LoadPicture, course: Course, width: int, height: int, signs: Signs) -> list[Text]:
    """The picture in at most `height` lines of at most `width` cells; what is most important is left in a small one."""
    width = max(width, NARROWEST)
    head = [*_head(picture, course, width), *_lines_over_time(picture, width, signs)]
    foot = [*_foot(picture), ((course.keys, "dim"),)]
    room = height - len(head) - len(foot)
    if course.looked is None:
        # Both are wanted: the causes give way first, but never wholly.
        causes = [*_causes(picture)]
        table = [*_table(picture.rows, width, max(room - min(len(causes), 2), 3))]
        below = causes[: max(room - len(table), 0)]
    else:
        table = [*_table(picture.rows, width, max(room // 3, 3))]
        below = _conversation(course.looked, max(room - len(table) - 1, 0))
    spare = room - len(table) - len(below)
    middle: list[Pieces] = []
    for section in (table, below):
        if section and spare > 0:
            middle.append(())
            spare -= 1
        middle += section
    middle += [()] * spare
    return [_text(line, width, signs) for line in [*head, *middle, *foot][:height]]


def plain_line(picture: LoadPicture, course: Course) -> str:
    """How it goes, in one line: when, what is asked for and begins, what came of it, what is slowest, what fails."""
    total = picture.total
    told = [clock(course.at_s), _asked(picture, course)]
    told += [f"live {total.live:,}", f"passed {total.passed:,}", f"failed {total.failed:,}"]
    told += [f"{what} {count:,}" for what, count in (("late", total.late), ("never begun", total.dropped)) if count]
    if (slowest := picture.slowest) is not None:
        told.append(f"{slowest.name.partition('/')[2] or slowest.name} p95 {took(slowest.p95_us)}")
    if causes := picture.causes(1):
        told.append(f"errors: {causes[0].count:,} × {one_line(visible(causes[0].text or causes[0].error), 120)}")
        if picture.how_many_causes > 1:
            told[-1] += f", and {amount(picture.how_many_causes - 1, 'other cause')}"
    told += [f"doubt: {doubt}" for doubt in picture.doubts[:1]]
    return visible("  ".join(told))


def clock(t_s: float) -> str:
    """`00:15`, `1:02:03`; below 0 it is `00:00`."""
    minutes, seconds = divmod(int(max(t_s, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def sparkline(values: Sequence[float], width: int, signs: Signs) -> str:
    """The last values, a sign each, the highest of those that are shown as the whole height."""
    blocks = _ASCII_BLOCKS if signs is ASCII else _BLOCKS
    shown = list(values)[-width:] if width > 0 else []
    top = max(shown, default=0.0)
    if top <= 0:
        return blocks[0] * len(shown)
    return "".join(blocks[min(int(value / top * len(blocks)), len(blocks) - 1)] for value in shown)


# -- the upper part ---------------------------------------------------------------------------------------------------


def _head(picture: LoadPicture, course: Course, width: int) -> Iterator[Pieces]:
    total = picture.total
    started = picture.started
    place = f" on {started.stand}" if started is not None and started.stand else ""
    word, style = _word(course)
    title = fit(visible(f"{course.title}{place}"), width - len(word) - 2)
    yield (title, "bold"), (" " * (width - cell_len(title) - len(word)), ""), (word, style)
    yield _progress(total.started, course)
    sent, received = picture.messages_per_s
    yield (
        (_asked(picture, course), "bold"),
        (f"   live {total.live:,}", ""),
        (f"   messages {sent:,.0f}/s out, {received:,.0f}/s in", ""),
    )
    ended = total.passed + total.failed
    share = f" ({percent(total.failed / ended)})" if total.failed else ""
    yield (
        (f"begun {total.started:,}   passed {total.passed:,}   ", ""),
        (f"failed {total.failed:,}{share}", "red" if total.failed else ""),
        (f"   late {total.late:,}" if total.late else "", "yellow"),
        (f"   never begun {total.dropped:,}" if total.dropped else "", "yellow"),
    )


def _word(course: Course) -> tuple[str, str]:
    if course.is_ending:
        return "ending", "bold yellow"
    return ("paused", "bold yellow") if course.is_paused else ("running", "green")


def _progress(started: int, course: Course) -> Pieces:
    """How far it is, by its time or by its number of conversations."""
    at = clock(course.at_s)
    if course.is_ending:
        return ((f"{at}   nothing new begins: what is under way may end", ""),)
    length_s, count = course.length_s, course.count
    if length_s:
        left = f"{at} of {clock(length_s)}, {clock(length_s - course.at_s)} left"
        return (_bar(course.at_s / length_s), ""), (left, "")
    if count:
        return (_bar(started / count), ""), (f"{at}, {started:,} of {count:,} begun", "")
    return ((f"{at}, until it is ended", ""),)


def _bar(share: float) -> str:
    done = round(min(max(share, 0.0), 1.0) * _BAR)
    return f"[{'#' * done}{'.' * (_BAR - done)}] "


def _asked(picture: LoadPicture, course: Course) -> str:
    """What begins of what is asked for: conversations a second, and users."""
    open_parts = [name for name in picture.parts if name not in course.users]
    closed = [part for name, part in picture.parts.items() if name in course.users]
    told = []
    if open_parts or not closed:
        asked_per_s = sum(picture.parts[name].asked for name in open_parts)
        told.append(f"rate {_number(picture.rate_per_s(open_parts))}/{_number(asked_per_s)} /s")
    if closed:
        told.append(f"users {sum(part.live for part in closed):,}/{sum(part.asked for part in closed):,.0f}")
    return "  ".join(told)


def _number(per_s: float) -> str:
    """A rate in few figures; a seldom one is not nothing."""
    return f"{per_s:,.1f}" if per_s >= 1 or not per_s else f"{per_s:.2g}"


def _lines_over_time(picture: LoadPicture, width: int, signs: Signs) -> Iterator[Pieces]:
    slowest = picture.slowest
    room = max(width - 6 - 28, 20)
    yield (
        ("rate  ", "dim"),
        (sparkline(picture.rates, room, signs), "cyan"),
        (f" {rate(picture.rate_per_s(picture.parts))}", ""),
    )
    if slowest is None:
        yield (("p95   ", "dim"),)
        return
    line = sparkline(picture.p95_us[slowest.name], room, signs)
    told = f" {took(slowest.p95_us)} {_name(slowest).strip()}"
    yield ("p95   ", "dim"), (line, "magenta"), (fit(told, width - 6 - len(line), signs.ellipsis), "")


# -- the middle -------------------------------------------------------------------------------------------------------


def _table(rows: Sequence[Row], width: int, room: int) -> Iterator[Pieces]:
    """A row for each part, action and timer; of too many the last line says how many there are."""
    name_width = width - sum(_WIDTHS)
    head = "".join(cell.rjust(size) for cell, size in zip(_COLUMNS, _WIDTHS, strict=True))
    yield (("the last 10 s".ljust(name_width) + head, "dim"),)
    shown = rows if len(rows) < room else rows[: max(room - 2, 0)]
    for row in shown:
        name = fit(_name(row), name_width)
        style = "bold" if row.kind == "conversation" else ""
        times = (row.p50_us, row.p95_us, row.p99_us, row.max_us)
        cells = [f"{row.count:,}", f"{row.errors:,}", *map(took, times)]
        count, errors, *rest = (cell.rjust(size) for cell, size in zip(cells, _WIDTHS, strict=True))
        yield (
            (name + " " * (name_width - cell_len(name)), style),
            (count, ""),
            (errors, "red" if row.errors else "dim"),
            ("".join(rest), ""),
        )
    if len(shown) < len(rows):
        yield ((f"and {len(rows) - len(shown)} more, in the report", "dim"),)


def _name(row: Row) -> str:
    """The last of the name, below what stands before it."""
    part, _, inside = row.name.partition("/")
    return f"  {visible(inside)}" if inside else visible(part)


def _causes(picture: LoadPicture) -> Iterator[Pieces]:
    causes = picture.causes(MOST_CAUSES)
    if causes:
        more = picture.how_many_causes - len(causes)
        yield (
            (
                "why conversations failed" + (f", the most frequent of {len(causes) + more} causes" if more else ""),
                "dim",
            ),
        )
    width = max((len(f"{cause.count:,}") for cause in causes), default=0)
    for cause in causes:
        yield (f"{cause.count:{width},}", "red"), (f" × {_where(cause)}", ""), (_why(cause), "")


def _where(cause: FrequentCause) -> str:
    return f"{visible(cause.step)}: " if cause.step else ""


def _why(cause: FrequentCause) -> str:
    return one_line(visible(cause.text or cause.error), 300)


def _conversation(looked: Looked, room: int) -> list[Pieces]:
    """The latest lines of a conversation, in so many."""
    told = looked.lines[-(room - 1) :] if room > 1 else []
    head = ((visible(looked.conversation), "bold"), (f"  {_STANDINGS[looked.standing]}", "cyan"))
    return [head, *(((visible(line), ""),) for line in told)][:room]


_STANDINGS: Final = {
    "live": "under way",
    "to be held": "under way, and will be held open when all is done",
    "held": "all is done, and it is held open",
    "over": "is over",
}


# -- the lower part ---------------------------------------------------------------------------------------------------


def _foot(picture: LoadPicture) -> Iterator[Pieces]:
    for doubt in picture.doubts[:2]:
        yield ("warning: ", "bold yellow"), (visible(doubt), "yellow")
    generators = picture.generators
    if generators:
        many = f"{len(generators)} processes, the busiest " if len(generators) > 1 else ""
        memory = size(sum(each.rss_kib for each in generators) * 1024)
        told = f"{many}{picture.busiest * 100:.0f} % of a core, loop late {picture.lag_ms:.0f} ms, {memory}"
        yield ("generator  ", "dim"), (told, "")


def _text(pieces: Iterable[tuple[str, str]], width: int, signs: Signs) -> Text:
    """The line as it can be shown, cut to the width."""
    text = Text()
    for piece, style in pieces:
        text.append(piece if signs is not ASCII else _ascii(piece), style)
    if text.cell_len > width:
        text.truncate(width - len(signs.ellipsis))
        text.append(signs.ellipsis, "dim")
    return text


def _ascii(piece: str) -> str:
    return piece if piece.isascii() else piece.replace("×", "x").encode("ascii", "backslashreplace").decode()
