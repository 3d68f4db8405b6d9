"""Rules over ages, played back from the rows, find what live history has."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from access.scopes import Scope
from alerts.age_replay import (
    STANDINGS_AT_MOST,
    Standing,
    by_group,
    plan_ages,
    replay_ages,
)
from alerts.instances import instance_name
from alerts.rules import (
    DAY_SECONDS,
    HOUR_SECONDS,
    INSTANCES_AT_MOST,
    Change,
    Operator,
    Threshold,
    Watch,
)
from analytics.answer import Key
from analytics.periods import Range
from storage.dictionaries import Dictionaries
from storage.dimensions import DIMENSIONS
from storage.errors import InvalidInput
from storage.keeping.windows import DEFAULT
from storage.queries.past_ages import standings
from tests.alerts.answers import FLOORS, NOW
from tests.alerts.engine import Engine

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOOKS = 60
RUNNING, EXPIRY = "deployments.longest_running_ms", "certificates.days_to_expiry"
ABOVE = Threshold(Operator.ABOVE, 240_000)
SOON = Threshold(Operator.BELOW, 15 / 1_440)
BY = ("environment",)
WATCHES = (
    Watch(RUNNING, HOUR_SECONDS, ABOVE),
    Watch(RUNNING, HOUR_SECONDS, ABOVE, group_by=BY, for_seconds=120, keep_firing_seconds=60),
    # What was created before the window is forgotten, though it runs.
    Watch(RUNNING, 480, ABOVE, group_by=BY),
    Watch(EXPIRY, HOUR_SECONDS, SOON, group_by=("domain",)),
    Watch(EXPIRY, HOUR_SECONDS, SOON, for_seconds=120),
)


# When what happened to which instance.
History = list[tuple[datetime, str, str]]


class Story:
    """Deployments that take their time, and certificates that are renewed in time or late."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.running: list[tuple[datetime, str, str]] = []

    def minute(self, start: datetime) -> Iterator[dict[str, Any]]:
        chance = self.chance

        def told(type_: str, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
            at = at or start + chance.random() * MINUTE
            return {"type": type_, "time": at.isoformat(), "project": "shop", **fields}

        for ends, id, where in [each for each in self.running if each[0] < start + MINUTE]:
            self.running.remove((ends, id, where))
            yield told("deployment.succeeded", ends, deployment=id, environment=where)
        if chance.random() < 0.25:
            id, where = str(uuid4()), chance.choice(("production", "staging"))
            at = start + chance.random() * MINUTE
            self.running.append((at + chance.uniform(1, 15) * MINUTE, id, where))
            yield told("deployment.started", at, deployment=id, environment=where)
        if chance.random() < 0.1:
            domain, left = chance.choice("ab"), chance.uniform(10, 40) * MINUTE
            fields = {"certificate": str(uuid4()), "domain": f"{domain}.example.com"}
            yield told("certificate.issued", None, **fields, notAfter=(start + left).isoformat())


async def played(engine: Engine, project: int, watch: Watch, span: Range) -> History:
    made = plan_ages(watch, span, DEFAULT.floors(span.end), span.end)
    times = made.earliest, made.range.start, made.range.end
    given = (made.fact, made.age), times, made.lasting, STANDINGS_AT_MOST
    rows = await standings(engine.database, Scope.of([project]), *given)
    dimensions = [DIMENSIONS[name] for name in watch.group_by]
    groups = by_group(rows, [each.column for each in dimensions])
    dictionaries = Dictionaries(engine.database)
    names = {
        each: await dictionaries.names(each, {key[at] for key in groups})
        for at, each in enumerate(dimensions)
    }

    def labels(key: Key) -> dict[str, str]:
        return {each.name: names[each][id] for each, id in zip(dimensions, key, strict=True)}

    return sorted(
        (at, instance_name(labels(key)), each.value)
        for at, key, each in replay_ages(made, groups, labels).transitions
        if isinstance(key, tuple)
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_played_equals_live_history(engine: Engine, seed: int) -> None:
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    start = end - LOOKS * MINUTE
    engine.now = start
    project, story = await engine.project("shop"), Story(seed)
    rules = [(await engine.rule("shop", watch), watch) for watch in WATCHES]
    await engine.tick(timedelta())
    while engine.now < end:
        await engine.record(list(story.minute(engine.now)))
        await engine.tick(MINUTE)
    number = 0
    for rule_id, watch in rules:
        rows = await engine.rows("alert_events", rule_id)
        history = sorted((row["at"], row["instance"], row["transition"]) for row in rows)
        assert await played(engine, project, watch, Range(start, end)) == history, watch
        number += len(history)
    assert number > 25


def test_a_quarter_is_played_to_the_minute() -> None:
    watch, start = Watch(RUNNING, DAY_SECONDS, ABOVE), NOW - 90 * timedelta(days=1)
    made = plan_ages(watch, Range(start, NOW), FLOORS, NOW)
    begins = [start + number * HOUR + 10 * MINUTE / 60 for number in range(2_000)]
    rows = [Standing(at, at, at + 5 * MINUTE, at) for at in begins]
    found = replay_ages(made, {(): rows}, lambda _: {})
    assert (len(found.firings), found.step) == (2_000, MINUTE)
    first = found.firings[0]
    assert first.fired_at == start + 5 * MINUTE
    assert first.ended_at == start + 6 * MINUTE


def test_a_certificate_fires_when_its_days_are_few_and_until_it_is_renewed() -> None:
    watch = Watch(EXPIRY, HOUR_SECONDS, Threshold(Operator.BELOW, 14), group_by=("domain",))
    made = plan_ages(watch, Range(NOW - 30 * timedelta(days=1), NOW), FLOORS, NOW)
    issued, renewed = NOW - timedelta(days=60), NOW - timedelta(days=2, seconds=5)
    expires = NOW + timedelta(days=4, seconds=1)
    rows: dict[Key, list[Standing]] = {(1,): [Standing(expires, issued, renewed, None)]}
    for number in range(2, 130):
        rows[number,] = [Standing(NOW + timedelta(days=90), issued, None, None)]
    found = replay_ages(made, rows, lambda key: {"domain": str(key)})
    (firing,) = found.firings
    assert firing.fired_at == NOW - timedelta(days=10) + MINUTE
    assert firing.evidence.window is not None
    assert firing.evidence.window.value == pytest.approx(14, abs=0.001)
    assert found.left_out == len(rows) - INSTANCES_AT_MOST
    assert firing.ended_at is None or firing.ended_at > renewed


def test_what_cannot_be_played_is_refused() -> None:
    span = Range(NOW - 3 * HOUR, NOW)
    change = Watch(RUNNING, HOUR_SECONDS, Change(Operator.ABOVE, 2))
    with pytest.raises(InvalidInput, match="against a threshold alone"):
        plan_ages(change, span, FLOORS, NOW)
    watch = Watch(RUNNING, HOUR_SECONDS, ABOVE)
    with pytest.raises(InvalidInput, match="at most 92 days"):
        plan_ages(watch, Range(NOW - timedelta(days=100), NOW), FLOORS, NOW)
    with pytest.raises(InvalidInput, match="Nothing is stored"):
        plan_ages(watch, Range(NOW + HOUR, NOW + 2 * HOUR), FLOORS, NOW)
