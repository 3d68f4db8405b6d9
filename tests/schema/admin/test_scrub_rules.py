"""Rules of a project for what is secret: set by its managers, applied to what comes after."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from access.viewers import Role, Viewer
from ingest import project_rules
from storage.errors import Forbidden, NotFound
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, Platform
from tests.servers import Databases

SET = """mutation($input: ScrubRulesInput!) { setScrubRules(input: $input) {
  scrubRules { names patterns } userErrors { field code message } } }"""
READ = "query($project: String!) { scrubRules(project: $project) { names patterns } }"
KEEPER = Viewer("keeper", frozenset({Role.MAINTAINER}), frozenset({"shop"}))
NONE: dict[str, Any] = {"names": [], "patterns": []}


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, since it writes."""
    async with opened(url) as platform:
        yield platform


async def put(platform: Platform, project: str = "shop", **rules: Any) -> dict[str, Any]:
    data = await platform.ask(SET, KEEPER, input={"project": project, **rules})
    payload: dict[str, Any] = data["setScrubRules"]
    return payload


async def stored_body(platform: Platform, project: str, **fields: Any) -> dict[str, Any]:
    """The body of an error that is recorded now."""
    sent = {"id": str(uuid4()), "type": "error.occurred", "time": NOW.isoformat()}
    await platform.services.intake.record([sent | {"project": project} | fields], ADMIN)
    async with platform.services.database.connection() as connection:
        body: dict[str, Any] = await connection.fetchval(
            "select body from error_bodies where event_id = $1::text::uuid", sent["id"]
        )
    return body


async def test_rules_take_the_place_of_those_before(platform: Platform) -> None:
    assert (await platform.ask(READ, KEEPER, project="shop"))["scrubRules"] == NONE
    first = await put(platform, names=["customer ref", " customer ref "], patterns=["acct-*"])
    assert first["userErrors"] == []
    assert first["scrubRules"]["names"] == ["customer ref"]
    await put(platform, patterns=["KD-######"])
    assert (await platform.ask(READ, KEEPER, project="shop"))["scrubRules"] == {
        "names": [],
        "patterns": ["KD-######"],
    }


async def test_a_change_of_rules_that_others_have_changed_is_refused(platform: Platform) -> None:
    read = '{ scrubRules(project: "shop") { names patterns revision } }'
    revision = (await platform.ask(read, KEEPER))["scrubRules"]["revision"]
    changed = await put(platform, names=["ours"], revision=revision)
    assert changed["userErrors"] == []
    lost = await put(platform, names=["theirs"], revision=revision)
    assert lost["scrubRules"] is None
    (error,) = lost["userErrors"]
    assert (error["field"], error["code"]) == (["input", "revision"], "CONFLICT")
    after = (await platform.ask(read, KEEPER))["scrubRules"]
    assert (after["names"], after["patterns"]) == (["ours"], [])
    assert after["revision"] != revision


async def test_of_changes_of_one_revision_at_once_one_is_made(platform: Platform) -> None:
    read = '{ scrubRules(project: "blog") { names revision } }'
    revision = (await platform.ask(read, ADMIN))["scrubRules"]["revision"]
    given = [{"project": "blog", "names": [f"name {n}"], "revision": revision} for n in range(4)]
    done = await asyncio.gather(*[platform.ask(SET, ADMIN, input=one) for one in given])
    made = [
        one["setScrubRules"]["scrubRules"] for one in done if one["setScrubRules"]["scrubRules"]
    ]
    assert len(made) == 1
    assert (await platform.ask(read, ADMIN))["scrubRules"]["names"] == made[0]["names"]


async def test_rules_apply_to_what_comes_after(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_rules, "FRESH_SECONDS", 0.0)
    await put(platform, names=["customer ref"], patterns=["acct-*"])
    sent = {"message": "no acct-17/4", "attributes": {"customerRef": "Müller", "other": "x"}}
    body = await stored_body(platform, "shop", **sent)
    assert body["extra"] == {"customerRef": "[secret]", "other": "x"}
    assert body["message"] == "no [secret]"
    assert (await stored_body(platform, "blog", **sent))["extra"]["customerRef"] == "Müller"


async def test_rules_apply_to_the_names_of_log_lines(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_rules, "FRESH_SECONDS", 0.0)
    await put(platform, patterns=["acct-*"])
    sent = {"type": "log.line", "time": NOW.isoformat(), "project": "shop", "message": "slow"}
    named = {"logger": "jobs acct-17/4", "function": "pay", "release": "acct-3", "spanId": "acct-9"}
    found_beside = {"environment": "hunter2-correct", "fields": {"password": "hunter2-correct"}}
    await platform.services.intake.record([sent | named | found_beside], ADMIN)
    document = """{ logLines(filter: {projects: ["shop"]}) { nodes {
      logger release spanId message fields function { name } environment { name } } } }"""
    (line,) = (await platform.ask(document, ADMIN))["logLines"]["nodes"]
    assert line == {
        "logger": "jobs [secret]",
        "release": "[secret]",
        "spanId": "[secret]",
        "message": "slow",
        "fields": {"password": "[secret]"},
        "function": {"name": "pay"},
        "environment": {"name": "[secret]"},
    }


async def test_no_part_of_a_secret_across_the_limit_is_stored(platform: Platform) -> None:
    secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    for room in (10, 25):
        text = "x " * ((10_000 - room) // 2) + f"{secret} and more\n" * 3
        body = await stored_body(platform, "blog", message=text, stackTrace=text)
        assert len(str(body)) > 20_000
        assert secret[:8] not in str(body)


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"names": ["!!"]}, "names"),
        ({"names": ["x"] * 51}, "names"),
        ({"patterns": ["a*"]}, "patterns"),
        ({"patterns": ["****"]}, "patterns"),
        ({"patterns": ["abc\0"]}, "patterns"),
    ],
)
async def test_rules_that_say_nothing_are_refused(
    platform: Platform, rules: dict[str, Any], field: str
) -> None:
    payload = await put(platform, **rules)
    assert payload["scrubRules"] is None
    assert payload["userErrors"][0]["field"] == ["input", field]


async def test_only_those_who_manage_the_project_see_and_set_them(platform: Platform) -> None:
    assert isinstance(await platform.refused(READ, ADA, project="shop"), Forbidden)
    assert isinstance(await platform.refused(READ, KEEPER, project="rival"), NotFound)
    payload = await put(platform, "rival", names=["x"])
    assert payload["userErrors"][0]["code"] == "NOT_FOUND"
    assert payload == await put(platform, "rival", names=["x"])


async def test_the_audit_log_shows_no_pattern(platform: Platform) -> None:
    await put(platform, patterns=["hunter2-live"])
    async with platform.services.database.connection() as connection:
        log = await connection.fetchval("select string_agg(details::text, ' ') from audit_log")
    assert "hunter2" not in log
