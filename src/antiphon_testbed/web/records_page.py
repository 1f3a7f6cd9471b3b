"""The records over HTTP: `GET /interactions/ID` one, `GET /interactions` page by page.

Parameters of a page: `since` (ISO 8601, UTC unless it says otherwise) for what began then or later, `user` for what
that user took part in, `limit` (1 to 1000, 100 by default), and `after`, where an earlier page ended. The answer is
`{"items": […], "next": …}`, the earliest first; `next` is the path of the next page, null on the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from antiphon_testbed.records import Cursor, Records
from antiphon_testbed.web.app import Problem, in_json

__all__ = ["RecordsPage"]

MOST: Final = 1000
USUAL: Final = 100
_PARAMETERS: Final = ("since", "user", "limit", "after")


class RecordsPage:
    """These records over HTTP."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Let them be read."""
        router.add_get("/interactions", self.show_page)
        router.add_get("/interactions/{id}", self.show_record)

    async def show_page(self, request: web.Request) -> web.Response:
        """`GET /interactions`: one page. Raises Problem for parameters that cannot be."""
        query = _single(request)
        page = self._records.page(
            since_ms=_moment_ms(query.get("since")),
            user=query.get("user"),
            limit=_limit(query.get("limit")),
            after=_cursor(query.get("after")),
        )
        following = None
        if page.next is not None:
            following = f"{request.path}?{urlencode({**query, 'after': str(page.next)})}"
        return in_json({"items": page.items, "next": following})

    async def show_record(self, request: web.Request) -> web.Response:
        """`GET /interactions/ID`: one record. Raises Problem if there is none."""
        interaction_id = request.match_info["id"]
        record = self._records.get(interaction_id)
        if record is None:
            raise Problem(404, "unknownInteraction", f"there is no interaction {interaction_id[:64]!r}")
        return in_json(record)


def _single(request: web.Request) -> Mapping[str, str]:
    unknown = sorted(set(request.query) - set(_PARAMETERS))
    if unknown:
        raise _bad(f"there is no parameter {unknown[0][:64]!r}; {', '.join(_PARAMETERS)} are")
    for name in _PARAMETERS:
        if len(request.query.getall(name, [])) > 1:
            raise _bad(f"{name} is given more than once")
    return dict(request.query)


def _moment_ms(text: str | None) -> int:
    if text is None:
        return 0
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(round(moment.timestamp() * 1000), 0)
    except (ValueError, OverflowError) as error:
        raise _bad(
            f"since={text[:64]!r} is no time; ISO 8601 is, as 2026-11-22T07:41:44.123Z (a + is written %2B)"
        ) from error


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= MOST:
        raise _bad(f"limit={text[:64]!r} is no number from 1 to {MOST}")
    return int(text)


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    cursor = Cursor.read(text)
    if cursor is None:
        raise _bad(f"after={text[:64]!r} is no end of a page; follow the next of an earlier page")
    return cursor


def _bad(message: str) -> Problem:
    return Problem(400, "badRequest", message)
