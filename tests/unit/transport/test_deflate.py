"""permessage-deflate (RFC 7692): its negotiation, both halves, and that it never makes more than it may."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.transport.websocket import deflate
from antiphon.transport.websocket.deflate import Deflater, Inflater, Terms, accept_terms, answer_offers
from antiphon.transport.websocket.rfc6455 import BINARY, CONTINUATION, TEXT, Assembly, Violation

NAME = "permessage-deflate"

TERMS = st.builds(
    Terms,
    send_window_bits=st.integers(9, 15),
    receive_window_bits=st.just(15),
    keeps_send_context=st.booleans(),
    keeps_receive_context=st.booleans(),
)


def inflate(inflater: Inflater, payload: bytes, limit_bytes: int = 1_000_000) -> bytes:
    return inflater.inflate(payload, is_final=True, limit_bytes=limit_bytes)


def mirrored(terms: Terms) -> Terms:
    """The same agreement from the other side."""
    return Terms(
        send_window_bits=terms.receive_window_bits,
        receive_window_bits=terms.send_window_bits,
        keeps_send_context=terms.keeps_receive_context,
        keeps_receive_context=terms.keeps_send_context,
    )


class CountingZlib:
    """zlib, with the bytes counted that it is given and that it gives back unused."""

    error = zlib.error

    def __init__(self) -> None:
        self.work_bytes = 0

    def decompressobj(self, **options: Any) -> Any:
        return CountingStream(self, zlib.decompressobj(**options))


class CountingStream:
    def __init__(self, counts: CountingZlib, stream: Any) -> None:
        self._counts = counts
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def decompress(self, data: bytes, limit_bytes: int) -> bytes:
        said: bytes = self._stream.decompress(data, limit_bytes)
        self._counts.work_bytes += len(data) + len(self._stream.unused_data)
        return said


def memory_of(work: Callable[[], object]) -> int:
    """How many bytes more are in use after `work` than before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


class TestCost:
    @pytest.mark.parametrize("block", [b"\x03\x00", b"\x01\x00\x00\xff\xff", b"\x4b\x04\x00"])
    def test_many_last_blocks_cost_what_they_are_long(self, monkeypatch: pytest.MonkeyPatch, block: bytes) -> None:
        counts = CountingZlib()
        monkeypatch.setattr(deflate, "zlib", counts)
        inflate(Inflater(Terms()), block * 5_000 + b"\x00")
        assert counts.work_bytes <= 3 * deflate.SMALLEST_PIECE_BYTES * 5_000

    def test_a_long_rest_behind_a_last_block_is_not_read_in_small_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counts = CountingZlib()
        rest = Deflater(Terms()).deflate(Random(7).randbytes(500_000))
        monkeypatch.setattr(deflate, "zlib", counts)
        assert len(inflate(Inflater(Terms()), b"\x03\x00" + rest)) == 500_000
        assert counts.work_bytes <= 4 * len(rest)

    @pytest.mark.parametrize("message", [b"", b"x"])
    def test_many_small_messages_leave_no_more_than_two_windows(self, message: bytes) -> None:
        deflater, inflater = Deflater(Terms()), Inflater(Terms())
        payloads = [deflater.deflate(message) for _ in range(20_000)]
        inflate(inflater, payloads[0])  # zlib's own memory
        used_bytes = memory_of(lambda: [inflate(inflater, payload) for payload in payloads[1:]] and None)
        assert used_bytes < (3 * deflate.WINDOW_BYTES if message else 1000)

    @pytest.mark.parametrize("kind", [TEXT, BINARY])
    def test_empty_fragments_leave_nothing(self, kind: int) -> None:
        machine = Assembly(1000)
        machine.take(kind, False, 0, b"a")

        def go_on() -> None:
            for _ in range(20_000):
                machine.take(CONTINUATION, False, 0, b"")

        assert memory_of(go_on) < 1000
        assert machine.take(CONTINUATION, True, 0, b"b") in ("ab", b"ab")

    def test_fragments_of_one_byte_take_what_they_are_long(self) -> None:
        machine = Assembly(100_000)
        machine.take(BINARY, False, 0, b"")

        def go_on() -> None:
            for number in range(50_000):
                machine.take(CONTINUATION, False, 0, bytes([number & 0xFF]))

        assert memory_of(go_on) < 2 * 50_000


class TestHalves:
    @given(terms=TERMS, messages=st.lists(st.binary(max_size=3000), max_size=6), cut=st.integers(0, 3000))
    def test_what_one_side_deflates_the_other_inflates(self, terms: Terms, messages: list[bytes], cut: int) -> None:
        deflater, inflater = Deflater(terms), Inflater(mirrored(terms))
        for message in messages:
            payload = deflater.deflate(message)
            first = inflater.inflate(payload[:cut], is_final=False, limit_bytes=10_000)
            second = inflater.inflate(payload[cut:], is_final=True, limit_bytes=10_000 - len(first))
            assert first + second == message

    def test_the_context_is_kept_only_if_both_agreed(self) -> None:
        message = bytes(range(256)) * 4
        keeping, forgetting = Deflater(Terms()), Deflater(Terms(keeps_send_context=False))
        first, second = keeping.deflate(message), keeping.deflate(message)
        assert len(second) < len(first) / 10
        assert forgetting.deflate(message) == forgetting.deflate(message) == first

    def test_the_examples_of_the_rfc(self) -> None:
        """Section 7.2.3: one message in several forms."""
        hello = bytes.fromhex("f248cdc9c90700")
        assert inflate(Inflater(Terms()), hello) == b"Hello"
        inflater = Inflater(Terms())
        assert inflate(inflater, hello) == b"Hello"
        assert inflate(inflater, bytes.fromhex("f200110000")) == b"Hello"  # with the context of the first
        assert inflate(Inflater(Terms()), bytes.fromhex("000500faff48656c6c6f00")) == b"Hello"  # not compressed
        assert inflate(Inflater(Terms()), bytes.fromhex("f24805000000ffffcac9c90700")) == b"Hello"  # in two blocks
        assert Deflater(Terms()).deflate(b"Hello") == hello

    def test_a_last_block_does_not_end_the_connection(self) -> None:
        """Section 7.2.3.4: a block may call itself the last; what came before is still the context."""
        inflater = Inflater(Terms())
        final = bytes.fromhex("f348cdc9c9070000")
        assert inflate(inflater, final) == b"Hello"
        assert inflate(inflater, bytes.fromhex("f200110000")) == b"Hello"
        assert inflate(inflater, final) == b"Hello"

    def test_the_context_reaches_back_over_a_last_block_and_many_messages(self) -> None:
        random = Random(7)
        messages = [random.randbytes(size) for size in (40_000, 10, 1000, 0, 20_000, 9_000)]
        inflater, said = Inflater(Terms()), b""
        for message in messages:
            # A compressor that ends each message with a last block, and refers to what was said before it.
            stream = zlib.compressobj(wbits=-15, zdict=said[-32768:])
            payload = stream.compress(message + said[-20_000:]) + stream.flush(zlib.Z_FINISH) + b"\x00"
            assert inflate(inflater, payload) == message + said[-20_000:]
            said += message + said[-20_000:]

    def test_the_empty_message(self) -> None:
        assert Deflater(Terms()).deflate(b"") == b"\x00"
        assert inflate(Inflater(Terms()), b"\x00") == b""

    def test_what_is_no_deflate(self) -> None:
        with pytest.raises(Violation, match="not deflate") as caught:
            inflate(Inflater(Terms()), b"\xff\xff\xff\xff")
        assert caught.value.code == 1007

    def test_a_bomb_is_not_blown_up(self) -> None:
        stream = zlib.compressobj(wbits=-15)
        bomb = stream.compress(b"\x00" * 10_000_000) + stream.flush(zlib.Z_SYNC_FLUSH)
        with pytest.raises(Violation, match="inflates to more than 65536 bytes") as caught:
            inflate(Inflater(Terms()), bomb.removesuffix(b"\x00\x00\xff\xff"), limit_bytes=65536)
        assert caught.value.code == 1009

    def test_a_message_as_large_as_the_limit(self) -> None:
        payload = Deflater(Terms()).deflate(b"x" * 5000)
        assert len(inflate(Inflater(Terms()), payload, limit_bytes=5000)) == 5000
        with pytest.raises(Violation, match="more than 4999"):
            inflate(Inflater(Terms()), payload, limit_bytes=4999)

    def test_a_window_that_zlib_cannot_write(self) -> None:
        assert not Deflater(Terms(send_window_bits=8)).is_able
        assert Deflater(Terms(send_window_bits=9)).is_able


class TestAssembly:
    def test_a_compressed_message_in_fragments(self) -> None:
        payload = Deflater(Terms()).deflate("grüß dich".encode())
        machine = Assembly(1000, Inflater(Terms()))
        assert machine.take(TEXT, False, 4, payload[:3]) is None
        assert machine.take(CONTINUATION, False, 0, payload[3:5]) is None
        assert machine.take(CONTINUATION, True, 0, payload[5:]) == "grüß dich"

    def test_a_plain_message_between_compressed_ones(self) -> None:
        deflater, machine = Deflater(Terms()), Assembly(1000, Inflater(Terms()))
        assert machine.take(TEXT, True, 4, deflater.deflate(b"one")) == "one"
        assert machine.take(TEXT, True, 0, b"two") == "two"
        assert machine.take(TEXT, True, 4, deflater.deflate(b"one")) == "one"

    def test_only_the_first_frame_says_that_it_is_compressed(self) -> None:
        payload = Deflater(Terms()).deflate(b"hello hello")
        machine = Assembly(1000, Inflater(Terms()))
        machine.take(TEXT, False, 4, payload[:3])
        with pytest.raises(Violation, match="RSV1"):
            machine.take(CONTINUATION, True, 4, payload[3:])

    def test_the_other_bits_stay_reserved(self) -> None:
        with pytest.raises(Violation, match="RSV2"):
            Assembly(1000, Inflater(Terms())).take(TEXT, True, 6, b"")

    def test_the_limit_counts_what_was_inflated(self) -> None:
        payload = Deflater(Terms()).deflate(b"x" * 2000)
        assert len(payload) < 100
        machine = Assembly(1000, Inflater(Terms()))
        with pytest.raises(Violation, match="more than 1000") as caught:
            machine.take(TEXT, True, 4, payload)
        assert caught.value.code == 1009


class TestClientTerms:
    def test_a_bare_answer(self) -> None:
        assert accept_terms({}) == Terms()

    def test_everything_at_once(self) -> None:
        terms = accept_terms(
            {
                "server_no_context_takeover": None,
                "client_no_context_takeover": None,
                "server_max_window_bits": "10",
                "client_max_window_bits": "9",
            }
        )
        assert terms == Terms(
            send_window_bits=9, receive_window_bits=10, keeps_send_context=False, keeps_receive_context=False
        )

    @pytest.mark.parametrize(
        "parameters",
        [
            {"wings": None},
            {"server_no_context_takeover": "1"},
            {"server_max_window_bits": "7"},
            {"server_max_window_bits": "16"},
            {"server_max_window_bits": "08"},
            {"client_max_window_bits": None},
        ],
    )
    def test_answers_that_are_not_in_order(self, parameters: dict[str, str | None]) -> None:
        with pytest.raises(ValueError, match=r"wings|takes no value|no window"):
            accept_terms(parameters)


class TestServerAnswers:
    def test_no_offer(self) -> None:
        assert answer_offers([]) is None
        assert answer_offers([("x-webkit-deflate-frame", {})]) is None

    def test_a_browser(self) -> None:
        assert answer_offers([(NAME, {"client_max_window_bits": None})]) == (NAME, Terms())

    def test_what_the_client_asks_of_us_is_promised_back(self) -> None:
        offer = {
            "server_no_context_takeover": None,
            "client_no_context_takeover": None,
            "server_max_window_bits": "10",
            "client_max_window_bits": "12",
        }
        agreed = answer_offers([(NAME, offer)])
        assert agreed == (
            f"{NAME}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
            Terms(send_window_bits=10, keeps_send_context=False, keeps_receive_context=False),
        )

    def test_the_first_offer_that_can_be_kept(self) -> None:
        offers = [
            (NAME, {"server_max_window_bits": "8"}),  # zlib cannot
            (NAME, {"server_max_window_bits": None}),  # not in order
            (NAME, {"wings": None}),
            (NAME, {"server_max_window_bits": "11"}),
            (NAME, {}),
        ]
        agreed = answer_offers(offers)
        assert agreed is not None
        assert agreed[0] == f"{NAME}; server_max_window_bits=11"
        assert answer_offers(offers[:3]) is None

    def test_what_was_answered_is_what_a_client_understands(self) -> None:
        agreed = answer_offers([(NAME, {"server_max_window_bits": "10", "client_no_context_takeover": None})])
        assert agreed is not None
        name, *parameters = agreed[0].split("; ")
        assert name == NAME
        pairs = (parameter.partition("=") for parameter in parameters)
        assert accept_terms({key: value if sign else None for key, sign, value in pairs}) == mirrored(agreed[1])
