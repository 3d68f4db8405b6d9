"""All aggregates of an operation are of one state of the data."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from access.scopes import Scope
from analytics.answer import Answer
from analytics.answer_cache import AnswerCache
from analytics.intervals import Interval
from analytics.merge import Batch
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Slice
from dataloaders.loaders import Loaders
from storage.cache import Cache, CacheStatus
from storage.connections.database import Database
from storage.connections.query import Fetch, SqlQuery
from storage.dimensions import ENVIRONMENT, NETWORK
from storage.errors import GatewayError, Overloaded, Timeout, Unavailable
from storage.facts.deployments import DEPLOYMENTS
from storage.feed.versions import Versions
from storage.keeping.windows import Retention
from storage.rollups.repair import rebuild_day
from tests.analytics.questions import question, run_many
from tests.storage.states import NO_FLOORS, succeeded, write

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
WEEK = Range(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 8, tzinfo=UTC))
EARLIER = Range(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 8, tzinfo=UTC))
FOREVER = Retention(0, 0, 0, 0)
ONE = Scope.of((1,))


def asked(span: Range = WEEK, **changes: object) -> Slice:
    return question(span, ONE, histogram=False, distinct=False, **changes)  # type: ignore[arg-type]


DISTINCT = question(WEEK, ONE, interval=Interval.DAY, group_by=[NETWORK, ENVIRONMENT])
TOTAL, SERIES, BY_NETWORK = (
    asked(),
    asked(interval=Interval.DAY),
    asked(group_by=[NETWORK]),
)


class Observed:
    """The cache status of each answer."""

    def __init__(self) -> None:
        self.sources: list[CacheStatus] = []

    def take(self) -> list[CacheStatus]:
        taken = list(self.sources)
        self.sources.clear()
        return taken


@pytest.fixture
async def own_database(own_database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(own_database_url, pool_size=4)
    yield database
    await database.close()


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest.fixture
async def uncached(own_database: Database) -> Analytics:
    await happens(own_database)
    return Analytics(own_database, None, FOREVER, lambda: datetime.now(UTC))


@pytest.fixture
async def kept(own_database: Database, observed: Observed) -> AsyncIterator[AnswerCache]:
    cache = Cache(None, time.time)
    answers = AnswerCache(cache, Versions(own_database, time.monotonic), observed.sources.append)
    yield answers
    await answers.settled()


@pytest.fixture
async def cached(own_database: Database, kept: AnswerCache) -> Analytics:
    await happens(own_database)
    return Analytics(own_database, kept, FOREVER, lambda: datetime.now(UTC))


async def happens(database: Database, at: datetime = NOON) -> None:
    """One more deployment of project 1."""
    await write(database, [succeeded(at)])


def forgets(kept: AnswerCache) -> None:
    """Clears the process's memory of the version counters."""
    kept.versions._remembered.clear()


def attempts(answers: list[Answer | GatewayError]) -> list[int]:
    found = []
    for answer in answers:
        assert isinstance(answer, Answer), answer
        found.append(answer.total.counts[0])
    return found


async def test_batches_of_a_snapshot_see_nothing_that_comes_between(
    uncached: Analytics, own_database: Database
) -> None:
    state = uncached.state()
    first = attempts(await uncached.run_each([TOTAL], state))
    await happens(own_database)
    second = attempts(await uncached.run_each([SERIES, BY_NETWORK], state))
    state.release()
    assert (first, second) == ([1], [1, 1])
    assert not state.data_changed


async def test_state_that_began_without_a_snapshot_says_when_the_data_has_changed(
    uncached: Analytics, own_database: Database
) -> None:
    state = uncached.state(optimistic=True)
    assert attempts(await uncached.run_each([TOTAL], state)) == [1]
    await happens(own_database)
    await uncached.run_each([SERIES, BY_NETWORK], state)
    state.release()
    assert state.data_changed


async def test_change_of_other_days_moves_nothing(
    uncached: Analytics, own_database: Database
) -> None:
    state = uncached.state(optimistic=True)
    await uncached.run_each([TOTAL], state)
    await happens(own_database, NOON - timedelta(days=30))
    assert attempts(await uncached.run_each([SERIES, BY_NETWORK], state)) == [1, 1]
    state.release()
    assert not state.data_changed


async def test_one_statement_needs_no_snapshot(
    uncached: Analytics, own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none_left() -> None:
        raise Overloaded("no snapshot")

    monkeypatch.setattr(own_database, "snapshot", none_left)
    state = uncached.state(optimistic=True)
    assert attempts(await uncached.run_each([TOTAL], state)) == [1]
    assert state.versions.keys() == {TOTAL.tags()}


async def test_batch_of_several_statements_is_sent_as_one(
    uncached: Analytics, own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none_left() -> None:
        raise Overloaded("no snapshot")

    asked: list[str] = []
    fetch = own_database.fetch

    async def noted(query: SqlQuery, **parameters: object) -> object:
        asked.append(query.name)
        return await fetch(query, **parameters)

    monkeypatch.setattr(own_database, "snapshot", none_left)
    monkeypatch.setattr(own_database, "fetch", noted)
    state = uncached.state(optimistic=True)
    found = await uncached.run_each([TOTAL, SERIES, DISTINCT], state)
    assert attempts(found) == [1, 1, 1]
    assert asked == ["deployment_slices"]
    alone = await uncached.run_each([DISTINCT], uncached.state(optimistic=True))
    assert isinstance(alone[0], Answer)
    assert isinstance(found[2], Answer)
    assert (alone[0].total, alone[0].rows) == (found[2].total, found[2].rows)


async def test_part_that_fails_takes_none_of_the_others_with_it(
    uncached: Analytics, own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Analytics._read

    async def failing(self: Analytics, parts: Sequence[Batch], fetch: Fetch) -> object:
        if any(part.question == SERIES for part in parts):
            raise Timeout("The database took too long to answer")
        return await read(self, parts, fetch)

    monkeypatch.setattr(Analytics, "_read", failing)
    state = uncached.state(optimistic=True)
    found = await uncached.run_each([TOTAL, SERIES, BY_NETWORK], state)
    state.release()
    assert isinstance(found[1], Timeout)
    assert attempts([found[0], found[2]]) == [1, 1]


async def test_all_parts_bear_the_time_before_their_snapshot(
    uncached: Analytics, own_database: Database
) -> None:
    state = uncached.state()
    before = datetime.now(UTC)
    answers = await uncached.run_each([TOTAL, SERIES], state)
    after = datetime.now(UTC)
    await asyncio.sleep(0.01)
    answers += await uncached.run_each([BY_NETWORK], state)
    state.release()
    (as_of,) = {answer.as_of for answer in answers if isinstance(answer, Answer)}
    assert before <= as_of <= after


async def test_failing_statement_leaves_the_others_of_its_snapshot(
    uncached: Analytics, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = uncached.state()
    read = Analytics._read

    async def failing(self: Analytics, parts: Sequence[Batch], fetch: Fetch) -> object:
        if [part.question for part in parts] == [SERIES]:
            await state.fetch(SqlQuery("sleep", text("select pg_sleep(5)")))
        return await read(self, parts, fetch)

    monkeypatch.setattr(Analytics, "_read", failing)
    await state.look([])
    await state.fetch(SqlQuery("timeout", text("set local statement_timeout = 50")))
    found = await uncached.run_each([TOTAL, SERIES, BY_NETWORK], state)
    state.release()
    assert isinstance(found[1], Timeout)
    assert attempts([found[0], found[2]]) == [1, 1]


async def test_kept_parts_are_used_while_they_are_those_of_the_snapshot(
    cached: Analytics, kept: AnswerCache, own_database: Database, observed: Observed
) -> None:
    await run_many(cached, [TOTAL, SERIES])
    await kept.settled()
    observed.take()
    assert attempts(list(await run_many(cached, [TOTAL, SERIES, BY_NETWORK]))) == [1, 1, 1]
    assert sorted(observed.take()) == [CacheStatus.HIT, CacheStatus.HIT, CacheStatus.MISS]
    await kept.settled()
    await happens(own_database)
    # The counters that the process remembers still say that both are right.
    mixed = [TOTAL, SERIES, asked(group_by=[ENVIRONMENT])]
    assert attempts(list(await run_many(cached, mixed))) == [2, 2, 2]
    assert observed.take() == [CacheStatus.MISS] * 3


async def test_kept_answers_of_other_days_stay(
    cached: Analytics, kept: AnswerCache, own_database: Database, observed: Observed
) -> None:
    await run_many(cached, [TOTAL, asked(EARLIER)])
    await kept.settled()
    await happens(own_database)
    forgets(kept)
    observed.take()
    assert attempts(list(await run_many(cached, [asked(EARLIER)]))) == [0]
    assert attempts(list(await run_many(cached, [TOTAL]))) == [2]
    assert observed.take() == [CacheStatus.HIT, CacheStatus.MISS]


async def test_kept_answer_is_as_of_the_look_at_its_version(
    cached: Analytics, kept: AnswerCache
) -> None:
    (first,) = await run_many(cached, [TOTAL])
    await kept.settled()
    forgets(kept)
    before = datetime.now(UTC)
    (again,) = await run_many(cached, [TOTAL])
    assert (first.cache, again.cache) == (CacheStatus.MISS, CacheStatus.HIT)
    assert first.as_of < before <= again.as_of <= datetime.now(UTC)


async def test_those_who_ask_the_same_meanwhile_share_one_statement(
    cached: Analytics, observed: Observed
) -> None:
    answers = await asyncio.gather(*(run_many(cached, [TOTAL]) for _ in range(20)))
    assert {answer.total.counts[0] for (answer,) in answers} == {1}
    assert observed.take() == [CacheStatus.MISS]


async def test_asker_who_leaves_spoils_it_for_nobody(cached: Analytics) -> None:
    leaving = asyncio.create_task(run_many(cached, [TOTAL]))
    await asyncio.sleep(0)
    staying = asyncio.create_task(run_many(cached, [TOTAL]))
    await asyncio.sleep(0)
    leaving.cancel()
    (answer,) = await staying
    assert answer.total.counts[0] == 1


async def test_half_of_the_pool_stays_for_lists(own_database_url: str) -> None:
    database = await Database.open(own_database_url, pool_size=4)
    held = [await database.snapshot() for _ in range(2)]
    third = asyncio.create_task(database.snapshot())
    await asyncio.sleep(0.05)
    assert not third.done()
    async with database.connection() as connection:
        assert await connection.fetchval("select 1") == 1
    held[0].release()
    (await asyncio.wait_for(third, 5)).release()
    held[1].release()
    await database.close()


async def test_state_released_while_its_snapshot_begins_keeps_no_connection(
    uncached: Analytics, own_database: Database
) -> None:
    state = uncached.state()
    asking = asyncio.create_task(uncached.run_each([TOTAL], state))
    await asyncio.sleep(0)
    state.release()
    (found,) = await asking
    assert isinstance(found, Unavailable)
    (late,) = await uncached.run_each([TOTAL], state)
    assert isinstance(late, Unavailable)
    held = [await own_database.snapshot() for _ in range(2)]
    for each in held:
        each.release()


async def test_change_within_a_minute_reaches_answers_that_are_cut_there(
    cached: Analytics, kept: AnswerCache, own_database: Database
) -> None:
    cut = asked(Range(WEEK.start, NOON + timedelta(seconds=30)))
    later = NOON + timedelta(seconds=45)
    moving = {"deployment_id": uuid4(), "finished_at": NOON + timedelta(minutes=5)}
    await write(own_database, [succeeded(later, **moving)])
    assert attempts(list(await run_many(cached, [cut]))) == [1]
    await kept.settled()
    await write(own_database, [succeeded(NOON, **moving)])
    forgets(kept)
    assert attempts(list(await run_many(cached, [cut]))) == [2]


async def test_failure_that_nobody_waits_for_is_no_complaint(
    cached: Analytics, own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))

    async def failing(*_: object, **_more: object) -> object:
        await asyncio.sleep(0.05)
        raise Timeout("The database took too long to answer")

    monkeypatch.setattr(own_database, "fetch", failing)
    loader = Loaders(own_database, cached, ONE, optimistic=True).answers
    leaving = [
        asyncio.ensure_future(run_many(cached, [TOTAL])),
        asyncio.ensure_future(loader.load(SERIES)),
    ]
    await asyncio.sleep(0.01)
    while leaving:
        leaving.pop().cancel()
    await asyncio.sleep(0.1)
    loader.clear_all()
    gc.collect()
    assert faults == []


async def test_rebuild_of_the_platform_alone_reaches_its_answers(
    cached: Analytics, kept: AnswerCache, own_database: Database
) -> None:
    everything = question(WEEK, interval=Interval.DAY, histogram=False, distinct=False)
    assert attempts(list(await run_many(cached, [everything]))) == [1]
    await kept.settled()
    async with own_database.transaction() as connection:
        await connection.execute("delete from deployments")
        for grain in ("minute", "hour", "day"):
            await connection.execute(f"delete from deployment_project_{grain}")
    async with own_database.transaction() as connection:
        await rebuild_day(connection, DEPLOYMENTS, NOON.date(), NO_FLOORS)
    forgets(kept)
    assert attempts(list(await run_many(cached, [everything]))) == [0]
