"""Measures the first request after a start: no connection to Postgres, an empty Redis."""

import statistics
from dataclasses import dataclass
from itertools import islice

from redis.asyncio import Redis

from benchmarks.asking import asked
from benchmarks.effort import Effort
from benchmarks.measure import timed
from benchmarks.questions import QUESTIONS, Question
from benchmarks.stage import Stage


@dataclass(frozen=True, slots=True)
class Cold:
    """Medians over several starts, of the first request and of the second."""

    question: Question
    first_ms: float
    second_ms: float


async def cold(stage: Stage, effort: Effort) -> list[Cold]:
    """Sends each question to newly started processes with default settings."""
    results = []
    for question in QUESTIONS:
        starts = [await _start(stage, question, number) for number in range(effort.starts)]
        firsts, seconds = zip(*starts, strict=True)
        result = Cold(question, statistics.median(firsts), statistics.median(seconds))
        print(f"cold: {question.name}: {result.first_ms:.1f} ms", flush=True)
        results.append(result)
    return results


async def _start(stage: Stage, question: Question, number: int) -> tuple[float, float]:
    """Milliseconds of the first two requests after one start."""
    async with Redis.from_url(stage.servers.redis.url) as redis:
        await redis.flushall()
    first, second = islice(question.asked(f"start {number}", stage.now), 2)
    with asked(stage) as started:
        asker = await started.connect()
        first_ms = await timed(asker.ask(question, first))
        second_ms = await timed(asker.ask(question, second))
        await asker.close()
    return first_ms, second_ms
