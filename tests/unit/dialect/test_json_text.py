"""JSON as text: what somebody has written already. What cannot be written is tried with the dialects."""

from __future__ import annotations

import msgspec
import pytest

from antiphon.dialect.json_text import encode_json


@pytest.mark.parametrize("written", ['{"y":null}', '["NaN"]', "no JSON", "null"])
def test_what_is_written_already_is_sent_as_it_is(written: str) -> None:
    assert encode_json({"x": [msgspec.Raw(written.encode())], "y": None}) == f'{{"x":[{written}],"y":null}}'
