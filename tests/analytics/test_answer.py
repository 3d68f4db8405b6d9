"""An answer survives the cache unchanged."""

from analytics.answer import Answer
from analytics.intervals import Interval
from analytics.run import Analytics
from storage.dimensions import NETWORK, PROJECT, TEMPLATE
from tests.analytics.questions import ALL, MARCH, RAGGED, TWO, question, run_many


async def test_bytes_give_the_same_answer_back(analytics: Analytics) -> None:
    asked = [
        question(),
        question(MARCH, TWO, interval=Interval.DAY, group_by=[NETWORK]),
        question(RAGGED, ALL, interval=Interval.WEEK, histogram=False, zone="Asia/Kolkata"),
        question(group_by=[PROJECT, TEMPLATE], distinct=False),
    ]
    for answer in await run_many(analytics, asked):
        again = Answer.from_bytes(answer.to_bytes())
        assert again == answer
        assert again.to_bytes() == answer.to_bytes()


async def test_empty_cells_take_next_to_nothing(analytics: Analytics) -> None:
    sparse = question(interval=Interval.HOUR, span=MARCH, histogram=True)
    (answer,) = await run_many(analytics, [sparse])
    full = sum(any(cell.counts) for cell in answer.rows[()])
    assert len(answer.to_bytes()) < 1_000 * full + 120 * len(answer.buckets)


async def test_groups_add_up_per_bucket(analytics: Analytics) -> None:
    whole, split = await run_many(
        analytics,
        [
            question(interval=Interval.DAY, distinct=False),
            question(interval=Interval.DAY, distinct=False, group_by=[NETWORK]),
        ],
    )
    sums = [cell.counts for cell in split.per_bucket()]
    assert sums == [cell.counts for cell in whole.per_bucket()]
