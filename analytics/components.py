"""Components: the additive integers and the peaks of a cell, and what they are of several cells."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from storage.facts import FACTS
from storage.facts.fact import Fact


class Components(NamedTuple):
    """A cell: the counts of one group in one bucket.

    ``counts`` has the order of the fact's declaration. ``histogram`` and ``projects`` (distinct
    active ones, which do not add up) are set if the slice asks for them, ``durations_us`` (sorted)
    if the range has few enough for exact percentiles. ``peaks`` are empty in a cell without rows.
    ``ages`` are in microseconds; totals have them if the slice asks for them, buckets never.
    """

    counts: tuple[int, ...]
    histogram: tuple[int, ...] | None = None
    projects: int | None = None
    durations_us: tuple[int, ...] | None = None
    peaks: tuple[int, ...] = ()
    ages: tuple[int | None, ...] = ()


@cache
def positions(fact: Fact) -> dict[str, int]:
    """Returns the index of each component in ``counts``."""
    return {component.name: index for index, component in enumerate(fact.components)}


@cache
def zero(
    fact: str, *, histogram: bool = False, projects: bool = False, ages: bool = False
) -> Components:
    """Returns an empty cell."""
    declared = FACTS[fact]
    return Components(
        counts=(0,) * len(declared.components),
        histogram=() if histogram else None,
        projects=0 if projects else None,
        ages=(None,) * len(declared.ages) if ages else (),
    )


def count(components: Components, name: str, fact: str) -> int:
    """Returns one component by its name."""
    return components.counts[positions(FACTS[fact])[name]]


def total(parts: Iterable[Components], empty: Components) -> Components:
    """Returns the sum of cells, with None for distinct projects; ``empty`` for no cells."""
    cells = list(parts)
    if not cells:
        return empty
    counts = tuple(map(sum, zip(*(part.counts for part in cells), strict=True)))
    peaks = [part.peaks for part in cells if part.peaks]
    histograms = [part.histogram for part in cells if part.histogram is not None]
    return Components(
        counts=counts,
        histogram=_add_histograms(histograms) if len(histograms) == len(cells) else None,
        durations_us=_merge_durations(cells),
        peaks=tuple(map(max, zip(*peaks, strict=True))),
        ages=longest(part.ages for part in cells if part.ages),
    )


def longest(ages: Iterable[tuple[int | None, ...]]) -> tuple[int | None, ...]:
    """Returns the longest of each age; None where none is known."""
    return tuple(
        max((age for age in same if age is not None), default=None)
        for same in zip(*ages, strict=True)
    )


def _add_histograms(histograms: list[tuple[int, ...]]) -> tuple[int, ...]:
    filled = [histogram for histogram in histograms if histogram]
    if len(filled) <= 1:
        return filled[0] if filled else ()
    return tuple(map(sum, zip(*filled, strict=True)))


def _merge_durations(parts: list[Components]) -> tuple[int, ...] | None:
    lists = [part.durations_us for part in parts if part.durations_us is not None]
    if len(lists) < len(parts):
        return None
    return tuple(sorted(value for values in lists for value in values))
