"""Loads the demo through the intake."""

import time
from collections.abc import Callable

from ingest.bulk import Progress, Target, opened, record_all
from ingest.demo.cast import GATEWAY, NETWORKS, PROJECTS, TEMPLATES
from ingest.demo.history import DEPLOYMENTS, SEED, history
from ingest.events import EventStatus
from storage.connections.database import Database
from storage.dictionaries import TemplateFields, upsert_network, upsert_project, upsert_template
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
