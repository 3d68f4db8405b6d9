"""Questions to the world, with short defaults."""

from collections.abc import Sequence
from datetime import UTC, datetime

from access.scopes import Scope
from analytics.dimensions import Dimension
from analytics.intervals import Interval
from analytics.periods import Range, between
from analytics.slices import Filter, Slice

ALL = Scope.everything()
TWO = Scope.of((11, 13))
MARCH = between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
RAGGED = between(
    datetime(2026, 10, 2, 3, 17, 11, 123457, tzinfo=UTC),
    datetime(2026, 11, 3, 20, 44, 59, 1, tzinfo=UTC),
)


def question(
    span: Range = RAGGED,
    scope: Scope = ALL,
    *,
    filter: Filter | None = None,
    interval: Interval | None = None,
    zone: str = "UTC",
    group_by: Sequence[Dimension] = (),
    histogram: bool = True,
    distinct: bool = True,
) -> Slice:
    return Slice(
        "deployment",
        scope,
        filter or Filter(),
        span,
        interval,
        zone,
        tuple(group_by),
        histogram,
        distinct,
    )
