"""The trace's page without a run in it: one document made of the files in `static`, which needs nothing from elsewhere.

Its content security policy lets exactly our scripts and our style sheet run, by their hashes, and forbids every request
(https://www.w3.org/TR/CSP3/), so whatever a peer said cannot do anything in it.
"""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

__all__ = ["page"]

_SCRIPTS: Final = (
    "words.js",
    "json.js",
    "waits.js",
    "journal.js",
    "correlation.js",
    "diagram.js",
    "rows.js",
    "body.js",
    "details.js",
    "filters.js",
    "trace.js",
)
"""In the order in which they are run."""


@cache  # they do not change while the process lives, and a test session writes thousands of traces
def page() -> tuple[str, str, str]:
    """The page's text before its title, between the title and the journal, and behind the journal."""
    style = _static("trace.css")
    scripts = [_static(name) for name in _SCRIPTS]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    text = _static("trace.html")
    text = text.replace("@POLICY@", policy).replace("@STYLE@", style)
    text = text.replace("@SCRIPTS@", "\n".join(f"<script>{script}</script>" for script in scripts))
    before_title, rest = text.split("@TITLE@")
    before_journal, after_journal = rest.split("@JOURNAL@")
    return before_title, before_journal, after_journal


def _static(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
