"""Components: the additive integers of one cell of an answer, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from storage.facts import FACTS
from storage.facts.fact import Fact


class Components(NamedTuple):
    """What one group counts in one bucket; an answer has many of them.

    ``counts`` follows the order of the fact's declaration. ``histogram`` is there when the slice
    asked for it, ``durations_us`` (sorted) when the range holds so few that percentiles are exact,
    ``projects`` (distinct active ones, never to be added up) when the slice asked for it.
    """

    counts: tuple[int, ...]
    histogram: tuple[int, ...] | None = None
    projects: int | None = None
    durations_us: tuple[int, ...] | None = None


@cache
def positions(fact: Fact) -> dict[str, int]:
    """Where each component of a fact stands in ``counts``."""
    return {component.name: index for index, component in enumerate(fact.components)}


@cache
def zero(fact: str, *, histogram: bool = False, projects: bool = False) -> Components:
    """The components of a cell in which nothing happened."""
    declared = FACTS[fact]
    return Components(
        counts=(0,) * len(declared.components),
        histogram=() if histogram else None,
        projects=0 if projects else None,
    )


def count(components: Components, name: str, fact: str = "deployment") -> int:
    """One component by its name."""
    return components.counts[positions(FACTS[fact])[name]]


def total(parts: Iterable[Components]) -> Components | None:
    """The sum of some cells, or None of none. Distinct projects do not add up: they become None."""
    kept = list(parts)
    if not kept:
        return None
    counts = tuple(map(sum, zip(*(part.counts for part in kept), strict=True)))
    histograms = [part.histogram for part in kept if part.histogram is not None]
    return Components(
        counts=counts,
        histogram=_add_histograms(histograms) if len(histograms) == len(kept) else None,
        durations_us=_merge_durations(kept),
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
