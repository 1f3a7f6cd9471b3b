"""An answer over HTTP, and what is read of it."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.conversation.http_response import HttpResponse
from antiphon.errors import FieldMissing


def response(body: Any, raw: bytes = b"", charset: str = "utf-8") -> HttpResponse:
    return HttpResponse(200, {}, {}, body, raw, charset)


def test_fields_of_the_body_are_read_from_it() -> None:
    answer = response({"token": "t", "none": None})
    assert (answer["token"], answer.get("token"), answer.get("none"), answer.get("x", 7)) == ("t", "t", None, 7)
    assert response([1, 2])[1] == 2
    assert response([1, 2]).get("x") is None


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"token": 1}, "its fields are 'token'"),
        ("busy", "its body is the text 'busy'"),
        ([], "its body is a list of 0"),
    ],
)
def test_a_field_that_is_missing_is_named_with_what_there_is(body: Any, hint: str) -> None:
    with pytest.raises(FieldMissing, match="the answer has no field 'id'") as failure:
        response(body)["id"]
    assert hint in str(failure.value)


def test_its_text_is_read_in_its_charset_and_what_cannot_be_read_is_replaced() -> None:
    assert response(b"", "grüß".encode("latin-1"), "latin-1").text == "grüß"
    assert response(b"", b"a\xff").text == "a\ufffd"
