"""Where a back-test looks as often as the evaluator does, it finds what live history has."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.scopes import Scope
from alerts.back_test import plan
from alerts.instances import instance_name
from alerts.replay import replay
from alerts.rules import (
    LITERAL,
    Absence,
    Baseline,
    Change,
    Guard,
    GuardKind,
    Operator,
    Threshold,
    Watch,
)
from analytics.answer import Answer, Key
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter
from storage.dictionaries import Dictionaries
from storage.dimensions import DIMENSIONS
from storage.keeping.windows import DEFAULT
from tests.alerts.engine import Engine

MINUTE = timedelta(minutes=1)
LOOKS = 45
SEVERAL = Guard(GuardKind.MIN_SAMPLE, at_least=3)
WATCHES = (
    Watch("deployments.failure_rate_of_finishes", 600, Threshold(Operator.ABOVE, 0.3), LITERAL),
    Watch(
        "deployments.failure_rate_of_finishes",
        900,
        Threshold(Operator.AT_LEAST, 0.2),
        Guard(GuardKind.SIGNIFICANT, alpha=0.1),
        filter={"environment": ("production", "unheard-of")},
    ),
    Watch("deployments.finishes", 300, Absence()),
    Watch("deployments.finishes", 300, Absence(), group_by=("environment",)),
    Watch(
        "error_occurrences.occurrences",
        300,
        Change(Operator.ABOVE, 1.5),
        LITERAL,
        group_by=("error_type",),
        keep_firing_seconds=120,
    ),
    Watch(
        "error_occurrences.occurrences",
        120,
        Change(Operator.AT_LEAST, 2, Baseline.BEFORE, 600),
        Guard(GuardKind.SIGNIFICANT, alpha=0.2),
    ),
    Watch(
        "invocations.average_duration_ms",
        300,
        Threshold(Operator.ABOVE, 500),
        SEVERAL,
        group_by=("function",),
        for_seconds=120,
    ),
    Watch("invocations.duration_p90_ms", 600, Threshold(Operator.ABOVE, 800)),
    Watch(
        "invocations.share",
        300,
        Threshold(Operator.ABOVE, 0.6),
        SEVERAL,
        group_by=("function",),
    ),
    Watch(
        "samples.average",
        60,
        Threshold(Operator.ABOVE, 70),
        filter={"metric": ("system_cpu_busy_percent",)},
        group_by=("label_set",),
        for_seconds=60,
        keep_firing_seconds=60,
    ),
    Watch(
        "samples.maximum",
        300,
        Threshold(Operator.BELOW, 20),
        filter={"metric": ("system_cpu_busy_percent",)},
    ),
)
PROJECTS = count()


def _events(chance: random.Random, project: str, minute: datetime) -> Iterator[dict[str, Any]]:
    """What happens within a minute; in some minutes nothing does."""

    def told(type_: str, **fields: Any) -> dict[str, Any]:
        at = minute + chance.random() * MINUTE
        return {"type": type_, "time": at.isoformat(), "project": project, **fields}

    for _ in range(chance.choice((0, 0, 1, 3))):
        outcome = chance.choice(("failed", "succeeded", "succeeded", "cancelled"))
        where = chance.choice(("production", "staging"))
        yield told(f"deployment.{outcome}", deployment=str(uuid4()), environment=where)
    for _ in range(chance.choice((0, 0, 2, 5))):
        yield told("error.occurred", errorType=chance.choice("AB"), message=str(uuid4()))
    for _ in range(chance.choice((0, 1, 4))):
        yield told(
            "function.completed",
            function=chance.choice(("f", "g")),
            invocation=str(uuid4()),
            durationMs=chance.choice((10, 400, 700, 1_500)),
        )
    if chance.random() < 0.7:
        for host in "ab":
            value = chance.choice((10, 50, 90))
            metric = "system_cpu_busy_percent"
            yield told("metric.sample", metric=metric, value=value, labels={"host": host})


async def _live(engine: Engine, rule_id: UUID) -> list[tuple[datetime, str, str]]:
    rows = await engine.rows("alert_events", rule_id)
    return sorted((row["at"], row["instance"], row["transition"]) for row in rows)


async def _played(engine: Engine, project: int, watch: Watch, span: Range) -> list[Any]:
    dictionaries = Dictionaries(engine.database)
    ids = {
        DIMENSIONS[name]: (await dictionaries.ids(DIMENSIONS[name], names)).values()
        for name, names in watch.filter.items()
    }
    made = plan(
        watch,
        span,
        Scope.of([project]),
        Filter.of(ids),
        floors=DEFAULT.floors(span.end),
        now=span.end,
    )
    assert made.step == MINUTE
    analytics = Analytics(engine.database, None, DEFAULT, lambda: span.end)
    state = analytics.state()
    answers = await analytics.run_each(made.slices, state)
    state.release()
    names = {
        dimension: await dictionaries.names(
            DIMENSIONS[dimension], {key[at] for each in answers if isinstance(each, Answer)
                                    for key in each.rows}
        )
        for at, dimension in enumerate(watch.group_by)
    }  # fmt: skip

    def labels(key: Key) -> dict[str, str]:
        return {name: names[name][id] for name, id in zip(watch.group_by, key, strict=True)}

    found = replay(made, [each for each in answers if isinstance(each, Answer)], labels)
    return sorted(
        (at, instance_name(labels(key)), each)
        for at, key, each in found.transitions
        if isinstance(key, tuple)
    )


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32))
async def test_back_test_equals_live_history(engine: Engine, seed: int) -> None:
    chance, slug = random.Random(seed), f"shop-{next(PROJECTS)}"
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    start = end - LOOKS * MINUTE
    async with engine.database.transaction() as connection:
        await connection.execute("delete from alert_rules; delete from alert_ticks")
    # An evaluator that remembers nothing, at a time before the last example's.
    live = Engine(engine.database, engine.intake, start)
    project = await live.project(slug)
    rules = [(await live.rule(slug, watch), watch) for watch in WATCHES]
    await live.tick(timedelta())
    while live.now < end:
        await live.record(list(_events(chance, slug, live.now)))
        await live.tick(MINUTE)
    transitions = 0
    for rule_id, watch in rules:
        history = await _live(live, rule_id)
        transitions += len(history)
        assert await _played(live, project, watch, Range(start, end)) == history, watch
    assert transitions > 20
