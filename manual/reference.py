"""The reference: which public name stands on which page, and the pages."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final, NamedTuple

import antiphon
from antiphon import _HOMES
from manual.described import anchor, described, members
from manual.docstrings import as_markdown, own_docstring
from manual.places import REFERENCE
from manual.tables import command_line, exit_codes, journal_entries, pytest_options

__all__ = ["HIDDEN", "entries", "reference_pages"]


class Page(NamedTuple):
    """A page: names by the modules in which they stand (`homes`), and all names of some `modules`."""

    title: str
    about: str
    homes: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    told_by: str = ""
    """The module whose docstring stands at the top."""


PAGES: Final = {
    "actors": Page(
        "Actors and channels",
        "Whom we play, where they are connected, and what they say and wait for. An actor's words speak on its first "
        "channel; the same words on a channel (`self.media.expect(…)`) on that one.",
        (
            *("actor.actor", "scenarios.action", "actor.handlers", "actor.answers", "actor.declarations"),
            *("actor.channel", "actor.http_channel", "conversation.http_response", "actor"),
        ),
    ),
    "waits": Page(
        "Waits and messages",
        "What the words give that wait, and what they wait for.",
        ("conversation.waits", "runtime.wait_groups", "conversation.message", "conversation.ending"),
    ),
    "patterns": Page(
        "Patterns",
        "For `where`, `check`, `failed`, `provisional`, and the choice of users. With examples: How to, Patterns.",
        ("conversation.match", "conversation.checks"),
        told_by="antiphon.conversation.match",
    ),
    "words": Page(
        "Scenarios and their words",
        "What a scenario is, the words beside the actors' own actions, and how one is performed from Python.",
        ("scenarios.scenario", "scenarios.step", "scenarios"),
    ),
    "dialects": Page(
        "Dialects", "How messages are encoded, named and correlated. `antiphon.dialect` has them all.", ("dialect",)
    ),
    "framings": Page(
        "Framings and streams",
        "Where messages begin and end on a wire without frames, and streams over HTTP.",
        modules=(
            *("antiphon.dialect.framing", "antiphon.dialect.event_stream"),
            *("antiphon.transport.http_stream", "antiphon.transport.http_stream_listener"),
        ),
    ),
    "stands": Page(
        "Stands, users, TLS",
        "Where the system lives, and who can log in there.",
        ("stand", "transport.tls", "transport.proxy"),
        told_by="antiphon.stand.stand",
    ),
    "servers": Page("Servers", "Actors that answer.", ("actor.server", "transport.interface")),
    "load": Page("Load", "Plans and what they give; the words of the command are on their page.", ("load",)),
    "errors": Page("Errors", "What is raised, by whose fault it is.", ("errors",), told_by="antiphon.errors"),
    "testing": Page(
        "Testing one's own",
        "Checks for dialects, framings and transports, and a loop whose waits take no time.",
        modules=(
            *("antiphon.testing", "antiphon.testing.dialects", "antiphon.testing.framings"),
            "antiphon.testing.transports",
        ),
    ),
    "plugins": Page(
        "The seams",
        "What a wire, a dialect or a framing of one's own is made of: `antiphon.plugins` has it all in one place.",
        modules=("antiphon.plugins",),
    ),
    "testbed": Page("The testbed in Python", "The contact centre, started.", modules=("antiphon_testbed.centre",)),
}

HIDDEN: Final = {
    "Actor": {
        "runtime",
        "wanted_user",
        "attach",
        "be",
        "connect",
        "connections",
        "disconnect",
        "has_async_handlers",
        "message_channels",
    },
    "Channel": {"__init__", "meet", "refuse_with"},
    "HttpChannel": {"__init__"},
    "Proxy": {"is_http", "shown"},
    "Run": {"__init__", "actor_for", "resolve", "save", "take_record"},
    "Server": {"__init__", "start"},
    "Exchange": {"__init__", "add"},
    "Scenario": {"__init__", "arguments", "folder", "new_actor"},
    "Stand": {"lend_users", "started", "tls_for"},
    "Step": {"arguments", "argument_names", "check", "given", "stage_outside", "teach", "with_parts"},
    "Tls": {"context", "server_context", "without_identity"},
    "Wait": {"__init__", "accepts", "describe"},
    **{name: {"make"} for name in ("Accepted", "Http", "Link", "WebSocket")},
}
"""Members for whoever performs a run, and how things are made that no author makes."""

_TABLES: Final = {
    "command_line": ("The command line", command_line),
    "exit_codes": ("Exit codes", exit_codes),
    "journal": ("Journal entries", journal_entries),
    "pytest": ("pytest: fixtures and options", pytest_options),
}


def _place_of(name: str) -> tuple[str, int, str]:
    """The page, and where on it: as the page lists the modules, the nearest one counts, and then by the alphabet."""
    home = f"{_HOMES[name]}."
    fitting = [
        (len(prefix), page, place)
        for page, told in PAGES.items()
        for place, prefix in enumerate(told.homes)
        if home.startswith(f"{prefix}.")
    ]
    if not fitting:
        raise SystemExit(f"{name} stands in {home[:-1]}, and manual/reference.py has no page for that")
    _, page, place = max(fitting)
    return page, place, name.lower()


def _names() -> Iterator[tuple[str, str, str, Any]]:
    """Each public name: its page, itself, its home, and what it is."""
    for name in sorted(antiphon.__all__, key=_place_of):
        yield _place_of(name)[0], name, f"antiphon.{_HOMES[name]}", getattr(antiphon, name)
    for page, told in PAGES.items():
        for home in told.modules:
            module = import_module(home)
            # Several kinds of checks are called alike.
            qualifier = f"{home.rpartition('.')[2]}." if home.startswith("antiphon.testing.") else ""
            for name in module.__all__:
                if name not in _HOMES:  # else it is on its own page
                    yield page, f"{qualifier}{name}", home, getattr(module, name)


def reference_pages() -> dict[str, str]:
    """The pages by their places."""
    pages = {page: [f"# {told.title}", told.about, _told_by(told)] for page, told in PAGES.items()}
    for page, name, home, thing in _names():
        pages[page].append(described(name, thing, home, HIDDEN.get(name, ())))
    texts = {page: "\n\n".join(part for part in parts if part) for page, parts in pages.items()}
    texts |= {page: f"# {title}\n\n{make()}" for page, (title, make) in _TABLES.items()}
    index = [f"- [{text.partition(chr(10))[0].removeprefix('# ')}]({page}.md)" for page, text in texts.items()]
    texts["README"] = "\n".join(["# Reference", "", "Made of the docstrings of every public name.", "", *index])
    return {f"{REFERENCE}/{page}.md": f"{text}\n" for page, text in texts.items()}


def _told_by(told: Page) -> str:
    return as_markdown(own_docstring(import_module(told.told_by)), ()) if told.told_by else ""


def entries() -> dict[str, str]:
    """Where each public name has its entry, and each word of an actor or a channel."""
    found: dict[str, str] = {}
    for page, name, _, thing in _names():
        place = f"{REFERENCE}/{page}.md"
        found.setdefault(name, f"{place}#{anchor(name)}")
        if name in ("Actor", "Channel"):
            for member, _function in members(thing, HIDDEN[name]):
                found.setdefault(member, f"{place}#{anchor(name, member)}")
    return found
