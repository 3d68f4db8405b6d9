"""Environments: a project's named places, such as production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resolvers.context import Context
from resolvers.identifiers import NodeKind, encode
from resolvers.projects import Project, project_by_id


@dataclass(frozen=True, slots=True)
class Environment:
    """A named place of one project."""

    id: str
    project_id: int
    environment_id: int
    name: str

    @classmethod
    def of(cls, row: Any) -> Environment:
        project_id, environment_id = row["project_id"], row["environment_id"]
        key = encode(NodeKind.ENVIRONMENT, project_id, environment_id)
        return cls(key, project_id, environment_id, row["name"])


async def environment_by_key(
    context: Context, project_id: int | None, environment_id: int | None
) -> Environment | None:
    if project_id is None or environment_id is None:
        return None
    row = await context.loaders.environment_by_key.load((project_id, environment_id))
    return None if row is None else Environment.of(row)


async def environments_of_project(context: Context, project: Project) -> list[Environment]:
    rows = await context.loaders.environments_of_project.load(project.project_id)
    return [Environment.of(row) for row in rows or []]


async def project_of_environment(context: Context, environment: Environment) -> Project:
    project = await project_by_id(context, environment.project_id)
    assert project is not None, "an environment is only shown inside the scope of its project"
    return project
