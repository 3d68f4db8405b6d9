"""Opens what takes the events of Sentry's SDKs: keys, counts of drops, and forwarding."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from access.budgets import Budgets
from access.drops import Drops
from access.project_keys import ProjectKeys
from gateway.config.settings import Settings
from gateway.forwarding import Forwarder, Sender
from gateway.http.destinations import Destinations
from gateway.observability.telemetry import Telemetry
from gateway.rest.sentry import SentryReceiver
from ingest.intake import Intake
from ingest.project_rules import ProjectRules
from ingest.scrubbing import scrub
from ingest.sdk_intake import SdkIntake
from storage.admin.project_keys import ProjectKey
from storage.background import running
from storage.connections.database import Database


@asynccontextmanager
async def open_sdks(
    settings: Settings, database: Database, intake: Intake, budgets: Budgets, telemetry: Telemetry
) -> AsyncIterator[SentryReceiver]:
    """The receiver of envelopes, with its work in the background."""
    drops = Drops(database, _utc_now, telemetry.on_dropped)
    keys = ProjectKeys(database, _utc_now, time.monotonic)
    sender = Sender(Destinations.of(settings.forward_local_hosts))
    rules = ProjectRules(database)

    async def without_secrets(key: ProjectKey, body: Mapping[str, Any]) -> Mapping[str, Any]:
        of_project = await rules.of({key.project: key.project_id})
        return scrub(dict(body), of_project[key.project])

    forwarder = Forwarder(sender, drops, _utc_now, without_secrets)
    async with (
        running(drops.follow(), "dropped-events"),
        running(keys.follow(), "project-key-uses"),
        forwarder.forwarding(),
    ):
        sdk_intake = SdkIntake(intake.record, database, drops, budgets, _utc_now, forwarder.offer)
        yield SentryReceiver(keys, sdk_intake, drops, budgets)


def _utc_now() -> datetime:
    return datetime.now(UTC)
