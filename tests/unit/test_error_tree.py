"""The tree of errors is as its module draws it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from antiphon import errors
from antiphon.cli.exit_codes import exit_code
from antiphon.errors import AntiphonError, ErrorReply

DRAWN = re.findall(r"^    ([ │├└─]*)(\w+) +(\d+)   ", errors.__doc__ or "", re.MULTILINE)
"""Of each line of the drawing: what stands before the name, the name, the exit code."""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "LoadInconclusive": {"doubts": ("late",), "load": None},
    "OpeningRefused": {"code": 5, "text": "refused"},
    "SoftChecksFailed": {"failures": ()},
    "ThresholdCrossed": {"crossed": ("slow",), "load": None},
    "UpgradeRefused": {"text": "refused", "status": 403, "headers": {}, "body": b""},
}


def parents_as_drawn() -> dict[str, str]:
    """By name: the nearest line above that is indented less."""
    parents, path = {}, [""]
    for before, name, _ in DRAWN:
        path[1 + len(before) // 4 :] = [name]
        parents[name] = path[-2]
    return parents


def parents_as_they_are(kind: type[AntiphonError], parent: str = "") -> dict[str, str]:
    parents = {kind.__name__: parent}
    for child in kind.__subclasses__():
        if child.__module__.startswith("antiphon."):  # a test may have made others
            parents |= parents_as_they_are(child, kind.__name__)
    return parents


def is_exception(value: Any) -> bool:
    """The module also says of what an error's lines are made."""
    return isinstance(value, type) and issubclass(value, BaseException)


def test_the_drawing_is_the_tree() -> None:
    assert parents_as_drawn() == parents_as_they_are(AntiphonError)


def test_all_are_public() -> None:
    raised = {name for name in errors.__all__ if is_exception(getattr(errors, name))}
    assert {name for _, name, _ in DRAWN} | {"ErrorReply"} == raised
    assert not issubclass(ErrorReply, AntiphonError)


@pytest.mark.parametrize(("name", "code"), [(name, int(code)) for _, name, code in DRAWN])
def test_the_exit_codes_are_those(name: str, code: int) -> None:
    error = getattr(errors, name)(**ARGUMENTS.get(name, {"text": "wrong"}))
    assert exit_code(error) == code
