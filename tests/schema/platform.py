"""A small platform with two tenants, and the way to ask its schema questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from strawberry.types import ExecutionResult

from access.viewers import Role, Viewer
from resolvers.context import Context, Services
from schema import schema
from storage.errors import GatewayError

# Noon of a day in the past: the ranges below hold whole days and no test runs into midnight.
NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
TODAY = NOW.replace(hour=0)

ADMIN = Viewer("admin", frozenset({Role.ADMIN}), frozenset())
ADA = Viewer("ada", frozenset({Role.VIEWER}), frozenset({"shop", "blog"}))
RIVAL = Viewer("rival", frozenset({Role.VIEWER}), frozenset({"rival"}))
NOBODY = Viewer("nobody", frozenset({Role.VIEWER}), frozenset({"gone"}))
BUILDER = Viewer("builder", frozenset({Role.INGEST}), frozenset({"shop"}))


@dataclass
class Platform:
    """Executes documents against the real schema and counts what that costs."""

    services: Services
    statements: list[str] = field(default_factory=list)

    async def execute(
        self, document: str, viewer: Viewer = ADA, **variables: Any
    ) -> ExecutionResult:
        context = await Context.create(self.services, viewer, "request-1")
        self.statements.clear()
        try:
            result = await schema.execute(document, variables, context)
        finally:
            context.release()
        assert isinstance(result, ExecutionResult)
        return result

    async def ask(self, document: str, viewer: Viewer = ADA, **variables: Any) -> dict[str, Any]:
        """The data of a document that must succeed."""
        result = await self.execute(document, viewer, **variables)
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data

    async def refused(self, document: str, viewer: Viewer = ADA, **variables: Any) -> GatewayError:
        """The one failure of a document that must fail."""
        result = await self.execute(document, viewer, **variables)
        assert result.errors, result.data
        error = result.errors[0].original_error
        assert isinstance(error, GatewayError), result.errors
        return error


def event(kind: str, project: str, deployment: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "type": f"deployment.{kind}",
        "project": project,
        "deployment": deployment,
        "time": at.isoformat(),
        "id": f"{deployment}-{kind}-{at.isoformat()}",
        **more,
    }


def deployment(
    project: str, name: str, created: datetime, outcome: str | None = "succeeded", **more: Any
) -> list[dict[str, Any]]:
    """Queued, started ten seconds later and, unless it goes on, finished after a minute."""
    common = {"environment": "production", "network": "metis", "framework": "next"} | more
    events = [
        event("queued", project, name, created, actor="ci", **common),
        event("started", project, name, created + timedelta(seconds=10), **common),
    ]
    if outcome == "rolled_back":
        done = created + timedelta(seconds=70)
        events.append(event("succeeded", project, name, done, **common))
        later = created + timedelta(hours=1)
        events.append(event("rolled_back", project, name, later, actor="ada", **common))
    elif outcome is not None:
        error = {"error": "exit code 1"} if outcome == "failed" else {}
        done = created + timedelta(seconds=70)
        events.append(event(outcome, project, name, done, **common, **error))
    return events


def history() -> list[dict[str, Any]]:
    """What happened: two days of ada's, a day of the rival's."""
    yesterday = TODAY - timedelta(days=1)
    hour = timedelta(hours=1)
    events = [
        *deployment("shop", "shop-1", yesterday, template="template-01"),
        *deployment("shop", "shop-2", yesterday + 2 * hour, "failed", template="template-01"),
        *deployment("shop", "shop-3", yesterday + 3 * hour, "rolled_back", template="template-02"),
        *deployment("shop", "shop-4", TODAY + hour, template="template-02", network="hyperion"),
        *deployment("shop", "shop-5", TODAY + 2 * hour, None, environment="staging"),
        *deployment("shop", "shop-6", TODAY + 3 * hour, network="nowhere", template="unheard-of"),
        *deployment("blog", "blog-1", TODAY, "cancelled", environment="staging"),
        *deployment("blog", "blog-2", TODAY + 4 * hour, framework="astro"),
        *deployment("blog", "blog-3", TODAY + 5 * hour, network="hyperion"),
    ]
    for number in range(7):
        outcome = "failed" if number % 2 else "succeeded"
        at = TODAY + number * hour
        more = {"environment": "rivals-own", "framework": "rivals-framework"}
        events += deployment("rival", f"rival-{number}", at, outcome, **more)
    return events
