"""Every fact, whatever the order, the repeats and the writers: rows and roll-ups are right."""

import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors.failures import occurrence_of
from ingest.events import Code, Event, EventStatus
from ingest.intake import Intake
from ingest.twins import content
from ingest.wire import WIRES, event_kind
from ingest.wire.wire import Wire
from storage.connections.database import Database
from storage.facts import FACTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity
from tests.ingest.arrivals import (
    START,
    archived,
    assert_recount_agrees,
    outcomes,
    record_all,
    some_examples,
    states,
)
from tests.ingest.conftest import ADMIN
from tests.ingest.oracle import expected
from tests.ingest.strategies import (
    every_wire,
    made_up_event,
    made_up_events,
    read,
    shuffled,
    twin_of,
)

PROJECTS = count()
chances = st.randoms(use_true_random=False)


def some_events(wires: Sequence[Wire], chance: random.Random, project: str) -> list[dict[str, Any]]:
    return made_up_events(wires, chance, 30, project=project, start=START, subjects=4)


def test_every_fact_has_its_events() -> None:
    assert WIRES.keys() == FACTS.keys()


@every_wire
def test_every_name_and_column_is_filled_by_one_field(wire: Wire) -> None:
    fact = wire.fact
    derived = ("fingerprint_id", "user_key")  # what is made of the content of an error's event
    given = (name for name in fact.columns if name not in derived)
    wanted = [*(dimension.name for dimension in fact.dimensions), *given]
    filled = [field.filled for field in wire.fields]
    assert [name for name in wanted if filled.count(name) != 1] == []
    assert len(set(filled)) == len(filled)


@every_wire
def test_every_spelling_of_a_type_is_read(wire: Wire) -> None:
    for spelling, type_ in wire.prefixed.items():
        assert event_kind(spelling) == event_kind(f" {spelling.upper()}") == (wire, type_)


@every_wire
@given(chances)
def test_a_field_is_read_under_each_of_its_names(wire: Wire, chance: random.Random) -> None:
    event = made_up_event(wire, chance)
    renamed = {chance.choice(wire.named[name].names): value for name, value in event.items()}
    assert read(renamed) == read(event)


@pytest.mark.parametrize(
    "wires", [*([wire] for wire in WIRES.values()), list(WIRES.values())], ids=[*WIRES, "all"]
)
@given(chances)
@some_examples
async def test_any_order_repetition_and_interleaving_gives_the_same_rows_and_totals(
    wires: list[Wire], intakes: list[Intake], database: Database, chance: random.Random
) -> None:
    project = f"exact-{next(PROJECTS)}"
    events = some_events(wires, chance, project)
    for event in events:
        event["id"] = chance.choice([event["id"], f"run-{event['id']}", None])
    arrivals = shuffled(chance, events, repeats=10)
    results = await record_all(intakes, arrivals, chance)
    sent = {(each.fact, each.occurred_at, each.event_id): each for each in map(read, events)}
    assert outcomes(results).count(EventStatus.ACCEPTED) == len(sent)
    assert outcomes(results).count(EventStatus.DUPLICATE) == len(arrivals) - len(sent)
    for wire in wires:
        of_fact = rows_of(wire, list(sent.values()))
        await assert_stored(database, wire, of_fact, project)
        again = await intakes[0].record(await archived(database, wire.fact, project), ADMIN)
        assert outcomes(again) == [EventStatus.DUPLICATE] * len(of_fact)
        assert Code.CONTENT_DIFFERS not in {result.code for result in again}
    await assert_recount_agrees(database, *(wire.fact for wire in wires))


def rows_of(wire: Wire, sent: Sequence[Event]) -> list[Event]:
    """The events that are rows of a fact; a failure with a text is an occurrence too."""
    rows = [each for each in sent if each.fact is wire.fact]
    if wire.fact is ERROR_OCCURRENCES:
        rows += filter(None, map(occurrence_of, sent))
    return rows


async def assert_stored(database: Database, wire: Wire, events: list[Event], project: str) -> None:
    """The archive has these events, and each entity is what they make of it."""
    kept = await archived(database, wire.fact, project)
    assert sorted(each["id"] for each in kept) == sorted(str(each.event_id) for each in events)
    if isinstance(wire.fact, Entity):
        rows = await states(database, wire.fact, project)
        assert rows.keys() == {each.entity for each in events}
        for name, state in rows.items():
            wanted = expected(wire.fact, [each for each in events if each.entity == name])
            assert {column: state[column] for column in wanted} == wanted


@every_wire
@given(chances)
@some_examples
async def test_of_twins_one_counts_and_the_senders_of_others_are_told(
    wire: Wire, intakes: list[Intake], database: Database, chance: random.Random
) -> None:
    project = f"twins-{next(PROJECTS)}"
    events = some_events([wire], chance, project)
    twins = [twin_of(chance.choice(events), each) for each in some_events([wire], chance, project)]
    if isinstance(wire.fact, Entity):  # whichever comes first
        sent = shuffled(chance, [*events, *twins], repeats=0)
        results = await record_all(intakes, sent, chance)
        counting = greatest(sent)
    else:  # the first
        sent = [*events, *twins]
        results = await record_all(intakes, events, chance)
        results += await record_all(intakes, twins, chance)
        counting = {each["id"]: comparable(each) for each in events}
    assert outcomes(results).count(EventStatus.ACCEPTED) == len(events)
    assert outcomes(results).count(EventStatus.DUPLICATE) == len(twins)
    kept = await archived(database, wire.fact, project)
    assert {each["id"]: comparable(each) for each in kept} == counting
    differ = [comparable(each) != counting[each["id"]] for each in sent]
    counted = [read(each) for each, differs in zip(sent, differ, strict=True) if not differs]
    unique = {each.event_id: each for each in counted}
    await assert_stored(database, wire, list(unique.values()), project)
    again = await intakes[0].record(sent, ADMIN)
    assert outcomes(again) == [EventStatus.DUPLICATE] * len(sent)
    assert [result.code is Code.CONTENT_DIFFERS for result in again] == differ
    await assert_recount_agrees(database, wire.fact)


def comparable(raw: dict[str, Any]) -> tuple[int, str]:
    """What makes two events with one id differ; where rows do not hold all of it, nothing."""
    event = read(raw)
    return (event.type, "") if event.fact.content.names else content(event)


def greatest(sent: list[dict[str, Any]]) -> dict[str, tuple[int, str]]:
    """The content that counts, by id."""
    contents = defaultdict(list)
    for each in sent:
        contents[each["id"]].append(comparable(each))
    return {key: max(found) for key, found in contents.items()}
