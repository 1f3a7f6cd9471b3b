"""The world outside the desks: the centre over HTTP, in JSON."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from aiohttp import web

from antiphon.testbed.floor import Floor
from antiphon.testbed.records import Records
from antiphon.testbed.users import Sessions

__all__ = ["COOKIE", "make_app"]

COOKIE: Final = "session"
MAX_BODY_BYTES: Final = 1024 * 1024
MAX_PAGE: Final = 1000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LATER: Final = (
    ("POST", "/calls"),
    ("DELETE", "/calls/{id}"),
    ("POST", "/chats"),
    ("POST", "/chats/{id}/messages"),
    ("POST", "/tasks"),
    ("GET", "/metrics"),
)
"""What the centre will offer: inbound calls, chats, tasks, and its metrics."""


class _Login(msgspec.Struct, frozen=True):
    user: str
    password: str


class _Problem(Exception):
    """What is wrong with a request, as it is answered."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def make_app(sessions: Sessions, floor: Floor, records: Records) -> web.Application:
    """The HTTP side of a centre with these sessions, floor and records."""
    side = _Side(sessions, floor, records)
    app = web.Application(middlewares=[_mind_problems], client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/login", side.log_in)
    app.router.add_get("/desk", _refuse_plain_desk)
    app.router.add_get("/interactions", side.list_interactions)
    app.router.add_get("/interactions/{id}", side.show_interaction)
    app.router.add_get("/health", side.tell_health)
    for method, path in _LATER:
        app.router.add_route(method, path, _refuse_for_now)
    return app


class _Side:
    def __init__(self, sessions: Sessions, floor: Floor, records: Records) -> None:
        self._sessions = sessions
        self._floor = floor
        self._records = records

    async def log_in(self, request: web.Request) -> web.Response:
        try:
            login = msgspec.json.decode(await request.read(), type=_Login)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise _Problem(400, "badRequest", f'a login is {{"user": "…", "password": "…"}}: {error}') from error
        token = self._sessions.log_in(login.user, login.password)
        if token is None:
            raise _Problem(401, "wrongLogin", "there is no such user, or the password is wrong")
        response = _json({"token": token})
        response.set_cookie(COOKIE, token, httponly=True)
        return response

    async def show_interaction(self, request: web.Request) -> web.Response:
        interaction_id = request.match_info["id"]
        record = self._records.get(interaction_id)
        if record is None:
            raise _Problem(404, "unknownInteraction", f"there is no interaction {interaction_id[:64]!r}")
        return _json(record)

    async def list_interactions(self, request: web.Request) -> web.Response:
        unknown = set(request.query) - {"since", "user", "limit", "after"}
        if unknown:
            raise _Problem(
                400, "badRequest", f"there is no parameter {min(unknown)[:64]!r}; since, user, limit, after are"
            )
        page = self._records.page(
            since_ms=_moment_ms(request.query.get("since")),
            user=request.query.get("user"),
            limit=_number(request.query, "limit", 100, 1, MAX_PAGE),
            after=_number(request.query, "after", 0, 0, 2**62),
        )
        return _json({"items": page.items, "next": page.next})

    async def tell_health(self, _: web.Request) -> web.Response:
        trouble = self._records.trouble
        health = {
            "status": "ok" if trouble is None else "failing",
            "desks": len(self._floor.agents),
            "calls": len(self._floor.calls),
        }
        if trouble is not None:
            health["trouble"] = trouble
        return _json(health, status=200 if trouble is None else 503)


def _moment_ms(text: str | None) -> int:
    if text is None:
        return 0
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise _Problem(
            400, "badRequest", f"since={text[:64]!r} is no time; ISO 8601 is, as 2026-11-22T07:41:44.123Z"
        ) from error


def _number(query: Any, name: str, default: int, low: int, high: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 19 or not low <= int(text) <= high:
        raise _Problem(400, "badRequest", f"{name}={text[:64]!r} is no number from {low} to {high}")
    return int(text)


async def _refuse_plain_desk(_: web.Request) -> web.Response:
    raise _Problem(426, "upgradeRequired", "a desk is a WebSocket: ask for an upgrade")


async def _refuse_for_now(request: web.Request) -> web.Response:
    raise _Problem(
        501, "notYet", f"{request.method} {request.path} is not there yet; a later version of the centre has it"
    )


@web.middleware
async def _mind_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer is JSON, also those that say what went wrong; every connection carries one request."""
    try:
        response = await handler(request)
    except _Problem as problem:
        response = _problem(problem.status, problem.code, problem.message)
        if problem.status == 426:
            response.headers["Upgrade"] = "websocket"
    except web.HTTPException as error:
        response = _problem(error.status, error.reason.title().replace(" ", ""), _describe(request, error))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except sqlite3.Error as error:
        response = _problem(503, "recordsUnavailable", f"the records cannot be read or written: {error}")
    except Exception:
        logging.getLogger(__name__).exception("%s %s failed", request.method, request.path)
        response = _problem(500, "internalError", "the centre has failed, and its log says how")
    response.force_close()
    return response


def _describe(request: web.Request, error: web.HTTPException) -> str:
    return {
        404: f"there is nothing at {request.path[:200]}",
        405: f"{request.method} is not what {request.path[:200]} takes",
        413: f"the body is larger than {MAX_BODY_BYTES} bytes",
    }.get(error.status, error.reason)


def _problem(status: int, code: str, message: str) -> web.Response:
    return _json({"code": code[:1].lower() + code[1:], "message": message}, status=status)


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
