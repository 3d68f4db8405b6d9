"""Estimates the cost of a query in points, from its text and variables, before it is executed.

A point is about one object of the response; a field with a statement of its own weighs more.
Weights are declared in the schema (`schema.declarations`). A document is measured once: the points
that depend on no variable are added up then, and a fragment is measured once for each field whose
arguments size its lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from access.viewers import Role, Viewer
from gateway.graphql.documents import sizes
from gateway.graphql.documents.sizes import Size
from resolvers.groups import MAX_GROUPS
from resolvers.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from schema.declarations import (
    EVERY_FACT,
    OBJECT,
    UNCACHED,
    FieldRules,
    Items,
    TypeShape,
    declared,
    declared_type,
    weight_of,
)

CODE = "COST_EXCEEDED"
COSTLIEST_SHOWN = 3
ASSUMED_ITEMS = 10  # of a list without a declared or requested size
VALUES_PER_POINT = 10  # of a table, whose values are plain numbers

MAX_COST: Mapping[Role, int] = MappingProxyType(
    {Role.INGEST: 2_000, Role.VIEWER: 10_000, Role.MAINTAINER: 10_000, Role.ADMIN: 40_000}
)


def max_cost(viewer: Viewer) -> int:
    """The most that one query of this viewer may cost, in points."""
    return max((MAX_COST[role] for role in viewer.roles), default=0)


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate in points, in total and by root field."""

    points: int
    by_root_field: Mapping[str, int]

    def as_json(self, limit: int) -> dict[str, Any]:
        return {"estimate": self.points, "limit": limit, "byField": dict(self.by_root_field)}


@dataclass(frozen=True, slots=True)
class Measured:
    """An operation ready to be estimated: its root fields and their points."""

    fields: Sequence[tuple[FieldNode, Size]]
    defaults: Mapping[str, Any]
    facts: frozenset[str] | None  # whose data all its fields read; None: of every fact
    is_cacheable: bool = True

    def cost(self, variables: Mapping[str, Any] | None) -> Cost:
        given = {**self.defaults, **(variables or {})}
        by_field: dict[str, int] = {}
        for node, points in self.fields:
            name = (node.alias or node.name).value
            by_field[name] = by_field.get(name, 0) + points.of(given)
        return Cost(sum(by_field.values()), by_field)


def measure(
    schema: GraphQLSchema,
    root: GraphQLObjectType,
    fragments: Mapping[str, FragmentDefinitionNode],
    operation: OperationDefinitionNode,
) -> Measured:
    """Measures an operation of a validated document."""
    defaults = {
        definition.variable.name.value: sizes.value(definition.default_value, {})
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    measuring = _Measuring(schema, fragments)
    fields = measuring.fields(root, operation.selection_set, None)
    every = measuring.facts.issuperset(EVERY_FACT)
    facts = None if every else frozenset(measuring.facts)
    return Measured(fields, defaults, facts, measuring.facts.isdisjoint(UNCACHED))


def refusal(cost: Cost, limit: int) -> GraphQLError:
    """The error for an operation that costs more than the limit; names its costliest fields."""
    costliest = sorted(cost.by_root_field.items(), key=lambda item: -item[1])[:COSTLIEST_SHOWN]
    shown = ", ".join(f"{name} {points}" for name, points in costliest)
    return GraphQLError(
        f"The query would cost about {cost.points} points, and {limit} are allowed ({shown}): ask "
        "for smaller pages, fewer figures or less at once.",
        extensions={"code": CODE, "cost": cost.as_json(limit)},
    )


class _Measuring:
    """Measures a document; a fragment once for each field whose arguments size its lists."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self.facts: set[str] = set()
        self._measured: dict[tuple[str, _FieldUse | None], list[tuple[FieldNode, Size]]] = {}

    def fields(
        self, parent: GraphQLNamedType, selections: SelectionSetNode, above: _FieldUse | None
    ) -> list[tuple[FieldNode, Size]]:
        """The selected fields, fragments included, and their points; `above` sizes their lists."""
        found: list[tuple[FieldNode, Size]] = []
        spread: set[str] = set()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                found.append((selection, self._field(parent, selection, above)))
            elif isinstance(selection, FragmentSpreadNode):
                # A fragment spread twice in one selection is executed once, and counted once.
                if selection.name.value not in spread:
                    spread.add(selection.name.value)
                    found.extend(self._spread(selection.name.value, above))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else parent
                found.extend(self.fields(inner, selection.selection_set, above))
        return found

    def _spread(self, name: str, above: _FieldUse | None) -> list[tuple[FieldNode, Size]]:
        key = (name, above)
        if key not in self._measured:
            fragment = self._fragments[name]
            condition = self._schema.type_map[fragment.type_condition.name.value]
            self._measured[key] = self.fields(condition, fragment.selection_set, above)
        return self._measured[key]

    def _field(self, parent: GraphQLNamedType, node: FieldNode, above: _FieldUse | None) -> Size:
        definition: GraphQLField | None = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None:  # introspection, which has limits of its own
            return Size(0)
        kind = get_named_type(definition.type)
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        use = _FieldUse(definition, declared(definition), declared_type(kind).shape, given)
        self.facts.update(use.rules.facts)
        inner: list[Size] = []
        if node.selection_set is not None:
            below = self.fields(kind, node.selection_set, use.sizing_below(above))
            inner = [part for _, part in below]
        weight = weight_of(definition, given)
        if use.shape is TypeShape.TABLE:
            inner.append(use.table_values())
        items = use.items(above)
        if items is None or not is_composite_type(kind):
            return _points(weight, [], inner)
        # Each item counts, so a list of plain objects adds no weight of its own.
        return _points(0 if weight == OBJECT else weight, [items], [Size(OBJECT), *inner])


@dataclass(frozen=True, slots=True, eq=False)
class _FieldUse:
    """A field as a document selects it: its definition, what is declared, the arguments given."""

    definition: GraphQLField
    rules: FieldRules
    shape: TypeShape
    given: Mapping[str, ValueNode]

    def sizing_below(self, above: _FieldUse | None) -> _FieldUse | None:
        """The field whose arguments size the lists below this one."""
        if self.shape is TypeShape.PAGE or "range" in self.definition.args:
            return self
        keeps = self.shape is TypeShape.GROUP or isinstance(self.rules.items, Items)
        return above if keeps else None

    def items(self, above: _FieldUse | None) -> Size | None:
        """The number of objects in the field's list; None for one object, a page or a table."""
        args, declared_items = self.definition.args, self.rules.items
        if self.shape in (TypeShape.PAGE, TypeShape.TABLE):
            return None
        if isinstance(declared_items, Items):
            return Size(ASSUMED_ITEMS) if above is None else above.size(declared_items)
        if "ids" in args:
            return sizes.length(self.given.get("ids"))
        if "interval" in args:
            span = None if above is None else above.given.get("range")
            return sizes.points(self.given.get("interval"), span)
        if "first" in args:
            return self.size(Items.PAGE)
        if is_list_type(get_nullable_type(self.definition.type)):
            return Size(declared_items or ASSUMED_ITEMS)
        return None

    def size(self, items: Items) -> Size:
        """The number of items that the arguments ask for."""
        first, by = self.given.get("first"), self.given.get("groupBy")
        match items:
            case Items.MEASURES:
                return sizes.length(self.given.get("measures"))
            case Items.DIMENSIONS:
                return sizes.length(by)
            case Items.BUCKETS:
                return sizes.buckets(self.given.get("interval"), self.given.get("range"))
            case Items.GROUPS:
                return sizes.table_groups(by, first, self._default_size(), MAX_GROUPS)
            case Items.PAGE if self.shape is TypeShape.GROUP:
                return sizes.groups(first, self._default_size(), MAX_GROUPS)
            case Items.PAGE:
                most = MAX_PAGE_SIZE if self.shape is TypeShape.PAGE else MAX_GROUPS
                return sizes.page(first, self.given.get("last"), self._default_size(), most)

    def table_values(self) -> Size:
        counts = [self.size(items) for items in (Items.MEASURES, Items.GROUPS, Items.BUCKETS)]
        return _points(0, counts, [Size(OBJECT)], VALUES_PER_POINT)

    def _default_size(self) -> int:
        default = self.definition.args["first"].default_value
        return DEFAULT_PAGE_SIZE if default is Undefined or default is None else int(default)


def _points(weight: int, counts: list[Size], inner: list[Size], divisor: int = 1) -> Size:
    """`weight + the product of counts * the sum of inner / divisor`."""
    constant = sum(part.number for part in inner)
    varying = [part for part in inner if part.read is not None]

    def read(variables: Mapping[str, Any]) -> int:
        points = constant + sum(part.of(variables) for part in varying)
        for count in counts:
            points *= count.of(variables)
        return weight + -(-points // divisor)

    if varying or any(count.read is not None for count in counts):
        return Size(0, read)
    return Size(read({}))
