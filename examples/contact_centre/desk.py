"""An operator's desk at the contact centre: what an operator does, and the messages that it takes."""

from antiphon import Actor, Http, HttpResponse, Json, Message, WebSocket, action, on

CENTRE = Json(
    name="action", body="data", reply="result{Name}", failed={"result": "error"}, error="error", error_of="action"
)


class Operator(Actor):
    """An operator who logs in, takes the desk's WebSocket, and has a call, chats and tasks on it."""

    api = Http("{centre}")
    desk = WebSocket("{centre}/desk", dialect=CENTRE, ignored=("agentCapacity", "newAgentState", "workitemPartyList"))

    interaction_id: str
    workitem_id: str

    async def arrive(self) -> None:
        login = await self.api.post("/login", json={"user": self.user.name, "password": self.user.password})
        self.desk.headers["Cookie"] = f"session={login['token']}"

    @on("ping")
    def answer_ping(self, ping: Message) -> None:
        self.send("pong", seq=ping["seq"])

    # -- the operator's states ----------------------------------------------------------------------------------------

    @action
    async def sign_in(self) -> None:
        """Take the desk: who am I, and how may a call end."""
        await self.expect("connectionStatus", check={"status": "connected", "user": self.user.name})
        self.agent = await self.ask("getAgentData")
        dispositions = await self.ask("getDictionaryData", name="dispositions")
        self.dispositions = {item["id"] for item in dispositions["items"]}

    @action
    async def set_ready_status(self) -> None:
        """Be there for calls, chats and tasks."""
        await self.ask("changeAgentState", state="ready")
        await self.expect("newAgentState", {"state": "ready"})

    @action
    async def set_break(self, reason: str = "lunch") -> None:
        """Be there no longer, for a while."""
        await self.ask("changeAgentState", state="break", reason=reason)
        await self.expect("newAgentState", {"state": "break"})

    # -- the beginning of a call --------------------------------------------------------------------------------------

    @action
    async def outbound_call(self, destination: str) -> None:
        """Call `destination`, and return once it has answered."""
        call = await self.ask("newOutInteraction", destination=destination)
        self.interaction_id, self.workitem_id = call["interactionID"], call["workitemID"]
        await self.expect_state("created")
        started = self.ask("startNewOutInteraction", workitemID=self.workitem_id, destination=destination)
        await self.take_media()
        await started  # its reply comes last, once the customer has answered
        await self.expect_state("connected")

    @action
    async def accept_interaction(self) -> None:
        """Answer the call that is offered, or the first that will be."""
        await self.take_offer("voice")
        await self.ask("acceptInteraction", workitemID=self.workitem_id)
        await self.take_media()
        await self.expect_state("connected")

    @action
    async def reject_interaction(self) -> None:
        """Let somebody else answer the call."""
        await self.take_offer("voice")
        await self.ask("rejectInteraction", workitemID=self.workitem_id)
        await self.expect_state("finished")

    # -- during a call ------------------------------------------------------------------------------------------------

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
        await self.ask("setResume", workitemID=self.workitem_id)
        await self.expect_state("connected")

    @action
    async def press(self, digits: str) -> None:
        """Press keys of the telephone."""
        await self.ask("sendDtmf", workitemID=self.workitem_id, digits=digits)

    @action
    async def transfer(self, to: str) -> None:
        """Give the call to another operator, or to whoever has a skill, and be done with it."""
        await self.ask("transfer", workitemID=self.workitem_id, to=to, kind="blind")
        await self.expect_state("wrapUp", reason="transferred")

    @action
    async def consult(self, to: str) -> None:
        """Let the customer wait, and call another operator about it; then `complete_transfer` or `cancel_transfer`."""
        await self.ask("transfer", workitemID=self.workitem_id, to=to, kind="consult")
        await self.expect_state("held")

    @action
    async def complete_transfer(self) -> None:
        """Hand the customer over to whom I consulted."""
        await self.ask("completeTransfer", workitemID=self.workitem_id)
        await self.expect_state("wrapUp", reason="transferred")

    @action
    async def cancel_transfer(self) -> None:
        """Go on with the customer, without whom I consulted."""
        await self.ask("cancelTransfer", workitemID=self.workitem_id)
        await self.expect_state("connected", reason="cancelled")

    @action
    async def take_over(self) -> None:
        """Have the customer of the operator who consulted me, once they are handed over."""
        await self.expect_state("connected")

    # -- the end of a call --------------------------------------------------------------------------------------------

    @action
    async def hang_up(self) -> None:
        """End the call; the wrap-up begins."""
        await self.ask("hangUp", workitemID=self.workitem_id)
        await self.expect_state("wrapUp")

    @action
    async def see_it_end(self, reason: str = "customer") -> None:
        """Somebody else ends the call (`customer`), or my part in it (`cancelled`); the wrap-up begins."""
        await self.expect_state("wrapUp", reason=reason)

    @action
    async def finish_wrapup(self, disposition: str) -> None:
        """Say how it went, and be done with it."""
        await self.ask("finishWorkitem", workitemID=self.workitem_id, dispositionID=disposition)
        await self.expect_state("finished")

    # -- what these have in common ------------------------------------------------------------------------------------

    async def take_offer(self, channel: str) -> None:
        """Wait for something to be offered, and remember it as the call."""
        offered = await self.expect("newWorkitemState", {"state": "offered", "channel": channel})
        self.interaction_id, self.workitem_id = offered["interactionID"], offered["workitemID"]

    async def take_media(self) -> None:
        """Answer the offer of media: from here on the customer can be heard."""
        offer = await self.expect("newRtc", {"workitemID": self.workitem_id})
        await self.ask(
            "acceptRtc",
            workitemID=self.workitem_id,
            interactionID=self.interaction_id,
            answer=answer_to(offer["offer"]),
        )

    async def expect_state(self, state: str, **more: str) -> Message:
        """Wait for the call to come into that state."""
        return await self.expect("newWorkitemState", {"workitemID": self.workitem_id, "state": state, **more})

    async def record(self) -> HttpResponse:
        """The centre's record of the last call."""
        return await self.api.get(f"/interactions/{self.interaction_id}")


def answer_to(offer: str) -> str:
    """The media answer to an offer: the same session, the other way round (SDP, RFC 8866)."""
    return offer.replace("a=setup:actpass", "a=setup:active")
