"""Permissions of routes: each asks for what the page says."""

from pathlib import Path

import pytest

from access.viewers import GRANTS, Permission, Role
from gateway.routes import ROUTES
from tests.gateway.application import as_role, running, settings_for

ROOT = Path(__file__).parents[3]


async def test_every_route_is_on_the_page_and_asks_for_what_it_says(
    database_url: str, redis_url: str
) -> None:
    page = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    async with running(settings_for(database_url, redis_url)) as client:
        for route in ROUTES:
            method = (route.methods or ("GET",))[0]
            path = f"{route.path}/…" if route.is_folder else route.path
            methods = ", ".join(route.methods or ("any",))
            assert f"| `{path}` | {methods} | {route.needs.value} |" in page
            answer = await client.request(method, route.path.replace("{project}", "1"))
            assert (answer.status_code == 401) == (not route.is_public), route.path


@pytest.mark.parametrize("role", Role)
async def test_only_who_may_record_sends_events(
    database_url: str, redis_url: str, role: Role
) -> None:
    async with running(settings_for(database_url, redis_url)) as client:
        answer = await client.post("/v1/events", json=[], headers=as_role(role, projects=("shop",)))
        assert (answer.status_code == 403) == (Permission.RECORD not in GRANTS[role]), answer.text
