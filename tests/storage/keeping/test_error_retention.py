"""Occurrences of errors go after 30 days, their counts with the roll-ups, errors with the last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access.viewers import Role, Viewer
from ingest.intake import Intake
from ingest.normaliser import TimeWindow
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.keeping.retention import enforce
from storage.keeping.windows import Retention

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
ADMIN = Viewer("admin", frozenset({Role.ADMIN}), frozenset())
TABLES = (
    *("errors", "error_fingerprints", "error_facets", "error_hours", "error_days"),
    *("error_bodies", "error_occurrences"),
)


def event(days_ago: float, **fields: Any) -> dict[str, Any]:
    base = {"type": "error.occurred", "project": "shop", "errorType": "ValueError", "release": "1"}
    at = NOW - timedelta(days=days_ago)
    return base | {"id": f"{fields}{days_ago}", "time": at.isoformat()} | fields


@pytest.fixture
async def recorded(own_database: Database) -> Database:
    """Errors of three kinds: of long ago, of long ago and now, and of now."""
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    sent = [
        event(400, errorType="Old"),
        event(400, errorType="Both"),
        event(120, errorType="Both"),
        event(45, errorType="Both"),
        event(1, errorType="Both"),
        event(1, errorType="New"),
    ]
    await intake.record(sent, ADMIN, TimeWindow(None, None))
    await intake.stop()
    return own_database


async def numbers(database: Database) -> dict[str, int]:
    async with database.connection() as connection:
        return {
            table: await connection.fetchval(f"select count(*) from {table}") for table in TABLES
        }


async def test_each_table_is_kept_as_long_as_its_setting_says(recorded: Database) -> None:
    assert await numbers(recorded) == {
        "errors": 3,
        "error_fingerprints": 3,
        "error_facets": 3,
        "error_hours": 6 - 3,  # what is too old as it comes is counted by day alone
        "error_days": 6 - 2,
        "error_bodies": 6,
        "error_occurrences": 6,
    }
    report = await enforce(recorded, Retention(), NOW, holder="a")
    assert report is not None
    assert not report.kept_back
    assert report.deleted["errors"] == 1
    assert await numbers(recorded) == {
        "errors": 2,
        "error_fingerprints": 2,
        "error_facets": 2,
        "error_hours": 3,
        "error_days": 4,
        "error_bodies": 2,
        "error_occurrences": 2,
    }


async def test_counts_follow_their_settings(recorded: Database) -> None:
    await enforce(recorded, Retention(fine_days=30, day_days=100), NOW, holder="a")
    found = await numbers(recorded)
    assert (found["error_hours"], found["error_days"]) == (2, 3)
    async with recorded.connection() as connection:
        titles = await connection.fetch("select title from errors order by title")
    assert [row[0] for row in titles] == ["Both", "New"]


async def test_what_goes_leaves_its_comments_too(recorded: Database) -> None:
    async with recorded.transaction() as connection:
        await connection.execute(
            "insert into error_comments select project_id, error_id, error_id, 'a', 't', now()"
            " from errors"
        )
    await enforce(recorded, Retention(), NOW, holder="a")
    async with recorded.connection() as connection:
        assert await connection.fetchval("select count(*) from error_comments") == 2
