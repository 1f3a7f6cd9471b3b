"""A call, chats and a task at one desk, at the same time."""

from typing import Any

from outside import Customer, Supervisor
from writing_desk import Clerk

from antiphon import scenario, together


@scenario
async def busy_desk(clerk: Clerk, caller: Customer, writer: Customer, boss: Supervisor) -> dict[str, Any]:
    """A clerk answers a chat and does a task while a customer is on the line; gives the task's record."""
    await clerk.sign_in()
    await clerk.set_ready_status()
    await together(caller.dials(), writer.asks_in_writing("where is my parcel?"), boss.gives_task("count the parcels"))
    chat, task, _ = await together(clerk.accept_chat(), clerk.accept_task(), clerk.accept_interaction())
    assert await clerk.read(chat) == "where is my parcel?"
    await clerk.write(chat, "it is on its way")
    await clerk.hold()
    await clerk.complete_task(task, "all there")
    await clerk.resume()
    await writer.writes("thank you")
    assert await clerk.read(chat) == "thank you"
    assert await writer.reads() == ["it is on its way"]
    await together(clerk.end_chat(chat), clerk.hang_up())
    await clerk.finish_wrapup("resolved")
    return await boss.reads_record(clerk.interaction_id)
