"""Enforces the declarations of a schema: permissions are required, mutations are audited.

Every root field declares a permission. It covers the fields below, except below a root field for
any token: there each field with a resolver declares its own.
"""

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLField, get_named_type

from access.viewers import Permission
from resolvers.recording_audit import audited
from schema.declarations import ANY_TOKEN, Declaration, Needs, declarations, root_types
from schema.internals import core, reads_an_attribute


class UndeclaredError(Exception):
    """A field that must be declared is not."""


def enforced(schema: strawberry.Schema) -> strawberry.Schema:
    """Returns the schema with its declarations enforced; raises UndeclaredError."""
    roots, fields = root_types(schema), declarations(schema)
    open_to_all = [
        get_named_type(field.definition.type)
        for field in fields
        if field.parent in roots and field.rules.needs == ANY_TOKEN
    ]
    for field in fields:
        is_checked = field.parent in open_to_all and not reads_an_attribute(field.definition)
        if field.rules.needs:
            _enforce(field.definition, field.rules.needs)
        elif field.parent in roots or is_checked:
            raise UndeclaredError(
                f"{field.parent.name}.{field.name} declares no permission: make it with "
                "schema.declarations.field(Permission.…, description)."
            )
        if field.parent is core(schema).mutation_type:
            _audit(field)
    return schema


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


def _audit(field: Declaration) -> None:
    """Wraps the guarded resolver, so that refusals are audited too."""
    definition, rules = field.definition, field.rules
    if rules.targets is None or definition.resolve is None:
        raise UndeclaredError(f"{field.name} is not made with schema.declarations.mutation.")
    definition.resolve = audited(field.name, definition.resolve, rules.targets, rules.events)
