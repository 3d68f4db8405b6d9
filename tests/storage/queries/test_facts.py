"""Lists: they hold the rows of the series that figures count, page by page in any order."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from storage.connections.database import Database
from storage.dimensions import ENVIRONMENT, FUNCTION, NETWORK, OTHER, Dimension
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Append, Fact
from storage.facts.invocations import INVOCATIONS
from storage.keeping.partitions import ensure_for
from storage.queries import facts, scoping
from storage.queries.conditions import Condition, Operator
from storage.queries.facts import Ids, Rows
from storage.queries.paging import PageRequest
from storage.queries.rows import Order, begins, orders, parse_position, position_values, searched
from storage.series import OVERFLOW
from tests.servers import Databases

NOW = datetime.now(UTC)
START = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=20)
ROWS = 240
# Ids of the environment and of the network or function by series. One more series stands for those
# beyond the limit.
SERIES = {2: (2, 2), 3: (2, 3), 4: (3, 2), 5: (0, 3), 6: (1, 2), 7: (3, 1)}
BOTH = [DEPLOYMENTS, INVOCATIONS]
SECOND: dict[Fact, Dimension] = {DEPLOYMENTS: NETWORK, INVOCATIONS: FUNCTION}


# Ids of environments, and of networks or functions; None does not filter.
Chosen = tuple[list[int] | None, list[int] | None]


@dataclass(frozen=True, slots=True)
class Scope:
    project_ids: tuple[int, ...] | None

    def allows(self, row: "Row") -> bool:
        return self.project_ids is None or row.project_id in self.project_ids


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a stored row."""

    project_id: int
    id: UUID
    series_id: int
    at: datetime
    duration_us: int | None
    error: str | None
    status: int

    def has(self, chosen: "Chosen") -> bool:
        own = SERIES.get(self.series_id, (OTHER, OTHER))
        return all(wanted is None or id in wanted for id, wanted in zip(own, chosen, strict=True))


def stored() -> list[Row]:
    """Rows of three projects, of which many are of the same time."""
    numbers = [*SERIES, OVERFLOW]
    return [
        Row(
            project_id=1 + number % 3,
            id=UUID(int=number),
            series_id=numbers[number // 3 % len(numbers)],
            at=START + timedelta(hours=6 * (number // 4)),
            duration_us=None if number % 5 == 0 else number % 11,
            error=None if number % 4 else f"Exit_{number}%",
            status=number % 5,
        )
        for number in range(ROWS)
    ]


ALL = stored()


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def database(url: str) -> AsyncIterator[Database]:
    opened = await Database.open(url)
    async with opened.connection() as connection:
        days = [START + timedelta(days=day) for day in range(21)]
        await ensure_for(connection, INVOCATIONS, days, NOW)
        for slug in ("a", "b", "c"):
            await connection.execute("insert into projects (slug, name) values ($1, $1)", slug)
        for fact in BOTH:
            first = ["environment_id", SECOND[fact].column]
            others = [each for each in fact.series_columns if each not in first]
            names = ", ".join(["project_id", "series_id", *first, *others])
            zeros = ", 0" * len(others)
            for project_id, (series_id, ids) in product((1, 2, 3), SERIES.items()):
                await connection.execute(
                    f"insert into {fact.series.name} ({names}) values ($1, $2, $3, $4{zeros})",
                    project_id, series_id, *ids,
                )  # fmt: skip
        await connection.executemany(
            "insert into deployments (project_id, deployment_id, series_id, created_at, updated_at,"
            " finished_at, duration_us, error, status, state_at)"
            " values ($1, $2, $3, $4, $4, $5, $6, $7, $8, $4)",
            [
                (r.project_id, r.id, r.series_id, r.at, None if r.status == 0 else r.at,
                 r.duration_us, r.error, r.status)
                for r in ALL
            ],
        )  # fmt: skip
        await connection.executemany(
            "insert into invocations (project_id, event_id, series_id, occurred_at, duration_us,"
            " error, failed, cold_start) values ($1, $2, $3, $4, $5, $6, false, false)",
            [(r.project_id, r.id, r.series_id, r.at, r.duration_us, r.error) for r in ALL],
        )
    yield opened
    await opened.close()


def id_of(fact: Fact, row: Any) -> UUID:
    found: UUID = row["event_id" if isinstance(fact, Append) else "deployment_id"]
    return found


async def ids(database: Database, scope: Scope, rows: Rows, size: int = 100) -> list[UUID]:
    """All rows of a list, read page by page."""
    found: list[UUID] = []
    after = None
    while True:
        page = await facts.find(database, scope, rows, PageRequest(size, after))
        found += [id_of(rows.fact, row) for row in page.rows]
        if not page.has_next:
            return found
        values = position_values(rows.fact, rows.order, page.rows[-1])
        after = parse_position(rows.fact, rows.order, values)


def newest(fact: Fact, **more: Any) -> Rows:
    return Rows(fact, Order(begins(fact)), **more)


def of_ids(fact: Fact, chosen: Chosen) -> Ids:
    given = zip((ENVIRONMENT, SECOND[fact]), chosen, strict=True)
    return tuple((dimension, tuple(ids)) for dimension, ids in given if ids is not None)


CHOICES: list[Chosen] = [
    (None, None),
    ([2], None),
    ([OTHER], None),
    ([0, 3], [2, 3]),
    ([OTHER, 2], [OTHER, 2]),
    (None, [OTHER]),
    (None, []),
    ([9], None),
]
SCOPES = [Scope((2,)), Scope((1, 3)), Scope(None)]


@pytest.mark.parametrize("few_projects", [0, 48])
@pytest.mark.parametrize("few_series", [0, 64])
@pytest.mark.parametrize("fact", BOTH, ids=str)
async def test_a_list_holds_the_rows_of_the_series_that_match(
    database: Database,
    fact: Fact,
    few_series: int,
    few_projects: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(facts, "FEW_SERIES", few_series)
    monkeypatch.setattr(scoping, "FEW_PROJECTS", few_projects)
    for chosen, scope in product(CHOICES, SCOPES):
        rows = newest(fact, ids=of_ids(fact, chosen))
        wanted = {row.id for row in ALL if row.has(chosen) and scope.allows(row)}
        found = await ids(database, scope, rows)
        assert len(found) == len(wanted)
        assert set(found) == wanted
        assert await facts.count(database, scope, rows, 10_000) == len(wanted)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("fact", "column"), [(fact, column) for fact in BOTH for column in orders(fact)]
)
async def test_pages_go_on_where_the_last_one_ended(
    database: Database, fact: Fact, column: str, descending: bool
) -> None:
    rows = Rows(fact, Order(column, descending))
    for scope in SCOPES:
        whole = await ids(database, scope, rows, size=ROWS)
        assert await ids(database, scope, rows, size=7) == whole
        assert len(set(whole)) == len(whole) == await facts.count(database, scope, rows, 1_000)
        backward = await facts.find(database, scope, rows, PageRequest(9, backward=True))
        assert [id_of(fact, row) for row in backward.rows] == whole[-9:]


@pytest.mark.parametrize("fact", BOTH, ids=str)
async def test_conditions_and_series_hold_together(database: Database, fact: Fact) -> None:
    end = START + timedelta(days=9)
    at = (begins(fact),)
    conditions = (
        Condition(at, Operator.GTE, START + timedelta(days=3)),
        Condition(at, Operator.LT, end),
        Condition(searched(fact), Operator.CONTAINS, "exit_"),
    )
    chosen: Chosen = (None, [2, OTHER])
    rows = newest(fact, conditions=conditions, ids=of_ids(fact, chosen))
    found = await ids(database, Scope(None), rows)
    wanted = {
        row.id
        for row in ALL
        if row.has(chosen) and row.error and START + timedelta(days=3) <= row.at < end
    }
    assert set(found) == wanted
    assert len(found) == len(wanted) > 3


async def test_names_of_append_rows_are_those_of_their_series(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "insert into environments (environment_id, name) overriding system value"
            " values (2, 'production'), (3, 'staging')"
        )
    page = await facts.find(database, Scope((1,)), newest(INVOCATIONS), PageRequest(90))
    names = {2: "production", 3: "production", 4: "staging", 7: "staging"}
    assert len(page.rows) == ROWS / 3
    for row in page.rows:
        assert row["environment"] == names.get(row["series_id"])


def test_searches_read_texts_but_no_names() -> None:
    names = ("actor", "to_deployment", "release", "commit", "repository", "error", "external_id")
    assert searched(DEPLOYMENTS) == names
    assert searched(INVOCATIONS) == ("error", "external_id")
