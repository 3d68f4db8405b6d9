"""The worker's part of alerts: it leads, evaluates when a tick is due, and says how late it is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest

from gateway.observability.telemetry import Telemetry
from gateway.processes.alerting import Alerting
from storage.connections.database import Database
from storage.keeping.windows import DEFAULT


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(own_database_url)
    yield opened
    await opened.close()


async def test_a_worker_that_leads_evaluates_every_ten_seconds(database: Database) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    telemetry = Telemetry()
    alerting = Alerting(database, DEFAULT, "first", telemetry, lambda: now)
    second = Alerting(database, DEFAULT, "second", Telemetry(), lambda: now)
    probe = second.check().probe

    async def ticks() -> str:
        await alerting.tick()
        await alerting.follow()
        lines = generate_latest(telemetry.registry).decode().splitlines()
        return next(each for each in lines if each.startswith("gateway_alerts_tick_seconds_count"))

    assert (await ticks()).endswith(" 0.0")  # it does not lead
    assert await probe() == "no worker has evaluated the alert rules yet"
    await alerting.lead()
    await second.lead()
    assert (await ticks()).endswith(" 1.0")
    assert await probe() is None
    now += timedelta(seconds=9)
    assert (await ticks()).endswith(" 1.0")
    now += timedelta(seconds=1)
    assert (await ticks()).endswith(" 2.0")
    await second.tick()
    await second.follow()
    now += timedelta(seconds=61)
    assert await probe() == "the alert rules were last evaluated 61 seconds ago"
    assert (await ticks()).endswith(" 3.0")
    text = generate_latest(telemetry.registry).decode()
    assert "gateway_alerts_leading 1.0" in text
    assert "gateway_alerts_missed_ticks_total 5.0" in text
    assert f"gateway_alerts_last_tick_timestamp_seconds {now.timestamp():.9e}" in text


async def test_it_is_late_too_if_rules_on_events_are(database: Database) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    alerting = Alerting(database, DEFAULT, "first", Telemetry(), lambda: now)
    await alerting.lead()
    await alerting.follow()
    await alerting.tick()
    assert await alerting.check().probe() is None
    now += timedelta(seconds=61)
    await alerting.tick()
    assert await alerting.check().probe() == "the alert rules were last evaluated 61 seconds ago"
