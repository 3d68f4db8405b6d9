"""Connections: page arguments checked, rows turned into edges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from resolvers.cursors import CursorSigner
from storage.errors import InvalidInput, LimitExceeded
from storage.queries.paging import Page, PageRequest, Position

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
# Counting goes no further; then the count is the bound and is marked as an estimate.
MAX_COUNTED = 10_000

Node = TypeVar("Node")


@dataclass(frozen=True, slots=True)
class PageArguments:
    """A connection's arguments as they were given."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def request(self, read_cursor: Callable[[str, str], Position]) -> PageRequest:
        """The page that is meant; `read_cursor` takes a cursor and its argument's name."""
        if self.first is not None and self.last is not None:
            raise InvalidInput("Give first or last, not both.", path="last")
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
        raise InvalidInput(f"{name} must not be negative.", path=name)
    if size > most:
        raise LimitExceeded(
            f"{name} is {size}, but at most {most} are answered at once.",
            limit=f"page size: {most}",
            path=name,
        )
    return size


class Edge(NamedTuple, Generic[Node]):
    """A node and the way to its cursor, which is signed when it is read: that is seldom."""

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
    """One page. The total is counted only where it was asked for."""

    edges: list[Edge[Node]]
    nodes: list[Node]
    page_info: PageInfo
    total_count: int | None = None
    is_estimate: bool | None = None


def connection(
    found: Page[Any],
    nodes: list[Node],
    place: Callable[[Node], Sequence[Any]],
    signer: CursorSigner,
    total: int | None,
) -> Connection[Node]:
    """The page as clients see it; `place` is what the cursor to a node says."""

    def sign(node: Node) -> str:
        return signer.write(place(node))

    edges = [Edge(node, sign) for node in nodes]
    return Connection(
        edges=edges,
        nodes=nodes,
        page_info=PageInfo(found.has_next, found.has_previous, edges),
        total_count=None if total is None else min(total, MAX_COUNTED),
        is_estimate=None if total is None else total > MAX_COUNTED,
    )


async def counted(count: Callable[[int], Awaitable[int]], with_total: bool) -> int | None:
    """Returns the total if the query selects it; MAX_COUNTED + 1 means that there are more."""
    return await count(MAX_COUNTED + 1) if with_total else None
