"""Occurrences of errors go after 30 days, their counts with the roll-ups, errors with the last."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from access.viewers import Role, Viewer
from ingest.intake import Intake
from ingest.normaliser import TimeWindow
from ingest.wire.archiving import archive_lines
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.error_groups import releases
from storage.error_groups.decisions import Decision, decide
from storage.error_groups.merging import merge
from storage.error_groups.tables import ErrorStatus
from storage.keeping.archive import Archive
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


OLD = [
    event(400, errorType="Old"),
    event(400, errorType="Both", fingerprint=["both"]),
    event(120, errorType="Both", fingerprint=["both"]),
    event(45, errorType="Both", fingerprint=["both"], user="u1"),
]
KEPT = [event(1, errorType="Both", fingerprint=["both"], user="u1"), event(1, errorType="New")]


@pytest.fixture
async def recorded(own_database: Database) -> Database:
    """Errors of three kinds: of long ago, of long ago and now, and of now."""
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    await intake.record([*OLD, *KEPT], ADMIN, TimeWindow(None, None))
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


@pytest.mark.parametrize(("into", "left"), [("New", ["Both", "New", "Old"]), ("Old", ["Both"])])
async def test_merged_errors_are_kept_as_long_as_the_one_they_are_part_of(
    recorded: Database, into: str, left: list[str]
) -> None:
    await merge_old_and_new(recorded, into)
    if into == "Old":  # as if the last occurrence were of long ago
        async with recorded.connection() as connection:
            await connection.execute(
                "update errors set last_at = first_at where merged_into is null and title = 'New'"
            )
    await enforce(recorded, Retention(), NOW, holder="a")
    async with recorded.connection() as connection:
        titles = await connection.fetch("select title from errors order by title")
        fingerprints = await connection.fetchval("select count(*) from error_fingerprints")
    assert ([row[0] for row in titles], fingerprints) == (left, len(left))


async def merge_old_and_new(database: Database, into: str) -> None:
    async with database.transaction() as connection:
        rows = await connection.fetch("select project_id, title, error_id from errors")
        ids = {row["title"]: row["error_id"] for row in rows}
        other = {"New": "Old", "Old": "New"}[into]
        assert await merge(connection, rows[0]["project_id"], [ids[other]], ids[into])


@pytest.mark.parametrize("with_bodies", [True, False])
async def test_archived_occurrences_make_the_same_errors_again(
    recorded: Database, tmp_path: Path, with_bodies: bool
) -> None:
    if not with_bodies:
        async with recorded.transaction() as connection:
            await connection.execute("delete from error_bodies")
    archive = Archive(tmp_path, archive_lines)
    await enforce(recorded, Retention(), NOW, holder="a", archive=archive)
    lines = archived(tmp_path)
    assert len(lines) == 4
    before = await errors(recorded)
    async with recorded.transaction() as connection:
        for table in TABLES:
            await connection.execute(f"delete from {table}")
    intake = Intake(recorded, Dictionaries(recorded), lambda: NOW)
    await intake.start()
    await intake.record([*lines, *KEPT], ADMIN, TimeWindow(None, None))
    await intake.stop()
    again = await errors(recorded)
    assert {error: again[error] for error in before} == before
    assert (await numbers(recorded))["errors"] == 3


def archived(folder: Path) -> list[dict[str, Any]]:
    texts = [gzip.decompress(path.read_bytes()) for path in folder.glob("error_*.gz")]
    return [orjson.loads(line) for text in texts for line in text.splitlines()]


async def errors(database: Database) -> dict[Any, tuple[Any, ...]]:
    """What is known of each error."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select error_id, title, occurrences, user_count, first_at, last_at from errors"
        )
    return {row["error_id"]: tuple(row) for row in rows}


async def test_what_goes_leaves_its_comments_too(recorded: Database) -> None:
    async with recorded.transaction() as connection:
        await connection.execute(
            "insert into error_comments select project_id, error_id, error_id, 'a', 't', now()"
            " from errors"
        )
    await enforce(recorded, Retention(), NOW, holder="a")
    async with recorded.connection() as connection:
        assert await connection.fetchval("select count(*) from error_comments") == 2


@pytest.mark.parametrize(
    "use",
    [
        event(0.5, release="oldest"),
        event(0.5, release="oldest", type="log.line", message="still here", errorType=None),
    ],
    ids=lambda use: str(use["type"]),
)
async def test_a_project_keeps_the_releases_that_were_used_last(
    own_database: Database, monkeypatch: pytest.MonkeyPatch, use: dict[str, Any]
) -> None:
    """An error resolved in a release stays so when an old release occurs that is still in use."""
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    deployed = {"type": "deployment.succeeded", "project": "shop", "environment": "production"}
    deployments = [
        deployed
        | {"deployment": name, "release": name, "time": (NOW - timedelta(days=days)).isoformat()}
        for days, name in enumerate(("newest", "newer", "fixed", "unused", "oldest"), start=2)
    ]
    others = [each | {"project": "blog"} for each in deployments]
    failed = event(6, release="oldest")
    await intake.record([*deployments, *others[:2], failed, use], ADMIN, TimeWindow(None, None))
    async with own_database.transaction() as connection:
        (row,) = await connection.fetch("select project_id, error_id from errors")
        resolved = Decision(ErrorStatus.RESOLVED, "fixed")
        await decide(connection, [tuple(row)], resolved, "owner", NOW - timedelta(hours=6))
    monkeypatch.setattr(releases, "RELEASES_AT_MOST", 2)
    report = await enforce(own_database, Retention(), NOW, holder="a")
    assert report is not None
    assert report.deleted["releases"] == 2
    async with own_database.connection() as connection:
        rows = await connection.fetch("select project_id, release from releases")
        kept = {row["release"] for row in rows if row["project_id"] == row_of(rows, "oldest")}
        assert kept == {"newest", "fixed", "oldest"}
        assert len(rows) == len(kept) + 2
    for release, status in (("oldest", ErrorStatus.RESOLVED), ("newest", ErrorStatus.OPEN)):
        await intake.record([event(0.1, release=release)], ADMIN)
        async with own_database.connection() as connection:
            assert await connection.fetchval("select status from errors") == status, release
    await intake.stop()


def row_of(rows: list[Any], release: str) -> int:
    """The project that has a release."""
    (project_id,) = (row["project_id"] for row in rows if row["release"] == release)
    return int(project_id)
