"""A busy day in half a minute: many short calls, and beside them a few operators whose customers have to wait."""

from typing import Any

from call_tool import make_calls

from antiphon import Plan, Step, feed, part, scenario, wait
from antiphon_testbed.example.desk import Operator


@scenario
def long_case(operator: Operator, telephone: str = "890000002") -> list[Step[Any]]:
    """A customer whose matter takes its time."""
    return [
        Operator.sign_in(),
        Operator.outbound_call(telephone),
        Operator.mute(),
        Operator.mute(False),
        Operator.hold(),
        wait(1),
        Operator.resume(),
        Operator.hang_up(),
        Operator.finish_wrapup("callback"),
    ]


busy_day = Plan(
    part(make_calls, rate="4/s", telephone=feed("telephones.csv"), talk_s=1),
    part(long_case, users=3, pause="1..3"),
    during="25s",
    ramp="5s",
    thresholds=[
        "errors < 1%",
        "make_calls/outbound_call p95 < 800ms",
        "long_case/resume p95 < 500ms",
        "make_calls rate > 3/s",
        "*/outbound_call p99 < 5s for 10s",
    ],
)
