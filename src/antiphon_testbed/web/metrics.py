"""`GET /metrics`: how the centre does, in the text that Prometheus reads (exposition format 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Final

from aiohttp import web

from antiphon_testbed.counters import Counters
from antiphon_testbed.floor.floor import Floor
from antiphon_testbed.records import Records
from antiphon_testbed.users import Sessions

__all__ = ["CONTENT_TYPE", "Family", "Metrics"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PREFIX: Final = "contact_centre_"
CHANNELS: Final = ("voice", "chat", "task")
"""Those that are told of even when there is nothing on them, so that their samples do not come and go."""

Labels = tuple[tuple[str, str], ...]


class Family:
    """One metric with all its samples: `kind` is "gauge" or "counter", whose name ends in `_total`."""

    def __init__(self, name: str, kind: str, help_text: str, samples: Mapping[Labels, int]) -> None:
        self._name = PREFIX + name
        self._kind = kind
        self._help = help_text
        self._samples = samples

    def lines(self) -> Iterator[str]:
        """Its help, its type, and its samples in the order of their labels."""
        yield f"# HELP {self._name} {_escape(self._help)}"
        yield f"# TYPE {self._name} {self._kind}"
        for labels, value in sorted(self._samples.items()):
            told = ",".join(f'{label}="{_escape(text, quote=True)}"' for label, text in labels)
            yield f"{self._name}{{{told}}} {value}" if told else f"{self._name} {value}"


class Metrics:
    """The metrics of a centre with these parts."""

    def __init__(self, floor: Floor, counters: Counters, sessions: Sessions, records: Records) -> None:
        self._floor = floor
        self._counters = counters
        self._sessions = sessions
        self._records = records

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Let them be read."""
        router.add_get("/metrics", self.show)

    async def show(self, _: web.Request) -> web.Response:
        """Answer with all of them."""
        return web.Response(body=self.text().encode(), headers={"Content-Type": CONTENT_TYPE})

    def text(self) -> str:
        """All of them, as they are now."""
        return "".join(f"{line}\n" for family in (*self._present(), *self._past()) for line in family.lines())

    def _present(self) -> Iterator[Family]:
        agents, workitems = self._floor.agents.values(), self._floor.workitems.values()
        yield Family("info", "gauge", "The version of the centre.", {(("version", version("antiphon")),): 1})
        yield Family("desks", "gauge", "Desks that are connected.", {(): len(agents)})
        yield _counted("agents", "gauge", "Agents at a desk, by state.", "state", Counter(a.state for a in agents))
        free: Counter[str] = Counter(dict.fromkeys(CHANNELS, 0))
        for agent in agents:
            free.update(agent.free)
        yield _counted("free_places", "gauge", "Room for further work at all desks, by channel.", "channel", free)
        yield Family(
            "workitems",
            "gauge",
            "Workitems at desks, by channel and state.",
            Counter((("channel", work.channel), ("state", work.state)) for work in workitems),
        )
        ledger, none = self._floor.ledger, dict.fromkeys(CHANNELS, 0)
        waiting = {**none, **ledger.queue.by_channel()}
        yield _counted("waiting", "gauge", "Contacts in the queue, by channel.", "channel", waiting)
        under_way = {**none, **Counter(contact.channel for contact in ledger.contacts.values())}
        yield _counted("contacts", "gauge", "Contacts that are not over, by channel.", "channel", under_way)
        yield Family(
            "records_unwritten", "gauge", "Whether records wait to be written.", {(): int(self._records.is_behind)}
        )

    def _past(self) -> Iterator[Family]:
        counters = self._counters
        yield _counted("logins_total", "counter", "Logins, by result.", "result", self._sessions.logins)
        yield Family("desks_opened_total", "counter", "Desks that have come.", {(): counters.opened})
        yield _counted("desks_closed_total", "counter", "Desks that have gone, by close code.", "code", counters.closed)
        yield Family(
            "interactions_ended_total",
            "counter",
            "Interactions whose talk is over, by channel, direction and outcome.",
            {
                (("channel", channel), ("direction", direction), ("outcome", outcome)): number
                for (channel, direction, outcome), number in counters.ended.items()
            },
        )
        yield _counted(
            "messages_received_total", "counter", "Messages of desks, by action.", "action", counters.received
        )
        yield _counted("messages_sent_total", "counter", "Messages to desks, by action.", "action", counters.sent)
        yield _counted("faults_total", "counter", "Faults that happened on purpose, by kind.", "kind", counters.faults)


def _counted(name: str, kind: str, help_text: str, label: str, counter: Mapping[str, int]) -> Family:
    return Family(name, kind, help_text, {((label, key),): number for key, number in counter.items()})


def _escape(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quote else text
