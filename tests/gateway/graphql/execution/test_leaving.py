"""No statement goes on for a client that has disconnected or timed out."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from access.viewers import Role
from tests.gateway.application import as_role, eventually, gateway_process, running, settings_for
from tests.gateway.graphql.edge import token

LIST = "{ deployments { nodes { externalId } } }"
FIGURES = '{ deploymentStats(range: {last: "P1D"}) { attempts } }'
MUTATION = 'mutation { upsertProject(input: {slug: "left-behind"}) { project { slug } } }'


@asynccontextmanager
async def locked(database_url: str, table: str) -> AsyncIterator[asyncpg.Connection]:
    """Lock a table; the connection can count the statements that wait for it."""
    holder = await asyncpg.connect(database_url)
    observer = await asyncpg.connect(database_url)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(f"lock table {table} in access exclusive mode")
    try:
        yield observer
    finally:
        await transaction.rollback()
        await holder.close()
        await observer.close()


async def waiting(observer: asyncpg.Connection) -> int:
    return int(
        await observer.fetchval(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()"
        )
    )


async def half_request(url: str, query: str) -> asyncio.StreamWriter:
    """Send a whole request and do not read the response."""
    host, port = url.removeprefix("http://").split(":")
    _reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps({"query": query}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {token(Role.ADMIN)}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    return writer


@pytest.mark.process
async def test_statements_of_a_disconnected_client_are_cancelled(
    own_database_url: str, redis_url: str, tmp_path: Any
) -> None:
    with gateway_process(own_database_url, redis_url, str(tmp_path / "log")) as process:
        async with locked(own_database_url, "deployments") as observer:
            writers = [await half_request(process.url, LIST) for _ in range(3)]

            async def are_waiting() -> bool:
                return await waiting(observer) == 3

            await eventually(are_waiting)
            for writer in writers:
                writer.close()

            async def nobody_waits() -> bool:
                return await waiting(observer) == 0

            await eventually(nobody_waits, seconds=3)
        async with httpx.AsyncClient(headers=as_role(Role.ADMIN)) as client:
            answer = await client.post(f"{process.url}/graphql", json={"query": LIST})
        assert "errors" not in answer.json()


@pytest.mark.process
async def test_mutation_of_a_disconnected_client_completes(
    own_database_url: str, redis_url: str, tmp_path: Any
) -> None:
    with gateway_process(own_database_url, redis_url, str(tmp_path / "log")) as process:
        async with locked(own_database_url, "projects") as observer:
            writer = await half_request(process.url, MUTATION)

            async def is_waiting() -> bool:
                return await waiting(observer) == 1

            await eventually(is_waiting)
            writer.close()
            await asyncio.sleep(0.5)
            assert await waiting(observer) == 1
        connection = await asyncpg.connect(own_database_url)

        async def is_done() -> bool:
            found = "select count(*) from projects where slug = 'left-behind'"
            return bool(await connection.fetchval(found) == 1)

        await eventually(is_done)
        await connection.close()


@pytest.mark.parametrize("query", [LIST, FIGURES])
async def test_statement_of_a_timed_out_operation_is_cancelled(
    own_database_url: str, redis_url: str, query: str
) -> None:
    settings = settings_for(
        own_database_url, redis_url, statement_timeout_seconds=1.0, analytics_cache_ttl=0
    )
    async with (
        running(settings, None, **as_role(Role.ADMIN)) as client,
        locked(own_database_url, "deployments, deployment_platform_quarter") as observer,
    ):
        answer = await client.post("/graphql", json={"query": query})
        assert answer.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
        assert await waiting(observer) == 0
