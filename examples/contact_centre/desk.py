"""An operator's desk at the contact centre: what an operator does, and the messages that it takes."""

from antiphon import Actor, Http, HttpReply, Json, Message, WebSocket, action, on


class Operator(Actor):
    """An operator who logs in, takes the desk's WebSocket, and makes calls."""

    api = Http("{centre}")
    desk = WebSocket(
        "{centre}/desk",
        dialect=Json(
            name="action",
            body="data",
            reply="result{Name}",
            failed={"result": "error"},
            error="error",
            error_of="action",
        ),
    )

    interaction_id: str
    workitem_id: str

    async def arrive(self) -> None:
        login = await self.api.post("/login", json={"user": self.user.name, "password": self.user.password})
        self.desk.headers["Cookie"] = f"session={login['token']}"

    @on("ping")
    def answer_ping(self, ping: Message) -> None:
        self.send("pong", seq=ping["seq"])

    @action
    async def sign_in(self) -> None:
        """Take the desk: who am I, and how may a call end."""
        await self.expect("connectionStatus", check={"status": "connected", "user": self.user.name})
        self.agent = await self.ask("getAgentData")
        dispositions = await self.ask("getDictionaryData", name="dispositions")
        self.dispositions = {item["id"] for item in dispositions["items"]}

    @action
    async def set_ready_status(self) -> None:
        """Be there for calls."""
        await self.ask("changeAgentState", state="ready")
        await self.expect("newAgentState", {"state": "ready"})

    @action
    async def outbound_call(self, destination: str) -> None:
        """Call `destination`, and return once it has answered."""
        call = await self.ask("newOutInteraction", destination=destination)
        self.interaction_id, self.workitem_id = call["interactionID"], call["workitemID"]
        started = self.ask("startNewOutInteraction", workitemID=self.workitem_id, destination=destination)
        offer = await self.expect("newRtc", {"workitemID": self.workitem_id})
        await self.ask(
            "acceptRtc",
            workitemID=self.workitem_id,
            interactionID=self.interaction_id,
            answer=answer_to(offer["offer"]),
        )
        await started  # its reply comes last, once the customer has answered
        await self.expect_state("connected")

    @action
    async def mute(self, is_muted: bool = True) -> None:
        """Switch the microphone off, or on again."""
        await self.ask("setMute", workitemID=self.workitem_id, mute=is_muted)
        await self.expect("newWorkitemState", {"workitemID": self.workitem_id, "muted": is_muted})

    @action
    async def hold(self) -> None:
        """Let the customer wait."""
        await self.ask("setHold", workitemID=self.workitem_id)
        await self.expect_state("held")

    @action
    async def resume(self) -> None:
        """Go on with a customer who waits."""
        since = self.mark()
        await self.ask("setResume", workitemID=self.workitem_id)
        await self.expect("newWorkitemState", {"workitemID": self.workitem_id, "state": "connected"}, since=since)

    @action
    async def hang_up(self) -> None:
        """End the call; the wrap-up begins."""
        await self.ask("hangUp", workitemID=self.workitem_id)
        await self.expect_state("wrapUp")
        await self.expect("newAgentState", {"state": "wrapUp"})

    @action
    async def finish_wrapup(self, disposition: str) -> None:
        """Say how it went, and be done with it."""
        await self.ask("finishWorkitem", workitemID=self.workitem_id, dispositionID=disposition)
        await self.expect_state("finished")

    async def expect_state(self, state: str) -> Message:
        """Wait for the call to be in that state."""
        return await self.expect("newWorkitemState", {"workitemID": self.workitem_id, "state": state})

    async def record(self) -> HttpReply:
        """The centre's record of the last call."""
        return await self.api.get(f"/interactions/{self.interaction_id}")


def answer_to(offer: str) -> str:
    """The media answer to an offer: the same session, the other way round (SDP, RFC 8866)."""
    return offer.replace("a=setup:actpass", "a=setup:active")
