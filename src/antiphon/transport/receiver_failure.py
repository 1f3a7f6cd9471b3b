"""What a connection does when its receiver raises: it is the receiver's fault, and the event loop is told."""

from __future__ import annotations

import asyncio

__all__ = ["report_failure"]


def report_failure(loop: asyncio.AbstractEventLoop, error: Exception, where: str) -> str:
    """Hand the error to the loop's exception handler; gives what has happened, as an ending tells it."""
    text = f"the receiver raised {type(error).__name__} in {where}"
    loop.call_exception_handler({"message": text, "exception": error})
    return text
