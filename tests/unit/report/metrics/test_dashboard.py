"""The dashboard in examples/grafana: its expressions name what a load exports, and its panels lie side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from antiphon.report.metrics.families import FAMILIES

PATH = Path(__file__).parents[4] / "examples" / "grafana" / "antiphon-load.json"


PAGE = Path(__file__).parents[4] / "docs" / "WATCHING_A_LOAD.md"


@pytest.fixture(scope="module")
def dashboard() -> Any:
    return json.loads(PATH.read_text())


def expressions(dashboard: Any) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for variable in dashboard["templating"]["list"]:
        yield variable["query"]["query"] if variable["type"] == "query" else ""


def test_expressions_name_metrics_and_labels_that_there_are(dashboard: Any) -> None:
    labels = {name: {*family.labels, "instance", "le"} for family in FAMILIES for name in family.exposed_names}
    for expression in expressions(dashboard):
        for name, chosen in re.findall(r"(antiphon_\w+)(?:\{(.*?)\})?", expression):
            assert name in labels, expression
            assert {*re.findall(r"(\w+)=~?\"", chosen)} <= labels[name], expression
    told = " ".join(expressions(dashboard))
    assert all(any(name in told for name in family.exposed_names) for family in FAMILIES)


def test_the_page_names_all_metrics_with_their_labels() -> None:
    rows = [line.split("|")[1:3] for line in PAGE.read_text().splitlines() if line.startswith("| `antiphon_")]
    told = {name: labels.strip() for names, labels in rows for name in re.findall(r"antiphon_\w+", names)}
    expected = {}
    for family in FAMILIES:
        suffix = "_total" if family.kind == "counter" else ""
        expected[family.prometheus_name + suffix] = ", ".join(family.labels)
    assert told == expected


def test_variables_are_those_that_there_are(dashboard: Any) -> None:
    known = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = {*re.findall(r"\$\{?(\w+)", json.dumps(dashboard["panels"]))}
    assert used == known | {"__rate_interval"}


def test_panels_fill_the_grid_and_do_not_overlap(dashboard: Any) -> None:
    cells = [
        {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        for at in (panel["gridPos"] for panel in dashboard["panels"])
    ]
    assert not any(one & other for one, other in combinations(cells, 2))
    taken = set().union(*cells)
    assert taken == {(x, y) for x in range(24) for y in range(max(y for _, y in taken) + 1)}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len({*ids})


def test_each_query_can_be_told_from_the_others(dashboard: Any) -> None:
    assert dashboard["schemaVersion"] >= 39
    assert dashboard["uid"]
    for panel in dashboard["panels"]:
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len({*references}), panel["title"]
