"""Permissions of routes: each asks for what the page says."""

import pytest

from access.viewers import GRANTS, Role
from gateway.app import create_app
from gateway.cli.permissions_page import PUBLIC, ROUTES
from tests.gateway.application import as_role, running, settings_for


async def test_every_route_is_on_the_page_and_asks_for_what_it_says(
    database_url: str, redis_url: str
) -> None:
    with_pages = create_app(settings_for(database_url, redis_url, environment="demo"))
    assert {getattr(route, "path", "") for route in with_pages.routes} == ROUTES.keys()
    async with running(settings_for(database_url, redis_url)) as client:
        for path, needs in ROUTES.items():
            answer = await client.request("POST" if path == "/v1/events" else "GET", path)
            assert (answer.status_code == 401) == (needs != PUBLIC), path


@pytest.mark.parametrize("role", Role)
async def test_only_who_may_record_sends_events(
    database_url: str, redis_url: str, role: Role
) -> None:
    needs = ROUTES["/v1/events"]
    async with running(settings_for(database_url, redis_url)) as client:
        answer = await client.post("/v1/events", json=[], headers=as_role(role, projects=("shop",)))
        assert (answer.status_code == 403) == (needs not in GRANTS[role]), answer.text
