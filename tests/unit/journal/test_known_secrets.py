"""Secrets that are known: found in every spelling, however many there are, in time that is linear in the text."""

from __future__ import annotations

import base64
import json
import random
import sys
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.journal.masking import MASK, Masker, known_secrets
from antiphon.journal.masking.automaton import Find, word_finder
from antiphon.journal.masking.known_secrets import KnownSecrets


@pytest.fixture
def masker() -> Masker:
    return Masker()


# -- spellings --------------------------------------------------------------------------------------------------------

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


# -- what it costs ----------------------------------------------------------------------------------------------------


class Work:
    """What the automata had to do: how many forms were put into them, and how many characters they looked at."""

    def __init__(self) -> None:
        self.forms = 0
        self.characters = 0

    def finder(self, words: Iterable[str]) -> Find:
        forms = list(words)
        find = word_finder(forms)
        self.forms += len(forms)

        def counting(text: str) -> list[tuple[int, int, int]]:
            self.characters += len(text)
            return find(text)

        return counting


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()
    monkeypatch.setattr(known_secrets, "word_finder", work.finder)
    return work


def calls_of(function: Callable[[], object]) -> int:
    """How many functions it calls, ours and those in C."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return calls


def knowing(secrets: Iterable[str]) -> KnownSecrets:
    known = KnownSecrets()
    for secret in secrets:
        known.add(secret)
    known.mask("to make the automata", MASK)
    return known


ENDING = "-and-the-ending-of-them-all-1a2b3c"

TEXTS = {
    "ordinary": '{"action":"newState","data":{"state":"ready","id":"0b6c5a52-9d1f-4b9e-8b56-1f5c3a7d1e11"}}' * 200,
    "endings": ENDING * 600,
    "pieces of endings": ENDING[-9:] * 2_000,
    "endings that were cut": f"…{ENDING[5:]}…{ENDING[9:]} " * 300,
    "escaped": f'{{\\"a\\":\\"{ENDING}\\u0026\\"}}' * 300,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_cost_of_a_text_does_not_grow_with_the_number_of_secrets(text: str) -> None:
    few, many = (knowing(f"{number:05}{ENDING}" for number in range(count)) for count in (10, 1_000))
    few.mask(text, MASK)
    many.mask(text, MASK)
    assert calls_of(lambda: many.mask(text, MASK)) < 2 * calls_of(lambda: few.mask(text, MASK)) + 100


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_cost_of_a_text_is_linear_in_it(text: str, work: Work) -> None:
    known = knowing(f"{number:05}{ENDING}" for number in range(1_000))
    work.characters = 0
    short = calls_of(lambda: known.mask(text[: len(text) // 4], MASK)), work.characters
    work.characters = 0
    long = calls_of(lambda: known.mask(text, MASK)), work.characters
    assert long[0] < 6 * short[0] + 100
    assert long[1] < 6 * short[1]
    assert long[1] < 10 * len(text)


def test_secrets_that_are_learnt_one_by_one_cost_little_more_than_all_at_once(work: Work) -> None:
    secrets = tokens(1_000)
    knowing(secrets)
    at_once, work.forms = work.forms, 0
    known = KnownSecrets()
    for secret in secrets:
        known.add(secret)
        assert known.mask(f"a {secret}!", MASK) == "a ***!"
    assert work.forms < 11 * at_once, "each moves log2(1000) times"
    work.characters = 0
    known.mask("x" * 1_000, MASK)
    assert work.characters <= 10_000


def test_what_is_never_written_is_never_made_ready(work: Work) -> None:
    known = KnownSecrets(most=40)
    for secret in tokens(1_000):
        known.add(secret)
    assert work.forms == 0
    known.mask("to make the automata", MASK)
    assert work.forms < 10 * 40, "and no more is kept for it than for what is written"


def test_secrets_that_overlap_without_end_are_masked_in_bounded_time(work: Work) -> None:
    known = knowing("a" * size for size in range(6, 400))
    work.characters = 0
    assert set(known.mask("b" + "a" * 20_000, MASK)) == {"b", "*"}
    assert work.characters < 100 * 20_000


@given(st.data(), st.text(min_size=6, max_size=12).filter(lambda text: text.strip("*")))
def test_every_mix_of_escapes_is_read(data: st.DataObject, secret: str) -> None:
    def escape(character: str) -> str:
        if character.isascii() and (character.isalnum() or character in "_.~-"):
            return character  # nobody escapes these
        number = ord(character)
        ways = [f"&#{number};", f"&#x{number:x};"]
        if number < 0x80:
            ways += [f"%{number:02x}", f"\\x{number:02X}"]
        if number < 0x10000:
            ways += [f"\\u{number:04x}", f"\\u{number:04X}"]
        if character not in "\\%&":
            ways.append(character)
        return data.draw(st.sampled_from(ways))

    if any("\ud800" <= character <= "\udfff" for character in secret) or "a1b2" in secret:
        return
    secret = f"a1b2{secret}"
    known = knowing([secret])
    assert known.mask(f"<a1b2{''.join(map(escape, secret[4:]))}>", MASK) == "<***>"
