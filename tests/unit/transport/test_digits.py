"""Digits are read as just those digits."""

from __future__ import annotations

import pytest

from antiphon.transport.digits import LARGEST, read_digits


@pytest.mark.parametrize(
    ("text", "base", "number"),
    [("0", 10, 0), ("007", 10, 7), ("0" * 5000 + "1", 10, 1), ("fF", 16, 255), (str(LARGEST), 10, LARGEST)],
)
def test_numbers(text: str, base: int, number: int) -> None:
    assert read_digits(text, base=base) == number


@pytest.mark.parametrize(
    "text",
    ["", "-6", "+5", "1_0", "0x5", " 5", "5 ", "5\n", "٥", "５", "²", "5.0", "1e3", str(LARGEST + 1), "9" * 5000],
)
@pytest.mark.parametrize("base", [10, 16])
def test_what_is_no_number(text: str, base: int) -> None:
    if base == 16 and text == "1e3":
        return
    with pytest.raises(ValueError, match=r"digits only|is more than") as caught:
        read_digits(text, base=base)
    assert len(str(caught.value)) < 100


def test_a_bound_of_its_own() -> None:
    assert read_digits("65535", largest=65535) == 65535
    with pytest.raises(ValueError, match="'65536' is more than 65535"):
        read_digits("65536", largest=65535)
