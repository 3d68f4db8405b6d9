"""From event to answer through the whole application: Postgres, roll-ups, Redis, GraphQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families
from redis.asyncio import Redis

from access.viewers import Role
from tests.gateway.application import as_role, eventually, running, settings_for

HOUR_SECONDS = 3600
STATUS = "query($id: ID!) { deployment(id: $id) { status durationMs } }"
DAYS = """query($p: [String!]!) { deploymentStats(filter: {projects: $p}, range: {last: "P7D"}) {
    attempts succeeded failed series(interval: DAY) { attempts successRate } } }"""
# Daily and hourly figures, a top list, percentiles, and the minutes of the last hours.
KINDS = """query($p: [String!]!) {
  deploymentStats(filter: {projects: $p}, range: {last: "P2D"}) {
    durationP95Ms byTemplate(first: 3) { name attempts }
    days: series(interval: DAY) { successRate } hours: series(interval: HOUR) { attempts }
  }
  past: deploymentStats(
    filter: {projects: $p}, range: {calendar: {unit: DAY, offset: -1}}
  ) { attempts }
  live: deploymentStats(filter: {projects: $p}, range: {last: "PT2H"}) {
    inProgress series(interval: MINUTE) { attempts }
  }
}"""


@dataclass(frozen=True)
class Gateway:
    """A started application and a project that only this test writes to."""

    client: httpx.AsyncClient
    project: str = field(default_factory=lambda: f"flow-{uuid4().hex[:8]}")

    async def send(self, deployment: str, event: str, at: datetime, **more: Any) -> str:
        """Record what the sources call an event; the deployment's id comes back."""
        body = {"event": event, "deployment_id": deployment, "project_id": self.project}
        body |= {"timestamp": at.isoformat(), "network": "metis", **more}
        (result,) = (await self.client.post("/v1/events", json=body)).json()["results"]
        assert result["status"] == "accepted", result
        return str(result["deployment"])

    async def ask(self, document: str, **variables: Any) -> Any:
        variables = {"p": [self.project]} | variables
        answer = await self.client.post(
            "/graphql", json={"query": document, "variables": variables}
        )
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    async def aggregate_statements(self) -> float:
        """How many statements over roll-ups this process has run so far."""
        text = (await self.client.get("/metrics")).text
        return sum(
            sample.value
            for family in families(text)
            for sample in family.samples
            if sample.name == "gateway_sql_statement_seconds_count"
            and sample.labels["query"].startswith("deployment_slice")
        )


@asynccontextmanager
async def started(database_url: str, redis_url: str, **changes: Any) -> AsyncIterator[Gateway]:
    settings = settings_for(database_url, redis_url, **changes)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:

        async def is_well() -> bool:
            return bool((await client.get("/ready")).json()["status"] == "ok")

        await eventually(is_well)
        yield Gateway(client)


@pytest.fixture
async def gateway(database_url: str, redis: Redis, redis_url: str) -> AsyncIterator[Gateway]:
    async with started(database_url, redis_url) as gateway:
        yield gateway


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


async def test_status_of_a_deployment_is_the_last_one_recorded(gateway: Gateway) -> None:
    """R21, R104: in the words of the sources, asked right after each answer, with no wait."""
    id = await gateway.send("d-1", "started", ago(minutes=3))
    assert await gateway.ask(STATUS, id=id) == {
        "deployment": {"status": "IN_PROGRESS", "durationMs": None}
    }
    await gateway.send("d-1", "progress", ago(minutes=2))
    await gateway.send("d-1", "completed", ago(minutes=1), status="success", duration_ms=1500)
    assert await gateway.ask(STATUS, id=id) == {
        "deployment": {"status": "SUCCEEDED", "durationMs": 1500}
    }
    await gateway.send("d-1", "rolled_back", ago(seconds=1))
    found = await gateway.ask(STATUS, id=id)
    assert found["deployment"]["status"] == "ROLLED_BACK"


async def test_event_goes_by_postgres_and_redis_to_the_answer(
    gateway: Gateway, database_url: str, redis: Redis
) -> None:
    """R106."""
    id = await gateway.send("d-1", "failure", ago(minutes=1))
    connection = await asyncpg.connect(database_url)
    rows = [
        await connection.fetchval(
            f"select count(*) from {table} where project_id ="
            " (select project_id from projects where slug = $1)",
            gateway.project,
        )
        for table in ("deployment_events", "deployments", "deployment_project_day", "changes")
    ]
    await connection.close()
    assert rows == [1, 1, 4, 1], id  # of roll-ups one in each cell

    async def is_answered_and_kept() -> bool:
        found = (await gateway.ask(DAYS))["deploymentStats"]
        return bool(found["failed"] == 1 and await redis.keys("answers*"))

    await eventually(is_answered_and_kept)


async def test_second_question_runs_no_statement_over_rollups(gateway: Gateway) -> None:
    """R56."""
    past = 'range: {calendar: {unit: DAY, offset: -1}}, filter: {networks: ["metis"]}'
    question = f"{{ deploymentStats({past}) {{ attempts byTemplate {{ name }} }} }}"
    before = await gateway.aggregate_statements()
    first = await gateway.ask(question)
    computed = await gateway.aggregate_statements()
    assert computed > before
    assert await gateway.ask(question) == first
    assert await gateway.aggregate_statements() == computed


async def test_no_answer_stays_in_redis_for_more_than_an_hour(
    gateway: Gateway, redis: Redis
) -> None:
    """R101, R107, E19: whatever is asked, also the minutes of the last hours."""
    await gateway.send("d-1", "success", ago(minutes=5), duration_ms=900, template="erc20")
    await gateway.ask(KINDS)

    async def all_are_kept() -> bool:
        return len(await redis.keys("answers*")) >= 5

    await eventually(all_are_kept)
    lives = [await redis.ttl(key) for key in await redis.keys("*")]
    # -2 says that an answer over an open range is gone already.
    assert all(0 <= seconds <= HOUR_SECONDS or seconds == -2 for seconds in lives), lives


async def test_time_in_the_cache_can_be_set_shorter_and_switched_off(
    database_url: str, redis_url: str, redis: Redis
) -> None:
    """R101, R163: ANALYTICS_CACHE_TTL."""
    past = "{ deploymentStats(range: {calendar: {unit: DAY, offset: -1}}) { attempts } }"
    async with started(database_url, redis_url, analytics_cache_ttl=60) as gateway:
        await gateway.ask(past)

        async def is_kept() -> bool:
            return bool(await redis.keys("answers*"))

        await eventually(is_kept)
        assert all([0 < await redis.ttl(key) <= 60 for key in await redis.keys("answers*")])
    await redis.flushdb()
    async with started(database_url, redis_url, analytics_cache_ttl=0) as gateway:
        for _ in range(2):
            before = await gateway.aggregate_statements()
            await gateway.ask(past)
            assert await gateway.aggregate_statements() > before
    assert await redis.keys("answers*") == []


async def test_figures_outlive_redis_and_the_gateway(
    database_url: str, redis_url: str, redis: Redis
) -> None:
    """R11."""
    async with started(database_url, redis_url) as gateway:
        await gateway.send("d-1", "success", ago(hours=5))
        await gateway.send("d-2", "failure", ago(hours=30))

        async def are_counted() -> bool:
            found = await gateway.ask(DAYS)
            return bool(found["deploymentStats"]["attempts"] == 2)

        await eventually(are_counted)
        before = await gateway.ask(DAYS)
    await redis.flushall()
    async with started(database_url, redis_url) as anew:
        assert await anew.ask(DAYS, p=[gateway.project]) == before
