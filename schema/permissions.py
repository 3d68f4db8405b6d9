"""Permissions: what a field needs is declared with it, and enforced before its resolver runs.

Every root field declares one. What is below it has been let in with it, so only below a root
field for any token do fields that show a tenant's data declare their own.
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

from access.viewers import GRANTS, Permission, Role
from schema.internals import core, reads_an_attribute, strawberry_field

# For fields that show nothing of any tenant.
ANY_TOKEN = None

_NEEDS = "needs"


class UndeclaredError(Exception):
    """A field that must say what it needs does not."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one field needs; None is any token."""

    parent: str
    field: str
    needs: Permission | None


def field(needs: Permission | None, description: str) -> Any:
    """A field of a query or a mutation; its description says which roles may ask for it."""
    return strawberry.field(description=_told(description, needs), metadata={_NEEDS: needs})


def subscription(needs: Permission | None, description: str) -> Any:
    return strawberry.subscription(description=_told(description, needs), metadata={_NEEDS: needs})


def roles_with(needs: Permission | None) -> list[Role]:
    """The roles that grant a permission; all of them where any token will do."""
    return [role for role in Role if needs is ANY_TOKEN or needs in GRANTS[role]]


def guarded(schema: strawberry.Schema) -> strawberry.Schema:
    """The schema with its declarations enforced; a missing one is a mistake."""
    open_to_all = _open_types(schema)
    for kind, name, definition in _fields(schema):
        if _NEEDS in (declared := _metadata(definition)):
            _enforce(definition, declared[_NEEDS])
        elif kind in _roots(schema) or (kind in open_to_all and not reads_an_attribute(definition)):
            raise UndeclaredError(
                f"{kind.name}.{name} does not say what it needs: make it with "
                "schema.permissions.field(Permission.…, description)."
            )
    return schema


def rules(schema: strawberry.Schema) -> list[Rule]:
    """What each field that declares something needs: queries, mutations, then other types'."""
    return [
        Rule(kind.name, name, declared[_NEEDS])
        for kind, name, definition in _fields(schema)
        if _NEEDS in (declared := _metadata(definition))
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
    """The types right below root fields for any token."""
    return [
        get_named_type(definition.type)
        for root in _roots(schema)
        for definition in root.fields.values()
        if _metadata(definition).get(_NEEDS, Permission.READ) is ANY_TOKEN
    ]


def _metadata(definition: GraphQLField) -> dict[Any, Any]:
    known = strawberry_field(definition)
    return {} if known is None else dict(known.metadata)


def _enforce(definition: GraphQLField, needs: Permission | None) -> None:
    if needs is ANY_TOKEN:
        return
    # A subscription is refused before it begins; its resolver only passes on what comes.
    if definition.subscribe is not None:
        definition.subscribe = _guard(definition.subscribe, needs)
    elif definition.resolve is not None:
        definition.resolve = _guard(definition.resolve, needs)


def _guard(resolve: Callable[..., Any], needs: Permission) -> Callable[..., Any]:
    def guard(source: Any, info: Any, **arguments: Any) -> Any:
        info.context.viewer.require(needs)
        return resolve(source, info, **arguments)

    return guard


def _told(description: str, needs: Permission | None) -> str:
    if needs is ANY_TOKEN:
        return description
    return f"{description} Needs the role {told(roles_with(needs))}."


def told(roles: list[Role]) -> str:
    """The roles as part of a sentence."""
    *most, last = [role.value for role in roles]
    return f"{', '.join(most)} or {last}" if most else last
