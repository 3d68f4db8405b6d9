"""What is true of a field, declared where it is made: `field(Permission.READ, "…", kept=True)`.

`schema.permissions` enforces the permission; the gateway reads the rest through `declared` and
`operation_rules`. A root field that declares nothing does not build.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import strawberry
from graphql import GraphQLField, GraphQLObjectType

from access.viewers import GRANTS, Permission, Role
from schema.internals import strawberry_field

# For fields that show nothing of any tenant.
ANY_TOKEN: Final = "any token"  # noqa: S105 - a requirement, not a secret
Needs = Permission | Literal["any token"]

# The fields that graphql-core adds to every schema.
TYPE_NAME: Final = "__typename"
SCHEMA_FIELDS: Final = frozenset({"__schema", "__type"})

_RULES = "rules"


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The declaration of a field; the defaults hold for a field without one."""

    needs: Needs | None = None  # None: the permission of the root field above is enough
    kept: bool = False  # responses are cached: every change of their data is counted
    personal: bool = False  # responses name the viewer, so each subject's are cached apart
    shared: bool = False  # subscribers of equal roles and projects share one subscription


UNDECLARED = FieldRules()
INTROSPECTION = FieldRules(kept=True, shared=True)


@dataclass(frozen=True, slots=True)
class OperationRules:
    """The declarations of an operation's root fields, taken together."""

    kept: bool
    personal: bool
    shared: bool


def field(needs: Needs, description: str, *, kept: bool = False, personal: bool = False) -> Any:
    """A field of the query type, or one below a root field for any token."""
    rules = FieldRules(needs, kept=kept, personal=personal)
    return strawberry.field(description=_with_roles(description, needs), metadata={_RULES: rules})


def subscription(needs: Needs, description: str, *, shared: bool = False) -> Any:
    """A field of the subscription type."""
    rules = FieldRules(needs, shared=shared)
    return strawberry.subscription(
        description=_with_roles(description, needs), metadata={_RULES: rules}
    )


def declared(definition: GraphQLField) -> FieldRules:
    """The rules of a field of a finished schema."""
    known = strawberry_field(definition)
    rules: FieldRules = UNDECLARED if known is None else known.metadata.get(_RULES, UNDECLARED)
    return rules


def operation_rules(root: GraphQLObjectType, names: Iterable[str]) -> OperationRules:
    """The rules of an operation that selects these fields of a root type."""
    rules = [
        INTROSPECTION if name == TYPE_NAME or name in SCHEMA_FIELDS else declared(root.fields[name])
        for name in names
    ]
    return OperationRules(
        kept=all(each.kept for each in rules),
        personal=any(each.personal for each in rules),
        shared=all(each.shared for each in rules),
    )


def roles_with(needs: Needs) -> list[Role]:
    """The roles that grant a permission; every role for ANY_TOKEN."""
    return [role for role in Role if needs == ANY_TOKEN or needs in GRANTS[role]]


def _with_roles(description: str, needs: Needs) -> str:
    if needs == ANY_TOKEN:
        return description
    return f"{description} Needs the role {in_words(roles_with(needs))}."


def in_words(roles: list[Role]) -> str:
    """The roles as part of a sentence: `viewer, maintainer or admin`."""
    *most, last = [role.value for role in roles]
    return f"{', '.join(most)} or {last}" if most else last
