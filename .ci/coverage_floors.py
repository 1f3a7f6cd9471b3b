"""How many of a hundred lines and branches of each package the tests must reach: `coverage_floors.py REPORT.json`.

A floor is raised when the figure has risen, and is never lowered. What runs in processes that are killed is not
counted, and that differs a little from run to run: so the floors, but for those at 100, are a point or two below what
is measured.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parents[1] / "src"
FLOORS = {
    "antiphon": 98,  # what lies in no package: errors, and the names that are imported when they are used
    "antiphon.actor": 94,
    "antiphon.cli": 94,
    "antiphon.conversation": 100,
    "antiphon.dialect": 100,
    "antiphon.journal": 97,
    "antiphon.load": 93,
    "antiphon.pytest": 95,
    "antiphon.report": 96,
    "antiphon.runtime": 97,
    "antiphon.scenarios": 97,
    "antiphon.stand": 92,
    "antiphon.testing": 96,
    "antiphon.transport": 96,
    "antiphon_testbed": 97,
}
ELSEWHERE = 90
MAY_RISE_BY = 3


def package_of(file: str) -> str:
    """`antiphon.actor` of `src/antiphon/actor/channel.py`."""
    folders = Path(file).resolve().relative_to(SOURCES).parts[:-1]
    return ".".join(folders[: 1 if folders[0] == "antiphon_testbed" else 2])


def percentages(report: dict[str, Any]) -> dict[str, float]:
    """Of each package: how many of a hundred lines and branches were reached, as coverage counts them."""
    reached: defaultdict[str, int] = defaultdict(int)
    possible: defaultdict[str, int] = defaultdict(int)
    for file, found in report["files"].items():
        package, figures = package_of(file), found["summary"]
        reached[package] += figures["covered_lines"] + figures["covered_branches"]
        possible[package] += figures["num_statements"] + figures["num_branches"]
    return {package: 100 * reached[package] / possible[package] for package in sorted(possible)}


def missing(report: dict[str, Any], package: str) -> list[str]:
    """Where the package falls short of its floor: a line for each file."""
    return [
        f"    {file}: lines {found['missing_lines']}, branches {found['missing_branches']}"
        for file, found in report["files"].items()
        if package_of(file) == package and (found["missing_lines"] or found["missing_branches"])
    ]


def main(report_path: str) -> int:
    report = json.loads(Path(report_path).read_text(encoding="utf-8"))
    # An example that the testbed links to is imported by a name of ours, and is no source of ours.
    report["files"] = {
        file: found for file, found in report["files"].items() if Path(file).resolve().is_relative_to(SOURCES)
    }
    found = percentages(report)
    code = 0
    for package, reached in found.items():
        floor = FLOORS.get(package, ELSEWHERE)
        print(f"{package:<24} {reached:6.2f} %   floor {floor}")
        if reached < floor:
            print(*missing(report, package), sep="\n")
            code = 1
        elif floor < 100 and reached >= floor + MAY_RISE_BY:
            print(f"    its floor can rise to {int(reached) - 1}")
    for package in sorted(FLOORS.keys() - found.keys()):
        print(f"{package} has a floor, and was not measured")
        code = 1
    print(f"{'all':<24} {report['totals']['percent_covered']:6.2f} %")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
