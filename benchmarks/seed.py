"""Seeds a database with rows that are distributed like those of a platform.

The figures are invented, so they are good for measuring speed only.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from benchmarks.population import (
    DAYS,
    ENVIRONMENTS,
    FRAMEWORKS,
    FUNCTIONS,
    NETWORKS,
    PROJECTS,
    REGIONS,
    RUNTIMES,
    TEMPLATES,
    pairs,
    places,
    thresholds,
)
from benchmarks.seed_statements import DEPLOYMENTS, INVOCATIONS
from storage.dimensions import ENVIRONMENT, FRAMEWORK, FUNCTION, REGION, RUNTIME, Dimension
from storage.facts import FACTS
from storage.facts.fact import Fact, Floors
from storage.keeping.partitions import ensure_ahead, ensure_for
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import rebuild_day

_STATEMENT_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Seeding:
    """The seeding of a fact: the names of a project's series, and the statements that draw rows.

    The first statement takes the newest time, the number of rows, the thresholds of projects and
    the length of time; the others fill what follows from its rows.
    """

    fact: Fact
    series: Callable[[int], Iterable[tuple[str, ...]]]
    statements: Sequence[str]


def _deployed(rank: int) -> Iterable[tuple[str, ...]]:
    """Each pair is deployed to all environments."""
    for pair in pairs(rank):
        for environment in ENVIRONMENTS:
            yield environment, pair.network, pair.template, pair.framework


def _invoked(rank: int) -> Iterable[tuple[str, ...]]:
    """Each function runs in all environments."""
    for place in places(rank):
        for environment in ENVIRONMENTS:
            yield place.function, environment, place.runtime, place.region


SEEDINGS = {
    each.fact.name: each
    for each in (
        Seeding(FACTS["deployment"], _deployed, DEPLOYMENTS),
        Seeding(FACTS["invocation"], _invoked, INVOCATIONS),
    )
}

# A project's number is its rank. The first two networks come with the migrations.
_PROVISIONED = f"""
insert into projects (slug, name)
select 'project-' || n, 'Project ' || n from generate_series(1, {PROJECTS}) as n;
insert into templates (slug, name)
select 'template-' || n, 'Template ' || n from generate_series(1, {TEMPLATES}) as n;
"""
_NETWORKS = """
insert into networks (name, title) select name, name from unnest($1::text[]) as given(name)
on conflict (name) do nothing
"""
_INTERNED: Mapping[Dimension, Sequence[str]] = {
    ENVIRONMENT: ENVIRONMENTS,
    FRAMEWORK: FRAMEWORKS,
    FUNCTION: [f"function-{number}" for number in range(1, FUNCTIONS + 1)],
    RUNTIME: RUNTIMES,
    REGION: REGIONS,
}


async def seed(url: str, rows: Mapping[str, int], now: datetime, days: int = DAYS) -> float:
    """Fills an empty, migrated database with so many rows of each fact, from the last `days`;
    returns the seconds it took."""
    began = time.perf_counter()
    connection = await asyncpg.connect(url, server_settings={"jit": "off"}, timeout=30)
    first = now - timedelta(days=days + 1)
    await ensure_ahead(connection, now)
    for fact in FACTS.values():
        every_day = [first + timedelta(days=n) for n in range(days + 2)]
        await ensure_for(connection, fact, every_day, now)
    await _name(connection)
    await connection.execute("select setseed(0.42)")
    newest, span = now - timedelta(hours=1), timedelta(days=days)
    for name, number in rows.items():
        seeding = SEEDINGS[name]
        await _admit(connection, seeding)
        draw, *others = seeding.statements
        arguments = (newest, number, thresholds(), span)
        await connection.execute(draw, *arguments, timeout=_STATEMENT_SECONDS)
        for statement in others:
            await connection.execute(statement, timeout=_STATEMENT_SECONDS)
        await _roll_up(connection, seeding.fact, first, now)
    await connection.execute("vacuum analyze", timeout=_STATEMENT_SECONDS)
    await connection.close()
    return time.perf_counter() - began


async def _name(connection: asyncpg.Connection) -> None:
    """Fills the dictionaries."""
    await connection.execute(_PROVISIONED)
    await connection.execute(_NETWORKS, NETWORKS)
    for dimension, names in _INTERNED.items():
        await connection.execute(
            f"insert into {dimension.dictionary.name} ({dimension.label})"
            " select unnest($1::text[])",
            names,
        )


async def _admit(connection: asyncpg.Connection, seeding: Seeding) -> None:
    """Inserts the series that each project uses."""
    rows = [(rank, *names) for rank in range(1, PROJECTS + 1) for names in seeding.series(rank)]
    await connection.execute(_series(seeding.fact), *zip(*rows, strict=True))
    await connection.execute("analyze")


def _series(fact: Fact) -> str:
    """SQL that inserts series by names. Series 1 counts what exceeds a project's limit."""
    columns = ", ".join(fact.series_columns)
    names = ", ".join(dimension.name for dimension in fact.dimensions)
    arrays = ", ".join(f"${number}::text[]" for number in range(2, len(fact.dimensions) + 2))
    joins = "\n".join(
        f"join {dimension.plural} on {dimension.names} = given.{dimension.name}"
        for dimension in fact.dimensions
    )
    return (
        f"insert into {fact.series.name} (project_id, series_id, {columns})\n"
        "select project_id, row_number() over (partition by project_id order by position) + 1,\n"
        f"  {columns}\n"
        f"from unnest($1::bigint[], {arrays}) with ordinality"
        f" as given(project_id, {names}, position)\n{joins}"
    )


async def _roll_up(
    connection: asyncpg.Connection, fact: Fact, first: datetime, now: datetime
) -> None:
    """Builds the roll-ups as a repair does; minutes only for their retention."""
    floors = Floors(DEFAULT.floors(now).minute, None, None)
    day = first.astimezone(UTC).date()
    while day <= now.date() + timedelta(days=1):
        await rebuild_day(connection, fact, day, floors)
        day += timedelta(days=1)
