"""Values that must not be seen, wherever they stand and however they are written."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from antiphon.journal.masking.automaton import word_finder
from antiphon.journal.masking.spellings import encoded_forms, escape_anchor, plain_forms, readings

__all__ = ["KnownSecrets"]

Span = tuple[int, int]


class KnownSecrets:
    """A set of secrets, each of at least 6 characters, and how to find them in a text.

    The time that a text takes is linear in it, whatever is known. A secret that is new costs a few automata now and
    then: they are made of 1, 2, 4, … secrets, as a binary counter grows, when the next text is to be masked; a run
    that writes nothing makes none. What `…` has left of a secret is found too. `most` bounds what is remembered; then
    the one that was not seen for longest is forgotten.
    """

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._secrets: dict[str, None] = {}
        self._new: dict[str, None] = {}
        self._groups: list[_Group] = []
        self._forgotten = 0

    def __len__(self) -> int:
        return len(self._secrets)

    def add(self, secret: str) -> bool:
        """Find this secret from now on; one that is known counts as seen again. True for one that is new."""
        is_new = secret not in self._secrets
        if is_new:
            self._new[secret] = None
        else:
            del self._secrets[secret]
        self._secrets[secret] = None
        if len(self._secrets) > self.most:
            self._forget(next(iter(self._secrets)))
        return is_new

    def _forget(self, secret: str) -> None:
        del self._secrets[secret]
        if secret in self._new:  # a run that writes nothing keeps no more than others
            del self._new[secret]
        else:
            self._forgotten += 1

    def mask(self, text: str, mask: str) -> str:
        """The text with `mask` in the place of every secret; the text itself if it holds none."""
        if not self._secrets or len(text) < SHORTEST:
            return text
        if self._new or self._forgotten:
            self._regroup()
        found: list[Span] = []
        for group in self._groups:
            found += group.find(text)
        return _replace(text, found, mask) if found else text

    def _regroup(self) -> None:
        """Put the new secrets into a group, with all groups that are not greater; each so moves log2(n) times."""
        known = self._secrets
        if self._forgotten > len(known) // 64:  # the forgotten are masked until then, and this costs little
            secrets, self._groups, self._forgotten = list(known), [], 0
        else:
            secrets = list(self._new)
            while self._groups and len(self._groups[-1].secrets) <= len(secrets):
                # As a binary counter carries: so few automata are made, and few are asked.
                secrets += [secret for secret in self._groups.pop().secrets if secret in known]
        self._new = {}
        if secrets:
            self._groups.append(_Group(secrets))


class _Group:
    """Some secrets, with an automaton of their forms."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets = secrets
        plain = list({form for secret in secrets for form in plain_forms(secret)})
        self._plain = len(plain)
        self._forms = plain + list({form for secret in secrets for form in encoded_forms(secret)})
        self._longest = max(map(len, self._forms))
        self._find = word_finder(self._forms)
        # A text is read for its escapes only if it has what no escaping can change: most texts have a backslash or a %,
        # and few a secret.
        anchors = {anchor for secret in secrets if (anchor := escape_anchor(secret)) is not None}
        self._is_escapable = bool(anchors)
        self._anchors = () if "" in anchors or len(anchors) > MOST_ANCHORS else tuple(anchors)

    def find(self, text: str) -> Iterable[Span]:
        """Where secrets stand in the text, in any order; what overlaps is found whole."""
        found = self._find_plainly(text)
        is_escaped = ("\\" in text or "%" in text or "&" in text) and self._may_be_escaped_in(text)
        if is_escaped or "\x00" in text:
            for reading in readings(text, is_escaped):
                found += [reading.place(start, stop) for start, stop in self._find_plainly(reading.text)]
        return found

    def _may_be_escaped_in(self, text: str) -> bool:
        if self._is_escapable and (not self._anchors or any(anchor in text for anchor in self._anchors)):
            return True
        return _ESCAPED_ZERO.search(text) is not None  # UTF-16 as Python or JSON shows it: no part of a secret is whole

    def _find_plainly(self, text: str) -> list[Span]:
        found: list[Span] = []
        matches = self._find(text)
        if matches:
            effort = [MOST_EFFORT * len(text)]
            for form, start, stop in matches:
                stop = self._reach(text, start, stop, effort)
                if form >= self._plain:
                    stop = max(stop, _WORD.match(text, stop).end())  # type: ignore[union-attr] # it fits anything
                found.append((start, stop))
        if "…" in text:
            # Here, and not where texts are cut: what was cut before a secret was learnt is found, too.
            found += self._find_cut(text)
        return found

    def _reach(self, text: str, start: int, stop: int, effort: list[int]) -> int:
        """Where the secrets end that overlap with the one from `start` to `stop`.

        The automaton tells of matches that do not overlap: all of them could be more than anybody can wait for, as in
        "aaaaaaaa…" if "aaaaaa", "aaaaaaa", … are known. Such a text is masked to its end once it has cost too much.
        """
        begin = start + 1
        while begin < stop:
            window = text[begin : stop + self._longest - 1]
            effort[0] -= len(window)
            if effort[0] < 0:
                return len(text)
            matches = self._find(window)
            if not matches or begin + matches[0][1] >= stop:
                break
            _, first, last = matches[0]
            stop = max(stop, begin + last)
            begin += first + 1
        return stop

    # -- cut by an ellipsis -------------------------------------------------------------------------------------------

    def _find_cut(self, text: str) -> Iterator[Span]:
        """The first characters of a secret before an ellipsis, or the last after it: our own texts are cut so."""
        for _, cut in zip(range(MOST_CUTS), re.finditer("…", text), strict=False):
            stop, start = cut.start(), cut.end()
            before = self._beginnings.at_the_end_of(text[max(0, stop - LONGEST_STUMP) : stop])
            if before:
                yield stop - before, stop
            after = self._endings.at_the_end_of(text[start : start + LONGEST_STUMP][::-1])
            if after:
                yield start, start + after

    @cached_property
    def _beginnings(self) -> _Beginnings:
        return _Beginnings(self._forms)

    @cached_property
    def _endings(self) -> _Beginnings:
        return _Beginnings([form[::-1] for form in self._forms])


class _Beginnings:
    """How some texts begin: those that begin like another text are next to it in their order."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = sorted(text[:LONGEST_STUMP] for text in texts)
        self._stumps = {text[:SHORTEST_STUMP] for text in self._texts}

    def at_the_end_of(self, text: str) -> int:
        """How many characters at the end of this text are how one of them begins; 0 if there are too few."""
        stumps = self._stumps
        for begin in range(len(text) - SHORTEST_STUMP + 1):
            if text[begin : begin + SHORTEST_STUMP] in stumps and self._have(text[begin:]):
                return len(text) - begin
        return 0

    def _have(self, beginning: str) -> bool:
        place = bisect_left(self._texts, beginning)
        return place < len(self._texts) and self._texts[place].startswith(beginning)


def _replace(text: str, spans: Iterable[Span], mask: str) -> str:
    """The text with one mask for each span, and for those that overlap."""
    kept: list[str] = []
    done = 0
    for start, stop in sorted(spans):
        if start >= done:
            kept += (text[done:start], mask)
        done = max(done, stop)
    return "".join((*kept, text[done:]))


SHORTEST: Final = 6
"""No form of a secret has fewer characters."""

SHORTEST_STUMP: Final = 4
"""What is left of a secret at a cut is masked from so many characters on: fewer begin half of all words."""

LONGEST_STUMP: Final = 200
"""Our own texts keep no more of what they cut."""

MOST_CUTS: Final = 100
"""So many cuts of one text are looked at: our own texts have a few."""

MOST_ANCHORS: Final = 16
"""More would take longer to look for than the escapes take to be read."""

MOST_EFFORT: Final = 64
"""So many times its length a text with secrets is looked through for those that overlap."""

_ESCAPED_ZERO: Final = re.compile(r"\\(?:x00|u0000)|%00")
_WORD: Final = re.compile(r"[A-Za-z0-9+/_=-]*")
