"""Connections: checks page arguments, reads a page and makes edges of its rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from access.scopes import Scope
from resolvers.context import Context
from resolvers.cursors import CursorSigner, foreign_cursor
from storage.errors import InvalidInput, LimitExceeded
from storage.queries.conditions import Filter
from storage.queries.paging import Page, PageRequest, Position, TableList, parse_values

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
# Larger totals are reported as this number and marked as an estimate.
MAX_COUNTED = 10_000

Node = TypeVar("Node")


@dataclass(frozen=True, slots=True)
class PageArguments:
    """A connection's arguments."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    with_total: bool = False  # whether the query selects the total

    def request(self, read_cursor: Callable[[str, str], Position]) -> PageRequest:
        """The page that is meant; `read_cursor` takes a cursor and its argument's name."""
        if self.first is not None and self.last is not None:
            raise InvalidInput("Both first and last are given: give one of them.", path="last")
        backward = self.last is not None
        name, size = ("last", self.last) if backward else ("first", self.first)
        return PageRequest(
            size=page_size(DEFAULT_PAGE_SIZE if size is None else size, name),
            after=None if self.after is None else read_cursor(self.after, "after"),
            before=None if self.before is None else read_cursor(self.before, "before"),
            backward=backward,
        )


def page_size(size: int, name: str = "first", most: int = MAX_PAGE_SIZE) -> int:
    if size < 0:
        raise InvalidInput(f"{name} is {size}, but must not be negative.", path=name)
    if size > most:
        raise LimitExceeded(
            f"{name} is {size}, but at most {most} are returned at once.",
            limit=f"page size: {most}",
            path=name,
        )
    return size


class Edge(NamedTuple, Generic[Node]):
    """A node; its cursor is signed when it is read, which is seldom."""

    node: Node
    sign: Callable[[Node], str]

    @property
    def cursor(self) -> str:
        return self.sign(self.node)


@dataclass(frozen=True, slots=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    edges: list[Edge[Any]]

    @property
    def start_cursor(self) -> str | None:
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        return self.edges[-1].cursor if self.edges else None


@dataclass(frozen=True, slots=True)
class Connection(Generic[Node]):
    """One page, with the total if the query selects it."""

    edges: list[Edge[Node]]
    nodes: list[Node]
    page_info: PageInfo
    total_count: int | None = None
    is_estimate: bool | None = None


@dataclass(frozen=True, slots=True)
class Listing(Generic[Node]):
    """A list and its order, such as "build:created_at:desc": how rows are read and become nodes."""

    ordering: str
    find: Callable[[PageRequest], Awaitable[Page[Any]]]
    count: Callable[[int], Awaitable[int]]  # counts up to a limit
    nodes: Callable[[Sequence[Any]], Awaitable[list[Node]]]
    values: Callable[[Node], Sequence[Any]]  # a node's values in the order columns, for JSON
    position: Callable[[list[Any]], Position]  # parses these values

    async def page(
        self, context: Context, scope: Scope, arguments: PageArguments
    ) -> Connection[Node]:
        """Returns one page; cursors are valid for this order and scope only."""
        signer = CursorSigner.of(context.services.cursor_key, scope, self.ordering)

        def sign(node: Node) -> str:
            return signer.write(self.values(node))

        def read_cursor(cursor: str, argument: str) -> Position:
            values = signer.read(cursor, argument)
            try:
                return self.position(values)
            except (TypeError, ValueError):
                raise foreign_cursor(argument) from None

        found = await self.find(arguments.request(read_cursor))
        total = await self.count(MAX_COUNTED + 1) if arguments.with_total else None
        nodes = await self.nodes(found.rows)
        edges = [Edge(node, sign) for node in nodes]
        return Connection(
            edges=edges,
            nodes=nodes,
            page_info=PageInfo(found.has_next, found.has_previous, edges),
            total_count=None if total is None else min(total, MAX_COUNTED),
            is_estimate=None if total is None else total > MAX_COUNTED,
        )


async def table_page(
    context: Context,
    arguments: PageArguments,
    rows: TableList,
    make: Callable[[Any], Node],
    filter: Filter = (),
    *,
    scope: Scope | None = None,
    **values: Any,
) -> Connection[Node]:
    """Returns a page of a table's rows; a node has an attribute for each column of the order.

    `scope` narrows that of the viewer; `values` are those of the table's own parameters.
    """
    database, inside = context.services.database, scope or context.scope
    columns = [part.column for part in rows.order]

    async def nodes(found: Sequence[Any]) -> list[Node]:
        return list(map(make, found))

    listing = Listing(
        rows.name,
        lambda request: rows.find(database, inside, filter, request, **values),
        lambda limit: rows.count(database, inside, filter, limit, **values),
        nodes,
        lambda node: [_as_json(getattr(node, str(column.key))) for column in columns],
        partial(parse_values, columns),
    )
    # What no tenant owns is the same for every viewer, so its cursors are too.
    is_everybodys = rows.project_id is None
    return await listing.page(
        context, Scope.everything() if is_everybodys else context.scope, arguments
    )


def _as_json(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value
