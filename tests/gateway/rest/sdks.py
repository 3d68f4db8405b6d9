"""A gateway with a project and its key, envelopes for it, and what became of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from access import project_keys
from access.viewers import Role
from storage.admin import project_keys as table
from storage.admin.project_keys import KeySettings, ProjectKey
from storage.connections.database import Database
from storage.dictionaries import upsert_project
from tests.gateway.application import AppClient, as_role, running, settings_for


def event(text: str = "it broke", **changes: Any) -> dict[str, Any]:
    """An error as an SDK sends it."""
    given = {
        "event_id": uuid4().hex,
        "timestamp": datetime.now(UTC).timestamp(),
        "platform": "python",
        "level": "error",
        "exception": {"values": [{"type": "ValueError", "value": text}]},
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not ...}


def item(payload: Any, kind: str = "event", **header: Any) -> bytes:
    """An item with its length, unless the header says otherwise."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    fields = {"type": kind, "length": len(body), **header}
    shown = {name: value for name, value in fields.items() if value is not ...}
    return json.dumps(shown).encode() + b"\n" + body + b"\n"


def envelope(*items: bytes, **header: Any) -> bytes:
    return json.dumps(header).encode() + b"\n" + b"".join(items)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of what was sent with a key of a project of its own."""

    database: Database
    key: ProjectKey

    async def stored(self) -> list[dict[str, Any]]:
        """The errors of the project, in the order of their times."""
        return await self.fetch(
            "select event_id, occurred_at, release, fingerprint_id from error_occurrences"
            " where project_id = $1 order by occurred_at, event_id"
        )

    async def ids(self) -> set[UUID]:
        return {row["event_id"] for row in await self.stored()}

    async def bodies(self) -> list[dict[str, Any]]:
        rows = await self.fetch("select body from error_bodies where project_id = $1")
        return [row["body"] for row in rows]

    async def counted(self) -> Counter[tuple[str, str]]:
        """What was dropped, by category and reason, as far as it is written."""
        rows = await self.fetch(
            "select category, reason, events from dropped_events where project_id = $1"
        )
        counts: Counter[tuple[str, str]] = Counter()
        for row in rows:
            counts[row["category"], row["reason"]] += row["events"]
        return counts

    async def fetch(self, statement: str) -> list[dict[str, Any]]:
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(statement, self.key.project_id)]


@dataclass(frozen=True, slots=True)
class Sdk(Outcome):
    """Sends to a gateway in this process."""

    client: AppClient

    @property
    def auth(self) -> dict[str, str]:
        return {"x-sentry-auth": f"Sentry sentry_version=7, sentry_key={self.key.public_key}"}

    def path(self, kind: str = "envelope") -> str:
        return f"/api/{self.key.project_id}/{kind}/"

    async def post(self, body: bytes, kind: str = "envelope", **headers: str) -> httpx.Response:
        return await self.client.post(
            self.path(kind), content=body, headers={**self.auth, **headers}
        )

    async def send(self, *events: dict[str, Any], **header: Any) -> httpx.Response:
        return await self.post(envelope(*map(item, events), **header))

    def forget(self) -> None:
        """Makes the gateway look up the key again."""
        self.client.gateway.sdks.keys.stored._accepted.clear()

    async def dropped(self) -> Counter[tuple[str, str]]:
        """What was dropped, by category and reason."""
        await self.client.gateway.sdks.drops.write()
        return await self.counted()


ERRORS = """query($project: String!) {
  errors(filter: { projects: [$project] }, first: 20) {
    nodes { title occurrences latestOccurrences(first: 20) { nodes { eventId release } } }
  }
}"""


@dataclass(frozen=True, slots=True)
class Group:
    """An error as the API answers it."""

    title: str
    occurrences: int
    ids: frozenset[UUID]


async def answered(url: str, key: ProjectKey) -> tuple[list[Group], str]:
    """The errors of the key's project as the API answers them to a viewer, and the answer."""
    body = {"query": ERRORS, "variables": {"project": key.project}}
    async with httpx.AsyncClient() as client:
        headers = as_role(Role.VIEWER, projects=(key.project,))
        answer = await client.post(f"{url}/graphql", json=body, headers=headers)
    assert "errors" not in answer.json(), answer.text
    nodes = answer.json()["data"]["errors"]["nodes"]
    groups = [
        Group(
            node["title"],
            node["occurrences"],
            frozenset(UUID(one["eventId"]) for one in node["latestOccurrences"]["nodes"]),
        )
        for node in nodes
    ]
    return groups, answer.text


async def new_key(database: Database, **settings: Any) -> ProjectKey:
    """A key of a new project."""
    slug = f"sdk-{uuid4().hex[:12]}"
    async with database.transaction() as connection:
        project_id = await upsert_project(connection, slug)
        given = {"name": "tests", "events_per_minute": 10_000, **settings}
        now = datetime.now(UTC)
        key = project_keys.make(project_id, slug, KeySettings(**given), by="tests", now=now)
        await table.add(connection, key)
    return key


async def new_sdk(client: AppClient, **settings: Any) -> Sdk:
    """A sender with a key of a new project."""
    database = client.gateway.services.database
    return Sdk(database, await new_key(database, **settings), client)


@asynccontextmanager
async def gateway(database_url: str, redis_url: str, **settings: Any) -> AsyncIterator[AppClient]:
    async with running(settings_for(database_url, redis_url, **settings)) as client:
        yield client
