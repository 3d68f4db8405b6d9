"""What the intake refuses of an SDK's events is told to the sender, and counted."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from access.budgets import Budgets
from access.drops import Drops
from access.limits import NO_LIMITS
from access.viewers import Viewer
from ingest.events import Code, EventStatus, Result
from ingest.formats.sentry.envelope import read_envelope
from ingest.formats.sentry.items import SdkEvent
from ingest.sdk_intake import EventsRefused, SdkIntake
from storage.admin.project_keys import ProjectKey
from storage.buckets import Buckets
from storage.connections.database import Database
from storage.errors import RateLimited, Unavailable
from tests.gateway.rest.sdks import envelope, event, item, new_key


class World:
    """An intake for SDKs on a recorder that answers as it is told."""

    def __init__(self, database: Database, redis: Redis, key: ProjectKey) -> None:
        self.key = key
        self.answer: Exception | list[Result] = []
        self.recorded: list[dict[str, Any]] = []
        self.handed_on: list[SdkEvent] = []
        self.dropped: Counter[tuple[str, str]] = Counter()
        budgets = Budgets(NO_LIMITS, Buckets(redis), database, lambda _budget, _allowed: None)
        drops = Drops(database, self.clock, self.on_dropped)
        self.intake = SdkIntake(self.record, database, drops, budgets, self.clock, self.on_recorded)

    def clock(self) -> datetime:
        return datetime.now(UTC)

    def on_dropped(self, category: str, reason: str, events: int) -> None:
        self.dropped[category, reason] += events

    def on_recorded(self, _key: ProjectKey, found: SdkEvent) -> None:
        self.handed_on.append(found)

    async def record(
        self, events: Sequence[dict[str, Any]], viewer: Viewer, *, size_bytes: int
    ) -> list[Result]:
        assert size_bytes > 0
        assert viewer.project_slugs == {self.key.project}
        if isinstance(self.answer, Exception):
            raise self.answer
        self.recorded += events
        return self.answer or [
            Result(index, event["id"], EventStatus.ACCEPTED) for index, event in enumerate(events)
        ]

    async def send(self, *items: bytes) -> None:
        await self.intake.receive(read_envelope(envelope(*items)), self.key)


@pytest.fixture
async def world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    database = await Database.open(database_url, pool_size=2)
    redis = Redis.from_url(redis_url)
    key = await new_key(database, takes_transactions=True)
    yield World(database, redis, key)
    await redis.aclose()
    await database.close()


async def test_a_spent_budget_of_the_project_is_told(world: World) -> None:
    world.answer = RateLimited("Too many.", retry_after_seconds=7.0)
    with pytest.raises(EventsRefused) as refusal:
        await world.send(item(event()), item(event()))
    assert refusal.value.retry_after_seconds == 7.0
    assert world.dropped == {("error", "project_budget"): 2}


async def test_a_database_that_is_away_is_no_success(world: World) -> None:
    world.answer = Unavailable("away")
    with pytest.raises(Unavailable):
        await world.send(item(event()), item(b"{}", "session"))
    assert world.dropped == {("error", "unavailable"): 1, ("session", "not_used"): 1}


async def test_each_event_that_is_not_stored_is_counted_with_its_reason(world: World) -> None:
    codes = (Code.TOO_OLD, Code.RATE_LIMITED, Code.NOT_STORABLE, Code.INVALID_TEXT)
    world.answer = [
        Result(0, None, EventStatus.ACCEPTED),
        Result(1, None, EventStatus.DUPLICATE),
        *(Result(at, None, EventStatus.REJECTED, code=code) for at, code in enumerate(codes, 2)),
    ]
    await world.send(*(item(event()) for _ in world.answer))
    assert world.dropped == {
        ("error", "duplicate"): 1,
        ("error", "too_old"): 1,
        ("error", "project_budget"): 1,
        ("error", "invalid"): 2,
    }
    # Only what was stored now is forwarded.
    assert len(world.handed_on) == 1


def request(user: str, name: str) -> bytes:
    contexts = {"trace": {"op": "http.server", "status": "ok"}}
    sent = event(type="transaction", transaction=name, contexts=contexts, user={"id": user})
    return item(sent, "transaction")


async def test_api_calls_hold_no_addresses(world: World) -> None:
    await world.send(
        request("7", "GET /orders"), request("ada@example.com", "GET /users/ada@example.com")
    )
    first, second = world.recorded
    assert (first["user"], first["endpoint"]) == ("7", "/orders")
    assert "user" not in second
    assert "ada@example.com" not in str(second)
    assert second["endpoint"].startswith("/users/")
    assert world.handed_on == []
