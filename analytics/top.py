"""Top-N: the largest groups of an answer, and all others as one, so that sums always agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analytics.answer import Answer, Key
from analytics.components import Components, total
from analytics.measures import Measure


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its ids, its components per bucket, and over the whole range."""

    key: Key
    cells: tuple[Components, ...]
    total: Components


@dataclass(frozen=True, slots=True)
class Top:
    """``others`` is None when every group is shown; it has no distinct projects."""

    shown: tuple[Group, ...]
    others: Group | None
    others_count: int


def top(answer: Answer, measure: Measure, first: int | None, *, ascending: bool = False) -> Top:
    """The ``first`` groups by ``measure``, ties by id; None shows all."""
    sign = 1 if ascending else -1

    def rank(key: Key) -> tuple[bool, float, Key]:
        value = measure.value(answer.totals[key], days=answer.days, whole=answer.total)
        return value is None, sign * (value or 0), key

    keys = sorted(answer.totals, key=rank)
    shown = keys if first is None else keys[:first]
    rest = keys[len(shown) :]
    return Top(
        shown=tuple(Group(key, answer.rows[key], answer.totals[key]) for key in shown),
        others=_others(answer, rest) if rest else None,
        others_count=len(rest),
    )


def _others(answer: Answer, keys: list[Key]) -> Group:
    return Group(
        key=(),
        cells=tuple(
            _sum(answer, (answer.rows[key][index] for key in keys))
            for index in range(len(answer.buckets))
        ),
        total=_sum(answer, (answer.totals[key] for key in keys)),
    )


def _sum(answer: Answer, cells: Iterable[Components]) -> Components:
    return total(cells) or answer.zero
