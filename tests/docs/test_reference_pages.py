"""What the pages about failures and the testbed say is what the code has."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import msgspec
from manual.blocks import joined
from manual.places import ROOT

import antiphon
from antiphon_testbed.centre import ContactCentre
from antiphon_testbed.faults.faults import KINDS
from antiphon_testbed.protocol import EVENTS, REQUESTS
from antiphon_testbed.users import enrol

TESTBED = (ROOT / "docs/TESTBED.md").read_text(encoding="utf-8")
FAILURES = (ROOT / "docs/FAILURES.md").read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_testbed_has_the_requests_and_their_fields() -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", section(TESTBED, "What a desk can ask for"), re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", fields)) for name, fields in rows}
    assert told == {
        name: {field.encode_name for field in msgspec.structs.fields(kind)} - {"requestID"}
        for name, kind in REQUESTS.items()
    }


def test_its_dialect_is_that_of_the_example() -> None:
    (said,) = [node for node in ast.parse(joined("docs/TESTBED.md", "python")).body if isinstance(node, ast.Assign)]
    example = ast.parse((ROOT / "examples/contact_centre/desk.py").read_text(encoding="utf-8"))
    assert ast.dump(said) in [ast.dump(node) for node in example.body]


def test_the_testbed_has_the_events() -> None:
    sentence = TESTBED.partition("By itself it says ")[2].partition(".\n")[0]
    assert set(re.findall(r"`(\w+)`", sentence)) == EVENTS


def test_the_testbed_has_the_faults_and_its_users() -> None:
    told = re.findall(r"^\| `(\w+)` \|", section(TESTBED, "Faults"), re.MULTILINE)
    assert told == [kind.word for kind in KINDS]
    for user in enrol(None):
        assert user.name in TESTBED
    assert {"faults", "seed", "users"} <= inspect.signature(ContactCentre).parameters.keys()


@cache
def texts_of_ours() -> str:
    """All that stands in texts of the sources, f-strings in their parts."""
    return "\n".join(
        node.value
        for file in Path(antiphon.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


_NAMES = r"newCall|newAgentState|hangUp|hang_up|outbound_call|saved\.x|Ticker|KeyError|alice|bob|ping"
VARIES = re.compile(
    _NAMES + r"|…|'[^']*'|\{[^}]*\}|\d[\d.,]*|, and |, but | of staging\.example|the stand|[:,] | (?:to )?stag\S+"
)
"""Where a text on the page has what differs from failure to failure, or where two texts meet."""

OF_OTHERS = {"Unknown option", "No space left on device", "Unauthorized"}
"""Said by a library, the system, a peer."""


def told_pieces() -> list[str]:
    """The pieces of the failures' texts on the page, as long as they are enough to be told from others."""
    told = [
        span for row in re.findall(r"^\| (`[^|]*) \|", FAILURES, re.MULTILINE) for span in re.findall("`([^`]+)`", row)
    ]
    return [piece for text in told for each in VARIES.split(text) if len(piece := each.strip()) > 14]


def is_ours(piece: str) -> bool:
    """Whether most of it stands so in a text: some are put together, and then its beginning or its end does."""
    size = -(-len(piece) * 6 // 10)
    return any(piece[begin : begin + size] in texts_of_ours() for begin in range(len(piece) - size + 1))


def test_failures_are_told_with_the_texts_that_they_have() -> None:
    lost = [piece for piece in told_pieces() if piece not in OF_OTHERS and not is_ours(piece)]
    assert lost == [], lost
    assert len(told_pieces()) > 40


def test_each_target_of_make_is_listed_once() -> None:
    listed = re.findall(r"^make ([\w-]+) ", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(listed) > 10
    assert sorted(set(listed)) == sorted(listed)
