"""The audit log over GraphQL: a page is one statement, however many entries and fields it has."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from storage.errors import Forbidden, InvalidInput
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, Platform
from tests.servers import Databases

FIELDS = "recordedAt subject tokenId action target outcome times requestId address details"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, with thirty mutations in its log."""
    async with opened(url) as platform:
        for number in range(30):
            slug = f"p-{number}"
            upsert = f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ __typename }} }}'
            await platform.ask(upsert, ADMIN)
        yield platform


@pytest.mark.parametrize("first", [1, 25])
async def test_a_page_is_one_statement(platform: Platform, first: int) -> None:
    document = (
        f"query($n: Int) {{ auditLog(first: $n) {{ edges {{ cursor node {{ {FIELDS} }} }} }} }}"
    )
    data = await platform.ask(document, ADMIN, n=first)
    assert len(data["auditLog"]["edges"]) == first
    assert platform.statements == ["audit_find"]


async def test_the_total_is_one_more_and_only_where_asked_for(platform: Platform) -> None:
    data = await platform.ask("{ auditLog(first: 2) { nodes { action } totalCount } }", ADMIN)
    assert data["auditLog"]["totalCount"] == 30
    assert sorted(platform.statements) == ["audit_count", "audit_find"]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({}, 30),
        ({"target": "p-3"}, 1),
        ({"subject": "admin", "action": "mutation.upsertProject", "outcome": "ok"}, 30),
        ({"subject": "nobody"}, 0),
        ({"outcome": "FORBIDDEN"}, 0),
        ({"since": "2999-01-01T00:00:00Z"}, 0),
        ({"until": "2999-01-01T00:00:00Z"}, 30),
        ({"tokenId": "00000000-0000-4000-8000-000000000000"}, 0),
    ],
)
async def test_filters_narrow(platform: Platform, filter: dict[str, Any], found: int) -> None:
    document = "query($f: AuditFilter) { auditLog(filter: $f) { totalCount } }"
    data = await platform.ask(document, ADMIN, f=filter)
    assert data["auditLog"]["totalCount"] == found


async def test_pages_backward_are_the_same_entries(platform: Platform) -> None:
    document = """query($l: Int, $b: String) { auditLog(last: $l, before: $b) {
        nodes { target } pageInfo { startCursor hasPreviousPage } } }"""
    seen: list[str] = []
    before = None
    while True:
        page = (await platform.ask(document, ADMIN, l=7, b=before))["auditLog"]
        seen = [node["target"] for node in page["nodes"]] + seen
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert seen == [f"p-{number}" for number in reversed(range(30))]


async def test_what_cannot_be_meant_is_refused(platform: Platform) -> None:
    document = "query($f: AuditFilter) { auditLog(filter: $f) { totalCount } }"
    for filter in ({"tokenId": "no uuid"}, {"subject": "nul\0"}):
        assert isinstance(await platform.refused(document, ADMIN, f=filter), InvalidInput)
    cursor = await platform.refused('{ auditLog(after: "made-up") { totalCount } }', ADMIN)
    assert isinstance(cursor, InvalidInput)


async def test_only_admins_may_look(platform: Platform) -> None:
    error = await platform.refused("{ auditLog { nodes { action } } }", ADA)
    assert isinstance(error, Forbidden)
