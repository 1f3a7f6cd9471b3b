"""The centre over HTTP, in JSON: login and health, and how every answer looks, also those that say what is wrong.

The other routes add themselves: `Reception`, `RecordsPage` and `Metrics`.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.records import Records
from antiphon_testbed.users import Sessions

__all__ = ["COOKIE", "Problem", "in_json", "make_app"]

COOKIE: Final = "session"
MAX_BODY_BYTES: Final = 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Problem(Exception):
    """What is wrong with a request, as it is answered: an HTTP status, a code for programs, a message for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def in_json(body: Any, status: int = 200) -> web.Response:
    """An answer whose body is JSON."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


class _Login(msgspec.Struct, frozen=True):
    user: str
    password: str


def make_app(sessions: Sessions, floor: Floor, records: Records) -> web.Application:
    """The HTTP side of a centre with these sessions, floor and records; further routes can be added to it."""
    handlers = _Handlers(sessions, floor, records)
    app = web.Application(middlewares=[_answer_problems], client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/login", handlers.log_in)
    app.router.add_get("/desk", _refuse_plain_desk)
    app.router.add_get("/health", handlers.tell_health)
    return app


class _Handlers:
    def __init__(self, sessions: Sessions, floor: Floor, records: Records) -> None:
        self._sessions = sessions
        self._floor = floor
        self._records = records

    async def log_in(self, request: web.Request) -> web.Response:
        try:
            login = msgspec.json.decode(await request.read(), type=_Login)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Problem(400, "badRequest", f'a login is {{"user": "…", "password": "…"}}: {error}') from error
        token = self._sessions.log_in(login.user, login.password)
        if token is None:
            raise Problem(401, "wrongLogin", "there is no such user, or the password is wrong")
        response = in_json({"token": token})
        response.set_cookie(COOKIE, token, httponly=True)
        return response

    async def tell_health(self, _: web.Request) -> web.Response:
        trouble = self._records.trouble
        health = {
            "status": "ok" if trouble is None else "failing",
            "desks": len(self._floor.agents),
            "calls": len(self._floor.calls),
        }
        if trouble is not None:
            health["trouble"] = trouble
        return in_json(health, status=200 if trouble is None else 503)


async def _refuse_plain_desk(_: web.Request) -> web.Response:
    raise Problem(426, "upgradeRequired", "a desk is a WebSocket: ask for an upgrade")


@web.middleware
async def _answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer is JSON, also those that say what went wrong; every connection carries one request."""
    try:
        response = await handler(request)
    except Problem as problem:
        response = _problem(problem.status, problem.code, problem.message)
        if problem.status == 426:
            response.headers["Upgrade"] = "websocket"
    except web.HTTPException as error:
        # Not by its reason, which is the standard library's: since Python 3.13 it is another for 413, 414, 416 and 422.
        response = _problem(error.status, type(error).__name__.removeprefix("HTTP"), _describe(request, error))
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
    return in_json({"code": code[:1].lower() + code[1:], "message": message}, status=status)
