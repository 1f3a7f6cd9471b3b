"""`antiphon testbed`: the contact centre that antiphon ships with, running until Ctrl-C."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from antiphon.cli.app import OurScreen
from antiphon.cli.exit_codes import BUG, PASSED
from antiphon.cli.interruption import run_until_told
from antiphon.cli.screen import Screen
from antiphon.errors import ResourcesExhausted, ScenarioError, TransportError, behind
from antiphon.runtime.exhaustion import as_exhaustion

__all__ = ["command", "is_loopback", "testbed_entry"]

_GROUP: Final = "antiphon.testbeds"
_NAME: Final = "contact_centre"
_NAMED_USERS: Final = 5
_PORT: Final = 8765
"""Where the example's stand `local` looks for it, too."""


def testbed_entry() -> EntryPoint:
    """The testbed that is installed."""
    found = entry_points(group=_GROUP, name=_NAME)
    if not found:
        raise ScenarioError(
            f"there is no testbed: nothing is registered as {_NAME!r} in {_GROUP!r}",
            hint="install antiphon again: pip install --force-reinstall antiphon",
        )
    return next(iter(found))


def command(
    *,
    host: str = "127.0.0.1",
    port: int = _PORT,
    users: int | None = None,
    database: Path | None = None,
    ping_interval_s: float = 5.0,
    answer_after_s: float = 0.2,
    offer_timeout_s: float = 10.0,
    latency_s: Annotated[tuple[float, float], Parameter(negative="")] = (0.0, 0.0),
    seed: str | None = None,
    fault: Annotated[list[str] | None, Parameter(negative="")] = None,
    screen: OurScreen,
) -> int:
    """Run the contact centre until it is told to end; the exit code, which is 0 then.

    Raises ScenarioError for an option that cannot be, or an address where nobody can listen.

    Args:
        host: where to listen
        port: where to listen; 0 for any free port
        users: how many users there are, instead of alice, bob, carol, dave and erin
        database: the file of its records; without it they are kept in memory
        ping_interval_s: how often a desk is pinged
        answer_after_s: how long a customer's telephone rings
        offer_timeout_s: how long a desk has to accept what it is offered
        latency_s: how late its answers are, at least and at most
        seed: same seed, same ids, latencies and faults
        fault: what goes wrong on purpose, as late:resultHangUp:2.5; may be given several times
    """
    centre = testbed_entry().load()(
        host=host,
        port=port,
        users=users,
        database=database,
        ping_interval_s=ping_interval_s,
        answer_after_s=answer_after_s,
        offer_timeout_s=offer_timeout_s,
        latency_s=latency_s,
        seed=seed,
        faults=fault or (),
    )
    return _serve(centre, host, screen)


def _serve(centre: Any, host: str, screen: Screen) -> int:
    failures: list[BaseException] = []
    try:
        run_until_told(_run(centre, lambda: _tell(centre, host, screen), failures, _Exhaustion(screen)))
    except KeyboardInterrupt:
        pass  # it has no other end, so this is no failure, whatever the signal
    except TransportError as error:
        raise ScenarioError(error.text, place=error.place, hint=error.hint or "choose another --port") from error
    for failure in failures:
        screen.tell_error(f"the contact centre failed: {type(failure).__name__}: {failure}", label="internal error")
    return BUG if failures else PASSED


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach what listens there.

    A name counts only if it is `localhost`, or ends so (RFC 6761 section 6.3): what others lead to is not ours to know.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f".{host.lower().rstrip('.')}".endswith(".localhost")
    # An IPv4 address in IPv6's clothes is a loopback address by itself only since Python 3.13.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


class _Exhaustion:
    """The loop's exception handler: what the machine has no more of is told, once each, and the rest as asyncio does.

    There is no run that could fail with it, and it may pass: a full machine has room again when clients have left.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._told: set[str] = set()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        told = as_exhaustion(context["exception"]) if "exception" in context else None
        if not isinstance(told, ResourcesExhausted):
            loop.default_exception_handler(context)
        elif str(told) not in self._told:
            self._told.add(str(told))
            self._screen.tell_error(behind(f"{context['message']}: ", told.lines()))


async def _run(
    centre: Any, started: Callable[[], None], failures: list[BaseException], exhaustion: _Exhaustion
) -> None:
    asyncio.get_running_loop().set_exception_handler(exhaustion)
    async with centre:
        started()
        try:
            await asyncio.Event().wait()
        finally:
            failures += centre.failures


def _tell(centre: Any, host: str, screen: Screen) -> None:
    users = centre.users
    named = ", ".join(f"{user['name']} (password {user['password']})" for user in users[:_NAMED_USERS])
    more = f" and {len(users) - _NAMED_USERS} more" if len(users) > _NAMED_USERS else ""
    address = centre.address
    # Else the command below would look for it where it is not.
    edit = [] if address.endswith(f":{_PORT}") else [f'  in my_calls/antiphon.toml, of local: centre = "{address}"']
    screen.print(
        f"The contact centre is at {address}; desks connect to ws{address.removeprefix('http')}/desk",
        f"Users: {named}{more}",
        "",
        "In another terminal:",
        "  antiphon demo --copy-to my_calls",
        *edit,
        "  antiphon run my_calls/calls.py:outgoing --stand local",
        "",
        "Ctrl-C ends it.",
    )
    # What the centre calls its address will not do: it is worded for clients, and 0.0.0.0 is no address to connect to.
    if not is_loopback(host):
        screen.tell(
            f"warning: whoever can reach {host} can log in here: "
            "the users and passwords of the contact centre are public\n"
            "hint: leave out --host, and only this machine can"
        )
