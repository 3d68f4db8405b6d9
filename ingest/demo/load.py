"""Loads the demo through the intake."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ingest.bulk import Progress, Target, opened, record_all
from ingest.demo.cast import GATEWAY, NETWORKS, PEOPLE, PRODUCTION, PROJECTS, TEMPLATES
from ingest.demo.faults import RETURNING_FAULT
from ingest.demo.history import DEPLOYMENTS, SEED, history
from ingest.demo.story import RETURNING_PROJECT, Story
from ingest.events import EventStatus
from storage.connections.database import Database
from storage.dictionaries import TemplateFields, upsert_network, upsert_project, upsert_template
from storage.error_groups.decisions import Decision, decide, publish
from storage.error_groups.tables import ErrorStatus
from storage.errors import GatewayError


async def is_empty(target: Target) -> bool:
    """Whether the database has no deployments."""
    async with opened(target) as database, database.connection() as connection:
        return not await connection.fetchval("select exists (select 1 from deployments)")


async def load(
    target: Target, *, deployments: int = DEPLOYMENTS, seed: int = SEED, say: Callable[[str], None]
) -> None:
    """Provisions the cast and records its history up to now; `say` shows a line of progress."""
    started = time.monotonic()
    # The newest come first, so that an interrupted load lacks only the oldest days.
    events = history(target.now, deployments, seed)[::-1]
    async with opened(target) as database:
        await _provision(database)
        for result in await record_all(database, target, events, _say_quarters(say)):
            if result.status is EventStatus.REJECTED:
                raise GatewayError(f"Demo event {result.id} was rejected: {result.message}")
        await _resolve(database, events, Story.at(target.now).resolved_at)
    count = sum(event["type"] == "deployment.queued" for event in events)
    seconds = time.monotonic() - started
    say(f"{count} invented deployments, {len(events)} events in {seconds:.1f} s")


async def _provision(database: Database) -> None:
    async with database.transaction() as connection:
        for network, (title, chain_id) in NETWORKS.items():
            await upsert_network(connection, network, title, chain_id)
        for slug, name in TEMPLATES.items():
            await upsert_template(connection, TemplateFields(slug, name))
        for project in PROJECTS:
            await upsert_project(connection, project.slug, project.name)
        await upsert_project(connection, GATEWAY, "Analytics Gateway")


async def _resolve(database: Database, events: Iterable[dict[str, Any]], at: datetime) -> None:
    """Resolves the returning error in the release of that time; later ones reopen it."""
    releases = (
        event["release"]
        for event in events
        if event["type"] == "deployment.succeeded"
        and (event["project"], event["environment"]) == (RETURNING_PROJECT, PRODUCTION)
        and datetime.fromisoformat(event["time"]) < at
    )
    decision = Decision(ErrorStatus.RESOLVED, resolved_in=next(releases, None))
    async with database.transaction() as connection:
        rows = await connection.fetch(_ERROR, RETURNING_PROJECT, RETURNING_FAULT.type)
        keys = [(row["project_id"], row["error_id"]) for row in rows]
        await decide(connection, keys, decision, PEOPLE[0], at)
        await publish(connection, keys)


_ERROR = """select project_id, error_id from errors join projects using (project_id)
where slug = $1 and error_type = $2"""


def _say_quarters(say: Callable[[str], None]) -> Progress:
    """Returns a callback that shows one line for each quarter of the events."""
    shown = 0

    def progress(done: int, total: int) -> None:
        nonlocal shown
        quarter = 4 * done // total if total else 4
        if quarter > shown:
            shown = quarter
            say(f"{done} of {total} events")

    return progress
