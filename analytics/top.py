"""Top-N: the largest groups of an answer, and all others as one group."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.answer import Answer, Key
from analytics.components import Components, total
from analytics.measures import Measure


@dataclass(frozen=True, slots=True)
class Group:
    """A group: its ids, its cell for each bucket, and its total."""

    key: Key
    cells: tuple[Components, ...]
    total: Components


@dataclass(frozen=True, slots=True)
class Top:
    """The groups shown, and the sum of the others, without distinct projects; None if all are."""

    shown: tuple[Group, ...]
    others: Group | None
    others_count: int


def top(answer: Answer, measure: Measure, first: int) -> Top:
    """Returns the ``first`` groups by ``measure``, ties by id."""

    def rank(key: Key) -> tuple[bool, float, Key]:
        value = measure.value(answer.totals[key], days=answer.days, whole=answer.total)
        return value is None, -(value or 0), key

    keys = sorted(answer.totals, key=rank)
    shown, rest = keys[:first], keys[first:]
    return Top(
        shown=tuple(Group(key, answer.rows[key], answer.totals[key]) for key in shown),
        others=_others(answer, rest) if rest else None,
        others_count=len(rest),
    )


def _others(answer: Answer, keys: list[Key]) -> Group:
    return Group(
        key=(),
        cells=tuple(
            total((answer.rows[key][index] for key in keys), answer.zero)
            for index in range(len(answer.buckets))
        ),
        total=total((answer.totals[key] for key in keys), answer.zero),
    )
