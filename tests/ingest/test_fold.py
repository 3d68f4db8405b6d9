"""The fold gives one state for a set of events, however they arrive."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Event
from ingest.fold import State, fold, given_columns, with_status, without
from ingest.times import MAX_DURATION
from ingest.wire.wire import Wire
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Entity
from storage.facts.lifecycle import EventType, Status
from storage.rollups.statements import written_columns
from tests.ingest.oracle import expected
from tests.ingest.strategies import START, every_entity, made_up_events, read, shuffled

EMPTY = State.empty(DEPLOYMENTS, 1, UUID(int=1))
chances = st.randoms(use_true_random=False)


def entity_of(wire: Wire) -> Entity:
    assert isinstance(wire.fact, Entity)
    return wire.fact


def some_events(wire: Wire, chance: random.Random) -> list[Event]:
    return [read(each) for each in made_up_events([wire], chance, 8)]


def folded(entity: Entity, events: list[Event], cuts: list[int]) -> State:
    """Fold in several steps, as separate batches would."""
    state = State.empty(entity, 1, UUID(int=1))
    edges = [0, *sorted(cut % (len(events) + 1) for cut in cuts), len(events)]
    for start, end in pairwise(edges):
        state = fold(entity, state, events[start:end])
    return state


def columns(entity: Entity, state: State) -> dict[str, Any]:
    return dict(zip(written_columns(entity), state.row, strict=True))


def event(kind: EventType, second: int, **values: Any) -> Event:
    raw = {"type": kind.name, "project": "shop", "deployment": "d1"}
    at = START.replace(second=second)
    made = read(raw | values | {"time": at.isoformat(), "id": str(UUID(int=second + 1))})
    return replace(made, external_id=None)


@every_entity
@given(st.lists(st.integers(0, 20), max_size=4), chances)
def test_any_order_repetition_and_batching_gives_the_brute_force_state(
    wire: Wire, cuts: list[int], chance: random.Random
) -> None:
    entity, events = entity_of(wire), some_events(wire, chance)
    state = folded(entity, shuffled(chance, events, repeats=3), cuts)
    found, wanted = columns(entity, state), expected(entity, events)
    assert {name: found[name] for name in wanted} == wanted
    in_order = sorted(events, key=lambda each: (each.occurred_at, each.event_id))
    assert state == folded(entity, in_order, [])


@every_entity
@given(chances)
def test_a_state_is_its_row(wire: Wire, chance: random.Random) -> None:
    entity = entity_of(wire)
    state = folded(entity, some_events(wire, chance), [])
    assert State.of_row(state.row) == state
    found = columns(entity, state)
    given = [found[name] for name in given_columns(entity)]
    assert (given, found["created_at"]) == (list(state.given), state.created_at)
    assert (found["duration_us"], found["series_id"]) == (state.duration_us, None)


@every_entity
@given(chances)
def test_the_values_of_an_event_can_be_removed(wire: Wire, chance: random.Random) -> None:
    entity = entity_of(wire)
    *others, gone = some_events(wire, chance)
    empty = State.empty(entity, 1, UUID(int=1))
    state = without(entity, fold(entity, empty, [*others, gone]), gone.occurred_at, gone.event_id)
    assert fold(entity, state, others) == fold(entity, empty, others)


def state_of(*events: Event) -> State:
    return fold(DEPLOYMENTS, EMPTY, events)


def removed(state: State, gone: Event) -> State:
    return without(DEPLOYMENTS, state, gone.occurred_at, gone.event_id)


def test_a_finish_keeps_its_duration_when_it_is_rolled_back() -> None:
    state = state_of(
        event(EventType.STARTED, 1),
        event(EventType.SUCCEEDED, 11),
        event(EventType.ROLLED_BACK, 30),
    )
    assert state.status == Status.ROLLED_BACK
    assert state.finish_status == Status.SUCCEEDED
    assert state.duration_us == 10_000_000
    assert state.state_at == state.updated_at == START.replace(second=30)


def test_a_rollback_alone_is_no_finish() -> None:
    state = state_of(event(EventType.ROLLED_BACK, 3, durationMs=5))
    assert (state.status, state.finished_at, state.duration_us) == (Status.ROLLED_BACK, None, None)


def test_a_start_after_the_finish_makes_no_duration() -> None:
    state = state_of(event(EventType.FAILED, 3), event(EventType.STARTED, 4))
    assert (state.status, state.duration_us) == (Status.FAILED, None)
    assert state.updated_at == START.replace(second=4)


def test_a_time_from_start_to_end_has_the_limit_of_a_given_duration() -> None:
    started = event(EventType.STARTED, 0)
    finish = event(EventType.SUCCEEDED, 5)
    longest = replace(finish, occurred_at=started.occurred_at + MAX_DURATION)
    longer = replace(finish, occurred_at=longest.occurred_at + timedelta(microseconds=1))
    assert state_of(started, longest).duration_us == MAX_DURATION // timedelta(microseconds=1)
    assert state_of(started, longer).duration_us is None
    assert state_of(started, replace(longer, duration_us=7)).duration_us == 7


def test_taking_a_rollback_away_restores_the_finish() -> None:
    finished = state_of(event(EventType.SUCCEEDED, 5))
    rollback = event(EventType.ROLLED_BACK, 9)
    position = rollback.occurred_at, rollback.event_id
    undone = with_status(DEPLOYMENTS, finished, EventType.ROLLED_BACK, *position)
    assert undone.status == Status.ROLLED_BACK
    assert removed(undone, rollback) == finished
    assert removed(finished, rollback) == finished


def test_values_of_older_events_stay_when_a_newer_event_is_removed() -> None:
    started = event(EventType.STARTED, 1, template="nft")
    finish = event(EventType.FAILED, 9, error="out of gas")
    undone = event(EventType.ROLLED_BACK, 20)
    state = removed(state_of(started, finish, undone), undone)
    found = columns(DEPLOYMENTS, state)
    assert (found["status"], found["error"]) == (Status.FAILED, "out of gas")
    assert found["finished_at"] == found["updated_at"] == finish.occurred_at
    found = columns(DEPLOYMENTS, removed(state, finish))
    assert (found["status"], found["error"]) == (Status.IN_PROGRESS, None)
    assert (found["finished_at"], found["updated_at"]) == (None, started.occurred_at)
    assert (found["created_at"], found["template"]) == (started.occurred_at, "nft")
    queued = state_of(event(EventType.QUEUED, 1), finish)
    assert removed(queued, finish).status == Status.QUEUED
