"""A page without its data in it: one document made of files in `static`, which needs nothing from elsewhere.

Its content security policy lets exactly our scripts and our style sheet run, by their hashes, and forbids every request
(https://www.w3.org/TR/CSP3/), so whatever a peer said cannot do anything in it.
"""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files

__all__ = ["harmless_json", "page"]


@cache  # they do not change while the process lives, and a test session writes thousands of traces
def page(document: str, styles: tuple[str, ...], scripts: tuple[str, ...]) -> tuple[str, str, str]:
    """The text before the page's title, between the title and its data, and behind the data.

    `document` is the file with the markup; the files with style sheets and scripts are put into it in their order.
    """
    style = "".join(map(_static, styles))
    texts = [_static(name) for name in scripts]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, texts))}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    text = _static(document)
    text = text.replace("@POLICY@", policy).replace("@STYLE@", style)
    text = text.replace("@SCRIPTS@", "\n".join(f"<script>{script}</script>" for script in texts))
    before_title, rest = text.split("@TITLE@")
    before_data, after_data = rest.split("@DATA@")
    return before_title, before_data, after_data


def harmless_json(data: bytes) -> str:
    """JSON as it may stand in an element of the page that holds a script.

    In JSON `<` stands in strings only, where it may be written otherwise; without it nothing in such an element can end
    the element, or begin a comment (https://html.spec.whatwg.org/ section 4.12.1.3).
    """
    return data.replace(b"<", b"\\u003c").decode("utf-8", "replace")


def _static(name: str) -> str:
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
