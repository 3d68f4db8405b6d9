"""The questions are valid, drawn from a seed, and never sent twice."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import orjson
import pytest

from benchmarks import errors, invocations
from benchmarks.measure import Times
from benchmarks.occurrences import ERRORS, Sender
from benchmarks.population import (
    DAYS,
    ENVIRONMENTS,
    FRAMEWORKS,
    NETWORKS,
    PROJECTS,
    REGIONS,
    TEMPLATES,
    pairs,
    places,
)
from benchmarks.questions import LIST, QUESTIONS, Question, is_closed
from ingest.errors.composing import body_of
from ingest.errors.grouping import group
from tests.ingest.strategies import read

NOW = datetime(2026, 5, 20, 12, 34, 56, tzinfo=UTC)
RANGED = [question for question in QUESTIONS if question is not LIST]


@pytest.mark.parametrize(
    "question",
    [*QUESTIONS, *invocations.QUESTIONS, *errors.QUESTIONS],
    ids=lambda question: question.name,
)
def test_equal_seeds_ask_the_same_and_no_request_comes_twice(question: Question) -> None:
    drawn = list(islice(question.asked("seed", NOW), 1_000))
    assert drawn == list(islice(question.asked("seed", NOW), 1_000))
    assert drawn != list(islice(question.asked("another", NOW), 1_000))
    assert len({question.body(variables) for variables in drawn}) > 990


@pytest.mark.parametrize("question", RANGED, ids=lambda question: question.name)
def test_ranges_lie_within_kept_events_and_end_at_any_minute(question: Question) -> None:
    drawn = list(islice(question.asked("seed", NOW), 200))
    starts = [datetime.fromisoformat(each["range"]["between"]["start"]) for each in drawn]
    assert min(starts) > NOW - timedelta(days=DAYS)
    assert len({(each.hour, each.minute) for each in starts}) > 150
    still_running = [each for each in drawn if not is_closed(each, NOW)]
    assert 20 < len(still_running) < 80


def test_large_projects_use_all_networks_templates_and_frameworks() -> None:
    for rank in range(1, 11):
        used = pairs(rank)
        assert len(set(used)) * len(ENVIRONMENTS) == 240
        assert {pair.network for pair in used} == set(NETWORKS)
        assert len({pair.template for pair in used}) == TEMPLATES
        assert {pair.framework for pair in used} == set(FRAMEWORKS)
    assert len(pairs(PROJECTS)) == 1


def test_large_projects_use_twenty_functions_in_all_regions() -> None:
    for rank in range(1, 11):
        used = places(rank)
        assert len(set(used)) * len(ENVIRONMENTS) == 240
        assert len({place.function for place in used}) == 20
        assert {place.region for place in used} == set(REGIONS)
        runtimes = {(place.function, place.runtime) for place in used}
        assert len(runtimes) == 20
    assert len(places(PROJECTS)) == 1


def test_occurrences_are_accepted_and_of_as_many_errors_as_are_told() -> None:
    events = [read(each) for each in orjson.loads(next(Sender(Random(1), "shop").batches()))]
    bodies = [body_of(event) for event in events]
    assert 4_500 < sum(len(orjson.dumps(body)) for body in bodies) / len(bodies) < 6_500
    assert len({group(body).signature for body in bodies}) == ERRORS
    assert len({event.event_id for event in events}) == len(events)


def test_times_have_a_median_and_a_p95() -> None:
    times = Times([float(number) for number in range(100, 0, -1)])
    assert (times.median_ms, times.p95_ms) == (50.5, 96.0)
