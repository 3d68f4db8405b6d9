"""The catalogue: formulas, units, headlines and empty cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.components import Components, total, zero
from analytics.measures import MEASURES, MeasureKind, Unit, measures_of
from analytics.measures.builder import Builder
from storage.facts import FACTS
from storage.facts.deployments import DEPLOYMENTS
from tests.analytics.questions import cell

FACT = DEPLOYMENTS.name
NOTHING = zero(FACT, histogram=True, projects=True)
SOME = cell(
    attempts=12,
    queued=2,
    succeeded=5,
    failed=2,
    cancelled=1,
    rolled_back=1,
    finishes=8,
    finishes_succeeded=5,
    finishes_failed=2,
    finishes_cancelled=1,
    timed=4,
    duration_us=6_000_000,
)._replace(projects=3)

_COUNTS = st.lists(
    st.integers(0, 1000),
    min_size=len(DEPLOYMENTS.components),
    max_size=len(DEPLOYMENTS.components),
).map(lambda counts: Components(tuple(counts)))


def value(name: str, days: float = 1.0) -> float | None:
    return MEASURES[FACT, name].value(SOME, days=days)


def test_rates_are_fractions_of_the_finished() -> None:
    assert value("finished") == 9
    assert value("in_progress") == 1
    assert value("success_rate") == pytest.approx(5 / 9)
    assert value("failure_rate") == pytest.approx(2 / 9)
    assert value("rollback_rate") == pytest.approx(1 / 9)
    assert value("success_rate_of_attempts") == pytest.approx(5 / 12)
    assert value("failure_rate_of_finishes") == 0.25


def test_average_is_over_the_known_durations() -> None:
    assert value("average_duration_ms") == 1500


def test_frequency_divides_by_the_days_of_the_range() -> None:
    assert value("frequency_per_day", days=7) == pytest.approx(8 / 7)
    assert value("frequency_per_week", days=7) == 8


@pytest.mark.parametrize(
    ("unit", "expected"),
    [(Unit.PER_HOUR, 16), (Unit.PER_MINUTE, 16 / 60), (Unit.PER_SECOND, 16 / 3600)],
)
def test_rates_per_shorter_time_are_of_hours_of_days(unit: Unit, expected: float) -> None:
    rate = Builder(DEPLOYMENTS).per_time("rate", "finishes", unit, "A rate.")
    assert rate.value(SOME, days=0.5) == pytest.approx(expected / 24)
    assert rate.value(SOME, days=0.0) == 0


def test_share_is_of_all_groups() -> None:
    assert MEASURES[FACT, "share"].value(SOME, whole=cell(attempts=48)) == 0.25
    assert MEASURES[FACT, "share"].value(NOTHING, whole=NOTHING) == 0.0


@pytest.mark.parametrize("fact", FACTS)
def test_nothing_gives_zero_rates_and_no_durations(fact: str) -> None:
    declared = FACTS[fact]
    nothing = zero(fact, histogram=declared.timing is not None, projects=bool(declared.presences))
    for measure in measures_of(fact):
        found = measure.value(nothing)
        if measure.unit in (Unit.MILLISECONDS, Unit.DAYS, Unit.OF_METRIC):
            assert found is None
        else:
            assert found == 0
        assert measure.kind is MeasureKind.DISTINCT or found == measure.when_empty


def test_unknown_duration_is_not_zero() -> None:
    untimed = cell(attempts=1, succeeded=1, finishes=1, finishes_succeeded=1)
    assert MEASURES[FACT, "average_duration_ms"].value(untimed) is None


@given(left=_COUNTS, right=_COUNTS)
def test_additive_measures_add_up(left: Components, right: Components) -> None:
    both = total([left, right], NOTHING)
    for measure in measures_of(FACT):
        if measure.additive:
            parts = [measure.value(each) or 0 for each in (left, right)]
            assert measure.value(both) == sum(parts)


@given(counts=_COUNTS)
def test_rates_stay_between_zero_and_one(counts: Components) -> None:
    for name in ("success_rate", "failure_rate", "rollback_rate"):
        found = MEASURES[FACT, name].value(counts)
        assert found is not None
        assert 0 <= found <= 1


def test_distinct_projects_do_not_add_up() -> None:
    both = total([SOME, SOME], NOTHING)
    assert both.projects is None


@pytest.mark.parametrize("fact", FACTS)
def test_formulas_name_components_or_measures(fact: str) -> None:
    known = {*FACTS[fact].counted} | {measure.name for measure in measures_of(fact)}
    for measure in measures_of(fact):
        if measure.kind is MeasureKind.FORMULA:
            words = measure.formula.replace("(", " ").replace(")", " ").split()
            assert {word for word in words if word[0].isalpha()} <= known, measure.formula


def test_descriptions_are_one_plain_sentence() -> None:
    for measure in MEASURES.values():
        assert measure.description[0].isupper()
        assert measure.description.endswith(".")
        assert ". " not in measure.description
        assert len(measure.description) <= 120


def test_headlines_of_deployments() -> None:
    assert {measure.name for measure in measures_of(FACT) if measure.headline} == {
        *("attempts", "queued", "in_progress", "succeeded", "failed", "cancelled", "rolled_back"),
        *("finished", "success_rate", "failure_rate", "rollback_rate", "frequency_per_day"),
        *("average_duration_ms", "duration_p50_ms", "duration_p95_ms", "duration_p99_ms"),
        *("active_projects", "share"),
    }
