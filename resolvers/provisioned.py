"""Projects, networks and templates, which admins provision: by id, by name, and as lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self, TypeVar

from access.scopes import Scope
from resolvers.context import Context
from resolvers.identifiers import encode_number
from resolvers.pages import Connection, PageArguments, table_page
from storage.dimensions import NETWORK, OTHER, PROJECT, TEMPLATE, Dimension
from storage.queries.conditions import Condition, Filter, Operator
from storage.queries.paging import PageRequest
from storage.queries.provisioned import BY_NAME

# Admins provision networks; more than this are too many to list without pages.
MAX_NETWORKS = 500


@dataclass(frozen=True, slots=True)
class ProvisionedNode:
    """A row of a dimension, its number and its name first; each kind declares the dimension."""

    dimension: ClassVar[Dimension]

    @property
    def id(self) -> str:
        number = getattr(self, self.columns()[0])
        return encode_number(self.dimension.name.capitalize(), number)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return cls.__match_args__

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(*[row[name] for name in cls.columns()])


Kind = TypeVar("Kind", bound=ProvisionedNode)


@dataclass(frozen=True, slots=True)
class Project(ProvisionedNode):
    """A tenant's project."""

    dimension = PROJECT

    project_id: int
    slug: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Network(ProvisionedNode):
    """A network that deployments go to."""

    dimension = NETWORK

    network_id: int
    name: str
    title: str
    chain_id: str | int | None
    created_at: datetime

    def __post_init__(self) -> None:
        """Chain ids become texts: they need more than the 32 bits of GraphQL's Int."""
        if isinstance(self.chain_id, int):
            object.__setattr__(self, "chain_id", str(self.chain_id))


@dataclass(frozen=True, slots=True)
class TemplateName(ProvisionedNode):
    """A template's slug and name, which suffice for most lists of deployments."""

    dimension = TEMPLATE

    template_id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Template(TemplateName):
    """A deployable thing of the platform's catalogue."""

    description: str | None
    category: str | None
    tags: Sequence[str]
    created_at: datetime


class _Later:
    """An awaitable column of a row: fields that need only the number do not wait for it."""

    __slots__ = ("_column", "_load")

    def __init__(self, load: Callable[[], Awaitable[Any]], column: str) -> None:
        self._load, self._column = load, column

    def __await__(self) -> Generator[Any, Any, Any]:
        return getattr((yield from self._load().__await__()), self._column)


async def by_name(
    context: Context, kind: type[Kind], name: str, *, defer: bool = False
) -> Kind | None:
    """Returns a node, or None; with `defer`, fields await the columns but number and name."""
    dimension = kind.dimension
    if dimension.any_case:
        name = name.lower()
    rows = context.loaders.provisioned(dimension, dimension.label)

    async def load() -> Kind | None:
        row = await rows.load(name)
        return None if row is None else kind.of(row)

    if not defer:
        return await load()
    number = await _number(context, dimension, name)
    if number is None:
        return None
    first, second, *others = kind.columns()
    return kind.of({first: number, second: name} | {each: _Later(load, each) for each in others})


async def _number(context: Context, dimension: Dimension, name: str) -> int | None:
    if dimension is PROJECT:
        return await context.project_id(name)
    number = (await context.services.dictionaries.ids(dimension, [name])).get(name, OTHER)
    return number if number > OTHER else None


async def by_id(context: Context, kind: type[Kind], number: int) -> Kind | None:
    row = await context.loaders.provisioned(kind.dimension).load(number)
    return None if row is None else kind.of(row)


class OfProject(Protocol):
    """Something inside a project."""

    @property
    def project_id(self) -> int: ...


async def project_of(context: Context, thing: OfProject) -> Project:
    found = await by_id(context, Project, thing.project_id)
    assert found is not None, "things are returned only inside the scope of their project"
    return found


async def projects(
    context: Context, page: PageArguments, search: str | None
) -> Connection[Project]:
    """Returns a page of projects by slug; `search` is a substring of slug or name."""
    return await table_page(context, page, BY_NAME[PROJECT], Project.of, _matching(search))


async def networks(context: Context) -> list[Network]:
    database, every = context.services.database, PageRequest(MAX_NETWORKS)
    found = await BY_NAME[NETWORK].find(database, Scope.everything(), (), every)
    return [Network.of(row) for row in found.rows]


async def templates(
    context: Context, page: PageArguments, search: str | None, category: str | None
) -> Connection[Template]:
    """Returns a page of templates by slug; `search` is a substring of slug or name."""
    conditions = _matching(search)
    if category is not None:
        conditions = (*conditions, Condition(("category",), Operator.EQ, category))
    return await table_page(context, page, BY_NAME[TEMPLATE], Template.of, conditions)


def _matching(search: str | None) -> Filter:
    """Rows whose slug or name contains the text."""
    return (Condition(("slug", "name"), Operator.CONTAINS, search),) if search else ()
