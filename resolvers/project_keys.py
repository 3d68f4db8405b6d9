"""Project keys: whoever manages a project creates, changes, lists and revokes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from access import project_keys as keys
from access.dsn import Dsn
from resolvers.context import Context
from resolvers.user_errors import InputCode, UserError, no_project, too_many, wrong
from storage.admin import dropped_events
from storage.admin import project_keys as table
from storage.admin.dropped_events import DroppedEvents
from storage.admin.project_keys import KeySettings, ProjectKey
from storage.errors import InvalidInput

MAX_DAYS = 90


@dataclass(frozen=True, slots=True)
class Changed:
    """The stored key, or the errors."""

    project_key: ProjectKey | None
    user_errors: list[UserError]


async def create(context: Context, project: str, settings: KeySettings) -> Changed:
    """Creates a key of a project in scope."""
    project_id = await context.project_id(project)
    if project_id is None:
        return Changed(None, [no_project(project)])
    if errors := _errors(settings):
        return Changed(None, errors)
    key = keys.make(project_id, project, settings, by=context.viewer.subject, now=context.now)
    async with context.transaction() as connection:
        done = await table.add(connection, key)
    if not done:
        most = table.KEYS_OF_PROJECT_AT_MOST
        message = f"The project already has {most} keys, the most allowed: revoke one first."
        return Changed(None, [too_many(message)])
    return Changed(key, [])


async def update(context: Context, id: str, changes: Mapping[str, Any]) -> Changed:
    """Changes the given settings of a key of a project in scope."""
    async with context.transaction() as connection:
        key = await table.lock(connection, id)
        if key is None or key.project_id not in context.scope:
            return _no_key(id)
        settings = replace(key, **changes)
        if errors := _errors(settings):
            return Changed(None, errors)
        await table.change(connection, key.public_key, settings)
    return Changed(settings, [])


async def revoke(context: Context, id: str) -> Changed:
    """Revokes a key; returns one already revoked unchanged."""
    async with context.transaction() as connection:
        key = await table.lock(connection, id)
        if key is None or key.project_id not in context.scope:
            return _no_key(id)
        await table.revoke(connection, key.public_key, context.viewer.subject, context.now)
        revoked = await table.lock(connection, id)
    return Changed(revoked, [])


async def project_keys(context: Context, project: str) -> list[ProjectKey]:
    """Returns the keys of a project in scope, newest first; raises NotFound."""
    project_id = await context.required_project_id(project)
    return await table.find_of(context.services.database, project_id)


async def dropped(context: Context, project: str, days: int) -> list[DroppedEvents]:
    """Returns what was dropped of a project in scope today and on the days before."""
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"days is {days}, but must lie from 1 to {MAX_DAYS}.", path="days")
    project_id = await context.required_project_id(project)
    since = context.now.date() - timedelta(days=days - 1)
    return await dropped_events.find(context.services.database, project_id, since)


def dsn(context: Context, key: ProjectKey) -> str | None:
    """The text that SDKs are set up with; None where the address of the gateway is not known."""
    parts = urlsplit(context.public_url)
    if not parts.netloc:
        return None
    path = f"{parts.path.rstrip('/')}/"
    return str(Dsn(parts.scheme, key.public_key, parts.netloc, path, str(key.project_id)))


def _errors(settings: KeySettings) -> list[UserError]:
    return [wrong(field, message) for field, message in keys.problems(settings)]


def _no_key(id: str) -> Changed:
    return Changed(None, [wrong("id", f"There is no key {id!r}.", InputCode.NOT_FOUND)])
