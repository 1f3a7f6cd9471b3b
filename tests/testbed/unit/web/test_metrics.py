"""The centre's metrics: what they count, and the text that Prometheus reads (exposition format 0.0.4)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from antiphon.conversation.ending import Ending
from antiphon_testbed.counters import Counters
from antiphon_testbed.records import Records
from antiphon_testbed.seed import Seed
from antiphon_testbed.users import Sessions, enrol
from antiphon_testbed.web.metrics import Family, Metrics

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.]+)')


def read(text: str) -> dict[str, float]:
    """The samples of an exposition, whose form is checked: each family once, with HELP and TYPE before its samples."""
    assert text.endswith("\n")
    samples: dict[str, float] = {}
    kinds: dict[str, str] = {}
    helped: list[str] = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.append(line.split(" ")[2])
            assert line.split(" ", 3)[3].endswith(".")
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert helped[-1] == name
            assert name not in kinds
            kinds[name] = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found is not None, line
            assert found[1] == helped[-1], "samples stand with their family"
            assert line.rpartition(" ")[0] not in samples
            samples[line.rpartition(" ")[0]] = float(found[3])
    assert all((kind == "counter") == name.endswith("_total") for name, kind in kinds.items())
    assert list(kinds) == helped
    return samples


@pytest.fixture
def metrics(hall: Any) -> Any:
    records = Records(None, 0)
    yield Metrics(hall.floor, Counters(), Sessions(enrol(None), Seed(7)), records)
    records.close()


def test_an_empty_centre(metrics: Any) -> None:
    samples = read(metrics.text())
    assert samples["contact_centre_desks"] == 0
    for gauge in ("waiting", "contacts", "free_places"):
        assert [samples[f'contact_centre_{gauge}{{channel="{name}"}}'] for name in ("voice", "chat", "task")] == [0] * 3
    assert samples['contact_centre_logins_total{result="success"}'] == 0
    assert any(name.startswith('contact_centre_info{version="') for name in samples)


def test_what_there_is_now(hall: Any, metrics: Any) -> None:
    hall.arrive("alice").connect()
    hall.arrive("bob")
    samples = read(metrics.text())
    assert samples["contact_centre_desks"] == 2
    assert samples['contact_centre_agents{state="notReady"}'] == 2
    assert samples['contact_centre_free_places{channel="voice"}'] == 1
    assert samples['contact_centre_free_places{channel="chat"}'] == 6
    assert samples['contact_centre_contacts{channel="voice"}'] == 1
    assert samples['contact_centre_workitems{channel="voice",state="connected"}'] == 1


def test_what_has_happened(hall: Any, metrics: Any) -> None:
    counters, sessions = metrics._counters, metrics._sessions
    sessions.log_in("alice", "looking-glass")
    sessions.log_in("alice", "wrong")
    sessions.log_in("nobody", "wrong")
    counters.open()
    for name in ("hangUp", "hangUp", "makeCoffee", "result\nPong"):
        counters.hear(name)
    counters.say("ping")
    counters.close(Ending(4409, "replaced", by="us"))
    counters.close(Ending(None))
    counters.fault("late")
    samples = read(metrics.text())
    for name, value in {
        'logins_total{result="success"}': 1,
        'logins_total{result="refused"}': 2,
        "desks_opened_total": 1,
        'desks_closed_total{code="4409"}': 1,
        'desks_closed_total{code="none"}': 1,
        'messages_received_total{action="hangUp"}': 2,
        'messages_received_total{action="other"}': 2,
        'messages_sent_total{action="ping"}': 1,
        'faults_total{kind="late"}': 1,
    }.items():
        assert samples[f"contact_centre_{name}"] == value


def test_large_numbers_are_exact_and_texts_are_escaped() -> None:
    family = Family(
        "x_total", "counter", 'Back\\slash,\nline and "quotes".', {(("label", 'a\\b"c\nd'),): 12_345_678_901}
    )
    assert list(family.lines()) == [
        '# HELP contact_centre_x_total Back\\\\slash,\\nline and "quotes".',
        "# TYPE contact_centre_x_total counter",
        'contact_centre_x_total{label="a\\\\b\\"c\\nd"} 12345678901',
    ]
