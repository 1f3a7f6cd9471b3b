# /// script
# requires-python = ">=3.11"
# dependencies = ["antiphon"]
# ///
"""An operator of a contact centre, and what one can do: `antiphon run calls.py:greet`, or `uv run calls.py`."""

import sys

from antiphon import Actor, Http, Json, Message, Step, WebSocket, action, on, scenario


class Operator(Actor):
    """Someone who logs in over HTTP, and then works at a desk over WebSocket."""

    api = Http("{centre}")  # {centre} is an address of the stand: see antiphon.toml
    desk = WebSocket(
        "{centre}/desk", dialect=Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})
    )

    async def arrive(self) -> None:
        """Before the desk's channel opens."""
        login = await self.api.post("/login", json={"user": self.user.name, "password": self.user.password})
        self.desk.headers["Cookie"] = f"session={login['token']}"

    @on("ping")
    def answer_ping(self, ping: Message) -> None:
        """Whenever it comes, whatever else is awaited."""
        self.send("pong", seq=ping["seq"])

    @action
    async def become(self, state: str) -> None:
        """Come into a state: `ready`, `notReady` or `break`."""
        await self.ask("changeAgentState", state=state)  # sends it, and awaits its own reply
        told = await self.expect("newAgentState", {"state": state})  # an event, which may come before the reply, too
        self.state = told["state"]  # what an actor learns are plain attributes


@scenario
def greet(operator: Operator, state: str = "ready") -> list[Step[None]]:
    """An operator comes to the desk, and leaves it again.

    Args:
        state: what the operator is in between
    """
    return [Operator.become(state), Operator.become("break")]


if __name__ == "__main__":
    from antiphon.cli import main

    sys.exit(main(["run", f"{__file__}:greet", *sys.argv[1:]]))
