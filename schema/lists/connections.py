"""Connections: pages of a list, as Relay defines them."""

from typing import Annotated, Generic, TypeVar

import strawberry

from resolvers.pages import DEFAULT_PAGE_SIZE, MAX_COUNTED, MAX_PAGE_SIZE
from schema.declarations import HALF_STATEMENT, Items, Shape, costs, weighs
from schema.selection import Selected, Selection

NodeType = TypeVar("NodeType")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="There is something after this page.")
    has_previous_page: bool = strawberry.field(description="There is something before this page.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the page's first item; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="The cursor of the page's last item; null on an empty page."
    )


@strawberry.type(description="An item of a list and its place there.")
class Edge(Generic[NodeType]):
    cursor: str = strawberry.field(description="The item's place, for `after` and `before`.")
    node: NodeType = strawberry.field(description="The item.")


@weighs(HALF_STATEMENT, Shape.PAGE)
@strawberry.type(description="A page of a list.")
class Connection(Generic[NodeType]):
    edges: list[Edge[NodeType]] = strawberry.field(
        description="The items with their cursors.", metadata=costs(items=Items.PAGE)
    )
    nodes: list[NodeType] = strawberry.field(
        description="The items alone.", metadata=costs(items=Items.PAGE)
    )
    page_info: PageInfo = strawberry.field(description="Where the page lies in its list.")
    total_count: int = strawberry.field(
        description=f"How many items the whole list has, counted up to {MAX_COUNTED:,}.",
        metadata=costs(weight=HALF_STATEMENT),
    )
    is_estimate: bool = strawberry.field(
        description=f"The list has more than the {MAX_COUNTED:,} items that are counted."
    )


First = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many items from the front: {DEFAULT_PAGE_SIZE} by default, "
        f"at most {MAX_PAGE_SIZE}."
    ),
]
After = Annotated[str | None, strawberry.argument(description="Only items after this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(description=f"How many items from the back, at most {MAX_PAGE_SIZE}."),
]
Before = Annotated[str | None, strawberry.argument(description="Only items before this cursor.")]


def selects_total(_selection: Selection, fields: list[Selected]) -> bool:
    """Returns whether the total has to be counted."""
    return any(field.name in ("totalCount", "isEstimate") for field in fields)


def item_fields(selection: Selection, fields: list[Selected]) -> list[Selected]:
    """The fields selected on the items, by either way to them."""
    edges = selection.below(fields, "edges")
    return selection.below(fields, "nodes") + selection.below(edges, "node")
