"""An instance advances one evaluation after another, on a clock of the test's own."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.states import (
    FAILING_AFTER,
    FLAPPING_FIRINGS,
    LONGEST_GAP,
    Health,
    Outcome,
    Phase,
    State,
    Timing,
    Transition,
    advance,
    told,
)

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
TICK = timedelta(seconds=10)
B, C, N, E, G = Outcome.BREACH, Outcome.CLEAR, Outcome.NO_DATA, Outcome.ERROR, Outcome.GONE

Told = list[tuple[int, Transition]]  # seconds after the start


def fold(
    samples: Iterable[tuple[datetime, Outcome]], timing: Timing, state: State | None = None
) -> tuple[State, Told]:
    """Advances through all samples; returns the state at the end, and what was told."""
    history: Told = []
    before = None
    state = state or State.initial(START)
    for now, outcome in samples:
        after, transition = advance(state, outcome, now, timing, before)
        second = round((now - START).total_seconds())
        history += [(second, each) for each in told(state, after, transition)]
        state, before = after, now
    return state, history


def ticks(outcomes: Sequence[Outcome], every: timedelta = TICK) -> list[tuple[datetime, Outcome]]:
    return [(START + number * every, outcome) for number, outcome in enumerate(outcomes)]


# Also failures that last.
outcomes = st.lists(st.sampled_from([[each] for each in Outcome] + [[E] * 31]), max_size=60).map(
    lambda runs: [outcome for run in runs for outcome in run]
)
timings = st.builds(
    Timing,
    st.sampled_from((0, 10, 30, 60)),
    st.sampled_from((0, 10, 30, 60)),
    st.sampled_from((60, 200)),
)


def test_it_fires_at_once_and_resolves_at_once() -> None:
    state, history = fold(ticks([C, B, B, C, C]), Timing())
    assert history == [(10, Transition.FIRING), (30, Transition.RESOLVED)]
    assert state.phase is Phase.INACTIVE


def test_for_is_exact_at_its_boundary() -> None:
    timing = Timing(for_seconds=30)
    assert fold(ticks([B, B, B]), timing)[1] == [(0, Transition.PENDING)]
    assert fold(ticks([B, B, B, B]), timing)[1] == [
        (0, Transition.PENDING),
        (30, Transition.FIRING),
    ]
    just_before = [(START, B), (START + timedelta(seconds=30, microseconds=-1), B)]
    assert fold(just_before, timing)[1] == [(0, Transition.PENDING)]


def test_one_clear_evaluation_restarts_for() -> None:
    _, history = fold(ticks([B, B, C, B, B, B, B]), Timing(for_seconds=30))
    assert history == [
        (0, Transition.PENDING),
        (20, Transition.CALMED),
        (30, Transition.PENDING),
        (60, Transition.FIRING),
    ]


def test_keep_firing_is_exact_at_its_boundary() -> None:
    timing = Timing(keep_firing_seconds=30)
    assert fold(ticks([B, C, C, C]), timing)[1] == [(0, Transition.FIRING)]
    ended = [(0, Transition.FIRING), (40, Transition.RESOLVED)]
    assert fold(ticks([B, C, C, C, C]), timing)[1] == ended
    assert fold(ticks([B, C, C, B, C, C, C]), timing)[1] == ended[:1]


@pytest.mark.parametrize("nothing", [N, E])
def test_missing_data_and_failures_neither_fire_nor_resolve(nothing: Outcome) -> None:
    timing = Timing(for_seconds=30)
    changes = {Transition.FAILING, Transition.RECOVERED}
    _, history = fold(ticks([nothing] * 20), timing)
    assert {each for _, each in history} <= changes
    _, history = fold(ticks([B, B, B, B, *[nothing] * 20, B]), timing)
    assert [each for each in history if each[1] not in changes] == [
        (0, Transition.PENDING),
        (30, Transition.FIRING),
    ]


def test_for_goes_on_where_one_evaluation_fails() -> None:
    _, history = fold(ticks([B, E, N, B]), Timing(for_seconds=30))
    assert (30, Transition.FIRING) in history


def test_a_firing_instance_without_data_is_gone_after_a_time() -> None:
    timing = Timing(gone_after_seconds=60)
    _, history = fold(ticks([B, *[N] * 6]), timing)
    assert history == [(0, Transition.FIRING)]
    state, history = fold(ticks([B, *[N] * 7]), timing)
    assert history[-1] == (70, Transition.GONE)
    assert state.phase is Phase.INACTIVE
    # Some data in between begins the time anew.
    assert Transition.GONE not in {e for _, e in fold(ticks([B, *[N] * 6, B, N, N]), timing)[1]}


def test_a_failure_is_told_once_and_only_if_it_lasts() -> None:
    held = FAILING_AFTER // TICK
    state, history = fold(ticks([C, *[E] * held, C]), Timing())
    assert (state.health, history) == (Health.OK, [])
    state, history = fold(ticks([C, *[E] * (held + 9)]), Timing())
    assert (state.health, history) == (Health.FAILING, [(310, Transition.FAILING)])
    for good in (C, N):
        back = [*ticks([C, *[E] * (held + 9), good, good])]
        assert fold(back, Timing())[1][1:] == [(400, Transition.RECOVERED)]
    # Any evaluation that could judge begins the time anew.
    assert fold(ticks([*[E] * held, N, *[E] * held]), Timing())[1] == []


def test_failing_is_apart_from_the_phase() -> None:
    failures = [E] * (FAILING_AFTER // TICK + 1)
    state, history = fold(ticks([B, *failures]), Timing())
    assert (state.phase, state.health) == (Phase.FIRING, Health.FAILING)
    _, history = fold(ticks([*failures, B]), Timing())
    assert [each for _, each in history[1:]] == [Transition.FIRING, Transition.RECOVERED]


def test_what_ends_while_it_fails_has_not_recovered() -> None:
    failures = [E] * (FAILING_AFTER // TICK + 1)
    state, history = fold(ticks([B, *failures, G]), Timing())
    assert (state.phase, state.health) == (Phase.INACTIVE, Health.FAILING)
    assert [each for _, each in history[1:]] == [Transition.FAILING, Transition.GONE]
    _, history = fold(ticks([B, *failures, G, C]), Timing())
    assert history[-1][1] is Transition.RECOVERED, "its rule goes on, with another trigger"


def test_what_failed_before_a_gap_is_not_told_after_it() -> None:
    late = START + timedelta(hours=1)
    state, history = fold([(START, E), (late, E)], Timing())
    assert (state.health, history) == (Health.ERROR, [])
    state, _ = fold(ticks([E] * 40), Timing())
    state, history = fold([(START + 39 * TICK, E), (late, E), (late + TICK, C)], Timing(), state)
    assert [each for _, each in history] == [Transition.RECOVERED]


def test_a_gap_restarts_what_is_timed() -> None:
    timing = Timing(for_seconds=600, keep_firing_seconds=600)
    late = START + LONGEST_GAP + timedelta(seconds=1)
    pending = [(START, B), (late, B), (late + timedelta(seconds=299), B)]
    assert fold(pending, timing)[1] == [(0, Transition.PENDING)]
    firing, _ = fold([(START, B)], Timing(keep_firing_seconds=60))
    samples = [(START + timedelta(seconds=10), C), (START + timedelta(hours=1), C)]
    state, history = fold(samples, Timing(keep_firing_seconds=60), firing)
    assert history == []
    assert state.clear_since == START + timedelta(hours=1)


def test_a_pause_of_five_minutes_is_no_gap() -> None:
    samples = [(START, B), (START + LONGEST_GAP, B)]
    assert fold(samples, Timing(for_seconds=300))[1][-1] == (300, Transition.FIRING)


def test_nothing_changes_until_the_clock_has_caught_up() -> None:
    earlier = START - timedelta(hours=1)
    state, _ = fold([(START, B)], Timing())
    for now in (earlier, START):
        assert advance(state, C, now, Timing(), START) == (state, None)
    assert advance(state, C, START + TICK, Timing(), START)[1] is Transition.RESOLVED


def test_flapping_is_told_once_and_ends_when_steady() -> None:
    samples = ticks([B, C] * 6)
    state, history = fold(samples, Timing())
    assert [each for each in history if each[1] is Transition.FLAPPING] == [
        (60, Transition.FLAPPING)
    ]
    assert history.index((60, Transition.FIRING)) + 1 == history.index((60, Transition.FLAPPING))
    assert state.flapping
    last = samples[-1][0]
    steady = [(last + n * timedelta(minutes=1), C) for n in range(1, 62)]
    state, history = fold(steady, Timing(), state)
    assert [each for _, each in history] == [Transition.STEADY]
    assert not state.flapping


def test_fewer_firings_within_an_hour_are_no_flapping() -> None:
    every = timedelta(minutes=5)
    _, history = fold(ticks([B, C, C, C] * FLAPPING_FIRINGS * 2, every), Timing())
    assert Transition.FLAPPING not in {each for _, each in history}


@given(outcomes, timings)
def test_phases_change_only_for_what_was_seen(given_: list[Outcome], timing: Timing) -> None:
    state, before = State.initial(START), None
    for now, outcome in ticks(given_):
        after, transition = advance(state, outcome, now, timing, before)
        if after.phase is not state.phase:
            assert outcome is not E
            assert outcome is not N or transition in (Transition.GONE, Transition.CALMED)
            if after.phase is Phase.FIRING:
                assert outcome is B
                assert transition is Transition.FIRING
        else:
            assert transition in {None, Transition.STEADY}
        state, before = after, now


@given(outcomes, timings)
def test_each_firing_was_wrong_for_long_enough(given_: list[Outcome], timing: Timing) -> None:
    samples = ticks(given_)
    _, history = fold(samples, timing)
    for second, transition in history:
        if transition is Transition.FIRING:
            earlier = [o for at, o in samples if at <= START + timedelta(seconds=second)]
            long = timing.for_seconds // 10
            assert len(earlier) > long
            assert C not in earlier[len(earlier) - 1 - long :]


@given(outcomes, timings, st.data())
def test_a_restart_at_any_point_gives_the_same_history(
    given_: list[Outcome], timing: Timing, data: st.DataObject
) -> None:
    samples = ticks(given_)
    cut = data.draw(st.integers(0, len(samples)))
    first, history = fold(samples[:cut], timing)
    # The evaluation before the restart is repeated, and then changes nothing.
    again = advance(first, B, START, timing, samples[cut - 1][0]) if cut else (first, None)
    assert again == (first, None)
    last, rest = fold(samples[cut:], timing, first)
    assert (last, history + rest) == fold(samples, timing)


@given(outcomes, timings)
def test_firings_and_ends_alternate(given_: list[Outcome], timing: Timing) -> None:
    _, history = fold(ticks(given_), timing)
    ends = {Transition.RESOLVED, Transition.GONE}
    course = [each for _, each in history if each is Transition.FIRING or each in ends]
    assert all(each is Transition.FIRING for each in course[::2])
    assert all(each in ends for each in course[1::2])


@given(outcomes, timings)
def test_failing_and_recovered_alternate(given_: list[Outcome], timing: Timing) -> None:
    _, history = fold(ticks(given_), timing)
    healths = (Transition.FAILING, Transition.RECOVERED)
    course = [each for _, each in history if each in healths]
    assert course == [healths[number % 2] for number in range(len(course))]
