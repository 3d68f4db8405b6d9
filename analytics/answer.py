"""An Answer: the components of a slice, zero-filled, and how fresh and how exact they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import orjson

from analytics.components import Components, total
from storage.cache import CacheStatus
from storage.facts import FACTS

Key = tuple[int, ...]

# JSON carries larger ones as text.
_LARGEST = 2**63 - 1


class Source(StrEnum):
    """Where the components were read: the facts themselves, their roll-ups, or both."""

    RAW = "raw"
    ROLLUP = "rollup"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A half-open span of the range. ``open``: events may still fall into it.

    ``days`` counts a whole local day as one, and those of an open bucket only up to now, unless
    the range is rolling.
    """

    start: datetime
    end: datetime
    open: bool
    days: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A table that was read, and the span of it."""

    table: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """``rows`` has one entry per group (ids in the order of ``group_by``; one empty key when not
    grouped) with components for every bucket. ``totals`` spans all buckets of a group, ``total``
    all groups as well: distinct projects are counted there anew, not added up. ``cache`` and
    ``age_seconds`` say whether a cache had it; they are not part of the answer.
    """

    buckets: tuple[Bucket, ...]
    rows: Mapping[Key, tuple[Components, ...]]
    totals: Mapping[Key, Components]
    total: Components
    zero: Components
    days: float
    as_of: datetime
    source: Source
    complete: bool
    approximate: bool
    segments: tuple[Segment, ...] = field(default=(), compare=False)
    cache: CacheStatus = field(default=CacheStatus.MISS, compare=False)
    age_seconds: float = field(default=0.0, compare=False)

    def to_bytes(self) -> bytes:
        """For a cache: cells in which nothing happened take four bytes."""
        as_text = max(self.total.counts) > _LARGEST

        def packed(cell: Components, zero: Components | None = self.zero) -> list[Any] | None:
            return _packed(cell, zero, as_text=as_text)

        return orjson.dumps(
            {
                "buckets": [[b.start, b.end, b.open, b.days] for b in self.buckets],
                "rows": [
                    [key, packed(self.totals[key]), *map(packed, cells)]
                    for key, cells in self.rows.items()
                ],
                "total": packed(self.total, None),
                "zero": packed(self.zero, None),
                "as_text": as_text,
                "days": self.days,
                "as_of": self.as_of,
                "source": self.source,
                "complete": self.complete,
                "approximate": self.approximate,
                "segments": [[s.table, s.start, s.end] for s in self.segments],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Answer:
        value = orjson.loads(data)
        instant, read = datetime.fromisoformat, int if value["as_text"] else None
        zero = _unpacked(value["zero"], None, read)
        rows = {
            tuple(key): [_unpacked(cell, zero, read) for cell in cells]
            for key, *cells in value["rows"]
        }
        return cls(
            buckets=tuple(
                Bucket(instant(b[0]), instant(b[1]), b[2], b[3]) for b in value["buckets"]
            ),
            rows={key: tuple(cells[1:]) for key, cells in rows.items()},
            totals={key: cells[0] for key, cells in rows.items()},
            total=_unpacked(value["total"], None, read),
            zero=zero,
            days=value["days"],
            as_of=instant(value["as_of"]),
            source=Source(value["source"]),
            complete=value["complete"],
            approximate=value["approximate"],
            segments=tuple(Segment(s[0], instant(s[1]), instant(s[2])) for s in value["segments"]),
        )

    def per_bucket(self) -> tuple[Components, ...]:
        """The sum of all groups in each bucket; distinct projects are left out unless ungrouped."""
        if tuple(self.rows) == ((),):
            return self.rows[()]
        return tuple(
            total(cells[index] for cells in self.rows.values()) or self.zero
            for index in range(len(self.buckets))
        )


def form() -> str:
    """What the bytes of an answer are made of: equal texts for those that are read alike."""
    made_of: list[Any] = [[each.name for each in fields(Answer)], Components._fields]
    for name, fact in FACTS.items():
        made_of += [name, [each.name for each in fact.components], fact.histogram]
    return blake2b(repr(made_of).encode(), digest_size=6).hexdigest()


def _packed(cell: Components, zero: Components | None, *, as_text: bool) -> list[Any] | None:
    if cell == zero:
        return None
    counts = tuple(map(str, cell.counts)) if as_text else cell.counts
    return [counts, cell.histogram, cell.projects, cell.durations_us]


def _unpacked(
    packed: list[Any] | None, zero: Components | None, read: Callable[[str], int] | None
) -> Components:
    if packed is None:
        assert zero is not None
        return zero
    counts, histogram, projects, durations_us = packed
    return Components(
        tuple(counts if read is None else map(read, counts)),
        None if histogram is None else tuple(histogram),
        projects,
        None if durations_us is None else tuple(durations_us),
    )
