"""Loads a set of events of any fact and age; a repetition changes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ingest.bulk import Progress, Target, opened, record_all
from ingest.events import EventStatus
from ingest.importers.events import ImportedEvent
from ingest.importers.files import Problem
from ingest.importers.importer import Imported, Importer, Options
from ingest.importers.totals import Totals, rows_by_fact
from storage.connections.database import Database
from storage.connections.query import columns_of
from storage.errors import InvalidInput
from storage.facts.fact import Entity, Fact

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Events(Importer[ImportedEvent]):
    """Sends a set's events through ingest.

    No state is kept between runs: stored rows are recognised by their ids, so an interrupted import
    continues when it is run again. Events of append facts that are older than these facts' rows are
    kept could not be recognised, and are left out.
    """

    async def load(
        self, items: Sequence[ImportedEvent], target: Target, options: Options, progress: Progress
    ) -> Imported:
        async with opened(target) as database:
            days = await _days_to_move(database, items, target, options)
            kept = _recognisable([event.moved(days * _DAY) for event in items], target)
            events = [event.event for event in kept]
            results = await record_all(database, target, events, progress, options.batch_events)
        stored, problems = [], []
        for event, result in zip(kept, results, strict=True):
            if result.status is EventStatus.REJECTED:
                problems.append(Problem(event.location, result.message or "was rejected"))
            else:
                stored.append(event)
        counts = Counter(result.status for result in results)
        floors = target.retention.floors(target.now)
        return Imported(
            accepted=counts[EventStatus.ACCEPTED],
            duplicates=counts[EventStatus.DUPLICATE],
            problems=tuple(problems),
            too_old=len(items) - len(kept),
            moved_days=days,
            totals=tuple(
                Totals.of(fact, rows, floors) for fact, rows in rows_by_fact(stored).items()
            ),
        )


def _recognisable(events: Sequence[ImportedEvent], target: Target) -> list[ImportedEvent]:
    """The events whose rows are still stored when the set is imported again."""

    def is_kept(event: ImportedEvent) -> bool:
        floor = target.retention.events_floor(target.now, event.fact.kept)
        return floor is None or event.at >= floor or isinstance(event.fact, Entity)

    return [event for event in events if is_kept(event)]


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
    """The days by which the set's stored rows were moved; None if none is stored."""
    for fact, rows in rows_by_fact(events).items():
        async with database.connection() as connection:
            found = await connection.fetchrow(_stored(fact), *columns_of(rows))
        if found is not None:
            moved: timedelta = found["at"] - rows[found["slug"], found["id"]].at
            return round(moved / _DAY)
    return None


def _stored(fact: Fact) -> str:
    """SQL that finds one of the rows with the given projects and ids."""
    began, row_id = next(iter(fact.clocks.values())), fact.key[-1]
    return f"""
select given.slug, given.id, stored.{began} as at
from unnest($1::text[], $2::uuid[]) as given(slug, id)
join projects on projects.slug = given.slug
join {fact.table.name} as stored
  on stored.project_id = projects.project_id and stored.{row_id} = given.id
limit 1
"""
