"""A centre that runs: its floor, its records and its doors, from opening to closing time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Final

from aiohttp import web

from antiphon import Opening, RejectConnection, Server, listen
from antiphon.conversation.clock import Clock
from antiphon_testbed.counters import Counters
from antiphon_testbed.desk import Desk
from antiphon_testbed.faults.injector import FaultInjector
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.floor.interactions import Interaction
from antiphon_testbed.options import Options
from antiphon_testbed.records import Records
from antiphon_testbed.seed import Seed
from antiphon_testbed.switchboard import Switchboard
from antiphon_testbed.users import Sessions, User
from antiphon_testbed.web.app import COOKIE, make_app
from antiphon_testbed.web.metrics import Metrics
from antiphon_testbed.web.reception import Reception
from antiphon_testbed.web.records_page import RecordsPage

__all__ = ["RunningCentre"]

MAX_FRAME_BYTES: Final = 1024 * 1024
"""A larger frame closes the desk with 1009."""

FLUSH_AFTER_S: Final = 0.25
"""How long changes of records are collected before they are written, so that no desk waits for each of them."""


class RunningCentre:
    """One run of a centre. It is there after `start`, and `server` is its listening end."""

    server: Server

    def __init__(self, options: Options, users: Sequence[User], database: str | Path | None) -> None:
        self._loop = asyncio.get_running_loop()
        # A loop in virtual time tells its own: pings, records and latencies then agree with what the loop waits for.
        self._clock = Clock(getattr(self._loop, "now_ns", time.monotonic_ns))
        self._started_ms = round(self._clock.started_at.timestamp() * 1000)
        self._flushing: asyncio.TimerHandle | None = None
        seed = Seed(options.seed)
        self._counters = Counters()
        self._injector = FaultInjector(options.faults, seed, self._counters.fault) if options.faults else None
        self._records = Records(database, self._now_ms())
        self._floor = Floor(
            seed=seed, timing=options.timing, ping_interval_s=options.ping_interval_s, changed=self._note_change
        )
        self._sessions = Sessions(users, seed)
        self._switchboard = Switchboard(
            self._floor, seed=seed, latency_s=options.latency_s, now_ms=self._now_ms, later=self._loop.call_later
        )
        app = make_app(self._sessions, self._floor, self._records)
        Reception(self._switchboard, self._records, self._sessions.skills).add_routes(app.router)
        RecordsPage(self._records).add_routes(app.router)
        Metrics(self._floor, self._counters, self._sessions, self._records).add_routes(app.router)
        self._web = web.AppRunner(app, access_log=None)

    @property
    def address(self) -> str:
        """Where it is, for HTTP."""
        return "http" + self.server.address.removeprefix("ws")

    @property
    def faults_happened(self) -> Mapping[str, int]:
        """How many faults have happened, by kind."""
        return self._counters.faults

    async def start(self, host: str, port: int) -> None:
        """Open the doors. TransportError if nobody can listen there."""
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            await self._web.setup()
            self.server = await listen(
                f"ws://{authority}", self._accept, http=self._web.server, max_size_bytes=MAX_FRAME_BYTES
            )
        except BaseException:
            await self._web.cleanup()
            self._records.close()
            raise

    async def stop(self) -> None:
        """Send everybody home, close the doors, write down the rest."""
        try:
            # The floor first: its records say centreStopped, and not that one desk after the other was disconnected.
            self._floor.close(self._now_ms())
            self._switchboard.close()
            await self.server.close()
            await self._web.cleanup()
        finally:
            if self._flushing is not None:
                self._flushing.cancel()
            self._records.close()

    def _accept(self, opening: Opening) -> Desk:
        if opening.path.partition("?")[0] != "/desk":
            raise RejectConnection(404, "there is no such WebSocket here; /desk is")
        user = self._sessions.user_of(_token(opening.headers))
        if user is None:
            raise RejectConnection(401, "log in first: the cookie session=TOKEN, or Authorization: Bearer TOKEN")
        return Desk(self._switchboard, user, self._counters, self._injector)

    def _note_change(self, interaction: Interaction) -> None:
        self._records.changed(interaction)
        self._counters.change(interaction)
        # One timer for all changes meanwhile: at a thousand desks there are thousands a second.
        if self._flushing is None:
            self._flushing = self._loop.call_later(FLUSH_AFTER_S, self._flush)

    def _flush(self) -> None:
        self._records.flush()
        # The disk did not let us; nothing is forgotten, and it is tried again.
        again = self._records.is_behind
        self._flushing = self._loop.call_later(FLUSH_AFTER_S, self._flush) if again else None

    def _now_ms(self) -> int:
        return self._started_ms + self._clock.now_ns() // 1_000_000


def _token(headers: Mapping[str, str]) -> str:
    """The token that an opening brings, "" if it brings none."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    try:
        morsel = SimpleCookie(headers.get("Cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""
