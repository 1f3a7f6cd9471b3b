"""Masks look briefly first: whatever they pass at a glance, the thorough way passes too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.conversation.message import Message
from antiphon.journal import (
    Argument,
    Handled,
    Journal,
    Note,
    StepEnded,
    StepStarted,
    WaitEnded,
    WaitStarted,
    entry_masks,
    mask_entry,
    mask_message,
)
from antiphon.journal.arguments import GivenArguments, mask_argument
from antiphon.journal.entry_masks import mask_of, mask_thoroughly
from antiphon.journal.file import JournalWriter, WrittenMessage
from antiphon.journal.masking import Masker

SECRETS = ("hunter-22", "123456", "1e+161", "a b/c+d", "pässwörd", 'say "x"', "abcdef\\")
"""What some of the maskers know from the beginning."""

# Words that hold a name of a secret field or only look so, secrets, and what they may be written with.
WORDS = st.sampled_from(
    [
        *(
            "alice",
            "ready",
            "author",
            "compass",
            "passed",
            "design",
            "side",
            "42",
            "-",
            "--token",
            "-u",
            "bearer",
            "key",
        ),
        *(
            "compassword",
            "password",
            "sessionId",
            "token=abcdefgh1",
            "password: pa55word",
            "Bearer abcdef123456",
            "auth",
        ),
        *("eyJabcdefgh.abcdefgh.abcdefgh", "http://bob:pa55word@host/", "-----BEGIN PRIVATE KEY-----abc", "a@b", "/"),
        *("pass%77ord=abcdefgh", "%22password%22%3A%22abcdefgh%22", "\\u0070assword", "&quot;", "…", "hunt…", "\x00"),
        *(
            "hunter-22",
            "hunter%2D22",
            "aHVudGVyLTIy",
            "h\x00u\x00n\x00t\x00e\x00r\x00-\x002\x002\x00",
            "123456",
            "1e161",
        ),
        *("a b/c+d", "a%20b%2Fc%2Bd", "pässwörd", 'say "x"', "abcdef\\", "\\x61bcdef\\", "\ud800", "İ", "K", "\n", '"'),
    ]
)
HARMLESS = st.sampled_from(["alice", "ready", "author", "compass", "passed", "42", "", "a b", "id", "Zoë", "outgoing"])
TEXTS = HARMLESS | HARMLESS | st.lists(WORDS | st.text(max_size=3), max_size=3).map("".join)
NAMES = HARMLESS | TEXTS | st.sampled_from(["name", "value", "password", "pass", "user", "secret_question"])
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-10, 10**7)
    | st.sampled_from([123456, 1e161, 1e16, 123456.5, float("nan"), 10**30])
    | TEXTS
)
BODIES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4) | st.tuples(inner),
    max_leaves=8,
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A message whose data is what its body was read from, or anything else."""
    body = draw(BODIES)
    told = {draw(st.sampled_from(["data", "data", "token"])): body, "action": draw(TEXTS)}
    if draw(st.booleans()):
        told = dict(reversed(told.items()))
    form = draw(st.sampled_from(["compact", "spaced", "escaped", "body", "other"]))
    raw: str | bytes = draw(TEXTS)
    if form == "compact":
        raw = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    elif form in ("spaced", "escaped"):
        raw = json.dumps(told, ensure_ascii=form == "escaped", indent=2)
    elif form == "body":
        body = raw
    if draw(st.booleans()):
        raw = raw.encode("utf-8", "surrogatepass")
        body = raw if form == "body" else body
    keys = st.none() | HARMLESS | TEXTS | st.integers(0, 3) | st.just(("a", 1))
    return Message(
        draw(HARMLESS | TEXTS),
        body,
        raw,
        frames=draw(st.sampled_from([None, None, (), (raw,)])),
        asks=draw(keys),
        reply_to=draw(keys),
        number=1,
        actor="alice",
        channel="desk",
        is_sent=draw(st.booleans()),
    )


def knowing(secrets: Sequence[str], own: bool = False) -> Masker:
    masker = Masker(["pin"] if own else [])
    for secret in secrets:
        masker.learn(secret)
    for name in ("alice", "ready", "author", "42", "", "a b", "id", "outgoing"):
        masker.text(name)  # nothing is passed at a glance whose name is not known
    return masker


def shown(message: Message) -> str:
    """All of it: as bytes where it can be compared by them, for no number equals NaN."""
    return repr([getattr(message, name) for name in message.__struct_fields__])


@settings(max_examples=max(60, settings.default.max_examples))
@given(st.lists(messages(), max_size=4), st.lists(st.sampled_from(SECRETS), max_size=2), st.booleans())
def test_a_glance_passes_what_the_thorough_way_passes(said: list[Message], secrets: list[str], own: bool) -> None:
    glancing, thorough = knowing(secrets, own), knowing(secrets, own)
    for message in said:
        quick, slow = mask_message(message, glancing), mask_thoroughly(message, thorough)
        assert shown(quick) == shown(slow)
        assert (quick is message) == (slow is message)
    # What each message taught is the same, too.
    assert list(glancing._known._secrets) == list(thorough._known._secrets)


@pytest.mark.parametrize(
    ("learnt", "message"),
    [
        # What the body holds, and not its data.
        ("hunter-22", Message("id", {"x": "for hunter-22"}, "1")),
        ("hunter-22", Message("id", {"x": {"hunter-22": 1}}, b"1")),
        ("", Message("id", {"compassword": "a2345678"}, '{"compassword":"a2345678"}')),  # harmless "compass" hides it
        ("", Message("id", {"x": [{"compassword": "a2345678"}]}, "1")),
        ("", Message("id", {"name": "compassword", "value": "a2345678"}, "1")),
        ("", Message("id", {"x": ["compassword", "a2345678"]}, "1")),
        ("", Message("id", {"x": ["-basic", "Ym9iOngxMjM0NQ=="]}, "1")),
        ("", Message("id", {"x": "\bypassword=a2345678"}, "1")),
        ("1e+161", Message("id", {"x": {"y": 1e161}}, "1")),
        ("123456", Message("id", {"x": {"y": 123456}}, "1")),
        ("hunter-22", Message("id", ("hunter-22",), "1")),
        ("hunter-22", Message("id", {"x": Path("hunter-22")}, "1")),
        # What its data holds, and not the body.
        ("", Message("id", {}, "token=a2345678")),
        ("", Message("id", {}, b"token=a2345678\xff")),
        ("", Message("id", {}, "tok%65n=a2345678")),
        ("", Message("id", {}, "eyJabcdefgh.abcdefgh.abcdefgh")),
        ("", Message("id", {}, "http://bob:a2345678@host/")),
        ("", Message("id", {}, "-----BEGIN PRIVATE KEY-----abc")),
        ("hunter 22", Message("id", {}, "hunter%2022")),
        ("hunter-22", Message("id", {"x": "so hunt…"}, "…" * 200)),
        # And the rest of a message.
        ("hunter-22", Message("hunter-22", {}, "")),
        ("hunter-22", Message("id", {}, "", frames=("hunter-22",))),
        ("hunter-22", Message("id", {}, "", asks="hunter-22")),
        ("hunter-22", Message("id", {}, "", reply_to="hunter-22")),
        ("hunter-22", Message("id", b"hunter-22", b"hunter-22")),
    ],
    ids=str,
)
def test_no_secret_is_passed_at_a_glance(learnt: str, message: Message) -> None:
    masked = mask_message(message, knowing([learnt]))
    assert masked is not message
    assert shown(masked) == shown(mask_thoroughly(message, knowing([learnt])))
    assert shown(masked) != shown(message)


@pytest.mark.parametrize(
    "message",
    [
        Message("id", {"x": {"y": [1, "alice", None, {"z": True}]}, "s": ""}, '{"data":{"x":…}}'),
        Message("id", {"x": "Zoë"}, b'{"x": "Zo\xc3\xab"}', asks="a1", reply_to=("b", 1)),
        Message("id", None, ""),
        Message("id", "text", "text", frames=()),
        Message("id", b"\x00", b"\x00"),
        Message("id", {"author": "passed"}, '{"author":"passed","line":"50%","path":"a\\\\nb"}'),
    ],
    ids=str,
)
def test_what_holds_none_is_passed_at_a_glance(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Message:
        raise AssertionError("it was gone through piece by piece")

    monkeypatch.setattr(entry_masks, "mask_thoroughly", fail)
    assert mask_message(message, knowing([])) is message


@pytest.mark.parametrize("value", [10**5000, "\ud800", [[10**5000]]], ids=["number", "half a character", "deep"])
def test_what_cannot_be_written_as_json_is_gone_through_piece_by_piece(value: Any) -> None:
    message = Message("id", {"x": value}, "1")
    assert mask_message(message, knowing([])) is message


@given(said=st.lists(messages(), max_size=3), secrets=st.lists(st.sampled_from(SECRETS), max_size=2))
def test_the_lines_are_the_same(said: list[Message], secrets: list[str], tmp_path_factory: Any) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "lines.jsonl"
    path.unlink(missing_ok=True)
    masker, thorough = knowing(secrets), knowing(secrets)
    journal, writer = Journal(masker=masker), JournalWriter(path)
    journal.attach(writer, with_protocol=True)
    expected: list[dict[str, Any]] = []
    for message in said:
        journal.record(message)
        written = WrittenMessage.of(mask_thoroughly(message, thorough))
        try:
            line = msgspec.json.encode(written)
        except UnicodeEncodeError:  # half a character is written as ?
            fields = {name: getattr(written, name) for name in written.__struct_fields__}
            halved = {
                name: each.encode("utf-8", "replace").decode() if isinstance(each, str) else each
                for name, each in fields.items()
            }
            line = msgspec.json.encode({"kind": "said", **halved})
        expected.append(json.loads(line))
    writer.close()
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == expected


def step(**more: Any) -> StepStarted:
    return StepStarted(at_ns=0, number=1, parent=0, **{"actor": "a", "action": "b", "source": "c", **more})


def wait(**more: Any) -> WaitStarted:
    told = {"actor": "a", "channel": "b", "awaits": "message", "step": 1, "deadline_ns": None, "source": "c", **more}
    return WaitStarted(at_ns=0, number=1, **told)


def test_arguments_are_made_once_unless_they_teach_and_what_one_teaches_is_masked_in_all() -> None:
    masker, made = Masker(), []

    def make(note: str) -> list[Argument]:
        made.append(note)
        return [mask_argument(masker, note, "note"), mask_argument(masker, note[-9:], "password", "password")]

    def told(note: str) -> Any:
        return mask_of(StepStarted)(step(arguments=GivenArguments(lambda: make(note))), masker).arguments

    assert [each.value for each in told("it is hunter-22")] == ["it is ***", "***"]
    assert len(made) == 2
    assert [each.value for each in told("not hunter-22")] == ["not ***", "***"]
    assert len(made) == 3
    assert mask_of(StepStarted)(step(arguments=GivenArguments(list)), masker).arguments == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda secret: step(actor=secret),
        lambda secret: step(action=secret),
        lambda secret: step(source=secret),
        lambda secret: step(arguments=[Argument(secret)]),
        lambda secret: wait(actor=secret),
        lambda secret: wait(channel=secret),
        lambda secret: wait(source=secret),
        lambda secret: wait(name=secret),
        lambda secret: wait(name=("a", secret)),
        lambda secret: wait(place=secret),
        lambda secret: wait(where={"x": secret}),
        lambda secret: StepEnded(at_ns=0, number=1, outcome="failed", error=secret),
        lambda secret: WaitEnded(at_ns=0, number=1, outcome="failed", error=secret),
        lambda secret: Handled(at_ns=0, actor="a", channel="b", message=1, handler=secret, took_ns=1),
        lambda secret: Note(at_ns=0, text=secret),
    ],
)
def test_every_text_of_an_entry_is_looked_at(make: Any) -> None:
    secret = "hunter-22"
    masker = Masker()
    entry = make(secret)
    assert secret in repr(mask_of(type(entry))(entry, masker))
    masker.learn(secret)
    mask_of(type(entry))(make("harmless"), masker)  # all its other texts are known from here on
    masked = mask_of(type(entry))(entry, masker)
    assert secret not in repr(masked)
    assert repr(masked) == repr(mask_entry(entry, masker))
