"""The Node interface: anything with a global id."""

import strawberry


@strawberry.interface(description="Anything that has a global id and can be asked for again.")
class Node:
    id: strawberry.ID = strawberry.field(description="The global id: opaque, use it as returned.")
