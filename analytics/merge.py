"""Merge: slices that differ only in one network, template or project share one statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

from analytics.answer import Answer
from analytics.components import total
from analytics.dimensions import Dimension
from analytics.slices import Slice

# A merged statement answers for at most so many values of the dimension.
MAX_MERGED = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """One slice to run and the slices that its answer holds, told apart by ``dimension``."""

    question: Slice
    members: tuple[Slice, ...]
    dimension: Dimension | None = None

    def split(self, answer: Answer) -> dict[Slice, Answer]:
        """The answer of each member."""
        if self.dimension is None:
            return dict.fromkeys(self.members, answer)
        return {member: _part(answer, member, self.dimension) for member in self.members}


def batches(questions: Iterable[Slice]) -> list[Batch]:
    """Cover all questions by as few statements as belong together."""
    left = list(questions)
    if len({_unfiltered(question) for question in left}) == len(left):
        return [Batch(question, (question,)) for question in left]  # no two differ in that alone
    result: list[Batch] = []
    for dimension in Dimension:
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
    """Whether it asks for one value of the dimension, which could be one group of many."""
    if _only_id(question, dimension) is None or dimension in question.group_by:
        return False
    # Distinct over several groups cannot be computed from the groups afterwards.
    return not (question.distinct and question.group_by)


def _only_id(question: Slice, dimension: Dimension) -> int | None:
    ids = question.filter.ids(dimension)
    return ids[0] if ids is not None and len(ids) == 1 else None


def _besides(question: Slice, dimension: Dimension) -> Any:
    """All that is asked but which value of the dimension."""
    others = tuple(question.filter.ids(each) for each in Dimension if each is not dimension)
    return others, _unfiltered(question)


_unfiltered = attrgetter(
    *(field.name for field in fields(Slice) if field.compare and field.name != "filter")
)


def _filtered(question: Slice, dimension: Dimension, ids: tuple[int, ...] | None) -> Slice:
    changed = replace(question.filter, **{dimension.filter: ids})
    return replace(question, filter=changed)


def _merged(members: list[Slice], dimension: Dimension) -> list[Batch]:
    result, common = [], members[0]
    for first in range(0, len(members), MAX_MERGED):
        some = members[first : first + MAX_MERGED]
        ids = tuple(sorted({only for m in some if (only := _only_id(m, dimension)) is not None}))
        question = replace(
            _filtered(common, dimension, ids), group_by=(dimension, *common.group_by)
        )
        result.append(Batch(question, tuple(some), dimension))
    return result


def _part(answer: Answer, member: Slice, dimension: Dimension) -> Answer:
    """What an answer grouped by a further, first dimension says about one value of it."""
    only = _only_id(member, dimension)
    rows = {key[1:]: cells for key, cells in answer.rows.items() if key[0] == only}
    totals = {key[1:]: cells for key, cells in answer.totals.items() if key[0] == only}
    if not rows and not member.group_by:
        rows, totals = {(): (answer.zero,) * len(answer.buckets)}, {(): answer.zero}
    whole = totals[()] if () in totals else total(totals.values())
    return replace(answer, rows=rows, totals=totals, total=whole or answer.zero)


def with_equal_extras(questions: Iterable[Slice]) -> dict[Slice, Slice]:
    """For each question itself, or the same with what its look-alikes want besides."""
    asked = list(dict.fromkeys(questions))
    if not any(each.histogram or each.distinct for each in asked):
        return dict(zip(asked, asked, strict=True))
    plain = {each: replace(each, histogram=False, distinct=False) for each in asked}
    histograms = {plain[each] for each in asked if each.histogram}
    distincts = {plain[each] for each in asked if each.distinct}
    return {
        each: replace(each, histogram=bare in histograms, distinct=bare in distincts)
        for each, bare in plain.items()
    }
