"""What was acknowledged a second ago is in every answer, kept or not, whatever else goes on."""

import asyncio
import gc
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from access.viewers import Role
from analytics.answer_cache import WRITE_DELAY_SECONDS
from gateway.embedded.processes import running as running_server
from gateway.embedded.redis import EmbeddedRedis
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.servers import temporary_folder

pytestmark = pytest.mark.alone

VISIBLE_WITHIN_SECONDS = 1.0
# About a second, and room for a machine that runs other tests meanwhile.
SLOWEST_ANSWER_SECONDS = 1.5
TRIES = 3
# An answer is shared a moment after it was given.
UNTIL_SHARED_SECONDS = 4 * WRITE_DELAY_SECONDS

NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY = (NOW - timedelta(days=1)).replace(hour=0, minute=0, second=0)

# A range that still takes events, and one that is over and takes only late ones.
FIGURES = """
query Figures($project: String!, $closed: DateTimeRange!) {
  open: project(slug: $project) { deploymentStats(range: {last: "P30D"}) { attempts } }
  closed: project(slug: $project) { deploymentStats(range: {between: $closed}) { attempts } }
  all: deploymentStats(range: {last: "P30D"}) { attempts }
}"""
CLOSED = {"start": YESTERDAY.isoformat(), "end": (YESTERDAY + timedelta(hours=6)).isoformat()}
LENGTHS = "query Length($last: Duration!) { deploymentStats(range: {last: $last}) { attempts } }"
DEPLOYMENT = "query One($id: ID!) { deployment(id: $id) { status } }"


@pytest.fixture
def redis() -> Iterator[EmbeddedRedis]:
    with temporary_folder() as folder, running_server(EmbeddedRedis(folder)) as server:
        yield server


@asynccontextmanager
async def gateways(
    database_url: str, redis_url: str
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Two gateways over the same servers, each with a memory of its own."""
    settings = settings_for(database_url, redis_url)
    headers = as_role(Role.ADMIN)
    async with (
        running(settings, None, **headers) as first,
        running(settings, None, **headers) as second,
    ):
        yield first, second


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> httpx.Response:
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    assert "errors" not in response.json()
    return response


async def figures(client: httpx.AsyncClient, project: str) -> tuple[int, int, int]:
    answer = (await ask(client, FIGURES, project=project, closed=CLOSED)).json()["data"]
    open_, closed = (answer[name]["deploymentStats"]["attempts"] for name in ("open", "closed"))
    return open_, closed, answer["all"]["attempts"]


async def record(client: httpx.AsyncClient, project: str, *times: datetime) -> list[str]:
    """Send a deployment's end for each time; the ids of the deployments."""
    events = [
        {"id": str(uuid4()), "type": "deployment.succeeded", "project": project}
        | {"deployment": str(uuid4()), "time": time.isoformat()}
        for time in times
    ]
    answer = await client.post("/v1/events", json=events)
    results = answer.json()["results"]
    assert {result["status"] for result in results} == {"accepted"}
    return [result["deployment"] for result in results]


async def is_hit(client: httpx.AsyncClient, query: str, **variables: Any) -> bool:
    answer = await ask(client, query, **variables)
    return answer.headers["cache-status"].endswith("; hit")


async def assert_events_show_in_time(first: httpx.AsyncClient, second: httpx.AsyncClient) -> None:
    """Send through one; after a second both count it, where both had an answer kept before."""
    await record(first, "fresh", datetime.now(UTC), YESTERDAY + timedelta(hours=1))
    for number in range(TRIES):
        await asyncio.sleep(0.07 * number)  # at another moment between two looks at the feed
        before = [await figures(client, "fresh") for client in (first, second)]
        late = YESTERDAY + timedelta(minutes=number)
        sent = await record(first, "fresh", datetime.now(UTC), late)
        acknowledged_at = time.monotonic()
        for client in (first, second):
            found = await ask(client, DEPLOYMENT, id=sent[0])
            assert found.json()["data"]["deployment"] == {"status": "SUCCEEDED"}
        await asyncio.sleep(VISIBLE_WITHIN_SECONDS - (time.monotonic() - acknowledged_at))
        for client, (open_, closed, everything) in zip((first, second), before, strict=True):
            assert await figures(client, "fresh") == (open_ + 2, closed + 1, everything + 2)


async def test_acknowledged_event_is_counted_everywhere_within_a_second(
    own_database_url: str, redis_url: str
) -> None:
    async with gateways(own_database_url, redis_url) as (first, second):
        await assert_events_show_in_time(first, second)


async def test_transaction_that_runs_on_makes_no_figure_older(
    own_database_url: str, redis_url: str
) -> None:
    """The feed cannot be read to its end in order while an earlier transaction may commit."""
    slow = await asyncpg.connect(own_database_url)
    async with gateways(own_database_url, redis_url) as (first, second), slow.transaction():
        await slow.execute("select pg_current_xact_id()")
        await assert_events_show_in_time(first, second)
    await slow.close()


async def test_kept_answer_costs_no_statement_in_any_process(
    own_database_url: str, redis_url: str
) -> None:
    async with gateways(own_database_url, redis_url) as (first, second):
        await record(first, "kept", datetime.now(UTC))
        await asyncio.sleep(VISIBLE_WITHIN_SECONDS)
        asked = {"closed": CLOSED, "project": "kept"}
        await ask(first, FIGURES, **asked)
        await asyncio.sleep(UNTIL_SHARED_SECONDS)
        before = await slices_read(first), await slices_read(second)
        assert before[0] > 0
        again, elsewhere = await ask(first, FIGURES, **asked), await ask(second, FIGURES, **asked)
        assert (await slices_read(first), await slices_read(second)) == before
        assert again.json() == elsewhere.json()
        assert again.headers["cache-status"].endswith("; hit")


async def slices_read(client: httpx.AsyncClient) -> float:
    """How many statements over roll-ups and facts this process has sent."""
    lines = (await client.get("/metrics")).text.splitlines()
    name = 'gateway_sql_statement_seconds_count{query="deployment_slice'
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def pause(server: EmbeddedRedis) -> None:
    os.kill(server.pid, signal.SIGSTOP)


def resume(server: EmbeddedRedis) -> None:
    os.kill(server.pid, signal.SIGCONT)


def kill(server: EmbeddedRedis) -> None:
    os.kill(server.pid, signal.SIGKILL)


@pytest.mark.process
@pytest.mark.parametrize(
    ("take_away", "bring_back"),
    [(pause, resume), (kill, EmbeddedRedis.start)],
    ids=["hangs", "is-killed"],
)
async def test_redis_away_under_load_delays_no_answer_and_keeps_none_old(
    own_database_url: str,
    redis: EmbeddedRedis,
    take_away: Callable[[EmbeddedRedis], None],
    bring_back: Callable[[EmbeddedRedis], None],
) -> None:
    async with gateways(own_database_url, redis.url) as (first, second):
        await record(first, "load", datetime.now(UTC))
        await asyncio.sleep(VISIBLE_WITHIN_SECONDS)
        assert await shares_answers(first, second)
        async with asking(first, second) as slowest:
            await asyncio.to_thread(take_away, redis)
            try:
                await assert_events_show_in_time(first, second)
                assert not await shares_answers(first, second)
            finally:
                await asyncio.to_thread(bring_back, redis)
            await eventually(lambda: shares_answers(first, second))
        assert 0 < max(slowest) < SLOWEST_ANSWER_SECONDS


async def shares_answers(first: httpx.AsyncClient, second: httpx.AsyncClient) -> bool:
    """Whether an answer new to both is computed by one and then had by the other."""
    last = f"PT{random.randrange(10_000, 400_000)}M"
    await ask(first, LENGTHS, last=last)
    await asyncio.sleep(UNTIL_SHARED_SECONDS)
    return await is_hit(second, LENGTHS, last=last)


@asynccontextmanager
async def asking(*clients: httpx.AsyncClient) -> AsyncIterator[list[float]]:
    """Ask without pause until the block ends; the seconds each answer took."""
    took: list[float] = []

    async def keep_asking(client: httpx.AsyncClient, number: int) -> None:
        while True:
            number += len(clients) * 4
            started = time.monotonic()
            await ask(client, LENGTHS, last=f"PT{60 + number}M")
            took.append(time.monotonic() - started)

    # After thousands of tests a full collection stops this process for a second, and with it the
    # clock of each answer that is on its way: what lived before is not collected.
    gc.collect()
    gc.freeze()
    tasks = [
        asyncio.create_task(keep_asking(client, number))
        for number, client in enumerate(clients * 4)
    ]
    try:
        yield took
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
