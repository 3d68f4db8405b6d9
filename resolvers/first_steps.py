"""First steps of a project: how to send the first event, and whether it has arrived."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from access.viewers import Permission
from resolvers.context import Context
from resolvers.project_keys import dsn
from resolvers.provisioned import Project
from storage.admin import project_keys
from storage.errors import Forbidden
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries import first_events

NO_DSN = "<DSN>"
NO_URL = "https://<this gateway>"


class Sender(StrEnum):
    """What the first event is sent with."""

    PYTHON = "python"
    NODE = "node"
    BROWSER = "browser"
    CURL = "curl"


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that sends an event."""

    sender: Sender
    title: str
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Whether events have come, and code to send one."""

    has_events: bool
    has_errors: bool
    first_event_at: datetime | None
    dsn: str | None
    advice: str
    snippets: list[Snippet]


async def first_steps(context: Context, project: Project) -> FirstSteps:
    """Returns the first steps; raises Forbidden for a viewer who can neither record nor manage."""
    viewer = context.viewer
    if not viewer.may(Permission.RECORD) and not viewer.may(Permission.MANAGE):
        raise Forbidden("First steps are for those who record events or manage the project.")
    first = await context.loaders.of(first_events.of_projects).load(project.project_id) or {}
    key = await context.loaders.of(project_keys.live_of_projects).load(project.project_id)
    address = None if key is None else dsn(context, key)
    return FirstSteps(
        has_events=bool(first),
        has_errors=ERROR_OCCURRENCES.name in first,
        first_event_at=min(first.values(), default=None),
        dsn=address,
        advice=_advice(project.slug, first, address),
        snippets=snippets(address, context.public_url or NO_URL, project.slug),
    )


def _advice(slug: str, first: dict[str, datetime], address: str | None) -> str:
    if first:
        at = min(first.values()).strftime("%Y-%m-%d %H:%M UTC")
        return f"The first event arrived, of {at}: nothing is left to do."
    if address is None:
        given = f'{{project: {json.dumps(slug)}, name: "first"}}'
        return (
            "Create a key, which a maintainer or an admin may do: mutation { createProjectKey("
            f"input: {given}) {{ projectKey {{ dsn }} userErrors {{ message }} }} }}"
        )
    return "Run one of the snippets: no event has arrived yet."


def snippets(dsn: str | None, url: str, slug: str) -> list[Snippet]:
    """Returns code for each SDK, and a request that needs none."""
    plain = Snippet(Sender.CURL, "Plain event (curl)", "shell", _curl(url, slug))
    return [*sdk_snippets(dsn), plain]


def sdk_snippets(dsn: str | None) -> list[Snippet]:
    """Returns code for each SDK, with a DSN if there is one."""
    dsn = dsn or NO_DSN
    return [
        Snippet(
            Sender.PYTHON, "Python (sentry-sdk)", "python", _PYTHON.format(dsn=json.dumps(dsn))
        ),
        Snippet(Sender.NODE, "Node.js (@sentry/node)", "javascript", _script("node", dsn)),
        Snippet(Sender.BROWSER, "Browser (@sentry/browser)", "javascript", _script("browser", dsn)),
    ]


_PYTHON = """\
# pip install sentry-sdk
import sentry_sdk

sentry_sdk.init(dsn={dsn}, release="1.0.0")

sentry_sdk.capture_exception(RuntimeError("the first error"))
sentry_sdk.flush()
"""

_SCRIPT = """\
// npm install @sentry/{package}
import * as Sentry from "@sentry/{package}";

Sentry.init({{ dsn: {dsn}, release: "1.0.0" }});

Sentry.captureException(new Error("the first error"));
"""


def _script(package: str, dsn: str) -> str:
    code = _SCRIPT.format(package=package, dsn=json.dumps(dsn))
    return f"{code}await Sentry.flush(2000);\n" if package == "node" else code


def _curl(url: str, slug: str) -> str:
    event = {
        "type": "error.occurred",
        "project": slug,
        "errorType": "RuntimeError",
        "message": "the first error",
        "release": "1.0.0",
    }
    # In single quotes, the shell reads everything but another one as it is.
    body = json.dumps(event).replace("'", "'\\''").removeprefix("{")
    return f"""\
# TOKEN is a token with the role ingest: gateway token create ci --role ingest --project …
curl {url}/v1/events \\
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{{"time": "'"$(date -u +%FT%TZ)"'", {body}'
"""
