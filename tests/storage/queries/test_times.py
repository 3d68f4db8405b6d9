"""Times of lists: Postgres writes them as the DateTime scalar does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ARRAY, DateTime, bindparam, column, func, select

from schema.scalars import write_date_time
from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.queries.times import as_text, parse_time

TIME = DateTime(timezone=True)


def query() -> SqlQuery:
    times = func.unnest(bindparam("times", type_=ARRAY(TIME), required=True))
    source = times.table_valued(column("at", TIME), name="given").render_derived()
    return SqlQuery("as_text", select(*as_text(source.c)))


ordinary = st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1 < at.year < 9999)


@given(st.lists(ordinary, min_size=1, max_size=50))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
async def test_postgres_writes_what_the_scalar_writes(
    database: Database, times: list[datetime]
) -> None:
    times += [at.replace(microsecond=0) for at in times]
    times += [at.replace(microsecond=at.microsecond // 1000 * 1000) for at in times]
    rows = await database.fetch(query(), times=times)
    assert [row["at"] for row in rows] == list(map(write_date_time, times))
    assert [parse_time(row["at"]) for row in rows] == times


@pytest.mark.parametrize("style", ["German, DMY", "SQL, MDY", "Postgres"])
async def test_no_setting_of_a_session_changes_it(database: Database, style: str) -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, 80_000, tzinfo=UTC)
    async with database.connection() as connection:
        await connection.execute(f"set datestyle to {style!r}; set timezone to 'Asia/Kolkata'")
        try:
            as_text = await connection.fetchval(query().text, [at, at + timedelta(hours=1)])
        finally:
            await connection.execute("reset datestyle; reset timezone")
    assert as_text == "2026-03-04T05:06:07.080000Z"
