"""The journal as log lines, for whoever has asked `logging` for them: one logger for each kind of thing.

Loggers: `antiphon.run`, `.step`, `.channel`, `.message`, `.wait`, `.handler`, `.http`, `.call`, `.signal`. A run looks
once, when it begins, whether any of them is to be heard; what nobody hears costs nothing. Secrets are masked, as on
disk. Each record has its facts as `record.antiphon`, a dict, for those who write them as JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import repeat
from typing import Any, Final

from antiphon import journal
from antiphon.conversation.message import Message
from antiphon.conversation.wording import seconds, shorten, visible

__all__ = ["JournalLog", "is_heard"]

_KINDS: Final = ("run", "step", "channel", "message", "wait", "handler", "http", "call", "signal")
_LOGGERS: Final = {kind: logging.getLogger(f"antiphon.{kind}") for kind in _KINDS}
_LONGEST_BODY: Final = 200


def is_heard() -> bool:
    """Whether anybody wants to hear of runs: at INFO for what is done, at DEBUG for every message and wait too."""
    # Asked by every run: of loggers that are looked up once, and without a line of ours for each.
    return True in map(logging.Logger.isEnabledFor, _LOGGERS.values(), repeat(logging.INFO))


class JournalLog:
    """A sink of one run's journal that logs each entry."""

    def __init__(self) -> None:
        self._steps: dict[int, journal.StepStarted] = {}
        self._waits: dict[int, journal.WaitStarted] = {}
        self._scenario = ""
        self._tell: dict[type, Callable[[Any], None]] = {
            Message: self._message,
            journal.RunStarted: self._run_started,
            journal.RunEnded: self._run_ended,
            journal.ChannelOpened: self._channel_opened,
            journal.ChannelEnded: self._channel_ended,
            journal.ChannelReopening: self._channel_reopening,
            journal.ChannelReopened: self._channel_reopened,
            journal.Aside: self._aside,
            journal.StepStarted: self._step_started,
            journal.StepEnded: self._step_ended,
            journal.WaitStarted: self._wait_started,
            journal.WaitEnded: self._wait_ended,
            journal.Handled: self._handled,
            journal.Called: self._called,
            journal.HttpExchange: self._http,
            journal.SignalGiven: self._signal,
            journal.MomentKept: self._moment,
            journal.TimerStopped: self._timer,
            journal.Dropped: self._dropped,
            journal.SoftCheckFailed: lambda entry: self._log(
                "run", logging.WARNING, entry, f"soft check: {entry.text}"
            ),
            journal.Failed: lambda entry: self._log("run", logging.ERROR, entry, entry.text),
            journal.Note: lambda entry: self._log("run", logging.WARNING, entry, entry.text),
        }

    def __call__(self, entry: Any) -> None:
        tell = self._tell.get(journal.kind_of(entry))
        if tell is not None:
            tell(entry)

    def _log(self, kind: str, level: int, entry: Any, text: str, **facts: Any) -> None:
        logger = _LOGGERS[kind]
        # Most entries are messages and waits, which are told at DEBUG only.
        if logger.isEnabledFor(level):
            told = {"scenario": self._scenario, "at_s": entry.at_ns / 1e9, **facts}
            # As an argument, since what a peer said may hold a %.
            logger.log(level, "%s", visible(text), extra={"antiphon": told})

    # -- the run and its steps ----------------------------------------------------------------------------------------

    def _run_started(self, entry: journal.RunStarted) -> None:
        self._scenario = entry.scenario
        on_stand = f" on the stand {entry.stand}" if entry.stand else ""
        facts = {"stand": entry.stand, "parameters": entry.parameters}
        self._log("run", logging.INFO, entry, f"{entry.scenario} begins{on_stand}", **facts)

    def _run_ended(self, entry: journal.RunEnded) -> None:
        level = logging.INFO if entry.verdict == "passed" else logging.ERROR
        text = f"{self._scenario} {entry.verdict} after {seconds(entry.at_ns)}"
        self._log("run", level, entry, text, verdict=entry.verdict, took_s=entry.at_ns / 1e9, error=entry.error)

    def _step_started(self, entry: journal.StepStarted) -> None:
        self._steps[entry.number] = entry
        facts = {"actor": entry.actor, "step": entry.title, "source": entry.source}
        self._log("step", logging.DEBUG, entry, f"{_who(entry.actor)}{entry.title} begins at {entry.source}", **facts)

    def _step_ended(self, entry: journal.StepEnded) -> None:
        begun = self._steps.pop(entry.number, None)
        if begun is None:
            return
        took_ns = entry.at_ns - begun.at_ns
        why = f": {entry.error}" if entry.error else ""
        facts = {"actor": begun.actor, "step": begun.title, "source": begun.source, "outcome": entry.outcome}
        level = logging.INFO if entry.outcome == "passed" else logging.WARNING
        text = f"{_who(begun.actor)}{begun.title} {entry.outcome} in {seconds(took_ns)}{why}"
        self._log("step", level, entry, text, took_s=took_ns / 1e9, error=entry.error, **facts)

    def _called(self, entry: journal.Called) -> None:
        text = f"{entry.function} returned {entry.result}"
        self._log("call", logging.INFO, entry, text, function=entry.function, save_as=entry.save_as)

    def _signal(self, entry: journal.SignalGiven) -> None:
        self._log("signal", logging.INFO, entry, f"{_who(entry.actor)}signal {entry.name!r}", signal=entry.name)

    def _moment(self, entry: journal.MomentKept) -> None:
        text = f"a moment was kept to {entry.error_ns / 1000:.0f} µs"
        self._log("step", logging.DEBUG, entry, text, error_s=entry.error_ns / 1e9)

    def _timer(self, entry: journal.TimerStopped) -> None:
        took_s = entry.took_ns / 1e9
        self._log("step", logging.INFO, entry, f"the timer {entry.name!r} took {took_s:.6f} s", took_s=took_s)

    # -- channels and what is said on them ----------------------------------------------------------------------------

    def _channel_opened(self, entry: journal.ChannelOpened) -> None:
        text = f"{entry.actor}.{entry.channel} is open: {entry.address}"
        self._log("channel", logging.INFO, entry, text, actor=entry.actor, channel=entry.channel, address=entry.address)

    def _channel_ended(self, entry: journal.ChannelEnded) -> None:
        code = f" with {entry.code}" if entry.code is not None else ""
        reason = f" {entry.reason!r}" if entry.reason else ""
        text = f"{entry.actor}.{entry.channel} was closed by {entry.by}{code}{reason}"
        level = logging.INFO if not entry.detail else logging.WARNING
        facts = {"actor": entry.actor, "channel": entry.channel, "code": entry.code, "by": entry.by}
        self._log("channel", level, entry, f"{text}{': ' if entry.detail else ''}{entry.detail}", **facts)

    def _channel_reopening(self, entry: journal.ChannelReopening) -> None:
        text = f"{entry.actor}.{entry.channel} {entry.what}"
        facts = {"actor": entry.actor, "channel": entry.channel, "attempt": entry.attempt}
        self._log("channel", logging.WARNING, entry, text, **facts)

    def _channel_reopened(self, entry: journal.ChannelReopened) -> None:
        text = f"{entry.actor}.{entry.channel} {entry.what}"
        facts = {"actor": entry.actor, "channel": entry.channel, "attempt": entry.attempt}
        self._log("channel", logging.INFO, entry, text, away_s=entry.away_ns / 1e9, **facts)

    def _aside(self, entry: journal.Aside) -> None:
        said = shorten(entry.text or dict(entry.headers), _LONGEST_BODY) if entry.lines else ""
        text = f"{entry.actor}.{entry.channel} {'said' if entry.is_sent else 'heard'}, beside: {entry.name}"
        facts = {"actor": entry.actor, "channel": entry.channel, "aside": entry.name, "is_sent": entry.is_sent}
        self._log("channel", logging.DEBUG, entry, f"{text} {said}".rstrip(), **facts)

    def _message(self, message: Message) -> None:
        arrow = "said" if message.is_sent else "heard"
        body = shorten(message.body, _LONGEST_BODY)
        facts = {"actor": message.actor, "channel": message.channel, "message": message.name, "number": message.number}
        mark = ", protocol" if message.is_protocol else ""
        text = f"{message.actor}.{message.channel} {arrow} {message.name} ({message.number}{mark}): {body}"
        facts |= {"is_sent": message.is_sent, "is_protocol": message.is_protocol}
        self._log("message", logging.DEBUG, message, text, **facts)

    def _dropped(self, entry: journal.Dropped) -> None:
        mailbox = f"the mailbox, which keeps {entry.crossed}"
        text = f"{entry.actor}.{entry.channel}: {entry.count} messages fell out of {mailbox}"
        self._log("channel", logging.WARNING, entry, text, actor=entry.actor, channel=entry.channel, count=entry.count)

    def _handled(self, entry: journal.Handled) -> None:
        why = f": {entry.error}" if entry.error else ""
        level = logging.ERROR if entry.error else logging.INFO
        text = f"{entry.actor}.{entry.handler} handled message {entry.message} in {seconds(entry.took_ns)}{why}"
        facts = {"actor": entry.actor, "channel": entry.channel, "handler": entry.handler, "number": entry.message}
        self._log("handler", level, entry, text, took_s=entry.took_ns / 1e9, **facts)

    def _http(self, entry: journal.HttpExchange) -> None:
        outcome = entry.error or entry.status
        level = logging.WARNING if entry.error else logging.INFO
        text = f"{entry.actor}.{entry.channel} {entry.method} {entry.url}: {outcome} in {seconds(entry.took_ns)}"
        facts = {"actor": entry.actor, "channel": entry.channel, "status": entry.status}
        self._log("http", level, entry, text, took_s=entry.took_ns / 1e9, **facts)

    # -- waits --------------------------------------------------------------------------------------------------------

    def _wait_started(self, entry: journal.WaitStarted) -> None:
        self._waits[entry.number] = entry
        if not self._hears_waits():
            return
        facts = {"actor": entry.actor, "channel": entry.channel, "what": entry.what, "source": entry.source}
        text = f"{_who(entry.actor)}waits for {entry.what} at {entry.source}"
        self._log("wait", logging.DEBUG, entry, text, **facts)

    def _wait_ended(self, entry: journal.WaitEnded) -> None:
        begun = self._waits.pop(entry.number, None)
        if begun is None or not self._hears_waits():
            return
        took_ns = entry.at_ns - begun.at_ns
        facts = {"actor": begun.actor, "channel": begun.channel, "what": begun.what, "number": entry.message}
        text = f"{_who(begun.actor)}waited for {begun.what}: {entry.outcome} after {seconds(took_ns)}"
        self._log("wait", logging.DEBUG, entry, text, outcome=entry.outcome, took_s=took_ns / 1e9, **facts)

    def _hears_waits(self) -> bool:
        """Whether it is worth the words: in a run there are as many waits as messages."""
        return _LOGGERS["wait"].isEnabledFor(logging.DEBUG)


def _who(actor: str) -> str:
    return f"{actor}: " if actor else ""
