"""What a query will cost, estimated from its text and variables before anything is done.

A point is about one object in the answer; what needs a statement of its own weighs more. The size
of a list is its page size where it has one, else an assumption; docs/limits.md explains both. A
document is measured once: what does not hang on variables is summed then, and each fragment is
looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
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
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from access.viewers import Role, Viewer
from resolvers.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from resolvers.statistics import MAX_GROUPS

CODE = "COST_EXCEEDED"
DEAREST_SHOWN = 3

# Each takes a statement of its own, or a part of one that is as dear.
STATEMENT = 10
HALF_STATEMENT = 5
OBJECT = 1

# By the type that is answered.
TYPE_WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "DeploymentStats": STATEMENT,
        "DeploymentStatsGroup": STATEMENT,
        "DeploymentTotals": STATEMENT,
        "MetricTable": STATEMENT,
        "TemplateUsage": STATEMENT,
    }
)
CONNECTION = "Connection"
MUTATION = "Mutation"

# By field, where it is not what its type weighs.
FIELD_WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "DeploymentConnection.totalCount": HALF_STATEMENT,
        "Project.environments": HALF_STATEMENT,
        "Project.latestDeployments": HALF_STATEMENT,
        "ProjectConnection.totalCount": HALF_STATEMENT,
        "TemplateConnection.totalCount": HALF_STATEMENT,
    }
)

# Lists without a page size: how many items are assumed.
ASSUMED_ITEMS = 10
# A series or a table by its interval: as many points as its usual range has.
POINTS: Mapping[str, int] = MappingProxyType(
    {"MINUTE": 240, "HOUR": 168, "DAY": 31, "WEEK": 26, "MONTH": 12, "AUTO": 48}
)
VALUES_PER_POINT = 10  # of a table, whose values are plain numbers

MAX_COST: Mapping[Role, int] = MappingProxyType(
    {Role.INGEST: 2_000, Role.VIEWER: 10_000, Role.MAINTAINER: 10_000, Role.ADMIN: 40_000}
)


def max_cost(viewer: Viewer) -> int:
    """The most one query of this viewer may cost."""
    return max((MAX_COST[role] for role in viewer.roles), default=0)


@dataclass(frozen=True, slots=True)
class _Size:
    """How often something counts: a number, or what a variable's value says."""

    variable: str | None
    otherwise: int
    read: Callable[[Any], int]

    def of(self, variables: Mapping[str, Any]) -> int:
        if self.variable is None or self.variable not in variables:
            return self.otherwise
        return self.read(variables[self.variable])


@dataclass(frozen=True, slots=True)
class _Term:
    """`weight + the product of sizes * the sum of inner / divisor`."""

    weight: int
    sizes: tuple[_Size, ...]
    inner: tuple[_Term | int, ...]
    divisor: int = 1

    def of(self, variables: Mapping[str, Any]) -> int:
        points = sum(_points(part, variables) for part in self.inner)
        for size in self.sizes:
            points *= size.of(variables)
        return self.weight + -(-points // self.divisor)


def _points(part: _Term | int, variables: Mapping[str, Any]) -> int:
    return part if isinstance(part, int) else part.of(variables)


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
        definition.variable.name.value: _literal(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return Measured(tuple(measuring.fields(root, operation.selection_set)), defaults)


def refusal(cost: Cost, limit: int) -> GraphQLError:
    dearest = sorted(cost.by_root_field.items(), key=lambda each: -each[1])[:DEAREST_SHOWN]
    shown = ", ".join(f"{name} {points}" for name, points in dearest)
    return GraphQLError(
        f"The query would cost about {cost.points} points, and {limit} are allowed ({shown}): ask "
        "for smaller pages, fewer figures or less at once.",
        extensions={"code": CODE, "cost": cost.as_json(limit)},
    )


class _Measuring:
    """Walks a document, each fragment once."""

    def __init__(self, schema: GraphQLSchema, syntax: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in syntax.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[tuple[str, _Size | None], list[tuple[str, _Term | int]]] = {}

    def fields(
        self, parent: GraphQLNamedType, selections: SelectionSetNode, page: _Size | None = None
    ) -> list[tuple[str, _Term | int]]:
        """What is selected; `page` is the size of the connection whose fields these are."""
        found: list[tuple[str, _Term | int]] = []
        spread: set[str] = set()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                found.append((name, self._field(parent, selection, page)))
            elif isinstance(selection, FragmentSpreadNode):
                # Twice in one place it is executed once; the limits count it so too.
                if selection.name.value not in spread:
                    spread.add(selection.name.value)
                    found.extend(self._spread(selection.name.value, page))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else parent
                found.extend(self.fields(inner, selection.selection_set, page))
        return found

    def _spread(self, name: str, page: _Size | None) -> list[tuple[str, _Term | int]]:
        key = (name, page)
        if key not in self._measured:
            fragment = self._fragments[name]
            condition = self._schema.type_map[fragment.type_condition.name.value]
            self._measured[key] = self.fields(condition, fragment.selection_set, page)
        return self._measured[key]

    def _field(self, parent: GraphQLNamedType, node: FieldNode, page: _Size | None) -> _Term | int:
        field: GraphQLField | None = getattr(parent, "fields", {}).get(node.name.value)
        if field is None:  # of introspection, which has bounds of its own
            return 0
        kind = get_named_type(field.type)
        coordinate = f"{parent.name}.{node.name.value}"
        sizes = _sizes(coordinate, field, node)
        if coordinate == "Query.metrics":
            return _folded(_Term(STATEMENT, sizes, (OBJECT,), VALUES_PER_POINT))
        is_connection = kind.name.endswith(CONNECTION)
        inner: list[_Term | int] = []
        if node.selection_set is not None:
            handed_down = sizes[0] if is_connection else None
            inner = [part for _, part in self.fields(kind, node.selection_set, handed_down)]
        weight = _weight(coordinate, parent, kind)
        if page is not None and node.name.value in ("edges", "nodes"):
            return _folded(_Term(0, (page,), (OBJECT, *inner)))
        if is_connection or not sizes or not is_composite_type(kind):
            return _folded(_Term(weight, (), tuple(inner)))
        # Each item counts, so a list that needs nothing of its own weighs nothing beside them.
        return _folded(_Term(0 if weight == OBJECT else weight, sizes, (OBJECT, *inner)))


def _folded(term: _Term) -> _Term | int:
    """As a plain number, where no variable has a say in it."""
    if any(size.variable is not None for size in term.sizes):
        return term
    if any(not isinstance(part, int) for part in term.inner):
        constant = sum(part for part in term.inner if isinstance(part, int))
        rest = tuple(part for part in term.inner if not isinstance(part, int))
        return _Term(term.weight, term.sizes, (constant, *rest), term.divisor)
    return term.of({})


def _weight(coordinate: str, parent: GraphQLNamedType, kind: GraphQLNamedType) -> int:
    if coordinate in FIELD_WEIGHTS:
        return FIELD_WEIGHTS[coordinate]
    if parent.name == MUTATION:
        return STATEMENT
    if not is_composite_type(kind):
        return 0
    if kind.name.endswith(CONNECTION):
        return HALF_STATEMENT
    return TYPE_WEIGHTS.get(kind.name, OBJECT)


def _sizes(coordinate: str, field: GraphQLField, node: FieldNode) -> tuple[_Size, ...]:
    """What multiplies the field's items; nothing where there is one of it."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    if coordinate == "Query.metrics":
        groups = _page(field, given) if "groupBy" in given else _fixed(1)
        points = _interval(given) if "interval" in given else _fixed(1)
        return (_length(given.get("measures")), groups, points)
    for name in ("ids", "inputs"):
        if name in field.args:
            return (_length(given.get(name)),)
    if "interval" in field.args:
        return (_interval(given),)
    if "first" in field.args:
        return (_page(field, given),)
    if _is_list(field.type):
        return (_fixed(ASSUMED_ITEMS),)
    return ()


def _is_list(kind: Any) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _page(field: GraphQLField, given: Mapping[str, ValueNode]) -> _Size:
    default = field.args["first"].default_value
    is_connection = get_named_type(field.type).name.endswith(CONNECTION)
    if default is Undefined or default is None:
        default = DEFAULT_PAGE_SIZE
    most = MAX_PAGE_SIZE if is_connection else MAX_GROUPS
    node = given.get("first") or given.get("last")
    return _size(node, default, lambda value: _between(value, default, most))


def _interval(given: Mapping[str, ValueNode]) -> _Size:
    def read(value: Any) -> int:
        return POINTS.get(value, POINTS["AUTO"]) if isinstance(value, str) else POINTS["AUTO"]

    return _size(given.get("interval"), POINTS["AUTO"], read)


def _length(node: ValueNode | None) -> _Size:
    return _size(node, 1, lambda value: max(1, len(value)) if isinstance(value, list) else 1)


def _fixed(number: int) -> _Size:
    return _Size(None, number, int)


def _size(node: ValueNode | None, otherwise: int, read: Callable[[Any], int]) -> _Size:
    if isinstance(node, VariableNode):
        return _Size(node.name.value, otherwise, read)
    return _fixed(otherwise if node is None else read(_literal(node)))


def _between(value: Any, default: int, most: int) -> int:
    """A page size; what is none is refused later, and nothing then is done for it."""
    if not isinstance(value, int) or isinstance(value, bool):
        return default
    return min(max(value, 0), most)


def _literal(node: ValueNode | None) -> Any:
    """As much of a literal as sizes are read from."""
    if isinstance(node, IntValueNode):
        return int(node.value[:20])
    if isinstance(node, ListValueNode):
        return list(node.values)
    return getattr(node, "value", None)
