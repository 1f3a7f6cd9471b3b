"""The rules of RFC 6455 for frames, messages and close codes, without a wire."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.transport.websocket.rfc6455 import (
    BINARY,
    CONTINUATION,
    TEXT,
    Assembly,
    Violation,
    accept_value,
    check_close,
    check_reserved,
    fit_reason,
    is_close_code,
    read_close,
    too_big,
)

LEGAL = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
ILLEGAL = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]


def assembly(max_size_bytes: int = 1000) -> Assembly:
    return Assembly(max_size_bytes)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data, cut at these places."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def take(machine: Assembly, opcode: int, payloads: list[bytes], reserved: int = 0) -> object:
    """Take a message in frames; gives what the last one completes."""
    result: object = None
    for number, payload in enumerate(payloads):
        assert result is None
        is_final = number == len(payloads) - 1
        result = machine.take(opcode if number == 0 else CONTINUATION, is_final, 0 if number else reserved, payload)
        assert machine.is_between == is_final
    return result


class TestMessages:
    @given(text=st.text(), cuts=st.lists(st.integers(0, 500), max_size=5))
    def test_text_comes_whole_however_it_was_cut(self, text: str, cuts: list[int]) -> None:
        assert take(assembly(10_000), TEXT, pieces(text.encode(), cuts)) == text

    @given(data=st.binary(), cuts=st.lists(st.integers(0, 500), max_size=5))
    def test_binary_comes_whole_however_it_was_cut(self, data: bytes, cuts: list[int]) -> None:
        assert take(assembly(10_000), BINARY, pieces(data, cuts)) == data

    def test_one_machine_takes_message_after_message(self) -> None:
        machine = assembly()
        assert take(machine, TEXT, [b"a", b"b"]) == "ab"
        assert take(machine, BINARY, [b"c", b""]) == b"c"
        assert take(machine, TEXT, [b""]) == ""
        assert take(machine, BINARY, [b"d"]) == b"d"

    def test_a_continuation_of_nothing(self) -> None:
        with pytest.raises(Violation, match="no message to continue") as caught:
            assembly().take(CONTINUATION, True, 0, b"x")
        assert caught.value.code == 1002

    @pytest.mark.parametrize("opcode", [TEXT, BINARY])
    def test_a_message_within_a_message(self, opcode: int) -> None:
        machine = assembly()
        machine.take(TEXT, False, 0, b"a")
        with pytest.raises(Violation, match="inside a fragmented one") as caught:
            machine.take(opcode, True, 0, b"b")
        assert caught.value.code == 1002

    @pytest.mark.parametrize(("reserved", "names"), [(4, "RSV1"), (2, "RSV2"), (1, "RSV3"), (3, "RSV2 and RSV3")])
    def test_reserved_bits(self, reserved: int, names: str) -> None:
        with pytest.raises(Violation, match=f"with {names} set") as caught:
            assembly().take(TEXT, True, reserved, b"a")
        assert caught.value.code == 1002
        machine = assembly()
        machine.take(BINARY, False, 0, b"a")
        with pytest.raises(Violation, match=names):
            machine.take(CONTINUATION, True, reserved, b"a")
        with pytest.raises(Violation, match=names):
            check_reserved(reserved)

    def test_text_that_is_not_utf8_fails_in_the_frame_where_it_goes_wrong(self) -> None:
        machine = assembly()
        machine.take(TEXT, False, 0, b"fine \xce")  # half a letter may still be completed
        machine.take(CONTINUATION, False, 0, b"\xba fine")
        with pytest.raises(Violation, match="not UTF-8") as caught:
            machine.take(CONTINUATION, False, 0, b"\xed\xa0\x80")  # a surrogate
        assert caught.value.code == 1007

    @pytest.mark.parametrize("payload", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce"])
    def test_text_that_is_not_utf8(self, payload: bytes) -> None:
        with pytest.raises(Violation, match="not UTF-8"):
            assembly().take(TEXT, True, 0, payload)
        machine = assembly()
        machine.take(TEXT, False, 0, b"a")
        with pytest.raises(Violation, match="not UTF-8"):
            machine.take(CONTINUATION, True, 0, payload)

    def test_the_limit_is_for_the_whole_message(self) -> None:
        assert take(assembly(10), BINARY, [b"12345", b"67890"]) == b"1234567890"
        machine = assembly(10)
        machine.take(BINARY, False, 0, b"12345")
        with pytest.raises(Violation, match="more than 10 bytes; the limit is 10") as caught:
            machine.take(CONTINUATION, False, 0, b"678901")
        assert caught.value.code == 1009
        assert caught.value.hint == "raise max_size_bytes"

    def test_the_limit_begins_anew_with_each_message(self) -> None:
        machine = assembly(10)
        for _ in range(3):
            assert take(machine, BINARY, [b"12345", b"6789"]) == b"123456789"


class TestCloseCodes:
    @pytest.mark.parametrize("code", LEGAL)
    def test_codes_that_may_travel(self, code: int) -> None:
        assert is_close_code(code)
        check_close(code, "why")
        assert read_close(code.to_bytes(2, "big") + b"why") == (code, "why")

    @pytest.mark.parametrize("code", ILLEGAL)
    def test_codes_that_may_not(self, code: int) -> None:
        assert not is_close_code(code)
        with pytest.raises(ValueError, match="no close code that can be sent"):
            check_close(code, "")
        with pytest.raises(Violation, match=f"with the code {code}") as caught:
            read_close(code.to_bytes(2, "big"))
        assert caught.value.code == 1002

    def test_an_empty_close_has_code_1005(self) -> None:
        assert read_close(b"") == (1005, "")

    def test_half_a_code(self) -> None:
        with pytest.raises(Violation, match="half a close code") as caught:
            read_close(b"\x03")
        assert caught.value.code == 1002

    def test_a_reason_that_is_not_utf8(self) -> None:
        with pytest.raises(Violation, match="reason is not UTF-8") as caught:
            read_close(b"\x03\xe8\xff")
        assert caught.value.code == 1007

    def test_a_reason_must_fit_into_the_frame(self) -> None:
        check_close(1000, "ä" * 61 + "x")
        with pytest.raises(ValueError, match="124 bytes of UTF-8; 123 fit"):
            check_close(1000, "ä" * 62)
        with pytest.raises(ValueError, match="no UTF-8 form"):
            check_close(1000, "\ud800")

    def test_a_code_must_be_a_number(self) -> None:
        with pytest.raises(ValueError, match="no close code"):
            check_close("1000", "")  # type: ignore[arg-type]

    @given(st.text())
    def test_any_text_can_be_made_to_fit(self, text: str) -> None:
        fitted = fit_reason(text)
        check_close(1000, fitted)
        assert fitted == text or len(fitted.encode()) > 119


def test_a_violation_says_what_to_do() -> None:
    assert too_big("a frame of 20 bytes", 10).detail == "a frame of 20 bytes; the limit is 10: raise max_size_bytes"
    assert Violation(1002, "a bad frame").detail == "a bad frame"


def test_the_accept_value_of_the_rfc() -> None:
    """Section 1.3 has this key and this answer."""
    assert accept_value("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
