"""A worse rate is found, and chance, bursts and the time of day are not taken for one."""

import pytest

from analytics.significance import ALPHA, SPIKE_DAYS, RateTest, Sample, compare, holm, spike
from tests.simulations.streams import BURSTY, STEADY, Stream, day_and_history, history_and_window

HOURS = 24


def constant(events: int, days: int = 7, exposure: float = 1.0) -> list[list[Sample]]:
    return [[Sample(events, exposure)] * HOURS for _ in range(days)]


def test_holm_adjusts_as_published() -> None:
    # As p.adjust of R with the method "holm".
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_expected_events_follow_the_same_hours() -> None:
    days = [[Sample(10, 1.0), *[Sample(100, 1.0)] * (HOURS - 1)] for _ in range(7)]
    assert RateTest(days).expected(0.5) == 5


def test_much_more_than_a_steady_rate_is_significant() -> None:
    test = RateTest(constant(10))
    assert test.p_value(Sample(30, 1.0)) < 0.001
    assert test.p_value(Sample(12, 1.0)) > 0.2


def test_fewer_events_are_never_significant() -> None:
    test = RateTest(constant(10))
    assert test.p_value(Sample(0, 1.0)) == 1
    assert test.p_value(Sample(5, 1.0)) > 0.9


def test_without_a_baseline_nothing_is_significant() -> None:
    assert RateTest([]).p_value(Sample(1_000, 1.0)) == 1
    assert RateTest(constant(0, exposure=0.0)).p_value(Sample(1_000, 1.0)) == 1


def test_history_with_as_large_bursts_explains_one_more() -> None:
    quiet = constant(0, days=28)
    with_bursts = [list(day) for day in quiet]
    for day in range(0, 28, 4):
        with_bursts[day][day % HOURS] = Sample(60, 1.0)
    window = Sample(40, 1.0)
    assert RateTest(quiet).p_value(window) < ALPHA / 4
    assert RateTest(with_bursts).p_value(window) > ALPHA


def test_critical_number_is_the_first_that_is_significant() -> None:
    test = RateTest(constant(20))
    critical = test.critical(1.0, ALPHA)
    assert test.p_value(Sample(critical, 1.0)) <= ALPHA
    assert test.p_value(Sample(critical - 1, 1.0)) > ALPHA
    assert 30 <= critical <= 45


def test_rise_is_significant_and_large_and_of_enough_events_and_days() -> None:
    def is_rise(events: int, usual: int, days: int = 7) -> bool:
        (change,) = compare([(Sample(events, 1.0), RateTest(constant(usual, days)))])
        return change.is_rise

    assert is_rise(40, 10)
    assert not is_rise(12, 10)
    assert not is_rise(11_000, 10_000)
    assert not is_rise(4, 0)
    assert not is_rise(40, 10, days=2)


def test_change_shows_its_samples() -> None:
    (change,) = compare([(Sample(5, 0.5), RateTest(constant(4)))])
    assert (change.after, change.baseline) == (Sample(5, 0.5), Sample(28, 7.0))
    assert (change.days, change.expected) == (7, 2)


def test_comparisons_made_together_share_one_level() -> None:
    window, test = Sample(12, 1.0), RateTest(constant(4))
    (alone,) = compare([(window, test)])
    together = compare([(window, test), *[(Sample(4, 1.0), test)] * 19])
    assert together[0].p_value == pytest.approx(20 * alone.p_value)
    assert (alone.is_rise, together[0].is_rise) == (True, False)


def test_spike_is_the_first_hour_that_is_too_high() -> None:
    days = constant(2)
    calm = [Sample(2, 1.0)] * HOURS
    assert spike(calm, days) is None
    assert spike([*calm[:20], *[Sample(60, 1.0)] * 4], days) == (20, 60, 2)


def test_spike_is_compared_with_the_same_hour() -> None:
    days = [[Sample(60 if hour == 9 else 2, 1.0) for hour in range(HOURS)]] * 7
    assert spike(days[0], days) is None
    late = [Sample(60 if hour in {9, 12} else 2, 1.0) for hour in range(HOURS)]
    assert spike(late, days) == (12, 60, 2)


@pytest.mark.parametrize("stream", [*STEADY, *BURSTY], ids=str)
def test_false_alarms_are_as_rare_as_promised(stream: Stream) -> None:
    """More than 5 alarms in 150 trials at a level of 1 % have a probability of 0.4 %."""
    alarms = 0
    for seed in range(150):
        history, window = history_and_window(stream, days=8, seed=seed)
        alarms += RateTest(history).p_value(window) <= ALPHA
    assert alarms <= 5


@pytest.mark.parametrize("stream", [*STEADY, *BURSTY], ids=str)
def test_spikes_by_chance_are_as_rare_as_promised(stream: Stream) -> None:
    """More than 3 of 60 days at a level of 1 % have a probability of 0.3 %."""
    days = (day_and_history(stream, SPIKE_DAYS, seed) for seed in range(60))
    assert sum(spike(*each) is not None for each in days) <= 3


def test_rare_bursts_are_no_spikes() -> None:
    """More than 14 of 600 days at a level of 1 % have a probability of 0.2 %."""
    (rare,) = [stream for stream in BURSTY if str(stream) == "incidents of 40, 0.2 an hour"]
    days = (day_and_history(rare, SPIKE_DAYS, seed) for seed in range(600))
    assert sum(spike(*each) is not None for each in days) <= 14


@pytest.mark.parametrize("stream", STEADY, ids=str)
def test_fourfold_rates_are_found(stream: Stream) -> None:
    found = trials = 0
    for seed in range(30):
        history, window = history_and_window(stream, days=8, seed=seed)
        test = RateTest(history)
        if test.expected(window.exposure) >= 4:
            trials += 1
            found += test.p_value(Sample(4 * window.events, window.exposure)) <= ALPHA / 4
    assert found >= 0.9 * trials
