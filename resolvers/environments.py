"""Environments of a project, such as production."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from resolvers.context import Context
from resolvers.identifiers import NodeKind, encode
from resolvers.projects import Project, project_by_id

_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment of one project."""

    id: str
    project_id: int
    environment_id: int
    name: str

    @classmethod
    def of(cls, row: Any) -> Environment:
        project_id, name = row["project_id"], row["name"]
        key = encode(NodeKind.ENVIRONMENT, project_id, _digest(name))
        return cls(key, project_id, row["environment_id"], name)


def _digest(name: str) -> str:
    """The name's form in ids: the dictionary's number would reveal that others use it."""
    return blake2b(name.encode(), digest_size=_DIGEST_BYTES).hexdigest()


async def environment_by_key(context: Context, project_id: int, digest: str) -> Environment | None:
    rows = await context.loaders.environments_of_project.load(project_id) or []
    return next((Environment.of(row) for row in rows if _digest(row["name"]) == digest), None)


async def environments_of_project(context: Context, project: Project) -> list[Environment]:
    rows = await context.loaders.environments_of_project.load(project.project_id)
    return [Environment.of(row) for row in rows or []]


async def project_of_environment(context: Context, environment: Environment) -> Project:
    project = await project_by_id(context, environment.project_id)
    assert project is not None, "environments are returned only inside the scope of their project"
    return project
