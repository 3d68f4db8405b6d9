"""Retention: rows older than their window are checked, archived if configured, and deleted."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from storage.admin.audit import audit_log
from storage.alerts.keeping import expired
from storage.connections.database import Database
from storage.error_groups.forgetting import BATCH, forget
from storage.error_groups.releases import trim
from storage.error_groups.tables import error_days, error_hours
from storage.facts import FACTS
from storage.facts.fact import Append, Entity, EventKeep, Fact, Floors, Keep, Reach
from storage.facts.services import service_events
from storage.feed.counters import changes
from storage.keeping.archive import Archive, write_events
from storage.keeping.leases import Hold, held
from storage.keeping.partitions import (
    Partition,
    Partitioned,
    can_recount,
    detach,
    detached,
    drop,
    ensure_ahead,
    listing,
    partitioned_tables,
    remember_dropped,
)
from storage.keeping.windows import Retention
from storage.log_lines.tables import log_days
from storage.queries.rows import expiries
from storage.rollups.repair import rebuild_day, recount_day
from storage.rollups.tables import grain_table, numbers, presence_table
from storage.running import GIVEN_UP_AFTER

LEASE = "retention"
LEASE_SECONDS = 900
_BATCH = 5000
_FEED_KEPT = timedelta(hours=24)
# Recounting, rebuilding and archiving read many rows, unlike the statements of a request.
_LONG_SECONDS = 600
# Plan for the given values, and never read a whole table to find the rows to delete.
_ALONG_THE_KEY = """
set local plan_cache_mode = force_custom_plan; set local enable_seqscan = off;
set local enable_hashjoin = off; set local enable_mergejoin = off
"""
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_IN_DAY = "bucket >= $1 and bucket < $2"
_PROJECTS = "select project_id from projects order by project_id"
_PROJECTS_AT_ONCE = 100


@dataclass(slots=True)
class Report:
    """The results of a run."""

    partitions_created: int = 0
    dropped: list[str] = field(default_factory=list)  # partitions
    archived: list[Path] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)  # fact and day
    kept_back: list[str] = field(default_factory=list)  # fact and day whose roll-ups stay wrong
    deleted: dict[str, int] = field(default_factory=dict)  # rows by table

    def count(self, table: str, rows: int) -> None:
        """Note rows that were deleted from a table."""
        if rows:
            self.deleted[table] = self.deleted.get(table, 0) + rows


@dataclass(frozen=True, slots=True)
class _RetentionRun:
    database: Database
    retention: Retention
    now: datetime
    hold: Hold
    report: Report

    @property
    def floors(self) -> Floors:
        return self.retention.floors(self.now)


async def enforce(
    database: Database,
    retention: Retention,
    now: datetime,
    *,
    holder: str,
    archive: Archive | None = None,
) -> Report | None:
    """Create coming partitions and delete old rows; None while another worker does this."""
    async with held(database, LEASE, holder, LEASE_SECONDS) as hold:
        if hold is None:
            return None
        run = _RetentionRun(database, retention, now, hold, Report())
        await _enforce(run, archive)
        return run.report


async def _enforce(run: _RetentionRun, archive: Archive | None) -> None:
    now = run.now
    async with run.database.connection() as connection:
        run.report.partitions_created = await ensure_ahead(connection, now, run.retention)
    for fact in FACTS.values():
        await _delete_minutes(run, fact)
        await _delete_rollups(run, fact, Keep.FINE)
        await _delete_rollups(run, fact, Keep.DAY)
        if isinstance(fact, Entity):
            await _delete_entities(run, fact)
        elif isinstance(fact, Append) and fact.running is not None:
            await _delete_before(run, fact.running, "at", now - GIVEN_UP_AFTER)
        for table in partitioned_tables(fact):
            await _drop_partitions(run, fact, table, archive)
    await _delete_errors(run)
    # An archive that is sent again after its lines are gone finds the budgets of its days unused.
    logs_floor = run.retention.events_floor(now, EventKeep.LOGS)
    await _delete_before(run, log_days, "day", logs_floor)
    # Service events stay as long as deployments: a rollback may undo one of long ago.
    await _delete_before(run, service_events, "occurred_at", run.floors.day)
    await _delete_before(run, changes, "recorded_at", now - _FEED_KEPT)
    await _delete_before(run, audit_log, "recorded_at", run.retention.audit_floor(now))
    for expiring, condition, floor in expired(now, run.retention.audit_floor(now)):
        await _delete_in_batches(run, expiring, condition, floor)


async def _past(run: _RetentionRun, fact: Fact, table: Partitioned) -> list[Partition]:
    """The partitions that lie wholly before the table's floor.

    What is kept beside events stays until they are gone, also where they are kept back: events
    are archived with it.
    """
    keep = table.keep
    floor = run.floors.of(keep) if keep else run.retention.events_floor(run.now, fact.kept)
    if floor is None:
        return []
    async with run.database.connection() as connection:
        partitions = await listing(connection, table.table)
        if table.table in fact.content.tables:
            events = await listing(connection, fact.events.name)
            floor = min([floor, *(partition.start for partition in events)])
    return [partition for partition in partitions if partition.end <= floor]


async def _delete_minutes(run: _RetentionRun, fact: Fact) -> None:
    """Delete the minutes of a fact that has no partitions of them."""
    floor, grain = run.floors.minute, fact.grain(Reach.PROJECT, Keep.MINUTE)
    if floor is not None and grain.partition is None:
        await _delete_between(run, fact, Keep.MINUTE, (_BEGINNING, floor))


async def _delete_rollups(run: _RetentionRun, fact: Fact, keep: Keep) -> None:
    """Delete day by day from the oldest, each after its day table equals a recount.

    A day is found by its platform rows, so they are deleted last.
    """
    floor, done = run.floors.of(keep), _BEGINNING
    while floor is not None:
        async with run.database.connection() as connection:
            first = await connection.fetchval(_oldest(fact, keep), done)
        if first is None or first >= floor:
            return
        day = first.astimezone(UTC).date()
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        if keep is Keep.DAY or await _day_agrees(run, fact, day):
            await _delete_between(run, fact, keep, (done, end))
        done = end


def _oldest(fact: Fact, keep: Keep) -> str:
    """SQL for the first bucket at or after a time that has platform rows."""
    table = _tables(fact, keep, Reach.PLATFORM)[0].name
    return f"select min(bucket) from {table} where cell = {fact.cell(()).number} and bucket >= $1"


async def _delete_between(
    run: _RetentionRun, fact: Fact, keep: Keep, span: tuple[datetime, datetime]
) -> None:
    cells = f"cell in ({numbers(fact.cells)}) and {_IN_DAY}"
    for table in _tables(fact, keep, Reach.PROJECT):
        for batch in await _project_batches(run):
            await _delete_in_batches(run, table, f"project_id = any($3) and {cells}", *span, batch)
    for presence in fact.presences:
        if presence.keep is keep:
            await _delete_in_batches(run, presence_table(fact, presence), _IN_DAY, *span)
    for table in _tables(fact, keep, Reach.PLATFORM):
        await _delete_in_batches(run, table, cells, *span)


async def _project_batches(run: _RetentionRun) -> list[list[int]]:
    async with run.database.connection() as connection:
        projects = [row[0] for row in await connection.fetch(_PROJECTS)]
    starts = range(0, len(projects), _PROJECTS_AT_ONCE)
    return [projects[first : first + _PROJECTS_AT_ONCE] for first in starts]


def _tables(fact: Fact, keep: Keep, reach: Reach) -> list[Table]:
    return [grain_table(fact, g) for g in fact.grains if g.keep is keep and g.reach is reach]


async def _day_agrees(run: _RetentionRun, fact: Fact, day: date) -> bool:
    """Whether the day table equals a recount, if need be after a repair; reports both."""
    await run.hold.renew()
    floors = Floors(minute=run.now, fine=run.now, day=run.floors.day)
    async with run.database.transaction(timeout_seconds=_LONG_SECONDS) as connection:
        if not await can_recount(connection, fact, day):
            return True  # nothing is left to compare with
        if not await recount_day(connection, fact, day, floors):
            return True
    async with run.database.transaction(timeout_seconds=_LONG_SECONDS) as connection:
        await rebuild_day(connection, fact, day, floors)
        run.report.repaired.append(f"{fact.name} {day}")
        if not await recount_day(connection, fact, day, floors):
            return True
    run.report.kept_back.append(f"{fact.name} {day}")
    return False


async def _delete_entities(run: _RetentionRun, fact: Entity) -> None:
    """Delete the rows that no remaining roll-up counts; none before it has expired for as long."""
    floor = run.floors.day
    if floor is not None:
        clocks = list(fact.clocks.values())
        times = [*clocks, *expiries(fact)]
        past = " and ".join(f"coalesce({name}, {clocks[0]}) < $1" for name in times)
        await _delete_in_batches(run, fact.table, f"{clocks[0]} < $1 and {past}", floor)


async def _delete_errors(run: _RetentionRun) -> None:
    """Delete the counts of errors like roll-ups, errors without counts, and too many releases."""
    projects = await _project_batches(run)
    for table, floor in ((error_hours, run.floors.fine), (error_days, run.floors.day)):
        for batch in projects if floor else ():
            await _delete_in_batches(
                run, table, "project_id = any($2) and bucket < $1", floor, batch
            )
    for batch in projects:
        await run.hold.renew()
        async with run.database.transaction(timeout_seconds=_LONG_SECONDS) as connection:
            run.report.count("releases", await trim(connection, batch))
    if (floor := run.floors.day) is None:
        return
    for batch in projects:
        deleted = {"errors": BATCH}
        while deleted["errors"] >= BATCH:
            await run.hold.renew()
            async with run.database.transaction() as connection:
                deleted = await forget(connection, batch, floor)
            for name, rows in deleted.items():
                run.report.count(name, rows)


async def _delete_before(
    run: _RetentionRun, table: Table, column: str, floor: datetime | None
) -> None:
    if floor is not None:
        await _delete_in_batches(run, table, f"{column} < $1", floor)


async def _delete_in_batches(
    run: _RetentionRun, table: Table, condition: str, *arguments: Any
) -> None:
    """Delete in batches, each in its own transaction, so that no lock is held for long.

    Rows are named by key, not by ctid, so that this works on a distributed table too.
    """
    key = ", ".join(column.name for column in table.primary_key)
    statement = (
        f"delete from {table.name} where ({key}) in"
        f" (select {key} from {table.name} where {condition} limit {_BATCH})"
    )
    deleted = _BATCH
    while deleted == _BATCH:
        await run.hold.renew()
        async with run.database.transaction() as connection:
            await connection.execute(_ALONG_THE_KEY)
            status = await connection.execute(statement, *arguments)
        deleted = int(status.rsplit(maxsplit=1)[-1])
        run.report.count(table.name, deleted)


async def _drop_partitions(
    run: _RetentionRun, fact: Fact, table: Partitioned, archive: Archive | None
) -> None:
    """Detach, archive and drop: a detached partition's rows no longer change in between."""
    for partition in await _past(run, fact, table):
        await run.hold.renew()
        if table.holds_events and isinstance(fact, Append):
            if not await _days_agree(run, fact, partition):
                break  # to drop a later one would say that this one's rows are gone
            async with run.database.connection() as connection:
                await remember_dropped(connection, fact, partition.end)
        async with run.database.connection() as connection:
            await detach(connection, partition)
    async with run.database.connection() as connection:
        names = await detached(connection, table.table)  # also those left by an earlier crash
    for name in names:
        await run.hold.renew()
        if archive is not None and table.holds_events:
            async with run.database.transaction(timeout_seconds=_LONG_SECONDS) as connection:
                written = await write_events(connection, name, archive, fact, run.hold)
            run.report.archived.append(written)
            await run.hold.renew()
        async with run.database.connection() as connection:
            await drop(connection, name)
        run.report.dropped.append(name)


async def _days_agree(run: _RetentionRun, fact: Append, partition: Partition) -> bool:
    """Whether each day's roll-ups equal a recount of the partition, which holds the only rows."""
    days = (partition.end - partition.start).days
    dates = [(partition.start + timedelta(days=n)).astimezone(UTC).date() for n in range(days)]
    return all([await _day_agrees(run, fact, day) for day in dates])
