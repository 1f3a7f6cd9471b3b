"""Secrets: what is masked, what is learnt, and what it costs."""

from __future__ import annotations

import base64
import datetime
import json
import random
import time
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Message, ScenarioError
from antiphon.journal import mask_message
from antiphon.journal.masking import MASK, Masker
from antiphon.journal.masking.field_names import SECRET_WORDS
from antiphon.journal.masking.known_secrets import KnownSecrets


@pytest.fixture
def masker() -> Masker:
    return Masker()


# -- fields in text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"password":"x"}', '{"password":"***"}'),
        ('{"user":"bob","password": "x" ,"n":1}', '{"user":"bob","password": "***" ,"n":1}'),
        (
            '{"newPassword":"x","PASSWORD_2":"y","sessionToken":"z"}',
            '{"newPassword":"***","PASSWORD_2":"***","sessionToken":"***"}',
        ),
        (r'{"password":"a\"b\\","n":"\""}', r'{"password":"***","n":"\""}'),
        (
            '{"password":"","token":null,"secret":true,"n":false}',
            '{"password":"","token":null,"secret":true,"n":false}',
        ),
        ('{"token":12345,"secret":-1.5e3,"n":7}', '{"token":"***","secret":"***","n":7}'),
        ('{"token" : 0}', '{"token" : "***"}'),
        ('[{"token":1},{"token":2}]', '[{"token":"***"},{"token":"***"}]'),
        ('{"tokens":["a","b",3,null,true,["c"]],"n":"d"}', '{"tokens":["***","***","***",null,true,["***"]],"n":"d"}'),
        (
            '{"credentials":{"user":"bob","n":[1,{"a":"b"}]},"n":"d"}',
            '{"credentials":{"user":"***","n":["***",{"a":"***"}]},"n":"d"}',
        ),
        ('{"secret":{"a]}":"x}"},"n":"d"}', '{"secret":{"a]}":"***"},"n":"d"}'),
        ('{"secret":{},"tokens":[],"n":1}', '{"secret":{},"tokens":[],"n":1}'),
        (
            '{\n  "token": [\n    1,\n    "a"\n  ],\n  "n": 1\n}',
            '{\n  "token": [\n    "***",\n    "***"\n  ],\n  "n": 1\n}',
        ),
        ('{"password":"***"}', '{"password":"***"}'),
        ('["password","x"]', '["password","x"]'),
        ('{"n":"password","m":"x"}', '{"n":"password","m":"x"}'),
        ('{"api_key":"x","apiKey":"y","X-Api-Key":"z"}', '{"api_key":"***","apiKey":"***","X-Api-Key":"***"}'),
        ('{"Cookie":"session=abc; theme=dark"}', '{"Cookie":"***"}'),
        ('{"user token (old)":"x"}', '{"user token (old)":"***"}'),
    ],
)
def test_fields_of_json(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text) == masked
    assert masker.text(masked) == masked
    json.loads(masked)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_json_inside_of_json(masker: Masker, depth: int) -> None:
    def nested(document: Any) -> str:
        for _ in range(depth):
            document = {"body": json.dumps(document), "n": 1}
        return json.dumps(document)

    secret = {"password": 'a"b\\c', "more": {"token": [5, "x", None]}, "n": "kept"}
    masked = {"password": "***", "more": {"token": ["***", "***", None]}, "n": "kept"}
    assert masker.text(nested(secret)) == nested(masked)
    assert masker.text('a a"b\\c b') == 'a a"b\\c b'  # too short to be learnt


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("{'password': 'x', 'n': 'y'}", "{'password': '***', 'n': 'y'}"),
        ("{'password': \"it's\", 'n': 1}", "{'password': \"***\", 'n': 1}"),
        ("{'password': None, 'token': True, 'secret': 5}", "{'password': None, 'token': True, 'secret': ***}"),
        ("{'password': b'x'}", "{'password': b'***'}"),
        ("{'tokens': ['a', ('b', 1)], 'n': 'c'}", "{'tokens': ['***', ('***', ***)], 'n': 'c'}"),
        ("login('bob', password='x', n=1)", "login('bob', password='***', n=1)"),
        ("login(token=abc)", "login(token=***)"),
        ("{password: 'x', token: 5, n: 1}", "{password: '***', token: ***, n: 1}"),
        ("where {tokens: ['a'\nand 'b'", "where {tokens: ['***'\nand 'b'"),
    ],
)
def test_fields_that_python_prints(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text) == masked
    assert masker.text(masked) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("wss://h/x?token=abc", "wss://h/x?token=***"),
        ("wss://h/x?n=1&access_token=abc&m=2#f", "wss://h/x?n=1&access_token=***&m=2#f"),
        ("wss://h/x?token=a%20b%22;n=1", "wss://h/x?token=***;n=1"),
        ("wss://h/x?token=&n=1", "wss://h/x?token=&n=1"),
        ('{"url":"wss://h/x?token=abc","n":1}', '{"url":"wss://h/x?token=***","n":1}'),
        (r'{"url":"wss:\/\/h\/?token=a\/b&n=1"}', r'{"url":"wss:\/\/h\/?token=***&n=1"}'),
        (r'{"url":"wss://h/?token=abc\u0026n=1"}', r'{"url":"wss://h/?token=***\u0026n=1"}'),
        ("wss://bob:x@h/x", "wss://bob:***@h/x"),
        ("redis://:x@h", "redis://:***@h"),
        (r'{"url":"http:\/\/bob:x@h\/"}', r'{"url":"http:\/\/bob:***@h\/"}'),
        ("http://h:80/x@y", "http://h:80/x@y"),
        ("to bob@h: hello", "to bob@h: hello"),
    ],
)
def test_urls(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Cookie: session=abc; theme=dark\r\nHost: h", "Cookie: ***\r\nHost: h"),
        ("GET / HTTP/1.1\r\nSet-Cookie: session=abc; Path=/\r\n", "GET / HTTP/1.1\r\nSet-Cookie: ***\r\n"),
        ("authorization: Basic dXNlcjpwdw==\n", "authorization: ***\n"),
        ("Proxy-Authorization: Bearer abc", "Proxy-Authorization: ***"),
        ("X-Api-Key: abc\r\nHost: h", "X-Api-Key: ***\r\nHost: h"),
        ("sent Authorization: Bearer abc, and then", "sent Authorization: ***, and then"),
        (r'{"raw":"GET /\r\nCookie: a=1; b=2\r\nHost: h"}', r'{"raw":"GET /\r\nCookie: ***\r\nHost: h"}'),
        ("passcode:guest\nlogin:bob", "passcode:***\nlogin:bob"),
    ],
)
def test_header_lines(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        '{"action":"newState","data":{"state":"ready"}}',
        "the password was refused",
        "no token: ",
        "token: null",
        '{"note":"what about the token?"}',
        '{"password_hint":null}',
        "a secret",
        '"password":',
        '{"token":',
        "password",
    ],
)
def test_what_is_no_secret_is_left_alone(masker: Masker, text: str) -> None:
    assert masker.text(text) is text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"password":"x', '{"password":"***'),
        ('{"password":"x\n"n":"y"}', '{"password":"***\n"n":"y"}'),
        ('{"tokens":["x","y', '{"tokens":["***","***'),
        ('{"tokens":["x","y\nz"]', '{"tokens":["***","***\n***"***'),
        ("password='x", "password='***"),
        ('{"tokens":["x",' + "\\" * 70 + '"y"]', '{"tokens":["***",'),
    ],
)
def test_text_that_was_cut(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text).startswith(masked[:20])
    assert "x" not in masker.text(text).replace("x\\n", "")


def test_words_about_secrets_are_masked_but_not_learnt(masker: Masker) -> None:
    assert masker.text("the token: expired yesterday") == "the token: *** yesterday"
    assert masker.text("it expired") == "it expired"


def test_fields_of_one_s_own() -> None:
    masker = Masker(["pin", "Card.No"])
    assert masker.text('{"PIN":"1","card.no":"2","cardxno":"3"}') == '{"PIN":"***","card.no":"***","cardxno":"3"}'
    assert masker.value({"userPin": 5}) == {"userPin": MASK}
    with pytest.raises(ScenarioError, match="empty name"):
        Masker([""])


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


SECRET = 'a"b\\c/d é€\n+&%'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        json.dumps(json.dumps(SECRET))[1:-1].strip('\\"'),
        msgspec.json.encode(SECRET).decode()[1:-1],
        repr(SECRET)[1:-1],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
    ],
)
def test_secrets_are_found_however_they_are_written(masker: Masker, written: str) -> None:
    masker.learn(SECRET)
    assert masker.text(f"<{written}>") == "<***>"
    assert masker.data(f"<{written}>".encode()) == b"<***>"
    assert masker.data(b"\xff<" + written.encode() + b">") == b"\xff<***>"


def test_an_escaped_secret_is_learnt_as_it_is(masker: Masker) -> None:
    masker.text(json.dumps({"token": SECRET}))
    assert masker.text(SECRET) == MASK
    other = Masker()
    other.text("wss://h?token=a%22b%5Cc+d")
    assert other.text('a"b\\c d') == MASK


def test_what_only_python_escapes_is_learnt_as_it_is_written(masker: Masker) -> None:
    masker.text(r"login(password='hun\x74er22')")
    assert masker.text(r"a hun\x74er22 b") == "a *** b"


def test_half_characters_are_no_trouble(masker: Masker) -> None:
    masker.learn("secret\ud800value")
    assert masker.text("x secret\ud800value") == "x ***"
    assert masker.text('{"token":"\ud800"}') == '{"token":"***"}'


def test_longer_secrets_hide_the_shorter_ones_in_them(masker: Masker) -> None:
    for secret in ("abcdef", "abcdefgh", "ghijkl"):
        masker.learn(secret)
    assert masker.text("abcdefgh abcdef ghijkl") == "*** *** ***"
    assert masker.text("abcdefghijkl") == "***"  # they overlap
    assert masker.text("abcdefabcdef") == "******"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("x hunter22…", "x ***…"),
        ("x hunt… y", "x ***… y"),
        ("x …er22 y", "x …*** y"),
        ("hunte…ter22", "***…***"),
        ("hun… …r22", "hun… …r22"),
        ("hunt, … er22", "hunt, … er22"),
        ("chunts…", "chunts…"),
        ("…", "…"),
        ("a\\\\b c… …c d ef", "***… …***"),
    ],
)
def test_secrets_that_an_ellipsis_has_cut(masker: Masker, text: str, masked: str) -> None:
    masker.learn("hunter22")
    masker.learn("a\\b c d ef")
    assert masker.text(text) == masked
    for token in tokens(100):
        masker.learn(token)
    assert masker.text(text) == masked


# -- binary data ------------------------------------------------------------------------------------------------------


def test_binary_data(masker: Masker) -> None:
    clean = bytes(range(256))
    assert masker.data(clean) is clean
    assert masker.data(b'\xff{"password":"hunter22"}') == b'\xff{"password":"***"}'
    assert masker.data(b"\x00\xffhunter22\x80") == b"\x00\xff***\x80"
    assert masker.data(b'{"password":"h\xc3\xa9"}') == b'{"password":"***"}'
    assert masker.data("hunter22") == MASK


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


# -- many secrets -----------------------------------------------------------------------------------------------------


def tokens(count: int, seed: int = 1) -> list[str]:
    noise = random.Random(seed)
    return [base64.urlsafe_b64encode(noise.randbytes(noise.randint(5, 40))).decode().rstrip("=") for _ in range(count)]


@pytest.mark.parametrize("count", [1, 32, 33, 2_000])
def test_every_one_of_many_secrets_is_found(count: int) -> None:
    masker, secrets = Masker(), tokens(count)
    for secret in secrets:
        masker.learn(secret)
    for number, secret in enumerate(secrets):
        around = "x" * (number % 17)
        assert masker.text(f"{around}{secret}{around}") == f"{around}***{around}"
    assert masker.text(" ".join(secrets)) == " ".join([MASK] * count)
    assert masker.text(" ".join(tokens(50, seed=2))) == " ".join(tokens(50, seed=2))


def test_the_secret_that_was_not_seen_for_longest_is_forgotten() -> None:
    learnt = KnownSecrets(most=40)
    for number in range(40):
        learnt.add(f"secret-{number:03}")
    learnt.add("secret-000")
    learnt.add('sec"ret-040')
    assert len(learnt) == 40
    assert learnt.mask("secret-000 secret-001 secret-002", MASK) == "*** secret-001 ***"
    for number in range(100, 140):
        learnt.add(f"secret-{number:03}")
    for old in ("secret-000", 'sec"ret-040', r"sec\"ret-040"):
        assert learnt.mask(old, MASK) == old
    assert learnt.mask("secret-100secret-139", MASK) == "******"


def test_secrets_may_look_like_others_escaped() -> None:
    learnt = KnownSecrets(most=2)
    learnt.add("sec ret")
    learnt.add("sec%20ret")
    learnt.add("another")
    assert learnt.mask("sec ret sec%20ret another", MASK) == "sec ret *** ***"


def test_web_tokens_that_begin_alike_are_told_apart() -> None:
    masker = Masker()
    beginning = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    for token in tokens(500):
        masker.learn(beginning + token)
    known = beginning + tokens(500)[7]
    assert masker.text(f"Bearer {known}!") == "Bearer ***!"
    assert masker.text(beginning + "unknown") == beginning + "unknown"


def seconds_for(masker: Masker, text: str, rounds: int) -> float:
    begun = time.process_time()
    for _ in range(rounds):
        masker.text(text)
    return time.process_time() - begun


def test_the_cost_of_a_text_does_not_grow_with_the_number_of_secrets() -> None:
    text = '{"action":"newState","data":{"state":"ready","interactionID":"0b6c5a52-9d1f-4b9e-8b56-1f5c3a7d1e11"}}' * 2
    some, many = Masker(), Masker()
    for secret in tokens(100):
        some.learn(secret)
    for secret in tokens(5_000):
        many.learn(secret)
    seconds_for(many, text, 100)
    assert seconds_for(many, text, 500) < 5 * seconds_for(some, text, 500) + 0.05


HOSTILE = {
    "quotation marks": '"',
    "backslashes": "\\",
    "names": "token",
    "names in quotation marks": '"token',
    "fields": 'token":',
    "fields with texts": '"token":"',
    "fields with lists": '"token":[',
    "escaped quotation marks": '"token":"\\"',
    "deep quotation": "token" + "\\" * 70,
    "calls": "password='",
    "queries": "token=",
    "headers": "cookie: \n",
    "addresses": "://a:",
    "spaces": "token ",
    "brackets": '"token":' + "[" * 90,
    "numbers": '"token":[' + "1," * 40,
    "secrets": "hunter22",
    "ellipses": "…",
    "cuts": "hunt…er22",
    "nearly secrets": "hunter2",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_the_cost_of_a_text_is_linear(piece: str) -> None:
    masker = Masker()
    masker.learn("hunter22")

    def cost(size: int) -> float:
        text = piece * (size // len(piece))
        return min(seconds_for(masker, text, 1) for _ in range(2))

    small, large = cost(8_000), cost(64_000)
    assert large < 8 * 4 * small + 0.1


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
