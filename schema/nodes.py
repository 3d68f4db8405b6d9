"""The Node interface: anything with a global id."""

from typing import Any

import strawberry


@strawberry.interface(description="Anything that has a global id and can be asked for again.")
class Node:
    id: strawberry.ID = strawberry.field(description="The global id: opaque, use it as returned.")


def made_of(*classes: type) -> Any:
    """The `is_type_of` of a type whose values are of these classes.

    It says which they are, so that compiled completion need not ask about every row.
    """

    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, classes)

    is_type_of.classes = frozenset(classes)  # type: ignore[attr-defined]
    return staticmethod(is_type_of)
