"""Slices of the world, with short defaults, and their answers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from access.scopes import Scope
from analytics.answer import Answer
from analytics.components import Components
from analytics.intervals import Interval
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter, Slice
from storage.dimensions import Dimension
from storage.errors import GatewayError
from storage.facts import FACTS

ALL = Scope.everything()
TWO = Scope.of((11, 13))
MARCH = Range(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
RAGGED = Range(
    datetime(2026, 10, 2, 3, 17, 11, 123457, tzinfo=UTC),
    datetime(2026, 11, 3, 20, 44, 59, 1, tzinfo=UTC),
)


def question(
    span: Range = RAGGED,
    scope: Scope = ALL,
    *,
    fact: str = "deployment",
    filter: Filter | None = None,
    interval: Interval | None = None,
    zone: str = "UTC",
    group_by: Sequence[Dimension] = (),
    histogram: bool = True,
    distinct: bool = True,
    ages: bool = False,
) -> Slice:
    """A slice with everything that its fact has, but ages, unless told otherwise."""
    return Slice(
        fact,
        scope,
        filter or Filter(),
        span,
        interval,
        zone,
        tuple(group_by),
        histogram and FACTS[fact].timing is not None,
        distinct and bool(FACTS[fact].presences),
        ages and bool(FACTS[fact].ages),
    )


def cell(fact: str = "deployment", **counts: int) -> Components:
    """A cell with these counts; all others are 0."""
    names = [component.name for component in FACTS[fact].components]
    assert set(counts) <= set(names)
    return Components(tuple(counts.get(name, 0) for name in names))


async def run_many(analytics: Analytics, questions: Sequence[Slice]) -> list[Answer]:
    """Returns the answers, of one state; raises the first failure."""
    state = analytics.state(optimistic=True)  # one call alone cannot see the data change
    try:
        answers = []
        for answer in await analytics.run_each(questions, state):
            if isinstance(answer, GatewayError):
                raise answer
            answers.append(answer)
        return answers
    finally:
        state.release()
