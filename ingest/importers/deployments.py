"""Loads a set of deployments of any age; a repetition changes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ingest.bulk import Progress, Target, opened, record_all
from ingest.events import EventStatus
from ingest.identity import deployment_uuid
from ingest.importers.events import ImportedEvent, Totals, creation_times
from ingest.importers.files import Problem
from ingest.importers.importer import Imported, Importer, Options
from storage.connections.database import Database
from storage.connections.query import columns_of
from storage.errors import InvalidInput

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deployments(Importer[ImportedEvent]):
    """Sends a set's wanted events through ingest.

    No state is kept between runs: stored events are recognised by their ids, so an interrupted
    import continues when it is run again.
    """

    async def load(
        self, items: Sequence[ImportedEvent], target: Target, options: Options, progress: Progress
    ) -> Imported:
        async with opened(target) as database:
            days = await _days_to_move(database, items, target, options)
            wanted = [
                event.moved(days * _DAY) for event in items if options.wants(event.deployment[0])
            ]
            events = [event.event for event in wanted]
            results = await record_all(database, target, events, progress, options.batch_events)
        stored, problems = [], []
        for event, result in zip(wanted, results, strict=True):
            if result.status is EventStatus.REJECTED:
                problems.append(Problem(event.location, result.message or "was rejected"))
            else:
                stored.append(event)
        counts = Counter(result.status for result in results)
        return Imported(
            accepted=counts[EventStatus.ACCEPTED],
            duplicates=counts[EventStatus.DUPLICATE],
            problems=tuple(problems),
            moved_days=days,
            totals=Totals.of(stored, target.retention.floors(target.now)),
        )


async def _days_to_move(
    database: Database, events: Sequence[ImportedEvent], target: Target, options: Options
) -> int:
    """The days to move all times by: as many as an earlier run moved them, if there was one."""
    if not events:
        return 0
    last = max(event.at for event in events)
    wanted = (target.now - last) // _DAY if options.shift_to_now else 0
    stored = await _moved_days(database, events)
    if stored is None or stored == wanted:
        return wanted
    if options.shift_to_now and stored:
        return stored
    how = f"with its times moved by {stored} days" if stored else "with its own times"
    raise InvalidInput(
        f"This set is in the database already, {how}. Import it the same way, or elsewhere."
    )


async def _moved_days(database: Database, events: Sequence[ImportedEvent]) -> int | None:
    """The days by which the set's stored deployments were moved; None if none is stored."""
    created = creation_times(events)
    ids = {(slug, deployment_uuid(slug, name)): at for (slug, name), at in created.items()}
    async with database.connection() as connection:
        row = await connection.fetchrow(_STORED, *columns_of(ids))
    if row is None:
        return None
    moved: timedelta = row["created_at"] - ids[row["slug"], row["deployment_id"]]
    return round(moved / _DAY)


_STORED = """
select given.slug, given.deployment_id, stored.created_at
from unnest($1::text[], $2::uuid[]) as given(slug, deployment_id)
join projects on projects.slug = given.slug
join deployments as stored
  on stored.project_id = projects.project_id and stored.deployment_id = given.deployment_id
limit 1
"""
