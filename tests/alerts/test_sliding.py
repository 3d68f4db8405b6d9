"""A moving sum equals the sum of its buckets."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.sliding import Sliding
from analytics.components import Components, total

EMPTY = Components((0, 0), histogram=())
CELL = st.builds(
    lambda n, histogram, durations, peak: Components(
        (n, 2 * n), histogram, None, durations, peaks=(peak, -peak)
    ),
    st.integers(1, 9),
    st.sampled_from([(1, 0, 1), (0, 5, 0), (), (0, 0, 0), None]),
    st.none() | st.lists(st.integers(0, 9), max_size=3).map(lambda each: tuple(sorted(each))),
    st.integers(-9, 9),
)


@given(
    st.dictionaries(st.integers(0, 40), CELL),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30),
)
def test_moving_sum_equals_the_sum_of_its_buckets(
    cells: dict[int, Components], steps: list[tuple[int, int]]
) -> None:
    moving = Sliding(sorted(cells.items()), EMPTY)
    low = high = 0
    for step_low, step_high in steps:
        low, high = low + step_low, high + step_high
        inside = [cell for bucket, cell in sorted(cells.items()) if low <= bucket < high]
        assert moving.over(low, high) == total(inside, EMPTY)


def test_the_sum_is_the_same_object_while_nothing_changes() -> None:
    moving = Sliding([(0, Components((1, 2)))], Components((0, 0)))
    first = moving.over(0, 1)
    assert first.counts == (1, 2)
    assert moving.over(0, 5) is first
    assert moving.over(1, 5) == Components((0, 0))
