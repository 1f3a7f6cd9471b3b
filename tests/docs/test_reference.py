"""The reference has an entry for every public name, and what it says is what stands beside the code."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

import pytest
from manual.described import described, members, parameters
from manual.docstrings import as_markdown
from manual.markdown import anchors
from manual.pages import written_pages
from manual.reference import HIDDEN, entries, reference_pages

import antiphon
from antiphon import journal
from antiphon.cli import _HELP

PAGES = cache(reference_pages)
DIALECTS = sorted(
    name
    for name in antiphon.__all__
    if antiphon._HOMES[name] == "dialect" and name not in ("Codec", "Dialect", "Meeting")
)
LOOKED_FOR = [
    *("expect_none", "expect_close", "until", "forbid", "drain", "mark", "DEFERRED", "later", "batch", "send_data"),
    *("first_of", "expect_refusal", "JsonRpc", "ABSENT", "soft"),
]


def entry_of(name: str) -> str:
    page, _, anchor = entries()[name].partition("#")
    return re.split(r"^## ", PAGES()[page].partition(f"{{#{anchor}}}\n")[2], flags=re.MULTILINE)[0]


def test_every_public_name_has_an_entry() -> None:
    told = entries()
    assert [name for name in antiphon.__all__ if name not in told] == []


@pytest.mark.parametrize("name", sorted(entries()))
def test_an_entry_is_there_and_says_something(name: str) -> None:
    page, _, anchor = entries()[name].partition("#")
    assert anchor in anchors(PAGES()[page])
    text = re.sub(r"```.*?```", "", entry_of(name), flags=re.DOTALL)
    assert len(text.strip()) > 10, f"{name} has no docstring, or no text behind it"


@pytest.mark.parametrize("name", LOOKED_FOR)
def test_the_words_that_nobody_found_have_entries(name: str) -> None:
    assert name in entries()


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_says_what_each_of_its_parameters_is(name: str) -> None:
    kind: Any = getattr(antiphon, name)
    told = inspect.getdoc(kind) or ""
    if "See `JsonRpc`" in told or "the options of `Json`" in told:
        return
    assert [
        each
        for each in parameters(kind)
        if each != "options"  # those of `Json`, which are named
        if f"{each}:" not in told and f"{each}," not in told and f"`{each}`" not in told
    ] == []


@pytest.mark.parametrize("name", ["Link", "WebSocket", "Http", "Stand", "Tls"])
def test_so_does_a_declaration(name: str) -> None:
    bases = " ".join(inspect.getdoc(kind) or "" for kind in getattr(antiphon, name).__mro__)
    module = inspect.getdoc(inspect.getmodule(getattr(antiphon, name))) or ""
    told = f"{bases} {module}"
    unsaid = [each for each in parameters(getattr(antiphon, name)) if not re.search(rf"\b{each}\b", told)]
    assert unsaid == []


def test_words_say_themselves_and_lead_nowhere_else() -> None:
    for member, function in members(antiphon.Actor, HIDDEN["Actor"]):
        assert "See `Channel" not in (function.__doc__ or ""), member


def test_every_command_every_kind_of_entry_and_every_code_is_told() -> None:
    assert [name for name in _HELP if f"## antiphon {name}\n" not in PAGES()["reference/command_line.md"]] == []
    kinds = [
        each
        for each in map(journal.__dict__.get, journal.__all__)
        if inspect.isclass(each) and issubclass(each, journal.Entry)
    ]
    told = PAGES()["reference/journal.md"]
    assert [
        kind for kind in kinds if kind is not journal.Entry and f"`antiphon.journal.{kind.__name__}`" not in told
    ] == []
    codes = re.findall(r"^\| (\d+) \|", PAGES()["reference/exit_codes.md"], re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "4", "5", "70", "129", "130", "143"]
    assert "`--antiphon-report`" in PAGES()["reference/pytest.md"]


def test_parameters_are_a_list_and_code_is_code() -> None:
    text = "Says it.\n\nname: who\n    it is.\nother, more: two.\n\n    x = 1\n\n    y = 2\n\nIt is."
    assert as_markdown(text, {"name", "other", "more"}) == (
        "Says it.\n\n- `name`: who\n  it is.\n- `other`, `more`: two.\n\n```text\nx = 1\n\ny = 2\n```\n\nIt is."
    )
    assert as_markdown("It is the plain\nfunction: so much for that.", {"function"}).endswith(
        "\nfunction: so much for that."
    )


def test_a_long_signature_has_a_line_for_each_parameter() -> None:
    told = described("Json", antiphon.Json, "antiphon.dialect", ())
    assert told.startswith("## Json {#Json}\n\n```python\nJson(\n    name: str = 'type',\n")
    assert "    *,\n    reply: str | None = None,\n" in told


def test_the_names_on_the_pages_lead_to_their_entries() -> None:
    page = written_pages(entries())["docs/howto/silence.md"]
    assert "[`expect_none`](../../reference/actors.md#Actor-expect_none)" in page
