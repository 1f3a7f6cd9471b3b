"""The Call tool: outgoing calls, as many as somebody asks for. Try `antiphon load call_tool.py:make_calls --help`."""

from typing import Any

from antiphon import Step, call, saved, scenario, wait

# The operator of examples/contact_centre, which antiphon brings along. In a project of yours: from desk import Operator
from antiphon_testbed.example.desk import Operator


async def fetch_record(operator: Operator) -> Any:
    """The centre's record of the call: a column of the table can be any field of it."""
    return (await operator.record()).body


@scenario
def make_calls(
    operator: Operator, telephone: str = "890000002", talk_s: float = 2.0, disposition: str = "resolved"
) -> list[Step[Any]]:
    """An operator calls somebody, talks, and closes the call.

    Args:
        telephone: whom to call
        talk_s: how long they talk, in seconds
        disposition: how the call is closed
    """
    return [
        Operator.sign_in(),
        Operator.set_ready_status(),
        Operator.outbound_call(telephone),
        wait(talk_s),
        Operator.hang_up(),
        Operator.finish_wrapup(disposition),
        call(fetch_record, saved.operator, save_as="record"),
    ]
