"""The measures recomputed by hand from a plain list of rows: no SQL, no roll-ups.

Written independently of the analytics package, which it does not import.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

# The id of a name beyond a limit.
OTHER = 1
QUEUED, IN_PROGRESS, SUCCEEDED, FAILED, CANCELLED, ROLLED_BACK = range(6)
REQUESTED, ISSUED, RENEWED, NOT_ISSUED, REMOVED = range(5)  # of certificates


@dataclass(frozen=True)
class Row:
    """A row of a fact: its project, the ids of its dimensions, and its other columns."""

    project: int
    ids: Mapping[str, int]
    columns: Mapping[str, Any]

    @property
    def is_event(self) -> bool:
        """Whether it is one event, and not an entity with a creation and a finish."""
        return "occurred_at" in self.columns

    @property
    def began(self) -> datetime:
        return self.columns["occurred_at" if self.is_event else "created_at"]  # type: ignore[no-any-return]

    @property
    def ended(self) -> datetime | None:
        return self.began if self.is_event else self.columns.get("finished_at")

    def id(self, dimension: str) -> int:
        return self.project if dimension == "project" else self.ids[dimension]


# Values by the name of their measure.
Measured = Mapping[str, float | None]


@dataclass(frozen=True)
class Cell:
    """The rows that began and those that ended within one span of time, and its days.

    `at_end` has the measures of how things stand at its end.
    """

    began: Sequence[Row]
    ended: Sequence[Row]
    days: float
    all_began: int
    at_end: Measured = field(default_factory=dict)


def cell(
    rows: Iterable[Row],
    start: datetime,
    end: datetime,
    *,
    zone: str = "UTC",
    all_began: int | None = None,
    at_end: Measured | None = None,
) -> Cell:
    rows = list(rows)
    began = [row for row in rows if start <= row.began < end]
    ended = [row for row in rows if row.ended and start <= row.ended < end]
    whole = len(began) if all_began is None else all_began
    return Cell(began, ended, days(start, end, zone), whole, at_end or {})


def runs(row: Row, start: datetime, end: datetime) -> bool:
    """Whether something that was created from the start on runs at the end."""
    own, started = row.columns, row.columns["started_at"]
    over = own["state_rank"] >= 2 and own["state_at"] < end
    over = over or (row.ended is not None and row.ended < end)
    return started is not None and start <= row.began and started < end and not over


def in_force(rows: Iterable[Row], end: datetime) -> list[Row]:
    """The last certificate that each domain got before the end, unless it was removed by then."""
    last: dict[Any, Row] = {}
    for row in rows:
        own = row.columns
        if row.ended is None or row.ended >= end or own["finish_status"] == NOT_ISSUED:
            continue
        place = row.project, own["domain"], own["environment"]
        if place not in last or row.ended > (last[place].ended or end):
            last[place] = row
    return [
        row
        for row in last.values()
        if row.columns["status"] != REMOVED or row.columns["state_at"] >= end
    ]


def at_end(rows: Iterable[Row], valid: Iterable[Row], start: datetime, end: datetime) -> Measured:
    """How things stand with rows at the end of a span, `valid` of which are in force then."""
    ages = [end - row.columns["started_at"] for row in rows if runs(row, start, end)]
    expiries = [row.columns["not_after"] for row in valid]
    left = [expiry - end for expiry in expiries if expiry is not None]
    return {
        "longest_running_ms": max(ages, default=timedelta()) / timedelta(milliseconds=1),
        "days_to_expiry": min(left) / timedelta(days=1) if left else None,
    }


def days(start: datetime, end: datetime, zone: str) -> float:
    """Walk from day to day by the clock on the wall; what is left then is timed with a watch."""
    wall = start.astimezone(ZoneInfo(zone))
    walked, at, date = 0, start, wall.date()
    while date <= end.astimezone(ZoneInfo(zone)).date():
        step = datetime.combine(date, wall.time(), ZoneInfo(zone)).replace(fold=0).astimezone(UTC)
        if at < step <= end:
            walked, at = walked + 1, step
        date += timedelta(days=1)
    return walked + min((end - at) / timedelta(days=1), 1)


def label(at: datetime, interval: str, zone: str) -> object:
    """What a calendar or a clock on the wall calls the span that ``at`` lies in."""
    local = at.astimezone(ZoneInfo(zone))
    year, week, _ = local.isocalendar()
    return {
        "minute": (local.date(), local.hour, local.minute, local.utcoffset()),
        "hour": (local.date(), local.hour, local.utcoffset()),
        "day": local.date(),
        "week": (year, week),
        "month": (local.year, local.month),
    }[interval]


def _status(cell: Cell, status: int) -> int:
    return len([row for row in cell.began if row.columns["status"] == status])


def _finish(cell: Cell, status: int) -> int:
    return len([row for row in cell.ended if row.columns["finish_status"] == status])


def _other(cell: Cell, *statuses: int) -> int:
    return len([row for row in cell.began if row.columns["status"] not in statuses])


def _over(cell: Cell) -> int:
    return _other(cell, QUEUED, IN_PROGRESS)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0


def _per(cell: Cell, periods: float) -> float:
    return len(cell.ended) / periods if periods else 0.0


def durations_us(cell: Cell) -> list[int]:
    found = (row.columns.get("duration_us") for row in cell.ended)
    return sorted(duration for duration in found if duration is not None)


def _average_ms(cell: Cell) -> float | None:
    durations = durations_us(cell)
    return sum(durations) / len(durations) / 1000 if durations else None


def percentile_ms(cell: Cell, percent: int) -> float | None:
    """Nearest rank, in whole numbers only."""
    durations = durations_us(cell)
    if not durations:
        return None
    return durations[max(1, ceil(percent * len(durations) / 100)) - 1] / 1000


Measures = dict[str, Callable[[Cell], float | None]]

_DURATIONS: Measures = {
    "average_duration_ms": _average_ms,
    "duration_p50_ms": lambda cell: percentile_ms(cell, 50),
    "duration_p90_ms": lambda cell: percentile_ms(cell, 90),
    "duration_p95_ms": lambda cell: percentile_ms(cell, 95),
    "duration_p99_ms": lambda cell: percentile_ms(cell, 99),
}
_OF_PROJECTS: Measures = {
    "share": lambda cell: _ratio(len(cell.began), cell.all_began),
    "active_projects": lambda cell: len({row.project for row in cell.began}),
}
_LIFECYCLE: Measures = {
    "attempts": lambda cell: len(cell.began),
    "queued": lambda cell: _status(cell, QUEUED),
    "in_progress": lambda cell: _status(cell, IN_PROGRESS),
    "succeeded": lambda cell: _status(cell, SUCCEEDED),
    "failed": lambda cell: _status(cell, FAILED),
    "cancelled": lambda cell: _status(cell, CANCELLED),
    "rolled_back": lambda cell: _status(cell, ROLLED_BACK),
    "finished": _over,
    "success_rate": lambda cell: _ratio(_status(cell, SUCCEEDED), _over(cell)),
    "success_rate_of_attempts": lambda cell: _ratio(_status(cell, SUCCEEDED), len(cell.began)),
    "failure_rate": lambda cell: _ratio(_status(cell, FAILED), _over(cell)),
    "rollback_rate": lambda cell: _ratio(_status(cell, ROLLED_BACK), _over(cell)),
    "finishes": lambda cell: len(cell.ended),
    "finishes_succeeded": lambda cell: _finish(cell, SUCCEEDED),
    "finishes_failed": lambda cell: _finish(cell, FAILED),
    "finishes_cancelled": lambda cell: _finish(cell, CANCELLED),
    "failure_rate_of_finishes": lambda cell: _ratio(_finish(cell, FAILED), len(cell.ended)),
    "frequency_per_day": lambda cell: _per(cell, cell.days),
    "frequency_per_week": lambda cell: _per(cell, cell.days / 7),
    "longest_running_ms": lambda cell: cell.at_end.get("longest_running_ms"),
}
_CERTIFICATES: Measures = {
    "requested": lambda cell: _status(cell, REQUESTED),
    "issued": lambda cell: _status(cell, ISSUED),
    "renewed": lambda cell: _status(cell, RENEWED),
    "failed": lambda cell: _status(cell, NOT_ISSUED),
    "removed": lambda cell: _status(cell, REMOVED),
    "finished": lambda cell: _other(cell, REQUESTED),
    "succeeded": lambda cell: _other(cell, REQUESTED, NOT_ISSUED),
    "success_rate": lambda cell: _ratio(
        _other(cell, REQUESTED, NOT_ISSUED), _other(cell, REQUESTED)
    ),
    "success_rate_of_attempts": lambda cell: _ratio(
        _other(cell, REQUESTED, NOT_ISSUED), len(cell.began)
    ),
    "failure_rate": lambda cell: _ratio(_status(cell, NOT_ISSUED), _other(cell, REQUESTED)),
    "finishes_issued": lambda cell: _finish(cell, ISSUED),
    "finishes_renewed": lambda cell: _finish(cell, RENEWED),
    "finishes_failed": lambda cell: _finish(cell, NOT_ISSUED),
    "failure_rate_of_finishes": lambda cell: _ratio(_finish(cell, NOT_ISSUED), len(cell.ended)),
    "days_to_expiry": lambda cell: cell.at_end.get("days_to_expiry"),
}


@dataclass(frozen=True)
class Events:
    """What the rows of an append fact are called, which are counted, and the rates of these.

    A rate is of all rows, or of those counted under a second name.
    """

    leading: str
    counted: Mapping[str, Callable[[Mapping[str, Any]], bool]]
    rates: Mapping[str, str | tuple[str, str]]
    summed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def measures(self) -> Measures:
        found: Measures = {
            self.leading: lambda cell: len(cell.ended),
            f"{self.leading}_per_hour": lambda cell: _per(cell, cell.days * 24),
            f"{self.leading}_per_minute": lambda cell: _per(cell, cell.days * 24 * 60),
            f"{self.leading}_per_second": lambda cell: _per(cell, cell.days * 24 * 60 * 60),
        }
        found |= {name: self._count(name) for name in self.counted}
        found |= {name: self._sum(columns) for name, columns in self.summed.items()}
        return found | {name: self._rate(of) for name, of in self.rates.items()}

    def _count(self, name: str) -> Callable[[Cell], int]:
        counts = self.counted[name]
        return lambda cell: len([row for row in cell.ended if counts(row.columns)])

    def _sum(self, columns: tuple[str, ...]) -> Callable[[Cell], int]:
        return lambda cell: sum(row.columns.get(c) or 0 for row in cell.ended for c in columns)

    def _rate(self, of: str | tuple[str, str]) -> Callable[[Cell], float]:
        if isinstance(of, str):
            count = self._count(of)
            return lambda cell: _ratio(count(cell), len(cell.ended))
        part, whole = map(self._count, of)
        return lambda cell: _ratio(part(cell), whole(cell))


_EVENTS = {
    "error_occurrence": Events("occurrences", {}, {}),
    "sample": Events("count", {}, {}),
    "build_phase": Events(
        "runs",
        {"failed": lambda row: row["status"] == 1},
        {"failure_rate": "failed"},
    ),
    "invocation": Events(
        "invocations",
        {"errors": lambda row: row["failed"], "cold_starts": lambda row: row["cold_start"]},
        {"error_rate": "errors", "cold_start_rate": "cold_starts"},
    ),
    "api_call": Events(
        "calls",
        {
            "client_errors": lambda row: 400 <= row["status"] < 500,
            "server_errors": lambda row: 500 <= row["status"] < 600,
            "errors": lambda row: row["status"] >= 400,
        },
        {
            "client_error_rate": "client_errors",
            "server_error_rate": "server_errors",
            "error_rate": "errors",
        },
    ),
    "model_call": Events(
        "calls",
        {
            "decided": lambda row: row["accepted"] in (True, False),
            "accepted": lambda row: row["accepted"] is True,
        },
        {"acceptance_rate": ("accepted", "decided")},
        {
            "input_tokens": ("input_tokens",),
            "output_tokens": ("output_tokens",),
            "tokens": ("input_tokens", "output_tokens"),
        },
    ),
    "log_line": Events(
        "lines",
        {
            "trace_lines": lambda row: row["level"] == 1,
            "debug_lines": lambda row: row["level"] == 2,
            "info_lines": lambda row: row["level"] == 3,
            "warn_lines": lambda row: row["level"] == 4,
            "error_lines": lambda row: row["level"] == 5,
            "fatal_lines": lambda row: row["level"] == 6,
            "error_or_fatal_lines": lambda row: row["level"] >= 5,
        },
        {"error_or_fatal_rate": "error_or_fatal_lines"},
    ),
}


def _of_one_metric(
    read: Callable[[list[tuple[datetime, Fraction]]], Fraction],
) -> Callable[[Cell], float | None]:
    """Of the times and values, if all rows are of one metric that has a name of its own."""

    def evaluate(cell: Cell) -> float | None:
        metrics = {row.ids["metric"] for row in cell.ended}
        if len(metrics) != 1 or metrics == {OTHER}:
            return None
        return float(read([(row.began, Fraction(row.columns["value"])) for row in cell.ended]))

    return evaluate


_VALUES: Measures = {
    "sum": _of_one_metric(lambda found: sum((value for _, value in found), Fraction())),
    "average": _of_one_metric(
        lambda found: sum((value for _, value in found), Fraction()) / len(found)
    ),
    "minimum": _of_one_metric(lambda found: min(value for _, value in found)),
    "maximum": _of_one_metric(lambda found: max(value for _, value in found)),
    "last": _of_one_metric(lambda found: max(found)[1]),
}


def measures(fact: str) -> Measures:
    """Everything that can be known of a fact; it need not have all of it."""
    own = _EVENTS[fact].measures() if fact in _EVENTS else _LIFECYCLE
    own = own | (_CERTIFICATES if fact == "certificate" else {})
    return own | _DURATIONS | _OF_PROJECTS | _VALUES
