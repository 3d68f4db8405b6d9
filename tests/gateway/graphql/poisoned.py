"""A schema of everything completion can meet: unions, interfaces, lists of lists, every leaf."""

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.scalars import SCALARS, Json


@strawberry.enum
class Colour(Enum):
    RED = strawberry.enum_value(1)
    BLUE = strawberry.enum_value("blue")


@strawberry.interface
class Named:
    id: strawberry.ID
    name: str


@strawberry.interface
class Aged(Named):
    planted_at: datetime | None


@strawberry.type
class Leaf(Named):
    weight: float
    size: int | None
    count: int
    ripe: bool
    colour: Colour
    colours: list[Colour | None]
    at: datetime
    extra: Json | None
    code: UUID | None


@strawberry.type
class Shrub(Named):
    leaf: Leaf
    leaves: list[Leaf | None]
    matrix: list[list[float | None]] | None
    nearest: Annotated["Plant", strawberry.lazy("tests.gateway.graphql.poisoned")] | None


@strawberry.type
class Tree(Aged):
    leaf: Leaf | None
    leaves: list[Leaf]
    grid: list[list[Leaf | None] | None]
    relatives: list[Named]
    below: list[Annotated["Plant", strawberry.lazy("tests.gateway.graphql.poisoned")]] | None

    @strawberry.field
    def resolved(self, size: int = 3) -> list[Leaf]:
        raise NotImplementedError  # the fuzz puts a resolver of its own here

    @strawberry.field(metadata={"pure": None})  # type: ignore[untyped-decorator]
    def pure_value(self, size: int = 3) -> list[Leaf]:
        raise NotImplementedError


Plant = Annotated[Tree | Shrub | Leaf, strawberry.union("Plant")]


@strawberry.type
class Query:
    trees: list[Tree]
    shrub: Shrub
    maybe: Tree | None
    plants: list[Plant | None]
    named: list[Named]
    aged: Aged | None


def schema() -> strawberry.Schema:
    return strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))
