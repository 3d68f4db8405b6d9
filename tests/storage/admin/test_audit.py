"""The audit log's table: pages in both directions, filters by an index, and the oldest go first."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access.scopes import Scope
from storage.admin import audit
from storage.admin.audit import AuditRecord
from storage.queries.conditions import Condition, Operator
from storage.queries.paging import PageRequest
from tests.servers import Databases
from tests.storage.test_indexes import Explaining, assert_reads_little

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ENTRIES = 20_000
EVERYTHING = Scope.everything()
RARE = Condition(("subject",), Operator.EQ, "rare")


@pytest.fixture(scope="module")
def filled_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def filled(filled_url: str) -> AsyncIterator[Explaining]:
    """Many entries of one moment each ten, and a few of somebody rare at the very beginning."""
    database = await Explaining.open(filled_url)
    async with database.connection() as connection:
        for index in range(0, ENTRIES, 1000):
            entries = [
                AuditRecord(subject="rare" if index + number < 5 else "often", action="token.used")
                for number in range(1000)
            ]
            await audit.add(connection, entries, NOW + timedelta(seconds=index))
        await connection.execute("analyze audit_log")
    yield database
    await database.close()


async def test_pages_meet_also_where_many_entries_are_of_one_moment(filled: Explaining) -> None:
    seen: list[int] = []
    request = PageRequest(size=700)
    while True:
        found = await audit.NEWEST.find(filled, EVERYTHING, (), request)
        seen += [row["entry_id"] for row in found.rows]
        if not found.has_next:
            break
        request = PageRequest(size=700, after=_position(found.rows[-1]))
    assert len(seen) == ENTRIES
    assert seen == sorted(seen, reverse=True)


async def test_the_last_page_is_the_oldest(filled: Explaining) -> None:
    found = await audit.NEWEST.find(filled, EVERYTHING, (), PageRequest(size=3, backward=True))
    assert [row["entry_id"] for row in found.rows] == [3, 2, 1]
    assert (found.has_previous, found.has_next) == (True, False)


async def test_newest_entries_come_from_their_index(filled: Explaining) -> None:
    await audit.NEWEST.find(filled, EVERYTHING, (), PageRequest(size=20))
    assert_reads_little(filled, 25, "recorded_at_entry_id")


async def test_entries_of_somebody_rare_come_from_an_index(filled: Explaining) -> None:
    found = await audit.NEWEST.find(filled, EVERYTHING, (RARE,), PageRequest(size=20))
    assert len(found.rows) == 5
    assert_reads_little(filled, 25, "subject_recorded_at")


async def test_count_goes_no_further_than_asked(filled: Explaining) -> None:
    assert await audit.NEWEST.count(filled, EVERYTHING, (), 100) == 100
    assert await audit.NEWEST.count(filled, EVERYTHING, (RARE,), 100) == 5


async def test_entry_goes_with_the_transaction_it_was_made_in(own_database: Any) -> None:
    async def change_and_fail() -> None:
        async with own_database.transaction() as connection:
            await audit.add(connection, [AuditRecord(subject="gone", action="x")], NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_and_fail()
    async with own_database.connection() as connection:
        assert await connection.fetchval("select count(*) from audit_log") == 0


def _position(row: Any) -> tuple[datetime, int]:
    return row["recorded_at"], row["entry_id"]
