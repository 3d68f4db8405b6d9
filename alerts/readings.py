"""Readings: the few slices that answer many rules, and what each rule finds in them.

Rules that look at the same fact, time and dimensions are answered by one statement, with a cell for
each project; what a rule watches is then added up from the cells that match its filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from access.scopes import Scope
from alerts.conditions import Reading, measure_of
from alerts.guards import Cell
from alerts.rules import StoredRule, Watch
from alerts.windows import baseline_of, window_of
from analytics.answer import Answer, Key
from analytics.components import Components, total, zero
from analytics.intervals import days_between
from analytics.measures import Measure
from analytics.periods import Range
from analytics.shapes import EXACT_PROJECTS
from analytics.slices import Filter, Slice
from storage.dimensions import DIMENSIONS, PROJECT, Dimension

# The most ids of a dimension that a statement filters by; of more all are read.
_IDS_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule with what its names stand for; a name that does not exist has no id."""

    stored: StoredRule
    watch: Watch
    measure: Measure
    ids: Mapping[Dimension, tuple[int, ...]]  # that are selected
    group_by: tuple[Dimension, ...]

    @classmethod
    def of(
        cls, stored: StoredRule, watch: Watch, ids: Mapping[Dimension, tuple[int, ...]]
    ) -> Watched:
        """Raises ValueError for a measure that does not exist, and KeyError for a dimension."""
        group_by = tuple(DIMENSIONS[name] for name in watch.group_by)
        return cls(stored, watch, measure_of(watch), ids, group_by)

    @property
    def each_project(self) -> bool:
        """Whether all that it finds is of single projects."""
        return self.stored.project_id is not None or PROJECT in self.group_by

    @property
    def projects(self) -> tuple[int, ...] | None:
        """The projects that it watches, None for all."""
        if self.stored.project_id is not None:
            return (self.stored.project_id,)
        return self.ids.get(PROJECT)


@dataclass(frozen=True, slots=True)
class Subject:
    """What one statement reads for many rules: a fact in a time, by some dimensions.

    With ``each_project`` there are cells of each project, or else those over all that the filter
    selects: percentiles of several projects, and distinct projects, do not follow from those of
    each, so they are read as `metrics` reads them.
    """

    fact: str
    range: Range
    dimensions: tuple[Dimension, ...]
    histogram: bool
    distinct: bool
    ages: bool
    each_project: bool
    filter: Filter

    @classmethod
    def of(cls, rule: Watched, span: Range) -> Subject:
        """What must be read for a rule in a time."""
        measure, filter = rule.measure, Filter()
        dimensions = [each for each in rule.group_by if each is not PROJECT]
        if measure.needs_projects or not rule.each_project:
            filter = Filter.of(rule.ids)
        else:
            dimensions += [each for each in rule.ids if each not in (PROJECT, *dimensions)]
        dimensions.sort(key=lambda dimension: dimension.name)
        return cls(
            fact=measure.fact,
            range=span,
            dimensions=tuple(dimensions),
            histogram=measure.needs_histogram,
            distinct=measure.needs_projects,
            ages=measure.needs_ages,
            each_project=rule.each_project,
            filter=filter,
        )


@dataclass(slots=True)
class Demand:
    """What rules want of a subject: the projects, and the ids of each dimension; None for all."""

    projects: set[int] | None = field(default_factory=set)
    ids: dict[Dimension, set[int] | None] = field(default_factory=dict)

    def add(self, rule: Watched, dimensions: Iterable[Dimension]) -> None:
        """Adds what one more rule wants."""
        self.projects = _joined(self.projects, rule.projects)
        for dimension in dimensions:
            known = self.ids.get(dimension, set())
            self.ids[dimension] = _joined(known, rule.ids.get(dimension))


def _joined(known: set[int] | None, more: Iterable[int] | None) -> set[int] | None:
    return None if known is None or more is None else known.union(more)


def demands(rules: Iterable[Watched], now: datetime) -> dict[Subject, Demand]:
    """Returns what must be read for all rules, each subject once."""
    found: dict[Subject, Demand] = {}
    for rule in rules:
        demand_of(rule, now, found)
    return found


def demand_of(rule: Watched, now: datetime, found: dict[Subject, Demand]) -> None:
    """Adds what must be read for a rule."""
    for span in (window_of(rule.watch, now), baseline_of(rule.watch, now)):
        if span is not None:
            subject = Subject.of(rule, span)
            found.setdefault(subject, Demand()).add(rule, subject.dimensions)


def slices_of(
    subject: Subject, demand: Demand, all_projects: Sequence[int], at_once: int
) -> list[Slice]:
    """Returns the slices that answer a subject, each of at most so many projects.

    Percentiles are exact where few projects are read at once.
    """
    if not subject.each_project:
        return [_slice(subject, Scope.everything(), subject.filter, subject.dimensions)]
    ids = {
        dimension: wanted
        for dimension, wanted in demand.ids.items()
        if wanted is not None and len(wanted) <= _IDS_AT_MOST
    }
    filter = Filter.of({**ids, **dict(subject.filter.pairs)})
    projects = sorted(all_projects if demand.projects is None else demand.projects)
    step = min(at_once, EXACT_PROJECTS) if subject.histogram else at_once
    by = (PROJECT, *subject.dimensions)
    return [
        _slice(subject, Scope.of(projects[first : first + step]), filter, by)
        for first in range(0, len(projects), step)
    ]


def _slice(
    subject: Subject, scope: Scope, filter: Filter, group_by: tuple[Dimension, ...]
) -> Slice:
    return Slice(
        fact=subject.fact,
        scope=scope,
        filter=filter,
        range=subject.range,
        group_by=group_by,
        histogram=subject.histogram,
        distinct=subject.distinct,
        ages=subject.ages,
    )


@dataclass(slots=True)
class Cells:
    """The cells of a subject, by project; all under None where they are of several together."""

    subject: Subject
    by_project: dict[int | None, list[tuple[Key, Components]]] = field(default_factory=dict)
    days: float = 0.0
    as_of: datetime | None = None

    @classmethod
    def of(cls, subject: Subject, answers: Iterable[Answer]) -> Cells:
        """The cells of the answers to a subject's slices."""
        cells = cls(subject, days=days_between(subject.range.start, subject.range.end, "UTC"))
        for answer in answers:
            cells.as_of = answer.as_of
            for key, cell in answer.totals.items():
                if subject.each_project:
                    cells.by_project.setdefault(key[0], []).append((key[1:], cell))
                else:
                    cells.by_project.setdefault(None, []).append((key, cell))
        return cells

    def groups(self, rule: Watched) -> dict[Key, Components]:
        """Returns what a rule finds, by the ids of its groups; without groups always one cell."""
        parts: dict[Key, list[Components]] = {}
        at = {each: position for position, each in enumerate(self.subject.dimensions)}
        wanted = [(at[each], rule.ids[each]) for each in rule.ids if each in at]
        # Where the statement itself filters, it has no cell of anything else.
        picked = [None if each is PROJECT else at[each] for each in rule.group_by]
        for project in self._projects(rule):
            for key, cell in self.by_project.get(project, ()):
                if all(key[position] in ids for position, ids in wanted):
                    group = tuple(project if p is None else key[p] for p in picked)
                    parts.setdefault(group, []).append(cell)  # type: ignore[arg-type]
        blank = self.blank
        if not rule.group_by:
            return {(): _added(parts.get((), []), blank)}
        return {group: _added(cells, blank) for group, cells in parts.items()}

    def _projects(self, rule: Watched) -> Iterable[int | None]:
        if not rule.each_project:
            return (None,)
        return self.by_project if rule.projects is None else rule.projects

    @property
    def blank(self) -> Components:
        """The cell of nothing."""
        of = self.subject
        return zero(of.fact, histogram=of.histogram, projects=of.distinct, ages=of.ages)

    def reading(self, cell: Components, whole: Components) -> Reading:
        """Returns a cell in its time, beside that of all groups."""
        return Reading(self.subject.range, Cell(cell, whole, self.days))


def _added(cells: Sequence[Components], blank: Components) -> Components:
    return cells[0] if len(cells) == 1 else total(cells, blank)
