"""The runner: freshness, retention, failures and the cache."""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from redis.asyncio import Redis

from analytics.answer import Answer, Source
from analytics.answer_cache import AnswerCache
from analytics.compile import MAX_CELLS
from analytics.components import count
from analytics.intervals import Interval
from analytics.measures import MEASURES
from analytics.merge import Batch
from analytics.periods import CalendarUnit, Duration, Range, calendar, rolling
from analytics.plan import Horizon, make_plan
from analytics.reading import read_answer
from analytics.run import Analytics
from analytics.slices import Filter, Slice
from storage.cache import Cache, CacheStatus, SharedCache
from storage.connections.database import Database
from storage.connections.query import Fetch
from storage.dimensions import NETWORK, TEMPLATE
from storage.errors import GatewayError, InvalidInput, LimitExceeded, Timeout
from storage.feed.versions import Versions
from storage.keeping.windows import Retention
from tests.analytics import oracle, world
from tests.analytics.questions import ALL, MARCH, RAGGED, TWO, question, run_many
from tests.analytics.test_oracle import check, matching
from tests.analytics.world import World


async def one(analytics: Analytics, **changes: object) -> Answer:
    (answer,) = await run_many(analytics, [question(**changes)])  # type: ignore[arg-type]
    return answer


async def each(analytics: Analytics, questions: list[Slice]) -> list[Answer | GatewayError]:
    state = analytics.state()
    try:
        return await analytics.run_each(questions, state)
    finally:
        state.release()


async def test_day_of_a_network_is_counted_by_hand(analytics: Analytics) -> None:
    span = Range(datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 7, tzinfo=UTC))
    network = Filter.of({NETWORK: [world.EXAMPLE_NETWORK]})
    answer = await one(analytics, span=span, filter=network, interval=Interval.DAY)
    fifth, sixth = answer.rows[()]
    counted = ("attempts", "succeeded", "failed", "rolled_back", "finishes", "active_projects")
    assert [MEASURES["deployment", name].value(fifth) for name in counted] == [3, 1, 1, 1, 2, 2]
    assert [MEASURES["deployment", name].value(sixth) for name in counted] == [1, 0, 0, 0, 1, 1]
    assert MEASURES["deployment", "success_rate"].value(fifth) == pytest.approx(1 / 3)
    assert MEASURES["deployment", "average_duration_ms"].value(fifth) == 500
    assert MEASURES["deployment", "duration_p50_ms"].value(fifth) == 400
    assert MEASURES["deployment", "active_projects"].value(answer.total) == 2


async def test_groups_that_only_finished_have_no_active_projects(
    analytics: Analytics, deployments: World
) -> None:
    answer = await one(analytics, span=without_creations(deployments), group_by=[TEMPLATE])
    assert len(answer.totals) > 1
    found = [
        MEASURES["deployment", "active_projects"].value(cell) for cell in answer.totals.values()
    ]
    assert found == [0] * len(found)
    assert MEASURES["deployment", "active_projects"].value(answer.total) == 0


def without_creations(deployments: World) -> Range:
    """The time from a finish to just after the next one, of another template."""
    finishes = sorted((row.ended, row.ids["template"]) for row in deployments if row.ended)
    for (start, template), (last, other) in pairwise(finishes):
        end = last + timedelta(microseconds=1)
        if template != other and not any(start <= row.began < end for row in deployments):
            return Range(start, end)
    raise AssertionError("deployments were created between all finishes")


async def test_as_of_is_the_time_of_the_database(analytics: Analytics) -> None:
    before = datetime.now(UTC)
    answer = await one(analytics)
    assert before - timedelta(seconds=1) <= answer.as_of <= datetime.now(UTC) + timedelta(seconds=1)


async def test_past_range_is_complete(analytics: Analytics) -> None:
    answer = await one(analytics, interval=Interval.DAY)
    assert answer.complete
    assert not answer.approximate
    assert not any(bucket.open for bucket in answer.buckets)


async def test_range_up_to_now_is_open(analytics: Analytics) -> None:
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    span = Range(today - timedelta(days=2), today + timedelta(days=2))
    answer = await one(analytics, span=span, interval=Interval.DAY)
    assert not answer.complete
    assert [bucket.open for bucket in answer.buckets] == [False, False, True, True]
    days = [bucket.days for bucket in answer.buckets]
    assert days[:2] == [1, 1]
    assert days[2] == pytest.approx((answer.as_of - today) / timedelta(days=1))
    assert days[3] == 0
    assert MEASURES["deployment", "frequency_per_day"].value(answer.total, days=0.0) == 0.0


async def test_last_week_has_seven_days(analytics: Analytics) -> None:
    answer = await one(analytics, span=rolling(Duration(days=7), world.NOW))
    found = MEASURES["deployment", "frequency_per_day"].value(answer.total, days=answer.days)
    assert answer.days == 7
    assert found == count(answer.total, "finishes", "deployment") / 7


@pytest.mark.parametrize("interval", [None, Interval.DAY])
async def test_last_week_has_all_seven_days_while_its_minute_runs(
    analytics: Analytics, interval: Interval | None
) -> None:
    span = rolling(Duration(days=7), datetime.now(UTC) + timedelta(seconds=59))
    answer = await one(analytics, span=span, interval=interval)
    assert answer.buckets[-1].open
    assert answer.days == 7
    assert sum(bucket.days for bucket in answer.buckets) == pytest.approx(7)


async def test_hour_in_which_clocks_go_back_is_an_hour(
    analytics: Analytics, deployments: World
) -> None:
    start, end = datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
    answer = await one(analytics, span=Range(start, end), zone="Europe/Berlin")
    finished = [row for row in deployments if row.ended and start <= row.ended < end]
    assert finished
    found = MEASURES["deployment", "frequency_per_day"].value(answer.total, days=answer.days)
    assert found == pytest.approx(24 * len(finished))


@pytest.mark.parametrize("interval", [None, Interval.HOUR])
async def test_day_in_which_clocks_go_back_is_one_day(
    analytics: Analytics, interval: Interval | None
) -> None:
    day = calendar(CalendarUnit.DAY, "Europe/Berlin", on=date(2026, 10, 25))
    answer = await one(analytics, span=day, interval=interval, zone="Europe/Berlin")
    assert answer.days == 1


@pytest.mark.parametrize(
    ("span", "source"),
    [
        (MARCH, Source.ROLLUP),
        (RAGGED, Source.MIXED),
        (Range(RAGGED.start, RAGGED.start + timedelta(minutes=3)), Source.RAW),
    ],
)
async def test_source_says_what_was_read(
    analytics: Analytics, span: object, source: Source
) -> None:
    assert (await one(analytics, span=span, distinct=False)).source is source


async def test_small_ranges_are_exact_and_large_ones_within_the_bound(
    analytics: Analytics,
) -> None:
    large = await one(analytics, span=RAGGED)
    small = await one(analytics, span=Range(RAGGED.start, RAGGED.start + timedelta(days=9)))
    assert large.total.durations_us is None
    assert small.total.durations_us is not None


OLD_NOW = datetime(2026, 6, 25, tzinfo=UTC)  # 90 days after 27 March


@pytest.fixture
def forgetful(world_database: Database) -> Analytics:
    """Analytics that stores hours and facts from 27 March on, and days from 5 March."""
    return Analytics(world_database, None, Retention(day_days=112), lambda: OLD_NOW)


@pytest.mark.parametrize("scope", [ALL, TWO], ids=["platform", "projects"])
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
async def test_old_local_days_are_the_nearest_utc_days(
    forgetful: Analytics, deployments: World, scope: object, zone: str
) -> None:
    span = Range(datetime(2026, 3, 8, 18, 30, tzinfo=UTC), datetime(2026, 4, 5, tzinfo=UTC))
    asked = question(span, scope, interval=Interval.DAY, zone=zone)  # type: ignore[arg-type]
    (answer,) = await run_many(forgetful, [asked])
    assert answer.approximate
    for bucket, found in zip(answer.buckets, answer.rows[()], strict=True):
        start, end = nearest(bucket.start), nearest(bucket.end)
        expected = oracle.cell(matching(deployments, asked), start, end)
        for name in ("attempts", "failed", "finishes", "active_projects"):
            assert MEASURES["deployment", name].value(found) == oracle.measures("deployment")[name](
                expected
            )


@pytest.mark.parametrize("percent", [50, 90, 95, 99])
async def test_percentiles_are_exact_only_where_events_are_kept(
    forgetful: Analytics, deployments: World, percent: int
) -> None:
    measure = MEASURES["deployment", f"duration_p{percent}_ms"]
    retained_from, end = datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    for start, exact in ((retained_from, True), (retained_from - timedelta(days=1), False)):
        asked = question(Range(start, end), TWO)
        (answer,) = await run_many(forgetful, [asked])
        cell = oracle.cell(matching(deployments, asked), start, end)
        assert 0 < len(cell.ended) < 1_000
        found, wanted = measure.value(answer.total), oracle.percentile_ms(cell, percent)
        assert wanted is not None
        assert (found == wanted) is exact
        assert found == pytest.approx(wanted, rel=measure.error_bound)


def nearest(at: datetime) -> datetime:
    """The nearest UTC midnight where only days are stored, else the moment itself."""
    if at >= datetime(2026, 3, 27, tzinfo=UTC):
        return at
    return (at + timedelta(hours=12)).replace(hour=0, minute=0, second=0, microsecond=0)


async def test_utc_days_stay_exact_where_only_they_are_kept(
    forgetful: Analytics, deployments: World
) -> None:
    span = Range(datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 4, 5, tzinfo=UTC))
    asked = question(span, interval=Interval.DAY)
    (answer,) = await run_many(forgetful, [asked])
    assert not answer.approximate
    assert answer.complete
    check(answer, asked, deployments)


async def test_range_beyond_all_that_is_kept_is_not_complete(forgetful: Analytics) -> None:
    gone = Range(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    answer = await one(forgetful, span=gone, interval=Interval.DAY)
    assert not answer.complete
    assert not any(answer.total.counts)
    assert not (await one(forgetful, span=MARCH)).complete


async def test_failure_takes_only_its_own_place(forgetful: Analytics) -> None:
    span = Range(datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC))
    refused, fine = await each(
        forgetful, [question(span, interval=Interval.HOUR), question(span, interval=Interval.DAY)]
    )
    assert isinstance(refused, InvalidInput)
    assert isinstance(fine, Answer)
    with pytest.raises(InvalidInput):
        await run_many(forgetful, [question(span, interval=Interval.HOUR)])


async def test_failing_statement_is_the_answer_of_its_questions(world_url: str) -> None:
    database = await Database.open(world_url, statement_timeout_seconds=0.001)
    analytics = Analytics(database, None, world.KEPT, lambda: world.NOW)
    found = await each(analytics, [question(), question(MARCH)])
    await database.close()
    assert all(isinstance(each, Timeout) for each in found)


def test_too_many_cells_are_refused() -> None:
    asked = question(MARCH)
    plan = make_plan(asked, Horizon.at(world.KEPT, world.NOW))
    with pytest.raises(LimitExceeded, match="cells"):
        read_answer(asked, plan, [(world.NOW, None, None)] * (MAX_CELLS + 2), world.NOW)


@dataclass
class Cached:
    """Analytics that share Redis, each with a memory of its own, like several processes."""

    database: Database
    redis: Redis
    kept: list[AnswerCache] = field(default_factory=list)

    def make(self) -> Analytics:
        cache = Cache(SharedCache(self.redis, lambda: 0.0), world.NOW.timestamp)
        self.kept.append(AnswerCache(cache, Versions(self.database, time.monotonic)))
        return Analytics(self.database, self.kept[-1], world.KEPT, lambda: world.NOW)

    async def settled(self) -> None:
        for kept in self.kept:
            await kept.settled()


@pytest.fixture
async def cached(world_database: Database, redis_url: str) -> AsyncIterator[Cached]:
    redis = Redis.from_url(redis_url)
    await redis.flushdb()
    processes = Cached(world_database, redis)
    yield processes
    await processes.settled()
    await redis.aclose()


async def test_kept_answer_equals_the_computed_one(cached: Cached, analytics: Analytics) -> None:
    asked = [question(), question(MARCH, TWO, interval=Interval.DAY), question(histogram=False)]
    first = cached.make()
    missed = await run_many(first, asked)
    await cached.settled()
    hit = await run_many(first, asked)
    elsewhere = await run_many(cached.make(), asked)
    assert {answer.cache for answer in missed} == {CacheStatus.MISS}
    assert {answer.cache for answer in hit + elsewhere} == {CacheStatus.HIT}
    timeless = [[_without_time(one) for one in answers] for answers in (missed, hit, elsewhere)]
    assert timeless[0] == timeless[1] == timeless[2]
    assert all(then.as_of < now.as_of for then, now in zip(missed, hit, strict=True))
    fresh = await run_many(analytics, asked)
    assert [answer.total for answer in hit] == [answer.total for answer in fresh]
    assert [answer.rows for answer in hit] == [answer.rows for answer in fresh]
    assert [answer.buckets for answer in hit] == [answer.buckets for answer in fresh]


async def test_ages_are_computed_each_time(cached: Cached) -> None:
    span = Range(world.NOW - timedelta(days=1), datetime.now(UTC) + timedelta(days=1))
    asked = [question(), question(span, fact="certificate", ages=True)]
    process = cached.make()
    then = await run_many(process, asked)
    await cached.settled()
    now = await run_many(process, asked)
    assert [answer.cache for answer in now] == [CacheStatus.HIT, CacheStatus.MISS]
    passed_us = (now[1].as_of - then[1].as_of) // timedelta(microseconds=1)
    assert now[1].total.ages == tuple((age or 0) + passed_us for age in then[1].total.ages)


async def test_failure_behind_the_cache_takes_only_its_own_place(
    cached: Cached, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.reading.MAX_CELLS", 20)
    refused, fine = await each(
        cached.make(), [question(MARCH, interval=Interval.HOUR), question(MARCH)]
    )
    assert isinstance(refused, LimitExceeded)
    assert isinstance(fine, Answer)


async def test_failure_behind_the_cache_has_nothing_computed_twice(
    cached: Cached, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.reading.MAX_CELLS", 20)
    asked: list[Slice] = []
    read = Analytics._read

    async def counted(self: Analytics, parts: Sequence[Batch], fetch: Fetch) -> Any:
        asked.extend(part.question for part in parts)
        return await read(self, parts, fetch)

    monkeypatch.setattr(Analytics, "_read", counted)
    questions = [question(MARCH, interval=Interval.HOUR), question(MARCH), question(RAGGED)]
    refused, *fine = await each(cached.make(), questions)
    assert isinstance(refused, LimitExceeded)
    assert all(isinstance(each, Answer) for each in fine)
    assert len(asked) == len(set(asked)) == 3


async def test_database_failure_behind_the_cache_is_every_answer(world_url: str) -> None:
    impatient = await Database.open(world_url, statement_timeout_seconds=0.001)
    kept = AnswerCache(Cache(None, world.NOW.timestamp), Versions(impatient, time.monotonic))
    analytics = Analytics(impatient, kept, world.KEPT, lambda: world.NOW)
    found = await each(analytics, [question(), question(MARCH)])
    await impatient.close()
    assert all(isinstance(one, Timeout) for one in found)


def _without_time(answer: Answer) -> Answer:
    return replace(answer, as_of=world.NOW)
