"""The fold gives one state for a set of events, however they arrive."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ingest.events import MAX_DURATION, DeploymentEvent
from ingest.fold import State, fold, with_rollback, without
from storage.facts.deployments import DEPLOYMENTS, EventType, Status
from storage.rollups.statements import written_columns
from tests.ingest.oracle import expected
from tests.ingest.strategies import START, deployment_events

EMPTY = State(1, UUID(int=1))


def folded(events: list[DeploymentEvent], cuts: list[int]) -> State:
    """Fold in several steps, as separate batches would."""
    state = EMPTY
    edges = [0, *sorted(cut % (len(events) + 1) for cut in cuts), len(events)]
    for start, end in pairwise(edges):
        state = fold(state, events[start:end])
    return state


def event(kind: EventType, second: int, **values: object) -> DeploymentEvent:
    at = START.replace(second=second)
    return DeploymentEvent(UUID(int=second + 1), "shop", UUID(int=1), "d1", kind, at, **values)  # type: ignore[arg-type]


def test_the_state_has_the_columns_of_the_table_in_order() -> None:
    assert State._fields == written_columns(DEPLOYMENTS)


@given(
    st.lists(deployment_events(), min_size=1, max_size=8, unique_by=lambda e: e.event_id),
    st.lists(st.integers(0, 20), max_size=4),
    st.randoms(use_true_random=False),
)
def test_any_order_repetition_and_batching_gives_the_brute_force_state(
    events: list[DeploymentEvent], cuts: list[int], chance: random.Random
) -> None:
    arrived = events + chance.choices(events, k=3)
    chance.shuffle(arrived)
    state = folded(arrived, cuts)
    assert {name: getattr(state, name) for name in expected(events)} == expected(events)
    assert state == folded(sorted(events, key=lambda e: (e.occurred_at, e.event_id)), [])


def test_a_finish_keeps_its_duration_when_it_is_rolled_back() -> None:
    state = fold(
        EMPTY,
        [
            event(EventType.STARTED, 1),
            event(EventType.SUCCEEDED, 11),
            event(EventType.ROLLED_BACK, 30),
        ],
    )
    assert state.status == Status.ROLLED_BACK
    assert state.finish_status == Status.SUCCEEDED
    assert state.duration_us == 10_000_000
    assert state.rolled_back_at == START.replace(second=30)


def test_a_rollback_alone_is_no_finish() -> None:
    state = fold(EMPTY, [event(EventType.ROLLED_BACK, 3, duration_us=5)])
    assert (state.status, state.finished_at, state.duration_us) == (Status.ROLLED_BACK, None, None)


def test_a_start_after_the_finish_makes_no_duration() -> None:
    state = fold(EMPTY, [event(EventType.FAILED, 3), event(EventType.STARTED, 4)])
    assert (state.status, state.duration_us) == (Status.FAILED, None)


def test_a_time_from_start_to_end_has_the_limit_of_a_given_duration() -> None:
    started = event(EventType.STARTED, 0)
    finish = event(EventType.SUCCEEDED, 5)
    longest = replace(finish, occurred_at=started.occurred_at + MAX_DURATION)
    longer = replace(finish, occurred_at=longest.occurred_at + timedelta(microseconds=1))
    assert fold(EMPTY, [started, longest]).duration_us == MAX_DURATION // timedelta(microseconds=1)
    assert fold(EMPTY, [started, longer]).duration_us is None
    given = fold(EMPTY, [started, replace(longer, duration_us=7)])
    assert given.duration_us == 7


def test_taking_a_rollback_away_restores_the_finish() -> None:
    finished = fold(EMPTY, [event(EventType.SUCCEEDED, 5)])
    undone = with_rollback(finished, START.replace(second=9), UUID(int=9))
    assert undone.status == Status.ROLLED_BACK
    assert without(undone, START.replace(second=9), UUID(int=9)) == finished
    assert without(finished, START.replace(second=9), UUID(int=9)) == finished


@given(st.lists(deployment_events(), min_size=1, max_size=8, unique_by=lambda e: e.event_id))
def test_the_values_of_an_event_can_be_removed(events: list[DeploymentEvent]) -> None:
    *others, gone = events
    state = without(fold(EMPTY, events), gone.occurred_at, gone.event_id)
    assert fold(state, others) == fold(EMPTY, others)


def test_values_of_older_events_stay_when_a_newer_event_is_removed() -> None:
    started = event(EventType.STARTED, 1, template="nft")
    finish = event(EventType.FAILED, 9, error="out of gas")
    undone = event(EventType.ROLLED_BACK, 20)
    state = fold(EMPTY, [started, finish, undone])
    state = without(state, undone.occurred_at, undone.event_id)
    assert (state.status, state.error, state.finished_at) == (
        Status.FAILED,
        "out of gas",
        finish.occurred_at,
    )
    state = without(state, finish.occurred_at, finish.event_id)
    assert (state.status, state.error, state.finished_at) == (Status.IN_PROGRESS, None, None)
    assert (state.created_at, state.template) == (started.occurred_at, "nft")
    queued = fold(EMPTY, [event(EventType.QUEUED, 1), finish])
    assert without(queued, finish.occurred_at, finish.event_id).status == Status.QUEUED
