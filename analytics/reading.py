"""Turns the rows of a statement into an answer, zero-filled and totalled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from analytics.answer import Answer, Bucket, Key, Source
from analytics.compile import MAX_CELLS, max_groups
from analytics.components import Components, longest, positions, total, zero
from analytics.intervals import Interval, days_between, edges
from analytics.periods import Range
from analytics.plan import SlicePlan, TableKind
from analytics.slices import Slice
from storage.errors import LimitExceeded
from storage.facts import FACTS
from storage.facts.fact import Histogram

Row = Sequence[Any]
_Cells = dict[Key, dict[int, Components]]
_Ages = tuple[int | None, ...]


def read_answer(
    question: Slice, plan: SlicePlan, rows: Sequence[Row], stored_days: datetime
) -> Answer:
    """Returns the answer of a statement's rows; no day before ``stored_days`` is stored."""
    if len(rows) > MAX_CELLS + 1:
        raise LimitExceeded(
            f"The answer has more than {MAX_CELLS:,} cells: group by fewer dimensions, filter, or "
            "ask for a longer interval.",
            limit=f"cells per answer: {MAX_CELLS}",
        )
    state, cells = _state_row(rows)
    return _assemble(question, plan, _collect(question, cells), state[0], stored_days)


def rows_by_slice(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """Splits the rows of a statement that answers several slices by its first column."""
    by_slice: list[list[Row]] = [[] for _ in range(count)]
    for number, *row in rows:
        by_slice[number].append(row)
    return by_slice


def numbers_of(rows: Sequence[Row]) -> dict[int, int]:
    """Returns the version counters the statement read, by project or writer slot."""
    (_, owners, numbers, *_), _ = _state_row(rows)
    return dict(zip(owners or (), numbers or (), strict=True))


def _state_row(rows: Sequence[Row]) -> tuple[Row, Sequence[Row]]:
    """Returns the row with the time and version counters, and the other rows, which are cells."""
    first = next(index for index, row in enumerate(rows) if row[0] is not None)
    return rows[first], [*rows[:first], *rows[first + 1 :]]


def seen_at(question: Slice, answer: Answer, as_of: datetime, stored_days: datetime) -> Answer:
    """Returns the answer as of a later moment at which its data had not changed."""
    return replace(
        answer,
        as_of=as_of,
        buckets=_buckets(question, as_of),
        days=_days_so_far(question.range, question.range, as_of, question.zone),
        complete=_complete(question, as_of, stored_days),
    )


def empty_answer(
    question: Slice, plan: SlicePlan, as_of: datetime, stored_days: datetime
) -> Answer:
    """Returns the answer of a slice that cannot match anything."""
    return _assemble(question, plan, _Found(), as_of, stored_days)


@dataclass(slots=True)
class _Found:
    """Cells by group and bucket, ages by group, distinct projects by group and over all groups."""

    cells: _Cells = field(default_factory=dict)
    ages: dict[Key, _Ages] = field(default_factory=dict)
    projects: dict[Key, int] = field(default_factory=dict)
    all_projects: int | None = None


def _collect(question: Slice, rows: Sequence[Row]) -> _Found:
    layout = _Layout.of(question)
    found = _Found()
    distinct: dict[tuple[Key, int], int] = {}
    durations: dict[tuple[Key, int], tuple[int, ...]] = {}
    for row in rows:
        key, bucket = tuple(row[4 : layout.groups_end]), row[3] - 1
        if row[layout.counts_at] is not None:
            cell = layout.components(row)
            own = found.cells.setdefault(key, {})
            own[bucket] = total((own[bucket], cell), cell) if bucket in own else cell
        elif question.ages and any(age is not None for age in row[layout.ages_at : -1]):
            ages = tuple(row[layout.ages_at : -1])
            found.ages[key] = longest((ages, found.ages.get(key, ages)))
        elif layout.distinct and row[-1] is not None:
            if bucket >= 0:
                distinct[key, bucket] = row[-1]
            elif None in key:
                found.all_projects = row[-1]
            else:
                found.projects[key] = row[-1]
        elif layout.histogram and row[layout.durations_at] is not None:
            durations[key, bucket] = tuple(sorted(row[layout.durations_at]))
    if layout.distinct:
        _set_distinct(found.cells, distinct)
    timing = FACTS[question.fact].timing
    if durations and timing:
        _set_durations(found.cells, durations, positions(FACTS[question.fact])[timing.count])
    return found


@dataclass(frozen=True, slots=True)
class _Layout:
    """The positions of a row's columns."""

    groups_end: int
    counts_at: int
    peaks_at: int
    extras_at: int
    large: tuple[int, ...]  # positions of the counts that the driver returns as Decimal
    histogram: Histogram | None
    distinct: bool

    @classmethod
    def of(cls, question: Slice) -> _Layout:
        fact = FACTS[question.fact]
        counts_at = 4 + max_groups(fact)
        peaks_at = counts_at + len(fact.components)
        return cls(
            4 + len(question.group_by),
            counts_at,
            peaks_at,
            peaks_at + len(fact.peaks),
            tuple(n for n, component in enumerate(fact.components) if component.large),
            fact.timing.histogram if question.histogram and fact.timing else None,
            question.distinct,
        )

    @property
    def durations_at(self) -> int:
        return self.extras_at + 1

    @property
    def ages_at(self) -> int:
        return self.extras_at + 2

    def components(self, row: Row) -> Components:
        values = list(row[self.counts_at : self.peaks_at])
        for position in self.large:
            values[position] = int(values[position])
        counts, peaks = tuple(values), tuple(map(int, row[self.peaks_at : self.extras_at]))
        if self.histogram is None:
            return Components(counts, peaks=peaks)
        if row[self.extras_at] is not None:
            return Components(counts, tuple(row[self.extras_at]), peaks=peaks)
        histogram = _histogram(row[self.durations_at] or (), self.histogram)
        return Components(counts, histogram, peaks=peaks)


_thresholds_us = cache(Histogram.thresholds_us)


def _histogram(durations_us: Iterable[int], shape: Histogram) -> tuple[int, ...]:
    thresholds = _thresholds_us(shape)
    counts = [0] * shape.buckets
    for duration in durations_us:
        counts[bisect_right(thresholds, duration)] += 1
    return tuple(counts)


def _set_distinct(cells: _Cells, distinct: dict[tuple[Key, int], int]) -> None:
    for key, own in cells.items():
        for bucket, cell in own.items():
            own[bucket] = cell._replace(projects=distinct.get((key, bucket), 0))


def _set_durations(
    cells: _Cells, durations: dict[tuple[Key, int], tuple[int, ...]], timed: int
) -> None:
    """Sets the durations of cells for which all of them were read."""
    for key, own in cells.items():
        for bucket, cell in own.items():
            known = durations.get((key, bucket), ())
            if len(known) == cell.counts[timed]:
                own[bucket] = cell._replace(durations_us=known)


def _assemble(
    question: Slice, plan: SlicePlan, found: _Found, as_of: datetime, stored_days: datetime
) -> Answer:
    buckets = _buckets(question, as_of)
    nothing = zero(
        question.fact,
        histogram=question.histogram,
        projects=question.distinct,
        ages=question.ages,
    )
    blank = nothing._replace(ages=())
    counted = {key for key, own in found.cells.items() if any(any(c.counts) for c in own.values())}
    keys = counted | found.ages.keys() or ({()} if not question.group_by else set())
    rows = {
        key: tuple(found.cells.get(key, {}).get(index, blank) for index in range(len(buckets)))
        for key in sorted(keys)
    }
    totals = {
        key: _total(cells, found.projects.get(key), blank)._replace(
            ages=found.ages.get(key, nothing.ages)
        )
        for key, cells in rows.items()
    }
    return Answer(
        buckets=buckets,
        rows=rows,
        totals=totals,
        total=_total(totals.values(), found.all_projects, nothing),
        zero=nothing,
        days=_days_so_far(question.range, question.range, as_of, question.zone),
        as_of=as_of,
        source=_source(plan),
        complete=_complete(question, as_of, stored_days),
        approximate=plan.approximate,
    )


def _complete(question: Slice, as_of: datetime, stored_days: datetime) -> bool:
    return question.range.end <= as_of and question.range.start >= stored_days


def _total(cells: Collection[Components], projects: int | None, blank: Components) -> Components:
    """Adds up cells; ``projects`` is the number of distinct projects in all of them."""
    if len(cells) == 1:
        return next(iter(cells))
    whole = total(cells, blank)
    return whole if blank.projects is None else whole._replace(projects=projects or 0)


def _buckets(question: Slice, as_of: datetime) -> tuple[Bucket, ...]:
    span, zone = question.range, question.zone
    closed = _closed_buckets(span, question.interval, zone)
    if span.end <= as_of:
        return closed
    return tuple(
        bucket
        if bucket.end <= as_of
        else replace(bucket, open=True, days=_days_so_far(bucket, span, as_of, zone))
        for bucket in closed
    )


def _days_so_far(part: Range | Bucket, span: Range, as_of: datetime, zone: str) -> float:
    """The days of a part of ``span`` up to ``as_of``; of a rolling range, all days."""
    end = part.end if span.rolling else min(part.end, as_of)
    return days_between(part.start, end, zone)


@lru_cache(maxsize=256)
def _closed_buckets(span: Range, interval: Interval | None, zone: str) -> tuple[Bucket, ...]:
    cuts = (span.start, span.end) if interval is None else edges(span, interval, zone)
    return tuple(
        Bucket(start, end, open=False, days=days_between(start, end, zone))
        for start, end in pairwise(cuts)
    )


def _source(plan: SlicePlan) -> Source:
    raw = [scan.layer.kind is TableKind.FACTS for scan in plan.counts]
    if all(raw):
        return Source.RAW if raw else Source.ROLLUP
    return Source.MIXED if any(raw) else Source.ROLLUP
