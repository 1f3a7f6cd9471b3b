"""Which operation of a GraphQL document is meant."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.dialect.graphql_document import is_subscription


@pytest.mark.parametrize(
    "query",
    [
        "subscription { ticks }",
        "subscription{ticks}",
        "  # query { no }\n subscription Ticks($to: Int = 3) @live(if: true) { ticks(to: $to) }",
        "fragment query on Tick { n } subscription { ticks { ...query } }",
        'subscription { ticks(of: "} query { a") }',
    ],
)
def test_subscriptions(query: str) -> None:
    assert is_subscription({"query": query})


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{ subscription }",
        "query { subscription }",
        "mutation subscription { a }",
        "query($a: [Int!] = [1]) { a }",
        "# subscription { a }",
        '"subscription"',
        '{ a(b: """ \\""" } subscription { """) }',
        "fragment subscription on A { a }",
        "}}} query { a }",
        5,
    ],
)
def test_others(query: Any) -> None:
    assert not is_subscription({"query": query})


def test_the_one_that_is_named() -> None:
    query = "query A { a } subscription B { b } mutation C { c }"
    found = {name: is_subscription({"query": query, "operationName": name}) for name in ("A", "B", "C", "D", "", None)}
    assert found == {"A": False, "B": True, "C": False, "D": False, "": False, None: False}


def test_a_payload_without_a_query() -> None:
    assert not is_subscription({})
