"""Customers call. Try `antiphon run inbound.py:long_case`."""

from typing import Any

from desk import Operator
from outside import Customer

from antiphon import Step, await_signal, call, check, saved, scenario, signal, together, wait


def look_up(telephone: str) -> str:
    """Any function, called in the middle with a parameter; a sync one may block."""
    return {"89161234567": "Ada"}.get(telephone, "a stranger")


async def fetch_record(operator: Operator) -> Any:
    """An async one, which asks the centre over HTTP."""
    return (await operator.record()).body


@scenario
def long_case(
    operator: Operator, customer: Customer, telephone: str = "89161234567", rings_s: float = 0.5
) -> list[Step[Any]]:
    """A customer calls, and everything is done to the call that can be done.

    Args:
        telephone: from where the customer calls
        rings_s: how long it rings before the operator answers, in seconds
    """
    return [
        Operator.sign_in(),
        Operator.set_ready_status(),
        Customer.dials(telephone),
        call(look_up, telephone, save_as="caller"),
        wait(rings_s),
        Operator.accept_interaction(),
        Operator.mute(),
        Operator.mute(False),
        Operator.hold(),
        Operator.resume(),
        call(fetch_record, saved.operator, save_as="during"),
        Operator.hang_up(),
        Operator.finish_wrapup("resolved"),
        call(fetch_record, saved.operator, save_as="record"),
        check(saved.record, {"state": "finished", "from": telephone, "ended_by": "agent"}),
    ]


@scenario
async def impatient(operator: Operator, customer: Customer, patience_s: float = 0.3) -> None:
    """A customer calls, talks for a while, and hangs up: two who wait for each other.

    Args:
        patience_s: how long the customer talks, in seconds
    """

    async def at_the_desk() -> None:
        await operator.sign_in()
        await operator.set_ready_status()
        await signal("open")
        await operator.accept_interaction()
        await signal("answered", operator.interaction_id)
        await operator.see_it_end()
        await operator.finish_wrapup("resolved")

    async def on_the_telephone() -> None:
        await await_signal("open")
        await customer.dials()
        answered = await await_signal("answered")
        assert answered == customer.interaction_id
        await wait(patience_s)
        await customer.hangs_up()

    await together(call(at_the_desk), call(on_the_telephone))
