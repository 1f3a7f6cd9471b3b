"""The centre's doors for the outside world, over HTTP: customers call, write and leave, and tasks come.

Every contact is known by its `interactionID`. A request about one that is over is answered with 409, about one that
never was with 404.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from antiphon.errors import ErrorReply
from antiphon_testbed.effects import Effect
from antiphon_testbed.floor.chats_and_tasks import LONGEST_TEXT
from antiphon_testbed.floor.customers import (
    customer_calls,
    customer_chats,
    customer_leaves,
    customer_writes,
    task_comes,
)
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.floor.interactions import iso
from antiphon_testbed.records import Records
from antiphon_testbed.switchboard import Switchboard
from antiphon_testbed.web.app import Problem, in_json

__all__ = ["Reception"]

MOST_S: Final = 24 * 3600.0
LONGEST_NAME: Final = 64
LONGEST_TITLE: Final = 200

T = TypeVar("T")
R = TypeVar("R")


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a customer sends."""


class _NewCall(_Body, frozen=True, kw_only=True):
    origin: str = msgspec.field(name="from")
    to: str = ""
    skill: str | None = None
    answer_after_s: float = 0.0
    talk_s: float | None = None


class _NewChat(_Body, frozen=True, kw_only=True):
    origin: str = msgspec.field(name="from")
    text: str
    skill: str | None = None


class _NewMessage(_Body, frozen=True, kw_only=True):
    text: str


class _NewTask(_Body, frozen=True, kw_only=True):
    title: str
    due: datetime | None = None
    skill: str | None = None


class Reception:
    """Lets customers in, for a centre with these parts; `skills` are all that its users have."""

    def __init__(self, switchboard: Switchboard, records: Records, skills: Collection[str]) -> None:
        self._switchboard = switchboard
        self._records = records
        self._skills = skills

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Open the doors."""
        router.add_post("/calls", self.call)
        router.add_delete("/calls/{id}", self._leave("voice"))
        router.add_post("/chats", self.chat)
        router.add_post("/chats/{id}/messages", self.write)
        router.add_get("/chats/{id}", self.show_chat)
        router.add_delete("/chats/{id}", self._leave("chat"))
        router.add_post("/tasks", self.bring_task)

    async def call(self, request: web.Request) -> web.Response:
        """`POST /calls {"from", "to"?, "skill"?, "answer_after_s"?, "talk_s"?}` -> 201 `{"interactionID"}`."""
        body = await _read(request, _NewCall)
        _check_text("from", body.origin, LONGEST_NAME)
        if len(body.to) > LONGEST_NAME:
            raise _bad(f"to is longer than {LONGEST_NAME} characters")
        self._check_skill(body.skill)
        _check_time("answer_after_s", body.answer_after_s)
        if body.talk_s is not None:
            _check_time("talk_s", body.talk_s)
        interaction_id = self._happen(
            lambda floor, now_ms: customer_calls(
                floor,
                body.origin,
                now_ms,
                to=body.to,
                skill=body.skill,
                ring_s=body.answer_after_s,
                talk_s=body.talk_s,
            )
        )
        return in_json({"interactionID": interaction_id}, status=201)

    async def chat(self, request: web.Request) -> web.Response:
        """`POST /chats {"from", "text", "skill"?}` -> 201 `{"interactionID"}`."""
        body = await _read(request, _NewChat)
        _check_text("from", body.origin, LONGEST_NAME)
        _check_text("text", body.text, LONGEST_TEXT)
        self._check_skill(body.skill)
        interaction_id = self._happen(
            lambda floor, now_ms: customer_chats(floor, body.origin, body.text, now_ms, skill=body.skill)
        )
        return in_json({"interactionID": interaction_id}, status=201)

    async def write(self, request: web.Request) -> web.Response:
        """`POST /chats/ID/messages {"text"}` -> 201 `{"messageID"}`."""
        body = await _read(request, _NewMessage)
        _check_text("text", body.text, LONGEST_TEXT)
        interaction_id = request.match_info["id"]
        try:
            message_id = self._happen(lambda floor, now_ms: customer_writes(floor, interaction_id, body.text, now_ms))
        except ErrorReply as refusal:
            raise self._problem(refusal, "chat", interaction_id) from refusal
        return in_json({"messageID": message_id}, status=201)

    async def show_chat(self, request: web.Request) -> web.Response:
        """`GET /chats/ID`: what both have written, `[{"messageID", "role", "from", "text", "at"}, …]`, and the state.

        `agent` is who has the chat, or had it last; `ended_by` is null as long as it lasts.
        """
        interaction_id = request.match_info["id"]
        record = self._records.get(interaction_id)
        if record is None or record["channel"] != "chat":
            raise Problem(404, "unknownInteraction", f"there is no chat {interaction_id[:64]!r}")
        shown = ("interactionID", "from", "state", "ended_by", "messages")
        return in_json({**{name: record[name] for name in shown}, "agent": record["user"]})

    async def bring_task(self, request: web.Request) -> web.Response:
        """`POST /tasks {"title", "due"?, "skill"?}` -> 201 `{"interactionID"}`; `due` is ISO 8601 with its zone."""
        body = await _read(request, _NewTask)
        _check_text("title", body.title, LONGEST_TITLE)
        self._check_skill(body.skill)
        due = _moment(body.due) if body.due is not None else None
        interaction_id = self._happen(
            lambda floor, now_ms: task_comes(floor, body.title, due, now_ms, skill=body.skill)
        )
        return in_json({"interactionID": interaction_id}, status=201)

    def _leave(self, channel: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def leave(request: web.Request) -> web.Response:
            interaction_id = request.match_info["id"]
            try:
                self._happen(lambda floor, now_ms: (None, customer_leaves(floor, channel, interaction_id, now_ms)))
            except ErrorReply as refusal:
                raise self._problem(refusal, channel, interaction_id) from refusal
            return in_json({"interactionID": interaction_id})

        return leave

    def _check_skill(self, skill: str | None) -> None:
        if skill is not None and skill not in self._skills:
            known = ", ".join(sorted(self._skills)[:20])
            raise _bad(f"nobody has the skill {skill[:64]!r}; {known} are there")

    def _happen(self, event: Callable[[Floor, int], tuple[R, list[Effect]]]) -> R:
        return self._switchboard.happen(event)

    def _problem(self, refusal: ErrorReply, channel: str, interaction_id: str) -> Problem:
        if refusal.code != "unknownInteraction":
            return Problem(409, str(refusal.code), refusal.message)
        record = self._records.get(interaction_id)
        if record is None or record["channel"] != channel:
            return Problem(404, str(refusal.code), refusal.message)
        return Problem(409, "wrongState", f"the interaction is over: ended by {record['ended_by']}")


async def _read(request: web.Request, body_type: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=body_type)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _bad(f"the body is not what {request.method} {request.path[:64]} takes: {error}") from error


def _check_text(name: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest:
        raise _bad(f"{name} is {'empty' if not text.strip() else f'longer than {longest} characters'}")


def _check_time(name: str, seconds: float) -> None:
    if not 0 <= seconds <= MOST_S:
        raise _bad(f"{name} is {seconds!r}, which is no time in seconds from 0 to {MOST_S:.0f}")


def _moment(due: datetime) -> str:
    if due.tzinfo is None:
        raise _bad(f"due={due.isoformat()!r} says no zone; 2026-11-22T07:41:44Z does")
    try:
        return iso(round(due.timestamp() * 1000))
    except OverflowError as error:
        raise _bad(f"due={due.isoformat()!r} is beyond all calendars") from error


def _bad(message: str) -> Problem:
    return Problem(400, "badRequest", message)
