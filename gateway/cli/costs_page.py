"""Writes docs/costs.md: weights, and which responses are cached or shared."""

from collections.abc import Sequence

import strawberry

from gateway.cli.tables import table
from gateway.graphql.documents.cost import ASSUMED_ITEMS
from schema.declarations import (
    OBJECT,
    Declaration,
    argument_weights,
    declarations,
    declared_type,
    root_types,
    weight_of,
)
from schema.internals import core

HEAD = f"""\
# Costs

`make schema` writes this page from the declarations of the schema. How an estimate is computed from
these weights, and how much a role may spend on a query, is in [limits.md](limits.md#query-cost).

A type that is not listed weighs {OBJECT}, a number or text 0, and a list without a size counts as
{ASSUMED_ITEMS} items. A response is cached if all root fields of its operation are; *per subject*
means once for each viewer. Subscribers with equal roles, projects and arguments share one
subscription if its field is shared.
"""


def page(schema: strawberry.Schema) -> str:
    """The whole page."""
    fields, roots = declarations(schema), root_types(schema)
    tables = [_root(root.name, [one for one in fields if one.parent is root]) for root in roots]
    others = [
        (f"`{one.parent.name}.{one.name}`", _weight(one), _items(one))
        for one in fields
        if one.parent not in roots and (one.rules.weight or isinstance(one.rules.items, int))
    ]
    types = [
        (f"`{kind.name}`", str(weight))
        for kind in sorted(core(schema).type_map.values(), key=lambda kind: kind.name)
        if (weight := declared_type(kind).weight) != OBJECT
    ]
    tables += [table("Types", ("type", "weight"), types)]
    tables += [table("Other fields", ("field", "weight", "items"), others)]
    return "\n".join([HEAD, *tables])


def _root(name: str, fields: Sequence[Declaration]) -> str:
    rows = [
        (
            f"`{one.name}`",
            _weight(one),
            _items(one),
            ("per subject" if one.rules.personal else "yes") if one.rules.kept else "-",
            "yes" if one.rules.shared else "-",
        )
        for one in fields
    ]
    return table(name, ("field", "weight", "items", "cached", "shared"), rows)


def _weight(field: Declaration) -> str:
    definition = field.definition
    more = [
        f"with `{name}` {weight_of(definition, [name])}" for name in argument_weights(definition)
    ]
    return ", ".join([str(weight_of(definition)), *more])


def _items(field: Declaration) -> str:
    items = field.rules.items
    return str(items) if isinstance(items, int) else "-"
