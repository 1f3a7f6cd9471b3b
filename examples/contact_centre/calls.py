"""Scenarios at the contact centre. Try `antiphon run calls.py:outgoing --help`."""

from typing import Any

from desk import Operator

from antiphon import Step, call, saved, scenario, wait


async def fetch_record(operator: Operator) -> Any:
    """Any function can be called in the middle of a workflow, sync or async; this one asks the centre over HTTP."""
    return (await operator.record()).body


@scenario
def outgoing(operator: Operator, telephone: str = "890000002", talk_s: float = 1.0) -> list[Step[Any]]:
    """An operator calls a customer, talks, and closes the call.

    Args:
        telephone: whom to call; busy, noanswer and invalid behave as they say
        talk_s: how long they talk, in seconds
    """
    return [
        Operator.sign_in(),
        Operator.set_ready_status(),
        Operator.outbound_call(telephone),
        wait(talk_s),
        Operator.hang_up(),
        Operator.finish_wrapup("resolved"),
        call(fetch_record, saved.operator, save_as="record"),
    ]


@scenario
async def on_hold(operator: Operator, telephone: str = "890000002", hold_s: float = 0.5) -> float:
    """The customer has to wait; the record must say for how long. The same words, in plain async Python.

    Args:
        telephone: whom to call
        hold_s: how long the customer is on hold, in seconds
    """
    await operator.sign_in()
    await operator.outbound_call(telephone)
    await operator.mute()
    await operator.mute(False)
    await operator.hold()
    await wait(hold_s)
    await operator.resume()
    await operator.hang_up()
    await operator.finish_wrapup("resolved")
    record = await operator.record()
    return float(record["hold_s"])
