"""Connections: pages of a list, as Relay defines them."""

from typing import Annotated, Generic, TypeVar

import strawberry

from resolvers.pages import DEFAULT_PAGE_SIZE, MAX_COUNTED, MAX_PAGE_SIZE, PageArguments
from schema.declarations import HALF_STATEMENT, Items, TypeShape, costs, weighs
from schema.info import Info
from schema.selection import Selected, Selection, look_ahead

NodeType = TypeVar("NodeType")


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="True if items follow this page.")
    has_previous_page: bool = strawberry.field(description="True if items precede this page.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first item; null if the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last item; null if the page is empty."
    )


@strawberry.type(description="An item of a list with its cursor.")
class Edge(Generic[NodeType]):
    cursor: str = strawberry.field(description="The cursor, for `after` and `before`.")
    node: NodeType = strawberry.field(description="The item.")


@weighs(HALF_STATEMENT, TypeShape.PAGE)
@strawberry.type(description="A page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = strawberry.field(
        description="The items with their cursors.", metadata=costs(items=Items.PAGE)
    )
    nodes: list[NodeType] = strawberry.field(
        description="The items.", metadata=costs(items=Items.PAGE)
    )
    page_info: PageInfo = strawberry.field(description="The position of the page in its list.")
    total_count: int = strawberry.field(
        description=f"The number of items in the whole list, counted up to {MAX_COUNTED:,}.",
        metadata=costs(weight=HALF_STATEMENT),
    )
    is_estimate: bool = strawberry.field(
        description=f"True if the list has more than {MAX_COUNTED:,} items, which are not counted."
    )


First = Annotated[
    int | None,
    strawberry.argument(
        f"The number of items from the start: {DEFAULT_PAGE_SIZE} by default, "
        f"at most {MAX_PAGE_SIZE}."
    ),
]
After = Annotated[str | None, strawberry.argument("Only items after this cursor.")]
Last = Annotated[
    int | None, strawberry.argument(f"The number of items from the end, at most {MAX_PAGE_SIZE}.")
]
Before = Annotated[str | None, strawberry.argument("Only items before this cursor.")]


def page_arguments(
    info: Info, first: int | None, after: str | None, last: int | None, before: str | None
) -> PageArguments:
    return PageArguments(first, after, last, before, look_ahead(info, _selects_total))


def _selects_total(_selection: Selection, fields: list[Selected]) -> bool:
    """Whether the total has to be counted."""
    return any(field.name in ("totalCount", "isEstimate") for field in fields)


def item_fields(selection: Selection, fields: list[Selected]) -> list[Selected]:
    """The fields selected on the items, through `nodes` or `edges`."""
    edges = selection.below(fields, "edges")
    return selection.below(fields, "nodes") + selection.below(edges, "node")
