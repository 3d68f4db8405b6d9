"""Documents made from the schema: every field, every argument, nothing listed by hand."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)

from schema import schema
from schema.internals import DEFINITION, core

CORE: Any = core(schema)

# The value of an argument: its type, where it is ("Query.project.slug") and what it is called.
Give = Callable[[Any, str, str], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """An operation with its variables; `about` says what it is for."""

    text: str
    variables: dict[str, Any]
    about: str


@dataclass(slots=True)
class Writer:
    """Writes one operation; every argument is a variable."""

    give: Give
    variables: dict[str, Any] = field(default_factory=dict)
    _declared: list[str] = field(default_factory=list)

    def document(self, operation: str, selection: str, about: str) -> Document:
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        # Thousands of documents differ in their variables alone.
        text = sys.intern(f"{operation} {declared} {{ {selection} }}")
        return Document(text, self.variables, about)

    def call(self, place: str, name: str, definition: GraphQLField, given: dict[str, Any]) -> str:
        """A field with what it must be given and what is to be tried."""
        written = []
        for argument, kind in definition.args.items():
            if argument in given:
                value = given[argument]
            elif is_required_argument(kind):
                value = self.give(kind.type, f"{place}.{name}.{argument}", argument)
            else:
                continue
            written.append(f"{argument}: {self._variable(kind, value)}")
        return f"{name}({', '.join(written)})" if written else name

    def _variable(self, kind: GraphQLArgument, value: Any) -> str:
        name = f"v{len(self._declared)}"
        self._declared.append(f"${name}: {kind.type}")
        self.variables[name] = value
        return f"${name}"

    def everything(
        self, kind: GraphQLNamedType, depth: int, above: tuple[GraphQLNamedType, ...] = ()
    ) -> str:
        """All fields of a type, to a depth; no type is entered below itself."""
        if is_leaf_type(kind):
            return ""
        if is_abstract_type(kind):
            possible = CORE.get_possible_types(kind)
            inner = [f"... on {one.name} {self.everything(one, depth, above)}" for one in possible]
            return "{ __typename " + " ".join(inner) + " }"
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        chosen = ["__typename"]
        for name, definition in kind.fields.items():
            inner_kind = get_named_type(definition.type)
            if is_leaf_type(inner_kind):
                chosen.append(self._aliased(kind, name, definition, ""))
            elif depth > 0 and inner_kind not in (*above, kind):
                below = self.everything(inner_kind, depth - 1, (*above, kind))
                chosen.append(self._aliased(kind, name, definition, below))
        return "{ " + " ".join(chosen) + " }"

    def _aliased(self, kind: Any, name: str, definition: GraphQLField, below: str) -> str:
        # Two types below one interface may have a field of one name and two types.
        return f"{kind.name}_{name}: {self.call(kind.name, name, definition, {})} {below}"


def operation_of(parent: str) -> str:
    return {"Mutation": "mutation", "Subscription": "subscription"}.get(parent, "query")


def roots() -> Iterator[tuple[str, str, GraphQLField]]:
    """All root fields."""
    for kind in (CORE.query_type, CORE.mutation_type, CORE.subscription_type):
        for name, definition in kind.fields.items() if kind else ():
            yield kind.name, name, definition


def way_to(kind: GraphQLNamedType) -> list[tuple[str, str, GraphQLField]]:
    """The shortest way from Query to an object of this type; those that ask for nothing first."""
    queue: deque[tuple[GraphQLNamedType, list[Any]]] = deque([(CORE.query_type, [])])
    seen = {CORE.query_type}
    while queue:
        here, way = queue.popleft()
        if here is kind:
            return way
        if not is_object_type(here):
            continue
        fields = sorted(
            here.fields.items(),
            key=lambda one: any(map(is_required_argument, one[1].args.values())),
        )
        for name, definition in fields:
            below = get_named_type(definition.type)
            if below not in seen:
                seen.add(below)
                queue.append((below, [*way, (here.name, name, definition)]))
    raise LookupError(kind.name)


def fields_with_arguments() -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    """Every field below the roots that takes arguments."""
    for kind in CORE.type_map.values():
        if not is_object_type(kind) or kind.name.startswith("__"):
            continue
        if kind in (CORE.query_type, CORE.mutation_type, CORE.subscription_type):
            continue
        for name, definition in kind.fields.items():
            if definition.args and reachable(kind):
                yield kind, name, definition


def reachable(kind: GraphQLNamedType) -> bool:
    try:
        way_to(kind)
    except LookupError:
        return False
    return True


def wrapped(writer: Writer, kind: GraphQLNamedType, innermost: str) -> str:
    """A selection on a type, put into the way that leads there from the root."""
    for parent, name, definition in reversed(way_to(kind)):
        innermost = f"{writer.call(parent, name, definition, {})} {{ {innermost} }}"
    return innermost


def required(kind: Any, place: str, name: str, give: Give) -> Any:
    """The least value of an input type that is one at all."""
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        return [give(kind.of_type, place, name)]
    if is_input_object_type(kind):
        return {
            inner: give(definition.type, f"{kind.name}.{inner}", inner)
            for inner, definition in needed_fields(kind)
        }
    raise AssertionError(f"{place}: {kind} is a leaf")


def needed_fields(kind: GraphQLInputObjectType) -> list[tuple[str, GraphQLInputField]]:
    """The fields that a value must have: of a @oneOf input the first one."""
    if is_one_of(kind):
        return list(kind.fields.items())[:1]
    return [each for each in kind.fields.items() if is_required_input_field(each[1])]


def is_one_of(kind: GraphQLInputObjectType) -> bool:
    return bool(kind.extensions[DEFINITION].is_one_of)
