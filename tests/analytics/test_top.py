"""The largest groups and the others add up to the total."""

from datetime import UTC, datetime

import pytest

from analytics.answer import Answer, Key, Source
from analytics.components import Components, zero
from analytics.measures import MEASURES
from analytics.top import top

ATTEMPTS = MEASURES["attempts"]


def cell(attempts: int, failed: int = 0) -> Components:
    return Components((attempts, attempts - failed, failed, 0, 0, 0, 0, 0, 0, 0, 0))


def answer_of(groups: dict[int, Components]) -> Answer:
    rows: dict[Key, tuple[Components, ...]] = {
        (key,): (value, zero("deployment")) for key, value in groups.items()
    }
    return Answer(
        buckets=(),
        rows=rows,
        totals={key: cells[0] for key, cells in rows.items()},
        total=cell(sum(value.counts[0] for value in groups.values())),
        zero=zero("deployment"),
        days=1.0,
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        source=Source.ROLLUP,
        complete=True,
        approximate=False,
    )


def test_largest_come_first_and_ties_by_id() -> None:
    found = top(answer_of({5: cell(2), 3: cell(2), 4: cell(9), 9: cell(1)}), ATTEMPTS, 3)
    assert [group.key for group in found.shown] == [(4,), (3,), (5,)]


@pytest.mark.parametrize("first", [0, 1, 2, 3, 10])
def test_shown_and_others_make_the_whole(first: int) -> None:
    answer = answer_of({1: cell(5, 1), 2: cell(7, 2), 3: cell(1, 1)})
    found = top(answer, ATTEMPTS, first)
    parts = [group.total for group in found.shown]
    parts += [found.others.total] if found.others else []
    assert sum(part.counts[0] for part in parts) == 13
    assert sum(part.counts[2] for part in parts) == 4
    assert found.others_count == max(0, 3 - first)
    assert (found.others is None) == (first >= 3)


def test_groups_are_ranked_by_any_measure() -> None:
    answer = answer_of({1: cell(10, 1), 2: cell(2, 2), 3: cell(4, 2)})
    worst = top(answer, MEASURES["failure_rate"], 3)
    assert [group.key for group in worst.shown] == [(2,), (3,), (1,)]


def test_groups_without_a_value_come_last() -> None:
    timed = Components((1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 5_000))
    answer = answer_of({1: cell(9), 2: timed})
    found = top(answer, MEASURES["average_duration_ms"], 2)
    assert [group.key for group in found.shown] == [(2,), (1,)]
