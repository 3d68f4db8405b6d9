"""Answers made by hand, for tests of back-tests without a database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from access.scopes import Scope
from alerts.back_test import Plan, plan
from alerts.replay import BackTest, replay
from alerts.rules import Watch
from analytics.answer import Answer, Bucket, Key, Source
from analytics.components import Components, positions, zero
from analytics.periods import Range
from analytics.slices import Filter, Slice
from storage.facts import FACTS
from storage.facts.fact import Floors

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FLOORS = Floors(NOW - timedelta(hours=60), NOW - timedelta(days=91), None)
DAY = timedelta(days=1)

# The counts of a group in a bucket that starts then, by the names of components.
Counts = Callable[[datetime, Key], dict[str, int]]


def planned(watch: Watch, length: timedelta, end: datetime = NOW) -> Plan:
    span = Range(end - length, end)
    return plan(watch, span, Scope.of([1]), Filter(), floors=FLOORS, now=NOW)


def cell(fact: str, counts: dict[str, int]) -> Components:
    """A cell without a histogram and without peaks."""
    at = positions(FACTS[fact])
    values = [0] * len(at)
    for name, count in counts.items():
        values[at[name]] = count
    return Components(tuple(values))


def answer(question: Slice, step: timedelta, counts: Counts, keys: tuple[Key, ...]) -> Answer:
    """The answer to a slice whose buckets have these counts."""
    span, empty = question.range, zero(question.fact)
    starts = [span.start + number * step for number in range(span.length // step)]
    rows = {key: tuple(cell(question.fact, counts(start, key)) for start in starts) for key in keys}
    return Answer(
        buckets=tuple(Bucket(start, start + step, False, step / DAY) for start in starts),
        rows=rows,
        totals={},
        total=empty,
        zero=empty,
        days=span.length / DAY,
        as_of=NOW,
        source=Source.ROLLUP,
        complete=True,
        approximate=False,
    )


def played(
    watch: Watch,
    length: timedelta,
    counts: Counts,
    *,
    keys: tuple[Key, ...] = ((),),
    end: datetime = NOW,
) -> BackTest:
    """The back-test of a rule over this time before the end."""
    made = planned(watch, length, end)
    answers = [answer(question, made.step, counts, keys) for question in made.slices]
    return replay(made, answers)
