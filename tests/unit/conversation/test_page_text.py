"""The words of a page of HTML."""

from __future__ import annotations

import pytest

from antiphon.conversation.page_text import page_text


@pytest.mark.parametrize(
    ("html", "words"),
    [
        (
            "<html><head><title>403</title></head><body><h1>No</h1> <p>members  only</p></body></html>",
            "No members only",
        ),
        ("<title>403 Forbidden</title><script>x()</script>", "403 Forbidden"),
        ("no page", "no page"),
        ("<p>one</script></style> two", "one two"),
    ],
)
def test_the_words_that_it_shows(html: str, words: str) -> None:
    assert page_text(html) == words
