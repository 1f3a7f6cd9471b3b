"""Secrets that are known by their shape, whatever is around them.

The password in a URL (`postgres://bob:pa/ss@host`), JSON Web Tokens, and private keys as PEM writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["find_shapes"]


def find_shapes(text: str) -> Iterator[tuple[int, int]]:
    """Where such secrets stand in a text, in order."""
    patterns: list[re.Pattern[str]] = []
    if "@" in text and "/" in text:
        patterns.append(_PASSWORD_OF_URL)
    if "eyJ" in text:
        patterns.append(_WEB_TOKEN)
    if "PRIVATE KEY" in text:
        patterns.append(_PRIVATE_KEY)
    if not patterns:
        return
    done = 0
    for start, stop in sorted(found.span("secret") for pattern in patterns for found in pattern.finditer(text)):
        if start >= done:
            yield start, stop
            done = stop


_PASSWORD_OF_URL: Final = re.compile(
    r"""(?x)
    : (?:\\?/){2} (?:
        (?= [A-Za-z0-9_-]{20,256}+ (?: : | :x-oauth-basic )? @ )  # a token where the user's name should be
      | [^\s/@:"'\\<>\[]{0,256}+ : (?! [0-9]{1,5}+ (?: \\?/ | [?\#] ) )
    )
    (?P<secret> (?: (?! : (?:\\?/){2} ) [^\s"'\\<>] | \\/ ){1,512}? )
    (?= @ [^\s/@"'\\<>]{0,255}+ (?: [/?\#\s"'\\<>] | \Z ) )
    """
)
"""RFC 3986, section 3.2.1. What people write is wider: a `/` or `@` of the password that is not escaped. A port and a
path with an `@` look alike; digits before the first `/` are a port."""

_WEB_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?P<secret>eyJ[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]*+){1,3}+)"
)
"""RFC 7519, section 3: parts in base64url with dots between them, the first one an object in JSON; two of them are
signed, four more are encrypted (RFC 7516, section 3.1)."""

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<secret>.*?)(?:(?=-----END )|\Z)", re.DOTALL
)
"""RFC 7468, section 10; a block that was cut goes on to the end of the text."""
