"""Two operators and a customer: calls that go from one desk to another."""

from typing import Any

from desk import Operator
from outside import Customer

from antiphon import Step, scenario, together


@scenario
async def consult(alice: Operator, bob: Operator, customer: Customer) -> dict[str, Any]:
    """Alice asks bob about a customer, and hands the customer over to him; gives the record."""
    await together([alice.sign_in(), alice.set_ready_status()], bob.sign_in())
    await customer.dials()
    await alice.accept_interaction()
    await bob.set_ready_status()
    await together(alice.consult(bob.user.name), bob.accept_interaction())
    await together(alice.complete_transfer(), bob.take_over())
    await together([bob.hang_up(), bob.finish_wrapup("resolved")], alice.finish_wrapup("callback"))
    record: dict[str, Any] = (await bob.record()).body
    return record


@scenario
def blind(alice: Operator, bob: Operator, customer: Customer) -> list[Step[Any]]:
    """Alice gives a customer to bob without a word; the same style as a list."""
    return [
        together([alice.sign_in(), alice.set_ready_status()], bob.sign_in()),
        customer.dials(),
        alice.accept_interaction(),
        bob.set_ready_status(),
        together(
            [alice.transfer(bob.user.name), alice.finish_wrapup("resolved")],
            [bob.accept_interaction(), bob.hang_up(), bob.finish_wrapup("resolved")],
        ),
    ]


@scenario
async def change_of_mind(alice: Operator, bob: Operator, customer: Customer) -> None:
    """Alice asks bob, and keeps the customer; bob's part is over."""
    await together([alice.sign_in(), alice.set_ready_status()], bob.sign_in())
    await customer.dials()
    await alice.accept_interaction()
    await bob.set_ready_status()
    await together(alice.consult(bob.user.name), bob.accept_interaction())
    await alice.cancel_transfer()
    await together(
        [alice.hang_up(), alice.finish_wrapup("resolved")], [bob.see_it_end("cancelled"), bob.finish_wrapup("resolved")]
    )
