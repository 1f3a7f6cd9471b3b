"""A kernel behind Jupyter Server: https://jupyter-client.readthedocs.io/en/stable/messaging.html.

    jupyter server --port 8888 --IdentityProvider.token=sesame
    antiphon run jupyter_kernel.py:calculate --stand jupyter --code 'print(6 * 7)'

with a stand in antiphon.toml:

    [stands.jupyter]
    jupyter = "http://127.0.0.1:8888"
    users = [{ name = "ann", password = "sesame" }]
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from antiphon import Actor, Codec, Data, DialectError, Http, Meeting, Message, WebSocket, action, on, scenario


class Kernel(Codec):
    """Messages of all of a kernel's sockets, each as JSON in a text frame; their name is header.msg_type.

    What a request causes has its header as parent_header. It is over when two have come, in whichever order, since
    they come from two sockets: its reply, and the status idle.
    """

    def __init__(self) -> None:
        self.session = uuid.uuid4().hex
        self.missing: dict[str, set[str]] = {}

    def codec(self, _meeting: Meeting, /) -> Kernel:
        return Kernel()

    def decode(self, data: Data) -> list[Message]:
        try:
            frame = msgspec.json.decode(data)
            name, key, channel = frame["header"]["msg_type"], frame["parent_header"].get("msg_id"), frame["channel"]
            content = frame["content"]
            asks = frame["header"]["msg_id"] if channel == "stdin" else None  # only there does the kernel ask us
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            raise DialectError(f"this is no message of a kernel: {error!r}") from error
        missing = self.missing.get(key)
        if missing is None:  # what somebody else has caused, or nobody
            return [Message(name, content, data, asks=asks, is_request=asks is not None)]
        is_reply = channel in ("shell", "control")
        if is_reply:
            missing.discard("reply")
        elif name == "status" and content["execution_state"] == "idle":
            missing.discard("idle")
        if not missing:
            del self.missing[key]
        return [
            Message(
                name,
                content,
                data,
                reply_to=key,
                asks=asks,
                is_request=asks is not None,
                is_answer=is_reply,
                is_last=not missing,
                is_failure=is_reply and content.get("status") != "ok",
            )
        ]

    def encode(self, name: str, body: Any) -> Message:
        return self.write(name, body, "control" if name in CONTROL else "shell")

    def request(self, name: str, body: Any) -> Message:
        message = self.encode(name, body)
        key = message.asks = msgspec.json.decode(message.raw)["header"]["msg_id"]
        self.missing[key] = {"reply", "idle"}
        return message

    def answer(self, request: Message, body: Any) -> Message:
        name = request.name.replace("_request", "_reply")
        return self.write(name, body, "stdin", msgspec.json.decode(request.raw)["header"])

    def write(self, name: str, body: Any, channel: str, parent: Any = None) -> Message:
        header = {"msg_id": uuid.uuid4().hex, "session": self.session, "username": "", "version": "5.3"}
        header |= {"msg_type": name, "date": datetime.now(UTC).isoformat()}
        frame = {"header": header, "parent_header": parent or {}, "metadata": {}, "content": body or {}}
        return Message(name, body, msgspec.json.encode({**frame, "channel": channel, "buffers": []}).decode())


CONTROL = ("shutdown_request", "interrupt_request", "debug_request")


class Notebook(Actor):
    """Who logs in, starts a kernel, and has it calculate."""

    http = Http("{jupyter}")
    kernel = WebSocket("{jupyter}/api/kernels/{kernel_id}/channels", dialect=Kernel(), within_s=60)

    def __init__(self) -> None:
        self.kernel_id = ""
        self.answers: list[str] = []

    async def arrive(self) -> None:
        """Log in with the token, as its page does: the cookie is that of the session, for Http and WebSocket alike."""
        form = await self.http.get("/login")
        data = {"password": self.user.password, "_xsrf": form.cookies["_xsrf"]}
        login = await self.http.post("/login", data=data, follow=False, status=302)
        self.http.headers["X-XSRFToken"] = data["_xsrf"]
        self.kernel.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in login.cookies.items())
        self.kernel_id = (await self.http.post("/api/kernels", json={"name": "python3"}, within_s=60))["id"]

    async def leave(self) -> None:
        await self.http.delete(f"/api/kernels/{self.kernel_id}")

    @on("input_request")
    def answer_input(self, _request: Message) -> dict[str, Any]:
        """The code asks the one who runs it."""
        return {"value": self.answers.pop(0)}

    @action
    async def execute(self, code: str) -> list[str]:
        """Run the code; gives what it prints and what its last expression is, as it comes."""
        output: list[str] = []
        async for said in self.ask("execute_request", code=code, silent=False, allow_stdin=True, stop_on_error=True):
            if said.name == "stream":
                output.append(said["text"])
            elif said.name == "execute_result":
                output.append(said["data"]["text/plain"])
        return output


@scenario
async def calculate(notebook: Notebook, code: str = "6 * 7") -> str:
    """Have a new kernel run the code."""
    return "".join(await notebook.execute(code))
