"""The heartbeat: a real server is asked for after evaluations, and none of these waits for it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest

from access.outgoing import Outgoing
from analytics.run import Analytics
from analytics.state import OneState
from gateway.config.settings import Settings, SettingsError
from gateway.observability.telemetry import Telemetry
from gateway.opening.outside import heartbeat_url
from gateway.processes.alerting import Alerting
from gateway.processes.heartbeat import Heartbeat
from storage.connections.database import Database
from storage.errors import Unavailable
from storage.keeping.windows import DEFAULT
from tests.alerts.delivery.receivers import OK, answer, eventually, receiver
from tests.alerts.delivery.stage import NOW, watch
from tests.alerts.engine import Engine


class Worker:
    """A worker's alerting and its heartbeat, on a clock that tests move."""

    def __init__(self, database: Database, url: str, outgoing: Outgoing) -> None:
        self.now, self.telemetry = NOW, Telemetry()
        self.alerting = Alerting(database, DEFAULT, "one", self.telemetry, lambda: self.now)
        beat = self.alerting.metrics.beat
        self.heartbeat = Heartbeat(url, outgoing, lambda: self.alerting.ticked_at, beat)

    async def go_on(self, seconds: int, *, follows: bool = True) -> None:
        """Evaluates every ten seconds, with a heartbeat where one is due."""
        for _ in range(seconds // 10):
            if follows:
                await self.alerting.follow()
            await self.alerting.tick()
            await self.heartbeat.step()
            self.now += timedelta(seconds=10)

    def count(self, outcome: str) -> float:
        text = generate_latest(self.telemetry.registry).decode()
        name = f'gateway_alerts_heartbeats_total{{outcome="{outcome}"}} '
        return float(text.partition(name)[2].partition("\n")[0])


async def test_a_checker_is_asked_for_as_long_as_rules_are_evaluated(own_database_url: str) -> None:
    database = await Database.open(own_database_url)
    async with receiver(OK, OK, OK, answer("503 Busy"), OK) as server:
        worker = Worker(database, server.url, server.outside().outgoing)
        await worker.go_on(60)
        assert server.requests == [], "it does not lead, so it evaluates nothing"
        await worker.alerting.lead()
        await worker.go_on(90)
        assert [request.path for request in server.requests] == ["/hook"] * 3
        assert (worker.count("delivered"), worker.count("failed")) == (3, 0)
        for _ in range(50):  # without an evaluation
            worker.now += timedelta(seconds=10)
            await worker.heartbeat.step()
        assert len(server.requests) == 3
        await worker.go_on(60)
        assert (worker.count("delivered"), worker.count("failed")) == (4, 1)
        await worker.alerting.resign()
    await database.close()


async def test_a_checker_is_not_asked_for_while_rules_are_evaluated_in_vain(
    own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await Database.open(own_database_url)
    async with receiver(*[OK] * 9) as server:
        worker = Worker(database, server.url, server.outside().outgoing)
        await worker.alerting.lead()
        await worker.go_on(30, follows=False)
        assert server.requests == [], "nobody has looked at what happens"
        await worker.go_on(30)
        assert len(server.requests) == 1
        await worker.go_on(150, follows=False)
        assert len(server.requests) == 3, "for another minute"
        await Engine(database, None, NOW).rule("shop", watch())  # type: ignore[arg-type]

        async def away(self: Analytics, questions: Sequence[Any], state: OneState) -> list[Any]:
            return [Unavailable("away") for _ in questions]

        with monkeypatch.context() as patched:
            patched.setattr(Analytics, "run_each", away)
            await worker.go_on(60)
        assert len(server.requests) == 3, "no statement can be read"
        await worker.go_on(30)
        assert len(server.requests) == 4
        await worker.alerting.resign()
    await database.close()


async def test_no_evaluation_waits_for_a_checker_that_hangs(own_database_url: str) -> None:
    database = await Database.open(own_database_url)
    async with receiver(hangs=True) as server:
        worker = Worker(database, server.url, server.outside().outgoing)
        await worker.alerting.lead()
        await worker.alerting.follow()
        await worker.alerting.tick()
        waiting = asyncio.create_task(worker.heartbeat.step())
        await eventually(lambda: bool(server.requests))
        first: datetime | None = worker.alerting.ticked_at
        worker.now += timedelta(seconds=10)
        await worker.alerting.tick()
        assert not waiting.done()
        assert first is not None
        assert worker.alerting.ticked_at == first + timedelta(seconds=10)
        await waiting
        assert worker.count("failed") == 1, "it gives up after the time of a request"
        await worker.alerting.resign()
    await database.close()


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://checks.example.com/abc", "must begin with https"),
        ("https://10.0.0.1/abc", "not a public address"),
        ("https://user:secret@checks.example.com/", "must not hold a user"),
        ("checks.example.com", "must be written like"),
    ],
)
def test_a_wrong_address_stops_the_start(url: str, part: str) -> None:
    settings = Settings(environment="demo", alert_heartbeat_url=url)
    with pytest.raises(SettingsError, match=part) as refused:
        heartbeat_url(settings)
    assert "secret@" not in str(refused.value)


def test_an_address_of_this_network_can_be_named() -> None:
    settings = Settings(
        environment="demo",
        alert_heartbeat_url="http://127.0.0.1:9/x",
        alert_local_hosts="127.0.0.1:9",
    )
    assert heartbeat_url(settings) == "http://127.0.0.1:9/x"
    assert heartbeat_url(Settings(environment="demo")) == ""
