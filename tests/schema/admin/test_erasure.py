"""Admins erase a user of a project; the audit log does not show whom."""

from collections.abc import AsyncIterator, Iterator

import pytest

from access.viewers import Role, Viewer
from storage.errors import Forbidden
from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases

ERASE = """mutation($input: EraseUserInput!) { eraseUser(input: $input) {
  rows { name count } archives { name count } keptInNames { name count }
  userErrors { field code } } }"""
KEEPER = Viewer("keeper", frozenset({Role.MAINTAINER}), frozenset({"shop"}))
USER = "customer-8812"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, since it writes."""
    async with opened(url) as platform:
        yield platform


async def test_an_admin_gets_a_report_of_what_was_changed(platform: Platform) -> None:
    queued = {"type": "deployment.queued", "deployment": "of-a-user", "actor": USER}
    queued["environment"] = f"preview-{USER}"
    sent = queued | {"project": "shop", "time": NOW.isoformat()}
    await platform.services.intake.record([sent], ADMIN)
    given = {"project": "shop", "userId": USER}
    done = (await platform.ask(ERASE, ADMIN, input=given))["eraseUser"]
    assert done == {
        "rows": [{"name": name, "count": 1} for name in ("deployment_events", "deployments")],
        "archives": [],
        "keptInNames": [{"name": "environment", "count": 1}],
        "userErrors": [],
    }
    again = (await platform.ask(ERASE, ADMIN, input=given))["eraseUser"]
    assert again == done | {"rows": []}
    async with platform.services.database.connection() as connection:
        log = await connection.fetchval("select string_agg(audit_log::text, ' ') from audit_log")
    assert "eraseUser" in log
    assert USER not in log


async def test_others_may_not(platform: Platform) -> None:
    given = {"project": "shop", "userId": USER}
    assert isinstance(await platform.refused(ERASE, KEEPER, input=given), Forbidden)


@pytest.mark.parametrize(
    ("changed", "field"), [({"project": "gone"}, "project"), ({"userId": ""}, "userId")]
)
async def test_a_wrong_input_is_named(
    platform: Platform, changed: dict[str, str], field: str
) -> None:
    given = {"project": "shop", "userId": USER} | changed
    done = (await platform.ask(ERASE, ADMIN, input=given))["eraseUser"]
    assert (done["rows"], done["keptInNames"]) == (None, None)
    assert done["userErrors"][0]["field"] == ["input", field]
