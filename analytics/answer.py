"""Answers: the components of a slice, zero-filled, with their freshness and exactness."""

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

# Larger integers are written as text: orjson takes 64 bits.
_LARGEST = 2**63 - 1


class Source(StrEnum):
    """Where the components were read: facts, roll-ups, or both."""

    RAW = "raw"
    ROLLUP = "rollup"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A half-open part of the range; ``open`` while events may still fall into it.

    ``days`` counts a whole local day as one. An open bucket has the days up to now, unless the
    range is rolling.
    """

    start: datetime
    end: datetime
    open: bool
    days: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The components of a slice.

    ``rows`` has a cell for every bucket of each group; its keys are ids in the order of
    ``group_by``, one empty key if ungrouped. ``totals`` has a cell for each group over all
    buckets, ``total`` is one over all groups; both count distinct projects anew. ``cache`` and
    ``age_seconds`` say how the answer was obtained and take no part in comparisons.
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
    cache: CacheStatus = field(default=CacheStatus.MISS, compare=False)
    age_seconds: float = field(default=0.0, compare=False)

    def to_bytes(self) -> bytes:
        """Returns the cache's form of the answer, in which an empty cell takes four bytes."""
        # Beside peaks, parts of a sum may be negative, and so larger than the whole.
        as_text = bool(self.total.peaks) or max(self.total.counts) > _LARGEST

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
        )

    def nothing(self) -> tuple[Components, ...]:
        """Returns the cells of a group without rows, one for each bucket."""
        return (self.zero._replace(ages=()),) * len(self.buckets)

    def per_bucket(self) -> tuple[Components, ...]:
        """Returns the sum of all groups for each bucket, without distinct projects if grouped."""
        if tuple(self.rows) == ((),):
            return self.rows[()]
        return tuple(
            total((cells[index] for cells in self.rows.values()), self.zero)
            for index in range(len(self.buckets))
        )


def format_digest() -> str:
    """Returns a digest of the format of `Answer.to_bytes`, for the cache's namespace."""
    parts: list[Any] = [[field.name for field in fields(Answer)], Components._fields]
    for name, fact in FACTS.items():
        parts += [name, fact.counted, fact.timing]
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def _packed(cell: Components, zero: Components | None, *, as_text: bool) -> list[Any] | None:
    if cell == zero:
        return None
    counts, peaks = cell.counts, cell.peaks
    whole = [tuple(map(str, counts)), tuple(map(str, peaks))] if as_text else [counts, peaks]
    return [*whole, cell.histogram, cell.projects, cell.durations_us]


def _unpacked(
    packed: list[Any] | None, zero: Components | None, read: Callable[[str], int] | None
) -> Components:
    if packed is None:
        assert zero is not None
        return zero
    counts, peaks, histogram, projects, durations_us = packed
    counts, peaks = (each if read is None else map(read, each) for each in (counts, peaks))
    return Components(
        tuple(counts),
        None if histogram is None else tuple(histogram),
        projects,
        None if durations_us is None else tuple(durations_us),
        tuple(peaks),
    )
