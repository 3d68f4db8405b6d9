"""What a query will cost, estimated from its text and variables before anything is done.

A point is about one object in the answer; what needs a statement of its own weighs more. A document
is measured once: what does not hang on variables is summed then, and each fragment is looked at
once for each place whose sizes it hangs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from gateway.graphql.documents import sizes
from gateway.graphql.documents.sizes import Size
from gateway.graphql.documents.weights import (
    ASSUMED_ITEMS,
    CONNECTION_WEIGHT,
    FIELD_ITEMS,
    FIELD_WEIGHTS,
    MUTATION_WEIGHT,
    OBJECT,
    STATEMENT,
    TYPE_WEIGHTS,
    VALUES_PER_POINT,
)
from resolvers.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from resolvers.statistics import MAX_GROUPS

CODE = "COST_EXCEEDED"
DEAREST_SHOWN = 3
CONNECTION = "Connection"
GROUP = "DeploymentStatsGroup"
TABLE = "Query.metrics"


@dataclass(frozen=True, slots=True)
class _Term:
    """`weight + the product of sizes * the sum of inner / divisor`."""

    weight: int
    sizes: tuple[Size, ...]
    inner: tuple[_Term | int, ...]
    divisor: int = 1

    def of(self, variables: Mapping[str, Any]) -> int:
        points = sum(_points(part, variables) for part in self.inner)
        for size in self.sizes:
            points *= size.of(variables)
        return self.weight + -(-points // self.divisor)


def _points(part: _Term | int, variables: Mapping[str, Any]) -> int:
    return part if isinstance(part, int) else part.of(variables)


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    """What the fields above say about the sizes of those below, by the name of the list."""

    lists: Mapping[str, Size]
    span: ValueNode | None = None  # the range that series are of


_NOTHING = _Around({})


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate in points, and what each root field has to do with it."""

    points: int
    by_root_field: Mapping[str, int]

    def as_json(self, limit: int) -> dict[str, Any]:
        return {"estimate": self.points, "limit": limit, "byField": dict(self.by_root_field)}


@dataclass(frozen=True, slots=True)
class Measured:
    """An operation ready to be estimated: its root fields by the name they are answered under."""

    fields: tuple[tuple[str, _Term | int], ...]
    defaults: Mapping[str, Any]

    def cost(self, variables: Mapping[str, Any] | None) -> Cost:
        given = {**self.defaults, **(variables or {})}
        by_field: dict[str, int] = {}
        for name, part in self.fields:
            by_field[name] = by_field.get(name, 0) + _points(part, given)
        return Cost(sum(by_field.values()), by_field)


def measure(
    schema: GraphQLSchema, syntax: DocumentNode, operation: OperationDefinitionNode
) -> Measured:
    """Measure an operation of a document that has been validated."""
    measuring = _Measuring(schema, syntax)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    defaults = {
        definition.variable.name.value: sizes.value(definition.default_value, {})
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return Measured(tuple(measuring.fields(root, operation.selection_set, _NOTHING)), defaults)


def refusal(cost: Cost, limit: int) -> GraphQLError:
    dearest = sorted(cost.by_root_field.items(), key=lambda each: -each[1])[:DEAREST_SHOWN]
    shown = ", ".join(f"{name} {points}" for name, points in dearest)
    return GraphQLError(
        f"The query would cost about {cost.points} points, and {limit} are allowed ({shown}): ask "
        "for smaller pages, fewer figures or less at once.",
        extensions={"code": CODE, "cost": cost.as_json(limit)},
    )


class _Measuring:
    """Walks a document; a fragment is walked again only where other sizes are around it."""

    def __init__(self, schema: GraphQLSchema, syntax: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in syntax.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[tuple[str, _Around], list[tuple[str, _Term | int]]] = {}

    def fields(
        self, parent: GraphQLNamedType, selections: SelectionSetNode, around: _Around
    ) -> list[tuple[str, _Term | int]]:
        """What is selected, under the names it is answered by."""
        found: list[tuple[str, _Term | int]] = []
        spread: set[str] = set()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                found.append((name, self._field(parent, selection, around)))
            elif isinstance(selection, FragmentSpreadNode):
                # Twice in one place it is executed once; the limits count it so too.
                if selection.name.value not in spread:
                    spread.add(selection.name.value)
                    found.extend(self._spread(selection.name.value, around))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else parent
                found.extend(self.fields(inner, selection.selection_set, around))
        return found

    def _spread(self, name: str, around: _Around) -> list[tuple[str, _Term | int]]:
        key = (name, around)
        if key not in self._measured:
            fragment = self._fragments[name]
            condition = self._schema.type_map[fragment.type_condition.name.value]
            self._measured[key] = self.fields(condition, fragment.selection_set, around)
        return self._measured[key]

    def _field(self, parent: GraphQLNamedType, node: FieldNode, around: _Around) -> _Term | int:
        field: GraphQLField | None = getattr(parent, "fields", {}).get(node.name.value)
        if field is None:  # of introspection, which has bounds of its own
            return 0
        kind = get_named_type(field.type)
        asked = _Asked(
            f"{parent.name}.{node.name.value}",
            field,
            {argument.name.value: argument.value for argument in node.arguments or ()},
        )
        if asked.coordinate == TABLE:
            return self._table(kind, node, asked)
        below = _below(asked, around)
        inner: list[_Term | int] = []
        if node.selection_set is not None:
            inner = [part for _, part in self.fields(kind, node.selection_set, below)]
        weight = _weight(asked.coordinate, parent, kind)
        items = _items(asked, around)
        if items is None or not is_composite_type(kind):
            return _folded(_Term(weight, (), tuple(inner)))
        # Each item counts, so a list that needs nothing of its own weighs nothing beside them.
        return _folded(_Term(0 if weight == OBJECT else weight, (items,), (OBJECT, *inner)))

    def _table(self, kind: GraphQLNamedType, node: FieldNode, asked: _Asked) -> _Term | int:
        """Its values by tens, and the objects that describe them."""
        given = asked.given
        by = given.get("groupBy")
        lists = {
            "columns": sizes.length(given.get("measures")),
            "groups": sizes.table_groups(by, given.get("first"), asked.default_size(), MAX_GROUPS),
            "buckets": sizes.buckets(given.get("interval"), given.get("range")),
            "keys": sizes.length(by),
        }
        assert node.selection_set is not None
        around = _Around(lists)
        inner = [part for _, part in self.fields(kind, node.selection_set, around)]
        each = (lists["columns"], lists["groups"], lists["buckets"])
        values = _folded(_Term(0, each, (OBJECT,), VALUES_PER_POINT))
        weight = STATEMENT * (2 if "compare" in given else 1)
        return _folded(_Term(weight, (), (values, *inner)))


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A field as it is asked for: `Type.field`, its definition and the arguments given."""

    coordinate: str
    field: GraphQLField
    given: Mapping[str, ValueNode]

    @property
    def name(self) -> str:
        return self.coordinate.rpartition(".")[2]

    @property
    def is_connection(self) -> bool:
        return get_named_type(self.field.type).name.endswith(CONNECTION)

    def default_size(self) -> int:
        default = self.field.args["first"].default_value
        return DEFAULT_PAGE_SIZE if default is Undefined or default is None else int(default)

    def page(self) -> Size:
        default, first, last = self.default_size(), self.given.get("first"), self.given.get("last")
        if get_named_type(self.field.type).name == GROUP:
            return sizes.groups(first, default, MAX_GROUPS)
        most = MAX_PAGE_SIZE if self.is_connection else MAX_GROUPS
        return sizes.page(first, last, default, most)


def _below(asked: _Asked, around: _Around) -> _Around:
    """What a field says to those below it."""
    if asked.is_connection:
        page = asked.page()
        return _Around({"edges": page, "nodes": page})
    if "range" in asked.field.args:
        return _Around({}, asked.given["range"]) if "range" in asked.given else _NOTHING
    return around if asked.name in around.lists else _NOTHING  # the keys of groups


def _items(asked: _Asked, around: _Around) -> Size | None:
    """How many objects the field answers; None where it is one, or where its page counts them."""
    if asked.is_connection:
        return None
    if asked.name in around.lists:
        return around.lists[asked.name]
    for argument in ("ids", "inputs"):
        if argument in asked.field.args:
            return sizes.length(asked.given.get(argument))
    if "interval" in asked.field.args:
        return sizes.points(asked.given.get("interval"), around.span)
    if "first" in asked.field.args:
        return asked.page()
    if _is_list(asked.field.type):
        return Size(FIELD_ITEMS.get(asked.coordinate, ASSUMED_ITEMS))
    return None


def _folded(term: _Term) -> _Term | int:
    """As a plain number, where no variable has a say in it."""
    rest = tuple(part for part in term.inner if not isinstance(part, int))
    if not rest and all(size.read is None for size in term.sizes):
        return term.of({})
    constant = sum(part for part in term.inner if isinstance(part, int))
    return _Term(term.weight, term.sizes, (constant, *rest), term.divisor)


def _weight(coordinate: str, parent: GraphQLNamedType, kind: GraphQLNamedType) -> int:
    if coordinate in FIELD_WEIGHTS:
        return FIELD_WEIGHTS[coordinate]
    if parent.name == "Mutation":
        return MUTATION_WEIGHT
    if not is_composite_type(kind):
        return 0
    if kind.name.endswith(CONNECTION):
        return CONNECTION_WEIGHT
    return TYPE_WEIGHTS.get(kind.name, OBJECT)


def _is_list(kind: Any) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)
