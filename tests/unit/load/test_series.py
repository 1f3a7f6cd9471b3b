"""The series of a part, and their figures."""

from __future__ import annotations

import pytest

from antiphon.journal.histogram import Histogram
from antiphon.load.series import PartSeries, Series, name_of_request


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8080/login", "POST /login"),
        ("http://h/calls/890/record?at=5", "POST /calls/*/record"),
        ("http://h/api/v2/users/6ba7b810-9dad-11d1-80b4-00c04fd430c8", "POST /api/v2/users/*"),
        ("http://h/files/deadbeefcafe", "POST /files/*"),
        ("http://h", "POST /"),
        ("http://h/" + "x" * 50, "POST /*"),
    ],
)
def test_of_a_request_what_looks_like_an_id_is_left_out(url: str, name: str) -> None:
    assert name_of_request("POST", url) == name


def test_figures_are_exact_beside_the_histogram_and_given_once() -> None:
    series = Series("step")
    series.durations_us += [10, 10, 3_000_001]
    series.split_us["call"] = 3_000_000
    series.errors = 1
    figures = series.figures()
    assert (figures.count, figures.errors) == (3, 1)
    assert (figures.min_us, figures.max_us, figures.sum_us) == (10, 3_000_001, 3_000_021)
    assert figures.split == {"call": 3_000_000, "": 21}
    histogram = Histogram.of(3, 10, 3_000_001, 3_000_021, figures.blob)
    assert histogram.percentile(50) == 10
    assert (series.durations_us, series.split_us, series.errors) == ([], {}, 0)


def test_only_what_was_measured_is_told() -> None:
    part = PartSeries("calls")
    part.series("timer", "delivery").durations_us.append(5)
    part.series("timer", "never")
    assert list(part.figures()) == ["calls/delivery"]
    assert part.figures() == {}
