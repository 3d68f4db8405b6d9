"""R40 to R43: the lists people open go through an index, whatever the size of the tables."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.error_groups.tables import Facet
from storage.facts.api_calls import API_CALLS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact
from storage.facts.invocations import INVOCATIONS
from storage.facts.log_lines import LOG_LINES
from storage.keeping.partitions import ensure_for
from storage.queries import facts, keyed
from storage.queries.errors.listing import Selection, listing, shape_of
from storage.queries.errors.related import NEWEST_OF_PROJECT, newest_of_facet, related
from storage.queries.facts import Rows
from storage.queries.joins import Reading
from storage.queries.keyed import Newest
from storage.queries.paging import PageRequest
from storage.queries.rows import Order, parse_position, position_values
from storage.queries.scoping import size_of
from tests.servers import Databases

# The end of what is stored: late in a month, so that no partition has only a few rows of one day.
NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
PROJECTS = 20
DEPLOYED = 40_000
NEWEST = Rows(DEPLOYMENTS, Order("created_at"))
NAMES = 40
# Append facts, with the columns that are never null.
CALLS = [
    (INVOCATIONS, "failed, cold_start", "false, false"),
    (API_CALLS, "status", "200"),
    # One line of five names a deployment.
    (
        LOG_LINES,
        "level, deployment_id",
        "3, case when n % 100 < 20 then md5('d' || n % 400)::uuid end",
    ),
]
# Errors of every project: each with a fingerprint, a release, a function and two deployments.
ERRORS = (
    "insert into errors (project_id, error_id, title, severity, first_at, first_event_id, last_at,"
    f" last_event_id, occurrences) select n % {PROJECTS}, id, 'x', 2, at - interval '1 day', id,"
    f" at, id, 1 + n % 100 from generate_series(1, {DEPLOYED}) as n,"
    " lateral (select md5('e' || n)::uuid as id,"
    f" timestamptz '{NOW}' - n * interval '56 days' / {DEPLOYED} as at) as occurred",
    "insert into error_fingerprints (project_id, fingerprint_id, error_id, signature, grouping,"
    " title, severity, first_at, first_event_id, last_at, last_event_id, occurrences)"
    " select project_id, error_id, error_id, error_id, '{}', title, severity, first_at,"
    " first_event_id, last_at, last_event_id, occurrences from errors",
    "insert into error_facets (project_id, fingerprint_id, facet, value, occurrences, first_at,"
    " last_at) select project_id, error_id, facet, value, 1, first_at, last_at"
    " from (select *, row_number() over (partition by project_id order by last_at) as k"
    " from errors) as numbered, lateral (values (1, 'shop@' || k % 50), (2, 'f' || k % 40),"
    " (3, md5('d' || k % 100)::uuid::text), (3, md5('d' || (k + 1) % 100)::uuid::text))"
    " as facet(facet, value)",
)


@dataclass(frozen=True, slots=True)
class Scope:
    project_ids: tuple[int, ...] | None


class Explaining(Database):
    """Runs each read as it is, and keeps the plan it runs by."""

    plan: dict[str, Any]

    async def _read(self, query: SqlQuery, arguments: list[Any]) -> list[Any]:
        async with self.connection() as connection:
            text = f"explain (analyze, format json) {query.text}"
            (self.plan,) = await connection.fetchval(text, *arguments)
        return await super()._read(query, arguments)

    def scans(self) -> list[dict[str, Any]]:
        """Every node of the last plan that read rows of a table."""
        return [
            node for node in nodes(self.plan["Plan"]) if "Relation Name" in node and rows_of(node)
        ]


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def rows_of(node: dict[str, Any]) -> float:
    """How many rows a scan looked at, in all its loops."""
    seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(seen * node["Actual Loops"])


@pytest.fixture(scope="module")
def filled_database_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def database(filled_database_url: str) -> AsyncIterator[Explaining]:
    """Eight weeks of deployments of many projects, with two events each."""
    database = await Explaining.open(filled_database_url)
    async with database.connection() as connection:
        days = [NOW - timedelta(days=days) for days in range(57)]
        for fact in (DEPLOYMENTS, *(fact for fact, _, _ in CALLS)):
            await ensure_for(connection, fact, days, NOW)
    async with database.transaction(timeout_seconds=120) as connection:
        await connection.execute(
            "insert into deployments (project_id, deployment_id, status, created_at, finished_at)"
            f" select n % {PROJECTS}, gen_random_uuid(), 2, at, at + interval '1 minute'"
            f" from generate_series(1, {DEPLOYED}) as n,"
            f" lateral (select timestamptz '{NOW}' - n * interval '56 days' / {DEPLOYED} as at)"
            " as created"
        )
        await connection.execute(
            "insert into deployment_events"
            " (project_id, deployment_id, event_id, occurred_at, type)"
            " select project_id, deployment_id, gen_random_uuid(), at, type from deployments,"
            " lateral (values (created_at, 1), (finished_at, 3)) as event(at, type)"
        )
        for fact, more, values in CALLS:
            first, *others = fact.series_columns
            await connection.execute(
                f"insert into {fact.series.name} (project_id, series_id, {first},"
                f" {', '.join(others)}) select project_id, id, id{', 2' * len(others)}"
                f" from generate_series(0, {PROJECTS - 1}) as project_id,"
                f" generate_series(2, {NAMES + 1}) as id"
            )
            # A few names have most of the calls.
            await connection.execute(
                f"insert into {fact.table.name} (project_id, event_id, occurred_at, series_id,"
                f" {more}) select n % {PROJECTS}, gen_random_uuid(),"
                f" timestamptz '{NOW}' - n * interval '56 days' / {DEPLOYED},"
                f" 1 + ceil({NAMES} * pow(n * 31 % 1000 / 1000.0, 4) + 0.001)::int, {values}"
                f" from generate_series(1, {DEPLOYED}) as n"
            )
        for statement in ERRORS:
            await connection.execute(statement)
    async with database.connection() as connection:
        await connection.execute("analyze")
    yield database
    await database.close()


def position(row: Any) -> tuple[Any, ...]:
    order = NEWEST.order
    return parse_position(DEPLOYMENTS, order, position_values(DEPLOYMENTS, order, row))


def assert_reads_little(database: Explaining, rows: int, *indexes: str) -> None:
    scans = database.scans()
    assert scans
    for scan in scans:
        assert scan["Node Type"] in ("Index Scan", "Index Only Scan"), scan["Node Type"]
        assert any(index in scan["Index Name"] for index in indexes), scan["Index Name"]
    assert sum(map(rows_of, scans)) <= rows


async def test_newest_deployments_of_a_project_come_from_their_index(database: Explaining) -> None:
    scope, request = Scope((7,)), PageRequest(50)
    first = await facts.find(database, scope, NEWEST, request)
    assert len(first.rows) == 50
    assert_reads_little(database, 51, "deployments_newest_idx")
    after = PageRequest(50, after=position(first.rows[-1]))
    second = await facts.find(database, scope, NEWEST, after)
    assert position(second.rows[0]) < position(first.rows[-1])
    assert_reads_little(database, 60, "deployments_newest_idx")


async def test_newest_deployments_of_all_come_from_their_index(database: Explaining) -> None:
    await facts.find(database, Scope(None), NEWEST, PageRequest(50))
    assert_reads_little(database, 51, "deployments_newest_overall_idx")


async def test_newest_deployments_of_several_projects_read_a_page_of_each(
    database: Explaining,
) -> None:
    await facts.find(database, Scope((3, 7, 9)), NEWEST, PageRequest(50))
    assert_reads_little(database, 3 * 51, "deployments_newest_idx")


async def test_deployments_and_their_histories_come_by_key(database: Explaining) -> None:
    page = await facts.find(database, Scope((7,)), NEWEST, PageRequest(50))
    wanted = Newest(DEPLOYMENTS, DEPLOYMENTS.key, 1, Reading(status_events=10))
    keys = [(7, row["deployment_id"]) for row in page.rows]
    found = await keyed.newest(database, Scope((7,)), wanted, keys)
    assert [len(found[key][0]["status_events"]) for key in keys] == [2] * 50
    assert_reads_little(database, 3 * 50, "deployments_pkey", "_project_id_deployment_id_")


def scans_of(database: Explaining, fact: Fact) -> list[dict[str, Any]]:
    """The scans of the partitions of a fact's table."""
    return [scan for scan in database.scans() if f"{fact.table.name}_" in scan["Relation Name"]]


@pytest.mark.parametrize("fact", [fact for fact, _, _ in CALLS], ids=str)
@pytest.mark.parametrize("name", [2, 5, 12])
async def test_newest_calls_of_a_name_come_from_the_index_of_series(
    database: Explaining, fact: Fact, name: int
) -> None:
    """R41, R43: a frequent name, one with some calls, and a rare one."""
    rows = Rows(fact, Order("occurred_at"), ids=((fact.dimensions[0], (name,)),))
    page = await facts.find(database, Scope((7,)), rows, PageRequest(20))
    assert page.rows
    assert {row["series_id"] for row in page.rows} == {name}
    calls = scans_of(database, fact)
    for scan in calls:
        assert "_project_id_series_id_occurred_at_idx" in scan["Index Name"]
    assert sum(map(rows_of, calls)) <= 25  # one more of a partition, perhaps


@pytest.mark.parametrize("fact", [fact for fact, _, _ in CALLS], ids=str)
async def test_newest_calls_of_projects_come_from_their_keys(
    database: Explaining, fact: Fact
) -> None:
    many = tuple(range(2, NAMES + 2))
    for ids in ((), ((fact.dimensions[1], (2,)), (fact.dimensions[0], many))):
        rows = Rows(fact, Order("occurred_at"), ids=ids)
        page = await facts.find(database, Scope((3, 7)), rows, PageRequest(20))
        assert len(page.rows) == 20
        calls = [
            scan for scan in database.scans() if f"{fact.table.name}_" in scan["Relation Name"]
        ]
        assert all("_pkey" in scan["Index Name"] for scan in calls)
        assert sum(map(rows_of, calls)) <= 2 * 21


async def test_newest_errors_of_a_project_come_from_their_index(database: Explaining) -> None:
    """R42: the list, its next page, and the errors among a project's fields."""
    scope, selection = Scope((7,)), Selection()
    errors = listing(shape_of(size_of(scope), selection, "last_at", descending=True))
    first = await errors.find(database, scope, (), PageRequest(50), **selection.parameters())
    assert len(first.rows) == 50
    assert_reads_little(database, 51, "errors_last_idx")
    last = first.rows[-1]
    after = PageRequest(50, after=(last["last_at"], last["project_id"], last["error_id"]))
    second = await errors.find(database, scope, (), after, **selection.parameters())
    assert second.rows[0]["last_at"] < last["last_at"]
    assert_reads_little(database, 60, "errors_last_idx")
    several = listing(shape_of(size_of(Scope((3, 7))), selection, "last_at", descending=True))
    await several.find(database, Scope((3, 7)), (), PageRequest(50), **selection.parameters())
    assert_reads_little(database, 2 * 51, "errors_last_idx")
    found = await related(database, scope, NEWEST_OF_PROJECT, 50, [(7,)])
    assert [row["error_id"] for row in found[7,]] == [row["error_id"] for row in first.rows]
    assert_reads_little(database, 51, "errors_last_idx")


async def deployment_of(database: Explaining, number: int) -> UUID:
    async with database.connection() as connection:
        found: UUID = await connection.fetchval("select md5('d' || $1::int)::uuid", number)
    return found


async def test_errors_of_a_deployment_come_by_its_id(database: Explaining) -> None:
    scope, deployment = Scope((7,)), str(await deployment_of(database, 7))
    key = (7, deployment)
    found = await related(database, scope, newest_of_facet(Facet.DEPLOYMENT), 20, [key])
    assert len(found[key]) == 20
    indexes = ("error_facets_value_idx", "error_fingerprints_pkey", "errors_pkey")
    assert_reads_little(database, 3 * 40, *indexes)
    selection = Selection(facets={Facet.DEPLOYMENT: (deployment,)})
    errors = listing(shape_of(size_of(scope), selection, "last_at", descending=True))
    page = await errors.find(database, scope, (), PageRequest(20), **selection.parameters())
    assert [row["error_id"] for row in page.rows] == [row["error_id"] for row in found[key]]
    assert_reads_little(database, 3 * 40, *indexes)


async def test_newest_lines_of_a_deployment_come_from_their_index(database: Explaining) -> None:
    key = (7, await deployment_of(database, 7))
    wanted = Newest(LOG_LINES, ("project_id", "deployment_id"), 20)
    found = await keyed.newest(database, Scope((7,)), wanted, [key])
    assert len(found[key]) == 20
    lines = scans_of(database, LOG_LINES)
    for scan in lines:
        assert "_project_id_deployment_id_occurred_at_idx" in scan["Index Name"]
    assert sum(map(rows_of, lines)) <= 25  # one more of a partition, perhaps
    # Where those of others follow in the index, they are not taken for its own.
    assert await keyed.newest(database, Scope((7,)), wanted, [(7, UUID(int=0))]) == {}
