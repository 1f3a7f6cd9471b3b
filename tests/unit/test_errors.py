"""Errors: by whose fault, what they carry, and what a person reads."""

from __future__ import annotations

from antiphon import errors
from antiphon.errors import (
    AntiphonError,
    CheckFailed,
    ErrorReply,
    ExpectationFailed,
    FieldMissing,
    Line,
    RequestRefused,
    ScenarioError,
    SoftChecksFailed,
    UpgradeRefused,
    plain_text,
)


def test_an_error_says_in_which_step_it_was() -> None:
    error = FieldMissing("call has no field 'id'", place="desk.py:51", hint="its fields are 'n'")
    assert error.step == ""
    error.step = "outbound_call('890') at calls.py:26"
    assert str(error).splitlines() == [
        "call has no field 'id'",
        "  at desk.py:51",
        "  in the step outbound_call('890') at calls.py:26",
        "  hint: its fields are 'n'",
    ]


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = ScenarioError("no such actor", place="calls.py:3", hint="its actors are: alice")
    assert str(error) == "no such actor\n  at calls.py:3\n  hint: its actors are: alice"
    assert (error.text, error.place, error.hint, error.run) == (
        "no such actor",
        "calls.py:3",
        "its actors are: alice",
        None,
    )
    assert str(ScenarioError("no such actor")) == "no such actor"


def test_there_is_one_root_and_pytest_knows_the_peers_faults() -> None:
    public = [getattr(errors, name) for name in errors.__all__]
    kinds = [each for each in public if isinstance(each, type) and issubclass(each, Exception)]
    assert len(kinds) > 15
    ours = [kind for kind in kinds if kind is not ErrorReply]  # what a handler raises to answer is no failure
    assert all(issubclass(kind, AntiphonError) for kind in ours)
    assert {kind for kind in ours if issubclass(kind, AssertionError)} == {
        kind for kind in ours if issubclass(kind, ExpectationFailed)
    }
    assert not issubclass(ErrorReply, AntiphonError)


def test_the_text_of_a_failed_wait_is_made_when_it_is_read() -> None:
    facts = ["early"]

    class Explained:
        def lines(self) -> list[Line]:
            return [((facts[-1], ""),)]

    error = RequestRefused("", explanation=Explained())
    facts.append("late")
    assert str(error) == "late"
    assert error.message is None
    assert str(ExpectationFailed("plain", hint="look")) == "plain\n  hint: look"


def test_a_refused_upgrade_carries_the_response() -> None:
    error = UpgradeRefused("401", status=401, headers={"a": "b"}, body=b"who are you?", place="ws://x")
    assert (error.status, error.headers, error.body) == (401, {"a": "b"}, b"who are you?")
    assert str(error) == "401\n  at ws://x"


def test_a_refusal_carries_code_message_and_fields() -> None:
    refusal = ErrorReply(404, "no such number", number="890")
    assert (refusal.code, refusal.message, refusal.fields) == (404, "no such number", {"number": "890"})
    assert str(refusal) == "404: no such number"


def test_an_error_is_shown_by_its_first_line() -> None:
    error = ScenarioError("it is wrong", place="x.py:3", hint="do it right")
    assert repr(error) == "ScenarioError('it is wrong')"


def test_an_error_tells_its_lines_in_pieces_and_the_text_is_theirs() -> None:
    error = ScenarioError("no such actor\n  it is missing", place="calls.py:3", hint="who?")
    error.step = "call() at calls.py:2"
    assert error.lines() == [
        (("no such actor", ""),),
        (("  it is missing", ""),),
        (("  ", ""), ("at calls.py:3", "place")),
        (("  in the step ", ""), ("call() at calls.py:2", "step")),
        (("  ", ""), ("hint:", "hint"), (" who?", "")),
    ]
    assert plain_text(error.lines()) == str(error)


def test_soft_checks_keep_their_pieces_until_a_secret_is_masked_in_them() -> None:
    failed = SoftChecksFailed([CheckFailed("it is wrong", place="calls.py:1"), CheckFailed("it is s3cr3t")])
    assert str(failed) == "2 soft checks failed\n  it is wrong\n    at calls.py:1\n  it is s3cr3t"
    assert failed.lines()[2] == (("  ", ""), ("  ", ""), ("at calls.py:1", "place"))
    failed.text = failed.text.replace("s3cr3t", "***")
    assert failed.lines()[2:] == [(("  ", ""), ("  ", ""), ("at calls.py:1", "place")), (("  it is ***", ""),)]
    failed.text = "lost"
    assert failed.lines() == [(("lost", ""),)]
