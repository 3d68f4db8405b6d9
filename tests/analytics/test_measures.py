"""The catalogue: formulas, units and empty cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.components import Components, total, zero
from analytics.measures import MEASURES, MeasureKind, Unit
from storage.facts.deployments import DEPLOYMENTS

NOTHING = zero("deployment", histogram=True, projects=True)
SOME = Components((10, 5, 2, 1, 1, 8, 5, 2, 1, 4, 6_000_000), None, 3)

_COUNTS = st.lists(st.integers(0, 1000), min_size=11, max_size=11).map(
    lambda counts: Components(tuple(counts))
)


def value(name: str, days: float = 1.0) -> float | None:
    return MEASURES[name].value(SOME, days=days)


def test_rates_are_fractions_of_the_finished() -> None:
    assert value("finished") == 9
    assert value("in_progress") == 1
    assert value("success_rate") == pytest.approx(5 / 9)
    assert value("failure_rate") == pytest.approx(2 / 9)
    assert value("rollback_rate") == pytest.approx(1 / 9)
    assert value("success_rate_of_attempts") == 0.5
    assert value("failure_rate_of_finishes") == 0.25


def test_average_is_over_the_known_durations() -> None:
    assert value("average_duration_ms") == 1500


def test_frequency_divides_by_the_days_of_the_range() -> None:
    assert value("frequency_per_day", days=7) == pytest.approx(8 / 7)
    assert value("frequency_per_week", days=7) == 8


def test_share_is_of_all_groups() -> None:
    whole = Components((40,) + (0,) * 10)
    assert MEASURES["share"].value(SOME, whole=whole) == 0.25
    assert MEASURES["share"].value(NOTHING, whole=NOTHING) == 0.0


def test_nothing_gives_zero_rates_and_no_durations() -> None:
    values = {name: measure.value(NOTHING) for name, measure in MEASURES.items()}
    durations = {name for name, found in values.items() if found is None}
    assert durations == {name for name, m in MEASURES.items() if m.unit is Unit.MILLISECONDS}
    assert all(found == 0 for found in values.values() if found is not None)


def test_unknown_duration_is_not_zero() -> None:
    untimed = Components((1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0))
    assert MEASURES["average_duration_ms"].value(untimed) is None


@given(left=_COUNTS, right=_COUNTS)
def test_additive_measures_add_up(left: Components, right: Components) -> None:
    both = total([left, right], NOTHING)
    for measure in MEASURES.values():
        if measure.additive:
            parts = [measure.value(each) or 0 for each in (left, right)]
            assert measure.value(both) == sum(parts)


@given(cell=_COUNTS)
def test_rates_stay_between_zero_and_one(cell: Components) -> None:
    for name in ("success_rate", "failure_rate", "rollback_rate"):
        found = MEASURES[name].value(cell)
        assert found is not None
        assert 0 <= found <= 1


def test_distinct_projects_do_not_add_up() -> None:
    both = total([SOME, SOME], NOTHING)
    assert both.projects is None


def test_formulas_name_components_or_measures() -> None:
    known = {component.name for component in DEPLOYMENTS.components} | set(MEASURES)
    for measure in MEASURES.values():
        if measure.kind is MeasureKind.FORMULA:
            words = measure.formula.replace("(", " ").replace(")", " ").split()
            assert {word for word in words if word[0].isalpha()} <= known, measure.formula
