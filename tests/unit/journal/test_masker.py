"""Secrets: what is masked, what is learnt, and what it costs."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Message
from antiphon.journal import mask_message
from antiphon.journal.masking import MASK, Masker
from antiphon.journal.masking.field_names import SECRET_WORDS


@pytest.fixture
def masker() -> Masker:
    return Masker()


# -- JSON stays JSON --------------------------------------------------------------------------------------------------


def test_a_learnt_number_in_json(masker: Masker) -> None:
    masker.learn("123456")
    assert json.loads(masker.text('{"n": 123456, "m": [91234567, 5], "s": "123456"}')) == {
        "n": "***",
        "m": ["***", 5],
        "s": "***",
    }
    assert masker.text("123456") == "***"


def test_json_that_only_looks_as_if_it_had_secrets(masker: Masker) -> None:
    texts = [
        '{"note":"password=","n":"x"}',
        '{"note":"token:","n":"x"}',
        '{"note":"is \'token\':","n":"x"}',
        '{"note":"my token=\'","n":"it\'s"}',
        '{"note":["token=(",1,{"n":2}]}',
    ]
    for text in texts:
        assert json.loads(masker.text(text)) == json.loads(text)


def test_a_learnt_piece_of_structure(masker: Masker) -> None:
    masker.learn('","b":"')
    assert json.loads(masker.text('{"a":"x","b":"y"}')) == {"a": "x", "b": "y"}


# -- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        '{"token":"s3cr3t-value"}',
        "{'token': 's3cr3t-value'}",
        "wss://h?token=s3cr3t-value",
        "http://bob:s3cr3t-value@h",
        "Authorization: Bearer s3cr3t-value",
        "Cookie: theme=dark; session=s3cr3t-value",
        '{"x":"{\\"token\\":\\"s3cr3t-value\\"}"}',
        '{"tokens":[{"a":"s3cr3t-value"}]}',
    ],
)
def test_what_was_masked_once_is_masked_everywhere(masker: Masker, said: str) -> None:
    masker.text(said)
    assert masker.text("GET /rooms/s3cr3t-value/x") == "GET /rooms/***/x"
    assert masker.text("xs3cr3t-valuex") == "x***x"


@pytest.mark.parametrize(
    ("value", "learnt"),
    [
        ({"password": "hunter22"}, ["hunter22"]),
        ({"a": [{"b": {"Token": "hunter22"}}]}, ["hunter22"]),
        ({"secret": {"a": ["hunter22"], "b": 5}}, ["hunter22"]),
        ({"tokens": ("hunter22", "hunter33")}, ["hunter22", "hunter33"]),
        ({"Authorization": "Bearer hunter22"}, ["hunter22"]),
        ({"authorization": "hunter22"}, ["hunter22"]),
        ({"authorization": "Bearer abc"}, ["Bearer abc"]),
        ({"token": "Bearer hunter22"}, ["hunter22"]),
        ({"Cookie": "a=hunter22; b=hunter33"}, ["hunter22", "hunter33"]),
        ({"Set-Cookie": 'session="hunter22"; Path=/desk; SameSite=Strict'}, ["hunter22"]),
        ({"cookie": "hunter22"}, ["hunter22"]),
        ({"cookie": "aHVudGVyMjI="}, ["aHVudGVyMjI="]),
        ({"cookie": "a=hunter22"}, ["hunter22"]),
        ([{"password": "hunter22"}], ["hunter22"]),
    ],
)
def test_learning_from_bodies_and_headers(masker: Masker, value: Any, learnt: list[str]) -> None:
    masker.learn_from(value)
    assert masker.text(" ".join(learnt)) == " ".join([MASK] * len(learnt))
    for kept in ("Bearer", "Path=/desk", "Strict", "Authorization"):
        assert masker.text(kept) == kept


@pytest.mark.parametrize("value", ["", "***", "*" * 20, "short", "password", "PASSWORD", "token", "x" * 10_001])
def test_what_is_not_learnt(masker: Masker, value: str) -> None:
    masker.learn(value)
    masker.learn_from({"password": value})
    assert masker.text(f"a {value} b") == f"a {value} b"


def test_nothing_else_is_learnt(masker: Masker) -> None:
    masker.learn_from(
        {"user": "hunter22", "n": [5, None, "hunter33"], 5: "hunter44", "password": None, "token": 1234567}
    )
    masker.learn_from("hunter55")
    masker.learn_from(None)
    assert masker.text("hunter22 hunter33 hunter44 hunter55 1234567") == "hunter22 hunter33 hunter44 hunter55 1234567"


# -- binary data ------------------------------------------------------------------------------------------------------


def test_binary_data(masker: Masker) -> None:
    clean = bytes(range(256))
    assert masker.data(clean) is clean
    assert masker.data(b'\xff{"password":"hunter22"}') == b'\xff{"password":"***"}'
    assert masker.data(b"\x00\xffhunter22\x80") == b"\x00\xff***\x80"
    assert masker.data(b'{"password":"h\xc3\xa9"}') == b'{"password":"***"}'
    assert masker.data("hunter22") == MASK
    for beginning in (b"\xff\xfe", b"\xff\xfe\x80", b"<\x00\x00\xd8"):  # it could be UTF-16, and is not
        assert masker.data(beginning + b"hunter22") == beginning + b"***"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_xml_in_utf_16(masker: Masker, encoding: str) -> None:
    masker.learn("looking-glass-7")
    said = "<login a='looking-glass-7'><password>hunter22</password></login>"
    hidden = "<login a='***'><password>***</password></login>"
    assert masker.data(said.encode(encoding)) == hidden.encode(encoding)
    assert masker.data(("\ufeff" + said).encode("utf-16-be")) == ("\ufeff" + hidden).encode("utf-16-be")


# -- values -----------------------------------------------------------------------------------------------------------


class Login(msgspec.Struct):
    user: str
    password: str


class Odd:
    def __repr__(self) -> str:
        return "<Odd token=abc>"


class Shy:
    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": "x", "n": 1}, {"password": MASK, "n": 1}),
        (
            {"password": 5, "token": None, "secret": False, "cookie": ""},
            {"password": MASK, "token": None, "secret": False, "cookie": ""},
        ),
        ({"tokens": ["a", 1, None, {"b": "c"}, ()]}, {"tokens": [MASK, MASK, None, {"b": MASK}, []]}),
        ([{"password": b"x"}, "n"], [{"password": MASK}, "n"]),
        (({"password": "x"}, 5), [{"password": MASK}, 5]),
        ({"a": 'say {"token":"x"}'}, {"a": 'say {"token":"***"}'}),
        ({"a": b"token=x"}, {"a": b"token=***"}),
        (Login("bob", "x"), {"user": "bob", "password": MASK}),
        ([Odd()], ["<Odd token=***>"]),
        ("token=x", "token=***"),
    ],
)
def test_values(masker: Masker, value: Any, masked: Any) -> None:
    assert masker.value(value) == masked
    assert masker.value(masked) == masked


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, {"b": None}], "c": (1.5, True), 5: "x"},
        [],
        "text",
        b"data",
        5,
        [10**5000],
        None,
        datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        UUID(int=5),
        Shy(),
        object(),
        {1, 2},
    ],
)
def test_values_without_secrets_are_returned_as_they_are(masker: Masker, value: Any) -> None:
    masker.learn("something else")
    assert masker.value(value) is value


def test_learnt_values_in_values(masker: Masker) -> None:
    key = UUID(int=2**127)
    for secret in (str(key), "12345678", "hunter22"):
        masker.learn(secret)
    assert masker.value({"a": key, "b": 12345678, "c": 1.2345678, "d": {"hunter22": 1}}) == {
        "a": MASK,
        "b": MASK,
        "c": 1.2345678,
        "d": {MASK: 1},
    }


def test_no_field_is_lost_when_names_are_masked(masker: Masker) -> None:
    for secret in ("hunter22", "hunter33", "hunter44"):
        masker.learn(secret)
    assert masker.value({"hunter22": 1, "hunter33": 2, "hunter44": 3}) == {"***": 1, "****": 2, "*****": 3}


def test_what_is_nested_too_deeply_is_masked_whole(masker: Masker) -> None:
    def nested(depth: int, inner: Any) -> Any:
        for _ in range(depth):
            inner = [inner]
        return inner

    assert masker.value(nested(150, {"password": "x"})) == nested(150, {"password": MASK})
    assert MASK in str(masker.value(nested(300, {"a": "x"})))
    assert "x" not in str(masker.value({"password": nested(300, {"a": "x"})}))
    deep = nested(100_000, "hunter22")
    assert masker.value({"password": deep}) != {"password": deep}
    masker.learn_from({"password": deep})
    assert masker.text("hunter22") == MASK
    assert masker.value([deep]) != [deep]


def test_headers(masker: Masker) -> None:
    headers = {
        "Cookie": "session=hunter22",
        "Authorization": "Bearer hunter33",
        "Host": "h",
        "Referer": "http://h?token=x",
    }
    assert masker.headers(headers) == {
        "Cookie": MASK,
        "Authorization": MASK,
        "Host": "h",
        "Referer": "http://h?token=***",
    }
    assert masker.text("hunter22 hunter33") == "*** ***"


def test_a_message_is_masked_in_all_its_forms() -> None:
    masker = Masker()
    login = Message("login", {"user": "bob", "password": 'hun"ter'}, r'{"user":"bob","password":"hun\"ter"}')
    masked = mask_message(login, masker)
    assert masked.raw == '{"user":"bob","password":"***"}'
    assert masked.body == {"user": "bob", "password": "***"}
    event = Message("seen", {"by": 'x hun"ter'}, r'{"by":"x hun\"ter"}')
    assert mask_message(event, masker).raw == '{"by":"x ***"}'
    clean = Message("ping", {"seq": 1}, '{"seq":1}')
    assert mask_message(clean, masker) is clean


# -- properties -------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["user", "password", "apiToken", "Cookie", "n", "a b"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["token=x", '"', "'"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4),
    max_leaves=5,
)


@given(VALUES, st.booleans(), st.booleans())
def test_json_stays_json_and_says_the_same(value: Any, is_pretty: bool, is_ascii: bool) -> None:
    masker = Masker()
    document = {"document": value}
    text = json.dumps(document, indent=2 if is_pretty else None, ensure_ascii=is_ascii)

    masked = masker.text(text)

    assert json.loads(masked).keys() == document.keys()
    assert masker.text(masked) == masked


@given(st.text(min_size=6, max_size=20).filter(lambda text: text.strip("*")), st.booleans(), VALUES)
def test_no_secret_is_seen(secret: str, is_ascii: bool, value: Any) -> None:
    masker = Masker()
    login = json.dumps({"before": value, "password": secret, "after": value}, ensure_ascii=is_ascii)
    shown = json.loads(masker.text(login))
    assert shown["password"] == MASK
    later = json.loads(masker.text(json.dumps({"seen": f"<{secret}>"}, ensure_ascii=not is_ascii)))
    assert secret not in later["seen"] or secret.lower() in SECRET_WORDS


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_whatever_comes_can_be_masked(data: str | bytes) -> None:
    masked: str | bytes = Masker().data(data)
    assert type(masked) is type(data)


def test_what_was_no_secret_once_may_be_one_later() -> None:
    """Short texts are remembered as clean, and bodies by the names of their fields: until more is known."""
    masker = Masker()
    assert masker.text("alice-12345") == "alice-12345"
    assert masker.text("alice-12345") == "alice-12345"
    masker.learn("alice-12345")
    assert masker.text("alice-12345") == "***"


@pytest.mark.parametrize(
    "later",
    [
        {"state": {"password": "hunter-22"}, "queue": "x"},
        {"state": [{"password": "hunter-22"}], "queue": "x"},
        {"state": "x", "queue": {"name": "password", "value": "hunter-22"}},
    ],
)
def test_a_body_with_the_names_of_one_that_taught_nothing_may_teach(later: Any) -> None:
    masker = Masker()
    masker.learn_from({"state": "ready", "queue": "calls"})
    masker.learn_from(later)
    assert masker.text("it is hunter-22") == "it is ***"


def test_what_is_remembered_is_bounded() -> None:
    masker = Masker()
    for number in range(5_000):
        masker.text(f"text {number}")
        masker.learn_from({f"field{number}": 1})
    assert len(masker.clean) <= 1_000
    assert len(masker._plain_names) <= 1_000


SEEN_LATER = "hunter-22"


@pytest.mark.parametrize(
    "masked",
    [
        lambda masker: masker.text(f"it is {SEEN_LATER}"),
        lambda masker: masker.known(f"it is {SEEN_LATER}"),
        lambda masker: masker.value({SEEN_LATER: "x"}),
        lambda masker: masker.value([f"it is {SEEN_LATER}"]),
        lambda masker: masker.headers({"X": SEEN_LATER}),
        lambda masker: masker.member("x", SEEN_LATER),
        lambda masker: masker.shown("x", f"{'…'}{SEEN_LATER}"),
        lambda masker: masker.data(SEEN_LATER.encode()),
    ],
)
def test_what_is_to_be_learnt_is_learnt_before_anything_is_masked(masked: Callable[[Masker], Any]) -> None:
    masker = Masker()
    masker.text(f"it is {SEEN_LATER}")  # remembered as clean
    masker.learn_later(lambda: {"password": SEEN_LATER})
    assert SEEN_LATER not in str(masked(masker))


def test_a_number_that_is_to_be_learnt() -> None:
    masker = Masker()
    masker.learn_later(lambda: {"password": "1234567"})
    assert masker.value(1234567) == "***"


def test_nothing_is_read_before_something_is_masked_but_no_more_than_some_are_kept() -> None:
    masker = Masker()
    read: list[int] = []

    def later(number: int) -> Callable[[], Any]:
        return lambda: read.append(number)

    for number in range(60):
        masker.learn_later(later(number))
    assert read == []
    for number in range(60, 1_000):
        masker.learn_later(later(number))
    assert 900 < len(read) < 1_000
    masker.text("x")
    masker.text("y")
    assert read == list(range(1_000))


@pytest.mark.parametrize(
    "body",
    [
        {"user": {"token": SEEN_LATER}},
        [["token", SEEN_LATER]],
        {"token": SEEN_LATER, "padding": "x" * 100_000},
        {"token": SEEN_LATER, "deep": [[]] * 1_000},
    ],
)
def test_a_body_is_learnt_as_it_came(body: Any) -> None:
    masker = Masker()
    masker.learn_from_json(body, msgspec.json.encode(body))
    body.clear()
    assert masker.text(f"it is {SEEN_LATER}") == "it is ***"


def test_a_body_that_is_a_secret_field_as_a_whole() -> None:
    masker = Masker()
    masker.learn_from_json([SEEN_LATER], msgspec.json.encode([SEEN_LATER]), "tokens")
    assert masker.text(f"it is {SEEN_LATER}") == "it is ***"


@pytest.mark.parametrize(
    "body",
    [
        {"param": {"@name": "password", "@value": "hunter-22"}},
        {"param": {"@name": "password", "#text": "hunter-22"}},
        {"params": [{"@id": "api-token", "content": "hunter-22"}]},
    ],
)
def test_a_field_that_is_named_next_to_its_value_in_the_body_of_a_document_of_xml(body: Any) -> None:
    masker = Masker()
    assert "hunter-22" not in str(masker.value(body))
    masker = Masker()
    masker.learn_from(body)
    assert masker.text("it is hunter-22") == "it is ***"
