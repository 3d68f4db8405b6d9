"""The SDKs of Sentry as programs use them: what they send is stored, grouped and counted."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from uuid import UUID, uuid4

import pytest

from storage.connections.database import Database
from tests.clients import node
from tests.clients.product import ROOT
from tests.gateway.application import Process, eventually, gateway_process
from tests.gateway.rest.sdks import Outcome, answered, new_key

pytestmark = pytest.mark.process

SECONDS = 90
CALLS = """
select status, endpoints.name as endpoint, methods.name as method, duration_us
from api_calls join api_call_series using (project_id, series_id)
join endpoints using (endpoint_id) join methods using (method_id)
where api_calls.project_id = $1
"""


@pytest.fixture(scope="module")
def server(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("sdks") / "log"
    with gateway_process(database_url, redis_url, str(log)) as started:
        yield started


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, pool_size=2)
    yield database
    await database.close()


@pytest.fixture
async def outcome(database: Database) -> Outcome:
    return Outcome(database, await new_key(database))


def dsn_of(server: Process, outcome: Outcome) -> str:
    return f"http://{outcome.key.public_key}@127.0.0.1:{server.port}/{outcome.key.project_id}"


def run_python(scenario: str, variables: Mapping[str, str]) -> dict[str, list[str]]:
    """Runs the program and returns the ids that it sent, by name."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.clients.sentry_sdk_client", scenario],
        cwd=ROOT,
        env={**os.environ, **variables, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return dict(json.loads(finished.stdout.splitlines()[-1]))


async def check(
    server: Process, outcome: Outcome, sent: Mapping[str, list[str]], canary: str
) -> dict[str, str]:
    """Checks that all that was sent is answered, a group for each name; returns their titles."""
    groups, answer = await answered(server.url, outcome.key)
    expected = {frozenset(map(UUID, ids)): name for name, ids in sent.items()}
    assert {group.ids for group in groups} == set(expected)
    assert all(group.occurrences == len(group.ids) for group in groups)
    for text in (answer, str(await outcome.bodies()), server.log()):
        assert canary not in text
    # Transactions are sent too, and counted.
    assert await counts_of(outcome, "transaction") == {"transactions_off": 1}
    return {expected[group.ids]: group.title for group in groups}


async def test_python(server: Process, outcome: Outcome) -> None:
    canary = f"canary-{uuid4().hex}"
    variables = {"SENTRY_DSN": dsn_of(server, outcome), "CANARY": canary}
    sent = await asyncio.to_thread(run_python, "everything", variables)
    titles = await check(server, outcome, sent, canary)
    assert titles["chained"] == "RuntimeError: the order was not placed"
    assert titles["message"] == "hello"
    assert titles["orders"].startswith("LookupError: order ")
    assert titles["unicode"].startswith("ValueError: Grüße 🦊")


@pytest.mark.parametrize(
    ("program", "calls"),
    [
        (
            partial(run_python, "server"),
            {("GET", "/orders/{order}", 200), ("GET", "/orders/{order}", 500),
             ("POST", "/orders/{order}", 201)},
        ),
        (
            partial(node.run, "sentry-node-server.mjs"),
            {("GET", "/orders/{id}", 200), ("POST", "/orders/{id}", 503)},
        ),
    ],
)  # fmt: skip
async def test_requests_of_a_server_are_api_calls(
    server: Process,
    database: Database,
    packages: None,
    program: Callable[[Mapping[str, str]], object],
    calls: set[tuple[str, str, int]],
) -> None:
    outcome = Outcome(database, await new_key(database, takes_transactions=True))
    await asyncio.to_thread(program, {"SENTRY_DSN": dsn_of(server, outcome)})
    rows = await outcome.fetch(CALLS)
    assert {(row["method"], row["endpoint"], row["status"]) for row in rows} == calls
    assert all(row["duration_us"] > 0 for row in rows)


async def test_node(server: Process, outcome: Outcome, packages: None) -> None:
    canary = f"canary-{uuid4().hex}"
    variables = {"SENTRY_DSN": dsn_of(server, outcome), "CANARY": canary}
    sent = await asyncio.to_thread(node.run, "sentry-node.mjs", variables)
    titles = await check(server, outcome, sent, canary)
    assert titles["chained"] == "Error: the order was not placed"
    assert titles["message"] == "hello"
    assert titles["orders"].startswith("OrderError: order ")


async def test_an_event_too_large_is_dropped_and_counted(server: Process, outcome: Outcome) -> None:
    variables = {"SENTRY_DSN": dsn_of(server, outcome)}
    await asyncio.to_thread(run_python, "oversized", variables)
    assert await outcome.ids() == set()
    assert (await counts_of(outcome, "error"))["too_large"] == 1


async def test_python_obeys_the_budget_of_its_key(server: Process, database: Database) -> None:
    outcome = Outcome(database, await new_key(database, events_per_minute=3))
    variables = {"SENTRY_DSN": dsn_of(server, outcome)}
    sent = await asyncio.to_thread(run_python, "flood", variables)
    assert len(sent["sent"]) == 10
    assert await outcome.ids() == {UUID(id) for id in sent["sent"][:3]}
    # One event was refused, and by then the SDK knows; it says itself what it kept back.
    assert await counts_of(outcome, "error") == {"key_budget": 1, "client_rate_limited": 6}


async def counts_of(outcome: Outcome, category: str) -> dict[str, int]:
    """What was dropped of a category by reason, as soon as anything is written."""

    async def is_written() -> bool:
        return any(found == category for found, _reason in await outcome.counted())

    await eventually(is_written, seconds=30)
    counted = await outcome.counted()
    return {reason: count for (found, reason), count in counted.items() if found == category}
