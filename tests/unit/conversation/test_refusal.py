"""The check of a request that is to be refused."""

from __future__ import annotations

from antiphon.conversation.message import Message
from antiphon.conversation.refusal import ExpectedRefusal


def test_an_answer_is_no_refusal() -> None:
    check = ExpectedRefusal(None, None)
    assert not check({"result": "success"})
    (difference,) = check.why({"result": "success"})
    assert difference.found == {"result": "success"}


def test_a_refusal_with_another_code_does_not_fit() -> None:
    check = ExpectedRefusal(404, None)
    check.refusal = Message("error", {"code": 500}, "", is_failure=True)
    assert not check(check.refusal.body)
    (difference,) = check.why(check.refusal.body)
    assert difference.path == "its code"
    check.refusal = Message("error", {"code": "404"}, "", is_failure=True)
    assert check(check.refusal.body)
