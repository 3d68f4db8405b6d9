"""Groups of an answer: the largest ones, all others together, and the series of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.answer import Answer, Bucket, Key
from analytics.components import Components, total
from analytics.measures import Measure, Number


@dataclass(frozen=True, slots=True)
class Group:
    """The cells of a group, one for each bucket, and their total."""

    cells: tuple[Components, ...]
    total: Components


@dataclass(frozen=True, slots=True)
class Top:
    """The keys of the largest groups, and of the others, both largest first."""

    shown: tuple[Key, ...]
    others: tuple[Key, ...]


def top(answer: Answer, measure: Measure, first: int, keys: Iterable[Key] | None = None) -> Top:
    """Ranks groups by ``measure``, ties by id; those of ``keys``, if given, else the answer's."""
    whole = answer.total

    def rank(key: Key) -> tuple[bool, float, Key]:
        cell = answer.totals.get(key, answer.zero)
        value = measure.value(cell, days=answer.days, whole=whole)
        return value is None, -(value or 0), key

    ranked = sorted(answer.totals if keys is None else keys, key=rank)
    return Top(tuple(ranked[:first]), tuple(ranked[first:]))


def group_of(answer: Answer, key: Key) -> Group:
    """Returns the group of a key; zeros if the answer has none."""
    if key not in answer.rows:
        return Group(answer.nothing(), answer.zero)
    return Group(answer.rows[key], answer.totals[key])


def together(answer: Answer, keys: Iterable[Key]) -> Group:
    """Returns several groups as one, without distinct projects."""
    groups = [group_of(answer, key) for key in keys]
    return Group(
        tuple(
            total((group.cells[index] for group in groups), answer.zero)
            for index in range(len(answer.buckets))
        ),
        total((group.total for group in groups), answer.zero),
    )


def values(
    measure: Measure,
    cells: Sequence[Components],
    buckets: Sequence[Bucket],
    wholes: Sequence[Components] | None = None,
) -> list[Number | None]:
    """Returns the series of a group's ``cells``: a value for each bucket.

    A share is relative to the cell of ``wholes`` in the same bucket.
    """
    evaluate = measure.evaluate
    return [
        evaluate(cell, bucket.days, whole)
        for cell, bucket, whole in zip(cells, buckets, wholes or cells, strict=True)
    ]
