"""Secrets planted in as many places and forms as a run has: none is in any file of it, nor in anything it shows.

And what only looks like a secret stays readable.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import logging
import os
import re
import shutil
import stat
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ahocorasick_rs import AhoCorasick

from antiphon import Actor, Json, Stand, WebSocket, play, scenario
from antiphon.cli import main
from antiphon.journal import recording
from antiphon.journal.file import read_journal

pytest_plugins = ["pytester"]

REPORTS = ("junit", "har", "allure", "mermaid", "summary")


def words(text: str) -> list[str]:
    return text.split()


def planted(label: str) -> str:
    """The secret of a place: no two are alike, nor are their ends."""
    digest = hashlib.sha256(label.encode()).hexdigest()
    return f"Zq{digest[:12]}x{digest[12:24]}"


# -- the table: fields ------------------------------------------------------------------------------------------------

FIELDS = words(
    """
    password PASSWORD Password passwd userPassword password_2 new-password passphrase passPhrase passcode pwd
    PWD userPwd db_pwd pass PASS dbPass db_pass user-pass jwt JWT idJwt jwt_token session SESSION sessionId
    session_id SESSION-ID JSESSIONID PHPSESSID sessionKey sid SID connect.sid callSid otp OTP otpCode otp_code
    auth AUTH authKey auth-code x-auth authToken AUTHTOKEN accessKey access_key access-key ACCESSKEY ACCESS_KEY
    accessKeyId secretAccessKey signature Signature SIGNATURE X-Hub-Signature-256 request_signature sig apiKey
    api_key API-KEY X-Api-Key token accessToken refresh_token ID_TOKEN csrfToken clientSecret client_secret
    credential credentials cookie sessionCookie authorization Proxy-Authorization privateKey PRIVATE_KEY
    signingKey encryption_key
    """
)

# -- the table: texts -------------------------------------------------------------------------------------------------

JWT_HEAD = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."

TEXTS: dict[str, Callable[[str], str]] = {
    "a phrase": lambda s: f"Password=abc {s}",
    "a phrase in a line": lambda s: f"user=bob Password=abc {s}",
    "a phrase before another field": lambda s: f"password=ab {s} c, user=bob",
    "a connection string": lambda s: f"Server=h;User Id=sa;Password=a b {s};Database=d",
    "a property": lambda s: f"db.url=x\ndb.password: a b {s}\nn: 1",
    "a query": lambda s: f"https://h/x?a=1&access_token={s}&b=2",
    "a query that is signed": lambda s: f"https://h/x?se=2026&sig={s}",
    "a matrix parameter": lambda s: f"https://h/x;jsessionid={s}?a=1",
    "a URL": lambda s: f"https://bob:{s}@h/x",
    "a URL with a slash in its password": lambda s: f"postgres://u:a/{s}@h",
    "a URL with an at in its password": lambda s: f"amqp://u:a@{s}@h:5672/",
    "a URL without a user": lambda s: f"redis://:{s}@h:6379/0",
    "an escaped URL": lambda s: rf'{{"u":"http:\/\/bob:{s}@h\/"}}',
    "a web token": lambda s: f"it is {JWT_HEAD}{s}, as you know",
    "a web token in an array": lambda s: json.dumps(["bearer", JWT_HEAD + s]),
    "a private key": lambda s: f"-----BEGIN RSA PRIVATE KEY-----\nMIIE{s}\n{s}/+=\n-----END RSA PRIVATE KEY-----\n",
    "a private key that was cut": lambda s: f"-----BEGIN PRIVATE KEY-----\nMIIE{s}\n{s}",
    "a private key in JSON": lambda s: json.dumps({"k": f"-----BEGIN EC PRIVATE KEY-----\n{s}\n-----END EC PRIVATE"}),
    "an element": lambda s: f"<login><user>bob</user><password>{s}</password></login>",
    "an element with a prefix": lambda s: f'<wsse:Password Type="http://x#PasswordText">{s}</wsse:Password>',
    "an element with blanks": lambda s: f"<apiKey>\n  {s}\n</apiKey>",
    "character data": lambda s: f"<token><![CDATA[a<b {s}]]></token>",
    "an attribute": lambda s: f'<login user="bob" accessKey="{s}"/>',
    "an escaped element": lambda s: rf'{{"x":"\u003cpassword\u003e{s}\u003c/password\u003e"}}',
    "an element inside of another": lambda s: f"<x>&lt;secret&gt;{s}&lt;/secret&gt;</x>",
    "a part of a form": lambda s: (
        f'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nbob\r\n--b\r\n'
        f'Content-Disposition: form-data; name="password"\r\n\r\n{s}\r\n--b--\r\n'
    ),
    "a part of a form with a kind": lambda s: (
        f'--b\r\nContent-Disposition: form-data; name="api_key"; filename="k"\r\n'
        f"Content-Type: text/plain\r\n\r\na b {s}\r\n--b--\r\n"
    ),
    "a part of a form in JSON": lambda s: json.dumps(
        {"raw": f'--b\r\nContent-Disposition: form-data; name="pwd"\r\n\r\n{s}\r\n--b--'}
    ),
    "JSON in a text": lambda s: f'got {{"otp": "{s}"}} back',
    "JSON in JSON in JSON": lambda s: json.dumps(json.dumps({"a": json.dumps({"sessionId": s})})),
    "a list": lambda s: json.dumps({"tokens": [1, {"a": [s]}]}),
    "what Python prints": lambda s: repr({"auth": s, "n": 1}),
    "a call": lambda s: f"login('bob', pwd='{s}', n=1)",
    "a header line": lambda s: f"GET / HTTP/1.1\r\nAuthorization: Bearer {s}\r\nHost: h",
    "cookies": lambda s: f"Cookie: theme=dark; sid={s}; a=b",
    "a header in a log": lambda s: f"sent X-Access-Key: {s}",
    "an environment": lambda s: f"export AWS_SECRET_ACCESS_KEY={s}\nexport N=1",
    "elements in an element": lambda s: f"<password><value a='1'>{s}</value></password>",
    "escaped elements in an element": lambda s: f"<x>&lt;secret&gt;&lt;v&gt;{s}&lt;/v&gt;&lt;/secret&gt;</x>",
    "a list's field in a form": lambda s: f"a=1&password[]={s}",
    "an object's field in a form": lambda s: f"user[password]={s}&x=1",
    "an escaped name in a query": lambda s: f"https://h/?pass%77ord={s}",
    "escaped JSON in a form": lambda s: f"q=%7B%22password%22%3A%22{s}%22%7D",
    "an escaped name in JSON": lambda s: f'{{"pass\\u0077ord":"{s}"}}',
    "PHP": lambda s: f"array('password' => '{s}')",
    "a bearer's token": lambda s: f"it was Bearer {s}",
    "a digest": lambda s: f'Authorization: Digest username="b", response="{s}"',
    "a name and a value": lambda s: json.dumps({"value": s, "name": "password"}),
    "a patch": lambda s: json.dumps([{"op": "replace", "path": "/password", "value": s}]),
    "an element with a name and a value": lambda s: f'<param name="password" value="{s}"/>',
    "two in a list": lambda s: json.dumps(["password", s]),
    "an option": lambda s: f"foo --token {s} -u root",
    "a user of curl": lambda s: f"curl -u bob:{s} https://h",
    "SQL": lambda s: f"CREATE USER b IDENTIFIED BY '{s}'",
    "a role in SQL": lambda s: f"ALTER ROLE b PASSWORD '{s}'",
    "SDP": lambda s: f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{s}",
    "JavaScript": lambda s: f"{{accessKey: '{s}', n: 1}}",
}

# -- the table: spellings of what was learnt --------------------------------------------------------------------------


def difficult(label: str) -> str:
    """A secret with whatever is escaped somewhere."""
    secret = planted(f"difficult: {label}")
    return f"{secret[:9]}<&>\"'+/= é{secret[9:]}"


def escaped(secret: str, escape: Callable[[str], str]) -> str:
    return "".join(each if each.isascii() and each.isalnum() else escape(each) for each in secret)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON twice": lambda s: json.dumps(json.dumps(s))[1:-1],
    "JSON three times": lambda s: json.dumps(json.dumps(json.dumps(s))),
    "JSON that is safe in HTML": lambda s: json.dumps(s)[1:-1].replace("<", r"\u003c").replace("&", r"\u0026"),
    "JSON with every escape": lambda s: escaped(s, lambda each: rf"\u{ord(each):04X}"),
    "JSON with solidus": lambda s: json.dumps(s)[1:-1].replace("/", r"\/"),
    "Python": lambda s: repr(s)[1:-1],
    "Python, ASCII": lambda s: ascii(s)[1:-1],
    "a URL": lambda s: quote(s, safe=""),
    "a URL in lower case": lambda s: escaped(s, lambda each: quote(each, safe="").lower()),
    "a URL with few escapes": lambda s: quote(s, safe="+/=&'"),
    "a query": lambda s: quote(s, safe=" ").replace(" ", "+"),
    "a URL in JSON": lambda s: json.dumps("https://h/?q=" + quote(s)),
    "HTML": html.escape,
    "HTML by number": lambda s: escaped(s, lambda each: f"&#{ord(each)};"),
    "HTML by hexadecimal number": lambda s: escaped(s, lambda each: f"&#x{ord(each):X};"),
    "HTML in JSON": lambda s: json.dumps(html.escape(s)),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "base64 after a name": lambda s: base64.b64encode(f"bob:{s}".encode()).decode(),
    "base64 after two bytes": lambda s: base64.b64encode(f"ab{s}, and more".encode()).decode(),
    "base64 within JSON": lambda s: base64.b64encode(f'{{"n":1,"x":"{s}"}}'.encode()).decode(),
    "hexadecimal": lambda s: s.encode().hex(),
    "hexadecimal in capitals": lambda s: f"0x{s.encode().hex().upper()}",
}

DATA: dict[str, Callable[[str], bytes]] = {
    "UTF-8 in other data": lambda s: b"\xff\x00\x01" + s.encode() + b"\xfe",
    "UTF-16": lambda s: s.encode("utf-16"),
    "UTF-16 in network order": lambda s: s.encode("utf-16-be"),
    "UTF-16 in other data": lambda s: b"\xff\xff\x01" + s.encode("utf-16-le") + b"\x80",
    "JSON in a binary frame": lambda s: json.dumps({"action": "x", "data": {"pwd": s}}).encode(),
}

# -- the table: places ------------------------------------------------------------------------------------------------

PLACES = (
    "argument",
    "argument by name",
    "argument of a class's step",
    "further argument",
    "long argument",
    "argument of a function",
    "result",
    "result with a name of its own",
    "result with fields",
    "signal",
    "signal in capitals",
    "body of a message that was sent",
    "field of a message that was sent",
    "parameter",
    "environment",
    "header of the opening",
    "query of the opening",
    "header of a request",
    "query of a request",
    "path of a request",
    "body of a request",
    "form of a request",
    "header of an answer",
    "cookie of an answer",
    "body of an answer",
    "reason of the close",
    "soft check",
    "error",
)

FRAMES: dict[str, str] = {
    **{f"field {name}": json.dumps({"action": "news", "data": {name: planted(name)}}) for name in FIELDS},
    **{
        f"text: {name}": json.dumps({"action": "news", "data": {"text": form(planted(name)), "n": 1}})
        for name, form in TEXTS.items()
    },
    **{
        f"learnt: {name}": json.dumps({"action": "news", "data": {"text": f"it is {form(difficult(name))}."}})
        for name, form in SPELLINGS.items()
    },
}
BINARY = [form(difficult(name)) for name, form in DATA.items()]


def forbidden() -> Iterator[tuple[str, str]]:
    """What must be nowhere, by the name of its place: the secret, its spelling, and what a cut would leave of it."""
    for name in (*FIELDS, *TEXTS, *PLACES):
        secret = planted(name)
        yield from ((name, form) for form in (secret, secret[:12], secret[-12:]))
    for name, spell in SPELLINGS.items():
        secret = difficult(name)
        for form in (secret, spell(secret), *(other(secret) for other in SPELLINGS.values())):
            yield name, form
    for name in (*SPELLINGS, *DATA):
        secret = difficult(name)
        yield from ((name, part) for part in (secret[:9], secret[-17:]))


def test_the_table_has_more_than_a_hundred_places() -> None:
    assert len(FRAMES) + len(BINARY) + len(PLACES) > 150
    secrets = {*map(planted, (*FIELDS, *TEXTS, *PLACES)), *map(difficult, (*SPELLINGS, *DATA))}
    assert len(secrets) == len(FRAMES) + len(BINARY) + len(PLACES)


# -- the run ----------------------------------------------------------------------------------------------------------

SPY = """
    import json
    from pathlib import Path

    from antiphon import Actor, Http, Json, Raw, WebSocket, action, call, scenario, send, signal, soft

    PLANTED = json.loads(Path(__file__).with_name("planted.json").read_text(encoding="utf-8"))
    PLACES = PLANTED["places"]


    def get_key(password):
        return PLACES["result with a name of its own"]


    def login():
        return {"user": "bob", "pwd": PLACES["result with fields"]}


    class Spy(Actor):
        api = Http("{http}", headers={"X-Auth": PLACES["header of a request"]})
        desk = WebSocket(
            "{peer}/desk?sid=" + PLACES["query of the opening"],
            dialect=Json(name="action", body="data"),
            headers={"Authorization": "Bearer " + PLACES["header of the opening"]},
            within_s=20,
        )
        data = WebSocket("{peer}/data", dialect=Raw())

        @action
        async def log_in(self, user: str, password: str, *tokens: str, **more: str) -> None:
            self.send("login", otp=PLACES["field of a message that was sent"])

        @action
        async def note_down(self, text: object) -> None:
            pass

        @action
        async def hear_all(self) -> None:
            for secret in PLANTED["learnt"]:
                self.send("learn", password=secret)
            self.send("begin")
            for name in PLANTED["frames"]:
                await self.expect()
            self.data.send_data(b"begin")
            for _ in range(PLANTED["binary"]):
                await self.data.expect()

    @scenario
    async def spying(spy: Spy, access_key: str = PLACES["parameter"], ending: str = "passed"):
        await spy.log_in("bob", PLACES["argument"], PLACES["further argument"], pwd=PLACES["argument by name"])
        await Spy.log_in("bob", PLACES["argument of a class's step"])
        await spy.note_down({"n": "x" * 70, "password": PLACES["long argument"], "m": "y" * 20})
        await call(get_key, PLACES["argument of a function"], save_as="accessKey")
        await call(lambda: PLACES["result"], save_as="token")
        await call(login)
        await signal("token", PLACES["signal"])
        await signal("SESSION", PLACES["signal in capitals"])
        await send("jwt", PLACES["body of a message that was sent"])
        await spy.hear_all()
        await spy.api.get("/page/" + PLACES["header of a request"], params={"sig": PLACES["query of a request"]})
        await spy.api.get("/page?signature=" + PLACES["path of a request"])
        await spy.api.post("/json", json={"pass": PLACES["body of a request"]})
        await spy.api.post("/form", data="user=bob&pwd=" + PLACES["form of a request"])
        later = ("error", "soft check", "reason of the close")  # nobody could know yet that these are secrets
        secrets = [*(PLACES[name] for name in PLACES if name not in later), *PLANTED["learnt"]]
        if ending == "check":
            spy.send("all", text=" ".join(secrets))
            await spy.expect("all", check={"text": "nothing"})
        if ending == "soft":
            spy.send("soft")
            await spy.expect("soft", check=soft({"token": "another", "text": "another"}))
        if ending == "error":
            raise LookupError("password=" + PLACES["error"], *secrets)
        if ending == "silence":
            await spy.expect("never", {"text": secrets[0], "password": secrets[1]}, within_s=0.01)
        if ending == "close":
            spy.send("leave")
            await spy.expect("never")
"""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Any]) -> Path:
    """A directory with the spy, a stand for it, and a peer that gives everything away."""
    place = tmp_path / "work"
    place.mkdir()
    places = {name: planted(name) for name in PLACES}
    learnt = [difficult(name) for name in (*SPELLINGS, *DATA)]
    known = {"places": places, "learnt": learnt, "frames": [*FRAMES], "binary": len(BINARY)}
    (place / "planted.json").write_text(json.dumps(known), encoding="utf-8")
    (place / "spy.py").write_text(textwrap.dedent(SPY), encoding="utf-8")
    peer = serve(give_everything_away)
    monkeypatch.setenv("DESK_TOKEN", places["environment"])
    stand = f"""
        [stands.test]
        peer = "{peer.address}/${{DESK_TOKEN}}"
        http = "{peer.http}"
    """
    (place / "antiphon.toml").write_text(textwrap.dedent(stand), encoding="utf-8")
    monkeypatch.chdir(place)
    return place


async def give_everything_away(line: Any) -> None:
    """A peer that answers whatever it hears with secrets."""
    request, headers = await line.read_head()
    if "upgrade" not in headers:
        await line.reader.readexactly(int(headers.get("content-length", "0")))
        answer = json.dumps({"session": planted("body of an answer"), "n": 1})
        more = {"X_Auth_Token": planted("header of an answer"), "Set_Cookie": f"sid={planted('cookie of an answer')}"}
        line.answer("200 OK", answer, "application/json", Connection="close", **more)
        return
    assert planted("environment") in request
    line.accept(headers)
    if "/data" in request:
        await line.hear_frame()
        for frame in BINARY:
            line.writer.write(line.frame(0x2, frame))
    while (frame := await line.hear_frame())[0] != 0x8:
        await answer_with_everything(line, json.loads(frame[1]))
    line.say_close(1000)


async def answer_with_everything(line: Any, said: Any) -> None:
    match said["action"]:
        case "begin":
            for text in FRAMES.values():
                line.say_text(text)
        case "all":
            line.say("all", said["data"])
        case "soft":
            line.say("soft", {"token": planted("soft check"), "text": f"it is {planted('soft check')}"})
        case "leave":
            line.say_close(4000, f"token={planted('reason of the close')}")


def leaks(text: str) -> list[tuple[str, str]]:
    """What a text gives away, also as the bytes of binary frames in it."""
    frames = re.findall(r'"base64":"([A-Za-z0-9+/=]*)"', text)
    texts = [text, html.unescape(text), *(base64.b64decode(frame).decode("latin-1") for frame in frames)]
    texts += [each.replace("\0", "") for each in texts if "\0" in each]
    texts += [
        each.encode("latin-1").decode(errors="replace") for each in texts if each.isascii() is False and is_latin(each)
    ]
    places, find = forbidden_finder()
    return sorted({places[index] for each in texts for index, _, _ in find(each)})


@cache
def forbidden_finder() -> tuple[list[tuple[str, str]], Callable[[str], list[tuple[int, int, int]]]]:
    """All that is forbidden, looked for at once: the texts are long, and the table is."""
    places = list(forbidden())
    return places, AhoCorasick([form for _, form in places]).find_matches_as_indexes


def is_latin(text: str) -> bool:
    return not text.isascii() and max(text) < "\u0100"


def files_of(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


ENDINGS = {"passed": 0, "check": 1, "soft": 1, "error": 2, "silence": 1, "close": 1}
CASES = [
    *((ending, flags) for ending in ("passed", "check") for flags in ((), ("-v",), ("-vv",), ("--log-json",))),
    *((ending, ()) for ending in ENDINGS if ending not in ("passed", "check")),
]


@pytest.fixture
def quiet_afterwards() -> Iterator[None]:
    """Logging as it was: the command line's flags set it up for the whole process."""
    logger = logging.getLogger("antiphon")
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "flags"), CASES, ids=lambda value: value if isinstance(value, str) else None)
def test_no_secret_is_in_any_file_nor_shown(
    workplace: Path,
    capsys: pytest.CaptureFixture[str],
    quiet_afterwards: None,
    ending: str,
    flags: tuple[str, ...],
) -> None:
    reports = [part for name in REPORTS for part in ("--report", name)]
    code = main(["run", "spy.py:spying", "--stand", "test", "--ending", ending, "--runs", "runs", *reports, *flags])
    shown = capsys.readouterr()
    assert code == ENDINGS[ending], shown.err
    assert leaks(shown.out) == []
    assert leaks(shown.err) == []

    (run,) = (workplace / "runs").iterdir()
    files = files_of(run)
    names = {path.name for path in files}
    assert names >= {"journal.jsonl", "trace.html", "junit.xml", "run.har", "conversation.mmd", "summary.md"}
    assert len(files) > len(FRAMES) + len(PLACES) / 2
    found = [(path.name, leak) for path in files for leak in leaks(read(path))]
    assert found == []
    assert "".join(map(read, files)).count("***") > len(FRAMES)


def read(path: Path) -> str:
    """A file's text, and behind it, of a hexadecimal dump, what it stands for."""
    data = path.read_bytes()
    text = data.decode("utf-8", "replace")
    if path.name.endswith(".hex.txt"):
        data = bytes.fromhex("".join(line[10:49] for line in text.splitlines()))
        text += data.decode("latin-1")
    return text + "\n" + path.name


@pytest.mark.slow
def test_no_secret_is_shown_by_pytest(workplace: Path, pytester: pytest.Pytester) -> None:
    for name in ("spy.py", "planted.json", "antiphon.toml"):
        shutil.copy(workplace / name, pytester.path)
    pytester.makeini("[pytest]\npythonpath = .\nasyncio_default_fixture_loop_scope = function")
    tests = "".join(
        f"def test_{ending}(play):\n    play(spy.spying, stand='test', ending={ending!r}, linger_s=0)\n"
        for ending in ENDINGS
    )
    pytester.makepyfile(test_spy=f"import spy\n{tests}")
    result = pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--junitxml=x.xml", "--showlocals"
    )
    result.assert_outcomes(passed=1, failed=len(ENDINGS) - 1)
    shown = "\n".join([*result.outlines, *result.errlines, (pytester.path / "x.xml").read_text()])
    assert "antiphon" in shown
    assert leaks(shown) == []
    assert [(path, leak) for path in files_of(pytester.path / "runs") for leak in leaks(read(path))] == []


@pytest.mark.slow
def test_a_run_without_a_record_shows_no_secret(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for ending in ("check", "silence"):
        code = main(["run", "spy.py:spying", "--stand", "test", "--ending", ending, "--no-record", "--quiet"])
        assert code == ENDINGS[ending]
        shown = capsys.readouterr()
        assert leaks(shown.out + shown.err) == []


class Listener(Actor):
    desk = WebSocket("{peer}", dialect=Json(name="action", body="data"), within_s=5)


@scenario
async def hear(listener: Listener) -> None:
    await listener.expect()


# -- what is no secret ------------------------------------------------------------------------------------------------

INNOCENT = words(
    """
    session_count sessionCount sessions_total session_state sessionTimeout passed passes pass_rate passCount
    passenger passengers passport passive compass bypass author authors authority authored sidecar side inside
    beside tokenizer tokenized token_type tokenCount expires_in secretary keyboard key primary_key publicKey
    monkey keys cacheKey signal signatureHelp design assigned assignment authorized authenticated cookie_policy
    cookiesEnabled password_length passwordPolicy auth_method authUrl hotpot laptop_position footpath consider
    resident action
    """
)

PROSE = (
    "the session: closed",
    "the author: bob",
    "12 passed, 3 failed",
    "passed=12 failed=3",
    "side=left key=value",
    "no token was given",
    "http://h:8080/a@b",
    "to bob@example.org: hello",
    "a PUBLIC KEY: -----BEGIN PUBLIC KEY----- MFkw -----END PUBLIC KEY-----",
    "eyJhbGciOiJub25lIn0 is no web token",
    "Bearer authentication is required",
    "unexpected token '}'",
    "the flag --token is needed",
    "docker run -u 1000:1000 x",
    "<author>bob</author><session>closed",
    "100%25 &amp; \\u0026",
)


def test_what_only_looks_like_a_secret_stays_readable(tmp_path: Path, serve: Callable[..., Any]) -> None:
    said = {name: f"plain-{index}-value" for index, name in enumerate(INNOCENT)}
    said |= {f"n{index}": text for index, text in enumerate(PROSE[:-2])}
    said |= {"pass": 12, "sid": 3, "auth": True, "session": None, "text": PROSE[-1]}

    async def tell(line: Any) -> None:
        await line.upgrade()
        line.say("news", said)
        await line.goodbye()

    play(hear, stand=Stand("test", {"peer": serve(tell).address}), runs=tmp_path)

    (run,) = tmp_path.iterdir()
    assert json.loads((run / "received/news0.json").read_text())["data"] == said
    (news,) = (entry for entry in read_journal(run / "journal.jsonl") if getattr(entry, "name", "") == "news")
    assert json.loads(news.text)["data"] == said


# -- who may read it --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="there are no modes")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277, 0o777], ids=oct)
def test_a_run_is_for_its_owner_only(tmp_path: Path, friend: Any, umask: int) -> None:
    before = os.umask(umask)
    try:
        play(
            hear,
            stand=Stand("test", {"peer": friend.address}),
            runs=tmp_path / "runs",
            reports=(*recording.STANDARD_REPORTS, *REPORTS),
        )
    finally:
        os.umask(before)
    made = [tmp_path / "runs", *(tmp_path / "runs").rglob("*")]
    assert len([path for path in made if path.is_file()]) > 7
    modes: Mapping[str, int] = {str(path): stat.S_IMODE(path.stat().st_mode) for path in made}
    assert modes == {str(path): 0o700 if path.is_dir() else 0o600 for path in made}


def test_a_report_in_a_place_of_its_own_is_as_open_as_any_file_there(tmp_path: Path, friend: Any) -> None:
    before = os.umask(0o022)
    try:
        play(
            hear,
            stand=Stand("test", {"peer": friend.address}),
            runs=tmp_path / "runs",
            reports=[f"junit={tmp_path}/shared/x.xml"],
        )
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "shared/x.xml").stat().st_mode) == 0o644


@pytest.fixture
def friend(serve: Callable[..., Any]) -> Any:
    """A peer that says something and lets go."""

    async def behave(line: Any) -> None:
        await line.upgrade()
        line.say("welcome", {"n": 1})
        await line.goodbye()

    return serve(behave)
