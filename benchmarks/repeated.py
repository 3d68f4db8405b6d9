"""The same query again: the gateway beside a bare application that returns the same bytes."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import asyncpg

from benchmarks.client import Client, Response, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.load import load
from benchmarks.measure import Usage, memory_mb
from benchmarks.processes import bare, gateway
from benchmarks.queries import Question, body_of, questions
from benchmarks.stage import Stage
from gateway.embedded.processes import Child

CONNECTIONS = 8
KEPT_AFTER_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Variant:
    """A gateway's settings, and the part of the bare application's speed it is to reach."""

    name: str
    settings: Mapping[str, str]
    goal: float | None


LIMITED = "authentication and Redis limits"
VARIANTS = (
    Variant("limits off", {}, 0.70),
    Variant("limits off, no log line per request", {"LOG_LEVEL": "warning"}, None),
    Variant(
        LIMITED,
        # The limiting itself is as always; the budgets are so large that nobody is refused.
        {
            "RATE_LIMIT_ENABLED": "1",
            "RATE_LIMIT_MAX": "1000000",
            "RATE_LIMIT_BURST": "1000000",
            "RATE_LIMIT_COST_MAX": "1000000000",
        },
        0.25,
    ),
)


@dataclass(frozen=True, slots=True)
class Speed:
    """Requests that were answered, in how much time of the clock and of the processors."""

    answered: int = 0
    seconds: float = 0.0
    used: Usage = field(default_factory=Usage)

    def __add__(self, other: "Speed") -> "Speed":
        return Speed(
            self.answered + other.answered,
            self.seconds + other.seconds,
            self.used + other.used,
        )

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.answered / self.used.gateway

    def cpu_us(self, seconds: float) -> float:
        return 1e6 * seconds / self.answered


@dataclass(frozen=True, slots=True)
class Repeated:
    """One question to each variant, and to the bare application."""

    name: str
    answer_bytes: int
    bare: Speed
    variants: list[Speed]


@dataclass(frozen=True, slots=True)
class _Side:
    child: Child
    port: int


async def repeated(stage: Stage, effort: Effort) -> tuple[list[Repeated], float]:
    """All questions; and the first gateway's memory after them."""
    connection = await asyncpg.connect(stage.url)
    asked = await questions(connection, stage.start, stage.end)
    await connection.close()
    redis_url = stage.servers.redis.url
    with ExitStack() as stack:
        sides = [
            _Side(
                *stack.enter_context(gateway(stage.folder, stage.url, redis_url, **each.settings))
            )
            for each in VARIANTS
        ]
        for side in sides:
            await wait_until_ready(side.port)
        results = [await _compare(stage, question, sides, effort) for question in asked]
        return results, memory_mb(sides[0].child.pid)


async def _compare(
    stage: Stage, question: Question, sides: list[_Side], effort: Effort
) -> Repeated:
    body = body_of(question)
    answers = [await _kept(side.port, body, stage.headers) for side in sides]
    file = stage.folder / "answer.json"
    file.write_bytes(answers[0].body)
    with bare(file, answers[0].headers["content-type"]) as started:
        everyone = [_Side(*started), *sides]
        await wait_until_ready(everyone[0].port)
        speeds = [Speed()] * len(everyone)
        for _ in range(effort.turns):
            for index, side in enumerate(everyone):
                speeds[index] += await _speed(stage, side, body, effort.turn_seconds)
    ratio = speeds[1].per_cpu_second / speeds[0].per_cpu_second
    print(f"repeated: {question.name}: {ratio:.2f} of the bare application", flush=True)
    return Repeated(question.name, len(answers[0].body), speeds[0], speeds[1:])


async def _kept(port: int, body: bytes, headers: dict[str, str]) -> Response:
    """The answer once it comes from the gateway's own memory."""
    client = await Client.connect(port)
    try:
        # A process that has just begun keeps nothing until it has read the change feed.
        for _ in range(KEPT_AFTER_ATTEMPTS):
            answer = await client.post("/graphql", body, headers)
            if answer.status == 200 and "; hit" in answer.headers.get("cache-status", ""):
                return answer
            await asyncio.sleep(0.05)
    finally:
        await client.close()
    raise RuntimeError(f"not a kept answer: {answer.headers} {answer.body[:300]!r}")


async def _speed(stage: Stage, side: _Side, body: bytes, seconds: float) -> Speed:
    before = stage.usage(side.child.pid)
    done = await load(side.port, body, stage.headers, connections=CONNECTIONS, seconds=seconds)
    return Speed(done.answered, done.seconds, stage.usage(side.child.pid) - before)
