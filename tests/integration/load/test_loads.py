"""A load in virtual time, over memory: what begins and when, what is counted, how it ends, and what is kept."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon import (
    Accepted,
    Actor,
    Json,
    Link,
    LoadInconclusive,
    RecordingError,
    ScenarioError,
    Stand,
    ThresholdCrossed,
    action,
    await_signal,
    call,
    listen,
    on,
    scenario,
    signal,
    together,
    wait,
)
from antiphon.journal.figures import ConversationKept, LoadEnded, LoadStarted, Second
from antiphon.journal.file import FILE_NAME, JournalWriter, read_journal
from antiphon.journal.load_file import LOAD_FILE_NAME, read_load
from antiphon.load import loads
from antiphon.load.feed import feed
from antiphon.load.keeping import Keep
from antiphon.load.loads import Load, perform_load
from antiphon.load.part import part
from antiphon.load.plan import Plan
from antiphon.testing import VirtualTimeLoop
from antiphon.transport.memory import MemoryNetwork

DIALECT = Json(name="action", body="data", reply="result{Name}", failed={"result": "error"})


class Server(Actor):
    """Answers after `delay_s`; counts what it was asked, and remembers when."""

    line = Accepted(dialect=DIALECT)
    delay_s = 0.0
    asked: list[tuple[float, Any]]
    wrong: set[int]

    @on("call")
    async def call(self, request: Any) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        type(self).asked.append((loop.time(), request["number"]))
        delay_s = type(self).delay_s
        if delay_s:
            await asyncio.sleep(delay_s)
        state = "held" if len(type(self).asked) - 1 in type(self).wrong else "connected"
        return {"id": f"c-{len(type(self).asked):06}", "state": state}


class Caller(Actor, user=False):
    line = Link("{peer}", dialect=DIALECT, within_s=5)

    @action
    async def outbound_call(self, number: str) -> None:
        reply = await self.ask("call", number=number, check={"state": "connected"})
        self.interaction_id = reply["id"]


@scenario
async def calling(caller: Caller, number: str = "890", talk_s: float = 1.0) -> None:
    await caller.outbound_call(number)
    await wait(talk_s)


Loading = Callable[..., Load]


@pytest.fixture
def server() -> type[Server]:
    class Fresh(Server):
        asked: list[tuple[float, Any]] = []  # noqa: RUF012 - of this class alone
        wrong: set[int] = set()  # noqa: RUF012

    return Fresh


@pytest.fixture
def load_with(server: type[Server]) -> Loading:
    """Performs a plan against the server, in virtual time; a load that did not pass is given as well."""

    async def perform_here(plan: Plan, options: dict[str, Any]) -> Load:
        network = MemoryNetwork()
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        async with await listen("memory://peer", lambda _opening: server(), listener=network):
            try:
                return await perform_load(plan, stand=stand, **{"runs": None, **options})
            except (ThresholdCrossed, LoadInconclusive) as error:
                load: Load = error.load
                return load

    def perform(plan: Plan, **options: Any) -> Load:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(perform_here(plan, options))

    return perform


def test_conversations_begin_when_they_are_due_however_long_others_take(
    load_with: Loading, server: type[Server]
) -> None:
    server.delay_s = 3.0
    load = load_with(Plan(part(calling, rate="2/s"), during=10))

    moments = [at_s for at_s, _ in server.asked]
    assert [round(after - moments[0], 3) for after in moments] == [index / 2 for index in range(20)]
    assert load.figures.total.started == load.figures.total.passed == 20
    assert load.verdict == "passed", load.doubts


def test_users_begin_anew_when_their_conversation_has_ended_and_they_have_paused(
    load_with: Loading, server: type[Server]
) -> None:
    load = load_with(Plan(part(calling, users=3, pause=1), during=10))

    # A conversation takes a second, and the pause another: 5 each in 10 s.
    assert len(server.asked) == load.figures.total.started == load.figures.total.passed == 15
    assert load.figures.most_live <= 3


def test_exactly_so_many(load_with: Loading, server: type[Server]) -> None:
    load = load_with(Plan(part(calling, rate="50/s"), count=7))

    assert len(server.asked) == load.figures.total.passed == 7
    assert load.verdict == "passed"
    assert load.figures.asking_ns <= 1.1e9  # they began in the first second, and nothing was asked for after that


def test_a_shard_that_none_of_a_count_is_for_has_not_failed(load_with: Loading, server: type[Server]) -> None:
    plan = Plan(part(calling, rate="50/s"), count=2)

    assert [load_with(plan.shard(k, 3)).verdict for k in (1, 2, 3)] == ["passed"] * 3
    assert len(server.asked) == 2


def test_the_books_are_the_servers(load_with: Loading, server: type[Server]) -> None:
    server.wrong = {3, 5, 8}
    load = load_with(Plan(part(calling, rate="10/s"), during=2))

    total = load.figures.total
    assert (total.started, total.passed, total.failed) == (len(server.asked), 17, 3)
    assert load.figures.series["calling"].histogram.count == 20
    assert load.figures.series["calling/outbound_call"].histogram.count == 20
    assert load.figures.series["calling/outbound_call"].errors == 3
    assert load.figures.series["calling/outbound_call/call"].histogram.count == 20
    assert load.figures.traffic.sent == load.figures.traffic.received == 20
    (cause,) = load.figures.causes
    assert cause.count == 3
    assert "state" in cause.text
    assert "held" in cause.text
    assert load.figures.audit.problems == []
    assert load.verdict == "failed"  # nobody said how many may fail, so none may


def test_a_threshold_says_how_many_may_fail(load_with: Loading, server: type[Server]) -> None:
    server.wrong = {3}
    assert load_with(Plan(part(calling, rate="10/s"), during=2, thresholds=["errors <= 5%"])).verdict == "passed"


def test_a_stalled_server_shows_in_the_time_since_conversations_were_due(
    load_with: Loading, server: type[Server]
) -> None:
    server.delay_s = 4.0
    load = load_with(Plan(part(calling, users=1, pause=0), during=8))

    # Two conversations of 4 s and a second of talk each.
    whole = load.figures.series["calling"].histogram
    assert whole.count == 2
    assert 4_999_000 <= whole.min_us <= whole.max_us <= 5_010_000


def test_a_load_that_a_threshold_ends_ends_early(load_with: Loading, server: type[Server]) -> None:
    server.delay_s = 2.0
    plan = Plan(part(calling, rate="5/s"), during=60, thresholds=["outbound_call p95 < 1s for 5s"])
    load = load_with(plan)

    assert load.verdict == "failed"
    assert load.figures.duration_ns < 12e9
    judged = {each.threshold: each for each in load.figures.thresholds}
    assert judged["outbound_call p95 < 1s for 5s"].ended_the_load
    assert load.figures.total.interrupted > 0
    assert load.figures.audit.problems == []


def test_those_under_way_may_end_within_the_grace_and_the_rest_is_interrupted(
    load_with: Loading, server: type[Server]
) -> None:
    plan = Plan(part(calling, rate="1/s", talk_s=10), during=5, grace_s=8)
    load = load_with(plan)

    total = load.figures.total
    # Begun at 0 to 4 s, they would end at 10 to 14 s: the last three are still under way at 13 s, but for the one which
    # ends in that very moment.
    assert total.started == 5
    assert total.passed + total.interrupted == 5
    assert 1 <= total.interrupted <= 2
    assert 12.9e9 < load.figures.duration_ns < 14e9


@scenario
async def hanging(number: int) -> None:
    await wait(0.1 if number < 10 else 1_000)


def test_a_system_that_hangs_until_the_load_ends_has_not_passed(load_with: Loading) -> None:
    """Those that would tell of it are in no figure, as nobody waited for their end."""
    numbers = feed(list(range(30)))
    plan = Plan(part(hanging, rate="10/s", number=numbers), during=3, grace_s=1, thresholds=["hanging p95 < 1s"])
    load = load_with(plan)

    assert load.verdict == "inconclusive"
    assert load.figures.total.passed == 10
    (doubt,) = load.doubts
    assert doubt.startswith("20 of 30 conversations were under way when the load ended, for longer than any that has")


def test_what_a_load_without_grace_breaks_off_is_no_doubt(load_with: Loading, server: type[Server]) -> None:
    load = load_with(Plan(part(calling, rate="10/s"), during=5, grace_s=0))

    assert load.figures.total.interrupted > 5
    assert load.verdict == "passed", load.doubts


@pytest.mark.parametrize("share", [(1, 1), (2, 2)])
def test_fewer_conversations_than_were_to_be_are_a_doubt(load_with: Loading, share: tuple[int, int]) -> None:
    """Whoever asks for exactly 100 and gets 4 has not got them, however well these went."""
    plan = Plan(part(calling, users=2, talk_s=1), count=100, during=2).shard(*share)
    load = load_with(plan)

    assert load.verdict == "inconclusive"
    begun, wanted = load.figures.total.started, 100 // share[1]
    assert load.doubts == [f"{begun} of the {wanted} conversations of calling were to begin until the load ended"]


def test_a_feed_that_has_fewer_values_than_there_were_to_be_conversations_is_a_doubt(load_with: Loading) -> None:
    load = load_with(Plan(part(calling, users=1, count=10, number=feed(iter(["890", "891"])))))

    assert load.doubts == ["2 of the 10 conversations of calling were to begin until the load ended"]


def test_a_rate_is_of_the_time_in_which_any_were_asked_for_also_behind_a_stage_of_nothing(load_with: Loading) -> None:
    stages = "0/s for 3s, 4/s for 2s, 0/s for 3s, 4/s for 2s, 0 for 2s"
    load = load_with(Plan(part(calling, stages=stages, talk_s=0), thresholds=["rate > 3.9/s", "rate < 4.1/s"]))

    assert load.figures.total.started == 16
    assert load.verdict == "passed", [each.measured for each in load.figures.thresholds]


def test_a_threshold_compares_with_no_baseline_that_may_not_be_trusted(load_with: Loading, tmp_path: Path) -> None:
    for name in ("before", "after", "alone"):
        (tmp_path / name).mkdir()
    lacking = Plan(part(calling, users=1, count=10, number=feed(iter(["890", "891"]))))
    load_with(lacking, directory=tmp_path / "before")
    plan, before = Plan(part(calling, rate="2/s"), count=4), tmp_path / "before"
    compared = plan.with_thresholds(["outbound_call p95 < baseline +1000%"])
    load = load_with(compared, directory=tmp_path / "after", baseline=before)

    assert load.verdict == "inconclusive"
    assert load.doubts[0].startswith("the baseline's own numbers may not be trusted: 2 of the 10 conversations")
    # Only to be shown beside it is no doubt.
    assert load_with(plan, directory=tmp_path / "alone", baseline=before).verdict == "passed"


def test_what_is_recorded_is_what_was_measured(load_with: Loading, server: type[Server], tmp_path: Path) -> None:
    server.wrong = {1, 2, 4, 5, 7}
    load = load_with(
        Plan(part(calling, rate="10/s"), during=1),
        directory=tmp_path,
        keep=Keep(failed_per_cause=2, slowest=3, share=0.0),
    )

    entries = list(read_load(tmp_path / LOAD_FILE_NAME))
    assert isinstance(entries[0], LoadStarted)
    assert isinstance(entries[-1], LoadEnded)
    assert sum(second.parts["calling"].started for second in entries if isinstance(second, Second)) == 10
    kept = [entry for entry in entries if isinstance(entry, ConversationKept)]
    assert [each.why for each in kept].count("failed") == 2
    assert [each.why for each in kept].count("slowest") == 3
    for each in kept:
        journal = list(read_journal(tmp_path / each.directory / FILE_NAME))
        assert type(journal[0]).__name__ == "RunStarted"
        assert type(journal[-1]).__name__ == "RunEnded"
        assert (tmp_path / each.directory / "trace.html").is_file()
    assert load.figures.kept == kept or len(load.figures.kept) == len(kept)
    assert (tmp_path / "load.html").is_file()


def test_a_feed_gives_each_its_own_and_ends_the_part_when_it_is_used_up(
    load_with: Loading, server: type[Server]
) -> None:
    numbers = [f"89{index:03}" for index in range(6)]
    load = load_with(Plan(part(calling, rate="10/s", number=feed(numbers, order="unique")), during=5))

    assert [number for _, number in server.asked] == numbers
    assert load.figures.total.started == load.figures.total.due == 6
    assert load.verdict == "passed"


class Unpredicted(Exception):
    """What a type of the author's raises for a value that it does not take."""


class Extension:
    def __init__(self, text: str) -> None:
        if not text.isdigit():
            raise Unpredicted(f"{text} is no extension")
        self.text = text


@scenario
async def by_extension(caller: Caller, extension: Extension) -> None:
    await caller.outbound_call(extension.text)


def test_what_a_feed_gives_that_is_wrong_is_the_failure_of_that_conversation_alone(
    load_with: Loading, server: type[Server], tmp_path: Path
) -> None:
    file = tmp_path / "extensions.csv"
    file.write_text("extension\n100\nnone\n102\n")
    directory = tmp_path / "load"
    directory.mkdir()
    load = load_with(Plan(part(by_extension, feed(file, order="unique"), rate="10/s"), during=9), directory=directory)

    assert [number for _, number in server.asked] == ["100", "102"]
    assert (load.figures.total.passed, load.figures.total.failed) == (2, 1)
    (cause,) = load.figures.causes
    assert "none is no extension" in cause.text
    assert load.verdict == "failed", load.doubts
    # Of one that could not begin there is no record to keep, and the reports are made without it.
    assert {each.conversation for each in load.figures.kept} == {"by_extension-0", "by_extension-2"}
    assert (directory / "load.html").is_file()


def test_a_table_has_a_row_for_each_with_what_was_learnt(
    load_with: Loading, server: type[Server], tmp_path: Path
) -> None:
    server.wrong = {2}
    file = tmp_path / "calls.csv"
    columns = "conversation,number,interaction_id,outcome,caller.interaction_id,took_s"
    load_with(Plan(part(calling, rate="10/s"), count=4), table=f"{file}:{columns}")

    rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == columns.split(",")
    by_name = {row[0]: row for row in rows[1:]}
    assert by_name["calling-0"][:5] == ["calling-0", "890", "c-000001", "passed", "c-000001"]
    assert by_name["calling-2"][2:4] == ["", "failed"]
    assert len(rows) == 5


def test_a_column_that_is_always_empty_is_told(load_with: Loading, tmp_path: Path) -> None:
    plan = Plan(part(calling, rate="10/s"), count=2)
    load = load_with(plan, table=f"{tmp_path / 'calls.csv'}:conversation,interaction_id,telefone,cause")

    assert load.figures.ended is not None
    assert load.figures.ended.error == "no conversation had anything for telefone in the table"


def test_a_column_that_nobody_has_is_told_with_what_may_be_meant(load_with: Loading, tmp_path: Path) -> None:
    load = load_with(Plan(part(calling, rate="10/s"), count=1), table=f"{tmp_path / 'calls.csv'}:nummber,outcom,cause")

    assert load.figures.ended is not None
    assert load.figures.ended.error == (
        "no conversation had anything for nummber, outcom in the table; did you mean number, outcome?"
    )


NASTY = ["89,0", 'a "b"', "two\nlines", "=cmd|' /C calc'!A1", "@SUM(1)", "+49 (30) 1-2", "-0.5", "-1+cmd|x", "\t=1"]
SHOWN = ["89,0", 'a "b"', "two\nlines", "'=cmd|' /C calc'!A1", "'@SUM(1)", "+49 (30) 1-2", "-0.5", "'-1+cmd|x", "'\t=1"]


@scenario
async def telling(word: str, box: object = None) -> None: ...


def test_what_stands_in_a_cell_breaks_no_row_and_is_no_formula(load_with: Loading, tmp_path: Path) -> None:
    """A telephone number and one below 0 stay what they are."""
    file = tmp_path / "words.csv"
    boxes = [{"in": [1, {"deep": None}]}] * len(NASTY)
    load_with(
        Plan(part(telling, users=1, word=feed(NASTY, order="unique"), box=feed(boxes))), table=f"{file}:word,box.in"
    )

    with file.open(newline="", encoding="utf-8") as rows:
        told = list(csv.reader(rows))
    assert [row[0] for row in told] == ["word", *SHOWN]
    assert {row[1] for row in told[1:]} == {'[1,{"deep":null}]'}


def test_an_actor_in_a_table_is_who_it_was(load_with: Loading, server: type[Server], tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    load_with(Plan(part(calling, rate="10/s"), count=1), table=f"{file}:caller,conversation")

    assert file.read_bytes() == b"caller,conversation\r\n,calling-0\r\n"


def test_a_table_overwrites_nothing_but_a_table(load_with: Loading, tmp_path: Path) -> None:
    phones, notes = tmp_path / "phones.csv", tmp_path / "calls.py"
    phones.write_text("number\n890\n")
    notes.write_text("what is mine\n")
    plan = Plan(part(calling, rate="10/s", number=feed(str(phones))), count=1)
    for path in (phones, notes, tmp_path / "x" / ".." / "phones.csv"):
        (tmp_path / "x").mkdir(exist_ok=True)
        before = path.read_bytes()
        with pytest.raises(ScenarioError, match="--table would overwrite") as told:
            load_with(plan, table=f"{path}:conversation")
        assert told.value.hint is not None
        assert "give the table another name" in told.value.hint
        assert path.read_bytes() == before


def test_a_shard_has_its_rows_in_its_own_directory_too(load_with: Loading, tmp_path: Path) -> None:
    plan = Plan(part(calling, rate="10/s"), count=4).shard(2, 2)
    (directory := tmp_path / "shard").mkdir()
    load = load_with(plan, table=f"{tmp_path / 'calls.csv'}:conversation", directory=directory)

    own = (directory / "table.csv").read_bytes()
    assert (directory / "table.csv").stat().st_mode & 0o777 == 0o600
    assert own == (tmp_path / "calls.csv").read_bytes() == b"conversation\r\ncalling-1\r\ncalling-3\r\n"
    assert load.figures.started is not None
    assert load.figures.started.plan["table"] == ["conversation"]


async def fail_alone(number: int) -> None:
    raise ValueError(f"nobody hears of {number}")


@scenario
async def leaving_behind(caller: Caller, number: int) -> None:
    left = asyncio.get_running_loop().create_task(fail_alone(number))
    await asyncio.wait([left])


def test_what_conversations_leave_behind_is_counted_and_the_first_are_logged(
    load_with: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    load = load_with(Plan(part(leaving_behind, rate="20/s", number=feed(range(40))), count=40))

    assert load.figures.total.passed == 40
    logged = [record for record in caplog.records if record.name == "asyncio"]
    assert [str(record.exc_info[1]) for record in logged if record.exc_info] == [
        f"nobody hears of {number}" for number in range(10)
    ]
    assert load.figures.ended is not None
    assert load.figures.ended.error == ("in the event loop: Task exception was never retrieved: ValueError (40 times)")


class Onlooker:
    """Notes that it was told of the end."""

    is_closed = False

    def begin(self, director: Any, /) -> None: ...
    def see(self, entry: Any, /) -> None: ...
    def close(self) -> None:
        self.is_closed = True


class FullAtLast(JournalWriter):
    """A file of a network that tells only when it is closed that there was no more room."""

    def close(self) -> None:
        super().close()
        raise RecordingError("the journal cannot be written: No space left on device")


def test_whoever_looks_on_hears_of_the_end_also_where_the_record_cannot_be_closed(
    load_with: Loading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "JournalWriter", FullAtLast)
    watch = Onlooker()

    with pytest.raises(RecordingError, match="No space left"):
        load_with(Plan(part(calling, rate="10/s"), count=1), directory=tmp_path, watch=watch)

    assert watch.is_closed


def test_several_parts_each_by_its_own_model(load_with: Loading, server: type[Server]) -> None:
    plan = Plan(
        part(calling, rate="5/s", name="short", talk_s=0.1),
        part(calling, users=2, name="long", talk_s=4.0),
        during=8,
    )
    load = load_with(plan)

    assert load.figures.parts["short"].started == 40
    assert load.figures.parts["long"].started == 4
    assert load.figures.audit.problems == []


def test_a_refused_connection_is_a_failure_with_a_cause_and_the_rest_goes_on(load_with: Loading) -> None:
    class Nowhere(Actor, user=False):
        line = Link("memory://nowhere", dialect=DIALECT)

    @scenario
    async def nobody(actor: Nowhere) -> None: ...

    load = load_with(Plan(part(nobody, rate="10/s"), part(calling, rate="10/s"), during=1))

    assert load.figures.parts["nobody"].failed == 10
    assert load.figures.parts["calling"].passed == 10
    (cause,) = load.figures.causes
    assert (cause.error, cause.count) == ("ConnectFailed", 10)


def test_a_scenario_that_raises_is_a_failure_with_its_line(load_with: Loading) -> None:
    @scenario
    async def broken(caller: Caller) -> None:
        raise KeyError("telephone")

    load = load_with(Plan(part(broken, rate="10/s"), during=1))

    (cause,) = load.figures.causes
    assert (cause.error, cause.count) == ("KeyError", 10)
    assert "test_loads.py" in cause.text


def test_users_that_the_stand_does_not_have_are_said_before_anything_begins(
    load_with: Loading, server: type[Server]
) -> None:
    class Somebody(Actor):
        line = Link("{peer}", dialect=DIALECT)

    @scenario
    async def somebodys(somebody: Somebody) -> None: ...

    async def perform() -> None:
        stand = Stand("small", {"peer": "memory://peer"}, users=[{"name": "alice"}, {"name": "bob"}])
        await perform_load(Plan(part(somebodys, users=3), during=1), stand=stand, runs=None)

    with pytest.raises(ScenarioError, match="holds up to 3 users at once, and the stand 'small' has 2"):
        asyncio.run(perform())


def test_a_load_that_is_cancelled_tells_what_was(load_with: Loading, server: type[Server], tmp_path: Path) -> None:
    async def perform() -> None:
        network = MemoryNetwork()
        stand = Stand("test", {"peer": "memory://peer"}, transports={"memory": network})
        async with await listen("memory://peer", lambda _opening: server(), listener=network):
            plan = Plan(part(calling, rate="10/s"), during=60)
            task = asyncio.ensure_future(perform_load(plan, stand=stand, directory=tmp_path))
            await asyncio.sleep(5.0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(perform())

    entries = list(read_load(tmp_path / LOAD_FILE_NAME))
    ended = entries[-1]
    assert isinstance(ended, LoadEnded)
    assert ended.verdict == "interrupted"
    assert ended.audit.started == len(server.asked) == ended.audit.passed + ended.audit.interrupted
    assert ended.audit.interrupted > 0
    assert (tmp_path / "load.html").is_file()


@scenario(strict=True)
async def leaving(caller: Caller, is_heard: bool = True) -> None:
    caller.send("call", number="890")
    if is_heard:
        await caller.expect("resultCall")
    await wait(1)


def test_strict_conversations_are_strict_in_a_load(load_with: Loading) -> None:
    heard = part(leaving, rate="10/s", count=10, name="heard")
    load = load_with(Plan(heard, part(leaving, rate="10/s", count=10, name="left", is_heard=False)))

    parts = load.figures.parts
    assert [(name, parts[name].passed, parts[name].failed) for name in parts] == [("heard", 10, 0), ("left", 0, 10)]
    (cause,) = load.figures.causes
    assert (cause.error, cause.text.partition(",")[0]) == ("MessagesLeft", "nobody expected resultCall")
    # A reply to no request that is open, since nobody asked.
    assert load.figures.correctness == {"left over": 10, "stale": 10}


@scenario
async def meeting(caller: Caller, number: int) -> None:
    async def ask() -> None:
        await signal("open", number)
        assert await await_signal("back") == -number

    async def answer() -> None:
        heard = await await_signal("open")
        await wait(2)
        await signal("back", -heard)

    await together(call(ask), call(answer))


def test_signals_are_a_conversations_own(load_with: Loading) -> None:
    """Forty at once, each of whose actors hear each other and nobody else."""
    load = load_with(Plan(part(meeting, rate="20/s", number=feed(range(1, 101))), count=100))

    assert load.figures.most_live >= 40
    assert (load.figures.total.passed, load.figures.total.failed) == (100, 0)
