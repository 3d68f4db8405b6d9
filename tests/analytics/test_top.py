"""The largest groups and the others add up to the total; the series of a group."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.answer import Answer, Bucket, Key, Source
from analytics.components import Components, zero
from analytics.measures import MEASURES
from analytics.top import group_of, together, top, values
from tests.analytics.questions import cell

ATTEMPTS = MEASURES["deployment", "attempts"]
ZERO = zero("deployment")
START = datetime(2026, 1, 1, tzinfo=UTC)
BUCKETS = tuple(
    Bucket(START + timedelta(days=n), START + timedelta(days=n + 1), open=False, days=1.0)
    for n in range(2)
)


def group(attempts: int, failed: int = 0) -> Components:
    return cell(attempts=attempts, succeeded=attempts - failed, failed=failed)


def answer_of(groups: dict[int, Components]) -> Answer:
    """The groups' cells lie in the first of two buckets."""
    rows: dict[Key, tuple[Components, ...]] = {
        (key,): (value, ZERO) for key, value in groups.items()
    }
    return Answer(
        buckets=BUCKETS,
        rows=rows,
        totals={key: cells[0] for key, cells in rows.items()},
        total=group(sum(value.counts[0] for value in groups.values())),
        zero=ZERO,
        days=2.0,
        as_of=START,
        source=Source.ROLLUP,
        complete=True,
        approximate=False,
    )


def attempts(cell: Components) -> float | None:
    return ATTEMPTS.value(cell)


def test_largest_come_first_and_ties_by_id() -> None:
    found = top(answer_of({5: group(2), 3: group(2), 4: group(9), 9: group(1)}), ATTEMPTS, 3)
    assert found.shown == ((4,), (3,), (5,))
    assert found.others == ((9,),)


def test_keys_of_other_answers_are_ranked_too() -> None:
    found = top(answer_of({5: group(2)}), ATTEMPTS, 2, keys=[(8,), (5,), (7,)])
    assert found.shown == ((5,), (7,))
    assert found.others == ((8,),)


@pytest.mark.parametrize("first", [0, 1, 2, 3, 10])
def test_shown_and_others_make_the_whole(first: int) -> None:
    answer = answer_of({1: group(5, 1), 2: group(7, 2), 3: group(1, 1)})
    found = top(answer, ATTEMPTS, first)
    others = together(answer, found.others)
    parts = [*(group_of(answer, key).total for key in found.shown), others.total]
    assert sum(attempts(part) or 0 for part in parts) == 13
    assert sum(MEASURES["deployment", "failed"].value(part) or 0 for part in parts) == 4
    assert len(found.others) == max(0, 3 - first)
    assert len(others.cells) == len(BUCKETS)
    assert others.cells[0].counts == others.total.counts


def test_missing_group_is_zeros() -> None:
    missing = group_of(answer_of({1: group(5)}), (2,))
    assert missing.total == ZERO
    assert missing.cells == (ZERO, ZERO)


def test_groups_are_ranked_by_any_measure() -> None:
    answer = answer_of({1: group(10, 1), 2: group(2, 2), 3: group(4, 2)})
    assert top(answer, MEASURES["deployment", "failure_rate"], 3).shown == ((2,), (3,), (1,))


def test_groups_without_a_value_come_last() -> None:
    timed = cell(attempts=1, succeeded=1, finishes=1, timed=1, duration_us=5_000)
    answer = answer_of({1: group(9), 2: timed})
    found = top(answer, MEASURES["deployment", "average_duration_ms"], 2)
    assert found.shown == ((2,), (1,))


def test_series_of_a_group_has_a_value_for_each_bucket() -> None:
    answer = answer_of({1: group(4), 2: group(6)})
    cells = group_of(answer, (1,)).cells
    assert values(ATTEMPTS, cells, answer.buckets) == [4, 0]
    share = MEASURES["deployment", "share"]
    assert values(share, cells, answer.buckets, answer.per_bucket()) == [0.4, 0.0]
