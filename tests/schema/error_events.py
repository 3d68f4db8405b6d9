"""Events of errors, and a platform of a module's own that has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from access.viewers import Role, Viewer
from ingest.normaliser import TimeWindow
from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, NOW, Platform

HOUR = timedelta(hours=1)

# Whoever has these projects, which the platform has no other events of.
EVE = Viewer("eve", frozenset({Role.VIEWER, Role.MAINTAINER}), frozenset({"store", "notes"}))
FOE = Viewer("foe", frozenset({Role.VIEWER, Role.MAINTAINER}), frozenset({"foe"}))


def occurrence(name: str, at: datetime, project: str = "store", **more: Any) -> dict[str, Any]:
    """An occurrence of the error of this name."""
    base = {
        "type": "error.occurred",
        "id": str(uuid5(NAMESPACE_URL, f"{project} {name} {at.isoformat()} {more.get('user')}")),
        "time": at.isoformat(),
        "project": project,
        "errorType": f"{name}Error",
        "message": f"the {name.lower()} broke",
        "environment": "production",
        "network": "metis",
        "template": "template-01",
    }
    return base | more


def failures() -> list[dict[str, Any]]:
    """Of the store: many of Cart, few of Price, an old one of Login; some of others."""
    return [
        *(
            occurrence(
                "Cart",
                NOW - number * HOUR - timedelta(minutes=10),
                release=f"1.{number % 3}.0",
                function="checkout",
                user=f"u{number % 5}",
            )
            for number in range(20)  # so few that all bodies are kept
        ),
        occurrence("Price", NOW - 2 * HOUR, severity="critical", network="hyperion"),
        occurrence("Price", NOW - 3 * HOUR, severity="low", environment="staging"),
        occurrence("Login", NOW - 20 * 24 * HOUR, template="template-02"),
        occurrence("Blog", NOW - HOUR, project="notes"),
        occurrence("Rival", NOW - HOUR, project="foe", function="checkout"),
        occurrence("Cart", NOW - HOUR, project="foe", function="checkout"),
    ]


async def record(platform: Platform, events: list[dict[str, Any]]) -> None:
    for result in await platform.services.intake.record(events, ADMIN, TimeWindow(None, None)):
        assert result.status in ("accepted", "duplicate"), result


@asynccontextmanager
async def opened_with_errors(url: str) -> AsyncIterator[Platform]:
    async with opened(url) as platform:
        await record(platform, failures())
        yield platform
