"""Answers that are computed anew: their time beside plain SQL, and how many a processor makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import asyncpg

from benchmarks.client import Client, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.load import load
from benchmarks.measure import alternate
from benchmarks.processes import gateway
from benchmarks.queries import Question, body_of, questions
from benchmarks.stage import Stage
from gateway.embedded.processes import Child

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Uncached:
    """Medians in turn with the floor, and over a tenth in turn with all; then a load."""

    question: Question
    median_ms: float
    floor_ms: float
    tenth_ms: float
    whole_ms: float
    per_second: float
    cpu_ms: float
    postgres_cpu_ms: float

    @property
    def goal_ms(self) -> float:
        return self.question.goal_factor * self.floor_ms + self.question.goal_allowance_ms

    @property
    def per_cpu_second(self) -> float:
        return 1_000 / self.cpu_ms


async def uncached(small: Stage, large: Stage, effort: Effort) -> list[Uncached]:
    """Every question with caches off, in pairs: a third in turn would find the processor's own
    caches full of the second."""
    connection = await asyncpg.connect(large.url, server_settings={"jit": "off"})
    with _computing(small) as (_, small_port), _computing(large) as (child, port):
        await wait_until_ready(small_port)
        await wait_until_ready(port)
        clients = await Client.connect(small_port), await Client.connect(port)
        results = []
        for question in await questions(connection, large.start, large.end):
            body = body_of(question)
            ask_tenth = partial(_ask, clients[0], body, small.headers)
            ask = partial(_ask, clients[1], body, large.headers)
            ask_floor = partial(_ask_floor, connection, question)
            median_ms, floor_ms = await alternate(effort.rounds, ask, ask_floor)
            tenth_ms, whole_ms = await alternate(effort.rounds, ask_tenth, ask)
            loaded = await _load(large, child, port, body, effort.load_seconds)
            medians = (median_ms, floor_ms, tenth_ms, whole_ms)
            results.append(Uncached(question, *medians, *loaded))
            print(f"uncached: {question.name}: {median_ms:.2f} ms", flush=True)
        for client in clients:
            await client.close()
    await connection.close()
    return results


@contextmanager
def _computing(stage: Stage) -> Iterator[tuple[Child, int]]:
    with gateway(
        stage.folder, stage.url, stage.servers.redis.url, ANALYTICS_CACHE_TTL="0"
    ) as started:
        yield started


async def _ask(client: Client, body: bytes, headers: dict[str, str]) -> None:
    answer = await client.post("/graphql", body, headers)
    if answer.status != 200 or b'"errors"' in answer.body:
        raise RuntimeError(f"{body!r}: {answer.body[:500]!r}")
    if "; hit" in answer.headers.get("cache-status", ""):
        raise RuntimeError(f"{body!r} was not computed anew")


async def _ask_floor(connection: asyncpg.Connection, question: Question) -> None:
    for text, parameters in question.floor:
        await connection.fetch(text, *parameters)


async def _load(
    stage: Stage, child: Child, port: int, body: bytes, seconds: float
) -> tuple[float, float, float]:
    """Requests per second; what one takes of the gateway's processor, and of Postgres'."""
    before = stage.usage(child.pid)
    done = await load(port, body, stage.headers, connections=CONNECTIONS, seconds=seconds)
    used = stage.usage(child.pid) - before
    each_ms = 1_000 / done.answered
    return done.per_second, used.gateway * each_ms, used.postgres * each_ms
