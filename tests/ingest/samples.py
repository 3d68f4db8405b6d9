"""Plain events, and short looks at what became of them."""

from datetime import timedelta
from typing import Any

from ingest.events import Code, Event, EventStatus, Result
from ingest.identity import entity_uuid
from storage.connections.database import Database
from tests.ingest.conftest import now


def moment(minutes_ago: float) -> str:
    return (now() - timedelta(minutes=minutes_ago)).isoformat()


def event(kind: str, minutes_ago: float = 5, **fields: Any) -> dict[str, Any]:
    base = {"type": f"deployment.{kind}", "time": moment(minutes_ago)}
    return base | {"project": "shop", "deployment": "d1", "network": "metis"} | fields


async def row(database: Database, deployment: str = "d1") -> dict[str, Any]:
    async with database.connection() as connection:
        record = await connection.fetchrow(
            "select * from deployments where deployment_id = $1",
            entity_uuid("shop", deployment),
        )
    return dict(record)


def given(event: Event) -> dict[str, Any]:
    """The names and values of an event, by dimension and column."""
    names = (dimension.name for dimension in event.fact.dimensions)
    values = event.names + event.values
    return dict(zip((*names, *event.fact.columns), values, strict=True))


def briefly(results: list[Result]) -> list[tuple[EventStatus, Code | None]]:
    return [(result.status, result.code) for result in results]
