"""The same events in a database of their own, where nothing is killed: what must be stored."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import asyncpg
from sqlalchemy import Table
from sqlalchemy.engine import make_url

from access.viewers import Role, Viewer
from gateway.config import migrations
from ingest.events import EventStatus
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.error_groups.tables import (
    error_days,
    error_hours,
    errors,
    facets,
    fingerprints,
    releases,
)
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Append, Entity, Fact
from tests.ingest.stories import Event

NAME = "undisturbed"
BATCH = 1_000
# Ids, and numbers in the order of arrival.
_NOT_COMPARED = ("project_id", "series_id", "revision", "sampled_on", "sampled_of")
_ADMIN = Viewer("chaos", frozenset({Role.ADMIN}), frozenset())


async def replay(url: str, events: Sequence[Event]) -> str:
    """Records events in order in a new database beside that of `url`; returns its address."""
    server = await asyncpg.connect(url)
    await server.execute(f"create database {NAME}")
    await server.close()
    address = make_url(url).set(database=NAME).render_as_string(hide_password=False)
    await asyncio.to_thread(migrations.upgrade, address)
    database = await Database.open(address)
    intake = Intake(database, Dictionaries(database), _now)
    await intake.start()
    for start in range(0, len(events), BATCH):
        results = await intake.record(events[start : start + BATCH], _ADMIN)
        assert {each.status for each in results} <= {EventStatus.ACCEPTED}, results
    await intake.stop()
    await database.close()
    return address


def _now() -> datetime:
    return datetime.now(UTC)


async def stored(connection: asyncpg.Connection, fact: Fact, table: Table) -> Counter[str]:
    """All rows of a fact's table that belong to the senders' projects, as text without ids that
    depend on the order of events."""
    rows = await connection.fetch(_rows(fact, table))
    return Counter(row[0] for row in rows)


def tables(fact: Fact) -> Iterator[Table]:
    """The tables of events; of an entity, of states; and of errors, what is counted of them."""
    yield fact.events
    if isinstance(fact, Entity):
        yield fact.table
    if fact is ERROR_OCCURRENCES:
        yield from (errors, fingerprints, error_hours, error_days, facets, releases)


def _rows(fact: Fact, table: Table) -> str:
    names, joins = "", ""
    if "series_id" in table.columns:
        labels = ", ".join(
            f"'series_{each}', (select {each.label} from {each.dictionary.name} as known"
            f" where known.{each.column} = series.{each.column})"
            for each in fact.dimensions
        )
        names = f" || jsonb_build_object({labels})"
        joins = f" left join {fact.series.name} as series using (project_id, series_id)"
    return (
        "select slug || ' ' ||"
        f" (to_jsonb(row) - '{{{','.join(_NOT_COMPARED)}}}'::text[]{names})"
        f" from {table.name} as row join projects using (project_id){joins}"
        " where slug like 'project-%'"
    )


async def running(connection: asyncpg.Connection, fact: Append, since: datetime) -> set[str]:
    """What has started since a time, and has not ended."""
    assert fact.running is not None
    rows = await connection.fetch(
        f"select slug || ' ' || pair_id from {fact.running.name} join projects using (project_id)"
        " where started and not ended and at > $1 and slug like 'project-%'",
        since,
    )
    return {row[0] for row in rows}
