"""The measures recomputed by hand from a plain list of deployments: no SQL, no roll-ups.

Written independently of the analytics package, which it does not import.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

QUEUED, IN_PROGRESS, SUCCEEDED, FAILED, CANCELLED, ROLLED_BACK = range(6)


@dataclass(frozen=True)
class Deployment:
    project: int
    environment: int
    network: int
    template: int
    framework: int
    status: int
    created_at: datetime
    finished_at: datetime | None = None
    finish_status: int | None = None
    duration_us: int | None = None


@dataclass(frozen=True)
class Cell:
    """The deployments created and those finished within one span of time, and its days."""

    created: Sequence[Deployment]
    finished: Sequence[Deployment]
    days: float
    all_attempts: int


def cell(
    deployments: Iterable[Deployment],
    start: datetime,
    end: datetime,
    *,
    zone: str = "UTC",
    all_attempts: int | None = None,
) -> Cell:
    rows = list(deployments)
    created = [row for row in rows if start <= row.created_at < end]
    finished = [row for row in rows if row.finished_at and start <= row.finished_at < end]
    whole = len(created) if all_attempts is None else all_attempts
    return Cell(created, finished, days(start, end, zone), whole)


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
    return len([row for row in cell.created if row.status == status])


def _finish(cell: Cell, status: int) -> int:
    return len([row for row in cell.finished if row.finish_status == status])


def _ended(cell: Cell) -> int:
    return len([row for row in cell.created if row.status not in (QUEUED, IN_PROGRESS)])


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0


def _durations(cell: Cell) -> list[int]:
    return sorted(row.duration_us for row in cell.finished if row.duration_us is not None)


def _average_ms(cell: Cell) -> float | None:
    durations = _durations(cell)
    return sum(durations) / len(durations) / 1000 if durations else None


def percentile_ms(cell: Cell, percent: int) -> float | None:
    """Nearest rank, in whole numbers only."""
    durations = _durations(cell)
    if not durations:
        return None
    return durations[max(1, ceil(percent * len(durations) / 100)) - 1] / 1000


MEASURES: dict[str, Callable[[Cell], float | None]] = {
    "attempts": lambda cell: len(cell.created),
    "succeeded": lambda cell: _status(cell, SUCCEEDED),
    "failed": lambda cell: _status(cell, FAILED),
    "cancelled": lambda cell: _status(cell, CANCELLED),
    "rolled_back": lambda cell: _status(cell, ROLLED_BACK),
    "in_progress": lambda cell: _status(cell, QUEUED) + _status(cell, IN_PROGRESS),
    "finished": _ended,
    "success_rate": lambda cell: _ratio(_status(cell, SUCCEEDED), _ended(cell)),
    "success_rate_of_attempts": lambda cell: _ratio(_status(cell, SUCCEEDED), len(cell.created)),
    "failure_rate": lambda cell: _ratio(_status(cell, FAILED), _ended(cell)),
    "rollback_rate": lambda cell: _ratio(_status(cell, ROLLED_BACK), _ended(cell)),
    "finishes": lambda cell: len(cell.finished),
    "finishes_succeeded": lambda cell: _finish(cell, SUCCEEDED),
    "finishes_failed": lambda cell: _finish(cell, FAILED),
    "finishes_cancelled": lambda cell: _finish(cell, CANCELLED),
    "failure_rate_of_finishes": lambda cell: _ratio(_finish(cell, FAILED), len(cell.finished)),
    "average_duration_ms": _average_ms,
    "duration_p50_ms": lambda cell: percentile_ms(cell, 50),
    "duration_p90_ms": lambda cell: percentile_ms(cell, 90),
    "duration_p95_ms": lambda cell: percentile_ms(cell, 95),
    "duration_p99_ms": lambda cell: percentile_ms(cell, 99),
    "frequency_per_day": lambda cell: len(cell.finished) / cell.days if cell.days else 0.0,
    "frequency_per_week": lambda cell: 7 * len(cell.finished) / cell.days if cell.days else 0.0,
    "active_projects": lambda cell: len({row.project for row in cell.created}),
    "share": lambda cell: _ratio(len(cell.created), cell.all_attempts),
}
