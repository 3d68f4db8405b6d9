"""Projects, networks and templates, which admins provision: by id, by name, and as lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeVar

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


class ProvisionedNode(tuple[Any, ...]):
    """A row of a dimension, its number and its name first; each kind declares the dimension.

    Its type, whose fields are columns, is a tuple, because lists make many of them.
    """

    __slots__ = ()
    dimension: ClassVar[Dimension]

    @property
    def id(self) -> str:
        return encode_number(self.dimension.name.capitalize(), self[0])

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return cls._fields  # type: ignore[attr-defined,no-any-return] # each is a NamedTuple

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls._make([row[name] for name in cls.columns()])  # type: ignore[attr-defined,no-any-return]


Kind = TypeVar("Kind", bound=ProvisionedNode)


class _Project(NamedTuple):
    project_id: int
    slug: str
    name: str
    created_at: datetime


class Project(_Project, ProvisionedNode):
    """A tenant's project."""

    __slots__ = ()
    dimension = PROJECT


class _Network(NamedTuple):
    network_id: int
    name: str
    title: str
    chain_id: str | None
    created_at: datetime


class Network(_Network, ProvisionedNode):
    """A network that deployments go to."""

    __slots__ = ()
    dimension = NETWORK

    @classmethod
    def of(cls, row: Any) -> Self:
        """Chain ids become texts: they need more than the 32 bits of GraphQL's Int."""
        found, chain_id = super().of(row), row["chain_id"]
        return found._replace(chain_id=str(chain_id)) if isinstance(chain_id, int) else found


class _TemplateName(NamedTuple):
    template_id: int
    slug: str
    name: str


class TemplateName(_TemplateName, ProvisionedNode):
    """A template's slug and name, which suffice for most lists of deployments."""

    __slots__ = ()
    dimension = TEMPLATE


class _Template(NamedTuple):
    template_id: int
    slug: str
    name: str
    description: str | None
    category: str | None
    tags: Sequence[str]
    created_at: datetime


class Template(_Template, ProvisionedNode):
    """A deployable thing of the platform's catalogue."""

    __slots__ = ()
    dimension = TEMPLATE


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
        return (await context.project_ids([name])).get(name)
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
