"""Errors of a range are found by one pass over the counts, and are those that occurred in it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access.scopes import Scope
from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import ENVIRONMENT
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.keeping.partitions import ensure_for
from storage.queries.errors.counts import Counting
from storage.queries.errors.listing import IN_RANGE, Selection, listing, shape_of
from storage.queries.paging import PageRequest
from storage.queries.scoping import size_of
from tests.servers import Databases
from tests.storage.test_indexes import nodes

NOW = datetime(2026, 11, 20, 15, 17, tzinfo=UTC)
LARGE, OTHERS, PER_PROJECT = 2_000, 100, 20
OCCURRENCES = 12_000
ENVIRONMENTS = ((ENVIRONMENT, (3,)),)
SPANS = {
    "week": (NOW - timedelta(days=9, hours=3, minutes=17), NOW - timedelta(days=2, minutes=41)),
    "minutes": (NOW - timedelta(days=4, minutes=47), NOW - timedelta(days=4, minutes=11)),
}
_PROJECT = f"case when n < {LARGE} then 1 else 2 + n % {OTHERS} end as project_id"
_FILL = (
    "insert into error_occurrence_series"
    " (project_id, series_id, error_type_id, severity_id, environment_id, network_id, template_id)"
    f" select project_id, series_id, series_id, 2, 2 + series_id % 2, 1, 1"
    f" from generate_series(1, {1 + OTHERS}) as project_id, generate_series(2, 7) as series_id",
    "insert into error_occurrences (project_id, occurred_at, event_id, series_id, fingerprint_id)"
    " select project_id, at, md5('o' || number)::uuid, 2 + number % 6, md5(n::text)::uuid"
    f" from generate_series(1, {OCCURRENCES}) as number,"
    f" lateral (select (number * 7919) % {LARGE + OTHERS * PER_PROJECT} as n,"
    f" $1::timestamptz - number * interval '12 days' / {OCCURRENCES} as at) as told,"
    f" lateral (select {_PROJECT}) as of",
    "insert into error_fingerprints (project_id, fingerprint_id, error_id, signature, grouping,"
    " title, severity, first_at, first_event_id, last_at, last_event_id, occurrences)"
    " select project_id, fingerprint_id, fingerprint_id, fingerprint_id, '{}', 'x', 2,"
    " min(occurred_at), fingerprint_id, max(occurred_at), fingerprint_id, count(*)"
    " from error_occurrences group by project_id, fingerprint_id",
    "insert into errors (project_id, error_id, title, severity, first_at, first_event_id, last_at,"
    " last_event_id, occurrences) select project_id, error_id, title, severity, first_at,"
    " first_event_id, last_at, last_event_id, occurrences from error_fingerprints",
    *(
        f"insert into error_{unit}s (project_id, fingerprint_id, bucket, series_id, occurrences)"
        f" select project_id, fingerprint_id, date_trunc('{unit}', occurred_at, 'UTC'), series_id,"
        " count(*) from error_occurrences group by 1, 2, 3, 4"
        for unit in ("hour", "day")
    ),
)


class Explaining(Database):
    """Keeps the generic plan of each read, by which it runs."""

    plan: dict[str, Any]

    async def _read(self, query: SqlQuery, arguments: list[Any]) -> list[Any]:
        async with self.connection() as connection:
            await connection.execute(f"prepare wanted as {query.text}")
            values = ", ".join(map(_literal, arguments))
            text = f"explain (analyze, format json) execute wanted({values})"
            try:
                (self.plan,) = await connection.fetchval(text)
            finally:
                await connection.execute("deallocate wanted")
        return await super()._read(query, arguments)

    def most_rows(self) -> float:
        """The rows of the node that returned most, in all its loops."""
        return max(
            float(node["Actual Rows"] * node["Actual Loops"]) for node in nodes(self.plan["Plan"])
        )


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return "'{" + ",".join(f'"{each}"' for each in value) + "}'"
    return "null" if value is None else f"'{value}'"


@pytest.fixture(scope="module")
def filled_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def database(filled_url: str) -> AsyncIterator[Explaining]:
    """One project with half of the errors, and a hundred that share the others."""
    database = await Explaining.open(filled_url)
    async with database.connection() as connection:
        days = [NOW - timedelta(days=days) for days in range(14)]
        await ensure_for(connection, ERROR_OCCURRENCES, days, NOW)
        for statement in _FILL:
            await connection.execute(statement, *([NOW] if "$1" in statement else []))
        await connection.execute("analyze")
    yield database
    await database.close()


@pytest.mark.parametrize("ids", [(), ENVIRONMENTS], ids=["all", "some"])
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("order", ["last_at", IN_RANGE])
@pytest.mark.parametrize("scope", [Scope((1,)), Scope(None)], ids=["project", "everything"])
async def test_errors_of_a_range(
    database: Explaining, scope: Scope, order: str, span: str, ids: Any
) -> None:
    selection = Selection(ids, counting=Counting(SPANS[span], ids))
    errors = listing(shape_of(size_of(scope), selection, order, descending=True))
    page = await errors.find(
        database, scope, (), PageRequest(OCCURRENCES), **selection.parameters()
    )
    # Each row is read a few times, not once for each error.
    assert database.most_rows() < 5 * OCCURRENCES
    counts = await counted(database, scope, SPANS[span], bool(ids))
    assert {row["error_id"] for row in page.rows} == counts.keys()
    assert counts
    if order == IN_RANGE:
        assert {row["error_id"]: row[IN_RANGE] for row in page.rows} == counts
    assert [row[order] for row in page.rows] == sorted(
        (row[order] for row in page.rows), reverse=True
    )


async def counted(
    database: Database, scope: Scope, span: tuple[datetime, datetime], some: bool
) -> Counter[Any]:
    """The occurrences of each error in a range, row by row."""
    async with database.connection() as connection:
        rows = await connection.fetch("select * from error_occurrences")
    return Counter(
        row["fingerprint_id"]
        for row in rows
        if span[0] <= row["occurred_at"] < span[1]
        and row["project_id"] in scope
        and (not some or row["series_id"] % 2 == 1)
    )
