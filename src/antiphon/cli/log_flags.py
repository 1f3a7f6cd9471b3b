"""What the command line does with log lines: `-v`, `-vv` and `--log-json`, with any command, on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from antiphon.conversation.clock import iso_utc
from antiphon.conversation.wording import visible, visible_json, visible_lines

__all__ = ["JsonLines", "configure_logs", "split_log_flags"]

_LEVELS: Final = {"-v": logging.INFO, "-vv": logging.DEBUG, "--log-json": logging.INFO}


def split_log_flags(tokens: Sequence[str]) -> tuple[list[str], set[str]]:
    """The tokens without those that are about logs, and these."""
    return [token for token in tokens if token not in _LEVELS], {token for token in tokens if token in _LEVELS}


def configure_logs(flags: set[str]) -> None:
    """Write the log lines of antiphon to standard error, as the flags say; nothing without any.

    What a library warns of is shown without any, by logging's last resort: asyncio, of a callback that failed, with the
    text of the error, which may be what a peer said. It is made safe to be shown.
    """
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Warnings())
    if not flags:
        return
    # Not standard output: that is the conversation, which may be piped elsewhere.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if "--log-json" in flags else _Lines())
    logger = logging.getLogger("antiphon")
    logger.addHandler(handler)
    logger.setLevel(min(_LEVELS[flag] for flag in flags))


class _Lines(logging.Formatter):
    """A record as one line, whatever the peer has put into it, and below it a traceback if it has one."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:7} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        return visible_lines(super().formatException(ei))


class _Warnings(logging.Formatter):
    """A record as it is, its lines safe to be shown."""

    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(super().format(record))


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and the facts that a run's records have."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": iso_utc(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "antiphon", {}),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return visible_json(msgspec.json.encode(told, enc_hook=str).decode("utf-8", "backslashreplace"))
