"""What a rule says of given counts, at its boundary and beside it."""

from datetime import UTC, datetime, timedelta
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.conditions import Reading, judge, measure_of, timing_of
from alerts.guards import Cell
from alerts.rules import (
    LITERAL,
    SIGNIFICANT,
    Absence,
    Baseline,
    Change,
    Comparison,
    Guard,
    GuardKind,
    Operator,
    Threshold,
    Watch,
)
from alerts.states import Outcome
from alerts.windows import baseline_of, window_of
from analytics.components import Components, positions
from analytics.periods import Range
from storage.facts import FACTS

NOW = datetime(2026, 11, 30, 12, 34, 56, 789, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RATE, COUNT, MEAN = (
    "deployments.failure_rate",
    "deployments.attempts",
    "deployments.average_duration_ms",
)
ABOVE_TENTH = Threshold(Operator.ABOVE, 0.1)


def reading(span: Range | None = None, **counts: int) -> Reading:
    fact = FACTS["deployment"]
    values = [0] * len(fact.components)
    for name, count in counts.items():
        values[positions(fact)[name]] = count
    cell = Components(tuple(values))
    span = span or Range(NOW - HOUR, NOW)
    return Reading(span, Cell(cell, cell, span.length / DAY))


def rate(failed: int, finished: int, span: Range | None = None) -> Reading:
    return reading(span, failed=failed, succeeded=finished - failed)


def outcome(watch: Watch, window: Reading, baseline: Reading | None = None) -> Outcome:
    return judge(watch, window, baseline, NOW).outcome


def watch(measure: str, compared: Comparison, guard: Guard | None = LITERAL) -> Watch:
    return Watch(measure, 3_600, compared, guard)


@pytest.mark.parametrize(
    ("failed", "finished", "expected"),
    [
        (10, 100, Outcome.CLEAR),
        (101, 1_000, Outcome.BREACH),
        (0, 5, Outcome.CLEAR),
        (0, 0, Outcome.NO_DATA),
    ],
)
def test_a_rate_is_wrong_above_its_threshold(failed: int, finished: int, expected: Outcome) -> None:
    assert outcome(watch(RATE, ABOVE_TENTH), rate(failed, finished)) is expected


@pytest.mark.parametrize(
    ("operator", "wrong"),
    [
        (Operator.ABOVE, (11,)),
        (Operator.AT_LEAST, (10, 11)),
        (Operator.BELOW, (9,)),
        (Operator.AT_MOST, (9, 10)),
    ],
)
def test_operators_at_their_bound(operator: Operator, wrong: tuple[int, ...]) -> None:
    rule = watch(COUNT, Threshold(operator, 10))
    found = [n for n in (9, 10, 11) if outcome(rule, reading(attempts=n)) is Outcome.BREACH]
    assert tuple(found) == wrong


def test_nothing_is_zero_for_counts_and_no_data_for_means() -> None:
    assert outcome(watch(COUNT, Threshold(Operator.ABOVE, 0)), reading()) is Outcome.CLEAR
    assert outcome(watch(COUNT, Threshold(Operator.BELOW, 1)), reading()) is Outcome.BREACH
    assert outcome(watch(MEAN, Threshold(Operator.BELOW, 1)), reading()) is Outcome.NO_DATA
    assert outcome(watch(COUNT, Absence()), reading()) is Outcome.BREACH
    assert outcome(watch(COUNT, Absence()), reading(attempts=1)) is Outcome.CLEAR


def test_evidence_has_the_counts_behind_the_value() -> None:
    evidence = judge(watch(RATE, ABOVE_TENTH), rate(3, 10), None, NOW, {"network": "metis"})
    assert evidence.window is not None
    assert evidence.window.value == 0.3
    assert evidence.window.counts == {"failed": 3, "succeeded": 7}
    assert (evidence.bound, evidence.labels) == (0.1, {"network": "metis"})


@pytest.mark.parametrize(("now", "expected"), [(20, Outcome.CLEAR), (21, Outcome.BREACH)])
def test_a_change_compares_with_the_baseline(now: int, expected: Outcome) -> None:
    before = reading(Range(NOW - 2 * HOUR, NOW - HOUR), attempts=10)
    rule = watch(COUNT, Change(Operator.ABOVE, 2.0))
    assert outcome(rule, reading(attempts=now), before) is expected


def test_counts_are_scaled_to_the_length_of_the_window() -> None:
    week = Range(NOW - HOUR - 7 * DAY, NOW - HOUR)
    rule = watch(COUNT, Change(Operator.ABOVE, 2.0))
    before = reading(week, attempts=1_680)  # ten an hour
    assert judge(rule, reading(attempts=20), before, NOW).bound == pytest.approx(20)
    # A mean is not.
    slow = watch(MEAN, Change(Operator.ABOVE, 2.0))
    before = reading(week, timed=2, duration_us=2_000_000)
    assert judge(slow, reading(timed=1, duration_us=1), before, NOW).bound == 2_000


def test_a_change_from_no_data_is_no_data() -> None:
    rule = watch(RATE, Change(Operator.ABOVE, 2.0))
    assert outcome(rule, rate(5, 10), rate(0, 0)) is Outcome.NO_DATA


@pytest.mark.parametrize(("now", "factor", "wrong"), [(4, 2, False), (5, 2, True), (7, 8, False)])
def test_one_event_after_none_is_no_spike(now: int, factor: float, wrong: bool) -> None:
    rule = watch(COUNT, Change(Operator.ABOVE, factor))
    assert (outcome(rule, reading(attempts=now), reading()) is Outcome.BREACH) is wrong


def test_a_least_sample() -> None:
    rule = watch(RATE, ABOVE_TENTH, Guard(GuardKind.MIN_SAMPLE, at_least=20))
    assert outcome(rule, rate(5, 19)) is Outcome.CLEAR
    assert outcome(rule, rate(5, 20)) is Outcome.BREACH
    compared = watch(RATE, Change(Operator.ABOVE, 2.0), Guard(GuardKind.MIN_SAMPLE, at_least=20))
    assert outcome(compared, rate(10, 20), rate(1, 19)) is Outcome.CLEAR
    assert outcome(compared, rate(10, 20), rate(1, 20)) is Outcome.BREACH


@given(st.integers(1, 60), st.data(), st.sampled_from((0.05, 0.1, 0.5)))
def test_chance_is_the_tail_of_a_binomial(trials: int, data: st.DataObject, chance: float) -> None:
    failed = data.draw(st.integers(0, trials))
    rule = watch(RATE, Threshold(Operator.ABOVE, chance), SIGNIFICANT)
    evidence = judge(rule, rate(failed, trials), None, NOW)
    if failed / trials <= chance:
        assert evidence.guard is None
        return
    assert evidence.guard is not None
    assert evidence.guard.p_value is not None
    tail = sum(
        comb(trials, k) * chance**k * (1 - chance) ** (trials - k)
        for k in range(failed, trials + 1)
    )
    assert evidence.guard.p_value == pytest.approx(tail, rel=1e-6)
    assert (evidence.outcome is Outcome.BREACH) is (evidence.guard.p_value <= 0.01)


def test_a_low_rate_is_tested_at_its_lower_tail() -> None:
    rule = watch("deployments.success_rate", Threshold(Operator.BELOW, 0.9), None)
    evidence = judge(rule, rate(4, 4), None, NOW)
    assert evidence.guard is not None
    assert evidence.guard.p_value == pytest.approx(0.1**4)
    assert evidence.outcome is Outcome.BREACH


def test_a_change_of_counts_is_tested_with_the_events_of_both_times() -> None:
    rule = watch(COUNT, Change(Operator.ABOVE, 1.5), SIGNIFICANT)
    before = Range(NOW - 2 * HOUR, NOW - HOUR)
    evidence = judge(rule, reading(attempts=8), reading(before, attempts=2), NOW)
    assert evidence.guard is not None
    assert evidence.guard.p_value == pytest.approx(56 / 1024)  # 8 or more of 10, each by a half
    assert evidence.outcome is Outcome.CLEAR
    assert outcome(rule, reading(attempts=40), reading(before, attempts=10)) is Outcome.BREACH


def test_a_mean_cannot_be_tested() -> None:
    rule = watch(MEAN, Threshold(Operator.ABOVE, 1), SIGNIFICANT)
    with pytest.raises(ValueError, match="Chance cannot be told"):
        judge(rule, reading(timed=1, duration_us=9_000), None, NOW)


@given(st.timedeltas(timedelta(0), timedelta(days=365)), st.integers(1, 40_320))
def test_a_window_is_as_long_as_told_and_starts_on_a_minute(ago: timedelta, minutes: int) -> None:
    now = NOW - ago
    span = window_of(Watch(COUNT, 60 * minutes, Absence()), now)
    assert span.end == now
    assert (span.start.second, span.start.microsecond) == (0, 0)
    longer = span.length - timedelta(minutes=minutes)
    most = timedelta(minutes=1) if minutes < 2 * 1_440 else HOUR
    assert timedelta(0) <= longer < most


def test_baselines() -> None:
    def of(baseline: Baseline, seconds: int | None = None) -> tuple[datetime, datetime]:
        span = baseline_of(watch(COUNT, Change(Operator.ABOVE, 2, baseline, seconds)), NOW)
        assert span is not None
        return span.start, span.end

    start = datetime(2026, 11, 30, 11, 34, tzinfo=UTC)
    assert of(Baseline.BEFORE) == (start - HOUR, start)
    assert of(Baseline.BEFORE, 7 * 86_400) == (datetime(2026, 11, 23, 11, tzinfo=UTC), start)
    assert of(Baseline.DAY_EARLIER) == (start - DAY, NOW - DAY)
    week_earlier = (datetime(2026, 11, 23, 11, tzinfo=UTC), datetime(2026, 11, 23, 13, tzinfo=UTC))
    assert of(Baseline.WEEK_EARLIER) == week_earlier
    assert baseline_of(watch(COUNT, Absence()), NOW) is None


def test_an_instance_is_gone_after_two_windows_but_at_least_an_hour() -> None:
    assert timing_of(Watch(COUNT, 60, Absence())).gone_after_seconds == 3_600
    assert timing_of(Watch(COUNT, 86_400, Absence())).gone_after_seconds == 2 * 86_400


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="no measure"):
        measure_of(Watch("deployments.unknown", 60, Absence()))
