"""The only uses of Strawberry names that are not public, each with its reason."""

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLResolveInfo,
    GraphQLSchema,
)
from strawberry.types.field import StrawberryField

DEFINITION = "strawberry-definition"


def core(schema: strawberry.Schema) -> GraphQLSchema:
    """graphql-core's schema: validation and execution need it, and Strawberry offers none."""
    return schema._schema


def core_info(info: strawberry.Info[Any, Any]) -> GraphQLResolveInfo[Any]:
    """graphql-core's info: Strawberry's own view of a selection converts the whole tree."""
    return info._raw_info


def strawberry_field(definition: GraphQLField) -> StrawberryField | None:
    """Strawberry's field behind graphql-core's: nothing else holds its resolver and Python name."""
    found: StrawberryField | None = definition.extensions.get(DEFINITION)
    return found


def metadata_of(definition: GraphQLField | GraphQLArgument) -> Mapping[Any, Any]:
    """The metadata of a field or argument: only Strawberry's, behind graphql-core's, holds it."""
    found: Mapping[Any, Any] = getattr(definition.extensions.get(DEFINITION), "metadata", {})
    return found


def strawberry_class(kind: GraphQLNamedType) -> type | None:
    """The Python class behind graphql-core's type; None for scalars and enums."""
    return getattr(kind.extensions.get(DEFINITION), "origin", None)


def reads_an_attribute(definition: GraphQLField) -> bool:
    """Whether a field has no resolver of its own, which only Strawberry's resolver marks."""
    return bool(getattr(definition.resolve, "_is_default", False))
