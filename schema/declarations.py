"""Declares a field where it is made: `field(Permission.READ, "…", weight=10, kept=True)`.

`schema.enforcement` requires permissions and audits mutations; the gateway reads the rest through
`declared`, `declared_type` and `operation_rules`. An undeclared root field does not build.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, Literal, TypeVar

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_object_type,
)

from access.viewers import GRANTS, Permission, Role
from schema.internals import core, metadata_of, strawberry_class

Class = TypeVar("Class", bound=type)

# Weights in the cost of a query, in points.
OBJECT: Final = 1
STATEMENT: Final = 10  # a statement of its own, or work that takes as long
HALF_STATEMENT: Final = 5

# The data of every fact, also of those to come.
EVERY_FACT: Final = ("*",)

# In place of facts: a response with such a field is not cached, as it depends on the request too.
UNCACHED: Final = ("uncached",)

# For fields that show nothing of any tenant.
ANY_TOKEN: Final = "any token"  # noqa: S105 - a requirement, not a secret
Needs = Permission | Literal["any token"]

# The fields that graphql-core adds to every schema.
TYPE_NAME: Final = "__typename"
SCHEMA_FIELDS: Final = frozenset({"__schema", "__type"})

_RULES = "rules"


class Items(Enum):
    """The argument of a field above that sizes a list."""

    PAGE = auto()  # `first` or `last` of a page
    MEASURES = auto()  # `measures` of a table
    GROUPS = auto()  # its `first`, if it is grouped
    BUCKETS = auto()  # its `interval` and `range`
    DIMENSIONS = auto()  # its `groupBy`


class TypeShape(Enum):
    """How the objects of a type are counted in the cost of a query."""

    OBJECT = auto()  # one by one
    PAGE = auto()  # its lists hold the items of one page
    GROUP = auto()  # in a list, one more stands for all groups beyond `first`
    TABLE = auto()  # holds a value for each measure, group and bucket


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The declaration of a field; the defaults hold for a field without one."""

    needs: Needs | None = None  # None: the permission of the root field suffices
    kept: bool = False  # responses are cached, as each change of their data raises a version
    personal: bool = False  # responses name the viewer: they are cached per subject
    shared: bool = False  # subscribers of equal roles and projects share one subscription
    facts: tuple[str, ...] = ()  # whose data it reads, beside that of the field above
    weight: int | None = None  # in points; None: the weight of its type
    items: int | Items | None = None  # of a list; None: by its arguments, else a default
    targets: tuple[str, ...] | None = None  # of a mutation: see `mutation`
    events: str | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """A field of a finished schema with its rules."""

    parent: GraphQLObjectType
    name: str
    definition: GraphQLField
    rules: FieldRules


@dataclass(frozen=True, slots=True)
class TypeRules:
    """The declaration of an object type; the defaults hold for a type without one."""

    weight: int = OBJECT
    shape: TypeShape = TypeShape.OBJECT


UNDECLARED = FieldRules()
UNDECLARED_TYPE = TypeRules()
INTROSPECTION = FieldRules(kept=True, shared=True)


def field(  # noqa: PLR0913 - what is declared of a field, each by name
    needs: Needs,
    description: str,
    *,
    kept: bool = False,
    personal: bool = False,
    facts: tuple[str, ...] = EVERY_FACT,
    weight: int | None = None,
    items: int | None = None,
) -> Any:
    """A field of the query type, or one below a root field for any token.

    A change of these `facts` ends cached responses with this field, unless a field below has more.
    """
    rules = FieldRules(needs, kept=kept, personal=personal, facts=facts, weight=weight, items=items)
    return strawberry.field(**_options(description, rules))


def mutation(
    needs: Needs,
    description: str,
    *,
    targets: tuple[str, ...],
    events: str | None = None,
    weight: int = STATEMENT,
) -> Any:
    """A field of the mutation type.

    `targets` names arguments, or fields of the argument `input`; the first one given is the target
    of the audit entry. `events` names the argument whose events the entry counts instead
    of showing them.
    """
    rules = FieldRules(needs, weight=weight, targets=targets, events=events)
    return strawberry.mutation(**_options(description, rules))


def subscription(
    needs: Needs, description: str, *, shared: bool = False, weight: int | None = None
) -> Any:
    """A field of the subscription type."""
    rules = FieldRules(needs, shared=shared, weight=weight)
    return strawberry.subscription(**_options(description, rules))


def costs(
    *,
    weight: int | None = None,
    items: int | Items | None = None,
    facts: tuple[str, ...] = (),
) -> dict[str, FieldRules]:
    """The metadata of a field below the root: `strawberry.field(metadata=costs(weight=5))`.

    The weight of an argument is added to that of its field where it is given.
    """
    return {_RULES: FieldRules(weight=weight, items=items, facts=facts)}


def optional(description: str, name: str | None = None) -> Any:
    """A field of an input that is None by default."""
    return strawberry.field(default=None, description=description, name=name)


def typed(kind: Any, description: str) -> Any:
    """A field whose type is made from declarations; annotate it as Any."""
    return strawberry.field(description=description, graphql_type=kind)


def valued(value: Any, description: str) -> Any:
    """A value of an enum, which stands for one of the domain."""
    return strawberry.enum_value(value, description=description)


def weighs(weight: int, shape: TypeShape = TypeShape.OBJECT) -> Callable[[Class], Class]:
    """Declares the weight of each field that returns this type."""

    def declare(cls: Class) -> Class:
        setattr(cls, _RULES, TypeRules(weight, shape))
        return cls

    return declare


def declared(definition: GraphQLField | GraphQLArgument) -> FieldRules:
    """The rules of a field or an argument of a finished schema."""
    rules: FieldRules = metadata_of(definition).get(_RULES, UNDECLARED)
    return rules


def declared_type(kind: GraphQLNamedType) -> TypeRules:
    """The rules of a type of a finished schema."""
    rules: TypeRules = getattr(strawberry_class(kind), _RULES, UNDECLARED_TYPE)
    return rules


def weight_of(definition: GraphQLField, given: Collection[str] = ()) -> int:
    """The weight of a field, in points: its own, else that of its type, and those of arguments.

    `given` are the names of its arguments that are given.
    """
    weight, kind = declared(definition).weight, get_named_type(definition.type)
    if weight is None:
        weight = declared_type(kind).weight if is_composite_type(kind) else 0
    added = argument_weights(definition) if given else {}
    return weight + sum(points for name, points in added.items() if name in given)


def argument_weights(definition: GraphQLField) -> dict[str, int]:
    """The points that arguments of a field add to its weight, by name; others add none."""
    rules = {name: declared(argument) for name, argument in definition.args.items()}
    return {name: rule.weight for name, rule in rules.items() if rule.weight}


def declarations(schema: strawberry.Schema) -> list[Declaration]:
    """All fields of a schema: queries, mutations, subscriptions, then other types by name."""
    roots = root_types(schema)
    types = [kind for kind in core(schema).type_map.values() if is_object_type(kind)]
    others = [kind for kind in types if kind not in roots and not kind.name.startswith("__")]
    return [
        Declaration(kind, name, definition, declared(definition))
        for kind in (*roots, *sorted(others, key=lambda kind: kind.name))
        for name, definition in kind.fields.items()
    ]


def root_types(schema: strawberry.Schema) -> list[GraphQLObjectType]:
    whole = core(schema)
    roots = (whole.query_type, whole.mutation_type, whole.subscription_type)
    return [root for root in roots if root is not None]


def operation_rules(root: GraphQLObjectType, names: Iterable[str]) -> FieldRules:
    """Whether responses with these root fields are kept, personal and shared."""
    rules = [
        INTROSPECTION if name == TYPE_NAME or name in SCHEMA_FIELDS else declared(root.fields[name])
        for name in names
    ]
    return FieldRules(
        kept=all(rule.kept for rule in rules),
        personal=any(rule.personal for rule in rules),
        shared=all(rule.shared for rule in rules),
    )


def roles_with(needs: Needs) -> list[Role]:
    """The roles that grant a permission; every role for ANY_TOKEN."""
    return [role for role in Role if needs == ANY_TOKEN or needs in GRANTS[role]]


def _options(description: str, rules: FieldRules) -> dict[str, Any]:
    if isinstance(rules.needs, Permission):
        description += f" Needs the role {in_words(roles_with(rules.needs))}."
    return {"description": description, "metadata": {_RULES: rules}}


def in_words(roles: list[Role]) -> str:
    """The roles as part of a sentence: `viewer, maintainer or admin`."""
    *most, last = [role.value for role in roles]
    return f"{', '.join(most)} or {last}" if most else last
