"""The conversation as lines of text: business steps as blocks, under them what was said, with times, up to the verdict.

A sink for a run under way, or for the entries of a journal that was written before: both give the same lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec
from rich.cells import cell_len
from rich.text import Text

from antiphon import journal
from antiphon.conversation.message import Message
from antiphon.conversation.wording import counted, seconds, visible
from antiphon.journal import Entry
from antiphon.journal.file import WrittenMessage, readable
from antiphon.journal.glance import fit, glance
from antiphon.report.placing import Depths, Placed, Reading

__all__ = ["ASCII", "UNICODE", "Conversation", "Signs", "ends", "last_lines"]

LONG_WAIT_NS: Final = 1_000_000_000
"""A wait that took longer is told of although it was satisfied."""

NARROWEST: Final = 40
_TIME_WIDTH: Final = 10

Piece = tuple[str, str]
"""A part of a line, and its style."""


class Signs(msgspec.Struct, frozen=True):
    """What stands before a line."""

    sent: str
    received: str
    exchanged: str
    opened: str
    closed: str
    aside: str
    passed: str
    failed: str
    cancelled: str
    noted: str
    handled: str
    ellipsis: str


UNICODE: Final = Signs("→", "←", "⇄", "●", "○", "·", "✓", "✗", "–", "!", "↳", "…")
ASCII: Final = Signs("->", "<-", "<>", "(+)", "(-)", "*", "ok", "FAILED", "--", "!", "by", "...")


class Conversation:
    """A sink that makes lines of a run's entries and passes each to `write`.

    `width` is how many cells a line may have; lines of an explanation may be longer. `explains` says whether a failure
    is told in full where it happened, or by its first line only. A message that was just received is kept back until
    the next entry, or `flush`, because only then is known what it was for: which handler saw it, which step awaited it.
    While `is_muted`, entries are taken account of and no lines are made.
    """

    def __init__(
        self,
        write: Callable[[Text], object],
        *,
        width: int = 120,
        signs: Signs = UNICODE,
        explains: bool = True,
    ) -> None:
        self._write = write
        self._width = max(width, NARROWEST)
        self._signs = signs
        self._explains = explains
        self._actors: list[str] = []
        self._reading = Reading()
        self._depths = Depths()
        self.is_muted = False
        self._seen = {"steps": 0, "sent": 0, "received": 0, "requests": 0}
        self._scenario = ""
        self._has_failed = False
        self._label_width = 0
        self._has_channels = False
        self._served: set[tuple[str, str]] = set()
        self._tell: dict[type, Callable[[Any, Placed], None]] = {
            Message: self._message,
            WrittenMessage: self._message,
            journal.RunStarted: self._run_started,
            journal.RunEnded: self._run_ended,
            journal.TestEnded: self._test_ended,
            journal.ChannelOpened: self._opened,
            journal.ChannelEnded: self._closed,
            journal.ChannelReopening: self._reopening,
            journal.ChannelReopened: self._reopened,
            journal.Aside: self._aside,
            journal.StepStarted: self._step_started,
            journal.StepEnded: self._step_ended,
            journal.WaitEnded: self._wait_ended,
            journal.Handled: self._handled,
            journal.Called: self._called,
            journal.HttpExchange: self._http,
            journal.Dropped: self._dropped,
            journal.Failed: self._failed,
            journal.SoftCheckFailed: self._soft_check_failed,
            journal.Note: self._note,
            journal.SignalGiven: self._signal,
            journal.MomentKept: self._moment,
            journal.TimerStopped: self._timer,
        }

    def __call__(self, entry: Entry | Message) -> None:
        for placed in self._reading(entry):
            self._show(placed)

    def flush(self) -> None:
        """Write the line that is kept back."""
        for placed in self._reading.flush():
            self._show(placed)

    def _show(self, placed: Placed) -> None:
        tell = self._tell.get(journal.kind_of(placed.entry))
        if tell is not None:
            tell(placed.entry, placed)

    # -- the run ------------------------------------------------------------------------------------------------------

    def _run_started(self, entry: journal.RunStarted, _placed: Placed) -> None:
        self._scenario = entry.scenario
        self._has_channels = any(len(channels) > 1 for channels in entry.actors.values())
        self._actors = list(entry.actors)
        labels = [self._label(actor, name) for actor, channels in entry.actors.items() for name in channels or [""]]
        # Who said it is left out where there is one only: the room is better used for what was said.
        self._label_width = min(max(map(len, labels), default=0), 16) if len(labels) > 1 else 0
        arguments = ", ".join(f"{name}={value!r}" for name, value in entry.parameters.items())
        stand = f" on the stand {entry.stand}" if entry.stand else ""
        self._put((f"{entry.scenario}({arguments})", "bold"), (stand, "dim"))

    def _run_ended(self, entry: journal.RunEnded, _placed: Placed) -> None:
        # A failure that was told where it happened is not told again; what ended the run from outside was not told yet.
        if self._explains and entry.error and entry.verdict != "interrupted" and not self._has_failed:
            self._explain(entry.at_ns, entry.error)
        counts = [
            counted(self._seen["steps"], "step"),
            f"{self._seen['sent']} sent",
            f"{self._seen['received']} received",
        ]
        if self._seen["requests"]:
            counts.append(counted(self._seen["requests"], "HTTP request"))
        style = {"passed": "bold green", "interrupted": "bold yellow"}.get(entry.verdict, "bold red")
        told = f": {self._scenario} in {seconds(entry.at_ns)}"
        self._put((entry.verdict, style), (told, ""), (f" ({', '.join(counts)})", "dim"))

    def _test_ended(self, entry: journal.TestEnded, _placed: Placed) -> None:
        style = {"passed": "bold green", "failed": "bold red", "error": "bold red"}.get(entry.outcome, "bold yellow")
        self._put((entry.outcome, style), (f": the test {entry.test}", ""))

    def _failed(self, entry: journal.Failed, _placed: Placed) -> None:
        self._has_failed = True
        self._explain(entry.at_ns, entry.text)

    def _soft_check_failed(self, entry: journal.SoftCheckFailed, _placed: Placed) -> None:
        self._explain(entry.at_ns, f"soft check: {entry.text}")

    def _explain(self, at_ns: int, text: str) -> None:
        first, *rest = text.splitlines() or [""]
        self._line(at_ns, "", 0, (f"{self._signs.failed} {first}", "red"), is_cut=not self._explains)
        for line in rest if self._explains else []:
            self._put((" " * (self._margin(0) + 2) + line, ""), is_cut=False)

    def _note(self, entry: journal.Note, _placed: Placed) -> None:
        self._line(entry.at_ns, "", 0, (f"{self._signs.noted} {entry.text}", "yellow"))

    # -- business steps -----------------------------------------------------------------------------------------------

    def _step_started(self, entry: journal.StepStarted, _placed: Placed) -> None:
        self._seen["steps"] += 1
        self._line(entry.at_ns, entry.actor, self._depths.begin(entry), (entry.title, "bold"))

    def _step_ended(self, entry: journal.StepEnded, _placed: Placed) -> None:
        step, depth = self._depths.end(entry)
        if step is None:
            return
        signs = {"passed": (self._signs.passed, "green"), "failed": (self._signs.failed, "red")}
        sign, style = signs.get(entry.outcome, (self._signs.cancelled, "yellow"))
        outcome = "" if entry.outcome == "passed" else f"  {entry.error or entry.outcome}"
        took = f"  {seconds(entry.at_ns - step.at_ns)}"
        self._line(entry.at_ns, step.actor, depth, (f"{sign} {step.action}", style), (took, "dim"), (outcome, style))

    def _called(self, entry: journal.Called, placed: Placed) -> None:
        self._line(
            entry.at_ns,
            "",
            self._depths.inside(entry.number),
            (f"= {entry.save_as}: ", "cyan"),
            (entry.result, ""),
        )

    def _signal(self, entry: journal.SignalGiven, placed: Placed) -> None:
        depth = self._depths.inside(placed.step)
        value = f": {entry.value}" if entry.value else ""
        self._line(entry.at_ns, entry.actor, depth, (f"= the signal {entry.name!r} is given", "cyan"), (value, ""))

    def _moment(self, entry: journal.MomentKept, placed: Placed) -> None:
        told = f"= begun {entry.error_ns / 1e3:.1f} µs after its moment"
        self._line(entry.at_ns, "", self._depths.inside(placed.step), (told, "dim"))

    def _timer(self, entry: journal.TimerStopped, placed: Placed) -> None:
        took = f"{entry.took_ns / 1e6:.1f} ms" if entry.took_ns < 1e9 else seconds(entry.took_ns)
        told = f"= the timer {entry.name!r} took {took}"
        self._line(entry.at_ns, "", self._depths.inside(placed.step), (told, "cyan"))

    def _wait_ended(self, entry: journal.WaitEnded, placed: Placed) -> None:
        wait = placed.wait
        if wait is None:
            return
        depth = self._depths.inside(placed.step)
        took_ns = entry.at_ns - wait.at_ns
        # What was taken as it came has its time behind the message; this is for what took something older, or no
        # message.
        if entry.outcome == "satisfied" and took_ns > LONG_WAIT_NS and not placed.is_told:
            told = f"{self._signs.passed} {wait.what} after {seconds(took_ns)}"
            self._line(entry.at_ns, wait.actor, depth, (told, "dim"), channel=wait.channel)
        if entry.outcome == "failed":
            told = f"{self._signs.failed} waited {seconds(took_ns)} for {wait.what}: {entry.error}"
            self._line(entry.at_ns, wait.actor, depth, (told, "red"), channel=wait.channel)

    # -- channels and messages ----------------------------------------------------------------------------------------

    def _opened(self, entry: journal.ChannelOpened, _placed: Placed) -> None:
        if not entry.address:  # it came to us
            self._served.add((entry.actor, entry.channel))
        details = f"  {entry.address}" + (f"  {entry.subprotocol}" if entry.subprotocol else "")
        told = f"{self._signs.opened} {entry.channel} is open"
        self._line(entry.at_ns, entry.actor, 0, (told, "blue"), (details, "dim"), channel=entry.channel)

    def _closed(self, entry: journal.ChannelEnded, _placed: Placed) -> None:
        other = "the client" if (entry.actor, entry.channel) in self._served else "the server"
        who = {"peer": f"closed by {other}", "us": "closed by us"}.get(entry.by, "lost")
        # What nobody said has no code: 1006 is its reader's own word for that.
        code = "" if entry.code is None or entry.by == "wire" else f" with {entry.code}"
        reason = f" {entry.reason!r}" if entry.reason else ""
        detail = f": {entry.detail}" if entry.detail else ""
        # Our own goodbye is how every run ends; any other end may be why it failed.
        style = "blue" if entry.by == "us" and not entry.detail else "yellow"
        told = f"{self._signs.closed} {entry.channel} is {who}{code}{reason}{detail}"
        self._line(entry.at_ns, entry.actor, 0, (told, style), channel=entry.channel)

    def _reopening(self, entry: journal.ChannelReopening, _placed: Placed) -> None:
        sign, style = (self._signs.noted, "yellow") if entry.in_ns is not None else (self._signs.failed, "red")
        told = f"{sign} {entry.channel} {entry.what}"
        self._line(entry.at_ns, entry.actor, 0, (told, style), channel=entry.channel)

    def _reopened(self, entry: journal.ChannelReopened, _placed: Placed) -> None:
        told = f"{self._signs.opened} {entry.channel} {entry.what}"
        self._line(entry.at_ns, entry.actor, 0, (told, "blue"), channel=entry.channel)

    def _aside(self, entry: journal.Aside, _placed: Placed) -> None:
        lines = entry.lines
        more = f"  and {counted(len(lines) - 1, 'more line')}" if len(lines) > 1 else ""
        told = f"{self._signs.aside} {'we have ' if entry.is_sent else ''}{entry.name}"
        said = f"  {visible(lines[0])}" if lines else ""
        pieces = ((told, "blue"), (said, "dim"), (more, "dim"))
        self._line(entry.at_ns, entry.actor, 0, *pieces, channel=entry.channel)

    def _message(self, message: Message | WrittenMessage, placed: Placed) -> None:
        self._seen["sent" if message.is_sent else "received"] += 1
        wait, suffix = placed.wait, ""
        if placed.handler:
            suffix = f"{self._signs.handled} {placed.handler}"
        elif wait is not None and message.at_ns - wait.at_ns > LONG_WAIT_NS:
            suffix = f"after {seconds(message.at_ns - wait.at_ns)}"
        if not self.is_muted:
            self._say(message, self._depths.inside(placed.step), suffix, placed.is_aside)

    def _handled(self, entry: journal.Handled, placed: Placed) -> None:
        if entry.error:
            told = f"{self._signs.failed} {entry.handler}: {entry.error}"
            depth = self._depths.inside(placed.step)
            self._line(entry.at_ns, entry.actor, depth, (told, "red"), channel=entry.channel)

    def _say(self, message: Message | WrittenMessage, depth: int, suffix: str, is_aside: bool) -> None:
        sign, style = (self._signs.sent, "cyan") if message.is_sent else (self._signs.received, "magenta")
        head = f"{sign} {message.name}"
        body = glance(readable(message), message.name, self._width)
        suffix = f"  {suffix}" if suffix else ""
        room = self._width - self._margin(depth) - cell_len(visible(head)) - len(suffix) - 2
        body = "  " + fit(self._readable(body), room, self._signs.ellipsis) if body and room >= 4 else ""
        pieces = [(head, style), (body, ""), (suffix, "dim")]
        if is_aside:
            # Heartbeats answered by handlers are most of a long conversation, and seldom what one looks for.
            pieces = [(text, "dim") for text, _ in pieces]
        self._line(message.at_ns, message.actor, depth, *pieces, channel=message.channel)

    def _http(self, entry: journal.HttpExchange, placed: Placed) -> None:
        self._seen["requests"] += 1
        _, is_whole, rest = entry.url.partition("://")
        # The host is the same in every line, and the trace has it.
        path = "/" + rest.partition("/")[2] if is_whole else entry.url
        outcome = f"  {entry.status or entry.error}, {seconds(entry.took_ns)}"
        depth = self._depths.inside(placed.step)
        head = f"{self._signs.exchanged} {entry.method} "
        # The outcome stands at the end, so the path is what gives way.
        room = max(self._width - self._margin(depth) - len(head) - len(outcome), 10)
        path = fit(self._readable(visible(path)), room, self._signs.ellipsis)
        style = "dim" if 200 <= entry.status < 400 else "red"
        ended_ns = entry.at_ns + entry.took_ns
        self._line(ended_ns, entry.actor, depth, (head, "cyan"), (path, ""), (outcome, style), channel=entry.channel)

    def _dropped(self, entry: journal.Dropped, placed: Placed) -> None:
        box = f"the mailbox of {entry.channel} (its limit is {entry.crossed})"
        told = f"{self._signs.noted} {counted(entry.count, 'older message')} fell out of {box}"
        depth = self._depths.inside(placed.step)
        self._line(entry.at_ns, entry.actor, depth, (told, "yellow"), channel=entry.channel)

    # -- lines --------------------------------------------------------------------------------------------------------

    def _line(self, at_ns: int, actor: str, depth: int, *pieces: Piece, channel: str = "", is_cut: bool = True) -> None:
        """Write a line in its place: the time, who it is about if there are several, and what there is to say."""
        place: list[Piece] = [(f"{at_ns / 1e9:8.3f}  ", "dim")]
        if self._label_width:
            label = fit(visible(self._label(actor, channel)), self._label_width, self._signs.ellipsis)
            place.append((label.ljust(self._label_width + 2), ""))
        self._put(*place, ("  " * depth, ""), *pieces, is_cut=is_cut)

    def _put(self, *pieces: Piece, is_cut: bool = True) -> None:
        if self.is_muted:
            return
        line = Text()
        for text, style in pieces:
            line.append(self._readable(visible(text)), style)
        # Cut by cells, not characters: a terminal would wrap what is wide, and the columns below would be lost.
        if is_cut and line.cell_len > self._width:
            line.truncate(self._width - len(self._signs.ellipsis))
            line.append(self._signs.ellipsis, "dim")
        self._write(line)

    def _margin(self, depth: int) -> int:
        return _TIME_WIDTH + (self._label_width + 2 if self._label_width else 0) + 2 * depth

    def _label(self, actor: str, channel: str) -> str:
        if not self._has_channels or not channel:
            return actor
        return channel if len(self._actors) == 1 else f"{actor}.{channel}"

    def _readable(self, text: str) -> str:
        # A terminal that cannot show our signs cannot show theirs either: it would raise UnicodeEncodeError in the
        # middle of a run.
        if self._signs is not ASCII or text.isascii():
            return text
        return text.replace(UNICODE.ellipsis, ASCII.ellipsis).encode("ascii", "backslashreplace").decode()


def last_lines(entries: Iterable[Any], limit: int = 20, *, width: int = 120) -> list[str]:
    """The last `limit` lines of the conversation, plain; a failure by its first line."""
    return list(ends(entries, 0, limit, width=width))[-limit:]


def ends(entries: Iterable[Any], first: int, last: int, *, width: int = 120) -> Iterator[str]:
    """The first lines of the conversation and the last, plain; between them, in a line, how much was left out.

    A failure is told by its first line. What is left out is not made into lines, which is what takes the time.
    """
    lines: deque[str] = deque()
    conversation = Conversation(lambda line: lines.append(line.plain.rstrip()), width=width, explains=False)
    waiting: deque[Any] = deque()
    given = left_out = 0
    for entry in entries:
        if given < first:
            conversation(entry)
            while lines and given < first:
                yield lines.popleft()
                given += 1
            continue
        waiting.append(entry)
        if len(waiting) > _ENTRIES_A_LINE * last:
            left_out += 1
            if not conversation.is_muted:
                conversation.flush()
                conversation.is_muted = True
            conversation(waiting.popleft())
    conversation.flush()
    conversation.is_muted = False
    for entry in waiting:
        conversation(entry)
    conversation.flush()
    if first and (left_out or len(lines) > last):
        yield f"… more is left out here ({left_out} entries of the journal) …"
    yield from list(lines)[-last:]


_ENTRIES_A_LINE: Final = 4
"""How many entries of a journal are looked at for a line, for many make none."""
