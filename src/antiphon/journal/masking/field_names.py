"""Which names are names of secret fields, in any style: `accessKey`, `access_key`, `ACCESS-KEY`, `accesskey`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from antiphon.journal.masking.automaton import strict_word_finder, tolerant
from antiphon.journal.masking.commands import MARKS

__all__ = ["SECRET_WORDS", "FieldNames", "Hit", "Secrecy", "field_names"]

Hit = tuple[int, int, int]
"""Which word of a finder was found, and from where to where."""


class Secrecy(IntEnum):
    """What a field's name says of its value."""

    NONE = 0
    """Nothing."""
    LIKELY = 1
    """It is masked; but `session` or `auth` may hold ordinary words, so only what looks random is learnt."""
    CERTAIN = 2
    """It is a secret, wherever else it stands."""


class FieldNames:
    """Judges names of fields; `own` are further names, or parts of names, of secret ones, in lower case.

    `secrecy` judges a name. `plain` is for maskers: whether objects with members of these names, in this order, teach
    nothing where all values are plain. Bodies of one kind have the same, in all runs.
    """

    def __init__(self, own: Sequence[str]) -> None:
        self._own = own
        self.secrecy: Callable[[str], Secrecy] = lru_cache(4096)(self._judge)
        self.plain: dict[tuple[Any, ...], bool] = {}
        self.search = strict_word_finder([*_CORES, *_MARKS, *(own or _INNOCENT)])
        """What `find` looks for, and innocent words that hold it; raises UnicodeEncodeError for half a character."""
        self._find = tolerant(self.search)

    def find(self, lower: str) -> list[Hit]:
        """Where in a text in lower case the name of a secret field may be, or a mark: see `Find`."""
        found = self._find(lower)
        # Innocent words are among those of the finder only where the author has no words of their own, which may be a
        # part of one.
        return found if self._own or not found else [hit for hit in found if hit[0] < _END_OF_MARKS]

    def mark_of(self, hit: Hit) -> str | None:
        """The mark (`commands.MARKS`) that this is; None where a name may be."""
        return _MARKS[hit[0] - len(_CORES)] if len(_CORES) <= hit[0] < _END_OF_MARKS else None

    def is_word(self, text: str) -> bool:
        """Whether a text is no more than a word for a secret: a password "password" must not be hidden everywhere."""
        return text.lower() in SECRET_WORDS or text.lower() in self._own

    def _judge(self, name: str) -> Secrecy:
        lower = name.lower()
        if any(own in lower for own in self._own):
            return Secrecy.CERTAIN
        words = [word.lower() for word in _PARTS.findall(name)]
        # Of `token_type` or `password_length` the value says nothing secret, and a reader needs it.
        if not words or words[-1] in _ABOUT:
            return Secrecy.NONE
        pairs = {first + second for first, second in pairwise(words)}
        if not _PAIRS.isdisjoint(pairs) or any(_STRONG.search(word) for word in words):
            return Secrecy.CERTAIN
        if any(_is_singular_in(word, _CERTAIN_WORDS) for word in words):
            return Secrecy.CERTAIN
        # `session_id_2` is a session's id: what follows the word carries the secret, or numbers it.
        while len(words) > 1 and (words[-1] in _CARRIERS or words[-1].isdigit()):
            words.pop()
        return Secrecy.LIKELY if _is_singular_in(words[-1], _LIKELY_WORDS) else Secrecy.NONE


@lru_cache(64)
def field_names(own: tuple[str, ...]) -> FieldNames:
    """The judge for these further words. Every run asks for one, and nearly all for the same: it is made once."""
    return FieldNames(own)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _is_singular_in(word: str, words: Collection[str]) -> bool:
    return word in words or (word.endswith("s") and word[:-1] in words)


_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")

SECRET_WORDS: Final = _words(
    "password passwd passphrase passcode secret token cookie authorization apikey api_key api-key credential "
    "privatekey private_key private-key pwd pass jwt session sid otp auth accesskey access_key access-key signature"
)

_STRONG: Final = re.compile(
    r"""(?x)
      password(?!less) | passwd | passphrase | passcode | passkey
    | secret(?!ar) | token(?!i[sz]) | cookie | credential | authorization | pwd | pswd | jwt
    | (?:api|access|private|signing|encryption|master|shared|session|auth|account)_?key
    | sess(?:ion)?_?id | (?:auth|otp)code | aspxauth
    | (?:store|key|user|db|root|admin|login|sql|pg|ftp|smtp|mail|auth)pass\b
    """
)
"""Parts of a word by which it names a secret, also where it is one with its neighbours: `dbpassword`, `PHPSESSID`."""

_PAIRS: Final = frozenset(
    f"{first}{second}"
    for first in _words("api access private signing encryption master shared account auth")
    for second in ("key", "keys")
) | {"password", "passphrase", "passcode", "authcode", "codeverifier", "clientassertion"}
"""Two words that name a secret together."""

_CERTAIN_WORDS: Final = _words("pw otp totp creds csrf xsrf cvv cvc")
"""Words that name a secret if they stand alone between others: `user_pwd`, `otpCode`."""

_LIKELY_WORDS: Final = _words("pass session sid auth oauth authentication bearer signature sig sessid")
"""Words that name a secret if nothing, or no more than one of the carriers, follows: `pass`, `sessionId`, but not
`pass_count`, `sessionState`, `signatureHelp`."""

_CARRIERS: Final = _words(
    "id key value val code hash data header string str text raw hex base64 b64 old new current previous cookie "
    "number param parameter plain clear user v"
)
"""What may follow such a word, and still the value is the secret."""

_ABOUT: Final = _words(
    "count counts total length len size limit type kind ttl timeout expires expiry expiration expired age lifetime "
    "policy strength status enabled disabled required supported url uri endpoint method methods algorithm alg version "
    "format"
)
"""The last word of a name that tells something about a secret, and not the secret: `token_type`, `session_count`."""

_CORES: Final = _words(
    "pass pw secret token cookie credential creds auth key jwt sess sid otp sig csrf xsrf cvv cvc authorization "
    "verifier assertion"
)
"""Each name above holds one of these, in lower case."""

_MARKS: Final = tuple(MARKS)

_END_OF_MARKS: Final = len(_CORES) + len(_MARKS)

_INNOCENT: Final = _words(
    "author passed passes passing passenger passive compass bypass author side inside outside beside reside consider "
    "design designer designed signal signed signer assign keyboard monkey session_state sessionstate"
)
"""Words of many conversations that hold a core, found instead of it: to judge each would double the cost of a text."""
