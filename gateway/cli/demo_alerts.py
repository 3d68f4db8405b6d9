"""The alerts of a demo: rules for its projects and networks, told to its own inbox."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from access.sealing import Seals
from alerts.defaults import row_of, rows_of
from alerts.presets import PRESETS
from alerts.rules import Rule, Severity, Watch
from gateway.config.settings import Settings, with_secret
from gateway.http.addresses import loopback_host
from gateway.opening.database import utc_now
from ingest.demo.cast import PROJECTS
from storage.alerts.rules import add
from storage.alerts.seeding import BY, keep_channel
from storage.connections.database import Connection, Database
from storage.dictionaries import Dictionaries

WEBHOOK, MAIL = "inbox", "mail"
CHANNELS = (WEBHOOK, MAIL)
_PRESETS = ("error_spread", "certificate_expiring", "build_slow", "api_errors_critical")


async def keep_channels(settings: Settings) -> None:
    """Makes the channels `inbox` and `mail` of the platform, where the demo has an inbox."""
    if not settings.demo_mail_port:
        return
    address = f"http://{loopback_host(settings.host, settings.port)}/demo/inbox"
    database = await Database.open(settings.database_url)
    try:
        async with database.transaction() as connection:
            seals = Seals(with_secret(settings).jwt_secrets)
            now, sealed = utc_now(), seals.seal({"secret": secrets.token_hex(16)})
            await keep_channel(connection, WEBHOOK, "webhook", {"url": address}, sealed, now)
            mail = {"to": ["operations@demo.example"], "owners": True}
            await keep_channel(connection, MAIL, "email", mail, {}, now)
    finally:
        await database.close()


async def add_rules(settings: Settings) -> None:
    """Gives the demo's projects the rules of new projects, and the platform some of its own."""
    channels = CHANNELS if settings.demo_mail_port else ()
    database = await Database.open(settings.database_url)
    try:
        ids = await Dictionaries(database).project_ids(project.slug for project in PROJECTS)
        async with database.transaction() as connection:
            await _add_rules(connection, sorted(ids.values()), channels, utc_now())
    finally:
        await database.close()


async def _add_rules(
    connection: Connection, project_ids: list[int], channels: tuple[str, ...], now: datetime
) -> None:
    for rule in rules_of_platform(channels):
        await add(connection, row_of(rule, None, now, BY))
    for project_id in project_ids:
        for row in rows_of(project_id, now, channels):
            await add(connection, row)


def rules_of_platform(channels: tuple[str, ...]) -> Iterator[Rule]:
    """The demo's rules over all projects."""
    failures = PRESETS["deployment_failure_rate"]
    watch = failures.trigger
    assert isinstance(watch, Watch)
    yield replace(
        failures.rule(channels),
        name="A network fails deployments",
        trigger=replace(watch, group_by=("network",)),
        severity=Severity.CRITICAL,
    )
    for name in _PRESETS:
        yield PRESETS[name].rule(channels)
