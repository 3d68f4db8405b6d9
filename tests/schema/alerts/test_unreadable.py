"""A stored rule that is none any more is shown with its problem, replaced and deleted."""

from typing import Any
from uuid import UUID

import pytest

from resolvers.identifiers import decode
from tests.schema.alerts.asking import (
    DELETE,
    FAILURES,
    SWITCH,
    UPDATE,
    changed,
    created,
    maintainer,
    reader,
)
from tests.schema.platform import Platform

SHOWN = """id name severity enabled channels health problem trigger { watch { measure } }
  labels { name } explain { notes } revisions { name trigger { event { kind } } }"""
LIST = f"""query($filter: AlertFilter, $orderBy: AlertOrder, $first: Int, $after: String) {{
  alerts(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{
    totalCount nodes {{ {SHOWN} }} pageInfo {{ endCursor }} }} }}"""
UNKNOWN = {"kind": "watch", "measure": "deployments.luck", "window_seconds": 3_600}
UNKNOWN["comparison"] = {"kind": "threshold", "operator": "above", "bound": 0.1}
ON_DIMENSION = {"kind": "event", "event": "build_failed", "filter": {"planet": ["mars"]}}
DOCUMENTS: list[tuple[Any, str]] = [
    ([], "What is stored cannot be read: a field is missing."),
    ({"name": "x", "severity": "fatal", "trigger": 7, "labels": {"team": "a"}}, "trigger: "),
    ({"name": "x", "trigger": {"kind": "watch", "measure": "deployments.failed"}}, "trigger.watch"),
    ({"name": "x", "trigger": UNKNOWN}, "There is no measure 'deployments.luck'."),
    ({"name": "x", "trigger": ON_DIMENSION}, "There is no dimension 'planet'."),
]


async def broken(platform: Platform, project: str, document: Any) -> dict[str, Any]:
    """An alert whose document was written by another version."""
    made = await created(platform, project)
    rule_id = UUID(decode(made["id"]).key)
    async with platform.services.database.transaction() as connection:
        for table in ("alert_rules", "alert_revisions"):
            statement = f"update {table} set document = $2 where rule_id = $1"
            await connection.execute(statement, rule_id, document)
    return made


@pytest.mark.parametrize(("document", "problem"), DOCUMENTS)
async def test_it_is_shown_replaced_and_deleted(
    platform: Platform, project: str, document: Any, problem: str
) -> None:
    made = await broken(platform, project, document)
    other = await created(platform, project)
    given = {"filter": {"projects": [project]}}
    answer = (await platform.ask(LIST, reader(project), **given))["alerts"]
    shown = {each["id"]: each for each in answer["nodes"]}
    assert shown[other["id"]]["problem"] is None
    bad = shown[made["id"]]
    assert (bad["name"], bad["health"], bad["trigger"]) == (made["name"], "ERROR", None)
    assert problem in bad["problem"]
    assert bad["explain"]["notes"] == [bad["problem"]]
    assert bad["severity"] == "WARNING"
    keeper = maintainer(project)
    refused = await changed(platform, UPDATE, keeper, id=made["id"], name="other")
    assert [each["field"] for each in refused["userErrors"]] == [["input", "trigger"]]
    refused = await changed(platform, SWITCH, keeper, id=made["id"], enabled=False)
    assert problem in refused["userErrors"][0]["message"]
    # Others of the project are made as ever.
    await created(platform, project)
    mended = await changed(platform, UPDATE, keeper, id=made["id"], trigger=FAILURES)
    assert mended["userErrors"] == []
    assert mended["alert"]["trigger"]["watch"]["measure"] == "DEPLOYMENT_FAILURE_RATE"
    again = await broken(platform, project, document)
    assert (await changed(platform, DELETE, keeper, id=again["id"]))["deleted"] == again["id"]


async def test_pages_sorted_by_severity_lose_none(platform: Platform, project: str) -> None:
    await broken(platform, project, {"severity": None})
    for severity in ("INFO", "CRITICAL"):
        await created(platform, project, severity=severity)
    seen, after = [], None
    for _ in range(3):
        given = {"filter": {"projects": [project]}, "orderBy": {"field": "SEVERITY"}}
        page = (await platform.ask(LIST, reader(project), **given, first=1, after=after))["alerts"]
        seen += [each["severity"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == ["CRITICAL", "WARNING", "INFO"]
    given = {"filter": {"projects": [project], "severities": ["WARNING"]}}
    assert (await platform.ask(LIST, reader(project), **given))["alerts"]["totalCount"] == 1
