"""The tree of errors is as its module draws it."""

from __future__ import annotations

import copy
import pickle
import re
import threading
from collections.abc import Callable
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


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize("name", [name for _, name, _ in DRAWN])
def test_a_copy_says_the_same_also_in_another_process(name: str, again: Callable[[Any], Any]) -> None:
    error = getattr(errors, name)(**ARGUMENTS.get(name, {"text": "wrong"}))
    error.step, error.run = "call", threading.Lock()
    error.add_note("and more")
    if hasattr(error, "load"):
        error.load = threading.Lock()
    copied = again(error)
    assert type(copied) is type(error)
    assert (str(copied), copied.args, copied.__notes__) == (str(error), error.args, ["and more"])
    assert copied.run is None


@pytest.mark.parametrize("again", [copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_copy_of_a_failed_wait_has_its_text(desk: Any, again: Callable[[Any], Any]) -> None:
    wait = desk.expect("state", lambda body: body["n"] == 2, within_s=1)
    desk.hear("state", {"n": 1})
    desk.expire(2)
    wait.error.explanation.mask = lambda text: text.replace("state", "***")
    copied = again(wait.error)
    assert str(copied) == str(wait.error)
    assert "***" in str(copied)
    assert copied.explanation is None


def test_a_copy_of_a_refusal_of_ours_can_be_said() -> None:
    refusal = pickle.loads(pickle.dumps(ErrorReply(404, "nobody", line=3)))
    assert (refusal.code, refusal.message, refusal.fields, str(refusal)) == (404, "nobody", {"line": 3}, "404: nobody")
