"""Silences: which alerts nobody is told of, and when. Pure, with the clock passed in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import re2
from pydantic import AfterValidator, Field, TypeAdapter

LONGEST = timedelta(days=30)
TOLD_BEFORE_END = timedelta(hours=1)
MATCHERS_AT_MOST = 20
PATTERN_CHARACTERS = 200
VALUE_CHARACTERS = 300  # a longer value matches no pattern
PATTERN_BYTES = 1_000_000  # of a compiled pattern; one that needs more is refused


class MatchKind(StrEnum):
    """How the value of a label is compared."""

    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    PATTERN = "pattern"  # a regular expression for the whole value
    NOT_PATTERN = "not_pattern"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a label that is missing is empty."""

    label: str
    value: str
    kind: MatchKind = MatchKind.EQUAL


MATCHERS: TypeAdapter[tuple[Matcher, ...]] = TypeAdapter(tuple[Matcher, ...])


def _zone(name: str) -> str:
    ZoneInfo(name)
    return name


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hours that recur on days of the week (0 is Monday) by the clocks of a time zone.

    They may end on the next day. Times that clocks skip begin or end when they are put forward;
    of times that clocks show twice, a window begins with the first and ends with the second.
    """

    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...]
    start: time
    end: time
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"

    def covers(self, now: datetime) -> bool:
        """Whether a time is in one of the windows."""
        return any(start <= now < end for start, end in self._near(now))

    def _near(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if day.weekday() in self.weekdays:
                last = day if self.start < self.end else day + timedelta(days=1)
                yield _instant(day, self.start, zone, 0), _instant(last, self.end, zone, 1)


SCHEDULE: TypeAdapter[Schedule] = TypeAdapter(Schedule)


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence in its place: of a project, or of the platform where ``project_id`` is None."""

    silence_id: UUID
    project_id: int | None
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    until_resolved: bool
    schedule: Schedule | None
    comment: str
    created_by: str
    ending_told_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        """Whether it holds messages back now."""
        if not self.starts_at <= now < self.ends_at:
            return False
        return self.schedule is None or self.schedule.covers(now)

    def covers(self, project_id: int | None, labels: Mapping[str, str]) -> bool:
        """Whether it is about an alert: one of its own project, or any if of the platform."""
        if self.project_id is not None and self.project_id != project_id:
            return False
        return all(matches(matcher, labels) for matcher in self.matchers)

    def ends_soon(self, now: datetime) -> bool:
        """Whether it is time to say that it ends; a short one is not worth that."""
        is_long = self.ends_at - self.starts_at > TOLD_BEFORE_END
        return is_long and self.ends_at - TOLD_BEFORE_END <= now < self.ends_at


SILENCE: TypeAdapter[Silence] = TypeAdapter(Silence)


def matches(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a condition."""
    value = labels.get(matcher.label, "")
    match matcher.kind:
        case MatchKind.EQUAL:
            return value == matcher.value
        case MatchKind.NOT_EQUAL:
            return value != matcher.value
        case MatchKind.PATTERN:
            return _fits(matcher.value, value)
        case MatchKind.NOT_PATTERN:
            return not _fits(matcher.value, value)


def matcher_problem(matcher: Matcher) -> str | None:
    """Why a condition cannot be used, in a sentence, or None."""
    if not matcher.label:
        return "Name a label."
    if matcher.kind in (MatchKind.EQUAL, MatchKind.NOT_EQUAL):
        return None
    return pattern_problem(matcher.value)


def pattern_problem(pattern: str) -> str | None:
    """Why a regular expression is refused, or None. RE2 matches in linear time, whatever it is."""
    if len(pattern) > PATTERN_CHARACTERS:
        return f"A pattern has at most {PATTERN_CHARACTERS} characters."
    if _compiled(pattern) is None:
        return "It is no regular expression of RE2: it has no look-around and no back-references."
    return None


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_BYTES
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None


def _fits(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    if compiled is None or len(value) > VALUE_CHARACTERS:
        return False
    return compiled.fullmatch(value) is not None


def _instant(day: date, at: time, zone: ZoneInfo, fold: int) -> datetime:
    """When clocks show a time; when they are put forward, if they skip it."""
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), zone)
    early, late = (local.replace(fold=n).astimezone(UTC) for n in (1, 0))
    if late.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return early if fold else late  # fold 1 is the second of two, or the same
    while late - early > timedelta(seconds=1):  # the clocks jump in between
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == early.astimezone(zone).utcoffset():
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)
