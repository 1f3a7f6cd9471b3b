"""`antiphon testbed`: the contact centre that antiphon ships with, running until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from antiphon.cli.exit_codes import BUG, PASSED
from antiphon.cli.play import ends_when_terminated
from antiphon.cli.screen import Screen
from antiphon.errors import ScenarioError, TransportError
from antiphon.scenarios.runner import event_loop_factory

__all__ = ["serve", "testbed_entry"]

_GROUP: Final = "antiphon.testbeds"
_NAME: Final = "contact_centre"
_NAMED_USERS: Final = 5


def testbed_entry() -> EntryPoint:
    """The testbed that is installed."""
    found = entry_points(group=_GROUP, name=_NAME)
    if not found:
        raise ScenarioError(
            f"there is no testbed: nothing is registered as {_NAME!r} in {_GROUP!r}",
            hint="install antiphon again: pip install --force-reinstall antiphon",
        )
    return next(iter(found))


def serve(options: Mapping[str, Any], screen: Screen) -> int:
    """Run the contact centre, with what was given of its options, until it is interrupted; the exit code.

    Raises ScenarioError for an option that cannot be, or an address where nobody can listen.
    """
    centre = testbed_entry().load()(**options)
    failures: list[BaseException] = []
    try:
        with ends_when_terminated(), asyncio.Runner(loop_factory=event_loop_factory()) as runner:
            runner.run(_run(centre, lambda: _tell(centre, screen), failures))
    except KeyboardInterrupt:
        pass
    except TransportError as error:
        raise ScenarioError(error.text, place=error.place, hint=error.hint or "choose another --port") from error
    for failure in failures:
        screen.tell_error(f"the contact centre failed: {type(failure).__name__}: {failure}", label="internal error")
    return BUG if failures else PASSED


async def _run(centre: Any, started: Callable[[], None], failures: list[BaseException]) -> None:
    async with centre:
        started()
        try:
            await asyncio.Event().wait()
        finally:
            failures += centre.failures


def _tell(centre: Any, screen: Screen) -> None:
    users = centre.users
    named = ", ".join(f"{user['name']} (password {user['password']})" for user in users[:_NAMED_USERS])
    more = f" and {len(users) - _NAMED_USERS} more" if len(users) > _NAMED_USERS else ""
    address = centre.address
    screen.print(
        f"The contact centre is at {address}; desks connect to ws{address.removeprefix('http')}/desk",
        f"Users: {named}{more}",
        "",
        "In another terminal:",
        "  antiphon demo --copy-to my_calls",
        "  antiphon run my_calls/calls.py:outgoing --stand local",
        "",
        "Ctrl-C ends it.",
    )
