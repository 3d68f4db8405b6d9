"""Run the benchmark and write benchmarks/RESULTS.md: `python -m benchmarks N=1000000`."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import orjson

from benchmarks import ingest
from benchmarks.client import Client, wait_until_ready
from benchmarks.layers import layers
from benchmarks.measure import alternate, cpu_seconds, memory_mb
from benchmarks.processes import (
    Servers,
    bare,
    family,
    gateway,
    servers,
    temporary_folder,
    token,
)
from benchmarks.queries import Question, questions
from benchmarks.report import Cold, Figures, Ingest, Warm, write
from benchmarks.seed import seed
from gateway import migrations

DEFAULT_DEPLOYMENTS = 1_000_000
RANGE_DAYS = 30
ROUNDS = 100
WARM_SECONDS = 5.0
WARM_CONNECTIONS = 16
INGEST_SECONDS = 15.0
INGEST_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """A seeded database and what it takes to ask it."""

    servers: Servers
    folder: Path
    url: str
    start: datetime
    end: datetime
    headers: dict[str, str]


def main() -> None:
    deployments = DEFAULT_DEPLOYMENTS
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name != "N" or not value.isdigit() or int(value) < 1_000:
            sys.exit(f"{argument!r} is not understood: say N=1000000 (at least 1000)")
        deployments = int(value)
    asyncio.run(_run(deployments))


async def _run(deployments: int) -> None:
    now = datetime.now(UTC)
    with temporary_folder() as folder, servers(folder) as started:
        small = await _stage(started, folder, "small", deployments // 10, now)
        large = await _stage(started, folder, "large", deployments, now)
        cold = await _cold(small, large)
        warm, memory = await _warm(large)
        taken_in = await _ingest(large)
    figures = Figures(deployments, cold, warm, await layers(), taken_in, memory)
    write(figures, Path(__file__).with_name("RESULTS.md"))


async def _stage(
    started: Servers, folder: Path, name: str, deployments: int, now: datetime
) -> Stage:
    server = await asyncpg.connect(started.postgres.url("postgres"))
    await server.execute(f"create database {name}")
    await server.close()
    url = started.postgres.url(name)
    await asyncio.to_thread(migrations.upgrade, url)
    print(f"seeding {deployments:,} deployments ...", flush=True)
    seconds = await seed(url, deployments, now)
    print(f"seeded in {seconds:.0f} s", flush=True)
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}
    return Stage(started, folder, url, end - timedelta(days=RANGE_DAYS), end, headers)


def _body(question: Question) -> bytes:
    return orjson.dumps({"query": question.document, "variables": question.variables})


async def _cold(small: Stage, large: Stage) -> list[Cold]:
    """Every question with caches off: over a tenth, over all, and in plain SQL, in turn."""
    results = []
    connection = await asyncpg.connect(large.url, server_settings={"jit": "off"})
    with (
        gateway(small.folder, small.url, small.servers.redis.url, cache_seconds=0) as (_, port),
        gateway(large.folder, large.url, large.servers.redis.url, cache_seconds=0) as (
            child,
            large_port,
        ),
    ):
        await wait_until_ready(port)
        await wait_until_ready(large_port)
        client, large_client = await Client.connect(port), await Client.connect(large_port)
        for question in await questions(connection, large.start, large.end):
            body = _body(question)
            tenth_ms, median_ms, floor_ms = await alternate(
                ROUNDS,
                partial(_ask, client, body, small.headers),
                partial(_ask, large_client, body, large.headers),
                partial(_ask_floor, connection, question),
            )
            processes = [child.pid], family(large.servers.postgres.pid)
            cpu_ms = await _cpu_ms(processes, large_client, body, large.headers)
            results.append(Cold(question.name, tenth_ms, median_ms, floor_ms, *cpu_ms))
            print(results[-1], flush=True)
        await client.close()
        await large_client.close()
    await connection.close()
    return results


async def _ask(client: Client, body: bytes, headers: dict[str, str]) -> None:
    answer = await client.post("/graphql", body, headers)
    if answer.status != 200 or b'"errors"' in answer.body:
        raise RuntimeError(f"{body!r}: {answer.body[:500]!r}")


async def _ask_floor(connection: asyncpg.Connection, question: Question) -> None:
    for text, parameters in question.floor:
        await connection.fetch(text, *parameters)


async def _cpu_ms(
    processes: Sequence[Sequence[int]], client: Client, body: bytes, headers: dict[str, str]
) -> list[float]:
    """The processor time one request takes in each of these families of processes."""
    requests = 200
    before = [sum(map(cpu_seconds, each)) for each in processes]
    for _ in range(requests):
        await client.post("/graphql", body, headers)
    after = [sum(map(cpu_seconds, each)) for each in processes]
    return [1_000 * (end - start) / requests for start, end in zip(before, after, strict=True)]


async def _warm(stage: Stage) -> tuple[list[Warm], float]:
    """Kept answers against a bare application returning the same bytes; and memory after it."""
    results = []
    redis_url = stage.servers.redis.url
    connection = await asyncpg.connect(stage.url)
    asked = await questions(connection, stage.start, stage.end)
    await connection.close()
    with gateway(stage.folder, stage.url, redis_url, cache_seconds=3600) as (child, port):
        await wait_until_ready(port)
        for question in asked:
            client = await Client.connect(port)
            answer = await client.post("/graphql", _body(question), stage.headers)
            await client.close()
            file = stage.folder / "answer.json"
            file.write_bytes(answer.body)
            with bare(file) as (_, bare_port):
                await wait_until_ready(bare_port)
                floor = await _throughput(bare_port, question, stage.headers)
            rate = await _throughput(port, question, stage.headers)
            results.append(Warm(question.name, rate, floor, len(answer.body)))
            print(results[-1], flush=True)
        return results, memory_mb(child.pid)


async def _throughput(port: int, question: Question, headers: dict[str, str]) -> float:
    """Requests per second over several connections."""
    body, answered = _body(question), 0
    loop = asyncio.get_running_loop()
    until = loop.time() + WARM_SECONDS

    async def sender() -> None:
        nonlocal answered
        client = await Client.connect(port)
        while loop.time() < until:
            await client.post("/graphql", body, headers)
            answered += 1
        await client.close()

    await asyncio.gather(*(sender() for _ in range(WARM_CONNECTIONS)))
    return answered / WARM_SECONDS


async def _ingest(stage: Stage) -> Ingest:
    """Full batches, then single events; processor time of gateway and Postgres apart."""
    redis_url = stage.servers.redis.url
    with gateway(stage.folder, stage.url, redis_url, cache_seconds=3600) as (child, port):
        await wait_until_ready(port)
        await ingest.batches(port, stage.headers, 3.0, INGEST_CONNECTIONS)
        postgres = family(stage.servers.postgres.pid)
        before = cpu_seconds(child.pid), sum(map(cpu_seconds, postgres))
        full = await ingest.batches(port, stage.headers, INGEST_SECONDS, INGEST_CONNECTIONS)
        after = cpu_seconds(child.pid), sum(map(cpu_seconds, postgres))
        single = await ingest.singles(port, stage.headers, INGEST_SECONDS, 16)
        return Ingest(
            full,
            single,
            1e6 * (after[0] - before[0]) / full.events,
            1e6 * (after[1] - before[1]) / full.events,
            memory_mb(child.pid),
        )


if __name__ == "__main__":
    main()
