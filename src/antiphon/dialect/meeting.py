"""What a codec may know of the connection that it is made for, and what it may change of its opening."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from multidict import CIMultiDict

from antiphon.conversation.message import Message
from antiphon.errors import ScenarioError

__all__ = ["Meeting", "Side"]

Side = Literal["client", "server"]
"""Whoever opens a connection is the client, whoever accepts it the server."""


class Meeting:
    """Two parties are about to speak on a channel, and one of them is ours. Made anew for each connection.

    side: "client" for whoever opens the connection, "server" for whoever accepts it.
    address: where a client connects; on a server what the client asked for, path and query.
    headers, subprotocols: what is said at the opening. On a server what the client said.
    subprotocol: the one that both sides agreed on, "" for none; known once the connection is there, in `Codec.opening`.
    user: who the actor is on the stand, with `name`, `password` and the like as attributes; None for nobody.
    previous: the codec of this channel's latest connection, to resume with what it has learnt; None at the first one.
        Of connections that could not be made, or on which the protocol was not opened, nothing is kept.

    unanswered: those of our requests on the connection before whose replies are still waited for, since its codec said
        that it resumes them; the next codec may say them again, under their keys.

    A client's codec is made before it connects, so whatever `Dialect.codec` changes of `address`, `headers` and
    `subprotocols` is what the transport opens with. They are this connection's: the channel's own stay as they are.
    """

    __slots__ = (
        *("_fields", "_hide", "address", "headers", "previous", "side", "subprotocol", "subprotocols", "unanswered"),
        "user",
    )

    def __init__(
        self,
        side: Side = "client",
        address: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        fields: Mapping[str, Any] | None = None,
        user: Any = None,
        previous: Any = None,
        unanswered: Sequence[Message] = (),
        hide: Callable[[str], object] | None = None,
    ) -> None:
        self.side: Side = side
        self.address = address
        self.headers: CIMultiDict[str] = CIMultiDict(headers or {})
        self.subprotocols = [*subprotocols]
        self.subprotocol = ""
        self.user = user
        self.previous = previous
        self.unanswered = unanswered
        self._fields = fields if fields is not None else {}
        self._hide = hide

    @property
    def fields(self) -> dict[str, Any]:
        """The actor's attributes as they are now, without those whose names begin with `_`."""
        return {name: value for name, value in self._fields.items() if not name.startswith("_")}

    def fill(self, template: str) -> str:
        """The text with its `{names}` filled in: `{seat}` is an attribute of the actor, `{user.name}` of its user.

        So a dialect's options can be each actor's own: `password="{user.password}"`. Raises ScenarioError for a name
        that is not there.
        """
        filled = ""
        try:
            for text, name, _, _ in string.Formatter().parse(template):
                filled += text if name is None else f"{text}{self._value(template, name)}"
        except ValueError as error:
            text = f"{template!r} cannot be filled in: {error}"
            raise ScenarioError(text, hint="{{ and }} stand for { and }") from error
        return filled

    def hide(self, secret: str) -> None:
        """Mask this text wherever it is written from now on, as a password in another form.

        The fields of users are masked as they stand, and so is what has a secret name in a message's body.
        """
        if self._hide is not None:
            self._hide(secret)

    def _value(self, template: str, name: str) -> Any:
        fields = self.fields
        whose, _, field = name.partition(".")
        if whose == "user" and field:
            if self.user is not None:
                return getattr(self.user, field)
            hint = "users stand in the stand's file; this actor is nobody's"
        elif name in fields:
            return fields[name]
        else:
            hint = f"the actor's attributes are: {', '.join(sorted(fields)) or 'none'}"
        raise ScenarioError(f"the dialect's {template!r} needs {name!r}, which the actor does not have", hint=hint)
