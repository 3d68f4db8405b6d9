"""The timing of an error's beginning: how much of the time is as close after a deployment."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from analytics.significance import Sample
from analytics.suspects import Beginning, Candidate, Suspicion, p_of_timing, ranked

AT = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUIET = [[Sample(0, 1.0)] * 24] * 7


def beginning(*ago: timedelta, active: tuple[bool, ...] = (), days: int = 20) -> Beginning:
    return Beginning(AT, AT - days * DAY, [AT - each for each in ago], {}, active)


def candidate(ago: timedelta, *, before: int = 0, after: int = 40) -> Candidate:
    samples = Sample(before, 24.0), Sample(after, 1.0)
    return Candidate(uuid4(), AT - ago, *samples, QUIET)


def test_p_is_the_share_of_the_time_after_deployments() -> None:
    one = beginning(2 * HOUR)
    assert p_of_timing(one, AT - 2 * HOUR) == pytest.approx(2 / 480)
    daily = beginning(*(2 * HOUR + n * DAY for n in range(20)))
    assert p_of_timing(daily, AT - 2 * HOUR) == pytest.approx(40 / 480)


def test_time_after_two_deployments_counts_once() -> None:
    close = beginning(2 * HOUR, 3 * HOUR)
    assert p_of_timing(close, AT - 2 * HOUR) == pytest.approx(3 / 480)
    assert p_of_timing(close, AT - 3 * HOUR) == pytest.approx(3 / 480)


def test_busy_hours_weigh_more() -> None:
    plain = beginning(HOUR)
    working = Beginning(AT, plain.since, plain.deployments, dict.fromkeys(range(9, 18), 20), ())
    assert p_of_timing(working, AT - HOUR) > 2 * p_of_timing(plain, AT - HOUR)


def test_closest_of_two_is_the_first_suspect() -> None:
    found = ranked(beginning(HOUR, 2 * HOUR), [candidate(2 * HOUR), candidate(HOUR)])
    assert [each.candidate.finished_at for each in found] == [AT - HOUR, AT - 2 * HOUR]
    assert {each.suspicion for each in found} == {Suspicion.SUSPECT}


def test_error_as_frequent_before_clears_a_deployment() -> None:
    (found,) = ranked(beginning(HOUR), [candidate(HOUR, before=24 * 50)])
    assert found.suspicion is Suspicion.UNLIKELY


def test_frequent_error_that_began_late_clears_a_deployment() -> None:
    always = (True,) * 12
    (found,) = ranked(beginning(8 * HOUR, active=always), [candidate(8 * HOUR)])
    assert found.suspicion is Suspicion.UNLIKELY
    seldom = (True, *(False,) * 11)
    (found,) = ranked(beginning(8 * HOUR, active=seldom), [candidate(8 * HOUR)])
    assert found.suspicion is Suspicion.INCONCLUSIVE


def test_beginnings_without_a_cause_are_seldom_blamed() -> None:
    """At most 1 %: more than 7 of 200 would have a probability of 0.1 %."""
    blamed = 0
    for seed in range(200):
        chance = random.Random(seed)
        ago = [chance.random() * 20 * DAY for _ in range(40)]
        finishes = [candidate(each) for each in sorted(ago) if each < DAY]
        found = ranked(beginning(*ago), finishes)
        blamed += any(each.suspicion is Suspicion.SUSPECT for each in found)
    assert blamed <= 7
