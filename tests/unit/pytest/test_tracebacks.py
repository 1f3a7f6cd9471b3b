"""What pytest shows of a test, made fit to be shown: parts that its own tests do not reach."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

from _pytest._code.code import TerminalRepr

from antiphon.journal.masking import Masker
from antiphon.pytest.tracebacks import Presenter


@dataclasses.dataclass(eq=False)
class Foreign(TerminalRepr):
    """What another plugin may have made."""

    text: str
    inner: list[Any]

    def toterminal(self, tw: Any) -> None:
        tw.line(self.text)


def presented(longrepr: Any, *secrets: str, has_colours: bool = False) -> Any:
    maskers = [Masker() for _ in secrets]
    for masker, secret in zip(maskers, secrets, strict=True):
        masker.learn(secret)
    report: Any = SimpleNamespace(longrepr=longrepr, sections=[])
    Presenter(maskers, has_colours=has_colours).present(report)
    return report.longrepr


def test_what_another_plugin_made_is_presented_too() -> None:
    told = presented(Foreign("said first-secret\x1b[2J", [("second-secret", 7), None]), "first-secret", "second-secret")
    assert (told.text, told.inner) == (r"said ***\x1b[2J", [("***", 7), None])


def test_half_of_a_secret_that_pytest_has_cut_is_known() -> None:
    assert presented("'a long text with first-se...cond'", "first-secret-second") == "'a long text with ***…***'"
    assert presented("nothing ... of it", "first-secret") == "nothing ... of it"


def test_only_the_styles_of_highlighting_stay() -> None:
    text = "\x1b[31mred\x1b[39;49;00m \x1b[8mhidden \x1b[5mblinks \x1b[2J\x1b]0;title\x07"
    safe = r"\x1b[8mhidden \x1b[5mblinks \x1b[2J\x1b]0;title\x07"
    assert presented(text, has_colours=True) == f"\x1b[31mred\x1b[39;49;00m {safe}"
    assert presented(text) == rf"\x1b[31mred\x1b[39;49;00m {safe}"
