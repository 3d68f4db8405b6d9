"""Shapes: what of a plan decides the text of its statement, apart from the values in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.dimensions import Dimension
from analytics.plan import Origin, Part, Plan, instant
from analytics.slices import Slice

# Percentiles are exact when the range holds at most so many finishes.
EXACT_FINISHES = 2_000

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


@dataclass(frozen=True, slots=True)
class Read:
    """One table to read; ``many`` when in several windows. ``name`` prefixes its parameters."""

    origin: Origin
    grain: str
    many: bool
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Equal shapes share one compiled statement."""

    fact: str
    bucketed: bool
    group_by: tuple[Dimension, ...]
    filtered: tuple[Dimension, ...]
    total_row: bool
    counts: tuple[Read, ...]
    projects: tuple[Read, ...]
    histogram: bool
    exact: Read | None

    @property
    def series_dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions for which a fact must be joined with its series."""
        used = (*self.group_by, *self.filtered)
        return tuple(d for d in Dimension if d is not Dimension.PROJECT and d in used)

    @property
    def label(self) -> str:
        """A name for metrics: the tables read first."""
        first = self.counts[0] if self.counts else None
        return f"{self.fact}_slice_{first.origin if first else 'none'}"


def shape_of(question: Slice, plan: Plan) -> Shape:
    return Shape(
        fact=question.fact,
        bucketed=len(plan.edges_us) > 2,
        group_by=question.group_by,
        filtered=tuple(
            dimension for dimension in Dimension if _ids(question, dimension) is not None
        ),
        total_row=plan.total_row,
        counts=tuple(_read(part, f"counts{n}") for n, part in enumerate(plan.counts)),
        projects=tuple(_read(part, f"projects{n}") for n, part in enumerate(plan.projects)),
        histogram=question.histogram,
        exact=_exact(question, plan),
    )


def _ids(question: Slice, dimension: Dimension) -> tuple[int, ...] | None:
    if dimension is Dimension.PROJECT:
        return question.project_ids
    return question.filter.ids(dimension)


def _read(part: Part, name: str) -> Read:
    return Read(part.layer.origin, part.layer.grain, len(part.windows) > 1, name)


def _exact(question: Slice, plan: Plan) -> Read | None:
    """The roll-up that bounds the number of finishes from above, for exact percentiles."""
    if not plan.exact_durations:
        return None
    origin = Origin.PLATFORM if question.project_ids is None else Origin.PROJECT
    if _spans_days(plan):
        return Read(origin, "day", many=False, name="bound")
    return Read(origin, "quarter" if origin is Origin.PLATFORM else "hour", False, "bound")


def _spans_days(plan: Plan) -> bool:
    return plan.edges_us[-1] - plan.edges_us[0] > 2 * _DAY_US


def parameters(question: Slice, plan: Plan, shape: Shape) -> dict[str, Any]:
    """The values for the shape's statement."""
    values: dict[str, Any] = {}
    if shape.bucketed:
        values["edges"] = [instant(edge) for edge in plan.edges_us]
    for dimension in shape.filtered:
        values[dimension.filter] = list(_ids(question, dimension) or ())
    reads = zip((*shape.counts, *shape.projects), (*plan.counts, *plan.projects), strict=True)
    for read, part in reads:
        values |= _windows(read, part)
    if shape.exact is not None:
        values |= _bound_window(plan)
    return values


def _windows(read: Read, part: Part) -> dict[str, Any]:
    if read.many:
        return {
            f"{read.name}_lows": [instant(low) for low, _ in part.windows],
            f"{read.name}_highs": [instant(high) for _, high in part.windows],
        }
    ((low, high),) = part.windows
    return {f"{read.name}_low": instant(low), f"{read.name}_high": instant(high)}


def _bound_window(plan: Plan) -> dict[str, datetime]:
    width = _DAY_US if _spans_days(plan) else _HOUR_US
    first, last = plan.edges_us[0], plan.edges_us[-1]
    return {
        "exact_low": instant(first),
        "exact_high": instant(last),
        "bound_low": instant(first // width * width),
        "bound_high": instant(-(-last // width) * width),
    }
