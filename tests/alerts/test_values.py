"""The value in an alert's evidence is the one that `metrics` gives for the same time and names."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from access.scopes import Scope
from alerts.guards import trials_of
from alerts.instances import instance_name
from alerts.judging import Found, found_in, judged
from alerts.measures import measure_name
from alerts.readings import Cells, Subject, Watched, demands, slices_of
from alerts.rules import LITERAL, Change, Operator, Rule, StoredRule, Threshold, Watch
from analytics.answer import Answer
from analytics.components import positions
from analytics.measures import measures_of
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter
from resolvers.population import Breakdown, Population
from storage.dimensions import PROJECT
from storage.facts import FACTS
from tests.analytics.conftest import analytics, world_database, world_url, worlds
from tests.analytics.questions import run_many
from tests.analytics.world import IDS, KEPT, NOW, PROJECTS

__all__ = ["analytics", "world_database", "world_url", "worlds"]  # fixtures

WINDOWS = [60, 300, 3_600, 6 * 3_600, 86_400, 7 * 86_400, 28 * 86_400]


def rules(fact: str, draw: random.Random) -> Iterator[Watched]:
    """A rule for each measure of a fact, of a project or of the platform."""
    of = FACTS[fact]
    for number, measure in enumerate(measures_of(fact)):
        own = draw.random() < 0.7
        dimensions = [*of.dimensions] if own else [*of.dimensions, PROJECT]
        filtered = draw.sample(dimensions, draw.choice((0, 0, 1, 2)))
        group_by = tuple(draw.sample(dimensions, draw.choice((0, 0, 1, 2))))
        ids = {
            each: tuple(draw.sample(PROJECTS if each is PROJECT else (*IDS, 99), 2))
            for each in filtered
        }
        compared = draw.choice(
            (Threshold(Operator.ABOVE, 0.0), Change(Operator.ABOVE, 1.5, baseline_seconds=3_600))
        )
        watch = Watch(
            measure_name(measure),
            draw.choice(WINDOWS),
            compared,
            LITERAL,
            group_by=tuple(each.name for each in group_by),
        )
        project_id = draw.choice(PROJECTS) if own else None
        stored = StoredRule(UUID(int=number), project_id, 1, Rule("r", watch))
        yield Watched.of(stored, watch, ids)


async def read(analytics: Analytics, watched: list[Watched], now: datetime) -> dict[Subject, Any]:
    """What the evaluator reads, two projects at a time."""
    cells = {}
    for subject, demand in demands(watched, now).items():
        answers = await run_many(analytics, slices_of(subject, demand, PROJECTS, 2))
        cells[subject] = Cells.of(subject, answers)
    return cells


async def metrics(analytics: Analytics, rule: Watched, span: Range) -> Answer:
    """The answer from which `metrics` takes its totals.

    Of a few projects percentiles are exact where of all they are not: a rule has the exact ones.
    """
    project_id = rule.stored.project_id
    all_projects = Scope.of(PROJECTS) if PROJECT in rule.group_by else Scope.everything()
    scope = all_projects if project_id is None else Scope.of((project_id,))
    fixed = Range(span.start, span.end)
    fact = FACTS[rule.measure.fact]
    floors = KEPT.floors(NOW)
    population = Population(fact, scope, Filter.of(rule.ids), fixed, "UTC", NOW, floors)
    breakdown = Breakdown(frozenset({rule.measure}), group_by=rule.group_by)
    (answer,) = await run_many(analytics, [population.slice(breakdown)])
    return answer


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("seed", range(3))
async def test_evidence_has_the_value_of_metrics(
    analytics: Analytics, fact: str, seed: int
) -> None:
    draw = random.Random(f"{fact} {seed}")
    now = NOW - timedelta(seconds=draw.choice((0, 20, 3_601, 90_000, 40 * 86_400)))
    watched = list(rules(fact, draw))
    cells = await read(analytics, watched, now)
    compared = 0
    for rule in watched:
        found = found_in(rule, cells, now)
        assert isinstance(found, Found)
        evidence = judged(rule, found, {}, {}, now)
        answer = await metrics(analytics, rule, found.window.subject.range)
        measure, at = rule.measure, positions(FACTS[fact])
        for key, cell in answer.totals.items():
            labels = {
                dimension.name: {0: "", 1: "other"}.get(id, str(id))
                if dimension is not PROJECT
                else str(id)
                for dimension, id in zip(rule.group_by, key, strict=True)
            }
            one = evidence[instance_name(labels)]
            assert one.window is not None
            expected = measure.value(cell, days=answer.days, whole=answer.total)
            if one.window.value is None:  # a rate or share of nothing
                assert not expected
            else:
                assert one.window.value == expected, (rule.watch, rule.ids)
            for name, count in one.window.counts.items():
                if name in at:
                    assert count == cell.counts[at[name]]
            if one.guard is not None and one.guard.trials is not None:
                reading = found.window.reading(cell, answer.total)
                assert one.guard.trials == trials_of(measure, reading.cell)
            compared += one.window.value is not None
    assert KEPT.minute_hours  # windows reach beyond what is stored by minutes
    assert compared or now < NOW - timedelta(days=30)
