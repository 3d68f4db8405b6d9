"""Plain events, and short looks at what became of them."""

from datetime import timedelta
from typing import Any

from ingest.events import Code, EventStatus, Result
from ingest.identity import deployment_uuid
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
            deployment_uuid("shop", deployment),
        )
    return dict(record)


def briefly(results: list[Result]) -> list[tuple[EventStatus, Code | None]]:
    return [(result.status, result.code) for result in results]
