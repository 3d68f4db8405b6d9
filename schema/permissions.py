"""Enforces the permission that each field declares, before its resolver runs.

Every root field declares one. It covers the fields below, except below a root field for any token:
there each field with a resolver declares its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_object_type,
)

from access.viewers import Permission
from schema.declarations import ANY_TOKEN, Needs, declared
from schema.internals import core, reads_an_attribute


class UndeclaredError(Exception):
    """A field that must declare a permission declares none."""


@dataclass(frozen=True, slots=True)
class FieldPermission:
    """The permission of one field."""

    parent: str
    field: str
    needs: Needs


def guarded(schema: strawberry.Schema) -> strawberry.Schema:
    """Returns the schema with its permissions enforced; raises UndeclaredError without one."""
    open_to_all = _open_types(schema)
    for kind, name, definition in _fields(schema):
        if needs := declared(definition).needs:
            _enforce(definition, needs)
        elif kind in _roots(schema) or (kind in open_to_all and not reads_an_attribute(definition)):
            raise UndeclaredError(
                f"{kind.name}.{name} declares no permission: make it with "
                "schema.declarations.field(Permission.…, description)."
            )
    return schema


def permissions(schema: strawberry.Schema) -> list[FieldPermission]:
    """The permissions of all fields that declare one: queries, mutations, then other types'."""
    return [
        FieldPermission(kind.name, name, needs)
        for kind, name, definition in _fields(schema)
        if (needs := declared(definition).needs)
    ]


def _fields(schema: strawberry.Schema) -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    types = core(schema).type_map.values()
    own = [kind for kind in types if is_object_type(kind) and not kind.name.startswith("__")]
    roots = _roots(schema)
    others = sorted((kind for kind in own if kind not in roots), key=lambda kind: kind.name)
    for kind in (*roots, *others):
        for name, definition in kind.fields.items():
            yield kind, name, definition


def _roots(schema: strawberry.Schema) -> list[GraphQLObjectType]:
    whole = core(schema)
    roots = (whole.query_type, whole.mutation_type, whole.subscription_type)
    return [root for root in roots if root is not None]


def _open_types(schema: strawberry.Schema) -> list[GraphQLNamedType]:
    """The types of the root fields for any token."""
    return [
        get_named_type(definition.type)
        for root in _roots(schema)
        for definition in root.fields.values()
        if declared(definition).needs == ANY_TOKEN
    ]


def _enforce(definition: GraphQLField, needs: Needs) -> None:
    if not isinstance(needs, Permission):
        return
    # A subscription is refused before it begins; its resolver only passes on the events.
    if definition.subscribe is not None:
        definition.subscribe = _guard(definition.subscribe, needs)
    elif definition.resolve is not None:
        definition.resolve = _guard(definition.resolve, needs)


def _guard(resolve: Callable[..., Any], needs: Permission) -> Callable[..., Any]:
    def guard(source: Any, info: Any, **arguments: Any) -> Any:
        info.context.viewer.require(needs)
        return resolve(source, info, **arguments)

    return guard
