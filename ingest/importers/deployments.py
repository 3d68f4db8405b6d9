"""Loading a set of deployments: again and again with the same outcome, whatever its age."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ingest.bulk import Target, make_room, opened, send, started_intake
from ingest.events import EventStatus
from ingest.identity import deployment_uuid
from ingest.importers.importer import Imported, Options, Progress
from ingest.importers.records import ImportedEvent, Problem
from ingest.importers.totals import Totals
from storage.connections.database import Database
from storage.errors import InvalidInput

Read = Callable[[Path], Iterable[ImportedEvent | Problem]]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deployments:
    """Reads a set's events and sends what is wanted of them through ingest.

    Nothing is remembered between runs: what is already there is known by its ids, so an import
    that was interrupted goes on by being run again.
    """

    read: Read

    async def load(
        self, source: Path, target: Target, options: Options, progress: Progress
    ) -> Imported:
        found = list(self.read(source))
        told = [each for each in found if isinstance(each, ImportedEvent)]
        problems = [each for each in found if isinstance(each, Problem)]
        async with opened(target) as database:
            days = await _days_to_move(database, told, target, options)
            wanted = [each.moved(days * _DAY) for each in told if options.wants(each.deployment[0])]
            outcomes = await _send(database, wanted, target, options, progress, problems)
        stored = [each for each, outcome in zip(wanted, outcomes, strict=True) if outcome]
        counts = Counter(outcomes)
        return Imported(
            accepted=counts[EventStatus.ACCEPTED],
            duplicates=counts[EventStatus.DUPLICATE],
            problems=tuple(problems),
            moved_days=days,
            totals=Totals.of(stored, target.retention.floors(target.now)),
        )


async def _send(
    database: Database,
    wanted: Sequence[ImportedEvent],
    target: Target,
    options: Options,
    progress: Progress,
    problems: list[Problem],
) -> list[EventStatus | None]:
    """What became of each event; those that were rejected are added to the problems."""
    if not wanted:
        return []
    await make_room(database, target, [each.at for each in wanted])
    outcomes: list[EventStatus | None] = [None] * len(wanted)
    async with started_intake(database, target) as intake:
        events = [each.event for each in wanted]
        async for index, result in send(intake, events, progress, options.batch_events):
            if result.status is EventStatus.REJECTED:
                problems.append(Problem(wanted[index].place, result.message or "was rejected"))
            else:
                outcomes[index] = result.status
    return outcomes


async def _days_to_move(
    database: Database, told: Sequence[ImportedEvent], target: Target, options: Options
) -> int:
    """How far to move all times, which is what an earlier run moved them by, if there was one."""
    if not told:
        return 0
    wanted = (target.now - max(each.at for each in told)) // _DAY if options.shift_to_now else 0
    stored = await _moved_days(database, told)
    if stored is None or stored == wanted:
        return wanted
    if options.shift_to_now and stored:
        return stored
    how = f"with its times moved by {stored} days" if stored else "with its own times"
    raise InvalidInput(
        f"This set is in the database already, {how}. Import it the same way, or elsewhere."
    )


async def _moved_days(database: Database, told: Sequence[ImportedEvent]) -> int | None:
    """By how much the set's deployments that are stored were moved; None when none is."""
    created: dict[tuple[str, str], datetime] = {}
    for each in told:
        created[each.deployment] = min(each.at, created.get(each.deployment, each.at))
    ids = {(slug, deployment_uuid(slug, name)): at for (slug, name), at in created.items()}
    async with database.connection() as connection:
        columns = zip(*ids, strict=True)
        row = await connection.fetchrow(_STORED, *(list(column) for column in columns))
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
