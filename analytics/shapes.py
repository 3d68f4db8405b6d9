"""Shapes: what of a plan decides the text of its statement, apart from the values in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from analytics.dimensions import Dimension
from analytics.plan import Origin, Part, Plan, instant
from analytics.slices import Slice
from storage.facts.fact import Cell

# Percentiles are exact when the range holds at most so many finishes, of each project where
# projects are told apart, and so many projects.
EXACT_FINISHES = 1_000
EXACT_PROJECTS = 200

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


class Windows(StrEnum):
    """How the windows of a table are read."""

    ONE = "one"
    APART = "apart"  # each for itself: there is much between them
    GAPPED = "gapped"  # as one, without the few buckets between them


@dataclass(frozen=True, slots=True)
class Read:
    """One table to read. ``name`` prefixes its parameters."""

    origin: Origin
    grain: str
    windows: Windows
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Equal shapes share one compiled statement."""

    fact: str
    bucketed: bool
    as_stored: bool  # the buckets are those of the one table that is read
    group_by: tuple[Dimension, ...]
    filtered: tuple[Dimension, ...]
    cell: Cell  # whose rows are read of each roll-up
    counts: tuple[Read, ...]
    projects: tuple[Read, ...]
    histogram: bool
    exact: Read | None
    versioned: Origin  # whose counters say how new the data is: projects' or the platform's

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
        as_stored=_as_stored(plan),
        group_by=question.group_by,
        filtered=tuple(
            dimension for dimension in Dimension if _ids(question, dimension) is not None
        ),
        cell=plan.cell,
        counts=tuple(_read(part, f"counts{n}") for n, part in enumerate(plan.counts)),
        projects=tuple(_read(part, f"projects{n}") for n, part in enumerate(plan.projects)),
        histogram=question.histogram,
        exact=_exact(question, plan),
        versioned=Origin.PLATFORM if question.tags().project_ids is None else Origin.PROJECT,
    )


def _as_stored(plan: Plan) -> bool:
    if len(plan.edges_us) == 2 or len(plan.counts) != 1:
        return False
    widths = {high - low for low, high in pairwise(plan.edges_us)}
    return widths == {plan.counts[0].layer.width_us}


def _ids(question: Slice, dimension: Dimension) -> tuple[int, ...] | None:
    if dimension is Dimension.PROJECT:
        return question.project_ids
    return question.filter.ids(dimension)


def _read(part: Part, name: str) -> Read:
    return Read(part.layer.origin, part.layer.grain, _windows_of(part), name)


def _windows_of(part: Part) -> Windows:
    if len(part.windows) == 1:
        return Windows.ONE
    covered = sum(high - low for low, high in part.windows)
    dense = 2 * covered > part.windows[-1][1] - part.windows[0][0]
    return Windows.GAPPED if dense and part.layer.origin is not Origin.FACTS else Windows.APART


def _exact(question: Slice, plan: Plan) -> Read | None:
    """The roll-up that bounds the number of finishes from above, for exact percentiles."""
    projects = question.project_ids
    apart = Dimension.PROJECT in question.group_by
    if not plan.exact_durations or (apart and (not projects or len(projects) > EXACT_PROJECTS)):
        return None
    origin = Origin.PLATFORM if projects is None else Origin.PROJECT
    if _spans_days(plan):
        return Read(origin, "day", Windows.ONE, "bound")
    grain = "quarter" if origin is Origin.PLATFORM else "hour"
    return Read(origin, grain, Windows.ONE, "bound")


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
        values |= _window_values(read, part)
    if shape.exact is not None:
        values |= _bound_window(plan)
    days = question.tags().days
    assert days is not None
    return values | {"version_first": days[0], "version_last": days[1]}


def _window_values(read: Read, part: Part) -> dict[str, Any]:
    first, last = instant(part.windows[0][0]), instant(part.windows[-1][1])
    whole = {f"{read.name}_low": first, f"{read.name}_high": last}
    match read.windows:
        case Windows.ONE:
            return whole
        case Windows.GAPPED:
            ends = [instant(end) for window in part.windows for end in window]
            return whole | {f"{read.name}_ends": ends}
        case Windows.APART:
            return {
                f"{read.name}_lows": [instant(low) for low, _ in part.windows],
                f"{read.name}_highs": [instant(high) for _, high in part.windows],
            }


def _bound_window(plan: Plan) -> dict[str, datetime]:
    width = _DAY_US if _spans_days(plan) else _HOUR_US
    first, last = plan.edges_us[0], plan.edges_us[-1]
    return {
        "exact_low": instant(first),
        "exact_high": instant(last),
        "bound_low": instant(first // width * width),
        "bound_high": instant(-(-last // width) * width),
    }
