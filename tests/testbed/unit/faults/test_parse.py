"""Faults in words: what is read, written back the same, and refused."""

from __future__ import annotations

import pytest

import antiphon_testbed
from antiphon import ScenarioError
from antiphon_testbed import (
    Closed,
    ContactCentre,
    Fault,
    HalfFrame,
    Late,
    Missing,
    NotJson,
    Overtaken,
    Reordered,
    Twice,
    WithoutField,
    WrongField,
    WrongId,
    read_fault,
)
from antiphon_testbed.faults.faults import KINDS

WORDS: dict[str, Fault] = {
    "late:resultHangUp:2.5": Late("resultHangUp", 2.5),
    "late:ping:1,user=alice,nth=2": Late("ping", 1.0, user=("alice",), nth=2),
    "twice:newRtc": Twice("newRtc"),
    "twice:newRtc:0.5": Twice("newRtc", 0.5),
    "overtaken:resultHangUp": Overtaken("resultHangUp"),
    "reordered:newWorkitemState,probability=0.25": Reordered("newWorkitemState", probability=0.25),
    "missing:newWorkitemState,where.state=wrapUp": Missing("newWorkitemState", where={"state": "wrapUp"}),
    "missing:newWorkitemState,where.muted=true": Missing("newWorkitemState", where={"muted": True}),
    'missing:newWorkitemState,where.state="true"': Missing("newWorkitemState", where={"state": "true"}),
    "missing:*,nth=7": Missing("*", nth=7),
    "closed:resultSetHold:4000": Closed("resultSetHold", 4000),
    "closed:resultSetHold:4000 over, and=out": Closed("resultSetHold", 4000, "over, and=out"),
    "closed:resultSetHold:1006": Closed("resultSetHold", 1006),
    "half:newRtc,user=alice+bob": HalfFrame("newRtc", user=("alice", "bob")),
    "notjson:newRtc": NotJson("newRtc"),
    "notjson:newRtc:a, b": NotJson("newRtc", "a, b"),
    "wrongid:newRtc": WrongId("newRtc"),
    "wrongid:newRtc:workitemID": WrongId("newRtc", "workitemID"),
    "wrongfield:newWorkitemState:state=held": WrongField("newWorkitemState", "state", "held"),
    "wrongfield:newWorkitemState:muted=1": WrongField("newWorkitemState", "muted", 1),
    'wrongfield:workitemPartyList:parties=[{"role":"agent"},null],nth=1': WrongField(
        "workitemPartyList", "parties", [{"role": "agent"}, None], nth=1
    ),
    "nofield:resultNewOutInteraction:workitemID": WithoutField("resultNewOutInteraction", "workitemID"),
}


@pytest.mark.parametrize("text", WORDS)
def test_a_fault_in_words_is_the_fault_and_back(text: str) -> None:
    assert read_fault(text) == WORDS[text]
    assert read_fault(str(WORDS[text])) == WORDS[text]
    assert str(read_fault(text)) == text


def test_every_kind_has_a_word_of_its_own_and_is_public() -> None:
    assert {type(fault) for fault in WORDS.values()} == set(KINDS)
    assert len({kind.word for kind in KINDS}) == len(KINDS)
    assert {kind.__name__ for kind in KINDS} <= set(antiphon_testbed.__all__)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no kind ''"),
        ("late", "which message is meant"),
        ("slow:ping:1", "there is no kind 'slow'"),
        ("late:ping", "must be a number, not ''"),
        ("late:ping:soon", "must be a number, not 'soon'"),
        ("late:ping:-1", "seconds is -1.0"),
        ("late:ping:0", "seconds is 0.0"),
        ("late:ping:nan", "seconds is nan"),
        ("late:ping:inf", "seconds is inf"),
        ("twice:ping:-0.5", "after_s is -0.5"),
        ("late:hangUp:1", "the answer to hangUp is resultHangUp"),
        ("late:resultHangup:1", "did you mean resultHangUp?"),
        ("missing:colours", "it says agentCapacity, "),
        ("missing:resultPong", "the centre says no 'resultPong'"),
        ("half:ping:3", "takes no argument"),
        ("closed:ping", "must be a whole number, not ''"),
        ("closed:ping:1005", "1005 is no close code that can be sent"),
        ("closed:ping:999", "999 is no close code"),
        ("closed:ping:1006 gone", "1006 is no close code"),
        ("closed:ping:4000 " + "x" * 124, "123 fit into a close frame"),
        ('notjson:ping:{"a": 1}', "is JSON"),
        ("wrongid:newRtc:offer", "'offer' holds no id"),
        ("wrongfield:ping:seq", "which field has which value"),
        ("wrongfield:ping:=1", "which field has which value"),
        ("nofield:ping", "which field is not there"),
        ("missing:ping,nth=0", "nth is 0"),
        ("missing:ping,nth=often", "nth must be a whole number, not 'often'"),
        ("missing:ping,probability=0", "probability is 0.0"),
        ("missing:ping,probability=1.5", "probability is 1.5"),
        ("missing:ping,nth=1,probability=0.5", "nth and probability"),
        ("missing:ping,usr=alice", "its aims are user="),
        ("late:ping:1,usr=alice", "its aims are user="),
    ],
)
def test_a_fault_that_cannot_be(text: str, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        ContactCentre(faults=[text])
    assert told in str(raised.value)
    assert (text or "''") in str(raised.value)
    assert raised.value.hint


def test_one_fault_in_words_is_one_fault() -> None:
    ContactCentre(faults="late:ping:1")
