"""The database goes away and comes back: people are told without it, and it is stored."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts.delivery import KINDS
from alerts.watchdog import RULE_ID, Watchdog, answers
from gateway.config import migrations
from gateway.config.settings import Settings, SettingsError
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import running
from gateway.opening.outside import operations_channel
from storage.connections.database import Database
from tests.alerts.delivery.receivers import OK, Receiver, answer, receiver
from tests.alerts.delivery.stage import NOW, SECRET
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
