"""Documents about alerts, and the people who ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from access.viewers import Role, Viewer
from tests.schema.platform import ADMIN, Platform

ERRORS = "userErrors { field code message }"
TRIGGER = """trigger {
  watch { measure window for keepFiring groupBy filter { dimension names }
    guard { kind minSample significant }
    comparison { absence threshold { operator bound }
      change { operator factor baseline baselineLength } } }
  event { kind count after keepFiring filter { dimension names } } }"""
ALERT = f"""id name state severity enabled revision channels createdBy changedBy preset title text
  project {{ slug }} labels {{ name value }} {TRIGGER}"""
CREATE = f"""mutation($input: CreateAlertInput!) {{
  createAlert(input: $input) {{ alert {{ {ALERT} }} {ERRORS} }} }}"""
UPDATE = f"""mutation($input: UpdateAlertInput!) {{
  updateAlert(input: $input) {{ alert {{ {ALERT} }} {ERRORS} }} }}"""
DELETE = f"""mutation($input: DeleteAlertInput!) {{
  deleteAlert(input: $input) {{ deleted {ERRORS} }} }}"""
SWITCH = f"""mutation($input: SetAlertEnabledInput!) {{
  setAlertEnabled(input: $input) {{ alert {{ {ALERT} }} {ERRORS} }} }}"""
ACKNOWLEDGE = f"""mutation($input: AcknowledgeAlertInput!) {{
  acknowledgeAlert(input: $input) {{ alert {{ id instances {{ name acknowledgedBy }} }} {ERRORS} }}
}}"""
ONE = f"query($id: ID!) {{ alert(id: $id) {{ {ALERT} deletedAt }} }}"
LIST = f"""query($filter: AlertFilter, $search: String, $orderBy: AlertOrder, $first: Int,
  $after: String) {{ alerts(filter: $filter, search: $search, orderBy: $orderBy, first: $first,
  after: $after) {{ totalCount nodes {{ {ALERT} }} pageInfo {{ hasNextPage endCursor }} }} }}"""

FAILURES: dict[str, Any] = {
    "watch": {
        "measure": "DEPLOYMENT_FAILURE_RATE",
        "window": "PT1H",
        "comparison": {"threshold": {"operator": "ABOVE", "bound": 0.1}},
    }
}


def maintainer(*slugs: str) -> Viewer:
    return Viewer(f"keeper-of-{slugs[0]}", frozenset({Role.MAINTAINER}), frozenset(slugs))


def reader(*slugs: str) -> Viewer:
    return replace(maintainer(*slugs), roles=frozenset({Role.VIEWER}))


async def new_project(platform: Platform) -> str:
    """The slug of a project of its own."""
    slug = f"p-{uuid4().hex[:10]}"
    document = "mutation($input: ProjectInput!) { upsertProject(input: $input) { __typename } }"
    await platform.ask(document, ADMIN, input={"slug": slug})
    return slug


async def changed(
    platform: Platform, document: str, viewer: Viewer, **given: Any
) -> dict[str, Any]:
    """The payload of a mutation."""
    data = await platform.ask(document, viewer, input=given)
    (payload,) = data.values()
    return dict(payload)


async def created(platform: Platform, project: str | None, **given: Any) -> dict[str, Any]:
    """A new alert, made by a maintainer of its project or by an admin."""
    viewer = ADMIN if project is None else maintainer(project)
    given = {"name": f"a-{uuid4().hex[:8]}", "trigger": FAILURES, "project": project} | given
    payload = await changed(platform, CREATE, viewer, **given)
    assert payload["userErrors"] == []
    return dict(payload["alert"])
