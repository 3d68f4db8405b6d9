"""Measures back-tests of alert rules over 90 days, beside the statement that they read."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from access.scopes import Scope
from alerts.back_test import plan
from alerts.replay import replay
from alerts.rules import DAY_SECONDS, HOUR_SECONDS, Change, Operator, Threshold, Watch
from analytics.answer import Answer
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter
from benchmarks.effort import Effort
from benchmarks.measure import Times
from benchmarks.stage import Stage
from storage.connections.database import Database
from storage.keeping.windows import DEFAULT
from storage.times import full_hour

SPAN = timedelta(days=89)
# The largest one: its 20 functions are called in every hour.
PROJECT = 1


@dataclass(frozen=True, slots=True)
class Previewed:
    """How long a back-test took, and the reading of its data alone."""

    name: str
    groups: int
    looks: int
    reading: Times
    whole: Times


def _watches() -> Iterator[tuple[str, Watch]]:
    above, by = Threshold(Operator.ABOVE, 600.0), ("function",)
    rate = Threshold(Operator.ABOVE, 0.1)
    yield "a rate of an hour", Watch("invocations.error_rate", HOUR_SECONDS, rate)
    yield (
        "a change of a day, by function",
        Watch("invocations.invocations", DAY_SECONDS, Change(Operator.ABOVE, 1.5), group_by=by),
    )
    yield (
        "a percentile of a day, by function",
        Watch("invocations.duration_p95_ms", DAY_SECONDS, above, group_by=by),
    )


async def previews(stage: Stage, effort: Effort) -> list[Previewed]:
    """Plays rules of one project over 90 days."""
    database = await Database.open(stage.url, pool_size=2)
    now = full_hour(stage.now)
    analytics = Analytics(database, None, DEFAULT, lambda: now)
    found = [
        await _previewed(analytics, name, watch, Range(now - SPAN, now), effort.rounds)
        for name, watch in _watches()
    ]
    await database.close()
    return found


async def _previewed(
    analytics: Analytics, name: str, watch: Watch, span: Range, rounds: int
) -> Previewed:
    made = plan(
        watch, span, Scope.of([PROJECT]), Filter(), floors=DEFAULT.floors(span.end), now=span.end
    )
    reading, whole, groups = [], [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        state = analytics.state()
        answers = await analytics.run_each(made.slices, state)
        state.release()
        read = time.perf_counter()
        good = [answer for answer in answers if isinstance(answer, Answer)]
        assert len(good) == len(answers), answers
        await asyncio.to_thread(replay, made, good)
        reading.append(1_000 * (read - began))
        whole.append(1_000 * (time.perf_counter() - began))
        groups = len({key for answer in good for key in answer.rows})
    print(f"alerts: a preview of {name} took {whole[-1]:.0f} ms", flush=True)
    return Previewed(name, groups, len(made.looks), Times(reading), Times(whole))
