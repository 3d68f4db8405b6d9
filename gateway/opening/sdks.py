"""Opens what takes the events of Sentry's SDKs: keys, counts of drops, and forwarding."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from access.budgets import Budgets
from access.destinations import Destinations
from access.drops import Drops
from access.outgoing import Outgoing
from access.project_keys import ProjectKeys
from gateway.config.settings import Settings
from gateway.observability.telemetry import Telemetry
from gateway.rest.guard import RequestGuard
from gateway.sdks.forwarding import Forwarder, Sender
from gateway.sdks.receiver import SentryReceiver
from ingest.project_rules import ProjectRules
from ingest.scrubbing import scrub
from ingest.sdk_intake import SdkIntake
from resolvers.context import Services
from storage.admin.project_keys import ProjectKey
from storage.background import running


@asynccontextmanager
async def open_sdks(
    settings: Settings,
    services: Services,
    budgets: Budgets,
    guard: RequestGuard,
    telemetry: Telemetry,
) -> AsyncIterator[SentryReceiver]:
    """The receiver of envelopes, with its work in the background."""
    database, clock = services.database, services.clock
    drops = Drops(database, clock, telemetry.on_dropped)
    keys = ProjectKeys(database, clock, time.monotonic)
    sender = Sender(Outgoing(Destinations.of(settings.forward_local_hosts)))
    rules = ProjectRules(database)

    async def without_secrets(key: ProjectKey, body: Mapping[str, Any]) -> Mapping[str, Any]:
        of_project = await rules.of({key.project: key.project_id})
        return scrub(dict(body), of_project[key.project])

    forwarder = Forwarder(sender, drops, clock, without_secrets)
    async with (
        running(drops.follow(), "dropped-events"),
        running(keys.stored.follow(), "project-key-uses"),
        forwarder.forwarding(),
    ):
        record = services.intake.record
        sdk_intake = SdkIntake(record, database, drops, budgets, clock, forwarder.offer)
        yield SentryReceiver(keys, sdk_intake, drops, budgets, guard)
