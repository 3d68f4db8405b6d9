"""Comparison: the same slice over an earlier range, and how much a value has changed."""

from dataclasses import dataclass, replace

from analytics.expressions import Number
from analytics.periods import Comparison, previous
from analytics.slices import Slice


@dataclass(frozen=True, slots=True)
class Change:
    """``absolute`` is current minus previous; ``relative`` a fraction of previous, if not zero."""

    absolute: Number | None
    relative: float | None


def previous_slice(current: Slice, comparison: Comparison) -> Slice:
    """The slice to compare with."""
    return replace(current, range=previous(current.range, comparison, current.zone))


def change(current: Number | None, before: Number | None) -> Change:
    if current is None or before is None:
        return Change(None, None)
    difference = current - before
    return Change(difference, difference / abs(before) if before else None)
