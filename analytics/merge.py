"""Merges slices that differ only in one id of a dimension into one statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import chain
from operator import attrgetter
from typing import Any

from analytics.answer import Answer
from analytics.components import total
from analytics.slices import Slice
from storage.dimensions import DIMENSIONS, Dimension

# The most values of a dimension in one merged statement.
MAX_MERGED = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """A slice to run, and the slices whose answers are its groups by ``dimension``."""

    question: Slice
    members: tuple[Slice, ...]
    dimension: Dimension | None = None

    def split(self, answer: Answer) -> dict[Slice, Answer]:
        """Splits the batch's answer into one for each member."""
        if self.dimension is None:
            return dict.fromkeys(self.members, answer)
        return {member: _part(answer, member, self.dimension) for member in self.members}


def batches(questions: Iterable[Slice]) -> list[Batch]:
    """Groups slices into batches, one statement each."""
    left = list(questions)
    if len({_unfiltered(question) for question in left}) == len(left):
        return [
            Batch(question, (question,)) for question in left
        ]  # no two differ in the filter alone
    result: list[Batch] = []
    filtered = frozenset(chain.from_iterable(question.filter.dimensions for question in left))
    for dimension in filter(filtered.__contains__, DIMENSIONS.values()):
        alike: dict[Any, list[Slice]] = {}
        single: list[Slice] = []
        for question in left:
            if _separable(question, dimension):
                alike.setdefault(_besides(question, dimension), []).append(question)
            else:
                single.append(question)
        for members in alike.values():
            if len(members) > 1:
                result += _merged(members, dimension)
            else:
                single += members
        left = single
    return result + [Batch(question, (question,)) for question in left]


def _separable(question: Slice, dimension: Dimension) -> bool:
    """Whether the slice filters by one id only, so that it can be a group of a batch."""
    if _only_id(question, dimension) is None or dimension in question.group_by:
        return False
    # Distinct projects over several groups cannot be computed from the groups.
    return not (question.distinct and question.group_by)


def _only_id(question: Slice, dimension: Dimension) -> int | None:
    ids = question.filter.ids(dimension)
    return ids[0] if ids is not None and len(ids) == 1 else None


def _besides(question: Slice, dimension: Dimension) -> Any:
    """Everything in the slice except its ids of the dimension."""
    others = tuple(pair for pair in question.filter.pairs if pair[0] is not dimension)
    return others, _unfiltered(question)


_unfiltered = attrgetter(
    *(field.name for field in fields(Slice) if field.compare and field.name != "filter")
)


def _merged(members: list[Slice], dimension: Dimension) -> list[Batch]:
    result, common = [], members[0]
    for first in range(0, len(members), MAX_MERGED):
        some = members[first : first + MAX_MERGED]
        ids = {only for m in some if (only := _only_id(m, dimension)) is not None}
        question = replace(
            common,
            filter=common.filter.replaced(dimension, ids),
            group_by=(dimension, *common.group_by),
        )
        result.append(Batch(question, tuple(some), dimension))
    return result


def _part(answer: Answer, member: Slice, dimension: Dimension) -> Answer:
    """Extracts a member's answer from the batch's, whose first grouping is ``dimension``."""
    only = _only_id(member, dimension)
    rows = {key[1:]: cells for key, cells in answer.rows.items() if key[0] == only}
    totals = {key[1:]: cells for key, cells in answer.totals.items() if key[0] == only}
    if not rows and not member.group_by:
        rows, totals = {(): answer.nothing()}, {(): answer.zero}
    whole = totals[()] if () in totals else total(totals.values(), answer.zero)
    return replace(answer, rows=rows, totals=totals, total=whole)


def with_equal_extras(questions: Iterable[Slice]) -> dict[Slice, Slice]:
    """Adds to each slice the histogram and distinct projects that an otherwise equal one has."""
    unique = list(dict.fromkeys(questions))
    if not any(question.histogram or question.distinct for question in unique):
        return dict(zip(unique, unique, strict=True))
    plain = {question: replace(question, histogram=False, distinct=False) for question in unique}
    histograms = {plain[question] for question in unique if question.histogram}
    distincts = {plain[question] for question in unique if question.distinct}
    return {
        question: replace(question, histogram=bare in histograms, distinct=bare in distincts)
        for question, bare in plain.items()
    }
