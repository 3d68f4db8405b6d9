"""Names that belong to a project, such as its environments: nodes of an interned dimension."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar, Self, TypeVar

from resolvers.context import Context
from resolvers.identifiers import encode
from resolvers.provisioned import Project
from storage.dimensions import ENDPOINT, ENVIRONMENT, FUNCTION, MODEL, Dimension
from storage.queries import names as queries

_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class NameInProject:
    """A name of a dimension that a project uses; each kind declares its dimension."""

    dimension: ClassVar[Dimension]

    id: str
    project_id: int
    number: int  # in the dimension's dictionary
    name: str

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls.named(row["project_id"], row["id"], row["name"])

    @classmethod
    def in_row(cls, row: Any) -> Self | None:
        """Returns the name that a row of an append fact has; None if it has none."""
        name = row[cls.dimension.name]
        return cls.named(row["project_id"], row[cls.dimension.column], name) if name else None

    @classmethod
    def named(cls, project_id: int, number: int, name: str) -> Self:
        key = encode(cls.dimension.name.capitalize(), project_id, _digest(name))
        return cls(key, project_id, number, name)


Kind = TypeVar("Kind", bound=NameInProject)


class Environment(NameInProject):
    """An environment of one project, such as production."""

    __slots__ = ()
    dimension = ENVIRONMENT


class Function(NameInProject):
    """A function of one project."""

    __slots__ = ()
    dimension = FUNCTION


class Endpoint(NameInProject):
    """An endpoint of one project's API."""

    __slots__ = ()
    dimension = ENDPOINT


class Model(NameInProject):
    """A language model that one project calls."""

    __slots__ = ()
    dimension = MODEL


# By the dimension that they are names of.
NAMES: dict[Dimension, type[NameInProject]] = {
    kind.dimension: kind for kind in (Environment, Function, Endpoint, Model)
}


def _digest(name: str) -> str:
    """The name's form in ids: the dictionary's number would reveal that others use it."""
    return blake2b(name.encode(), digest_size=_DIGEST_BYTES).hexdigest()


async def name_by_key(
    context: Context, kind: type[Kind], project_id: int, digest: str
) -> Kind | None:
    names = await _names(context, kind, project_id)
    return next((each for each in names if _digest(each.name) == digest), None)


async def names_of_project(context: Context, kind: type[Kind], project: Project) -> list[Kind]:
    return await _names(context, kind, project.project_id)


async def _names(context: Context, kind: type[Kind], project_id: int) -> list[Kind]:
    rows = await context.loaders.of(queries.of_projects, kind.dimension).load(project_id)
    return [kind.of(row) for row in rows or []]


async def seen(context: Context, name: NameInProject) -> tuple[datetime, datetime] | None:
    """Returns the times of the first and the last row with this name; None if there is none."""
    loader = context.loaders.of(queries.seen, name.dimension)
    row = await loader.load((name.project_id, name.number))
    return None if row is None else (row["first_at"], row["last_at"])
