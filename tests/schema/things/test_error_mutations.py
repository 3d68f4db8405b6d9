"""Maintainers decide about errors, assign, comment and merge them; nobody else can."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from access.viewers import Role, Viewer
from resolvers.context import Context
from resolvers.subscriptions import WATCHED_ERRORS, entity_changes
from storage import members
from storage.background import running
from storage.error_groups.reopening import reopen_due
from storage.errors import Forbidden
from storage.feed.feed import Feed
from storage.members import MemberFields
from tests.schema.error_events import EVE, FOE, HOUR, occurrence, opened_with_errors, record
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases

READER = replace(EVE, roles=frozenset({Role.VIEWER}))
STATE = """id title status decidedBy resolvedIn ignoredUntil ignoredCount ignoredRelease regressions
  regressedRelease occurrences assignee { subject } comments { id author text }
  mergedErrors { id title }"""
SEVERAL = "errors { " + STATE + " } userErrors { field code }"
ONE = "error { " + STATE + " } userErrors { field code }"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened_with_errors(url) as platform:
        async with platform.services.database.transaction() as connection:
            ids = await platform.services.dictionaries.project_ids(["store"])
            fields = MemberFields("eve", None, None)
            await members.upsert(connection, ids["store"], fields, "admin", NOW)
        yield platform


@pytest.fixture
async def name() -> str:
    return f"N{uuid4().hex[:8]}"


async def occur(platform: Platform, name: str, minutes: float = -60, **more: Any) -> str:
    """Let an error occur, so many minutes from now; returns its id."""
    at = NOW + timedelta(minutes=minutes)
    await record(platform, [occurrence(name, at, id=str(uuid4()), **more)])
    found = await platform.ask(
        "query($types: [String!]) { errors(filter: {errorTypes: $types}) { nodes { id } } }",
        EVE,
        types=[f"{name}Error"],
    )
    nodes: list[dict[str, str]] = found["errors"]["nodes"]
    return nodes[0]["id"] if nodes else ""


async def change(
    platform: Platform, action: str, viewer: Viewer = EVE, **given: Any
) -> dict[str, Any]:
    kind = f"{action[0].upper()}{action[1:]}Input"
    part = SEVERAL if action.endswith("Errors") and "errors" in given else ONE
    part = ONE if action == "mergeErrors" else part
    document = f"mutation($input: {kind}!) {{ {action}(input: $input) {{ {part} }} }}"
    payload: dict[str, Any] = (await platform.ask(document, viewer, input=given))[action]
    return payload


async def state(platform: Platform, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (
        await platform.ask("query($id: ID!) { error(id: $id) { " + STATE + " } }", EVE, id=id)
    )["error"]
    return found


async def test_a_resolved_error_that_occurs_again_is_open(platform: Platform, name: str) -> None:
    id = await occur(platform, name)
    done = await change(platform, "resolveErrors", errors=[id])
    assert (done["errors"][0]["status"], done["errors"][0]["decidedBy"]) == ("RESOLVED", "eve")
    await occur(platform, name, -30)  # before the decision
    assert (await state(platform, id))["status"] == "RESOLVED"
    await occur(platform, name, 1, release="2.0.0")
    after = await state(platform, id)
    assert (after["status"], after["regressions"]) == ("OPEN", 1)
    assert after["regressedRelease"] == "2.0.0"


async def test_what_occurred_before_the_decision_was_stored_counts(
    platform: Platform, name: str
) -> None:
    id = await occur(platform, name, 1)
    done = await change(platform, "resolveErrors", errors=[id])
    assert (done["errors"][0]["status"], done["errors"][0]["regressions"]) == ("OPEN", 1)


@pytest.mark.parametrize(
    ("given", "release", "status"),
    [
        ({"inRelease": "3.0.0"}, "2.9.0", "RESOLVED"),
        ({"inRelease": "3.0.0"}, "3.0.0", "OPEN"),
        ({"inRelease": "3.0.0"}, None, "OPEN"),
        ({"inNextRelease": True}, "1.0.0", "RESOLVED"),
        ({"inNextRelease": True}, "7.0.0", "RESOLVED"),
        ({"inNextRelease": True}, "7.0.1", "OPEN"),
    ],
)
async def test_older_releases_do_not_reopen(
    platform: Platform, name: str, given: dict[str, Any], release: str | None, status: str
) -> None:
    id = await occur(platform, name, release="7.0.0")
    await change(platform, "resolveErrors", errors=[id], **given)
    await occur(platform, name, 1, release=release)
    assert (await state(platform, id))["status"] == status


async def test_an_error_is_ignored_until_a_time(platform: Platform, name: str) -> None:
    id = await occur(platform, name)
    until = NOW + HOUR
    done = await change(platform, "ignoreErrors", errors=[id], until=until.isoformat())
    assert done["errors"][0]["status"] == "IGNORED"
    await occur(platform, name, 1)
    assert (await state(platform, id))["status"] == "IGNORED"
    assert await reopen_due(platform.services.database, until) == 1
    assert (await state(platform, id))["status"] == "OPEN"


async def test_an_error_is_ignored_for_some_occurrences(platform: Platform, name: str) -> None:
    id = await occur(platform, name)
    done = await change(platform, "ignoreErrors", errors=[id], occurrences=2)
    assert done["errors"][0]["ignoredCount"] == 3
    for expected in ("IGNORED", "IGNORED", "OPEN"):
        await occur(platform, name, 1)
        assert (await state(platform, id))["status"] == expected


async def test_an_error_is_ignored_until_the_next_release(platform: Platform, name: str) -> None:
    id = await occur(platform, name, release="8.0.0", project="notes")
    done = await change(platform, "ignoreErrors", errors=[id], untilNextRelease=True)
    assert done["errors"][0]["ignoredRelease"] == "8.0.0"
    for release, expected in (("7.0.0", "IGNORED"), ("8.0.0", "IGNORED"), ("8.1.0", "OPEN")):
        await occur(platform, name, 1, release=release, project="notes")
        assert (await state(platform, id))["status"] == expected
    await change(platform, "ignoreErrors", errors=[id])
    assert (await change(platform, "reopenErrors", errors=[id]))["errors"][0]["status"] == "OPEN"


async def test_a_decision_and_an_occurrence_at_once_end_right(
    platform: Platform, name: str
) -> None:
    id = await occur(platform, name)
    for _ in range(5):
        await asyncio.gather(
            change(platform, "resolveErrors", errors=[id]), occur(platform, name, 1)
        )
        assert (await state(platform, id))["status"] == "OPEN"


async def test_an_error_is_assigned_to_a_member(platform: Platform, name: str) -> None:
    id = await occur(platform, name)
    done = await change(platform, "assignErrors", errors=[id], subject="eve")
    assert done["errors"][0]["assignee"] == {"subject": "eve"}
    wrong = await change(platform, "assignErrors", errors=[id], subject="nobody")
    assert wrong["userErrors"] == [{"field": ["input", "subject"], "code": "NOT_FOUND"}]
    assert (await state(platform, id))["assignee"] == {"subject": "eve"}
    await change(platform, "assignErrors", errors=[id])
    assert (await state(platform, id))["assignee"] is None


async def test_comments_are_added_and_deleted_by_their_author(
    platform: Platform, name: str
) -> None:
    id = await occur(platform, name)
    done = await change(platform, "commentError", error=id, text=" it is the cache ")
    (comment,) = done["error"]["comments"]
    assert (comment["author"], comment["text"]) == ("eve", "it is the cache")
    other = replace(EVE, subject="other")
    refused = await change(platform, "deleteErrorComment", other, comment=comment["id"])
    assert refused["userErrors"][0]["code"] == "NOT_FOUND"
    assert len((await state(platform, id))["comments"]) == 1
    await change(platform, "deleteErrorComment", comment=comment["id"])
    assert (await state(platform, id))["comments"] == []
    for text in (" ", "x" * 10_001, "a\0"):
        assert (await change(platform, "commentError", error=id, text=text))["userErrors"]


async def test_merged_errors_are_one_until_they_are_unmerged(platform: Platform) -> None:
    names = [f"M{uuid4().hex[:8]}" for _ in range(3)]
    first, second, third = [await occur(platform, name) for name in names]
    await change(platform, "commentError", error=second, text="of the second")
    merged = (await change(platform, "mergeErrors", into=first, errors=[second, third]))["error"]
    assert (merged["id"], merged["occurrences"]) == (first, 3)
    assert {each["id"] for each in merged["mergedErrors"]} == {second, third}
    assert [each["text"] for each in merged["comments"]] == ["of the second"]
    await occur(platform, names[1])
    assert (await state(platform, second))["id"] == first
    assert (await state(platform, first))["occurrences"] == 4
    again = await change(platform, "mergeErrors", into=third, errors=[second])
    assert again["userErrors"][0]["field"] == ["input", "errors"]
    apart = (await change(platform, "unmergeError", error=second))["error"]
    assert (apart["id"], apart["occurrences"]) == (second, 2)
    assert (await state(platform, first))["occurrences"] == 2
    assert (await change(platform, "unmergeError", error=second))["userErrors"]


async def test_errors_of_two_projects_are_not_merged(platform: Platform, name: str) -> None:
    id = await occur(platform, name)
    other = await occur(platform, f"{name}x", project="notes")
    done = await change(platform, "mergeErrors", into=id, errors=[other])
    assert done["userErrors"][0]["field"] == ["input", "errors"]


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("resolveErrors", {}),
        ("ignoreErrors", {}),
        ("reopenErrors", {}),
        ("assignErrors", {}),
        ("commentError", {"text": "x"}),
        ("mergeErrors", {}),
        ("unmergeError", {}),
    ],
)
async def test_only_maintainers_of_the_project_change_errors(
    platform: Platform, name: str, action: str, given: dict[str, Any]
) -> None:
    id = await occur(platform, name)
    given |= {"errors": [id]} if action.endswith("Errors") else {"error": id}
    given |= {"into": id} if action == "mergeErrors" else {}
    before = await state(platform, id)
    kind = f"{action[0].upper()}{action[1:]}Input"
    document = f"mutation($i: {kind}!) {{ {action}(input: $i) {{ userErrors {{ code }} }} }}"
    assert isinstance(await platform.refused(document, READER, i=given), Forbidden)
    foreign = await platform.ask(document, FOE, i=given)
    unknown = given | {"errors": ["RXJyb3I6OTk6eA=="]} if "errors" in given else given
    assert {each["code"] for each in foreign[action]["userErrors"]} == {"NOT_FOUND"}
    assert (await platform.ask(document, FOE, i=unknown)) == foreign
    assert await state(platform, id) == before


@pytest.mark.parametrize(
    "given",
    [
        {"until": "2001-01-01T00:00:00Z"},
        {"occurrences": 0},
        {"occurrences": 3, "untilNextRelease": True},
        {"occurrences": 2**60},
    ],
)
async def test_what_makes_no_sense_is_refused(
    platform: Platform, name: str, given: dict[str, Any]
) -> None:
    id = await occur(platform, name)
    assert (await change(platform, "ignoreErrors", errors=[id], **given))["userErrors"]
    assert (await state(platform, id))["status"] == "OPEN"


async def test_changes_are_sent_to_subscribers(platform: Platform, name: str) -> None:
    id = await occur(platform, name)
    feed = Feed(platform.services.database)
    services = replace(platform.services, feed=feed)
    context = await Context.create(services, EVE, "request-1")
    async with running(feed.follow(), "feed"):
        changes = entity_changes(context, WATCHED_ERRORS, "store", None)
        assert (await anext(changes)).entity is None
        await change(platform, "resolveErrors", errors=[id])
        async with asyncio.timeout(5):
            changed = (await anext(changes)).entity
        assert changed is not None
        assert (changed.id, changed.status) == (id, 1)
        one = entity_changes(await Context.create(services, ADMIN, "r"), WATCHED_ERRORS, None, id)
        assert (await anext(one)).entity == changed
    context.release()
