"""Fields with secret names in text of any kind, secrets that are known by their shape, and what it costs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from antiphon import ScenarioError
from antiphon.journal.masking import MASK, Masker
from antiphon.journal.masking.field_names import Secrecy, field_names


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
        # Conditions, as a failed assert or predicate is told.
        ("body['password'] == 'x' and body['n'] == 'y'", "body['password'] == '***' and body['n'] == 'y'"),
        ("body.get('password') != 'x'", "body.get('password') != '***'"),
        ("body['token'] not in ('x', 'y') or n", "body['token'] not in ('***', '***') or n"),
        ("body['password'] == wanted", "body['password'] == wanted"),
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
    assert masker.text("the token: forgotten yesterday") == "the token: *** yesterday"
    assert masker.text("it was forgotten") == "it was forgotten"


def test_fields_of_one_s_own() -> None:
    masker = Masker(["pin", "Card.No"])
    assert masker.text('{"PIN":"1","card.no":"2","cardxno":"3"}') == '{"PIN":"***","card.no":"***","cardxno":"3"}'
    assert masker.value({"userPin": 5}) == {"userPin": MASK}
    with pytest.raises(ScenarioError, match="empty name"):
        Masker([""])


# -- elements, forms, phrases -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("<password>x</password>", "<password>***</password>"),
        ("<a><n:apiKey>x y</n:apiKey><b>c</b></a>", "<a><n:apiKey>***</n:apiKey><b>c</b></a>"),
        ('<wsse:Password Type="t">x</wsse:Password>', '<wsse:Password Type="t">***</wsse:Password>'),
        ('<login token="x" n="1"/>', '<login token="***" n="1"/>'),
        ("<token><![CDATA[a<b]]></token>", "<token><![CDATA[***]]></token>"),
        ("<token>a", "<token>***"),
        ("<password></password><n>1</n>", "<password></password><n>1</n>"),
        ("<password>\n  <n>1</n></password>", "<password>\n  <n>***</n></password>"),
        ("&lt;pwd&gt;x&lt;/pwd&gt;", "&lt;pwd&gt;***&lt;/pwd&gt;"),
        (r"\u003cpwd\u003ex\u003C/pwd\u003e", r"\u003cpwd\u003e***\u003C/pwd\u003e"),
        ("<author>bob</author>", "<author>bob</author>"),
        ("3 < password and 4 > 2", "3 < password and 4 > 2"),
        (
            'Content-Disposition: form-data; name="pwd"\r\n\r\nx\ny\r\n--b',
            'Content-Disposition: form-data; name="pwd"\r\n\r\n***\r\n--b',
        ),
        (
            'form-data; name="user.token"; filename="f"\nContent-Type: a/b\n\nx',
            'form-data; name="user.token"; filename="f"\nContent-Type: a/b\n\n***',
        ),
        ('form-data; name="author"\r\n\r\nbob\r\n--b', 'form-data; name="author"\r\n\r\nbob\r\n--b'),
        ('{"token" and form-data', '{"token" and form-data'),
    ],
)
def test_elements_and_parts_of_forms(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Password=abc def", "Password=***"),
        ("a Password = abc def, n=1", "a Password = ***, n=1"),
        ("Server=h;Password=abc def;Database=d", "Server=h;Password=***;Database=d"),
        ("pwd: abc def\nn: 1", "pwd: ***\nn: 1"),
        ("the password: forgotten yesterday", "the password: *** yesterday"),
        ("the password: expired yesterday", "the password: expired yesterday"),
        ("token: expired", "token: ***"),
        ("http://h/?password=abc failed", "http://h/?password=*** failed"),
        ("login(password=abc) failed", "login(password=***) failed"),
        ("token=abc was refused", "token=*** was refused"),
        ("session=abc n=1", "session=*** n=1"),
        ("the session: closed", "the session: closed"),
        ("the session: a1b2", "the session: ***"),
        ("session: abc", "session: ***"),
        ("pass=3 fail=1", "pass=3 fail=1"),
    ],
)
def test_phrases_and_words(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://u:a/b@h", "postgres://u:***@h"),
        ("amqp://u:a@b@h:1/x@y", "amqp://u:***@h:1/x@y"),
        ("http://h:80/x@y", "http://h:80/x@y"),
        ("ws://h:8080?x=a@b", "ws://h:8080?x=a@b"),
        ("http://[::1]:80/x@y", "http://[::1]:80/x@y"),
        ("a eyJhbGciOiJub25lIn0.eyJhIjoxfQ. b", "a *** b"),
        ("a eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c-_ b", "a *** b"),
        ("a eyJhbGciOiJSU0EifQ.abcd.efgh.ijkl.mnop b", "a *** b"),
        ("a eyJhbGciOiJub25lIn0 b", "a eyJhbGciOiJub25lIn0 b"),
        ("keyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "keyJhbGciOiJub25lIn0.eyJhIjoxfQ."),
        (
            "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nn",
            "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----\nn",
        ),
        ("-----BEGIN EC PRIVATE KEY-----\nabc", "-----BEGIN EC PRIVATE KEY-----***"),
        ("-----BEGIN PUBLIC KEY-----\nabc", "-----BEGIN PUBLIC KEY-----\nabc"),
    ],
)
def test_shapes(masker: Masker, text: str, masked: str) -> None:
    assert masker.text(text) == masked


def test_a_likely_field_hides_its_value_but_teaches_random_ones_only(masker: Masker) -> None:
    assert masker.value({"session": {"state": "connected", "id": "a1b2c3d4e5"}, "sid": "f6g7h8i9"}) == {
        "session": {"state": MASK, "id": MASK},
        "sid": MASK,
    }
    assert masker.text("connected a1b2c3d4e5 f6g7h8i9") == "connected a1b2c3d4e5 ***"
    assert masker.text('{"auth":"digest","session":["connected"],"sig":"j1k2l3m4"}') == (
        '{"auth":"***","session":["***"],"sig":"***"}'
    )
    assert masker.text("digest connected j1k2l3m4") == "digest connected ***"
    assert masker.value({"pass": 12, "sid": 3}) == {"pass": 12, "sid": 3}
    assert masker.text('{"pass":12,"sid":12345}') == '{"pass":12,"sid":"***"}'


# -- names ------------------------------------------------------------------------------------------------------------


STYLES: dict[str, Callable[[list[str]], str]] = {
    "alllower": "".join,
    "snake_case": "_".join,
    "kebab-case": "-".join,
    "dots": ".".join,
    "SCREAMING_SNAKE": lambda words: "_".join(words).upper(),
    "ALLCAPS": lambda words: "".join(words).upper(),
    "camelCase": lambda words: words[0] + "".join(map(str.capitalize, words[1:])),
    "PascalCase": lambda words: "".join(map(str.capitalize, words)),
}

SECRET_NAMES = """
    password user-password pwd user-pwd access-key api-key private-key secret-key token access-token jwt session-id
    session-key auth-code auth-key otp-code client-secret cookie db-pass signature signing-key
"""

INNOCENT_NAMES = """
    session_count sessionState passed author authority passenger compass sidecar tokenizer token_type side key
    keyboard signatureHelp publicKey primary_key authorized secretary passwordless password_length hotpot
"""


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_names_of_secrets_in_every_style(name: str, style: Callable[[list[str]], str]) -> None:
    assert field_names(()).secrecy(style(name.split("-")))


@pytest.mark.parametrize(
    "name", ["pass", "session", "sid", "connect.sid", "otp", "auth", "x-auth", "sig", "creds", "pw"]
)
def test_short_names_of_secrets(name: str) -> None:
    for each in (name, name.upper(), name.capitalize(), f"user_{name}", f"user-{name}", f"user{name.capitalize()}"):
        assert field_names(()).secrecy(each), each


@pytest.mark.parametrize("name", INNOCENT_NAMES.split())
def test_names_that_only_look_like_those_of_secrets(name: str) -> None:
    assert field_names(()).secrecy(name) is Secrecy.NONE


def test_the_judge_of_names_is_made_once() -> None:
    assert field_names(("a",)) is field_names(("a",))
    assert field_names(("pin",)) is not field_names(())


# -- what it costs ----------------------------------------------------------------------------------------------------


def seconds_for(masker: Masker, text: str, rounds: int) -> float:
    begun = time.process_time()
    for _ in range(rounds):
        masker.text(text)
    return time.process_time() - begun


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
    "elements": "<token>",
    "elements without an end": "<token ",
    "elements that nest": "<token><a>",
    "names of values": '{"name":"token",',
    "names of values in one object": '"name":"token",',
    "options": "--token ",
    "escaped names": "%22token%22",
    "marks": "identified by digest username=",
    "parts of forms": 'form-data; name="token"\r\n',
    "phrases": "password=a ,",
    "passwords of URLs": "://a:b@/",
    "web tokens": "eyJaaaaa.",
    "private keys": "-----BEGIN PRIVATE KEY-----",
    "escapes": "\\u0026%26&amp;hunter",
    "secrets": "hunter22",
    "ellipses": "…",
    "cuts": "hunt…er22",
    "nearly secrets": "hunter2",
    "conditions": "b['password'] in ('x",
}


DEAR = {"names of values"}
"""What takes seconds, though no more for each character of a longer text."""


@pytest.mark.parametrize(
    "piece",
    [pytest.param(piece, id=name, marks=[pytest.mark.slow] * (name in DEAR)) for name, piece in HOSTILE.items()],
)
def test_the_cost_of_a_text_is_linear(piece: str) -> None:
    masker = Masker()
    masker.learn("hunter22")

    def cost(size: int) -> float:
        text = piece * (size // len(piece))
        return min(seconds_for(masker, text, 1) for _ in range(2))

    small, large = cost(8_000), cost(64_000)
    assert large < 8 * 4 * small + 0.1
