"""The database goes away and comes back: people are told without it, and it is stored."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from alerts.delivery import KINDS
from alerts.watchdog import RULE_ID, TOLD_AFTER, Watchdog, answers
from gateway.config import migrations
from gateway.config.settings import Settings, SettingsError
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import running
from gateway.opening.outside import operations_channel
from storage.alerts import outages
from storage.alerts.outages import Outage, Outages
from storage.connections.database import Database
from storage.connections.redis import open_redis
from tests.alerts.delivery.receivers import OK, Receiver, answer, receiver
from tests.alerts.delivery.stage import NOW, SECRET, Stage
from tests.servers import temporary_folder


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def hook(server: Receiver) -> Any:
    return KINDS["webhook"].of({"url": server.url}, {"secret": SECRET})


def told(server: Receiver) -> list[tuple[str, str]]:
    return [(one.document["status"], one.document["title"]) for one in server.requests]


AWAY = ("firing", "The database does not answer")
BACK = ("resolved", "The database answers again")


@pytest.fixture
async def redis(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    """A client of a Redis that knows of no outage, in which turns are short."""
    monkeypatch.setattr(outages, "TURN_SECONDS", 0.05)
    found = open_redis(redis_url)
    await found.delete(outages.KEY)
    yield found
    await found.delete(outages.KEY)
    await found.aclose()


@pytest.fixture
async def told_database(told: Stage) -> Database:
    """A database whose history of alerts is empty."""
    return told.database


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    with (
        temporary_folder() as folder,
        running(EmbeddedPostgres(folder, lambda _line: None, throw_away=True)) as server,
    ):
        migrations.upgrade(server.url())
        yield server


@pytest.mark.process
async def test_a_database_that_stops_is_told_by_itself(postgres: EmbeddedPostgres) -> None:
    clock = Clock()
    database = await Database.open(postgres.url())
    async with receiver() as server:
        outside = server.outside()

        async def probe() -> bool:
            return await answers(database)

        dog = Watchdog(database, probe, hook(server), outside, clock)
        await dog.step()
        await asyncio.to_thread(postgres.stop)
        for _ in range(6):
            await dog.step()
            clock.now += timedelta(seconds=5)
        assert told(server) == [], "not before thirty seconds have passed"
        for _ in range(3):
            await dog.step()
            clock.now += timedelta(seconds=5)
        assert told(server) == [AWAY]
        await asyncio.to_thread(postgres.start)
        for _ in range(3):
            await dog.step()
            clock.now += timedelta(seconds=5)
        assert told(server) == [AWAY, BACK]
        first, last = (one.document["alerts"][0] for one in server.requests)
        assert first["id"] == last["id"]
        assert (first["severity"], first["since"]) == ("critical", last["since"])
    async with database.connection() as connection:
        rows = await connection.fetch("select * from alert_events order by at")
    await database.close()
    assert [row["transition"] for row in rows] == ["firing", "resolved"]
    assert {(row["rule_id"], row["project_id"], row["severity"]) for row in rows} == {
        (RULE_ID, None, "critical")
    }
    assert {str(row["episode_id"]) for row in rows} == {first["id"]}


async def test_a_short_outage_is_not_told_and_a_failed_message_is_sent_again() -> None:
    clock, nothing, up = Clock(), Any, [False]

    async def probe() -> bool:
        return up[0]

    async with receiver(answer("503 Busy"), OK) as server:
        dog = Watchdog(nothing, probe, hook(server), server.outside(), clock)  # type: ignore[arg-type]
        for seconds in (0, 25):
            clock.now = NOW + timedelta(seconds=seconds)
            await dog.step()
        up[0] = True
        await dog.step()
        up[0] = False
        for seconds in (40, 60, 70, 75, 80):
            clock.now = NOW + timedelta(seconds=seconds)
            await dog.step()
        assert told(server) == [AWAY, AWAY], "the first was not taken"
        assert len(set(server.keys)) == 1


class Others:
    """Workers that see the same outage; each has a watchdog of its own."""

    def __init__(self, server: Receiver, outages: Outages, database: Any = None) -> None:
        self.clock, self.up = Clock(), False
        self._given = hook(server), server.outside(), self.clock, outages
        self._database = database

    def worker(self) -> Watchdog:
        async def probe() -> bool:
            return self.up

        return Watchdog(self._database, probe, *self._given)


async def pass_time(others: Others, *dogs: Watchdog, seconds: int) -> None:
    for _ in range(seconds // 5):
        await asyncio.gather(*(dog.step() for dog in dogs))
        others.clock.now += timedelta(seconds=5)


async def test_workers_tell_an_outage_under_one_key(redis: Redis, told_database: Database) -> None:
    """Also the end, and also by a worker that was started meanwhile."""
    async with receiver() as server:
        others = Others(server, Outages(redis), told_database)
        first, second = others.worker(), others.worker()
        await pass_time(others, first, seconds=10)
        await pass_time(others, first, second, seconds=60)
        assert told(server) == [AWAY], "the second learns that the first has told"
        others.up = True
        await asyncio.sleep(2 * outages.TURN_SECONDS)
        await pass_time(others, others.worker(), seconds=5)
        assert told(server) == [AWAY, BACK]
        await pass_time(others, first, second, seconds=10)
        assert told(server) == [AWAY, BACK]
        episodes = {one.document["alerts"][0]["id"] for one in server.requests}
        assert len(episodes) == 1
        others.up = False
        await pass_time(others, first, others.worker(), seconds=45)
        assert told(server) == [AWAY, BACK, AWAY]
        assert len(set(server.keys)) == 3, "it is another outage"
    async with told_database.connection() as connection:
        rows = await connection.fetch("select episode_id, transition from alert_events order by at")
    assert {str(row["episode_id"]) for row in rows} == episodes
    assert [row["transition"] for row in rows] == ["firing", "resolved"]


async def test_one_of_the_workers_that_look_at_the_same_moment_tells(redis: Redis) -> None:
    """Another one if that fails, under the same key."""
    async with receiver(answer("503 Busy"), OK) as server:
        others = Others(server, Outages(redis))
        dogs = [others.worker() for _ in range(3)]
        await pass_time(others, *dogs, seconds=35)
        assert told(server) == [AWAY], "it was not taken"
        await asyncio.sleep(2 * outages.TURN_SECONDS)
        await pass_time(others, *dogs, seconds=30)
        assert told(server) == [AWAY, AWAY]
        assert len(set(server.keys)) == 1


async def test_an_outage_whose_end_was_never_told_hides_no_later_one(redis: Redis) -> None:
    shared = Outages(redis)
    await shared.told(Outage(NOW - timedelta(hours=2), uuid4()), NOW - timedelta(hours=1))
    async with receiver() as server:
        others = Others(server, shared)
        dogs = [others.worker() for _ in range(2)]
        for dog in dogs:
            dog._is_new = False  # they run since before that one
        await pass_time(others, *dogs, seconds=60)
        assert told(server) == [AWAY]


async def test_an_outage_that_nobody_was_told_of_is_not_taken_for_the_next_one(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert TOLD_AFTER.total_seconds() > outages.UNTOLD_SECONDS
    monkeypatch.setattr(outages, "UNTOLD_SECONDS", 0.2)
    async with receiver(answer("503 Busy"), answer("503 Busy"), OK) as server:
        others = Others(server, Outages(redis))
        dog = others.worker()
        await pass_time(others, dog, seconds=40)
        assert server.requests, "somebody was to be told, and it was not taken"
        others.up = True
        await pass_time(others, dog, seconds=5)
        await asyncio.sleep(0.25)
        server.requests.clear()
        others.clock.now += timedelta(days=9)
        others.up = False
        await pass_time(others, dog, seconds=40)
        (alert,) = server.requests[-1].document["alerts"]
        assert alert["text"].startswith("It has not answered for 30 seconds.")
        assert alert["since"] == (NOW + timedelta(days=9, seconds=45)).isoformat()


async def test_without_redis_each_worker_tells_by_itself(told_database: Database) -> None:
    away = open_redis("redis://127.0.0.1:1/0")
    async with receiver() as server:
        others = Others(server, Outages(away), told_database)
        dogs = [others.worker() for _ in range(2)]
        await pass_time(others, *dogs, seconds=45)
        others.up = True
        await pass_time(others, *dogs, seconds=10)
        assert sorted(told(server)) == [AWAY, AWAY, BACK, BACK]
        assert len(set(server.keys)) == 4
    await away.aclose()


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"operations_url": "https://hooks.example.com/x"}, "OPERATIONS_SECRET: It needs at least"),
        ({"operations_url": "http://hooks.example.com/x"}, "OPERATIONS_SECRET"),
        ({"operations_url": "mailto:ops@example.com"}, "SMTP_URL must be set"),
        ({"operations_url": "carrier:pigeon", "operations_secret": SECRET}, "OPERATIONS_URL"),
    ],
)
def test_a_wrong_operations_channel_stops_the_start(fields: dict[str, str], part: str) -> None:
    settings = Settings(environment="demo", **fields)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=part) as refused:
        operations_channel(settings)
    assert SECRET not in str(refused.value)


def test_operations_are_told_by_webhook_or_mail() -> None:
    assert operations_channel(Settings(environment="demo")) is None
    by_hook = Settings(
        environment="demo", operations_url="https://a.example", operations_secret=SECRET
    )
    assert isinstance(operations_channel(by_hook), KINDS["webhook"])
    by_mail = Settings(
        environment="demo",
        operations_url="mailto:ops@example.com,b@example.com",
        smtp_url="smtp://mail.example.com",
        mail_from="alerts@example.com",
    )
    channel: Any = operations_channel(by_mail)
    assert channel.to == ("ops@example.com", "b@example.com")
