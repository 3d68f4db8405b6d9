"""A back-test says when a rule would have fired, and where it is coarser than live."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.conditions import Reading, judge, timing_of
from alerts.guards import Cell
from alerts.rules import (
    LITERAL,
    Baseline,
    Change,
    Guard,
    GuardKind,
    Operator,
    Threshold,
    Watch,
)
from alerts.states import State, Transition, advance, told
from alerts.windows import baseline_of, window_of
from analytics.answer import Key
from analytics.components import total, zero
from analytics.periods import Range
from storage.errors import InvalidInput
from tests.alerts.answers import DAY, FLOORS, NOW, Counts, cell, planned, played

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ABOVE_TEN = Threshold(Operator.ABOVE, 10)
COUNT = Watch("error_occurrences.occurrences", 3_600, ABOVE_TEN)
RATE = Watch("api_calls.server_error_rate", 300, Threshold(Operator.ABOVE, 0.1), LITERAL)


def _once(at: datetime, count: int) -> Counts:
    return lambda start, _key: {"occurrences": count} if start == at else {}


def test_it_fires_at_the_look_after_the_event_and_stops_when_it_has_left_the_window() -> None:
    event = NOW - 5 * HOUR
    found = played(COUNT, 10 * HOUR, _once(event, 11))
    (firing,) = found.firings
    assert (found.step, found.notes) == (MINUTE, ())
    assert firing.fired_at == event + MINUTE
    assert firing.ended_at == event + MINUTE + HOUR
    assert firing.ended_by is Transition.RESOLVED
    assert firing.evidence.window is not None
    assert firing.evidence.window.value == 11
    assert (found.pages, found.firing) == (1, HOUR)
    assert played(COUNT, 10 * HOUR, _once(event, 10)).firings == ()


def test_it_waits_as_live() -> None:
    event = NOW - 5 * HOUR
    slow = replace(COUNT, for_seconds=600, keep_firing_seconds=1_200)
    (firing,) = played(slow, 10 * HOUR, _once(event, 11)).firings
    assert firing.fired_at == event + 11 * MINUTE
    assert firing.ended_at == event + MINUTE + HOUR + 20 * MINUTE


def test_far_back_it_looks_once_an_hour_and_says_so() -> None:
    event = NOW.replace(hour=0) - 20 * DAY
    found = played(replace(COUNT, for_seconds=600), 60 * DAY, _once(event, 11))
    (firing,) = found.firings
    assert found.step == HOUR
    assert found.notes == ("So far back only whole hours are stored: it looks once an hour.",)
    assert firing.fired_at == event + HOUR + 10 * MINUTE
    assert firing.ended_at == event + 2 * HOUR


def test_one_look_is_enough() -> None:
    event = NOW.replace(hour=0) - 20 * DAY
    found = played(COUNT, 59 * MINUTE, _once(event, 11), end=event + 2 * HOUR - MINUTE)
    assert found.range == Range(event + HOUR, event + 2 * HOUR)
    (firing,) = found.firings
    assert (firing.fired_at, found.pages, found.firing) == (event + HOUR, 1, timedelta())


def test_a_short_window_is_widened_to_an_hour_and_says_so() -> None:
    found = played(RATE, 10 * DAY, lambda _start, _key: {"calls": 10, "server_errors": 5})
    assert found.notes[1:] == (
        "Windows are widened to whole hours, so short peaks are evened out.",
    )
    (firing,) = found.firings
    assert firing.evidence.window is not None
    assert firing.evidence.window.counts == {"calls": 10, "server_errors": 5}


def test_counts_of_a_short_window_are_refused_so_far_back() -> None:
    short = replace(COUNT, window_seconds=300)
    assert planned(short, 40 * HOUR).step == MINUTE
    with pytest.raises(InvalidInput, match="within the last 48 hours"):
        planned(short, 10 * DAY)


def test_only_what_is_stored_is_looked_at() -> None:
    found = planned(COUNT, 80 * DAY, NOW - 20 * DAY)
    assert FLOORS.fine is not None
    assert found.looks[0] == FLOORS.fine + HOUR
    assert found.looks[-1] == NOW - 20 * DAY
    assert all(part.range.start >= FLOORS.fine for part in found.slices)
    assert planned(COUNT, DAY, NOW + 2 * HOUR).looks[-1] == NOW
    with pytest.raises(InvalidInput, match="Nothing is stored"):
        planned(COUNT, DAY, NOW - 100 * DAY)
    with pytest.raises(InvalidInput, match="at most 92 days"):
        planned(COUNT, 93 * DAY)
    with pytest.raises(InvalidInput, match="Distinct projects"):
        planned(replace(COUNT, measure="deployments.active_projects"), DAY)


def test_a_flapping_instance_is_told_once() -> None:
    # Every ten minutes of two hours one error; the window is a minute long.
    watch = replace(COUNT, window_seconds=60, comparison=Threshold(Operator.ABOVE, 0))
    start = NOW - 3 * HOUR

    def counts(at: datetime, _key: Key) -> dict[str, int]:
        inside = start <= at < start + 2 * HOUR and at.minute % 10 == 0
        return {"occurrences": 1} if inside else {}

    found = played(watch, 4 * HOUR, counts)
    assert len(found.firings) == 12
    assert [firing.is_told for firing in found.firings] == [True] * 4 + [False] * 8
    assert found.pages == 4  # the last one says that it flaps
    assert found.firing == 12 * MINUTE


def test_groups_fire_apart_and_those_beyond_the_limit_are_told() -> None:
    watch = replace(COUNT, group_by=("error_type",))
    event = NOW - 5 * HOUR
    keys: tuple[Key, ...] = tuple((number,) for number in range(2, 132))

    def counts(at: datetime, key: Key) -> dict[str, int]:
        return {"occurrences": 11 if key[0] < 4 else 1} if at == event else {}

    found = played(watch, 10 * HOUR, counts, keys=keys)
    assert [firing.instance for firing in found.firings] == [(2,), (3,)]
    assert found.left_out == 30
    assert (found.pages, found.firing) == (2, HOUR)


def test_a_group_is_judged_while_there_is_something_of_it_and_cannot_stay_wrong_without() -> None:
    watch = replace(
        COUNT, window_seconds=600, comparison=Threshold(Operator.BELOW, 2), group_by=("error_type",)
    )
    found = played(watch, 5 * HOUR, _once(NOW - 4 * HOUR, 1), keys=((2,),))
    (firing,) = found.firings
    assert firing.fired_at == NOW - 4 * HOUR + MINUTE
    assert firing.ended_at == NOW - 4 * HOUR + 11 * MINUTE + HOUR
    assert firing.ended_by is Transition.GONE


WATCHES = (
    COUNT,
    RATE,
    replace(RATE, guard=None, window_seconds=1_800),
    replace(RATE, guard=Guard(GuardKind.MIN_SAMPLE, at_least=5), for_seconds=120),
    replace(COUNT, comparison=Change(Operator.ABOVE, 2), guard=LITERAL, keep_firing_seconds=180),
    replace(
        RATE,
        comparison=Change(Operator.ABOVE, 1.5, Baseline.BEFORE, 7_200),
        guard=Guard(GuardKind.SIGNIFICANT, alpha=0.2),
    ),
)


@pytest.mark.parametrize("watch", WATCHES, ids=range(len(WATCHES)))
@settings(deadline=None, max_examples=25)
@given(
    data=st.dictionaries(
        st.integers(0, 240), st.tuples(st.integers(1, 12), st.integers(0, 12)), max_size=30
    )
)
def test_it_equals_evaluations_one_by_one(watch: Watch, data: dict[int, tuple[int, int]]) -> None:
    start = NOW - 4 * HOUR
    fact = "api_call" if watch.measure.startswith("api") else "error_occurrence"

    def counts(at: datetime, _key: Key) -> dict[str, int]:
        whole, part = data.get((at - start) // MINUTE, (0, 0))
        if fact == "error_occurrence":
            return {"occurrences": whole}
        return {"calls": whole, "server_errors": min(whole, part)}

    filled = {start + n * MINUTE: counts(start + n * MINUTE, ()) for n in data}

    def reading(span: Range) -> Reading:
        inside = (cell(fact, each) for at, each in filled.items() if span.start <= at < span.end)
        cells = total(inside, zero(fact))
        return Reading(span, Cell(cells, cells, span.length / DAY))

    state, before, expected = State.initial(start), None, []
    for number in range(241):
        look = start + number * MINUTE
        baseline = baseline_of(watch, look)
        earlier = None if baseline is None else reading(baseline)
        evidence = judge(watch, reading(window_of(watch, look)), earlier, look)
        was = state
        state, transition = advance(was, evidence.outcome, look, timing_of(watch), before)
        before = look
        expected += [(look, (), each) for each in told(was, state, transition)]
    assert list(played(watch, 4 * HOUR, counts).transitions) == expected
