"""The database and the clock of a process."""

from datetime import UTC, datetime

from gateway.config.settings import Settings
from gateway.observability.pool_metrics import PoolCollector
from gateway.observability.telemetry import Telemetry
from storage.connections.database import Database


async def open_database(settings: Settings, telemetry: Telemetry, name: str) -> Database:
    database = await Database.open(
        settings.database_url,
        pool_size=settings.database_pool_size,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        application_name=name,
        on_statement=telemetry.on_statement,
    )
    telemetry.registry.register(PoolCollector(database.pool))
    return database


def utc_now() -> datetime:
    return datetime.now(UTC)
