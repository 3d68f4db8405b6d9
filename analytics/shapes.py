"""Shapes: the parts of a plan that decide a statement's text, without its parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

from analytics.plan import DAY_US, HOUR_US, Scan, SlicePlan, TableKind, Window, instant
from analytics.slices import Filter, Slice
from storage.dimensions import PROJECT, Dimension
from storage.facts import FACTS
from storage.facts.fact import Append, Cell, Keep, Reach

# Percentiles are exact when the range holds at most so many durations (of each project, if grouped
# by project) of at most so many projects.
EXACT_DURATIONS = 1_000
EXACT_PROJECTS = 200


class Windows(StrEnum):
    """How a statement reads the windows of a table."""

    ONE = "one"
    APART = "apart"  # one by one: much of the table lies between them
    GAPPED = "gapped"  # as one window, minus the few buckets between them


@dataclass(frozen=True, slots=True)
class ScanShape:
    """A table that the statement reads. ``name`` prefixes its parameters.

    With ``each_project`` the rows of all projects are read project by project, since the table's
    indexes begin with the project.
    """

    kind: TableKind
    grain: str
    windows: Windows
    name: str
    each_project: bool = False


class ExactShape(NamedTuple):
    """The single durations to read, and the roll-up that limits how many they may be."""

    rows: ScanShape
    bound: ScanShape


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of a statement: equal shapes share one."""

    fact: str
    bucketed: bool
    as_stored: bool  # the buckets equal those of the only table in counts
    group_by: tuple[Dimension, ...]
    filtered: tuple[Dimension, ...]
    cell: Cell  # its rows of each roll-up are read
    counts: tuple[ScanShape, ...]
    projects: tuple[ScanShape, ...]
    histogram: bool
    ages: bool
    exact: ExactShape | None
    versioned: TableKind  # the version counters to read: PROJECT or PLATFORM

    @property
    def series_dimensions(self) -> tuple[Dimension, ...]:
        """The used dimensions that the series table holds: all but the project."""
        used = (*self.group_by, *self.filtered)
        return tuple(d for d in FACTS[self.fact].dimensions if d in used)

    @property
    def label(self) -> str:
        """The statement's name in metrics."""
        first = self.counts[0] if self.counts else None
        return f"{self.fact}_slice_{first.kind if first else 'none'}"


def shape_of(question: Slice, plan: SlicePlan) -> Shape:
    return Shape(
        fact=question.fact,
        bucketed=len(plan.edges_us) > 2,
        as_stored=_as_stored(plan),
        group_by=question.group_by,
        filtered=_selected(question).dimensions,
        cell=plan.cell,
        counts=_scan_shapes(question, plan.cell, plan.counts, "counts"),
        projects=_scan_shapes(question, plan.cell, plan.projects, "projects"),
        histogram=question.histogram,
        ages=question.ages,
        exact=_exact(question, plan),
        versioned=TableKind.PLATFORM if question.tags().project_ids is None else TableKind.PROJECT,
    )


def _as_stored(plan: SlicePlan) -> bool:
    if len(plan.edges_us) == 2 or len(plan.counts) != 1:
        return False
    widths = {high - low for low, high in pairwise(plan.edges_us)}
    return widths == {plan.counts[0].layer.width_us}


def _selected(question: Slice) -> Filter:
    """The slice's filter, with the projects of its scope."""
    return question.filter.replaced(PROJECT, question.project_ids)


def _scan_shapes(
    question: Slice, cell: Cell, scans: Sequence[Scan], name: str
) -> tuple[ScanShape, ...]:
    return tuple(
        ScanShape(
            scan.layer.kind,
            scan.layer.grain,
            _windows_of(scan),
            f"{name}{number}",
            _reads_each_project(question, cell, scan.layer.kind),
        )
        for number, scan in enumerate(scans)
    )


def _reads_each_project(question: Slice, cell: Cell, kind: TableKind) -> bool:
    """Whether one by one is the fast way to read the rows of all projects.

    The rows of an append fact have no index that begins with the time, nor have roll-ups; those
    of a cell that exists per project only are too many to read them all.
    """
    if question.project_ids is not None:
        return False
    if kind is TableKind.FACTS:
        return isinstance(FACTS[question.fact], Append)
    return kind is TableKind.PROJECT and not cell.of_platform


def _windows_of(scan: Scan) -> Windows:
    if len(scan.windows) == 1:
        return Windows.ONE
    covered = sum(high - low for low, high in scan.windows)
    dense = 2 * covered > scan.windows[-1][1] - scan.windows[0][0]
    return Windows.GAPPED if dense and scan.layer.kind is not TableKind.FACTS else Windows.APART


def _exact(question: Slice, plan: SlicePlan) -> ExactShape | None:
    projects = question.project_ids
    by_project = PROJECT in question.group_by
    if not plan.exact_durations or (
        by_project and (not projects or len(projects) > EXACT_PROJECTS)
    ):
        return None
    reach = Reach.PLATFORM if projects is None else Reach.PROJECT
    grain = FACTS[question.fact].grain(reach, Keep.DAY if _spans_days(plan) else Keep.FINE)
    each_project = _reads_each_project(question, plan.cell, TableKind.FACTS)
    return ExactShape(
        ScanShape(TableKind.FACTS, "", Windows.ONE, "exact", each_project),
        ScanShape(TableKind(reach), grain.name, Windows.ONE, "bound"),
    )


def _spans_days(plan: SlicePlan) -> bool:
    return plan.edges_us[-1] - plan.edges_us[0] > 2 * DAY_US


def parameters(question: Slice, plan: SlicePlan, shape: Shape) -> dict[str, Any]:
    """Returns the values of the statement's parameters."""
    values: dict[str, Any] = {}
    if shape.bucketed:
        values["edges"] = [instant(edge) for edge in plan.edges_us]
    values |= {dimension.plural: list(ids) for dimension, ids in _selected(question).pairs}
    shapes = (*shape.counts, *shape.projects)
    for scan_shape, scan in zip(shapes, (*plan.counts, *plan.projects), strict=True):
        values |= _window_values(scan_shape, scan.windows)
    if shape.exact is not None:
        values |= _bound_window(plan)
    if shape.ages:
        values |= {"ages_start": question.range.start, "ages_end": question.range.end}
    days = question.tags().days
    assert days is not None
    return values | {"version_first": days[0], "version_last": days[1]}


def _window_values(scan: ScanShape, windows: Sequence[Window]) -> dict[str, Any]:
    match scan.windows:
        case Windows.ONE | Windows.GAPPED:
            values: dict[str, Any] = {
                f"{scan.name}_low": instant(windows[0][0]),
                f"{scan.name}_high": instant(windows[-1][1]),
            }
            if scan.windows is Windows.GAPPED:
                values[f"{scan.name}_ends"] = [instant(end) for window in windows for end in window]
            return values
        case Windows.APART:
            return {
                f"{scan.name}_lows": [instant(low) for low, _ in windows],
                f"{scan.name}_highs": [instant(high) for _, high in windows],
            }


def _bound_window(plan: SlicePlan) -> dict[str, datetime]:
    width = DAY_US if _spans_days(plan) else HOUR_US
    first, last = plan.edges_us[0], plan.edges_us[-1]
    return {
        "exact_low": instant(first),
        "exact_high": instant(last),
        "bound_low": instant(first // width * width),
        "bound_high": instant(-(-last // width) * width),
    }
